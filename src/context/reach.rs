//! Whether a page can read what an origin answers: a missing CORS rule looks like a lost connection, and a page is told nothing else.
//!
//! Where no answer of an origin was readable in this page yet, a second failure brings a probe, which needs no CORS rule. It tells
//! that a server is there, and not why its answers can't be read: a 502 of a proxy that has no CORS headers passes. So some seconds
//! later there is another try and another probe, and only where these end the same way does the upload end early.

use std::cell::{RefCell, RefMut};
use std::rc::Rc;

/// Between a probe that found a server and the next try. (A choice: a restart behind a proxy takes seconds; without the probes the
/// error came after some thirty.)
const GAP_MS: u64 = 5_000;
/// For so long an upload that ran beside one that was ended shares its end. (A choice: twice the longest usual back-off.)
const BESIDE_MS: u64 = 60_000;
/// So many failures bring a probe: a single one is a lost connection most often.
const SUSPICIOUS: u32 = 2;

/// What is known of every origin in the page. Clones are the same registry.
#[derive(Clone, Debug, Default)]
pub struct Reach(Rc<RefCell<Vec<(String, State)>>>);

#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// An answer was readable in this page.
    readable: bool,
    /// Failures without a status, those that were on their way together counted once.
    failures: u32,
    /// When the last of them was counted.
    failed_at: u64,
    /// No probe, and after one that found a server no try, before this.
    next_at: u64,
    /// Probes in a row that found a server.
    found: u32,
    /// When an upload was ended for it: those that ran beside it end too.
    ended_at: Option<u64>,
    /// The console was told.
    told: bool,
}

/// What a failure, or a probe, asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// To go on trying.
    Retry,
    /// A probe.
    Probe,
    /// To tell the console, and to go on trying.
    Tell,
    /// The end: the page can't read what this origin answers.
    EndReason,
}

impl Reach {
    /// What is known of an origin, to be changed.
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

    /// An answer was readable.
    pub(super) fn answered(&self, origin: &str) {
        *self.of(origin) = State { readable: true, ..State::default() };
    }

    /// Something else answered in its place: what was lost until now may have been lost to that.
    pub(super) fn disturbed(&self, origin: &str) {
        let state = &mut *self.of(origin);
        (state.failures, state.found) = (0, 0);
    }

    /// Milliseconds to wait before the next try.
    pub(super) fn wait(&self, origin: &str, now: u64) -> u64 {
        let state = self.of(origin);
        let wait = if state.found > 0 { state.next_at.saturating_sub(now) } else { 0 };
        // A clock that was set back must not hold it for as long as it was off.
        wait.min(GAP_MS)
    }

    /// A request that began at `started` failed without a status; its upload was asked for at `begun`.
    pub(super) fn failed(&self, origin: &str, begun: u64, started: u64, now: u64) -> Next {
        let state = &mut *self.of(origin);
        if state.readable {
            return Next::Retry;
        }
        if state.ended_at.is_some_and(|at| begun < at && now.saturating_sub(at) < BESIDE_MS) {
            return Next::EndReason;
        }
        // Those that were on their way together tell the same thing.
        if state.failures > 0 && started < state.failed_at {
            return Next::Retry;
        }
        state.failures += 1;
        state.failed_at = now;
        if state.failures < SUSPICIOUS || state.next_at > now {
            return Next::Retry;
        }
        state.next_at = now + GAP_MS;
        Next::Probe
    }

    /// A probe found a server, or it proves nothing.
    pub(super) fn probed(&self, origin: &str, found: bool, now: u64) -> Next {
        let state = &mut *self.of(origin);
        if state.readable || !found {
            state.found = 0;
            return Next::Retry;
        }
        state.found += 1;
        if state.found > 1 {
            // Whoever tries again after this collects the evidence anew: the rule may have been set meanwhile.
            *state = State { ended_at: Some(now), told: true, ..State::default() };
            return Next::EndReason;
        }
        let told = state.told;
        state.told = true;
        if told { Next::Retry } else { Next::Tell }
    }

