//! How many calls an API takes, or says that are left: one pace for each API and account in the page, whoever asks.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

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

    /// The rate limiter of one API and account: the same one for the same name. The `rate` of the latest caller holds.
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

/// How many calls an API takes within a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    calls: u32,
    within_ms: u64,
}

impl Rate {
    /// So many calls a second, fractions included: 0.5 is one in two seconds, 2.5 are three in 1.2 seconds, so that no second
    /// holds more than the next whole number and the average is what was asked for. None for what is no such number.
    ///
    /// ```
    /// use partway::context::rate_limit::Rate;
    /// assert!(Rate::per_second(0.5).is_some());
    /// assert_eq!([0.0, -1.0, f64::NAN, f64::INFINITY].map(Rate::per_second), [None; 4]);
    /// ```
    pub fn per_second(calls: f64) -> Option<Self> {
        // What is asked for less often than once a day, or more often than clocks can tell, is a mistake. (A choice.)
        if !(1e-5..=1e6).contains(&calls) {
            return None;
        }
        let whole = calls.ceil();
        Some(Self { calls: whole as u32, within_ms: (whole / calls * WINDOW_MS as f64).ceil() as u64 })
    }
}

/// The pace of one API and account. Clones are the same pace.
#[derive(Clone, Debug, Default)]
pub struct RateLimiter(Rc<State>);

#[derive(Debug, Default)]
struct State {
    rate: Cell<Option<Rate>>,
    /// Calls under way.
    running: Cell<u32>,
    /// When the latest calls were answered, oldest first.
    answered: RefCell<Vec<u64>>,
    /// What the server said is left, until when, and how many calls were begun since.
    quota: Cell<Option<Quota>>,
    /// Milliseconds for one more token, where the API's limit is a token bucket.
    token_ms: Cell<Option<u64>>,
    /// No call before this: a server asked for a wait.
    not_before: Cell<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Quota {
    left: u64,
    resets_at: u64,
    /// Of a token bucket: one more call each time so much has passed.
    token_ms: Option<u64>,
}

impl Quota {
    /// What is left now, where that is known.
    fn at(self, now: u64) -> Option<Self> {
        if self.resets_at > now {
            return Some(self);
        }
        let Some(token_ms) = self.token_ms else {
            // What was used up fills slowly: one call finds out how much there is now.
            return (self.left == 0).then_some(Self { left: 1, resets_at: now + PROBE_MS, token_ms: None });
        };
        let tokens = 1 + (now - self.resets_at) / token_ms;
        // After a minute it is as full as it was before anybody called.
        (tokens * token_ms <= MINUTE_MS).then_some(Self {
            left: self.left.saturating_add(tokens),
            resets_at: self.resets_at + tokens * token_ms,
            token_ms: self.token_ms,
        })
    }
}

const MINUTE_MS: u64 = 60_000;
/// How often one call finds out how much is left, where no answer tells. (A choice.)
const PROBE_MS: u64 = 1_000;
/// The window that a limit "per second" is counted in, with a margin for clocks that differ.
const WINDOW_MS: u64 = 1_050;

impl RateLimiter {
    /// Waits until one more call may be made.
    ///
    /// A call counts from its start until a window after its answer: the server saw it somewhere in between, so no second on
    /// the server's clock holds more calls than the limit, whatever the network did to their spacing.
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
        CallPermit { pace: self, platform }
    }

    /// Milliseconds to wait before asking again; 0 where a call may go.
    fn wait(&self, now: u64) -> u64 {
        let state = &self.0;
        if let Some(pause) = state.not_before.get().checked_sub(now).filter(|ms| *ms > 0) {
            return pause.min(60_000);
        }
        let quota = state.quota.get().and_then(|quota| quota.at(now));
        state.quota.set(quota);
        if let Some(quota) = quota.filter(|quota| quota.left == 0) {
            return quota.resets_at - now;
        }
        let Some(rate) = state.rate.get() else { return 0 };
        let mut answered = state.answered.borrow_mut();
        // A clock that was set back must not hold calls for as long as it was off.
        answered.retain(|at| *at <= now && now - at < rate.within_ms);
        let busy = answered.len() as u32 + state.running.get();
        if busy < rate.calls {
            return 0;
        }
        answered.first().map_or(20, |oldest| (oldest + rate.within_ms).saturating_sub(now).max(1))
    }

    /// Says that the API's limit is a token bucket that gets a token in so many milliseconds, unless its answers say otherwise: where
    /// nothing is left the next token is waited for, and not `X-RateLimit-Reset`, when the bucket is full again.
    pub fn is_token_bucket(&self, token_ms: u64) {
        self.0.token_ms.set(Some(token_ms.max(1)));
    }

