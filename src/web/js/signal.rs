//! From an event handler to a future.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// A value that an event handler leaves, and that one task waits for. Clones are the same signal.
pub(super) struct Signal<T>(Rc<State<T>>);

struct State<T> {
    value: Cell<Option<T>>,
    waker: Cell<Option<Waker>>,
}

impl<T> Clone for Signal<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Signal<T> {
    pub(super) fn new() -> Self {
        Self::of(None)
    }

    /// One that has its value already.
    pub(super) fn given(value: T) -> Self {
        Self::of(Some(value))
    }

    fn of(value: Option<T>) -> Self {
        Self(Rc::new(State { value: Cell::new(value), waker: Cell::new(None) }))
    }

    /// True while somebody else has it too.
    pub(super) fn is_shared(&self) -> bool {
        Rc::strong_count(&self.0) > 1
    }

    /// Leaves the value, and wakes whoever waits.
    pub(super) fn give(&self, value: T) {
        self.0.value.set(Some(value));
        if let Some(waker) = self.0.waker.take() {
            waker.wake();
        }
    }
}

impl<T> Future for Signal<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        match self.0.value.take() {
            Some(value) => Poll::Ready(value),
            None => {
                self.0.waker.set(Some(context.waker().clone()));
                Poll::Pending
            }
        }
    }
}
