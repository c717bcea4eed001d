//! Bodies: of requests, counted, slowed and broken on their way; of answers.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::sync::watch;

use crate::connection::{Connection, Reset};
use crate::faults::Bandwidth;
use crate::log::Logged;

/// Any error of a body.
pub(crate) type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// The body of an answer.
pub(crate) type Payload = UnsyncBoxBody<Bytes, BodyError>;

/// JSON and XML bodies are read up to this.
const TEXT_LIMIT: usize = 4 * 1024 * 1024;

/// A stall that nobody ends is ended by a reset.
const LONGEST_STALL: Duration = Duration::from_secs(600);

/// A body that is all there.
pub(crate) fn full(bytes: impl Into<Bytes>) -> Payload {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// A body that begins so and goes on with blanks for as long as anybody takes them.
pub(crate) fn without_end(start: impl Into<Bytes>) -> Payload {
    Endless(Some(start.into())).boxed_unsync()
}

struct Endless(Option<Bytes>);

impl Body for Endless {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        const BLANKS: Bytes = Bytes::from_static(&[b' '; 64 * 1024]);
        Poll::Ready(Some(Ok(Frame::data(self.0.take().unwrap_or(BLANKS)))))
    }
}

/// What happens midway in a body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Midway {
    /// The connection is reset.
    Reset,
    /// No more is taken.
    Stall,
}

/// How a body is taken.
#[derive(Debug, Default)]
pub(crate) struct Taking {
    /// No faster than this.
    pub bandwidth: Option<Bandwidth>,
    /// What happens in its middle.
    pub midway: Option<Midway>,
}

struct Inner {
    incoming: Incoming,
    logged: Arc<Logged>,
    connection: Arc<Connection>,
    faults: watch::Receiver<u64>,
    bandwidth: Option<Bandwidth>,
    midway: Option<(u64, Midway)>,
    seen: u64,
    /// What was taken and isn't passed on yet, and how much it is.
    held: VecDeque<Frame<Bytes>>,
    held_bytes: u64,
    /// Nothing more comes.
    ended: bool,
    /// Until the next piece is passed on, or the faults are set anew.
    pause: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    stall: Option<Pin<Box<dyn Future<Output = bool> + Send>>>,
}

/// A request's body. Copies of it share one position, so that the rest can be read away after whoever
/// had it lost interest: an answer that leaves bytes unread kills the connection, and is never seen.
#[derive(Clone)]
pub(crate) struct Inbound(Arc<Mutex<Inner>>);

impl Inbound {
    /// Takes a body as told.
    pub(crate) fn new(
        incoming: Incoming,
        taking: Taking,
        logged: Arc<Logged>,
        connection: Arc<Connection>,
        faults: watch::Receiver<u64>,
    ) -> Self {
        // Half of a body of unknown length is taken to be at a mebibyte.
        let middle = incoming.size_hint().exact().map_or(1 << 20, |size| size / 2);
        Self(Arc::new(Mutex::new(Inner {
            incoming,
            logged,
            connection,
            faults,
            bandwidth: taking.bandwidth,
            midway: taking.midway.map(|midway| (middle, midway)),
            seen: 0,
            held: VecDeque::new(),
            held_bytes: 0,
            ended: false,
            pause: None,
            stall: None,
        })))
    }

    /// Reads what is left and forgets it.
    ///
    /// # Errors
    /// The client or a fault broke the connection.
    pub(crate) async fn drain(&mut self) -> Result<(), BodyError> {
        while let Some(frame) = self.frame().await {
            frame?;
        }
        Ok(())
    }

    /// Reads a text into memory.
    ///
    /// # Errors
    /// It is longer than any text that is meant here, or the connection broke.
    pub(crate) async fn text(self) -> Result<Vec<u8>, BodyError> {
        let text = http_body_util::Limited::new(self, TEXT_LIMIT).collect().await?;
        Ok(text.to_bytes().to_vec())
    }
}

/// Waits until the faults are set anew; false where that took too long.
pub(crate) async fn stalled(mut faults: watch::Receiver<u64>) -> bool {
    tokio::time::timeout(LONGEST_STALL, faults.changed()).await.is_ok()
}

impl Body for Inbound {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.0.lock().expect("body").poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        let inner = self.0.lock().expect("body");
        let waits = inner.midway.is_some() || inner.stall.is_some() || inner.pause.is_some() || !inner.held.is_empty();
        !waits && inner.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.lock().expect("body").incoming.size_hint()
    }
}

impl Inner {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.connection.is_reset() {
            return Poll::Ready(Some(Err(Reset.into())));
        }
        // What there is room for is taken, whatever is passed on meanwhile.
        let room = self.bandwidth.as_ref().map_or(0, |bandwidth| bandwidth.buffer_bytes);
        while !self.ended && self.held_bytes < room {
            match self.poll_taken(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    self.held_bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                    self.held.push_back(frame);
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(None) => self.ended = true,
                Poll::Pending => break,
            }
        }
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        let frame = match self.held.pop_front() {
            Some(frame) => frame,
            None if self.ended => return Poll::Ready(None),
            None => match ready!(self.poll_taken(cx)) {
                Some(frame) => frame?,
                None => return Poll::Ready(None),
            },
        };
        let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
        self.held_bytes = self.held_bytes.saturating_sub(bytes);
        self.slow_down(bytes);
        Poll::Ready(Some(Ok(frame)))
    }

    /// What comes from the client, up to where a fault hits.
    fn poll_taken(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some((_, midway)) = self.midway.take_if(|(middle, _)| self.seen >= *middle) {
            match midway {
                Midway::Reset => return Poll::Ready(Some(Err(self.connection.reset().into()))),
                Midway::Stall => self.stall = Some(Box::pin(stalled(self.faults.clone()))),
            }
        }
        if let Some(stall) = &mut self.stall {
            let ended = ready!(stall.as_mut().poll(cx));
            self.stall = None;
            if !ended {
                return Poll::Ready(Some(Err(self.connection.reset().into())));
            }
        }
        let frame = match ready!(Pin::new(&mut self.incoming).poll_frame(cx)) {
            None => return Poll::Ready(None),
            Some(frame) => frame?,
        };
        if let Some(data) = frame.data_ref() {
            let bytes = data.len() as u64;
            self.seen += bytes;
            self.logged.add_bytes(bytes);
        }
        Poll::Ready(Some(Ok(frame)))
    }

    /// Holds the next piece back for as long as this one takes on the line.
    fn slow_down(&mut self, bytes: u64) {
        let Some(bandwidth) = self.bandwidth.as_ref().filter(|_| bytes > 0) else { return };
        // Faults that are set anew set it free.
        if self.faults.has_changed().unwrap_or(true) {
            self.bandwidth = None;
            return;
        }
        let rate = bandwidth.shared.as_deref().unwrap_or(&self.connection.rate);
        let next = rate.take(bytes, bandwidth.bytes_per_second);
        let mut faults = self.faults.clone();
        self.pause = Some(Box::pin(async move {
            let _ = tokio::time::timeout_at(next, faults.changed()).await;
        }));
    }
}