    /// Learns from an answer what the server has left for everybody on this pace.
    ///
    /// `X-RateLimit-Remaining` and `X-RateLimit-Reset` of every answer count, not only a 429's.
    pub fn learn(&self, response: &Response, now: u64) {
        let state = &self.0;
        let token_ms = state.token_ms.get().map(|usual| response.token_ms(usual, now));
        let reset = token_ms.or_else(|| response.reset_ms(now));
        let left = response.header("x-ratelimit-remaining").and_then(|value| value.trim_ascii().parse::<u64>().ok());
        if let (Some(left), Some(reset)) = (left, reset) {
            // Nothing is left, and more came a while ago: the clocks differ, and nobody knows by how much.
            let unknown = left == 0 && reset == 0;
            // Calls under way were not counted by the server when it answered.
            let left = left.saturating_sub(u64::from(state.running.get().saturating_sub(1)));
            let resets_at = now + if unknown { PROBE_MS } else { reset };
            state.quota.set(Some(Quota { left, resets_at, token_ms }));
        }
        let wish = match token_ms {
            Some(token_ms) => Some(response.retry_after_ms(now).map_or(token_ms, |wish| wish.max(token_ms))),
            None => response.wait_ms(now),
        };
        // What is longer ends the upload that asked. It mustn't hold all others of the page for as long as a server likes.
        if response.status == 429
            && let Some(wait) = wish
        {
            // A later wish that is shorter takes nothing back.
            state.not_before.set(state.not_before.get().max(now + wait.min(MAX_RETRY_AFTER_MS)));
        }
    }
}

/// A call under way; it counts on until a window after it is dropped.
#[derive(Debug)]
#[must_use]
pub struct CallPermit<'a, P: Platform> {
    pace: &'a RateLimiter,
    platform: &'a P,
}

impl<P: Platform> Drop for CallPermit<'_, P> {
    fn drop(&mut self) {
        let state = &self.pace.0;
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
            let rate = Rate::per_second(calls).unwrap();
            assert_eq!((rate.calls, rate.within_ms), expected, "{calls}");
        }
    }

    fn answer(status: u16, headers: &[(&str, &str)]) -> Response {
        let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Response { status, headers, body: String::new() }
    }

    #[test]
    fn a_token_bucket_is_waited_for_by_the_token() {
        let pace = RateLimiter::default();
        pace.is_token_bucket(1_000);
        let empty = |limit| [("x-ratelimit-limit", limit), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "90")];
        pace.learn(&answer(200, &empty("60")), 10_000);
        assert_eq!((pace.wait(10_000), pace.wait(10_400), pace.wait(11_000)), (1_000, 600, 0));
        // Two tokens have come by then, and no third.
        pace.learn(&answer(200, &empty("120")), 20_000);
        assert_eq!(pace.wait(21_000), 0);
        let left = pace.0.quota.get().map(|quota| (quota.left, quota.resets_at));
        assert_eq!(left, Some((2, 21_500)));
        pace.learn(&answer(429, &empty("60")), 30_000);
        assert_eq!((pace.wait(30_000), pace.wait(31_000)), (1_000, 0));
        // What the server asks for is the least.
        pace.learn(&answer(429, &[("retry-after", "7")]), 40_000);
        assert_eq!((pace.wait(40_000), pace.wait(47_000)), (7_000, 0));
        pace.learn(&answer(429, &[]), 50_000);
        assert_eq!((pace.wait(50_000), pace.wait(51_000)), (1_000, 0), "the documented rate where nothing is told");
        // After a minute it is full again.
        pace.learn(&answer(200, &empty("60")), 60_000);
        assert_eq!(pace.wait(130_000), 0);
        assert!(pace.0.quota.get().is_none());
    }

    #[test]
    fn a_window_is_waited_for_to_its_end() {
        let pace = RateLimiter::default();
        pace.learn(&answer(200, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "30")]), 10_000);
        assert_eq!((pace.wait(10_000), pace.wait(40_000)), (30_000, 0));
        pace.learn(&answer(429, &[("x-ratelimit-reset", "30")]), 50_000);
        assert_eq!(pace.wait(50_000), 30_000);
    }

    #[test]
    fn no_server_holds_the_page_for_longer_than_its_longest_wish() {
        for value in ["4294967295", "Fri, 31 Dec 9999 23:59:59 GMT"] {
            let pace = RateLimiter::default();
            let headers = vec![("retry-after".into(), value.into())];
            pace.learn(&Response { status: 429, headers, body: String::new() }, 1_000);
            assert!(pace.wait(1_000) > 0 && pace.wait(1_000 + MAX_RETRY_AFTER_MS) == 0, "{value}");
        }
    }
}
