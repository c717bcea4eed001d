//! The listeners, one origin each, in one process.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::bucket::Store;
use crate::connection;
use crate::exchange::Exchange;
use crate::options::Options;
use crate::routes::Service;
use crate::state::State;
use crate::state::addresses::Addresses;
use crate::target::Listener;

/// A server that runs until it is dropped.
#[derive(Debug)]
pub struct Running {
    /// The addresses of its listeners.
    pub addresses: Addresses,
    listeners: JoinSet<()>,
    _temporary: Option<TempDir>,
}

impl Running {
    /// Serves until the future is dropped.
    pub async fn forever(&mut self) {
        while self.listeners.join_next().await.is_some() {}
        std::future::pending::<()>().await;
    }
}

/// (A choice: small, so that a sender soon notices a throttled body.)
const RECEIVE_BUFFER: usize = 64 * 1024;

/// The TCP payload of an Ethernet frame: 1,500 bytes without 40 of headers (RFC 9293, 3.7.1).
const SEGMENT: u32 = 1460;

const LISTENERS: [Listener; 5] = [
    Listener::App,
    Listener::Of(Service::Store),
    Listener::Of(Service::Ofauth),
    Listener::Of(Service::Onlymonster),
    Listener::Of(Service::Apifansly),
];

/// Starts all listeners.
///
/// # Errors
/// A port is in use, or the data folder can't be written.
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
    let state = Arc::new(State::new(options, addresses.clone(), &folder)?);
    // Browsers may resolve `localhost` to ::1 first, so the same ports listen there too, if the machine has IPv6.
    for (listener, port) in LISTENERS.into_iter().zip(ports) {
        if let Ok(socket) = listen(SocketAddr::from((Ipv6Addr::LOCALHOST, port))) {
            sockets.push((listener, socket));
        }
    }
    let exchange = Arc::new(Exchange::new(state.clone()));
    let mut listeners = JoinSet::new();
    for (listener, socket) in sockets {
        listeners.spawn(accept(exchange.clone(), listener, socket));
    }
    put_cors_rule(&state).await;
    Ok(Running { addresses, listeners, _temporary: temporary })
}

/// Puts the CORS rule on an existing bucket, and reports on standard error whether that worked.
async fn put_cors_rule(state: &State) {
    let (Store::External(store), now) = (&state.store, state.clock.now()) else { return };
    let (bucket, store) = (store.location(), store.clone());
    let put = tokio::task::spawn_blocking(move || store.put_cors(now)).await;
    match put {
        Ok(Ok(())) => eprintln!("partway-sandbox: put the CORS rule on {}/{}", bucket.endpoint, bucket.name),
        Ok(Err(error)) => eprintln!(
            "partway-sandbox: could not put a CORS rule on {}/{} ({error}). Pages can only upload to the bucket if it \
             has one: methods PUT, POST, GET, HEAD, DELETE; any header; ETag exposed",
            bucket.endpoint, bucket.name
        ),
        Err(error) => eprintln!("partway-sandbox: could not put a CORS rule: {error}"),
    }
}

/// Listens with Ethernet-sized segments and a small receive buffer. With loopback's defaults, megabytes of a
/// body would wait in kernel buffers, already sent for the client, and throttling would go unnoticed.
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

async fn accept(exchange: Arc<Exchange>, listener: Listener, socket: TcpListener) {
    // The connections end with this task, so that nothing is served after the server is dropped.
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
        };
        let Ok((stream, _)) = accepted else {
            // Most likely the process is out of file descriptors: wait until some connections have ended.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let (faults, network) = (exchange.state.faults.watch(), exchange.state.network.watch());
        let exchange = exchange.clone();
        connections.spawn(connection::serve(stream, faults, network, move |connection, request| {
            let exchange = exchange.clone();
            async move { exchange.handle(listener, connection, request).await }
        }));
    }
}