    /// True where a server is there, and nothing of it could be read.
    pub(super) fn is_suspect(&self, origin: &str) -> bool {
        self.of(origin).told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: &str = "https://store.example";

    #[test]
    fn two_probes_some_seconds_apart_and_a_try_between_end_it() {
        let reach = Reach::default();
        assert_eq!(reach.failed(ORIGIN, 0, 0, 100), Next::Retry, "one failure says nothing");
        assert_eq!(reach.failed(ORIGIN, 0, 200, 300), Next::Probe);
        assert_eq!(reach.wait(ORIGIN, 300), 0, "a probe under way holds nothing");
        assert_eq!(reach.probed(ORIGIN, true, 400), Next::Tell);
        assert!(reach.is_suspect(ORIGIN));
        assert_eq!(reach.wait(ORIGIN, 400), GAP_MS - 100);
        assert_eq!(reach.failed(ORIGIN, 0, 5_300, 5_400), Next::Probe);
        assert_eq!(reach.probed(ORIGIN, true, 5_500), Next::EndReason);
        assert_eq!(reach.failed(ORIGIN, 99, 5_900, 6_000), Next::EndReason, "it ran beside it");
        assert_eq!(reach.failed(ORIGIN, 5_600, 5_700, 5_800), Next::Retry, "a later one begins from nothing");
        assert_eq!(reach.failed(ORIGIN, 5_600, 5_900, 6_000), Next::Probe);
        assert_eq!(reach.probed(ORIGIN, true, 6_100), Next::Retry, "the console was told once");
    }

    #[test]
    fn what_fails_together_counts_once() {
        let reach = Reach::default();
        for _ in 0..6 {
            assert_eq!(reach.failed(ORIGIN, 0, 0, 100), Next::Retry);
        }
        assert_eq!(reach.failed(ORIGIN, 0, 200, 300), Next::Probe);
        assert_eq!(reach.failed(ORIGIN, 0, 250, 310), Next::Retry, "one probe at a time");
    }

    #[test]
    fn a_probe_that_fails_proves_nothing() {
        let reach = Reach::default();
        assert_eq!((reach.failed(ORIGIN, 0, 0, 1), reach.failed(ORIGIN, 0, 2, 3)), (Next::Retry, Next::Probe));
        assert_eq!(reach.probed(ORIGIN, true, 4), Next::Tell);
        assert_eq!(reach.failed(ORIGIN, 0, 6_000, 6_001), Next::Probe);
        assert_eq!(reach.probed(ORIGIN, false, 6_002), Next::Retry);
        assert_eq!(reach.wait(ORIGIN, 6_002), 0);
        assert_eq!(reach.failed(ORIGIN, 0, 12_000, 12_001), Next::Probe);
        assert_eq!(reach.probed(ORIGIN, true, 12_002), Next::Retry, "it begins from the first probe");
    }

    #[test]
    fn what_something_else_answers_begins_it_anew() {
        let reach = Reach::default();
        assert_eq!((reach.failed(ORIGIN, 0, 0, 1), reach.failed(ORIGIN, 0, 2, 3)), (Next::Retry, Next::Probe));
        assert_eq!(reach.probed(ORIGIN, true, 4), Next::Tell);
        reach.disturbed(ORIGIN);
        assert_eq!((reach.failed(ORIGIN, 0, 6_000, 6_001), reach.wait(ORIGIN, 6_001)), (Next::Retry, 0));
        assert_eq!(reach.failed(ORIGIN, 0, 7_000, 7_001), Next::Probe);
        assert_eq!(reach.probed(ORIGIN, true, 7_002), Next::Retry, "the console was told once");
        assert!(!reach.is_readable(ORIGIN));
    }

    #[test]
    fn an_answer_that_was_read_settles_it_for_good() {
        let reach = Reach::default();
        assert_eq!((reach.failed(ORIGIN, 0, 0, 1), reach.failed(ORIGIN, 0, 2, 3)), (Next::Retry, Next::Probe));
        reach.answered(ORIGIN);
        assert_eq!(reach.probed(ORIGIN, true, 4), Next::Retry);
        assert_eq!((reach.failed(ORIGIN, 0, 5, 6), reach.failed(ORIGIN, 0, 7, 8)), (Next::Retry, Next::Retry));
        assert!(reach.is_readable(ORIGIN) && !reach.is_suspect(ORIGIN) && !reach.is_readable("https://other.example"));
    }
}
