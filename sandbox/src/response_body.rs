//! Bodies of responses.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame};

/// Any error of a body.
pub(crate) type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// The body of a response.
pub(crate) type ResponseBody = UnsyncBoxBody<Bytes, BodyError>;

/// A body whose bytes are all in memory.
pub(crate) fn full(bytes: impl Into<Bytes>) -> ResponseBody {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// A body that begins with `start` and is followed by spaces without end, for as long as the client reads.
pub(crate) fn endless(start: impl Into<Bytes>) -> ResponseBody {
    Endless { start: Some(start.into()) }.boxed_unsync()
}

struct Endless {
    start: Option<Bytes>,
}

impl Body for Endless {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        const SPACES: Bytes = Bytes::from_static(&[b' '; 64 * 1024]);
        Poll::Ready(Some(Ok(Frame::data(self.start.take().unwrap_or(SPACES)))))
    }
}
