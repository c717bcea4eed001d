//! A set of futures that run concurrently, few enough that all of them are polled whenever one is woken.
//!
//! It does for a few what `FuturesUnordered` does for thousands, at a fraction of its size in the download.

use std::future::Future;
use std::pin::Pin;
use std::task::{self, Poll};

/// Futures that run concurrently.
#[derive(Debug)]
pub struct InFlight<F>(Vec<Pin<Box<F>>>);

impl<F> Default for InFlight<F> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<F: Future> InFlight<F> {
    /// Adds a future.
    pub fn push(&mut self, future: F) {
        self.0.push(Box::pin(future));
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Polls the futures for the output of one that has completed.
    pub fn poll_completed(&mut self, context: &mut task::Context<'_>) -> Poll<F::Output> {
        for at in 0..self.0.len() {
            if let Poll::Ready(output) = self.0[at].as_mut().poll(context) {
                drop(self.0.swap_remove(at));
                return Poll::Ready(output);
            }
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use futures::channel::oneshot;
    use std::future::poll_fn;

    #[test]
    fn futures_complete_in_any_order() {
        let mut in_flight = InFlight::default();
        let (first, one) = oneshot::channel();
        let (second, two) = oneshot::channel();
        in_flight.push(one);
        in_flight.push(two);
        let mut completed = || poll_fn(|context| in_flight.poll_completed(context)).now_or_never();
        assert_eq!(completed(), None);
        second.send(2).unwrap();
        assert_eq!(completed(), Some(Ok(2)));
        first.send(1).unwrap();
        assert_eq!(completed(), Some(Ok(1)));
        assert!(in_flight.is_empty());
    }
}
