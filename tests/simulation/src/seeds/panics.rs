//! Panics while a seed is played: their messages belong to its outcome.

use std::cell::RefCell;
use std::panic;
use std::sync::Once;
use std::thread;

/// The name of threads that play seeds.
pub(super) const THREAD: &str = "seeds";

thread_local! {
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The message of the last panic on this thread.
pub(super) fn take() -> Option<String> {
    PANIC.with_borrow_mut(Option::take)
}

/// Keeps the messages of panics on threads that play seeds; others are printed as ever.
pub(super) fn keep() {
    static KEPT: Once = Once::new();
    KEPT.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if thread::current().name() == Some(THREAD) {
                PANIC.with_borrow_mut(|kept| *kept = Some(info.to_string()));
            } else {
                before(info);
            }
        }));
    });
}
