//! The vendors' origins, and the proxies before them that a customer would write: they have the keys, take
//! account and connection from their own session, and drop repeated calls.

mod form;

use std::sync::{Arc, Mutex};

use hyper::Response;
use hyper::http::request::Parts;
use partway_models::wire::{self, Body};
use partway_models::{apifansly, ofauth, onlymonster};

use crate::answer;
use crate::body::{BodyError, Inbound, Payload};
use crate::bucket::Store;
use crate::idempotency::Outcome;
use crate::knobs::Knobs;
use crate::log::Logged;
use crate::routes::Who;
use crate::sandbox::Sandbox;
use crate::spool::Spooled;

/// Whom the proxies' "session" belongs to.
pub(crate) const ONLYMONSTER_ACCOUNT: &str = "1001";
/// The same at apifansly.
pub(crate) const APIFANSLY_ACCOUNT: &str = "2002";
const OFAUTH_CONNECTION: &str = "conn_sandbox";

/// What a page has no business to send to a vendor: keys, cookies, and who it is.
const NOT_PASSED_ON: [&str; 9] = [
    "apikey",
    "authorization",
    "cookie",
    "host",
    "idempotency-key",
    "origin",
    "x-api-key",
    "x-connection-id",
    "x-om-auth-token",
];

/// The three models.
#[derive(Debug)]
pub(crate) struct Vendors {
    ofauth: Mutex<ofauth::State>,
    onlymonster: Mutex<onlymonster::State>,
    apifansly: Mutex<apifansly::State>,
    store: Store,
}

impl Vendors {
    /// Without uploads; Onlymonster's go to `store`.
    pub(crate) fn new(knobs: &Knobs, store: Store) -> Self {
        Self {
            ofauth: Mutex::new(ofauth::State::new(knobs.ofauth.clone())),
            onlymonster: Mutex::new(onlymonster::State::new(knobs.onlymonster.clone())),
            apifansly: Mutex::new(apifansly::State::new(knobs.apifansly.clone())),
            store,
        }
    }

    /// Other settings, the same uploads.
    pub(crate) fn configure(&self, knobs: &Knobs) {
        self.ofauth.lock().expect("ofauth").config = knobs.ofauth.clone();
        self.onlymonster.lock().expect("onlymonster").config = knobs.onlymonster.clone();
        self.apifansly.lock().expect("apifansly").config = knobs.apifansly.clone();
    }

    /// Forgets all uploads.
    pub(crate) fn replace(&self, knobs: &Knobs) {
        *self.ofauth.lock().expect("ofauth") = ofauth::State::new(knobs.ofauth.clone());
        *self.onlymonster.lock().expect("onlymonster") = onlymonster::State::new(knobs.onlymonster.clone());
        *self.apifansly.lock().expect("apifansly") = apifansly::State::new(knobs.apifansly.clone());
    }

    /// What OFAuth or apifansly have under an id.
    pub(crate) fn contents(&self, who: Who, id: &str) -> Option<Vec<partway_models::content::Content>> {
        match who {
            Who::Ofauth => self.ofauth.lock().expect("ofauth").contents(id),
            Who::Apifansly => self.apifansly.lock().expect("apifansly").contents(id),
            Who::Onlymonster | Who::Store => None,
        }
    }

    /// The object that Onlymonster made a media of.
    pub(crate) fn onlymonster_key(&self, id: &str) -> Option<String> {
        self.onlymonster.lock().expect("onlymonster").object_key(id).map(str::to_owned)
    }

    /// May block, where the store is elsewhere.
    fn step(&self, who: Who, request: &wire::Request, now: u64) -> wire::Response {
        match who {
            Who::Ofauth => ofauth::step(request, &mut self.ofauth.lock().expect("ofauth"), now),
            Who::Onlymonster => {
                let mut bucket = self.store.clone();
                onlymonster::step(request, &mut self.onlymonster.lock().expect("onlymonster"), &mut bucket, now)
            }
            Who::Apifansly => apifansly::step(request, &mut self.apifansly.lock().expect("apifansly"), now),
            Who::Store => wire::Response::empty(404),
        }
    }
}

/// A call of a vendor's API.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// Which vendor.
    pub who: Who,
    /// The path as the vendor knows it.
    pub path: String,
    /// Whether it comes by the proxy.
    pub proxied: bool,
}

