//! Whether there is a network. `navigator.onLine` may say `false` where there is one (VPNs, virtual adapters): so `false` delays a
//! request, and forbids none.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};

/// So long after the browser said that there is no network a request is tried all the same; then each time after twice as long,
/// at most [`LONGEST_MS`]. (Choices: a change of networks is over within a second or two, and nobody has lost patience yet; a
/// request that is tried without a network fails at once, and once a minute costs nothing.)
const FIRST_MS: u64 = 3_000;
const LONGEST_MS: u64 = 60_000;

/// What the page knows of its network beyond the browser's word. Clones are the same knowledge.
#[derive(Clone, Debug, Default)]
pub struct Connectivity(Rc<State>);

#[derive(Debug, Default)]
struct State {
    /// An answer came while the browser said that there is no network: nobody believes that again.
    refuted: Cell<bool>,
    /// When a request is tried next; 0 while the browser knows of a network.
    try_at: Cell<u64>,
    pause_ms: Cell<u64>,
    waiting: RefCell<Vec<Waker>>,
}

impl Connectivity {
    /// True where there may be a network, the browser's word being `online`.
    pub fn is_there(&self, online: bool) -> bool {
        if online {
            self.0.try_at.set(0);
        }
        online || self.0.refuted.get()
    }

    /// An answer came to a request that was sent, and answered, while the browser said that there is no network.
    pub fn refute(&self) {
        if !self.0.refuted.replace(true) {
            let waiting = self.0.waiting.take();
            waiting.into_iter().for_each(Waker::wake);
        }
    }

    /// Resolves once that has happened.
    pub(super) fn refuted(&self) -> impl Future<Output = ()> {
        poll_fn(|context| {
            if self.0.refuted.get() {
                return Poll::Ready(());
            }
            let mut waiting = self.0.waiting.borrow_mut();
            if !waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                waiting.push(context.waker().clone());
            }
            Poll::Pending
        })
    }

    /// Milliseconds until a request is tried; 0 tells the one who asked to try it.
    pub(super) fn until_try(&self, now: u64) -> u64 {
        let state = &self.0;
        let left = match state.try_at.get() {
            0 => {
                state.pause_ms.set(0);
                FIRST_MS
            }
            // A clock that was set back holds nothing for longer than it would have waited anyway.
            at => at.saturating_sub(now).min(LONGEST_MS),
        };
        let pause_ms = if left == 0 { (state.pause_ms.get() * 2).clamp(2 * FIRST_MS, LONGEST_MS) } else { left };
        if left == 0 {
            state.pause_ms.set(pause_ms);
        }
        state.try_at.set(now + pause_ms);
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn false_delays_ever_longer_and_one_tries_at_a_time() {
        let connectivity = Connectivity::default();
        assert!(connectivity.is_there(true) && !connectivity.is_there(false));
        let (mut now, mut retries) = (10_000, Vec::new());
        while retries.len() < 7 {
            match connectivity.until_try(now) {
                0 => {
                    retries.push(now - 10_000);
                    assert!(connectivity.until_try(now) > 0, "the next one waits");
                }
                wait => now += wait,
            }
        }
        assert_eq!(retries, [3_000, 9_000, 21_000, 45_000, 93_000, 153_000, 213_000]);
        // The next time without a network is another one.
        assert!(connectivity.is_there(true) && !connectivity.is_there(false));
        assert_eq!(connectivity.until_try(now), FIRST_MS);
        connectivity.refute();
        assert!(connectivity.is_there(false));
    }
}
