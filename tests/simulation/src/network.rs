//! One request on its way: the browser's rules, the line, the script of faults, the server, and back.

use std::cell::Cell;
use std::rc::Rc;

use futures::FutureExt;
use futures::future::{Either, select};
use futures::pin_mut;
use partway::error::{Code, Retry, UploadError};
use partway::http::foreign::Foreign;
use partway::http::{Body, Response};
use partway::platform::{OnSent, RequestOf, SendFailure};
use partway_models::clock::http_date;
use partway_models::wire::{self, FormValue};

use crate::bottleneck::Buffered;
use crate::core::Core;
use crate::environment::{Cut, Network};
use crate::fault::Fault;
use crate::file::File;
use crate::log::Record;
use crate::platform::{SimPlatform, resolve};
use crate::servers::BadHost;
use crate::wiring::{Cors, Outgoing, PAGE, PLAIN_PAGE, to_wire};

type Answer = Result<Response, SendFailure>;

/// Takes a request to its server and its answer back.
pub(crate) async fn exchange(page: SimPlatform, request: RequestOf<SimPlatform>, on_sent: OnSent) -> Answer {
    let core = page.core.clone();
    let once = request.must_not_repeat();
    let reports = core.line.get().reports || once;
    let outgoing = to_wire(&request);
    for fault in &outgoing.faults {
        core.violate(format!("{} {}: {fault}", outgoing.method, outgoing.url));
    }
    let file = match request.body() {
        Body::File(body) | Body::Form { file: body, .. } => Some(body.blob.clone()),
        _ => None,
    };
    drop(request);
    let trip = Trip::begin(&page, outgoing, once, file);
    let bad = core.servers.borrow().bad_hosts.get(trip.origin.as_str()).copied();
    if bad == Some(BadHost::Forbidden) {
        trip.settled.set(true);
        trip.end(0);
        core.pass_milestone();
        let error = UploadError::new(Code::Network, "The page's Content-Security-Policy forbids requests to it.");
        return Err(SendFailure::Refused(error.answer_lost(false).retry(Retry::Never).retryable(false)));
    }
    let on_sent = reports.then_some(&on_sent);
    if let Some(on_sent) = on_sent.filter(|_| trip.file.is_some()) {
        // A transport that tells begins to at once (XMLHttpRequest standard, "fire a progress event named loadstart").
        on_sent(0);
    }
    let answer = {
        let (way, cut) = (trip.go(on_sent), core.environment.next_cut());
        pin_mut!(way);
        match select(way, cut).await {
            Either::Left((answer, _)) => answer,
            Either::Right((cut, _)) => trip.lost(cut).await,
        }
    };
    core.pass_milestone();
    answer.ok_or_else(|| match trip.redirected.get() {
        true => SendFailure::Redirected(Foreign {
            status: Some(200),
            page: true,
            redirected: true,
            to: Some("https://login.example".into()),
        }),
        false => SendFailure::Network { body_sent: reports.then_some(trip.whole.get()) },
    })
}

/// Whether a server is there, as a browser tells it without a CORS rule. Any fault of `probe` keeps its answer.
pub(crate) async fn probe(core: Rc<Core>, origin: String) -> bool {
    let way = async {
        let now = core.executor.now();
        core.log.borrow_mut().probes.push((now, origin.clone()));
        match core.environment.network() {
            Network::Up => {}
            Network::Gone => return false,
            Network::Silent => std::future::pending().await,
            Network::Failing => {
                core.executor.sleep_until(now + core.weather.between(200, 4_000)).await;
                return false;
            }
        }
        if !core.script.borrow_mut().draw("probe", &core.weather).is_empty() {
            return false;
        }
        core.travel().await;
        let there = core.servers.borrow().cors(&origin).is_some();
        core.travel().await;
        there
    };
    let cut = core.environment.next_cut();
    pin_mut!(way);
    match select(way, cut).await {
        Either::Left((there, _)) => there,
        Either::Right((Cut::Reset, _)) => false,
        Either::Right((Cut::Silence, _)) => std::future::pending().await,
    }
}

