//! Limits how many calls are made to an API: one limiter in the page for each API and whatever the vendor counts calls by, a token or a
//! connection.

mod quota;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use self::quota::{PROBE_MS, Quota};
use super::backoff::MAX_RETRY_AFTER_MS;
use crate::http::Response;
use crate::platform::Platform;

/// The rate limiters of all APIs. Clones are the same registry.
#[derive(Clone, Debug, Default)]
pub struct RateLimiters(Rc<RefCell<Vec<(String, RateLimiter)>>>);

impl RateLimiters {
    /// Calls under way, of all APIs.
    pub fn running(&self) -> u32 {
        self.0.borrow().iter().map(|(_, limiter)| limiter.0.running.get()).sum()
    }

    /// The rate limiter of that name, which says by what the vendor counts. The `rate` of the latest caller applies.
    pub fn of(&self, name: &str, rate: Option<Rate>) -> RateLimiter {
        let mut limiters = self.0.borrow_mut();
        let known = limiters.iter().find(|(other, _)| other == name).map(|(_, limiter)| limiter.clone());
        let limiter = known.unwrap_or_else(|| {
            let limiter = RateLimiter::default();
            limiters.push((name.into(), limiter.clone()));
            limiter
        });
        limiter.0.rate.set(rate);
        limiter
    }
}

/// How many calls an API accepts within a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    calls: u32,
    within_ms: u64,
}

impl Rate {
    /// A rate in calls a second, fractions included: 0.5 is one in two seconds, 2.5 are three in 1.2 seconds, so that no second has
    /// more than the next whole number and the average is exact. A number that is no rate counts as the nearest one.
    ///
    /// ```
    /// use partway::context::rate_limit::Rate;
    /// assert_eq!([0.0, -1.0, f64::NAN].map(Rate::per_second), [Rate::per_second(1e-5); 3]);
    /// assert_eq!(Rate::per_second(f64::INFINITY), Rate::per_second(1e6));
    /// ```
    pub fn per_second(calls: f64) -> Self {
        // From once a day to as often as clocks can measure. (A choice.)
        let calls = if calls >= 1e-5 { calls.min(1e6) } else { 1e-5 };
        let whole = calls.ceil();
        Self { calls: whole as u32, within_ms: (whole / calls * WINDOW_MS as f64).ceil() as u64 }
    }
}

/// A rate limiter. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct RateLimiter(Rc<State>);

#[derive(Debug, Default)]
struct State {
    rate: Cell<Option<Rate>>,
    /// Calls under way.
    running: Cell<u32>,
    /// When the latest calls were answered, oldest first.
    answered: RefCell<Vec<u64>>,
    /// What the server said is left.
    quota: Cell<Option<Quota>>,
    /// Milliseconds for one more token, if the API's limit is a token bucket.
    token_ms: Cell<Option<u64>>,
    /// When the next call may be made: the server asked for a wait.
    not_before: Cell<u64>,
}

/// The window in which calls "per second" are counted, with a margin for clocks that differ.
const WINDOW_MS: u64 = 1_050;

impl RateLimiter {
    /// Waits until one more call may be made.
    ///
    /// A call counts from its start until a window after its answer: the server received it in between, so no second on the server's
    /// clock has more calls than the limit, however the network spaced them.
    pub async fn acquire<'a, P: Platform>(&'a self, platform: &'a P) -> CallPermit<'a, P> {
        loop {
            let now = platform.now();
            let wait = self.wait(now);
            if wait == 0 {
                break;
            }
            platform.sleep(wait).await;
        }
        let state = &self.0;
        state.running.set(state.running.get() + 1);
        if let Some(mut quota) = state.quota.get() {
            quota.left = quota.left.saturating_sub(1);
            state.quota.set(Some(quota));
        }
        CallPermit { limiter: self, platform }
    }

    /// Milliseconds to wait before asking again; 0 if a call may be made now.
    fn wait(&self, now: u64) -> u64 {
        let state = &self.0;
        if let Some(wait) = state.not_before.get().checked_sub(now).filter(|ms| *ms > 0) {
            return wait.min(60_000);
        }
        let quota = state.quota.get().and_then(|quota| quota.at(now));
        state.quota.set(quota);
        if let Some(quota) = quota.filter(|quota| quota.left == 0) {
            return quota.resets_at - now;
        }
        let Some(rate) = state.rate.get() else { return 0 };
        let mut answered = state.answered.borrow_mut();
        // A clock that was set back must not block calls for as long as it was off.
        answered.retain(|at| *at <= now && now - at < rate.within_ms);
        let busy = answered.len() as u32 + state.running.get();
        if busy < rate.calls {
            return 0;
        }
        answered.first().map_or(20, |oldest| (oldest + rate.within_ms).saturating_sub(now).max(1))
    }

    /// Declares that the API's limit is a token bucket that gets a token every `token_ms` milliseconds, unless its answers say otherwise:
    /// if nothing is left, calls wait for the next token instead of `X-RateLimit-Reset`, when the bucket is full again.
    pub fn is_token_bucket(&self, token_ms: u64) {
        self.0.token_ms.set(Some(token_ms.max(1)));
    }

