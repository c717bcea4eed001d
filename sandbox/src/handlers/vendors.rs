//! The vendors' origins, and the proxies that a customer would write: they add the keys, take account and
//! connection from their own session, and drop repeated calls.

use std::sync::Arc;

use hyper::Response;
use hyper::http::request::Parts;
use partway_models::wire::{self, Body};

use super::multipart;
use crate::convert;
use crate::request_body::RequestBody;
use crate::response;
use crate::response_body::{BodyError, ResponseBody};
use crate::routes::Service;
use crate::state::State;
use crate::state::idempotency::Outcome;
use crate::state::log::LogHandle;
use crate::state::settings::Settings;
use crate::state::spool::Spooled;

/// The account of the proxies' session at Onlymonster.
pub(crate) const ONLYMONSTER_ACCOUNT: &str = "1001";
/// The account of the proxies' session at apifansly.
pub(crate) const APIFANSLY_ACCOUNT: &str = "2002";
const OFAUTH_CONNECTION: &str = "conn_sandbox";

/// Headers of the page that the proxies drop: keys, cookies and identities.
const DROPPED_HEADERS: [&str; 10] = [
    "apikey",
    "authorization",
    "cookie",
    "host",
    "idempotency-key",
    "origin",
    "x-api-key",
    "x-connection-id",
    "x-form-key",
    "x-om-auth-token",
];

/// A call of a vendor's API.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// Which vendor.
    pub service: Service,
    /// The path as the vendor knows it.
    pub path: String,
    /// Whether the call comes through the proxy.
    pub proxied: bool,
}

/// Answers a call, as the vendor itself or as the proxy before it.
pub(crate) async fn handle(
    state: &Arc<State>,
    call: Call,
    parts: Parts,
    body: RequestBody,
    entry: &Arc<LogHandle>,
) -> Response<ResponseBody> {
    let path = if call.proxied { own_account(call.service, &call.path) } else { call.path.clone() };
    let mut request = convert::request_head(&parts, &path);
    let spooled = match read_body(state, call.service, &parts, body).await {
        Ok((body, spooled)) => {
            request.body = body;
            spooled
        }
        Err(error) => return response::error(400, format!("the body could not be read: {error}")),
    };
    let key = request.header("idempotency-key").map(str::to_owned);
    if call.proxied {
        add_keys(&mut request, call.service, &state.settings());
    }
    let name = format!("{} {} {path}", parts.method, call.service.name());
    let (vendors, clock, service) = (state.vendors.clone(), state.clock.clone(), call.service);
    let run = async move {
        let step = tokio::task::spawn_blocking(move || {
            let response = vendors.step(service, &request, clock.now());
            if response.status < 400 {
                spooled.into_iter().for_each(Spooled::keep);
            }
            response
        });
        step.await.unwrap_or_else(|_| wire::Response::empty(500))
    };
    match key.filter(|_| call.proxied) {
        None => convert::response(run.await),
        Some(key) => match state.idempotency.once(&format!("{} {key}", service.name()), &name, run).await {
            Outcome::Executed(response) => convert::response(response),
            Outcome::Replayed(response) => {
                entry.set_replayed();
                convert::response(response)
            }
            Outcome::KeyReused { first } => response::error(
                422,
                format!("the Idempotency-Key was sent with {first} before; each call needs a key of its own"),
            ),
        },
    }
}

/// Reads a body as its call needs it: file bytes to disk, a form by its fields, everything else as text.
async fn read_body(
    state: &State,
    service: Service,
    parts: &Parts,
    body: RequestBody,
) -> Result<(Body, Vec<Spooled>), BodyError> {
    let content_type = parts.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if matches!(service, Service::Apifansly | Service::Form) && content_type.starts_with("multipart/form-data") {
        let (fields, spooled) = multipart::read(content_type, body, &state.spool).await?;
        return Ok((Body::Form(fields), spooled));
    }
    if service == Service::Ofauth && parts.method == hyper::Method::PUT {
        let spooled = state.spool.receive(body).await?;
        return Ok((Body::Content(spooled.content()), vec![spooled]));
    }
    let text = body.text().await?;
    Ok((if text.is_empty() { Body::Empty } else { Body::Text(text) }, Vec::new()))
}

/// The path with the account of the proxy's session in place of the one that the page sent.
fn own_account(service: Service, path: &str) -> String {
    let (before, account) = match service {
        Service::Onlymonster => ("/api/v0/accounts/", ONLYMONSTER_ACCOUNT),
        Service::Apifansly => ("/api/fansly/", APIFANSLY_ACCOUNT),
        Service::Ofauth | Service::Form | Service::Store => return path.to_owned(),
    };
    let rest = path.strip_prefix(before).and_then(|rest| rest.split_once('/'));
    match rest {
        // `/api/fansly/media/upload/{jobId}/status` names no account.
        Some((first, rest)) if !(service == Service::Apifansly && first == "media") => {
            format!("{before}{account}/{rest}")
        }
        _ => path.to_owned(),
    }
}

fn add_keys(request: &mut wire::Request, service: Service, settings: &Settings) {
    for name in DROPPED_HEADERS {
        request.headers.remove(name);
    }
    match service {
        Service::Ofauth => {
            request.headers.insert("apikey", &settings.ofauth.api_key);
            request.headers.insert("x-connection-id", OFAUTH_CONNECTION);
        }
        Service::Onlymonster => request.headers.insert("x-om-auth-token", &settings.onlymonster.token),
        Service::Apifansly => request.headers.insert("x-api-key", &settings.apifansly.api_key),
        // The session's cookie, as it were.
        Service::Form => request.headers.insert("x-form-key", &settings.form.key),
        Service::Store => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_the_sessions() {
        let of = |service, path| own_account(service, path);
        assert_eq!(
            of(Service::Onlymonster, "/api/v0/accounts/9/vault/medias/uploads/start"),
            "/api/v0/accounts/1001/vault/medias/uploads/start"
        );
        assert_eq!(of(Service::Apifansly, "/api/fansly/9/media/upload"), "/api/fansly/2002/media/upload");
        let status = "/api/fansly/media/upload/j/status";
        assert_eq!(of(Service::Apifansly, status), status);
        assert_eq!(of(Service::Ofauth, "/v2/access/uploads/init"), "/v2/access/uploads/init");
    }
}
