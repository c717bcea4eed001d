//! A request as it goes out: headers, body, and the application's last word on it.

use js_sys::{Function, JSON};
use wasm_bindgen::prelude::*;
use web_sys::{Headers, RequestCredentials};

use super::body;
use super::js::{Plain, function, member, message, outcome, tag, text};
use super::options::Page;
use super::platform::WebPlatform;
use crate::error::{Cause, Code, Step, UploadError};
use crate::http::{Body, Request};
use crate::platform::SendFailure;

/// What goes out as JSON, as `js::tag` names it.
const JSON_VALUES: [&str; 4] = ["[object Object]", "[object Array]", "[object Number]", "[object Boolean]"];

/// A method that tells a Blob, and one that tells a form, where they don't call themselves so: those of test runners' DOMs.
const SENDABLE: [&str; 2] = ["arrayBuffer", "append"];

/// What a transport sends.
pub(super) struct Outgoing {
    step: Step,
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: Headers,
    /// null, text, or anything that `fetch` takes.
    pub(super) body: JsValue,
    /// True where a JSON value was meant to go out.
    json: bool,
    pub(super) credentials: RequestCredentials,
    /// True for a presigned URL: nothing of the page goes there.
    pub(super) presigned: bool,
    /// True where a vendor's key goes along.
    pub(super) keyed: bool,
    /// True for a body that must not arrive twice.
    pub(super) once: bool,
    /// How many bytes of the file are in the body.
    pub(super) size: u64,
}

impl Outgoing {
    /// A request as it was made, before anybody else had a word.
    pub(super) fn new(page: &Page, request: &Request<WebPlatform>) -> Result<Self, SendFailure> {
        let (method, url, credentials, keyed) = match request {
            Request::Api(request) => (request.method, &request.url, page.credentials, request.keyed),
            // What was signed, and no word of the application's.
            Request::Store(request) => (request.method(), &request.url().href, RequestCredentials::Omit, false),
        };
        let mut outgoing = Self {
            step: request.step(),
            method: method.as_str().into(),
            url: url.clone(),
            headers: Headers::new().map_err(|_| refused("The browser makes no `Headers`.".into()))?,
            body: JsValue::NULL,
            json: false,
            size: request.body().file_len(),
            // A vendor's key and the page's cookies don't go to another origin together.
            credentials: match credentials {
                RequestCredentials::Include if keyed => RequestCredentials::SameOrigin,
                credentials => credentials,
            },
            presigned: matches!(request, Request::Store(_)),
            keyed,
            once: request.once(),
        };
        match request {
            Request::Api(request) => {
                for (name, value) in &request.headers {
                    outgoing.append(name, value)?;
                }
            }
            Request::Store(request) => {
                for (name, value) in request.headers() {
                    outgoing.append(name, value)?;
                }
            }
        }
        outgoing.carry(request.body())?;
        Ok(outgoing)
    }

    fn append(&self, name: &str, value: &str) -> Result<(), SendFailure> {
        self.headers
            .append(name, value)
            .map_err(|_| refused(text!("The header {} has a value that can't be sent.", name)))
    }

    /// Takes up the body before it is serialised. Its content type joins the headers, where it needs to.
    fn carry(&mut self, body: &Body<WebPlatform>) -> Result<(), SendFailure> {
        let unusable = |_| refused("The browser can't make a body of the file.".into());
        self.body = match body {
            Body::Empty => JsValue::NULL,
            Body::Json(value) => {
                self.json = true;
                value.clone()
            }
            Body::Xml(text) => body::untyped(text).map_err(unusable)?.into(),
            Body::Form { fields, file, filename } => body::form(fields, file, filename).map_err(unusable)?.into(),
            Body::File(file) => {
                let content = body::file(file).map_err(unusable)?;
                if let Some(content_type) = body::unsaid_type(file, &content) {
                    self.headers
                        .set("content-type", content_type)
                        .map_err(|_| refused(text!("\"{}\" can't be sent as a content type.", content_type)))?;
                }
                content.into()
            }
        };
        Ok(())
    }

    /// Writes a JSON value as text; anything else goes out as it is: text, a Blob, a form, bytes, nothing.
    pub(super) fn serialise(&mut self) -> Result<(), SendFailure> {
        let sendable = SENDABLE.iter().any(|method| function(&self.body, method).is_some());
        if !sendable && JSON_VALUES.contains(&tag(&self.body).as_str()) {
            self.body = JSON::stringify(&self.body).map_err(|_| self.refused())?.into();
            self.json = true;
        }
        let typed = self.headers.has("content-type").unwrap_or(true);
        if self.json && !typed && self.body.is_string() {
            let _ = self.headers.set("content-type", "application/json");
        }
        Ok(())
    }

    /// The URL without its query, which may be a secret.
    fn address(&self) -> &str {
        let end = self.url.bytes().position(|byte| byte == b'?' || byte == b'#');
        end.map_or(&self.url, |end| &self.url[..end])
    }

    /// For a request that the browser won't make. Its own words are left out: they quote the whole URL.
    pub(super) fn refused(&self) -> SendFailure {
        refused(text!("The browser refuses to make the request {} {}.", self.method, self.address()))
    }
}

fn refused(message: String) -> SendFailure {
    SendFailure::Refused(
        UploadError::new(Code::InvalidOptions, message)
            .hint("Check the provider's options, and what `beforeRequest` and `mapUrl` make of the request.")
            .answer_lost(false),
    )
}

/// Lets `beforeRequest` have its word.
pub(super) async fn ask(before_request: &Function, outgoing: &mut Outgoing) -> Result<(), SendFailure> {
    let shown = shown(outgoing)?;
    let answer = outcome(before_request.call1(&JsValue::UNDEFINED, &shown)).await;
    answer.map_err(|thrown| SendFailure::Refused(failed("beforeRequest", thrown)))?;
    changed(outgoing, &shown)
        .ok_or_else(|| refused("`beforeRequest` left a request without a method, an address or headers.".into()))
}

/// What the application sees of a request, and may change.
fn shown(outgoing: &Outgoing) -> Result<JsValue, SendFailure> {
    let mut body = outgoing.body.clone();
    if outgoing.json {
        // What is changed in place must not be changed again at the next attempt.
        body =
            JSON::stringify(&body).and_then(|text| JSON::parse(&String::from(text))).map_err(|_| outgoing.refused())?;
    }
    Ok(Plain::new()
        .with("step", outgoing.step.as_str())
        .with("method", &outgoing.method)
        .with("url", &outgoing.url)
        .with("headers", &outgoing.headers)
        .with("body", body)
        .into())
}

/// Takes over what the application made of the request; None where it makes none.
fn changed(outgoing: &mut Outgoing, shown: &JsValue) -> Option<()> {
    outgoing.method = text(shown, "method")?;
    let url = member(shown, "url")?;
    outgoing.url = url.as_string().or_else(|| text(&url, "href"))?;
    // A plain object in place of the `Headers` is as good.
    let headers = member(shown, "headers")?;
    outgoing.headers = Headers::new_with_headers(headers.unchecked_ref()).ok()?;
    outgoing.body = member(shown, "body").unwrap_or(JsValue::NULL);
    Some(())
}

/// What a function of the application threw, as an error.
pub(super) fn failed(function: &str, thrown: JsValue) -> UploadError {
    UploadError::new(Code::Application, text!("The application's `{}` failed: {}", function, message(&thrown)))
        .hint("`cause` has what it threw.")
        .answer_lost(false)
        .cause(Some(Cause(std::rc::Rc::new(thrown))))
}
