//! From an event handler to a future.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// A value that an event handler sets and one task waits for. Clones are the same signal.
pub(in crate::web) struct Signal<T>(Rc<State<T>>);

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
    /// A signal without a value.
    pub(in crate::web) fn new() -> Self {
        Self::of(None)
    }

    /// A signal that has its value already.
    pub(in crate::web) fn ready(value: T) -> Self {
        Self::of(Some(value))
    }

    fn of(value: Option<T>) -> Self {
        Self(Rc::new(State { value: Cell::new(value), waker: Cell::new(None) }))
    }

    /// Whether there is another clone.
    pub(in crate::web) fn is_shared(&self) -> bool {
        Rc::strong_count(&self.0) > 1
    }

    /// Sets the value and wakes the task that waits for it.
    pub(in crate::web) fn set(&self, value: T) {
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
