//! A set of futures that run concurrently, few enough that all of them are polled whenever one is woken.
//!
//! It does for a few what `FuturesUnordered` does for thousands, at a fraction of its size in the download.

use std::future::Future;
use std::pin::Pin;
use std::task::{self, Poll};

/// Futures that run concurrently.
#[derive(Debug)]
pub struct InFlight<F>(Vec<(u32, Pin<Box<F>>)>);

impl<F> Default for InFlight<F> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<F: Future> InFlight<F> {
    /// Adds a future for a number. Several may have the same.
    pub fn push(&mut self, number: u32, future: F) {
        self.0.push((number, Box::pin(future)));
    }

    /// Whether there is one for that number.
    pub fn contains(&self, number: u32) -> bool {
        self.0.iter().any(|(other, _)| *other == number)
    }

    /// Drops those of a number.
    pub fn remove(&mut self, number: u32) {
        self.0.retain(|(other, _)| *other != number);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Polls the futures for the number and the output of one that has completed.
    pub fn poll_completed(&mut self, context: &mut task::Context<'_>) -> Poll<(u32, F::Output)> {
        for at in 0..self.0.len() {
            if let Poll::Ready(output) = self.0[at].1.as_mut().poll(context) {
                let (number, _) = self.0.swap_remove(at);
                return Poll::Ready((number, output));
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
        in_flight.push(1, one);
        in_flight.push(2, two);
        let mut completed = || poll_fn(|context| in_flight.poll_completed(context)).now_or_never();
        assert_eq!(completed(), None);
        second.send(2).unwrap();
        assert_eq!(completed(), Some((2, Ok(2))));
        first.send(1).unwrap();
        assert_eq!(completed(), Some((1, Ok(1))));
        assert!(in_flight.is_empty());
        let (_never, three) = oneshot::channel();
        in_flight.push(3, three);
        assert!(in_flight.contains(3) && !in_flight.contains(2));
        in_flight.remove(3);
        assert!(in_flight.is_empty());
    }
}
