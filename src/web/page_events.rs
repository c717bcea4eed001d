//! Events of the page after which waiting or stalled uploads are checked, such as a network that is back.

use std::cell::RefCell;

use super::js::Signal;
use crate::platform::PageEvent;

thread_local! {
    static WAITERS: RefCell<Vec<Signal<PageEvent>>> = const { RefCell::new(Vec::new()) };
}

/// Wakes all tasks that wait for the next event.
pub(super) fn emit(event: PageEvent) {
    for waiter in WAITERS.take() {
        waiter.set(event);
    }
}

/// Resolves at the next event.
pub(super) fn next() -> Signal<PageEvent> {
    let signal = Signal::new();
    WAITERS.with_borrow_mut(|waiters| {
        // Those whose task is gone have no other clone.
        waiters.retain(Signal::is_shared);
        waiters.push(signal.clone());
    });
    signal
}