/// Answers a call, as the vendor itself or as the proxy before it.
pub(crate) async fn handle(
    sandbox: &Arc<Sandbox>,
    call: Call,
    parts: Parts,
    body: Inbound,
    logged: &Arc<Logged>,
) -> Response<Payload> {
    let path = if call.proxied { own_account(call.who, &call.path) } else { call.path.clone() };
    let mut request = crate::wire::head(&parts, &path);
    let spooled = match take(sandbox, call.who, &parts, body).await {
        Ok((body, spooled)) => {
            request.body = body;
            spooled
        }
        Err(error) => return answer::error(400, format!("the body wasn't read: {error}")),
    };
    let key = request.header("idempotency-key").map(str::to_owned);
    if call.proxied {
        add_keys(&mut request, call.who, &sandbox.knobs());
    }
    let what = format!("{} {} {path}", parts.method, call.who.name());
    let (vendors, clock, who) = (sandbox.vendors.clone(), sandbox.clock.clone(), call.who);
    let run = async move {
        let step = tokio::task::spawn_blocking(move || {
            let response = vendors.step(who, &request, clock.now());
            if response.status < 400 {
                spooled.into_iter().for_each(Spooled::keep);
            }
            response
        });
        step.await.unwrap_or_else(|_| wire::Response::empty(500))
    };
    match key.filter(|_| call.proxied) {
        None => crate::wire::response(run.await),
        Some(key) => match sandbox.answers.once(&format!("{} {key}", who.name()), &what, run).await {
            Outcome::Ran(response) => crate::wire::response(response),
            Outcome::Copy(response) => {
                logged.set_copy();
                crate::wire::response(response)
            }
            Outcome::Misused { before } => answer::error(
                422,
                format!("this Idempotency-Key was sent with {before} before: each call needs its own"),
            ),
        },
    }
}

/// Reads a body as its call has it: file bytes to disk, a form apart, all else as text.
async fn take(sandbox: &Sandbox, who: Who, parts: &Parts, body: Inbound) -> Result<(Body, Vec<Spooled>), BodyError> {
    let content_type = parts.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if who == Who::Apifansly && content_type.starts_with("multipart/form-data") {
        let (fields, spooled) = form::read(content_type, body, &sandbox.spool).await?;
        return Ok((Body::Form(fields), spooled));
    }
    if who == Who::Ofauth && parts.method == hyper::Method::PUT {
        let spooled = sandbox.spool.take(body).await?;
        return Ok((Body::Content(spooled.content()), vec![spooled]));
    }
    let text = body.text().await?;
    Ok((if text.is_empty() { Body::Empty } else { Body::Text(text) }, Vec::new()))
}

/// The proxy's session says whose account it is, whatever the page wrote.
fn own_account(who: Who, path: &str) -> String {
    let (before, account) = match who {
        Who::Onlymonster => ("/api/v0/accounts/", ONLYMONSTER_ACCOUNT),
        Who::Apifansly => ("/api/fansly/", APIFANSLY_ACCOUNT),
        Who::Ofauth | Who::Store => return path.to_owned(),
    };
    let rest = path.strip_prefix(before).and_then(|rest| rest.split_once('/'));
    match rest {
        // `/api/fansly/media/upload/{jobId}/status` names no account.
        Some((first, rest)) if !(who == Who::Apifansly && first == "media") => format!("{before}{account}/{rest}"),
        _ => path.to_owned(),
    }
}

fn add_keys(request: &mut wire::Request, who: Who, knobs: &Knobs) {
    for name in NOT_PASSED_ON {
        request.headers.remove(name);
    }
    match who {
        Who::Ofauth => {
            request.headers.insert("apikey", &knobs.ofauth.api_key);
            request.headers.insert("x-connection-id", OFAUTH_CONNECTION);
        }
        Who::Onlymonster => request.headers.insert("x-om-auth-token", &knobs.onlymonster.token),
        Who::Apifansly => request.headers.insert("x-api-key", &knobs.apifansly.api_key),
        Who::Store => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_the_sessions() {
        let of = |who, path| own_account(who, path);
        assert_eq!(
            of(Who::Onlymonster, "/api/v0/accounts/9/vault/medias/uploads/start"),
            "/api/v0/accounts/1001/vault/medias/uploads/start"
        );
        assert_eq!(of(Who::Apifansly, "/api/fansly/9/media/upload"), "/api/fansly/2002/media/upload");
        let status = "/api/fansly/media/upload/j/status";
        assert_eq!(of(Who::Apifansly, status), status);
        assert_eq!(of(Who::Ofauth, "/v2/access/uploads/init"), "/v2/access/uploads/init");
    }
}
