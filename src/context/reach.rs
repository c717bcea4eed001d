//! Whether the page can read an origin's answers: to a page, a missing CORS rule looks like a lost connection.
//!
//! If no answer of an origin was readable in this page yet, the second failure starts a probe, which needs no CORS rule. It shows that
//! a server answers, but not why its answers can't be read: a proxy's 502 without CORS headers is temporary. So some seconds later there
//! is another attempt and another probe, and only if these have the same result does the upload end early.

use std::cell::{RefCell, RefMut};
use std::rc::Rc;

/// The time between a probe that found a server and the next attempt. (A choice: a restart behind a proxy takes seconds; without the
/// probes the error would come after some thirty.)
const GAP_MS: u64 = 5_000;
/// How long the end of one upload also ends those that ran beside it. (A choice: twice the longest usual back-off.)
const SHARED_END_MS: u64 = 60_000;
/// How many failures start a probe: a single one is a lost connection most often.
const PROBE_AFTER: u32 = 2;
/// How many probes without an answer show that there is no server. (A choice: one may meet a network that is just lost.)
const SILENT_AFTER: u32 = 2;

/// What is known of every origin. Clones are the same registry.
#[derive(Clone, Debug, Default)]
pub struct Reach(Rc<RefCell<Vec<(String, State)>>>);

#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// An answer was readable.
    readable: bool,
    /// Failures without a status; requests that were in flight together count once.
    failures: u32,
    /// When the last of them was counted.
    failed_at: u64,
    /// When the next probe may be sent, and, after a probe that found a server, the next request.
    next_at: u64,
    /// Probes in a row that found a server.
    found: u32,
    /// When an upload was ended because of it: those that ran beside it end too.
    ended_at: Option<u64>,
    /// The console has the warning.
    warned: bool,
    /// Something answered, readable or not.
    heard: bool,
    /// Probes that found no server.
    silent: u32,
}

/// What follows a failure or a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Try again.
    Retry,
    /// Send a probe.
    Probe,
    /// Warn on the console, and try again.
    Warn,
    /// Warn on the console that nothing answers, and try again.
    WarnSilent,
    /// End the upload: the page can't read this origin's answers.
    End,
}

