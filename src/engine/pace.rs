//! How many calls an API takes, or says that are left: one pace for each API and account in the page, whoever asks.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::line::Line;
use super::online::Reach;
use super::retry::LONGEST_WISH_MS;
use super::throttle::Throttles;
use crate::http::Response;
use crate::platform::Platform;

/// What all uploads of the page share: every pace and throttle, the line, and what is known of the network. Clones are the same
/// registry.
#[derive(Clone, Debug, Default)]
pub struct Paces {
    paces: Rc<RefCell<Vec<(String, Pace)>>>,
    /// The stores' back-offs.
    pub throttles: Throttles,
    /// The line that everything goes over.
    pub line: Line,
    /// What is known of the network.
    pub reach: Reach,
}

impl Paces {
    /// Calls under way, of all APIs.
    pub fn running(&self) -> u32 {
        self.paces.borrow().iter().map(|(_, pace)| pace.0.running.get()).sum()
    }

    /// The pace of one API and account: the same one for the same name. `per_second` of the latest caller holds.
    pub fn of(&self, name: &str, per_second: Option<u32>) -> Pace {
        let mut paces = self.paces.borrow_mut();
        let known = paces.iter().find(|(other, _)| other == name).map(|(_, pace)| pace.clone());
        let pace = known.unwrap_or_else(|| {
            let pace = Pace::default();
            paces.push((name.into(), pace.clone()));
            pace
        });
        pace.0.per_second.set(per_second);
        pace
    }
}

/// The pace of one API and account. Clones are the same pace.
#[derive(Clone, Debug, Default)]
pub struct Pace(Rc<State>);

#[derive(Debug, Default)]
struct State {
    per_second: Cell<Option<u32>>,
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
        let Some(limit) = state.per_second.get() else { return 0 };
        let mut answered = state.answered.borrow_mut();
        // A clock that was set back must not hold calls for as long as it was off.
        answered.retain(|at| *at <= now && now - at < WINDOW_MS);
        let busy = answered.len() as u32 + state.running.get();
        if busy < limit {
            return 0;
        }
        answered.first().map_or(20, |oldest| (oldest + WINDOW_MS).saturating_sub(now).max(1))
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
            // A later wish that is shorter takes nothing back.
            self.0.not_before.set(self.0.not_before.get().max(now + wait.min(LONGEST_WISH_MS)));
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
        if state.per_second.get().is_some() {
            state.answered.borrow_mut().push(self.platform.now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
