//! The target: one server for all contestants, which throws bodies away as fast as they come, and says the MD5s that they have.
//!
//! One thread for each connection, and blocking sockets: nothing is cheaper for this machine, whose processor the browser needs.

mod content;
mod http;
mod pages;
mod random;
mod shape;
mod store;

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Serialize;

pub(crate) use self::content::Content;
pub(crate) use self::pages::Pages;
pub(crate) use self::shape::Shape;

use self::content::WINDOW;
use self::http::{Answer, Connection, Head};
use self::shape::{Fault, Faults, Rate};
use self::store::{Call, Store};

/// How many bytes pass at once where they have a rate. (A choice: at 8 MB/s 125 times a second.)
const STRIDE: u64 = 64 * 1024;

/// The receive buffer of a connection with a rate: Linux doubles it. (A choice: what a line of a few milliseconds holds; the buffer
/// that the kernel would choose takes a whole part before the page notices that the line is slow.)
const BUFFER: usize = 128 * 1024;

/// What arrived.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Counts {
    /// Requests without preflights.
    pub(crate) requests: u64,
    pub(crate) preflights: u64,
    /// Bytes of files, those that came twice or in vain included.
    pub(crate) bytes: u64,
    pub(crate) busy: u64,
    pub(crate) resets: u64,
    pub(crate) connections: u64,
}

/// One run of one contestant.
struct Run {
    shape: Shape,
    faults: Faults,
    in_all: Rate,
    counts: Mutex<Counts>,
    store: Mutex<Store>,
}

impl Run {
    fn new(shape: Shape, seed: u64) -> Self {
        Self {
            shape,
            faults: Faults::new(seed),
            in_all: Rate::new(),
            counts: Mutex::default(),
            store: Mutex::default(),
        }
    }

    fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut locked(&self.counts));
    }
}

/// What a run came to.
pub(crate) struct Arrived {
    pub(crate) counts: Counts,
    /// Bytes of the objects that are complete, and how many they are.
    pub(crate) stored: u64,
    pub(crate) objects: usize,
    /// Requests that made no sense to the target.
    pub(crate) refused: Vec<String>,
}

/// The server.
pub(crate) struct Target {
    content: Arc<Content>,
    pages: Pages,
    run: Mutex<Arc<Run>>,
}

/// Where it answers.
pub(crate) struct Addresses {
    /// The page's own origin.
    pub(crate) page: String,
    /// The store's.
    pub(crate) stores: Vec<String>,
}

impl Target {
    /// Listens on free ports: one for the page, and `stores` for the store.
    pub(crate) fn start(content: Arc<Content>, pages: Pages, stores: usize) -> Result<(Arc<Self>, Addresses)> {
        let run = Mutex::new(Arc::new(Run::new(Shape::default(), 0)));
        let target = Arc::new(Self { content, pages, run });
        let page = listen(&target, |target, stream| target.serve_page(stream))?;
        let stores = (0..stores)
            .map(|_| Ok(format!("http://{}", listen(&target, |target, stream| target.serve_store(stream))?)))
            .collect::<Result<_>>()?;
        Ok((target, Addresses { page: format!("http://{page}"), stores }))
    }

    /// Begins a run: nothing is stored, nothing counted.
    pub(crate) fn begin(&self, shape: Shape, seed: u64) {
        *locked(&self.run) = Arc::new(Run::new(shape, seed));
    }

    /// What has arrived since then.
    pub(crate) fn arrived(&self) -> Arrived {
        let run = self.run();
        let mut store = locked(&run.store);
        Arrived {
            counts: locked(&run.counts).clone(),
            stored: store.stored(),
            objects: store.objects(),
            refused: std::mem::take(&mut store.refused),
        }
    }

    fn run(&self) -> Arc<Run> {
        locked(&self.run).clone()
    }

    fn serve_page(&self, stream: TcpStream) -> io::Result<()> {
        let mut connection = Connection::new(stream);
        while let Some(head) = connection.head()? {
            connection.text(head.length())?;
            connection.answer(&self.pages.answer(&head))?;
        }
        Ok(())
    }

    fn serve_store(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let run = self.run();
        if run.shape.is_slow() {
            rustix::net::sockopt::set_socket_recv_buffer_size(&stream, BUFFER)?;
        }
        run.count(|counts| counts.connections += 1);
        let (mut connection, rate) = (Connection::new(stream), Rate::new());
        // The handshake takes its time too.
        thread::sleep(Duration::from_millis(run.shape.latency_ms));
        while let Some(head) = connection.head()? {
            let run = self.run();
            let Some(answer) = self.exchange(&run, &head, &mut connection, &rate)? else {
                connection.reset();
                return Ok(());
            };
            thread::sleep(Duration::from_millis(run.shape.latency_ms));
            connection.answer(&with_cors(answer))?;
        }
        Ok(())
    }