impl Reach {
    /// The state of an origin.
    fn of(&self, origin: &str) -> RefMut<'_, State> {
        let mut origins = self.0.borrow_mut();
        let at = origins.iter().position(|(other, _)| other == origin).unwrap_or_else(|| {
            origins.push((origin.into(), State::default()));
            origins.len() - 1
        });
        RefMut::map(origins, |origins| &mut origins[at].1)
    }

    pub(super) fn is_readable(&self, origin: &str) -> bool {
        self.of(origin).readable
    }

    /// Notes that an answer was readable.
    pub(super) fn answered(&self, origin: &str) {
        *self.of(origin) = State { readable: true, heard: true, ..State::default() };
    }

    /// Notes that something else answered in the origin's place: earlier failures may have the same cause.
    pub(super) fn foreign_answer(&self, origin: &str) {
        let state = &mut *self.of(origin);
        (state.failures, state.found, state.heard) = (0, 0, true);
    }

    /// Milliseconds to wait before the next request.
    pub(super) fn wait(&self, origin: &str, now: u64) -> u64 {
        let state = self.of(origin);
        let wait = if state.found > 0 { state.next_at.saturating_sub(now) } else { 0 };
        // A clock that was set back must not lengthen the wait.
        wait.min(GAP_MS)
    }

    /// Notes that a request that began at `started` failed without a status; its upload began at `upload_began_at`.
    pub(super) fn failed(&self, origin: &str, upload_began_at: u64, started: u64, now: u64) -> Next {
        let state = &mut *self.of(origin);
        if state.readable {
            return Next::Retry;
        }
        if state.ended_at.is_some_and(|at| upload_began_at < at && now.saturating_sub(at) < SHARED_END_MS) {
            return Next::End;
        }
        // Requests that were in flight together fail for the same reason.
        if started < state.failed_at {
            return Next::Retry;
        }
        state.failures += 1;
        state.failed_at = now;
        if state.failures < PROBE_AFTER || state.next_at > now {
            return Next::Retry;
        }
        state.next_at = now + GAP_MS;
        Next::Probe
    }

    /// Notes the result of a probe: it found a server, or proves nothing.
    pub(super) fn probed(&self, origin: &str, found: bool, now: u64) -> Next {
        let state = &mut *self.of(origin);
        if state.readable || !found {
            state.found = 0;
            state.silent += 1;
            let told = state.heard || state.silent != SILENT_AFTER;
            return if told { Next::Retry } else { Next::WarnSilent };
        }
        state.found += 1;
        state.heard = true;
        if state.found > 1 {
            // Later uploads start over: the rule may have been set meanwhile.
            *state = State { ended_at: Some(now), warned: true, heard: true, ..State::default() };
            return Next::End;
        }
        let warned = state.warned;
        state.warned = true;
        if warned { Next::Retry } else { Next::Warn }
    }

    /// Notes that the body of a request was taken.
    pub(super) fn took_bytes(&self, origin: &str) {
        self.of(origin).heard = true;
    }

    /// Whether nothing ever answered, neither requests nor probes.
    pub(super) fn is_silent(&self, origin: &str) -> bool {
        let state = self.of(origin);
        !state.heard && state.silent >= SILENT_AFTER
    }

    /// Whether a server answers, and no answer was readable.
    pub(super) fn is_suspect(&self, origin: &str) -> bool {
        self.of(origin).warned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: &str = "https://store.example";

    #[test]
    fn two_probes_and_an_attempt_between_them_end_the_upload() {
        let reach = Reach::default();
        assert_eq!(reach.failed(ORIGIN, 0, 0, 100), Next::Retry, "one failure says nothing");
        assert_eq!(reach.failed(ORIGIN, 0, 200, 300), Next::Probe);
        assert_eq!(reach.wait(ORIGIN, 300), 0, "a probe in flight delays nothing");
        assert_eq!(reach.probed(ORIGIN, true, 400), Next::Warn);
        assert!(reach.is_suspect(ORIGIN));
        assert_eq!(reach.wait(ORIGIN, 400), GAP_MS - 100);
        assert_eq!(reach.failed(ORIGIN, 0, 5_300, 5_400), Next::Probe);
        assert_eq!(reach.probed(ORIGIN, true, 5_500), Next::End);
        assert_eq!(reach.failed(ORIGIN, 99, 5_900, 6_000), Next::End, "it ran beside it");
        assert_eq!(reach.failed(ORIGIN, 5_600, 5_700, 5_800), Next::Retry, "a later upload starts over");
        assert_eq!(reach.failed(ORIGIN, 5_600, 5_900, 6_000), Next::Probe);
        assert_eq!(reach.probed(ORIGIN, true, 6_100), Next::Retry, "one warning on the console");
    }

    #[test]
    fn the_end_of_one_upload_ends_those_beside_it_for_a_minute() {
        let reach = Reach::default();
        assert_eq!((reach.failed(ORIGIN, 0, 0, 1), reach.failed(ORIGIN, 0, 2, 3)), (Next::Retry, Next::Probe));
        assert_eq!((reach.probed(ORIGIN, true, 4), reach.probed(ORIGIN, true, 5_000)), (Next::Warn, Next::End));
        assert_eq!(reach.failed(ORIGIN, 4_999, 60_000, 64_999), Next::End);
        assert_eq!(reach.failed(ORIGIN, 5_000, 60_000, 64_999), Next::Retry, "it began afterwards");
        assert_eq!(reach.failed(ORIGIN, 4_999, 65_000, 65_000), Next::Probe, "that was long ago");
    }

    #[test]
    fn failures_in_flight_together_count_once() {
        let reach = Reach::default();
        for _ in 0..6 {
            assert_eq!(reach.failed(ORIGIN, 0, 0, 100), Next::Retry);
        }
        assert_eq!(reach.failed(ORIGIN, 0, 200, 300), Next::Probe);
        assert_eq!(reach.failed(ORIGIN, 0, 250, 310), Next::Retry, "one probe at a time");
        assert_eq!(reach.failed(ORIGIN, 0, 310, 299 + GAP_MS), Next::Retry, "nor the next at once");
        assert_eq!(reach.failed(ORIGIN, 0, 299 + GAP_MS, 300 + GAP_MS), Next::Probe);
    }

    #[test]
    fn a_request_that_began_when_the_last_one_failed_was_not_in_flight_with_it() {
        let reach = Reach::default();
        assert_eq!((reach.failed(ORIGIN, 0, 0, 100), reach.failed(ORIGIN, 0, 100, 200)), (Next::Retry, Next::Probe));
    }

    #[test]
    fn a_probe_that_fails_proves_nothing() {
        let reach = Reach::default();
        assert_eq!((reach.failed(ORIGIN, 0, 0, 1), reach.failed(ORIGIN, 0, 2, 3)), (Next::Retry, Next::Probe));
        assert_eq!(reach.probed(ORIGIN, true, 4), Next::Warn);
        assert_eq!(reach.failed(ORIGIN, 0, 6_000, 6_001), Next::Probe);
        assert_eq!(reach.probed(ORIGIN, false, 6_002), Next::Retry);
        assert_eq!(reach.wait(ORIGIN, 6_002), 0);
        assert_eq!(reach.failed(ORIGIN, 0, 12_000, 12_001), Next::Probe);
        assert_eq!(reach.probed(ORIGIN, true, 12_002), Next::Retry, "it starts over with the first probe");
    }

    #[test]
    fn two_probes_that_find_nothing_are_told_once_unless_something_ever_answered() {
        let silent = |reach: &Reach| [1, 2, 3].map(|at| reach.probed(ORIGIN, false, at));
        let told = [Next::Retry, Next::WarnSilent, Next::Retry];
        let reach = Reach::default();
        assert_eq!((silent(&reach), reach.is_silent(ORIGIN)), (told, true));
        reach.answered(ORIGIN);
        assert!(!reach.is_silent(ORIGIN));
        let acts: [fn(&Reach); 4] = [
            |reach| reach.answered(ORIGIN),
            |reach| reach.foreign_answer(ORIGIN),
            |reach| reach.took_bytes(ORIGIN),
            |reach| _ = reach.probed(ORIGIN, true, 0),
        ];
        for (at, act) in acts.iter().enumerate() {
            let reach = Reach::default();
            act(&reach);
            assert_eq!((silent(&reach), reach.is_silent(ORIGIN)), ([Next::Retry; 3], false), "{at}");
        }
    }

    #[test]
    fn a_foreign_answer_resets_the_failures() {
        let reach = Reach::default();
        assert_eq!((reach.failed(ORIGIN, 0, 0, 1), reach.failed(ORIGIN, 0, 2, 3)), (Next::Retry, Next::Probe));
        assert_eq!(reach.probed(ORIGIN, true, 4), Next::Warn);
        reach.foreign_answer(ORIGIN);
        assert_eq!((reach.failed(ORIGIN, 0, 6_000, 6_001), reach.wait(ORIGIN, 6_001)), (Next::Retry, 0));
        assert_eq!(reach.failed(ORIGIN, 0, 7_000, 7_001), Next::Probe);
        assert_eq!(reach.probed(ORIGIN, true, 7_002), Next::Retry, "one warning on the console");
        assert!(!reach.is_readable(ORIGIN));
    }

    #[test]
    fn a_readable_answer_settles_it() {
        let reach = Reach::default();
        assert_eq!((reach.failed(ORIGIN, 0, 0, 1), reach.failed(ORIGIN, 0, 2, 3)), (Next::Retry, Next::Probe));
        reach.answered(ORIGIN);
        assert_eq!(reach.probed(ORIGIN, true, 4), Next::Retry);
        assert_eq!((reach.failed(ORIGIN, 0, 5, 6), reach.failed(ORIGIN, 0, 7, 8)), (Next::Retry, Next::Retry));
        assert!(reach.is_readable(ORIGIN) && !reach.is_suspect(ORIGIN) && !reach.is_readable("https://other.example"));
    }
}
