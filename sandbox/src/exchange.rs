//! One request and its answer: found out what it is, noted, broken where a fault hits, answered.

use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::header::{CONNECTION, DATE, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response};

use crate::answer;
use crate::body::{Inbound, Midway, Payload, Taking, full, stalled, without_end};
use crate::connection::{Connection, Reset};
use crate::cors::{Cors, is_local_host};
use crate::faults::{Hits, ResetWhen, StallWhen, StatusFault};
use crate::log::Logged;
use crate::routes::Who;
use crate::sandbox::Sandbox;
use crate::{app, s3, vendors};
use partway_models::clock::http_date;

/// Which listener a request came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Listener {
    /// The app's origin: page, proxies, backends, control.
    App,
    /// A vendor's or the store's own origin.
    Of(Who),
}

/// What a request asks for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Target {
    /// A vendor's API, at this path of it.
    Vendor {
        /// Which vendor.
        who: Who,
        /// The path as the vendor knows it.
        path: String,
        /// Whether it comes by the customer's proxy, which has the keys.
        proxied: bool,
    },
    /// The store.
    Store,
    /// A call of the plan backend.
    Plan(String),
    /// Temporary credentials.
    Credentials,
    /// Everything else of the app: neither logged nor broken.
    App,
}

impl Target {
    fn of(listener: Listener, path: &str) -> Self {
        let vendor = |who, path: &str, proxied| Self::Vendor { who, path: path.to_owned(), proxied };
        match listener {
            Listener::Of(Who::Store) => Self::Store,
            Listener::Of(who) => vendor(who, path, false),
            Listener::App => {
                for who in [Who::Ofauth, Who::Onlymonster, Who::Apifansly] {
                    let rest = path.strip_prefix("/api/").and_then(|path| path.strip_prefix(who.name()));
                    if let Some(rest) = rest.filter(|rest| rest.starts_with('/')) {
                        return vendor(who, rest, true);
                    }
                }
                match path.strip_prefix("/api/plan/") {
                    Some(call) => Self::Plan(call.to_owned()),
                    None if path == "/api/credentials" => Self::Credentials,
                    None => Self::App,
                }
            }
        }
    }

    fn route(&self, parts: &Parts) -> Option<String> {
        let (method, query) = (&parts.method, parts.uri.query().unwrap_or_default());
        match self {
            Self::Vendor { who, path, .. } => Some(who.route(method, path, query).to_owned()),
            Self::Store => Some(Who::Store.route(method, parts.uri.path(), query).to_owned()),
            Self::Plan(call) => Some(format!("plan:{call}")),
            Self::Credentials => Some("credentials".into()),
            Self::App => None,
        }
    }

    fn who(&self) -> &'static str {
        match self {
            Self::Vendor { who, .. } => who.name(),
            Self::Store => "store",
            Self::Plan(_) => "plan",
            Self::Credentials => "credentials",
            Self::App => "app",
        }
    }
}

