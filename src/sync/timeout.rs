//! A future with a deadline.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// Resolves to the future's output, or to None if the deadline resolves first.
pub fn timeout<T>(
    mut future: Pin<&mut dyn Future<Output = T>>,
    mut deadline: Pin<&mut dyn Future<Output = ()>>,
) -> impl Future<Output = Option<T>> {
    poll_fn(move |context| match future.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => deadline.as_mut().poll(context).map(|()| None),
    })
}
