//! One back-off for all uploads to a store that has too much to do.
//!
//! Vendors' APIs have a [`RateLimiter`](crate::context::rate_limit::RateLimiter) for this.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::http::Response;

/// The back-offs of all stores. Clones are the same registry.
#[derive(Clone, Debug, Default)]
pub struct Backoffs(Rc<RefCell<Vec<(String, Backoff)>>>);

impl Backoffs {
    /// The back-off of an origin.
    pub fn of(&self, origin: &str) -> Backoff {
        let mut backoffs = self.0.borrow_mut();
        let known = backoffs.iter().find(|(other, _)| other == origin).map(|(_, backoff)| backoff.clone());
        known.unwrap_or_else(|| {
            let backoff = Backoff::default();
            backoffs.push((origin.into(), backoff.clone()));
            backoff
        })
    }
}

/// The back-off of one origin. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Backoff(Rc<State>);

#[derive(Debug, Default)]
struct State {
    /// When the next request may be sent.
    not_before: Cell<u64>,
    /// How often in a row the origin paused.
    level: Cell<u32>,
    /// The latest answers: when they came, and whether they were refusals.
    answers: RefCell<Vec<(u64, bool)>>,
}

/// What an answer says of a store's load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// Nothing new.
    Usual,
    /// It asked this request to wait: fewer go on.
    Busy,
    /// It refuses a good share of the requests: none is sent for a while.
    Overloaded,
}

/// The first pause; it doubles each time the store refuses again, up to [`MAX_MS`]. (Choices, those of the retries.)
const FIRST_MS: u64 = 500;
const MAX_MS: u64 = 30_000;
/// The longest wait that a server may ask for. (A choice: after five minutes a person has stopped watching.) A longer one ends the
/// upload as `rate-limited`.
pub const MAX_RETRY_AFTER_MS: u64 = 5 * 60_000;
/// The answers of this time count, pauses left out. (Chosen by simulation, tests/simulation/tests/suite/overload.rs: of 2, 4 and 8 seconds
/// none was better over all stores that it draws; 4 hold enough answers of a usual line.)
const WINDOW_MS: u64 = 4_000;
/// An origin pauses once this many of them are refusals, and they are at least half of all. (Chosen by the same simulation: at a third,
/// stores that refuse a few of many requests took 15 % longer, with as many requests. Fewer than three may be chance.)
const MIN_REFUSALS: usize = 3;

impl Backoff {
    /// Milliseconds to wait before the next request; 0 if it may be sent now.
    pub fn wait(&self, now: u64) -> u64 {
        self.0.not_before.get().saturating_sub(now).min(MAX_RETRY_AFTER_MS)
    }

