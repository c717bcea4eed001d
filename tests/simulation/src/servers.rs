//! Everything behind the page: the proxies on its own origin, the vendors, and the stores.

use std::collections::BTreeMap;

use partway_models::wire::{Request, Response};
use partway_models::{apifansly, form, ofauth, onlymonster, store};

use crate::backend::Backend;
use crate::wiring::{Cors, Outgoing, PAGE};

/// The store of `s3` and `plan`.
pub const STORE: &str = "https://store.example";
/// Its second host name.
pub const STORE_TWO: &str = "https://store-two.example";
/// The store behind Onlymonster.
pub const VAULT: &str = "https://vault.example";
/// The bucket of `s3` and `plan`.
pub const BUCKET: &str = "media";

/// One vendor: where it is, and what its proxy adds.
struct Place {
    origin: &'static str,
    proxy: &'static str,
    who: Who,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Ofauth,
    Onlymonster,
    Apifansly,
    Form,
}

/// The application's own server, under another origin than the page's.
pub const FORMS: &str = "https://forms.example";

const PLACES: [Place; 4] = [
    Place { origin: "https://api.ofauth.com", proxy: "/api/ofauth", who: Who::Ofauth },
    Place { origin: "https://omapi.onlymonster.ai", proxy: "/api/onlymonster", who: Who::Onlymonster },
    Place { origin: "https://v1.apifansly.com", proxy: "/api/apifansly", who: Who::Apifansly },
    Place { origin: FORMS, proxy: "/api/form", who: Who::Form },
];

/// All servers of a world, with their states open to tests.
#[derive(Debug)]
pub struct Servers {
    /// OFAuth.
    pub ofauth: ofauth::State,
    /// Onlymonster.
    pub onlymonster: onlymonster::State,
    /// apifansly.
    pub apifansly: apifansly::State,
    /// The application's own server that takes forms.
    pub form: form::State,
    /// The store of `s3` and `plan`.
    pub store: store::State,
    /// The store behind Onlymonster.
    pub vault: store::State,
    /// The application's backend of `plan`.
    pub backend: Backend,
    /// The CORS rule of the stores.
    pub bucket_cors: Cors,
    /// The CORS rule of the vendors.
    pub vendor_cors: Cors,
    /// Secrets that no foreign origin may get, in any header or URL: those of issued credentials.
    pub secrets: Vec<String>,
    /// Hosts of the store that don't work as the others do.
    pub bad_hosts: BTreeMap<&'static str, BadHost>,
    /// No connection came about last time, to a host that falters.
    falters: bool,
    answered: BTreeMap<String, Response>,
}

/// How a host doesn't work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadHost {
    /// It refuses everything (403).
    Refuses,
    /// The page's policy forbids requests to it.
    Forbidden,
    /// No connection comes about.
    Gone,
    /// By turns no connection comes about, and a proxy answers in its place (502).
    Falters,
}

impl Servers {
    /// All empty.
    pub fn new(seed: u64) -> Self {
        let bucket = |endpoint: &str| {
            store::State::new(store::Config { endpoint: endpoint.into(), seed, ..store::Config::default() })
        };
        Self {
            ofauth: ofauth::State::new(ofauth::Config { seed, ..ofauth::Config::default() }),
            onlymonster: onlymonster::State::new(onlymonster::Config { seed, ..onlymonster::Config::default() }),
            apifansly: apifansly::State::new(apifansly::Config { seed, ..apifansly::Config::default() }),
            form: form::State::new(form::Config { seed, reply: form::Reply::Job, ..form::Config::default() }),
            store: bucket(STORE),
            vault: bucket(VAULT),
            backend: Backend::default(),
            bucket_cors: Cors::bucket(),
            vendor_cors: Cors::vendor(),
            secrets: Vec::new(),
            bad_hosts: BTreeMap::new(),
            falters: false,
            answered: BTreeMap::new(),
        }
    }

