//! One request on its way: the browser's rules, the line, the script of faults, the server, and back.

use std::rc::Rc;

use partway::http::{Request, Response};
use partway::platform::{OnSent, SendFailure};
use partway_models::clock::http_date;
use partway_models::wire;

use crate::core::Core;
use crate::fault::Fault;
use crate::log::Record;
use crate::platform::{SimPlatform, resolve};
use crate::wiring::{Cors, Outgoing, PAGE, to_wire};

/// How often a transport tells of bytes going out (`upload.onprogress`, XMLHttpRequest standard).
const TELLS_EACH_MS: u64 = 50;

type Answer = Result<Response, SendFailure>;

/// Takes a request to its server and its answer back.
pub(crate) async fn exchange(page: SimPlatform, request: Request<SimPlatform>, on_sent: OnSent) -> Answer {
    let core = page.core.clone();
    let reports = core.line.get().reports || request.once();
    let outgoing = to_wire(&request);
    for fault in &outgoing.faults {
        core.violate(format!("{} {}: {fault}", outgoing.method, outgoing.url));
    }
    drop(request);
    let trip = Trip::begin(&page, &outgoing);
    let failed = |sent: bool| Err(SendFailure::Network { body_sent: reports.then_some(sent) });
    let Some(cors) = trip.allowed(&outgoing) else {
        core.travel().await;
        trip.end(0);
        return failed(false);
    };
    let drawn = core.script.borrow_mut().draw(trip.route, &core.weather);
    let has = |wanted: fn(&Fault) -> bool| drawn.iter().any(wanted);

    core.travel().await;
    let stop =
        (has(|fault| matches!(fault, Fault::ResetInBody | Fault::StallInBody))).then_some(outgoing.file_len() / 2);
    transmit(&core, outgoing.file_len(), stop, reports.then_some(&on_sent)).await;
    if has(|fault| matches!(fault, Fault::StallInBody)) {
        std::future::pending::<()>().await;
    }
    if stop.is_some() || has(|fault| matches!(fault, Fault::ResetBefore)) {
        trip.end(0);
        return failed(stop.is_none());
    }
    trip.arrive();
    let scripted = drawn.iter().find_map(|fault| match fault {
        Fault::Answer { response, readable } => Some((response.clone(), *readable)),
        _ => None,
    });
    let (mut answer, readable) = match scripted {
        Some(scripted) => scripted,
        None => {
            if has(|fault| matches!(fault, Fault::Twice)) {
                trip.serve(&outgoing);
            }
            (trip.serve(&outgoing), true)
        }
    };
    for fault in &drawn {
        match fault {
            Fault::Latency(ms) => core.executor.sleep_until(core.executor.now() + ms).await,
            Fault::Edit(change) => change(&mut answer),
            _ => {}
        }
    }
    if has(|fault| matches!(fault, Fault::StallAnswer)) {
        std::future::pending::<()>().await;
    }
    if has(|fault| matches!(fault, Fault::ResetAfter)) {
        trip.end(0);
        return failed(true);
    }
    if !answer.headers.contains("date") {
        answer.headers.insert("date", &http_date(core.server_now()));
    }
    core.travel().await;
    if !readable && trip.origin != PAGE {
        trip.end(0);
        return failed(true);
    }
    trip.end(answer.status);
    Ok(cors.filter(&answer, has(|fault| matches!(fault, Fault::HideEtag))))
}

/// Lets bytes go out at the line's rate, all of them or up to `stop`.
async fn transmit(core: &Rc<Core>, size: u64, stop: Option<u64>, on_sent: Option<&OnSent>) {
    let end = stop.unwrap_or(size);
    let step = core.line.get().bytes_per_ms.max(1) * TELLS_EACH_MS;
    let mut sent = 0;
    while sent < end {
        let bytes = step.min(end - sent);
        let ms = (bytes / core.line.get().bytes_per_ms.max(1)).max(1);
        core.executor.sleep_until(core.executor.now() + ms).await;
        sent += bytes;
        if let Some(on_sent) = on_sent {
            on_sent(sent);
        }
    }
}

/// One request's entry in the log, and its place among those that are under way.
struct Trip {
    core: Rc<Core>,
    entry: usize,
    route: &'static str,
    origin: String,
    lanes: Vec<String>,
}

impl Trip {
    fn begin(page: &SimPlatform, outgoing: &Outgoing) -> Self {
        let core = page.core.clone();
        let origin = resolve(&outgoing.url).map(|url| url.origin).unwrap_or_default();
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
                upload: page.upload,
                route,
                method: outgoing.method,
                url: outgoing.url.clone(),
                headers: outgoing.request.headers.iter().map(|(n, v)| (n.into(), v.into())).collect(),
                json: outgoing.json.clone(),
                range: outgoing.range,
                sent_at: core.executor.now(),
                arrived_at: None,
                effects: 0,
                status: None,
            });
            log.records.len() - 1
        };
        Self { core, entry, route, origin, lanes }
    }

    /// The origin's CORS rule, where it lets the request through; says what no engine may send there.
    fn allowed(&self, outgoing: &Outgoing) -> Option<Cors> {
        let servers = self.core.servers.borrow();
        for sentence in servers.secrets_given_away(&self.origin, outgoing) {
            self.core.violate(format!("{} {}: {sentence}", outgoing.method, outgoing.url));
        }
        let cors = servers.cors(&self.origin)?;
        cors.refuses(&outgoing.own_headers).is_none().then_some(cors)
    }

    fn arrive(&self) {
        self.core.log.borrow_mut().records[self.entry].arrived_at = Some(self.core.executor.now());
    }

    fn serve(&self, outgoing: &Outgoing) -> wire::Response {
        let now = self.core.server_now();
        let (answer, effect) = self.core.servers.borrow_mut().step(&self.origin, &outgoing.request, now);
        self.core.log.borrow_mut().records[self.entry].effects += u32::from(effect);
        answer
    }

    fn end(&self, status: u16) {
        self.core.log.borrow_mut().records[self.entry].status = Some(status);
    }
}

impl Drop for Trip {
    fn drop(&mut self) {
        let mut log = self.core.log.borrow_mut();
        self.lanes.iter().for_each(|lane| log.leave(lane));
    }
}