/// One request's entry in the log, and its place among those that are under way.
struct Trip {
    core: Rc<Core>,
    entry: usize,
    route: &'static str,
    origin: String,
    lanes: Vec<String>,
    outgoing: Outgoing,
    /// The file whose bytes it sends.
    file: Option<File>,
    /// Whether it is sent once, and so tells of its bytes whatever the transport.
    once: bool,
    /// Whether all of it is out.
    whole: Cell<bool>,
    /// Whether its end is settled: it arrived, or never will.
    settled: Cell<bool>,
    /// Whether a redirect took it elsewhere.
    redirected: Cell<bool>,
}

impl Trip {
    fn begin(page: &SimPlatform, outgoing: Outgoing, once: bool, file: Option<File>) -> Self {
        let core = page.core.clone();
        let origin = resolve(&outgoing.url).map(|url| url.origin).unwrap_or_default();
        let origin = if origin == PLAIN_PAGE && core.plain.get() { PAGE.into() } else { origin };
        let route = core.servers.borrow().route(&origin, &outgoing.request);
        let mut lanes = vec![origin.clone(), route.to_string()];
        if outgoing.range.is_some() {
            lanes.push(format!("uploader {}", page.uploader));
            lanes.push(format!("upload {}", page.upload));
        }
        let entry = {
            let mut log = core.log.borrow_mut();
            for lane in &lanes {
                log.enter(lane);
            }
            log.records.push(Record {
                method: outgoing.method,
                url: outgoing.url.clone(),
                headers: outgoing.request.headers.iter().map(|(n, v)| (n.into(), v.into())).collect(),
                json: outgoing.json.clone(),
                range: outgoing.range,
                ..Record::begun(page.upload, route, core.executor.now())
            });
            log.records.len() - 1
        };
        core.pass_milestone();
        let [whole, settled, redirected] = [false; 3].map(Cell::new);
        Self { core, entry, route, origin, lanes, outgoing, file, once, whole, settled, redirected }
    }

