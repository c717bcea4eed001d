//! One back-off for all uploads to a store that asks to slow down.
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
    /// How often in a row the store asked to slow down.
    level: Cell<u32>,
}

/// The first wait; it doubles each time the store asks again, up to [`MAX_MS`]. (Choices, those of the retries.)
const FIRST_MS: u64 = 500;
const MAX_MS: u64 = 30_000;
/// The longest wait that a server may ask for. (A choice: after five minutes a person has stopped watching.) A longer one ends the
/// upload as `rate-limited`.
pub const MAX_RETRY_AFTER_MS: u64 = 5 * 60_000;

impl Backoff {
    /// Milliseconds to wait before the next request; 0 if it may be sent now.
    pub fn wait(&self, now: u64) -> u64 {
        self.0.not_before.get().saturating_sub(now).min(MAX_RETRY_AFTER_MS)
    }

    /// Updates the back-off by an answer. Returns whether the store asked to slow down, and no wait was under way already.
    ///
    /// 503 is S3's `SlowDown` (AWS S3 API Reference, "Error responses"), 429 is what R2 and others send.
    pub fn learn(&self, response: &Response, now: u64) -> bool {
        let state = &self.0;
        if !matches!(response.status, 429 | 503) {
            if response.ok() {
                state.level.set(0);
            }
            return false;
        }
        // Requests that were in flight together get the same answer: it counts once.
        let is_new = state.not_before.get() <= now;
        if is_new {
            state.level.set(state.level.get() + 1);
        }
        let own_ms = (FIRST_MS << state.level.get().saturating_sub(1).min(10)).min(MAX_MS);
        // "Retry-After: 0", or a date that has passed, doesn't shorten the wait.
        let wait_ms = response.wait_ms(now).unwrap_or(0).min(MAX_RETRY_AFTER_MS).max(own_ms);
        state.not_before.set(state.not_before.get().max(now + wait_ms));
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)]) -> Response {
        let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Response { status, headers, body: String::new() }
    }

    #[test]
    fn doubles_while_the_store_asks_to_slow_down_and_resets_at_a_success() {
        let backoff = Backoffs::default().of("https://s3.example");
        let wait = |at| backoff.0.not_before.get() - at;
        assert!(backoff.learn(&answer(503, &[]), 1_000));
        assert_eq!(wait(1_000), 500);
        assert!(!backoff.learn(&answer(503, &[]), 1_100), "the same answer twice");
        assert!(backoff.learn(&answer(503, &[]), 2_000));
        assert_eq!(wait(2_000), 1_000);
        backoff.learn(&answer(200, &[]), 4_000);
        assert!(backoff.learn(&answer(429, &[]), 5_000));
        assert_eq!(wait(5_000), 500);
    }

    #[test]
    fn a_late_answer_counts_like_the_first_one() {
        let backoff = Backoffs::default().of("https://s3.example");
        assert!(backoff.learn(&answer(503, &[]), 1_000));
        // Of the requests in flight together one succeeds, and the next one is refused.
        backoff.learn(&answer(200, &[]), 1_100);
        assert!(!backoff.learn(&answer(503, &[]), 1_200));
        assert_eq!(backoff.0.not_before.get(), 1_700);
    }

    #[test]
    fn retry_after_is_the_minimum() {
        let backoffs = Backoffs::default();
        backoffs.of("https://s3.example").learn(&answer(503, &[("retry-after", "7")]), 0);
        assert_eq!(backoffs.of("https://s3.example").0.not_before.get(), 7_000);
        let immediate = backoffs.of("https://other.example");
        assert_eq!(immediate.0.not_before.get(), 0);
        for (at, pause) in [(1_000, 500), (2_000, 1_000), (4_000, 2_000)] {
            assert!(immediate.learn(&answer(503, &[("retry-after", "0")]), at));
            assert_eq!(immediate.wait(at), pause);
        }
    }
}
