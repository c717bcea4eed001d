//! A queue of messages from callbacks to one future.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::task::{Poll, Waker};

/// A queue that one future reads from.
pub struct Mailbox<T> {
    messages: RefCell<VecDeque<T>>,
    reader: Cell<Option<Waker>>,
}

impl<T> fmt::Debug for Mailbox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mailbox")
    }
}

impl<T> Default for Mailbox<T> {
    fn default() -> Self {
        Self { messages: RefCell::default(), reader: Cell::default() }
    }
}

impl<T> Mailbox<T> {
    /// Adds a message, and wakes the reader.
    pub fn send(&self, message: T) {
        self.messages.borrow_mut().push_back(message);
        let reader = self.reader.take();
        if let Some(waker) = reader {
            waker.wake();
        }
    }

    /// Resolves to the oldest message. Dropping the future before it resolves loses none.
    pub fn receive(&self) -> impl Future<Output = T> {
        poll_fn(|context| match self.messages.borrow_mut().pop_front() {
            Some(message) => Poll::Ready(message),
            None => {
                self.reader.set(Some(context.waker().clone()));
                Poll::Pending
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::{Context, Wake};

    #[derive(Default)]
    struct Wakes(AtomicU32);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn messages_arrive_in_order_and_wake_the_reader() {
        let mailbox = Mailbox::default();
        let wakes = Arc::new(Wakes::default());
        let waker = wakes.clone().into();
        let mut reading = pin!(mailbox.receive());
        assert_eq!(reading.as_mut().poll(&mut Context::from_waker(&waker)), Poll::Pending);
        mailbox.send(1);
        mailbox.send(2);
        assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
        assert_eq!(reading.now_or_never(), Some(1));
        assert_eq!(mailbox.receive().now_or_never(), Some(2));
        assert_eq!(mailbox.receive().now_or_never(), None);
    }
}