    /// The way there and back; None where it failed.
    async fn go(&self, on_sent: Option<&OnSent>) -> Option<Response> {
        let core = &self.core;
        let gone = core.servers.borrow_mut().is_gone(&self.origin);
        let Some(cors) = self.allowed().filter(|_| !gone) else {
            self.settled.set(true);
            core.travel().await;
            return self.fail();
        };
        match core.environment.network() {
            Network::Up => {}
            Network::Gone => {
                self.settled.set(true);
                core.executor.sleep_until(core.executor.now() + 1).await;
                return self.fail();
            }
            Network::Silent => {
                self.settled.set(true);
                std::future::pending::<()>().await;
            }
            Network::Failing => {
                self.settled.set(true);
                core.executor.sleep_until(core.executor.now() + core.weather.between(200, 4_000)).await;
                return self.fail();
            }
        }
        let _connection = match core.line.get().connections {
            Some(most) => Some(core.bottleneck.connection(&self.origin, most).await),
            None => None,
        };
        let drawn = core.script.borrow_mut().draw(self.route, &core.weather);
        let has = |wanted: fn(&Fault) -> bool| drawn.iter().any(wanted);

        core.travel().await;
        let size = self.outgoing.file_len();
        let of_store = size > 0 && self.route.starts_with("store:");
        let _reading = of_store.then(|| core.load.enter());
        let stop = (has(|fault| matches!(fault, Fault::ResetInBody | Fault::StallInBody))).then_some(size / 2);
        self.transmit(size, stop, on_sent).await;
        if has(|fault| matches!(fault, Fault::StallInBody)) {
            self.settled.set(true);
            std::future::pending::<()>().await;
        }
        if stop.is_some() {
            self.settled.set(true);
            return self.fail();
        }
        self.out();
        if has(|fault| matches!(fault, Fault::ResetBefore)) {
            self.settled.set(true);
            return self.fail();
        }
        if has(|fault| matches!(fault, Fault::Redirect)) {
            self.settled.set(true);
            self.redirected.set(true);
            core.travel().await;
            return self.fail();
        }
        for fault in &drawn {
            if let Fault::Late(ms) = fault {
                core.executor.sleep_until(core.executor.now() + ms).await;
            }
        }
        self.arrive();
        let scripted = drawn.iter().find_map(|fault| match fault {
            Fault::Answer { response, readable } => Some((response.clone(), *readable)),
            _ => None,
        });
        let overloaded = || core.load.refusal(core.executor.now()).filter(|_| of_store).map(|refusal| (refusal, true));
        let scripted = scripted.or_else(overloaded);
        let is_true = scripted.is_none();
        let (mut answer, readable) = match scripted {
            Some(scripted) => scripted,
            None => {
                let flips = has(|fault| matches!(fault, Fault::Flip));
                if has(|fault| matches!(fault, Fault::Twice)) {
                    self.serve(flips);
                }
                (self.serve(flips), true)
            }
        };
        core.pass_milestone();
        for fault in &drawn {
            match fault {
                Fault::Latency(ms) => core.executor.sleep_until(core.executor.now() + ms).await,
                Fault::Edit(change) if is_true => change(&mut answer),
                _ => {}
            }
        }
        if has(|fault| matches!(fault, Fault::StallAnswer)) {
            std::future::pending::<()>().await;
        }
        if has(|fault| matches!(fault, Fault::ResetAfter)) {
            return self.fail();
        }
        if !answer.headers.contains("date") {
            answer.headers.insert("date", &http_date(core.server_now()));
        }
        core.travel().await;
        if (!readable || (cors.hides_errors && answer.status >= 400)) && self.origin != PAGE {
            return self.fail();
        }
        self.end(answer.status);
        Some(cors.filter(&answer, has(|fault| matches!(fault, Fault::HideEtag))))
    }

    /// Lets bytes go out at the line's rate, all of them or up to `stop`.
    async fn transmit(&self, size: u64, stop: Option<u64>, on_sent: Option<&OnSent>) {
        let core = &self.core;
        let end = stop.unwrap_or(size);
        let line = core.line.get();
        let rate = line.bytes_per_ms.max(1);
        if let Some(shared) = line.shared_bytes_per_ms {
            return self.share(end, size, shared, on_sent).await;
        }
        let step = match on_sent {
            Some(_) => rate * line.tells_each_ms.max(1),
            // Without a listener one step is enough.
            None => end.max(1),
        };
        let mut sent = 0;
        while sent < end {
            let bytes = step.min(end - sent);
            core.executor.sleep_until(core.executor.now() + (bytes / rate).max(1)).await;
            self.come().await;
            sent += bytes;
            self.tell(sent, on_sent);
        }
    }

    /// The same over a line that all connections share: bytes leave into the connection's buffer, and the line drains it.
    async fn share(&self, end: u64, size: u64, shared: u64, on_sent: Option<&OnSent>) {
        let core = &self.core;
        let line = core.line.get();
        let tick = line.tells_each_ms.max(1);
        let (busy, mut body) = (core.bottleneck.enter(), Buffered::new(size, end, line.buffer));
        if end == 0 {
            return;
        }
        loop {
            core.executor.sleep_until(core.executor.now() + tick).await;
            self.come().await;
            let before = body.left;
            let through = body.pass(line.bytes_per_ms.max(1) * tick, busy.share(shared.max(1) * tick).max(1));
            if body.left > before {
                if body.left == size {
                    self.out();
                }
                self.tell(body.left, on_sent);
            }
            if through {
                return;
            }
        }
    }

    /// Waits for bytes of the file, which may never come.
    async fn come(&self) {
        if self.file.as_ref().is_some_and(File::hangs) {
            self.settled.set(true);
            std::future::pending::<()>().await;
        }
    }