    /// Updates the back-off by an answer.
    ///
    /// A wait that the store asks for binds the request that was refused ([`RetryLoop`](super::retry::RetryLoop)). The origin pauses where
    /// a good share of its answers are refusals, and again at the next refusal if nothing succeeded since.
    ///
    /// 503 is S3's `SlowDown` (AWS S3 API Reference, "Error responses"), 429 is what R2 and others send.
    pub fn learn(&self, response: &Response, now: u64) -> Load {
        if broken!(Hammering) {
            return Load::Usual;
        }
        let state = &self.0;
        let refused = matches!(response.status, 429 | 503);
        let mut answers = state.answers.borrow_mut();
        answers.retain(|(at, _)| now.saturating_sub(*at) < WINDOW_MS);
        answers.push((now, refused));
        if !refused {
            if response.ok() {
                state.level.set(0);
            }
            return Load::Usual;
        }
        // Requests that were in flight together get the same answer: it counts once.
        let is_new = state.not_before.get() <= now;
        let refusals = answers.iter().filter(|(_, refused)| *refused).count();
        let overloaded = state.level.get() > 0 || (refusals >= MIN_REFUSALS && refusals * 2 >= answers.len());
        if is_new && !overloaded {
            return Load::Busy;
        }
        if is_new {
            state.level.set(state.level.get() + 1);
        }
        let own_ms = (FIRST_MS << state.level.get().saturating_sub(1).min(10)).min(MAX_MS);
        // "Retry-After: 0", or a date that has passed, doesn't shorten the wait.
        let wait_ms = response.wait_ms(now).unwrap_or(0).min(MAX_RETRY_AFTER_MS).max(own_ms);
        let longer = (now + wait_ms).saturating_sub(state.not_before.get().max(now));
        state.not_before.set(state.not_before.get().max(now) + longer);
        // Nothing is learned in a pause, so its time doesn't count.
        answers.iter_mut().for_each(|(at, _)| *at += longer);
        if is_new { Load::Overloaded } else { Load::Usual }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)]) -> Response {
        let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Response { status, headers, ..Response::default() }
    }

    #[test]
    fn pauses_double_while_the_store_refuses_and_reset_at_a_success() {
        let backoff = Backoffs::default().of("https://s3.example");
        let wait = |at| backoff.0.not_before.get().saturating_sub(at);
        let three = |at| [0, 1, 2].map(|_| backoff.learn(&answer(503, &[]), at));
        assert_eq!(three(1_000), [Load::Busy, Load::Busy, Load::Overloaded]);
        assert_eq!(wait(1_000), 500);
        assert_eq!(backoff.learn(&answer(503, &[]), 1_100), Load::Usual, "it was under way");
        assert_eq!(backoff.learn(&answer(503, &[]), 2_000), Load::Overloaded, "nothing succeeded since");
        assert_eq!(wait(2_000), 1_000);
        backoff.learn(&answer(200, &[]), 9_000);
        assert_eq!(three(10_000), [Load::Busy, Load::Busy, Load::Overloaded]);
        assert_eq!(wait(10_000), 500);
    }

    #[test]
    fn a_refusal_among_successes_binds_its_own_request_alone() {
        let backoff = Backoffs::default().of("https://s3.example");
        for at in 0..200 {
            let status = if at % 5 == 0 { 429 } else { 200 };
            let load = backoff.learn(&answer(status, &[("retry-after", "9")]), at * 50);
            assert_eq!(load, if status == 429 { Load::Busy } else { Load::Usual });
        }
        assert_eq!(backoff.wait(0), 0);
    }

    #[test]
    fn the_time_of_a_pause_does_not_age_the_answers() {
        let backoff = Backoffs::default().of("https://s3.example");
        let refuse = |at| backoff.learn(&answer(503, &[("retry-after", "20")]), at);
        assert_eq!([0, 0, 0].map(refuse), [Load::Busy, Load::Busy, Load::Overloaded]);
        backoff.learn(&answer(200, &[]), 100);
        assert_eq!(refuse(20_100), Load::Overloaded);
        assert_eq!(refuse(20_200), Load::Usual, "it was under way");
        backoff.learn(&answer(200, &[]), 20_200);
        assert_eq!(refuse(46_000), Load::Busy, "that was long ago");
    }

    #[test]
    fn half_of_the_answers_within_the_window_must_be_refusals() {
        let backoff = Backoff::default();
        for _ in 0..5 {
            backoff.learn(&answer(200, &[]), 0);
        }
        let loads = [0; 5].map(|at| backoff.learn(&answer(503, &[]), at));
        assert_eq!(loads, [Load::Busy, Load::Busy, Load::Busy, Load::Busy, Load::Overloaded]);
        for (third, load) in [(WINDOW_MS - 1, Load::Overloaded), (WINDOW_MS, Load::Busy)] {
            let backoff = Backoff::default();
            assert_eq!([0, 0, third].map(|at| backoff.learn(&answer(503, &[]), at)), [Load::Busy, Load::Busy, load]);
        }
    }

    #[test]
    fn a_refusal_after_a_pause_is_the_next_pause_if_nothing_succeeded() {
        let backoff = Backoff::default();
        for _ in 0..MIN_REFUSALS {
            backoff.learn(&answer(503, &[]), 0);
        }
        assert_eq!((backoff.learn(&answer(503, &[]), 60_000), backoff.wait(60_000)), (Load::Overloaded, 1_000));
        backoff.learn(&answer(200, &[]), 61_000);
        assert_eq!(backoff.learn(&answer(503, &[]), 120_000), Load::Busy);
    }

    #[test]
    fn retry_after_is_the_minimum_of_a_pause() {
        let backoffs = Backoffs::default();
        for _ in 0..MIN_REFUSALS {
            backoffs.of("https://s3.example").learn(&answer(503, &[("retry-after", "7")]), 0);
        }
        assert_eq!(backoffs.of("https://s3.example").0.not_before.get(), 7_000);
        let immediate = backoffs.of("https://other.example");
        assert_eq!(immediate.0.not_before.get(), 0);
        for _ in 1..MIN_REFUSALS {
            immediate.learn(&answer(503, &[("retry-after", "0")]), 1_000);
        }
        for (at, pause) in [(1_000, 500), (2_000, 1_000), (4_000, 2_000)] {
            assert_eq!(immediate.learn(&answer(503, &[("retry-after", "0")]), at), Load::Overloaded);
            assert_eq!(immediate.wait(at), pause);
        }
    }
}