    /// Updates the limits by an answer.
    ///
    /// `X-RateLimit-Remaining` and `X-RateLimit-Reset` of every answer count, not only a 429's.
    pub fn learn(&self, response: &Response, now: u64) {
        let state = &self.0;
        let token_ms = state.token_ms.get().map(|usual| response.token_ms(usual, now));
        let reset = token_ms.or_else(|| response.reset_ms(now));
        let left = response.header("x-ratelimit-remaining").and_then(|value| value.trim_ascii().parse::<u64>().ok());
        if let (Some(left), Some(reset)) = (left, reset) {
            // Nothing is left although the reset has passed: the clocks differ by an unknown time.
            let unknown = left == 0 && reset == 0;
            // The server has not counted the other calls under way.
            let left = left.saturating_sub(u64::from(state.running.get().saturating_sub(1)));
            let resets_at = now + if unknown { PROBE_MS } else { reset };
            state.quota.set(Some(Quota { left, resets_at, token_ms }));
        }
        let asked = match token_ms {
            Some(token_ms) => Some(response.retry_after_ms(now).map_or(token_ms, |ms| ms.max(token_ms))),
            None => response.wait_ms(now),
        };
        // A longer wait ends the upload that made the call. It must not block the page's other uploads for as long.
        if response.status == 429
            && let Some(wait) = asked
        {
            // A shorter wait that is asked for later doesn't shorten this one.
            state.not_before.set(state.not_before.get().max(now + wait.min(MAX_RETRY_AFTER_MS)));
        }
    }
}

/// A call under way. It counts until a window after it is dropped.
#[derive(Debug)]
#[must_use]
pub struct CallPermit<'a, P: Platform> {
    limiter: &'a RateLimiter,
    platform: &'a P,
}

impl<P: Platform> Drop for CallPermit<'_, P> {
    fn drop(&mut self) {
        let state = &self.limiter.0;
        state.running.set(state.running.get().saturating_sub(1));
        if state.rate.get().is_some() {
            state.answered.borrow_mut().push(self.platform.now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_fractions() {
        for (calls, expected) in [
            (3.0, (3, 1_050)),
            (1.0, (1, 1_050)),
            (0.5, (1, 2_100)),
            (0.01, (1, 105_000)),
            (2.5, (3, 1_260)),
            (1000.0, (1000, 1_050)),
        ] {
            let rate = Rate::per_second(calls);
            assert_eq!((rate.calls, rate.within_ms), expected, "{calls}");
        }
    }

    fn answer(status: u16, headers: &[(&str, &str)]) -> Response {
        let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Response { status, headers, ..Response::default() }
    }

    #[test]
    fn calls_wait_for_the_next_token_of_a_bucket() {
        let limiter = RateLimiter::default();
        limiter.is_token_bucket(1_000);
        let empty = |limit| [("x-ratelimit-limit", limit), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "90")];
        limiter.learn(&answer(200, &empty("60")), 10_000);
        assert_eq!((limiter.wait(10_000), limiter.wait(10_400), limiter.wait(11_000)), (1_000, 600, 0));
        // Two tokens were added by then, and no third.
        limiter.learn(&answer(200, &empty("120")), 20_000);
        assert_eq!(limiter.wait(21_000), 0);
        let left = limiter.0.quota.get().map(|quota| (quota.left, quota.resets_at));
        assert_eq!(left, Some((2, 21_500)));
        limiter.learn(&answer(429, &empty("60")), 30_000);
        assert_eq!((limiter.wait(30_000), limiter.wait(31_000)), (1_000, 0));
        // What the server asks for is the minimum.
        limiter.learn(&answer(429, &[("retry-after", "7")]), 40_000);
        assert_eq!((limiter.wait(40_000), limiter.wait(47_000)), (7_000, 0));
        limiter.learn(&answer(429, &[]), 50_000);
        assert_eq!(
            (limiter.wait(50_000), limiter.wait(51_000)),
            (1_000, 0),
            "the documented rate if the answer has none"
        );
        // After a minute it is full again.
        limiter.learn(&answer(200, &empty("60")), 60_000);
        assert_eq!(limiter.wait(130_000), 0);
        assert!(limiter.0.quota.get().is_none());
    }

    #[test]
    fn calls_wait_for_the_end_of_a_window() {
        let limiter = RateLimiter::default();
        limiter.learn(&answer(200, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "30")]), 10_000);
        assert_eq!((limiter.wait(10_000), limiter.wait(40_000)), (30_000, 0));
        limiter.learn(&answer(429, &[("x-ratelimit-reset", "30")]), 50_000);
        assert_eq!(limiter.wait(50_000), 30_000);
    }

    #[test]
    fn a_call_counts_for_a_window_after_its_answer() {
        let limiter = RateLimiter::default();
        limiter.0.rate.set(Some(Rate::per_second(1.0)));
        limiter.0.answered.borrow_mut().push(1_000);
        assert_eq!([1_000, 2_000, 2_049, 2_050].map(|now| limiter.wait(now)), [1_050, 50, 1, 0]);
    }

    #[test]
    fn a_reset_that_has_passed_is_asked_for_again_in_a_second() {
        for (left, wait) in [("0", PROBE_MS), ("1", 0)] {
            let limiter = RateLimiter::default();
            limiter.learn(&answer(200, &[("x-ratelimit-remaining", left), ("x-ratelimit-reset", "0")]), 10_000);
            assert_eq!((limiter.wait(10_000), limiter.wait(10_000 + PROBE_MS)), (wait, 0));
        }
    }

    #[test]
    fn no_server_blocks_the_page_for_longer_than_the_maximum() {
        for value in ["4294967295", "Fri, 31 Dec 9999 23:59:59 GMT"] {
            let limiter = RateLimiter::default();
            let headers = vec![("retry-after".into(), value.into())];
            limiter.learn(&Response { status: 429, headers, ..Response::default() }, 1_000);
            assert!(limiter.wait(1_000) > 0 && limiter.wait(1_000 + MAX_RETRY_AFTER_MS) == 0, "{value}");
        }
    }
}
