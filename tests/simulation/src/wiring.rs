//! A browser's part in a request: what of it goes on the wire, which rules it keeps, and what of the answer the page may read.

use partway::http::{Body, Method, Request, Response};
use partway::model::events::Outcome;
use partway::model::file::{ContentType, FileBody};
use partway::model::plan::ByteRange;
use partway::platform::{BodyOf, RequestOf};
use partway_models::wire::{self, FormField, FormValue};
use serde_json::Value;

use crate::file::File;
use crate::platform::SimPlatform;

/// The page's own origin, where the proxies are.
pub const PAGE: &str = "https://app.example";
/// The same server by plain http, as an intranet's.
pub const PLAIN_PAGE: &str = "http://app.example";

/// The result of an upload in this world, as the engine has it.
pub type SimOutcome = Outcome<SimPlatform>;

/// A request as it leaves the browser.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) url: String,
    pub(crate) method: &'static str,
    pub(crate) request: wire::Request,
    pub(crate) json: Option<Value>,
    pub(crate) range: Option<ByteRange>,
    /// True for a request that goes to a presigned URL.
    pub(crate) presigned: bool,
    /// Headers that the engine set itself: those a preflight asks about.
    pub(crate) own_headers: Vec<String>,
    /// What the engine did that no browser or contract allows.
    pub(crate) faults: Vec<String>,
}

impl Outgoing {
    /// The bytes of the file that go out.
    pub(crate) fn file_len(&self) -> u64 {
        self.range.map_or(0, ByteRange::len)
    }
}

/// Puts a request into the form in which a server gets it.
pub(crate) fn to_wire(request: &RequestOf<SimPlatform>) -> Outgoing {
    let (url, method, headers, presigned) = match request {
        Request::Api(api) => {
            let headers = api.headers.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
            (api.url.clone(), api.method, headers, false)
        }
        Request::Store(store) => (store.url().href.clone(), store.method(), store.headers().to_vec(), true),
    };
    let mut outgoing = Outgoing {
        request: wire::Request::new(method.as_str(), url.split('#').next().unwrap_or(&url)),
        url,
        method: method.as_str(),
        json: None,
        range: None,
        presigned,
        own_headers: headers.iter().map(|(name, _): &(String, String)| name.to_ascii_lowercase()).collect(),
        faults: Vec::new(),
    };
    for (name, value) in &headers {
        forbid(name, value, &mut outgoing.faults);
        if outgoing.request.headers.contains(name) {
            outgoing.faults.push(format!("the header {name} is set twice"));
        }
        outgoing.request.headers.append(name, value);
    }
    let bodiless = matches!(method, Method::Get | Method::Head);
    if bodiless && !matches!(request.body(), Body::Empty) {
        outgoing.faults.push(format!("a {} with a body", method.as_str()));
    }
    fill(&mut outgoing, request.body());
    outgoing
}

/// Headers that a page can't set (Fetch standard, "forbidden request-header").
fn forbid(name: &str, value: &str, faults: &mut Vec<String>) {
    let lower = name.to_ascii_lowercase();
    let forbidden = ["host", "content-length", "cookie", "origin", "referer", "date", "connection", "expect"];
    if forbidden.contains(&lower.as_str()) || lower.starts_with("sec-") || lower.starts_with("proxy-") {
        faults.push(format!("a page can't set the header {name}"));
    }
    if value.bytes().any(|byte| byte < 32 || byte == 127) {
        faults.push(format!("the header {name} has a value that can't be sent"));
    }
}

fn fill(outgoing: &mut Outgoing, body: &BodyOf<SimPlatform>) {
    match body {
        Body::Empty => {}
        Body::Json(value) => {
            outgoing.json = Some(value.clone());
            outgoing.request.body = wire::Body::Text(value.to_string().into_bytes());
            default_type(outgoing, "application/json");
        }
        Body::Xml(text) => {
            outgoing.request.body = wire::Body::Text(text.clone().into_bytes());
            default_type(outgoing, "application/xml");
        }
        Body::File(file) => {
            outgoing.range = Some(file.range);
            outgoing.request.body = wire::Body::Content(file.blob.content(file.range));
            match sent_type(file) {
                Some(kind) => default_type(outgoing, &kind),
                None if outgoing.request.headers.contains("content-type") => {
                    outgoing.faults.push("a file's content type is set as a header, beside its body".into());
                }
                None => {}
            }
        }
        Body::Form { fields, file_field, file, filename } => {
            outgoing.range = Some(file.range);
            let field = |name: &str, value: &str| FormField {
                name: name.into(),
                filename: None,
                content_type: None,
                value: FormValue::Bytes(value.as_bytes().to_vec()),
            };
            let mut form: Vec<_> = fields.iter().map(|(name, value)| field(name, value)).collect();
            form.push(FormField {
                name: file_field.to_string(),
                filename: Some(filename.clone()),
                content_type: sent_type(file),
                value: FormValue::Content(file.blob.content(file.range)),
            });
            outgoing.request.body = wire::Body::Form(form);
            if outgoing.request.headers.contains("content-type") {
                outgoing.faults.push("a form's content type is the browser's to write".into());
            }
            default_type(outgoing, "multipart/form-data; boundary=----partway");
        }
    }
}

