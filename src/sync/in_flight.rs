//! Futures that are on their way side by side, few enough that all of them are looked at whenever one may have moved.
//!
//! What `FuturesUnordered` does for thousands, at a fraction of its weight in the download.

use std::future::Future;
use std::pin::Pin;
use std::task::{self, Poll};

/// Futures on their way.
#[derive(Debug)]
pub struct InFlight<F>(Vec<Pin<Box<F>>>);

impl<F> Default for InFlight<F> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<F: Future> InFlight<F> {
    /// Sends one more on its way.
    pub fn push(&mut self, future: F) {
        self.0.push(Box::pin(future));
    }

    /// True where nothing is on its way.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The output of one that has come to its end.
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
    fn lands_in_whatever_order() {
        let mut flight = InFlight::default();
        let (first, one) = oneshot::channel();
        let (second, two) = oneshot::channel();
        flight.push(one);
        flight.push(two);
        let mut landed = || poll_fn(|context| flight.poll_completed(context)).now_or_never();
        assert_eq!(landed(), None);
        second.send(2).unwrap();
        assert_eq!(landed(), Some(Ok(2)));
        first.send(1).unwrap();
        assert_eq!(landed(), Some(Ok(1)));
        assert!(flight.is_empty());
    }
}