    /// The answer to a request; `None` where the connection is reset in its place.
    fn exchange(&self, run: &Run, head: &Head, connection: &mut Connection, rate: &Rate) -> io::Result<Option<Answer>> {
        if head.method == "OPTIONS" {
            connection.text(head.length())?;
            run.count(|counts| counts.preflights += 1);
            return Ok(Some(preflight(head)));
        }
        run.count(|counts| counts.requests += 1);
        if store::call(head) == Call::Text {
            let body = connection.text(head.length())?;
            return Ok(Some(locked(&run.store).text(head, &body)));
        }
        let fault = if run.shape.faults { run.faults.next(&store::piece(head)) } else { None };
        let length = head.length();
        let start = self.content.start(connection.peek(WINDOW.min(usize::try_from(length).unwrap_or(WINDOW)))?);
        let wanted = match fault {
            Some(Fault::Reset(share)) => (length as f64 * share) as u64,
            _ => length,
        };
        let (arrived, outcome) = take(run, connection, rate, wanted);
        run.count(|counts| counts.bytes += arrived);
        if outcome.is_err() || matches!(fault, Some(Fault::Reset(_))) {
            locked(&run.store).cut_off(head, arrived);
        }
        outcome?;
        match (fault, start) {
            (Some(Fault::Reset(_)), _) => {
                run.count(|counts| counts.resets += 1);
                Ok(None)
            }
            (Some(Fault::Busy), _) => {
                run.count(|counts| counts.busy += 1);
                Ok(Some(Answer::new(503).with("retry-after", "1")))
            }
            (None, Some(start)) => {
                let md5 = self.content.md5(start, length);
                Ok(Some(locked(&run.store).bytes(head, &md5)))
            }
            (None, None) => {
                locked(&run.store).refused.push("a body that isn't a piece of a file".to_owned());
                Ok(Some(Answer::new(400)))
            }
        }
    }
}

/// Takes bytes at the line's rate, and tells how many came, also where the connection was lost.
fn take(run: &Run, connection: &mut Connection, rate: &Rate, wanted: u64) -> (u64, io::Result<()>) {
    let mut arrived = 0;
    while arrived < wanted {
        let most = if run.shape.is_slow() { (wanted - arrived).min(STRIDE) } else { wanted - arrived };
        let count = match connection.discard(most) {
            Ok(count) => count,
            Err(error) => return (arrived, Err(error)),
        };
        arrived += count;
        if run.shape.is_slow() {
            pace(run, rate, count);
        }
    }
    (arrived, Ok(()))
}

fn pace(run: &Run, rate: &Rate, bytes: u64) {
    let now = Instant::now();
    let own = run.shape.per_connection.map(|speed| rate.passed(bytes, speed, now));
    let common = run.shape.in_all.map(|speed| run.in_all.passed(bytes, speed, now));
    if let Some(until) = own.max(common) {
        thread::sleep(until.saturating_duration_since(now));
    }
}

const EXPOSED: &str = "ETag, Location, Upload-Offset, Upload-Length, Tus-Resumable, Retry-After, Date, x-amz-request-id, \
    x-amz-version-id, x-amz-server-side-encryption, x-amz-checksum-crc64nvme, x-amz-checksum-type";

fn with_cors(answer: Answer) -> Answer {
    answer.with("access-control-allow-origin", "*").with("access-control-expose-headers", EXPOSED)
}

fn preflight(head: &Head) -> Answer {
    let asked = head.header("access-control-request-headers").unwrap_or_default().to_owned();
    Answer::new(204)
        .with("access-control-allow-methods", "GET, HEAD, PUT, POST, PATCH, DELETE")
        .with("access-control-allow-headers", asked)
        .with("access-control-max-age", "3000")
}

fn listen(target: &Arc<Target>, serve: fn(&Target, TcpStream) -> io::Result<()>) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no port for the target")?;
    let address = listener.local_addr()?;
    let target = target.clone();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let target = target.clone();
            // A client that is gone, or makes no sense, ends its own connection.
            thread::spawn(move || drop(serve(&target, stream)));
        }
    });
    Ok(address)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