/// A slice goes with the type that it was given; the file itself with its own.
fn sent_type(file: &FileBody<File>) -> Option<String> {
    let is_whole = file.range == ByteRange::new(0, file.blob.size());
    match &file.content_type {
        ContentType::Exactly(kind) => Some(kind.clone()).filter(|kind| !kind.is_empty()),
        ContentType::Any if is_whole => Some(file.blob.kind.clone()).filter(|kind| !kind.is_empty()),
        ContentType::Any | ContentType::Absent => None,
    }
}

fn default_type(outgoing: &mut Outgoing, kind: &str) {
    if !outgoing.request.headers.contains("content-type") {
        outgoing.request.headers.insert("content-type", kind);
    }
}

/// The CORS rule of an origin, as the sandbox sets it.
#[derive(Clone, Debug)]
pub struct Cors {
    /// Whether the CORS rule lets no page in: a preflight fails, and no answer can be read.
    pub closed: bool,
    /// Headers that a page may send; None takes all.
    pub allows: Option<Vec<String>>,
    /// Headers that a page may read; None gives all.
    pub exposes: Option<Vec<String>>,
    /// Errors go without CORS headers, so that no page can read them (Garage; AWS for some refusals).
    pub hides_errors: bool,
}

/// Readable without being exposed (Fetch standard, "CORS-safelisted response-header name").
const SAFE: [&str; 7] =
    ["cache-control", "content-language", "content-length", "content-type", "expires", "last-modified", "pragma"];

impl Cors {
    /// The page's own origin: everything.
    pub fn same_origin() -> Self {
        Self { closed: false, allows: None, exposes: None, hides_errors: false }
    }

    /// A bucket that pages upload to (the rule that Partway's README prints).
    pub fn bucket() -> Self {
        let list = |names: &[&str]| Some(names.iter().map(|name| name.to_string()).collect());
        Self {
            closed: false,
            allows: list(&["content-type", "content-md5", "cache-control", "if-none-match", "x-amz-*"]),
            exposes: list(&[
                "etag",
                "retry-after",
                "date",
                "x-amz-request-id",
                "x-amz-version-id",
                "x-amz-server-side-encryption",
                "x-amz-checksum-crc64nvme",
                "x-amz-checksum-sha256",
                "x-amz-checksum-type",
            ]),
            hides_errors: false,
        }
    }

    /// A vendor that lets pages call it. No vendor allows an `Idempotency-Key`: none documents one.
    pub fn vendor() -> Self {
        let list = |names: &[&str]| Some(names.iter().map(|name| name.to_string()).collect());
        Self {
            closed: false,
            allows: list(&[
                "content-type",
                "apikey",
                "x-connection-id",
                "x-om-auth-token",
                "x-api-key",
                "x-form-key",
                "x-requested-with",
            ]),
            exposes: list(&[
                "etag",
                "retry-after",
                "x-ratelimit-limit",
                "x-ratelimit-remaining",
                "x-ratelimit-reset",
                "x-ratelimit-retry-after",
                "x-ofauth-upload-total-parts",
                "x-ofauth-upload-part-size",
            ]),
            hides_errors: false,
        }
    }

    /// The first of these headers that a preflight refuses.
    pub fn refuses<'a>(&self, names: &'a [String]) -> Option<&'a String> {
        let allows = self.allows.as_ref()?;
        let fits = |pattern: &String, name: &String| match pattern.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => pattern == name,
        };
        names.iter().find(|name| !allows.iter().any(|pattern| fits(pattern, name)))
    }

    /// What the page gets to see of an answer.
    pub fn filter(&self, answer: &wire::Response, hide_etag: bool) -> Response {
        let readable = |name: &str| {
            SAFE.contains(&name) || self.exposes.as_ref().is_none_or(|names| names.iter().any(|known| known == name))
        };
        Response {
            status: answer.status,
            headers: answer
                .headers
                .iter()
                .filter(|(name, _)| readable(name) && !(hide_etag && *name == "etag"))
                .map(|(name, value)| (name.to_string(), value.to_string()))
                .collect(),
            body: answer.text(),
            ..Response::default()
        }
    }
}
