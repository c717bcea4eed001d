//! One back-off for all uploads to a store that asks for less: whoever sends there next waits with the others.
//!
//! Vendors' APIs have a [`RateLimiter`](crate::context::rate_limit::RateLimiter) for this.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::http::Response;

/// Every throttle of the page. Clones are the same registry.
#[derive(Clone, Debug, Default)]
pub struct Backoffs(Rc<RefCell<Vec<(String, Backoff)>>>);

impl Backoffs {
    /// The throttle of an origin.
    pub fn of(&self, origin: &str) -> Backoff {
        let mut backoffs = self.0.borrow_mut();
        let known = backoffs.iter().find(|(other, _)| other == origin).map(|(_, throttle)| throttle.clone());
        known.unwrap_or_else(|| {
            let throttle = Backoff::default();
            backoffs.push((origin.into(), throttle.clone()));
            throttle
        })
    }
}

/// The throttle of one origin. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Backoff(Rc<State>);

#[derive(Debug, Default)]
struct State {
    /// Nothing is sent before this.
    not_before: Cell<u64>,
    /// How often in a row the store asked for less.
    level: Cell<u32>,
}

/// The first pause; it doubles with each further word of the store's, to [`LONGEST_MS`]. (Choices, those of the retries.)
const FIRST_MS: u64 = 500;
const LONGEST_MS: u64 = 30_000;
/// The longest wait that a server is granted when it asks for one. (A choice: after five minutes a person has stopped watching.) A
/// longer one ends the upload as `rate-limited`.
pub const LONGEST_WISH_MS: u64 = 5 * 60_000;

impl Backoff {
    /// Milliseconds to wait before asking again; 0 where something may be sent.
    pub fn wait(&self, now: u64) -> u64 {
        self.0.not_before.get().saturating_sub(now).min(LONGEST_WISH_MS)
    }

    /// Learns from an answer. True where the store asked for less, and wasn't waited for already.
    ///
    /// 503 is S3's `SlowDown` (AWS S3 API Reference, "Error responses"), 429 what R2 and others say.
    pub fn learn(&self, response: &Response, now: u64) -> bool {
        let state = &self.0;
        if !matches!(response.status, 429 | 503) {
            if response.ok() {
                state.level.set(0);
            }
            return false;
        }
        // Requests that were on their way together get the same word: it counts once.
        let news = state.not_before.get() <= now;
        if news {
            state.level.set(state.level.get() + 1);
        }
        let own = (FIRST_MS << state.level.get().saturating_sub(1).min(10)).min(LONGEST_MS);
        // "Retry-After: 0", or a date that has passed, is no reason to hurry.
        let pause = response.wait_ms(now).unwrap_or(0).min(LONGEST_WISH_MS).max(own);
        state.not_before.set(state.not_before.get().max(now + pause));
        news
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
    fn doubles_while_the_store_asks_for_less_and_forgets_when_it_takes_something() {
        let throttle = Backoffs::default().of("https://s3.example");
        let wait = |at| throttle.0.not_before.get() - at;
        assert!(throttle.learn(&answer(503, &[]), 1_000));
        assert_eq!(wait(1_000), 500);
        assert!(!throttle.learn(&answer(503, &[]), 1_100), "one word, heard twice");
        assert!(throttle.learn(&answer(503, &[]), 2_000));
        assert_eq!(wait(2_000), 1_000);
        throttle.learn(&answer(200, &[]), 4_000);
        assert!(throttle.learn(&answer(429, &[]), 5_000));
        assert_eq!(wait(5_000), 500);
    }

    #[test]
    fn a_word_that_comes_late_is_one_like_any_other() {
        let throttle = Backoffs::default().of("https://s3.example");
        assert!(throttle.learn(&answer(503, &[]), 1_000));
        // Of those that were on their way together one got through, and the next one is refused again.
        throttle.learn(&answer(200, &[]), 1_100);
        assert!(!throttle.learn(&answer(503, &[]), 1_200));
        assert_eq!(throttle.0.not_before.get(), 1_700);
    }

    #[test]
    fn the_stores_wish_is_a_floor() {
        let backoffs = Backoffs::default();
        backoffs.of("https://s3.example").learn(&answer(503, &[("retry-after", "7")]), 0);
        assert_eq!(backoffs.of("https://s3.example").0.not_before.get(), 7_000);
        let hurried = backoffs.of("https://other.example");
        assert_eq!(hurried.0.not_before.get(), 0);
        for (at, pause) in [(1_000, 500), (2_000, 1_000), (4_000, 2_000)] {
            assert!(hurried.learn(&answer(503, &[("retry-after", "0")]), at));
            assert_eq!(hurried.wait(at), pause);
        }
    }
}
