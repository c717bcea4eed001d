//! What the page's events say about the network and the page, for whatever waits or hangs.

use std::cell::RefCell;

use super::signal::Signal;
use crate::platform::PageEvent;

thread_local! {
    static WAITING: RefCell<Vec<Signal<PageEvent>>> = const { RefCell::new(Vec::new()) };
}

/// Has everything that waits or hangs looked at, now.
pub(super) fn tell(stir: PageEvent) {
    for waiting in WAITING.take() {
        waiting.give(stir);
    }
}

/// Resolves at the next event.
pub(super) fn next() -> Signal<PageEvent> {
    let signal = Signal::new();
    WAITING.with_borrow_mut(|waiting| {
        // Whoever was dropped meanwhile waits no more.
        waiting.retain(Signal::is_shared);
        waiting.push(signal.clone());
    });
    signal
}