    /// The name of a call, `<who>:<call>`.
    pub fn route(&self, origin: &str, request: &Request) -> &'static str {
        match vendor(origin, request) {
            Some((Who::Ofauth, request, _)) => ofauth::route(&request),
            Some((Who::Onlymonster, request, _)) => onlymonster::route(&request),
            Some((Who::Apifansly, request, _)) => apifansly::route(&request),
            Some((Who::Form, request, _)) => form::route(&request),
            None if [STORE, STORE_TWO, VAULT].contains(&origin) => store::route(request),
            // Whether there is a network after all.
            None if origin == PAGE && request.method == "HEAD" => "page:look",
            None => "unknown:unknown",
        }
    }

    /// An origin's CORS rule; None where no server answers.
    pub(crate) fn cors(&self, origin: &str) -> Option<Cors> {
        if origin == PAGE {
            return Some(Cors::same_origin());
        }
        if [STORE, STORE_TWO, VAULT].contains(&origin) {
            return Some(self.bucket_cors.clone());
        }
        if origin.ends_with(".amazonaws.com") {
            // A bucket without a CORS rule.
            return Some(Cors { closed: true, ..Cors::bucket() });
        }
        PLACES.iter().any(|place| place.origin == origin).then(|| self.vendor_cors.clone())
    }

    /// Whether no connection to an origin comes about this time.
    pub(crate) fn is_gone(&mut self, origin: &str) -> bool {
        match self.bad_hosts.get(origin) {
            Some(BadHost::Gone) => true,
            Some(BadHost::Falters) => {
                self.falters = !self.falters;
                self.falters
            }
            _ => false,
        }
    }

    /// Answers a request; true where it took effect, as its status says.
    pub(crate) fn step(&mut self, origin: &str, request: &Request, now: u64) -> (Response, bool) {
        if self.bad_hosts.get(origin) == Some(&BadHost::Refuses) {
            let body = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
            return (Response { body: body.into(), ..Response::empty(403) }, false);
        }
        if self.bad_hosts.get(origin) == Some(&BadHost::Falters) {
            return (Response::empty(502), false);
        }
        let done = |answer: Response| {
            let effect = (200..300).contains(&answer.status);
            (answer, effect)
        };
        let Some((who, mut request, proxied)) = vendor(origin, request) else {
            return done(match origin {
                STORE | STORE_TWO => store::http_step(request, &mut self.store, now),
                VAULT => store::http_step(request, &mut self.vault, now),
                _ => Response::empty(404),
            });
        };
        if who == Who::Form {
            self.form.config.base_path = if proxied { "/api/form" } else { "" }.into();
        }
        if !proxied {
            return done(self.ask(who, &request, now));
        }
        let copy_of = request.header("idempotency-key").map(|key| format!("{} {} {key}", request.method, request.path));
        if let Some(answer) = copy_of.as_ref().and_then(|key| self.answered.get(key)) {
            return (answer.clone(), false);
        }
        self.add_keys(who, &mut request);
        let answer = self.ask(who, &request, now);
        if let Some(key) = copy_of {
            self.answered.insert(key, answer.clone());
        }
        done(answer)
    }

    fn ask(&mut self, who: Who, request: &Request, now: u64) -> Response {
        match who {
            Who::Ofauth => ofauth::step(request, &mut self.ofauth, now),
            Who::Onlymonster => onlymonster::step(request, &mut self.onlymonster, &mut self.vault, now),
            Who::Apifansly => apifansly::step(request, &mut self.apifansly, now),
            Who::Form => form::step(request, &mut self.form, now),
        }
    }

    /// What a proxy adds, from its own session: keys, and OFAuth's connection.
    fn add_keys(&self, who: Who, request: &mut Request) {
        request.headers.remove("idempotency-key");
        match who {
            Who::Ofauth => {
                request.headers.insert("apikey", &self.ofauth.config.api_key);
                let first = self.ofauth.config.connections.first();
                if !request.headers.contains("x-connection-id") {
                    request.headers.insert("x-connection-id", first.map_or("", String::as_str));
                }
            }
            Who::Onlymonster => request.headers.insert("x-om-auth-token", &self.onlymonster.config.token),
            Who::Apifansly => request.headers.insert("x-api-key", &self.apifansly.config.api_key),
            // The session's cookie, as it were.
            Who::Form => request.headers.insert("x-form-key", &self.form.config.key),
        }
    }

    /// What a request carries that its origin must never see.
    pub(crate) fn secrets_given_away(&self, origin: &str, outgoing: &Outgoing) -> Vec<String> {
        let keys = [
            (Who::Ofauth, &self.ofauth.config.api_key),
            (Who::Onlymonster, &self.onlymonster.config.token),
            (Who::Apifansly, &self.apifansly.config.api_key),
            (Who::Form, &self.form.config.key),
        ];
        let home = |who: Who| PLACES.iter().any(|place| place.who == who && place.origin == origin);
        let foreign = keys.iter().filter(|(who, _)| !home(*who)).map(|(_, key)| *key).chain(&self.secrets);
        let body = outgoing.json.as_ref().map(ToString::to_string).unwrap_or_default();
        let mut sentences = Vec::new();
        for secret in foreign {
            let in_header = outgoing.request.headers.iter().find(|(_, value)| value.contains(secret.as_str()));
            if let Some((name, _)) = in_header {
                sentences.push(format!("the header {name} carries a secret to {origin}"));
            }
            if outgoing.url.contains(secret.as_str()) || body.contains(secret.as_str()) {
                sentences.push(format!("a secret goes to {origin}"));
            }
        }
        if outgoing.presigned {
            sentences.extend(unsigned_headers(outgoing));
            if vendor(origin, &outgoing.request).is_some() {
                sentences.push("a request to an API goes without its headers, as if presigned".into());
            }
        } else if [STORE, STORE_TWO, VAULT].contains(&origin) {
            sentences.push("a store gets the headers of an API".into());
        }
        sentences
    }
}

