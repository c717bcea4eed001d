//! One connection of a client: kept alive, closed, or reset, as the faults say.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::body::Payload;
use crate::rate::Rate;

/// A body is taken in pieces of at most this, so that bandwidth is even and memory small.
const READ_BUFFER: usize = 64 * 1024;

/// What a request may do to the connection that it came on.
#[derive(Debug)]
pub(crate) struct Connection {
    reset: AtomicBool,
    /// Whether it is there while the network isn't.
    outlives: AtomicBool,
    /// What its bandwidth allows.
    pub(crate) rate: Rate,
}

/// The connection is reset instead of answered.
#[derive(Debug)]
pub(crate) struct Reset;

impl std::fmt::Display for Reset {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the connection was reset by a fault")
    }
}

impl std::error::Error for Reset {}

impl Connection {
    fn new() -> Self {
        Self { reset: AtomicBool::new(false), outlives: AtomicBool::new(false), rate: Rate::default() }
    }

    /// Has the connection reset (TCP RST) as soon as its request is let go.
    pub(crate) fn reset(&self) -> Reset {
        self.reset.store(true, Ordering::Relaxed);
        Reset
    }

    /// Keeps it where the network is lost: whoever controls the server speaks on it.
    pub(crate) fn outlive_the_network(&self) {
        self.outlives.store(true, Ordering::Relaxed);
    }

    /// Whether it is to be reset.
    pub(crate) fn is_reset(&self) -> bool {
        self.reset.load(Ordering::Relaxed)
    }
}

/// A socket that can end with a reset.
struct Socket {
    stream: TcpStream,
    connection: Arc<Connection>,
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.connection.is_reset() {
            // Where it can't be set, the connection closes in the usual way: still a lost answer.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.connection.is_reset() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// Serves one connection to its end. When the faults are set anew it closes after the answer that is
/// under way, at once where there is none. When the network is lost it is reset.
pub(crate) async fn serve<H, F>(
    stream: TcpStream,
    mut faults: watch::Receiver<u64>,
    mut network: watch::Receiver<Option<Instant>>,
    handle: H,
) where
    H: Fn(Arc<Connection>, Request<Incoming>) -> F,
    F: Future<Output = Result<Response<Payload>, Reset>> + Send,
{
    let connection = Arc::new(Connection::new());
    let socket = Socket { stream, connection: connection.clone() };
    let service = service_fn(|request| handle(connection.clone(), request));
    let serving = http1::Builder::new().max_buf_size(READ_BUFFER).serve_connection(TokioIo::new(socket), service);
    let mut serving = pin!(serving);
    loop {
        tokio::select! {
            // How a connection ended is the client's business, or a fault's.
            _ = serving.as_mut() => return,
            changed = faults.changed() => {
                serving.as_mut().graceful_shutdown();
                if changed.is_err() {
                    let _ = serving.as_mut().await;
                    return;
                }
            }
            Ok(()) = network.changed() => {
                if network.borrow_and_update().is_some() && !connection.outlives.load(Ordering::Relaxed) {
                    connection.reset();
                    return;
                }
            }
        }
    }
}