/// Answers a request that came to `listener`.
///
/// # Errors
/// The connection is to be reset.
pub(crate) async fn handle(
    sandbox: Arc<Sandbox>,
    listener: Listener,
    connection: Arc<Connection>,
    request: Request<Incoming>,
) -> Result<Response<Payload>, Reset> {
    let cors = match listener {
        Listener::App => Cors::Backend,
        Listener::Of(Who::Store) => Cors::Bucket,
        Listener::Of(_) => Cors::Vendor,
    };
    let (parts, incoming) = request.into_parts();
    if listener == Listener::App && parts.uri.path().starts_with("/control/") {
        connection.outlive_the_network();
    } else if sandbox.network.is_lost() {
        return Err(connection.reset());
    }
    let origin = parts.headers.get("origin").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let host = parts.headers.get("host").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if listener == Listener::App && !is_local_host(host) {
        // A name that was made to point here (DNS rebinding) would be let in as the page's own origin.
        return Ok(answer::error(421, format!("this server is for localhost and 127.0.0.1, not for {host:?}")));
    }
    let target = Target::of(listener, parts.uri.path());
    let (mut response, readable) = if is_preflight(&parts) {
        (preflight(&sandbox, &target, cors, &parts), Readable::Already)
    } else if let Some(route) = target.route(&parts) {
        call(&sandbox, target, &route, connection, parts, incoming).await?
    } else {
        (app::handle(&sandbox, parts, incoming).await, Readable::WithEtag)
    };
    match (&origin, readable) {
        (Some(origin), Readable::WithEtag) => cors.expose(origin, true, response.headers_mut()),
        (Some(origin), Readable::WithoutEtag) => cors.expose(origin, false, response.headers_mut()),
        _ => {}
    }
    let headers = response.headers_mut();
    if let Ok(date) = HeaderValue::from_str(&http_date(sandbox.clock.now())) {
        headers.insert(DATE, date);
    }
    if !sandbox.faults.keep_alive() {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

/// What CORS makes of an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Readable {
    WithEtag,
    WithoutEtag,
    /// No CORS headers: to a page, a network error.
    Not,
    /// It has its headers.
    Already,
}

fn is_preflight(parts: &Parts) -> bool {
    parts.method == Method::OPTIONS && parts.headers.contains_key("access-control-request-method")
}

fn preflight(sandbox: &Arc<Sandbox>, target: &Target, cors: Cors, parts: &Parts) -> Response<Payload> {
    let response = match sandbox.faults.refuses_preflights(target.who()) {
        true => answer::empty(403),
        false => cors.preflight(&parts.headers),
    };
    if *target != Target::App {
        let route = format!("{}:preflight", target.who());
        let logged = sandbox.log.begin(&route, &parts.method, &parts.uri, &parts.headers);
        logged.set_status(response.status().as_u16());
    }
    response
}

/// A call that is logged, and that faults can hit.
async fn call(
    sandbox: &Arc<Sandbox>,
    target: Target,
    route: &str,
    connection: Arc<Connection>,
    parts: Parts,
    incoming: Incoming,
) -> Result<(Response<Payload>, Readable), Reset> {
    let faults = sandbox.faults.watch();
    let hits = sandbox.faults.hit(route);
    let logged = Arc::new(sandbox.log.begin(route, &parts.method, &parts.uri, &parts.headers));
    logged.set_faults(hits.names());
    if let Some(ms) = hits.latency_ms {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
    let has_body = incoming.size_hint().exact() != Some(0);
    let taking = Taking { bandwidth: hits.bandwidth.clone(), midway: midway(&hits).filter(|_| has_body) };
    let mut body = Inbound::new(incoming, taking, logged.clone(), connection.clone(), faults.clone());
    // A body that isn't there has no middle: its request is lost as a whole.
    let lost = hits.reset == Some(ResetWhen::Before) || (hits.reset == Some(ResetWhen::Body) && !has_body);
    let stalls_first = match hits.stall {
        Some(StallWhen::Start) => true,
        Some(StallWhen::Body) => !has_body,
        _ => false,
    };
    if stalls_first && !stalled(faults.clone()).await {
        return Err(connection.reset());
    }
    let refused = lost || hits.status.is_some() || hits.expired;
    let (response, mut readable) = if refused {
        // A connection that breaks here is lost all the same.
        let _ = body.drain().await;
        instead(&hits)
    } else {
        let response = perform(sandbox, target, parts, body.clone(), &logged).await;
        let _ = body.drain().await;
        let hidden = response.extensions().get::<NoCors>().is_some();
        (response, if hidden { Readable::Not } else { Readable::WithEtag })
    };
    if lost || connection.is_reset() || (!refused && hits.reset == Some(ResetWhen::After)) {
        return Err(connection.reset());
    }
    if hits.stall == Some(StallWhen::Answer) && !stalled(faults).await {
        return Err(connection.reset());
    }
    if readable == Readable::WithEtag && hits.hide_etag {
        readable = Readable::WithoutEtag;
    }
    if hits.no_cors {
        readable = Readable::Not;
    }
    logged.set_status(response.status().as_u16());
    Ok((response, readable))
}

/// Marks an answer that comes without CORS headers, as a store's errors may.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoCors;

async fn perform(
    sandbox: &Arc<Sandbox>,
    target: Target,
    parts: Parts,
    body: Inbound,
    logged: &Arc<Logged>,
) -> Response<Payload> {
    match target {
        Target::Store => s3::handle(sandbox, parts, body, logged.number()).await,
        Target::Vendor { who, path, proxied } => {
            vendors::handle(sandbox, vendors::Call { who, path, proxied }, parts, body, logged).await
        }
        Target::Plan(call) => crate::plan::handle(sandbox, &call, &parts, body).await,
        Target::Credentials => crate::credentials::handle(sandbox, &parts),
        Target::App => answer::error(404, "no such call"),
    }
}

fn midway(hits: &Hits) -> Option<Midway> {
    match (hits.reset, hits.stall) {
        (Some(ResetWhen::Body), _) => Some(Midway::Reset),
        (_, Some(StallWhen::Body)) => Some(Midway::Stall),
        _ => None,
    }
}

/// The answer of a fault.
fn instead(hits: &Hits) -> (Response<Payload>, Readable) {
    match &hits.status {
        Some(StatusFault { status, headers, body, endless, cors }) => {
            let mut response = answer::empty(*status);
            for (name, value) in headers {
                if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                    response.headers_mut().append(name, value);
                }
            }
            let bodiless = matches!(status, 204 | 304);
            *response.body_mut() = match body.clone() {
                _ if bodiless => full(""),
                body if *endless => without_end(body),
                body => full(body),
            };
            (response, if *cors { Readable::WithEtag } else { Readable::Not })
        }
        None => (answer::s3_error(403, "AccessDenied", "Request has expired"), Readable::Not),
    }
}
