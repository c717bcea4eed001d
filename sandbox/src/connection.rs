//! One connection of a client: kept alive, closed or reset, as the faults say.

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

use crate::response_body::ResponseBody;
use crate::state::rate::Rate;

/// The largest read of a body. (A choice: small, so that throttled bodies flow evenly.)
const READ_BUFFER: usize = 64 * 1024;

/// What a request may do to the connection that it came on.
#[derive(Debug)]
pub(crate) struct Connection {
    reset: AtomicBool,
    /// Whether it stays while the network is offline.
    exempt_from_offline: AtomicBool,
    /// Paces the bodies of its throttled requests.
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
        Self { reset: AtomicBool::new(false), exempt_from_offline: AtomicBool::new(false), rate: Rate::default() }
    }

    /// Marks the connection: it is reset (TCP RST) as soon as its request is dropped.
    pub(crate) fn reset(&self) -> Reset {
        self.reset.store(true, Ordering::Relaxed);
        Reset
    }

    /// Keeps the connection open while the network is offline: the control API must stay reachable.
    pub(crate) fn set_exempt_from_offline(&self) {
        self.exempt_from_offline.store(true, Ordering::Relaxed);
    }

    /// Whether it was marked to be reset.
    pub(crate) fn is_reset(&self) -> bool {
        self.reset.load(Ordering::Relaxed)
    }
}

/// A socket that sends a reset when it is dropped, if its connection is marked.
struct Socket {
    stream: TcpStream,
    connection: Arc<Connection>,
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.connection.is_reset() {
            // If that fails, the connection closes in the usual way: the response is lost all the same.
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

/// Serves one connection to its end. When the faults are replaced it closes: after the current response, or
/// at once if it is idle. When the network goes offline it is reset.
pub(crate) async fn serve<H, F>(
    stream: TcpStream,
    mut faults: watch::Receiver<u64>,
    mut network: watch::Receiver<Option<Instant>>,
    handle: H,
) where
    H: Fn(Arc<Connection>, Request<Incoming>) -> F,
    F: Future<Output = Result<Response<ResponseBody>, Reset>> + Send,
{
    let connection = Arc::new(Connection::new());
    let socket = Socket { stream, connection: connection.clone() };
    let service = service_fn(|request| handle(connection.clone(), request));
    let serving = http1::Builder::new().max_buf_size(READ_BUFFER).serve_connection(TokioIo::new(socket), service);
    let mut serving = pin!(serving);
    loop {
        tokio::select! {
            // Errors are ignored: the client or a fault has ended the connection.
            _ = serving.as_mut() => return,
            changed = faults.changed() => {
                serving.as_mut().graceful_shutdown();
                if changed.is_err() {
                    let _ = serving.as_mut().await;
                    return;
                }
            }
            Ok(()) = network.changed() => {
                if network.borrow_and_update().is_some() && !connection.exempt_from_offline.load(Ordering::Relaxed) {
                    connection.reset();
                    return;
                }
            }
        }
    }
}
