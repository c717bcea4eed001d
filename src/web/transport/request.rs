//! A request as it goes out.

use js_sys::JSON;
use wasm_bindgen::JsValue;
use web_sys::{Headers, RequestCredentials};

use super::body;
use crate::error::{Code, Step, UploadError};
use crate::http::{Body, Request, Url};
use crate::platform::SendFailure;
use crate::web::file_bytes::FileBytes;
use crate::web::js::object::{function, tag};

/// What goes out as JSON, as `tag` names it.
const JSON_VALUES: [&str; 4] = ["[object Object]", "[object Array]", "[object Number]", "[object Boolean]"];

/// Methods by which a Blob and a form are known that don't have their tags: those of test runners' DOMs.
const SENDABLE: [&str; 2] = ["arrayBuffer", "append"];

/// What a transport sends.
pub(super) struct Outgoing {
    /// What it is for.
    pub(super) step: Step,
    /// Its method.
    pub(super) method: String,
    /// Its URL.
    pub(super) url: String,
    /// The same, parsed; None where it isn't known to be http or https.
    pub(super) parsed: Option<Url>,
    /// Its headers.
    pub(super) headers: Headers,
    /// null, text, or anything else that `fetch` takes.
    pub(super) body: JsValue,
    /// Whether the body was made as a JSON value.
    pub(super) json: bool,
    /// Whether cookies go along.
    pub(super) credentials: RequestCredentials,
    /// Whether it goes to a presigned URL, which gets nothing of the page.
    pub(super) presigned: bool,
    /// Whether it carries a vendor's key.
    pub(super) has_credentials: bool,
    /// Whether its body must not arrive twice.
    pub(super) must_not_repeat: bool,
    /// How many bytes of the file are in the body.
    pub(super) size: u64,
}

impl Outgoing {
    /// A request as the engine made it. `credentials` are for API requests.
    pub(super) fn new(
        credentials: RequestCredentials,
        request: &Request<JsValue, FileBytes>,
    ) -> Result<Self, SendFailure> {
        let (method, url, parsed, credentials, has_credentials) = match request {
            // A vendor's key and the page's cookies don't go to another origin together.
            Request::Api(request) if request.has_credentials && credentials == RequestCredentials::Include => {
                (request.method, &request.url, None, RequestCredentials::SameOrigin, true)
            }
            Request::Api(request) => (request.method, &request.url, None, credentials, request.has_credentials),
            Request::Store(request) => {
                let url = request.url();
                (request.method(), &url.href, Some(url.clone()), RequestCredentials::Omit, false)
            }
        };
        let mut outgoing = Self {
            step: request.step(),
            method: method.as_str().into(),
            url: url.clone(),
            parsed,
            headers: Headers::new().map_err(|_| refused("The browser can't create a `Headers` object.".into()))?,
            body: JsValue::NULL,
            json: false,
            size: request.body().file_len(),
            credentials,
            presigned: matches!(request, Request::Store(_)),
            has_credentials,
            must_not_repeat: request.must_not_repeat(),
        };
        let headers = match request {
            Request::Api(request) => &request.headers,
            Request::Store(request) => request.headers(),
        };
        for (name, value) in headers {
            outgoing.append(name, value)?;
        }
        outgoing.set_body(request.body())?;
        Ok(outgoing)
    }

    fn append(&self, name: &str, value: &str) -> Result<(), SendFailure> {
        self.headers
            .append(name, value)
            .map_err(|_| refused(text!("The header `{}` has characters that HTTP can't carry.", name)))
    }

    /// Sets the body, which isn't serialised yet, and the header for its content type where the body doesn't bring that itself.
    fn set_body(&mut self, body: &Body<JsValue, FileBytes>) -> Result<(), SendFailure> {
        let unusable = |_| refused("The browser can't make a request body from the file.".into());
        self.body = match body {
            Body::Empty => JsValue::NULL,
            Body::Json(value) => {
                self.json = true;
                value.clone()
            }
            Body::Xml(text) => body::untyped(text).map_err(unusable)?.into(),
            Body::Form { fields, file_field, file, filename } => {
                body::form(fields, file_field, file, filename).map_err(unusable)?.into()
            }
            Body::File(file) => {
                let (content, content_type) = body::file(file, self.presigned).map_err(unusable)?;
                if let Some(content_type) = content_type {
                    self.headers.set("content-type", content_type).map_err(|_| {
                        refused(text!("The content type \"{}\" has characters that HTTP can't carry.", content_type))
                    })?;
                }
                content
            }
        };
        Ok(())
    }

    /// Serialises a JSON value; any other body goes out as it is: text, a Blob, a form, bytes, nothing.
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

    /// The failure of a request that the browser doesn't send. The browser's own message is left out: it quotes the whole URL.
    pub(super) fn refused(&self) -> SendFailure {
        refused(text!("The browser refuses to send the request {} {}.", self.method, self.address()))
    }
}

/// The failure of a request that can't be sent.
pub(super) fn refused(message: String) -> SendFailure {
    SendFailure::Refused(
        UploadError::new(Code::InvalidOptions, message)
            .hint("Check the provider's options, and what `beforeRequest` and `mapUrl` change.")
            .answer_lost(false),
    )
}