/// A presigned URL gets the headers that it signed, and no other; a content type may go unsigned.
fn unsigned_headers(outgoing: &Outgoing) -> Vec<String> {
    let Some(signed) = outgoing.request.query("X-Amz-SignedHeaders") else { return Vec::new() };
    let signed: Vec<&str> = signed.split(';').collect();
    let names = outgoing.request.headers.iter().map(|(name, _)| name);
    names
        .filter(|name| !signed.contains(name) && *name != "content-type")
        .map(|name| format!("the header {name} isn't signed"))
        .collect()
}

/// Whose API a request is for, as the vendor sees it, and whether a proxy stands between.
fn vendor(origin: &str, request: &Request) -> Option<(Who, Request, bool)> {
    for place in &PLACES {
        if origin == place.origin {
            return Some((place.who, request.clone(), false));
        }
        let proxied = request.path.strip_prefix(place.proxy).filter(|path| origin == PAGE && path.starts_with('/'));
        if let Some(path) = proxied {
            return Some((place.who, Request { path: path.into(), ..request.clone() }, true));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outgoing(url: &str, header: (&str, &str), presigned: bool) -> Outgoing {
        Outgoing {
            url: url.into(),
            method: "PUT",
            request: Request::new("PUT", url).with_header(header.0, header.1),
            json: None,
            range: None,
            presigned,
            own_headers: vec![header.0.into()],
            faults: Vec::new(),
        }
    }

    #[test]
    fn secrets_are_seen_wherever_they_go() {
        let mut servers = Servers::new(1);
        servers.secrets.push("issued-secret".into());
        let told = |url: &str, header, presigned| {
            let origin = crate::platform::resolve(url).map(|url| url.origin).unwrap_or_default();
            servers.secrets_given_away(&origin, &outgoing(url, header, presigned)).len()
        };
        let key = ("apikey", "ofauth-key");
        assert_eq!(told("https://api.ofauth.com/v2/access/uploads/init", key, false), 0);
        assert_eq!(told("https://app.example/api/ofauth/v2/access/uploads/init", key, false), 1);
        assert_eq!(told("https://v1.apifansly.com/api/fansly/1/media/upload", key, false), 1);
        assert_eq!(told("https://evil.example/?k=ofauth-key", ("x-a", "b"), true), 1);
        assert_eq!(told("https://store.example/media/k?a=issued-secret", ("x-a", "b"), true), 1);
        assert_eq!(told("https://store.example/media/k", ("x-a", "b"), false), 1, "no headers of an API");
        let signed = "https://store.example/media/k?X-Amz-SignedHeaders=host%3Bx-amz-meta-a";
        assert_eq!(told(signed, ("x-amz-meta-a", "b"), true), 0);
        assert_eq!(told(signed, ("x-amz-meta-b", "b"), true), 1, "not signed");
    }

    #[test]
    fn a_proxy_drops_copies() {
        let mut servers = Servers::new(1);
        let body = serde_json::json!({ "filename": "a.mp4", "size": 5, "contentType": "video/mp4" });
        let url = "https://app.example/api/ofauth/v2/access/uploads/init";
        let request = Request::new("POST", url).with_json(&body).with_header("idempotency-key", "1");
        let (first, effect) = servers.step(PAGE, &request, 0);
        assert_eq!((first.status, effect), (200, true));
        assert_eq!(servers.step(PAGE, &request, 9), (first, false));
        assert!(servers.step(PAGE, &request.clone().with_header("idempotency-key", "2"), 9).1);
        assert_eq!(servers.ofauth.sessions_opened(), 2);
    }
}
