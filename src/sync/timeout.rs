//! Two futures that are waited for side by side until one of them has come to its end.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// What a future gives; None where the limit comes to its end before it does.
pub fn timeout<T>(
    mut future: Pin<&mut dyn Future<Output = T>>,
    mut limit: Pin<&mut dyn Future<Output = ()>>,
) -> impl Future<Output = Option<T>> {
    poll_fn(move |context| match future.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => limit.as_mut().poll(context).map(|()| None),
    })
}
