//! Whether there is a network. `navigator.onLine` may be `false` although there is one (VPNs, virtual adapters), so `false` delays
//! requests but doesn't prevent them.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};

/// How long after the browser reported no network a request is tried nevertheless; each further wait is twice as long, up to
/// [`MAX_MS`]. (Choices: a change of networks takes a second or two, and nobody has lost patience yet; a request without a network
/// fails at once, and once a minute costs nothing.)
const FIRST_MS: u64 = 3_000;
const MAX_MS: u64 = 60_000;

/// Whether the page has a network. Clones share the state.
#[derive(Clone, Debug, Default)]
pub struct Connectivity(Rc<State>);

#[derive(Debug, Default)]
struct State {
    /// An answer was received while the browser reported no network: the browser isn't trusted again.
    refuted: Cell<bool>,
    /// When a request is tried next; 0 while the browser reports a network.
    try_at: Cell<u64>,
    pause_ms: Cell<u64>,
    waiting: RefCell<Vec<Waker>>,
}

impl Connectivity {
    /// Whether there may be a network, when the browser reports `online`.
    pub fn is_likely(&self, online: bool) -> bool {
        if online {
            self.0.try_at.set(0);
        }
        online || self.0.refuted.get()
    }

    /// A request was sent and answered while the browser reported no network.
    pub fn refute(&self) {
        if !self.0.refuted.replace(true) {
            let waiting = self.0.waiting.take();
            waiting.into_iter().for_each(Waker::wake);
        }
    }

    /// Resolves once the browser was refuted.
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

    /// Milliseconds until a request is tried; 0 means that the caller tries it now.
    pub(super) fn until_try(&self, now: u64) -> u64 {
        let state = &self.0;
        let remaining = match state.try_at.get() {
            0 => {
                state.pause_ms.set(0);
                FIRST_MS
            }
            // A clock that was set back must not lengthen the wait.
            at => at.saturating_sub(now).min(MAX_MS),
        };
        let pause_ms = if remaining == 0 { (state.pause_ms.get() * 2).clamp(2 * FIRST_MS, MAX_MS) } else { remaining };
        if remaining == 0 {
            state.pause_ms.set(pause_ms);
        }
        state.try_at.set(now + pause_ms);
        remaining
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::{Context, Wake};

    use super::*;

    struct Wakes(AtomicU32);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn who_waits_learns_at_once_that_the_browser_was_wrong() {
        let connectivity = Connectivity::default();
        let wakes = Arc::new(Wakes(AtomicU32::new(0)));
        let waker = Waker::from(wakes.clone());
        let mut context = Context::from_waker(&waker);
        let mut refuted = pin!(connectivity.refuted());
        assert!(refuted.as_mut().poll(&mut context).is_pending() && refuted.as_mut().poll(&mut context).is_pending());
        for _ in 0..2 {
            connectivity.refute();
            assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
        }
        assert!(refuted.as_mut().poll(&mut context).is_ready());
    }

    #[test]
    fn each_wait_is_longer_and_one_caller_tries_at_a_time() {
        let connectivity = Connectivity::default();
        assert!(connectivity.is_likely(true) && !connectivity.is_likely(false));
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
        // The next time without a network starts over.
        assert!(connectivity.is_likely(true) && !connectivity.is_likely(false));
        assert_eq!(connectivity.until_try(now), FIRST_MS);
        connectivity.refute();
        assert!(connectivity.is_likely(false));
    }
}
