//! How many calls an API takes, or says that are left: one pace for each API and account in the page, whoever asks.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::retry::LONGEST_WISH_MS;
use super::throttle::Throttles;
use crate::http::Response;
use crate::integrity::Stores;
use crate::platform::Platform;

/// What uploads of a page share, whoever asks: every pace, every throttle, every store. Clones are the same registry.
#[derive(Clone, Debug, Default)]
pub struct Paces {
    paces: Rc<RefCell<Vec<(String, Pace)>>>,
    /// The stores' back-offs.
    pub throttles: Throttles,
    /// What is known of the stores' ETags.
    pub stores: Stores,
}

impl Paces {
    /// Calls under way, of all APIs.
    pub fn running(&self) -> u32 {
        self.paces.borrow().iter().map(|(_, pace)| pace.0.running.get()).sum()
    }

    /// The pace of one API and account: the same one for the same name. The `rate` of the latest caller holds.
    pub fn of(&self, name: &str, rate: Option<Rate>) -> Pace {
        let mut paces = self.paces.borrow_mut();
        let known = paces.iter().find(|(other, _)| other == name).map(|(_, pace)| pace.clone());
        let pace = known.unwrap_or_else(|| {
            let pace = Pace::default();
            paces.push((name.into(), pace.clone()));
            pace
        });
        pace.0.rate.set(rate);
        pace
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
    /// use partway::engine::pace::Rate;
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
pub struct Pace(Rc<State>);

#[derive(Debug, Default)]
struct State {
    rate: Cell<Option<Rate>>,
    /// Calls under way.
    running: Cell<u32>,
    /// When the latest calls were answered, oldest first.
    answered: RefCell<Vec<u64>>,
    /// What the server said is left, until when, and how many calls were begun since.
    quota: Cell<Option<Quota>>,
    /// No call before this: a server asked for a wait.
    not_before: Cell<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Quota {
    left: u64,
    resets_at: u64,
}

/// How often one call finds out how much is left, where no answer tells. (A choice.)
const PROBE_MS: u64 = 1_000;
/// The window that a limit "per second" is counted in, with a margin for clocks that differ.
const WINDOW_MS: u64 = 1_050;

impl Pace {
    /// Waits until one more call may be made.
    ///
    /// A call counts from its start until a window after its answer: the server saw it somewhere in between, so no second on
    /// the server's clock holds more calls than the limit, whatever the network did to their spacing.
    pub async fn turn<'a, P: Platform>(&'a self, platform: &'a P) -> Turn<'a, P> {
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
        Turn { pace: self, platform }
    }

    /// Milliseconds to wait before asking again; 0 where a call may go.
    fn wait(&self, now: u64) -> u64 {
        let state = &self.0;
        if let Some(pause) = state.not_before.get().checked_sub(now).filter(|ms| *ms > 0) {
            return pause.min(60_000);
        }
        if let Some(quota) = state.quota.get() {
            if quota.resets_at <= now {
                // What was used up fills slowly: one call finds out how much there is now.
                let probe = Quota { left: 1, resets_at: now + PROBE_MS };
                state.quota.set((quota.left == 0).then_some(probe));
            } else if quota.left == 0 {
                return quota.resets_at - now;
            }
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

    /// Learns from an answer what the server has left for everybody on this pace.
    ///
    /// `X-RateLimit-Remaining` and `X-RateLimit-Reset` of every answer count, not only a 429's.
    pub fn learn(&self, response: &Response, now: u64) {
        let left = response.header("x-ratelimit-remaining").and_then(|value| value.trim_ascii().parse::<u64>().ok());
        if let (Some(left), Some(reset)) = (left, response.reset_ms(now)) {
            // Nothing is left, and more came a while ago: the clocks differ, and nobody knows by how much.
            let unknown = left == 0 && reset == 0;
            // Calls under way were not counted by the server when it answered.
            let left = left.saturating_sub(u64::from(self.0.running.get().saturating_sub(1)));
            let resets_at = now + if unknown { PROBE_MS } else { reset };
            self.0.quota.set(Some(Quota { left, resets_at }));
        }
        // What is longer ends the upload that asked. It mustn't hold all others of the page for as long as a server likes.
        if response.status == 429
            && let Some(wait) = response.wait_ms(now)
        {
            self.0.not_before.set(now + wait.min(LONGEST_WISH_MS));
        }
    }
}

/// A call under way; it counts on until a window after it is dropped.
#[derive(Debug)]
#[must_use]
pub struct Turn<'a, P: Platform> {
    pace: &'a Pace,
    platform: &'a P,
}

impl<P: Platform> Drop for Turn<'_, P> {
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

    #[test]
    fn no_server_holds_the_page_for_longer_than_its_longest_wish() {
        for value in ["4294967295", "Fri, 31 Dec 9999 23:59:59 GMT"] {
            let pace = Pace::default();
            let headers = vec![("retry-after".into(), value.into())];
            pace.learn(&Response { status: 429, headers, body: String::new() }, 1_000);
            assert!(pace.wait(1_000) > 0 && pace.wait(1_000 + LONGEST_WISH_MS) == 0, "{value}");
        }
    }
}
