//! Several listeners, an origin each, in one process.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use serde::Serialize;
use socket2::{Domain, Socket, Type};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::connection;
use crate::exchange::{self, Listener};
use crate::options::Options;
use crate::routes::Who;
use crate::sandbox::Sandbox;

/// Where everything is: the line that is printed when the server is ready.
#[derive(Clone, Debug, Serialize)]
pub struct Addresses {
    /// Page, proxies, backends, control.
    pub app: String,
    /// The S3 store, embedded or existing.
    pub store: String,
    /// OFAuth.
    pub ofauth: String,
    /// Onlymonster.
    pub onlymonster: String,
    /// apifansly.
    pub apifansly: String,
}

/// A server that runs until it is dropped.
#[derive(Debug)]
pub struct Running {
    /// Its origins.
    pub addresses: Addresses,
    listeners: JoinSet<()>,
    _temporary: Option<TempDir>,
}

impl Running {
    /// Waits for ever, serving.
    pub async fn forever(&mut self) {
        while self.listeners.join_next().await.is_some() {}
        std::future::pending::<()>().await;
    }
}

const RECEIVE_BUFFER: usize = 64 * 1024;
const SEGMENT: u32 = 1460;

const LISTENERS: [Listener; 5] = [
    Listener::App,
    Listener::Of(Who::Store),
    Listener::Of(Who::Ofauth),
    Listener::Of(Who::Onlymonster),
    Listener::Of(Who::Apifansly),
];

/// Starts all listeners.
///
/// # Errors
/// A port is taken, or the data folder can't be written.
pub async fn start(options: Options) -> io::Result<Running> {
    let mut sockets = Vec::new();
    for (offset, listener) in (0_u16..).zip(LISTENERS) {
        let port = if options.port == 0 { 0 } else { options.port + offset };
        let socket = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
            .map_err(|error| io::Error::new(error.kind(), format!("port {port} of 127.0.0.1: {error}")))?;
        sockets.push((listener, socket));
    }
    let mut ports = [0; LISTENERS.len()];
    for (port, (_, socket)) in ports.iter_mut().zip(&sockets) {
        *port = socket.local_addr()?.port();
    }
    let [app, store, ofauth, onlymonster, apifansly] = ports.map(|port| format!("http://127.0.0.1:{port}"));
    let store = options.s3.as_ref().map_or(store, |existing| existing.endpoint.clone());
    let addresses = Addresses { app, store, ofauth, onlymonster, apifansly };

    let (folder, temporary) = match &options.data {
        Some(folder) => (folder.clone(), None),
        None => {
            let temporary = tempfile::Builder::new().prefix("partway-sandbox-").tempdir()?;
            (temporary.path().to_owned(), Some(temporary))
        }
    };
    let sandbox = Arc::new(Sandbox::new(options, addresses.clone(), &folder)?);
    // `localhost` is a second name of the same ports; where it means ::1 first, it is answered there too.
    for (listener, port) in LISTENERS.into_iter().zip(ports) {
        if let Ok(socket) = listen(SocketAddr::from((Ipv6Addr::LOCALHOST, port))) {
            sockets.push((listener, socket));
        }
    }
    let mut listeners = JoinSet::new();
    for (listener, socket) in sockets {
        listeners.spawn(accept(sandbox.clone(), listener, socket));
    }
    sandbox.prepare_store().await;
    Ok(Running { addresses, listeners, _temporary: temporary })
}

/// Listens with the segments of an Ethernet and a small receive buffer: on loopback's own terms megabytes
/// of a body would lie in kernel buffers, sent for the client, long before they are taken here, and no
/// bandwidth could be felt.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.set_tcp_mss(SEGMENT)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(1024)?;
    TcpListener::from_std(socket.into())
}

async fn accept(sandbox: Arc<Sandbox>, listener: Listener, socket: TcpListener) {
    // Ends with this task, so that nothing is served after the server is dropped.
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors, most likely: let some connections end.
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let (sandbox, faults, network) = (sandbox.clone(), sandbox.faults.watch(), sandbox.network.watch());
        connections.spawn(connection::serve(stream, faults, network, move |connection, request| {
            exchange::handle(sandbox.clone(), listener, connection, request)
        }));
    }
}