    fn tell(&self, sent: u64, on_sent: Option<&OnSent>) {
        if let Some(on_sent) = on_sent {
            self.core.log.borrow_mut().records[self.entry].told = sent;
            on_sent(sent);
        }
    }

    /// What comes of it once the line is cut.
    async fn lost(&self, cut: Cut) -> Option<Response> {
        // What tells of its bytes fails as it told.
        let untold = !(self.core.line.get().reports || self.once);
        self.haunt(untold || cut == Cut::Silence);
        if cut == Cut::Silence {
            std::future::pending::<()>().await;
        }
        self.core.executor.sleep_until(self.core.executor.now() + self.core.weather.between(1, 50)).await;
        self.fail()
    }

    /// The page lets go of it, or the line does. What had left whole may yet arrive.
    /// `untold`: nobody will say that it hadn't left.
    fn haunt(&self, untold: bool) {
        if self.settled.replace(true) {
            return;
        }
        let (core, ghosts) = (self.core.clone(), self.core.line.get().ghosts);
        let small = self.outgoing.file_len() == 0;
        if ghosts <= 0.0 || !(self.whole.get() || (small && untold)) || core.weather.unit() >= ghosts {
            return;
        }
        let (entry, origin, request) = (self.entry, self.origin.clone(), self.outgoing.request.clone());
        core.log.borrow_mut().records[entry].whole = true;
        let own = core.clone();
        core.executor.spawn(
            async move {
                // As early as it can, so that later calls see it.
                own.executor.sleep_until(own.executor.now() + own.line.get().latency.0).await;
                own.log.borrow_mut().records[entry].arrived_at = Some(own.executor.now());
                serve(&own, entry, &origin, &request);
            }
            .boxed_local(),
        );
    }

    /// The origin's CORS rule, where it lets the request through; says what no engine may send there.
    fn allowed(&self) -> Option<Cors> {
        let (servers, outgoing) = (self.core.servers.borrow(), &self.outgoing);
        for sentence in servers.secrets_given_away(&self.origin, outgoing) {
            self.core.violate(format!("{} {}: {sentence}", outgoing.method, outgoing.url));
        }
        let cors = servers.cors(&self.origin)?;
        (!cors.closed && cors.refuses(&outgoing.own_headers).is_none()).then_some(cors)
    }

    fn out(&self) {
        self.whole.set(true);
        self.core.log.borrow_mut().records[self.entry].whole = true;
    }

    fn arrive(&self) {
        self.settled.set(true);
        self.core.log.borrow_mut().records[self.entry].arrived_at = Some(self.core.executor.now());
    }

    fn serve(&self, flips: bool) -> wire::Response {
        let mut request = self.outgoing.request.clone();
        let content = match &mut request.body {
            wire::Body::Content(content) => Some(content),
            wire::Body::Form(fields) => fields.iter_mut().find_map(|field| match &mut field.value {
                FormValue::Content(content) => Some(content),
                FormValue::Bytes(_) => None,
            }),
            _ => None,
        };
        if let Some(content) = content.filter(|_| flips) {
            *content = content.damaged();
            self.core.log.borrow_mut().records[self.entry].damaged = true;
        }
        serve(&self.core, self.entry, &self.origin, &request)
    }

    fn fail(&self) -> Option<Response> {
        self.end(0);
        None
    }

    fn end(&self, status: u16) {
        let mut log = self.core.log.borrow_mut();
        log.records[self.entry].status = Some(status);
        log.records[self.entry].ended_at = Some(self.core.executor.now());
    }
}

fn serve(core: &Rc<Core>, entry: usize, origin: &str, request: &wire::Request) -> wire::Response {
    let now = core.server_now();
    let (answer, effect) = core.servers.borrow_mut().step(origin, request, now);
    core.log.borrow_mut().records[entry].effects += u32::from(effect);
    answer
}

impl Drop for Trip {
    fn drop(&mut self) {
        self.haunt(true);
        let mut log = self.core.log.borrow_mut();
        self.lanes.iter().for_each(|lane| log.leave(lane));
    }
}
