//! The servers' clock, as their answers show it: this machine's may be off by years.

use std::cell::Cell;

use crate::http::Response;
use crate::util::time::parse_http;

/// Clocks that differ by less count as equal: `Date` has whole seconds, and the answer took time to arrive.
const SKEW_MS: u64 = 30_000;

/// The servers' clock, for one upload.
#[derive(Debug, Default)]
pub struct ServerClock {
    /// How far it is ahead of this machine's clock, in milliseconds.
    ahead_ms: Cell<i64>,
}

impl ServerClock {
    /// The servers' time when this machine's is `now`; both in milliseconds since 1970.
    pub fn at(&self, now: u64) -> u64 {
        now.saturating_add_signed(self.ahead_ms.get())
    }

    /// Whether a moment of the servers' clock has passed at this machine's `now`. A moment that had passed before `began_at` only shows
    /// that this machine's clock is off, unless a server corrected it.
    pub fn is_past(&self, moment: u64, now: u64, began_at: u64) -> bool {
        moment <= self.at(now) && (self.ahead_ms.get() != 0 || moment > began_at)
    }

    /// Sets the clock by the `Date` of an answer received at `now` to a request sent at `sent_at`. It is ignored if the answer took long,
    /// or the machine slept meanwhile.
    pub fn learn_from(&self, response: &Response, sent_at: u64, now: u64) {
        if now.saturating_sub(sent_at) > SKEW_MS {
            return;
        }
        if let Some(theirs) = response.header("date").and_then(parse_http) {
            self.ahead_ms.set(if theirs.abs_diff(now) > SKEW_MS { theirs as i64 - now as i64 } else { 0 });
        }
    }

    /// Sets the clock to the time that a server names. Returns whether that differs from what was known.
    pub fn set(&self, theirs: u64, now: u64) -> bool {
        let differs = theirs.abs_diff(self.at(now)) > SKEW_MS;
        if differs {
            self.ahead_ms.set(theirs as i64 - now as i64);
        }
        differs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "Sun, 06 Nov 1994 08:49:37 GMT".
    const THEIRS: u64 = 784_111_777_000;

    fn answer() -> Response {
        Response { headers: vec![("date".into(), "Sun, 06 Nov 1994 08:49:37 GMT".into())], ..Response::default() }
    }

    #[test]
    fn an_answers_date_corrects_this_machines_clock() {
        let clock = ServerClock::default();
        assert_eq!(clock.at(1_000), 1_000);
        clock.learn_from(&answer(), 0, 1_000);
        assert_eq!((clock.at(1_000), clock.at(2_000)), (THEIRS, THEIRS + 1_000));
        clock.learn_from(&answer(), THEIRS, THEIRS + 29_000);
        assert_eq!(clock.at(5), 5, "the clocks agree");
    }

    #[test]
    fn a_slow_answer_is_ignored() {
        let clock = ServerClock::default();
        clock.learn_from(&answer(), 0, SKEW_MS + 1);
        assert_eq!(clock.at(7), 7);
        clock.learn_from(&answer(), 0, SKEW_MS);
        assert_eq!(clock.at(SKEW_MS), THEIRS, "it took no longer than clocks may differ");
    }

    #[test]
    fn a_clock_that_differs_by_half_a_minute_is_as_good_as_right() {
        let clock = ServerClock::default();
        for (now, at) in [(THEIRS - SKEW_MS, THEIRS - SKEW_MS), (THEIRS - SKEW_MS - 1, THEIRS)] {
            clock.learn_from(&answer(), now, now);
            assert_eq!(clock.at(now), at);
        }
    }

    #[test]
    fn a_time_that_a_server_names_sets_the_clock() {
        let clock = ServerClock::default();
        assert!(clock.set(THEIRS, 200));
        assert_eq!(clock.at(1_200), THEIRS + 1_000);
        assert!(!clock.set(THEIRS + SKEW_MS, 200) && clock.set(THEIRS + SKEW_MS + 1, 200));
        assert_eq!(clock.at(200), THEIRS + SKEW_MS + 1);
    }

    #[test]
    fn a_moment_before_the_beginning_counts_only_once_a_server_named_its_time() {
        let clock = ServerClock::default();
        assert!(clock.is_past(150, 200, 100) && !clock.is_past(250, 200, 100));
        assert!(!clock.is_past(50, 200, 100) && !clock.is_past(100, 200, 100));
        assert!(clock.set(THEIRS, 200));
        assert!(clock.is_past(50, 200, 100));
        assert!(!clock.set(THEIRS + SKEW_MS, 200), "as good as known");
    }
}
