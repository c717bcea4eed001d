//! One request and its response: routed, logged, broken if a fault hits it, answered.

use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::header::{CONNECTION, DATE, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response};
use partway_models::clock::http_date;

use crate::connection::{Connection, Reset};
use crate::cors::{Cors, NoCors, is_local_host};
use crate::handlers::Handlers;
use crate::request_body::{BodyFaults, MidBodyFault, RequestBody, wait_out_stall};
use crate::response;
use crate::response_body::{ResponseBody, endless, full};
use crate::routes::Service;
use crate::state::State;
use crate::state::faults::{Hits, ResetWhen, StallWhen, StatusFault};
use crate::target::{Listener, Target};

/// What the exchanges of all listeners need.
pub(crate) struct Exchange {
    /// The shared state.
    pub(crate) state: Arc<State>,
    /// The handlers over it.
    pub(crate) handlers: Handlers,
}

/// Which CORS headers a response gets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Exposure {
    WithEtag,
    WithoutEtag,
    /// None: to a page, a network error.
    Hidden,
    /// It has its headers already.
    Preflight,
}

impl Exchange {
    /// An exchange over `state`.
    pub(crate) fn new(state: Arc<State>) -> Self {
        Self { handlers: Handlers::new(state.clone()), state }
    }

    /// Answers a request that came to `listener`.
    ///
    /// # Errors
    /// The connection is to be reset.
    pub(crate) async fn handle(
        &self,
        listener: Listener,
        connection: Arc<Connection>,
        request: Request<Incoming>,
    ) -> Result<Response<ResponseBody>, Reset> {
        let state = &self.state;
        let cors = match listener {
            Listener::App => Cors::Backend,
            Listener::Of(Service::Store) => Cors::Bucket,
            Listener::Of(_) => Cors::Vendor,
        };
        let (parts, incoming) = request.into_parts();
        if listener == Listener::App && parts.uri.path().starts_with("/control/") {
            connection.set_exempt_from_offline();
        } else if state.network.is_offline() {
            return Err(connection.reset());
        }
        let origin = parts.headers.get("origin").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let host = parts.headers.get("host").and_then(|value| value.to_str().ok()).unwrap_or_default();
        if listener == Listener::App && !is_local_host(host) {
            // Against DNS rebinding: a foreign name that resolves to this machine would pass as the page's own origin.
            let message = format!("the Host header must be localhost or a loopback address, not {host:?}");
            return Ok(response::error(421, message));
        }
        let target = Target::of(listener, parts.uri.path());
        let (mut response, exposure) = if is_preflight(&parts) {
            (preflight(state, &target, cors, &parts), Exposure::Preflight)
        } else if let Some(route) = target.route(&parts) {
            self.call(target, &route, connection, parts, incoming).await?
        } else {
            (self.handlers.app(parts, incoming).await, Exposure::WithEtag)
        };
        match (&origin, exposure) {
            (Some(origin), Exposure::WithEtag) => cors.expose(origin, true, response.headers_mut()),
            (Some(origin), Exposure::WithoutEtag) => cors.expose(origin, false, response.headers_mut()),
            _ => {}
        }
        let headers = response.headers_mut();
        if let Ok(date) = HeaderValue::from_str(&http_date(state.clock.now())) {
            headers.insert(DATE, date);
        }
        if !state.faults.keep_alive() {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response)
    }

    /// A call that is logged, and that faults can hit.
    async fn call(
        &self,
        target: Target,
        route: &str,
        connection: Arc<Connection>,
        parts: Parts,
        incoming: Incoming,
    ) -> Result<(Response<ResponseBody>, Exposure), Reset> {
        let state = &self.state;
        let faults = state.faults.watch();
        let hits = state.faults.hit(route);
        let entry = Arc::new(state.log.begin(route, &parts.method, &parts.uri, &parts.headers));
        entry.set_faults(hits.names());
        if let Some(ms) = hits.latency_ms {
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
        let has_body = incoming.size_hint().exact() != Some(0);
        let body_faults = BodyFaults {
            bandwidth: hits.bandwidth.clone(),
            mid_body: mid_body_fault(&hits).filter(|_| has_body),
            flips: hits.flip,
        };
        let mut body = RequestBody::new(incoming, body_faults, entry.clone(), connection.clone(), faults.clone());
        // An empty body has no middle: its request is lost as a whole.
        let lost = hits.reset == Some(ResetWhen::Before) || (hits.reset == Some(ResetWhen::Body) && !has_body);
        let stalls_first = match hits.stall {
            Some(StallWhen::Start) => true,
            Some(StallWhen::Body) => !has_body,
            _ => false,
        };
        if stalls_first && !wait_out_stall(faults.clone()).await {
            return Err(connection.reset());
        }
        let prevented = lost || hits.status.is_some() || hits.expired;
        let (response, mut exposure) = if prevented {
            // A client that disconnects here gets no response either way.
            let _ = body.drain().await;
            fault_response(&hits)
        } else {
            let response = self.handlers.call(target, parts, body.clone(), &entry).await;
            let _ = body.drain().await;
            let hidden = response.extensions().get::<NoCors>().is_some();
            (response, if hidden { Exposure::Hidden } else { Exposure::WithEtag })
        };
        if lost || connection.is_reset() || (!prevented && hits.reset == Some(ResetWhen::After)) {
            return Err(connection.reset());
        }
        if hits.stall == Some(StallWhen::Answer) && !wait_out_stall(faults).await {
            return Err(connection.reset());
        }
        if exposure == Exposure::WithEtag && hits.hide_etag {
            exposure = Exposure::WithoutEtag;
        }
        if hits.no_cors {
            exposure = Exposure::Hidden;
        }
        entry.set_status(response.status().as_u16());
        Ok((response, exposure))
    }
}

fn is_preflight(parts: &Parts) -> bool {
    parts.method == Method::OPTIONS && parts.headers.contains_key("access-control-request-method")
}

fn preflight(state: &State, target: &Target, cors: Cors, parts: &Parts) -> Response<ResponseBody> {
    let response = match state.faults.refuses_preflights(target.service_name()) {
        true => response::empty(403),
        false => cors.preflight(&parts.headers),
    };
    if *target != Target::App {
        let route = format!("{}:preflight", target.service_name());
        let entry = state.log.begin(&route, &parts.method, &parts.uri, &parts.headers);
        entry.set_status(response.status().as_u16());
    }
    response
}

fn mid_body_fault(hits: &Hits) -> Option<MidBodyFault> {
    match (hits.reset, hits.stall) {
        (Some(ResetWhen::Body), _) => Some(MidBodyFault::Reset),
        (_, Some(StallWhen::Body)) => Some(MidBodyFault::Stall),
        _ => None,
    }
}

/// The response of a `status` or `expired` fault.
fn fault_response(hits: &Hits) -> (Response<ResponseBody>, Exposure) {
    match &hits.status {
        Some(StatusFault { status, headers, body, endless: is_endless, cors }) => {
            let mut response = response::empty(*status);
            for (name, value) in headers {
                if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                    response.headers_mut().append(name, value);
                }
            }
            let bodiless = matches!(status, 204 | 304);
            *response.body_mut() = match body.clone() {
                _ if bodiless => full(""),
                body if *is_endless => endless(body),
                body => full(body),
            };
            (response, if *cors { Exposure::WithEtag } else { Exposure::Hidden })
        }
        None => (response::s3_error(403, "AccessDenied", "Request has expired"), Exposure::Hidden),
    }
}
