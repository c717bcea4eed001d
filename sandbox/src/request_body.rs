//! Bodies of requests: counted, throttled and broken as the faults say.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::sync::watch;

use crate::connection::{Connection, Reset};
use crate::response_body::BodyError;
use crate::state::faults::Bandwidth;
use crate::state::log::LogHandle;

/// JSON and XML bodies may be this long. (A choice: a CompleteMultipartUpload of 10,000 parts has about 1 MB.)
const TEXT_LIMIT: usize = 4 * 1024 * 1024;

/// The longest stall; a reset ends it. (A choice: no test waits that long.)
const LONGEST_STALL: Duration = Duration::from_secs(600);

/// A fault that hits in the middle of a body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum MidBodyFault {
    /// The connection is reset.
    Reset,
    /// No more bytes are read.
    Stall,
}

/// The faults that hit a body.
#[derive(Debug, Default)]
pub(crate) struct BodyFaults {
    /// Limits how fast it is passed on.
    pub bandwidth: Option<Bandwidth>,
    /// What happens in the middle of it.
    pub mid_body: Option<MidBodyFault>,
    /// Whether the byte in its middle is changed.
    pub flips: bool,
}

struct Inner {
    incoming: Incoming,
    entry: Arc<LogHandle>,
    connection: Arc<Connection>,
    faults: watch::Receiver<u64>,
    bandwidth: Option<Bandwidth>,
    mid_body: Option<(u64, MidBodyFault)>,
    /// Which byte is changed on the way.
    flips: Option<u64>,
    seen: u64,
    /// Frames that were read and not passed on yet, and the number of their bytes.
    buffered: VecDeque<Frame<Bytes>>,
    buffered_bytes: u64,
    /// Whether the client has sent everything.
    ended: bool,
    /// Ends when the next frame may be passed on, or when the faults are replaced.
    pause: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    stall: Option<Pin<Box<dyn Future<Output = bool> + Send>>>,
}

/// A request's body. Clones share one position, so that the exchange can drain what a handler left unread:
/// a response that leaves bytes unread kills the connection, and the client never sees it.
#[derive(Clone)]
pub(crate) struct RequestBody(Arc<Mutex<Inner>>);

impl RequestBody {
    /// Reads `incoming`, with these faults.
    pub(crate) fn new(
        incoming: Incoming,
        body_faults: BodyFaults,
        entry: Arc<LogHandle>,
        connection: Arc<Connection>,
        faults: watch::Receiver<u64>,
    ) -> Self {
        // The middle of a body of unknown length is assumed at 1 MiB.
        let middle = incoming.size_hint().exact().map_or(1 << 20, |size| size / 2);
        Self(Arc::new(Mutex::new(Inner {
            incoming,
            entry,
            connection,
            faults,
            bandwidth: body_faults.bandwidth,
            mid_body: body_faults.mid_body.map(|mid_body| (middle, mid_body)),
            flips: body_faults.flips.then_some(middle),
            seen: 0,
            buffered: VecDeque::new(),
            buffered_bytes: 0,
            ended: false,
            pause: None,
            stall: None,
        })))
    }

    /// Reads the rest of the body and discards it.
    ///
    /// # Errors
    /// The client or a fault broke the connection.
    pub(crate) async fn drain(&mut self) -> Result<(), BodyError> {
        while let Some(frame) = self.frame().await {
            frame?;
        }
        Ok(())
    }

    /// Reads a JSON or XML body into memory.
    ///
    /// # Errors
    /// It is longer than the limit, or the connection broke.
    pub(crate) async fn text(self) -> Result<Vec<u8>, BodyError> {
        let text = http_body_util::Limited::new(self, TEXT_LIMIT).collect().await?;
        Ok(text.to_bytes().to_vec())
    }
}

/// Waits until the faults are replaced; `false` if that takes longer than the longest stall.
pub(crate) async fn wait_out_stall(mut faults: watch::Receiver<u64>) -> bool {
    tokio::time::timeout(LONGEST_STALL, faults.changed()).await.is_ok()
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.0.lock().expect("body").poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        let inner = self.0.lock().expect("body");
        let waits =
            inner.mid_body.is_some() || inner.stall.is_some() || inner.pause.is_some() || !inner.buffered.is_empty();
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
        // Frames are read while the buffer has room, however fast they are passed on.
        let room = self.bandwidth.as_ref().map_or(0, |bandwidth| bandwidth.buffer_bytes);
        while !self.ended && self.buffered_bytes < room {
            match self.poll_incoming(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    self.buffered_bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                    self.buffered.push_back(frame);
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
        let frame = match self.buffered.pop_front() {
            Some(frame) => frame,
            None if self.ended => return Poll::Ready(None),
            None => match ready!(self.poll_incoming(cx)) {
                Some(frame) => frame?,
                None => return Poll::Ready(None),
            },
        };
        let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
        self.buffered_bytes = self.buffered_bytes.saturating_sub(bytes);
        self.throttle(bytes);
        Poll::Ready(Some(Ok(frame)))
    }

    /// The next frame of the client, or the fault that hits before it.
    fn poll_incoming(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some((_, mid_body)) = self.mid_body.take_if(|(middle, _)| self.seen >= *middle) {
            match mid_body {
                MidBodyFault::Reset => return Poll::Ready(Some(Err(self.connection.reset().into()))),
                MidBodyFault::Stall => self.stall = Some(Box::pin(wait_out_stall(self.faults.clone()))),
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
            Some(frame) => self.flipped(frame?),
        };
        if let Some(data) = frame.data_ref() {
            let bytes = data.len() as u64;
            self.seen += bytes;
            self.entry.add_bytes(bytes);
        }
        Poll::Ready(Some(Ok(frame)))
    }

    /// The frame, with the byte in the middle of the body changed where a fault says so.
    fn flipped(&mut self, frame: Frame<Bytes>) -> Frame<Bytes> {
        let seen = self.seen;
        let at = |middle: u64, data: &Bytes| middle.checked_sub(seen).filter(|at| *at < data.len() as u64);
        let Some(at) = self.flips.zip(frame.data_ref()).and_then(|(middle, data)| at(middle, data)) else {
            return frame;
        };
        self.flips = None;
        frame.map_data(|data| {
            let mut changed = data.to_vec();
            changed[at as usize] ^= 1;
            changed.into()
        })
    }

    /// Delays the next frame by as long as `bytes` take at the limited bandwidth.
    fn throttle(&mut self, bytes: u64) {
        let Some(bandwidth) = self.bandwidth.as_ref().filter(|_| bytes > 0) else { return };
        // Replaced faults end the throttling.
        if self.faults.has_changed().unwrap_or(true) {
            self.bandwidth = None;
            return;
        }
        let rate = bandwidth.shared.as_deref().unwrap_or(&self.connection.rate);
        let next = rate.reserve(bytes, bandwidth.bytes_per_second);
        let mut faults = self.faults.clone();
        self.pause = Some(Box::pin(async move {
            let _ = tokio::time::timeout_at(next, faults.changed()).await;
        }));
    }
}
