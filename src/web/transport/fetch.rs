//! Requests by `fetch`, the page's or the caller's own.

use gloo_net::http::Response as GlooResponse;
use js_sys::{Function, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{AbortController, ReadableStreamDefaultReader, ResponseType};

use super::body::joined;
use super::headers::pairs;
use super::limits::{MAX_ANSWER, announces_too_much};
use super::request::Outgoing;
use crate::error::{Code, UploadError};
use crate::http::Response;
use crate::http::foreign::{Foreign, says_html};
use crate::platform::SendFailure;
use crate::web::js::abort::AbortGuard;
use crate::web::js::object::{list, member, tag};
use crate::web::js::promise::{outcome, settled};
use crate::web::js::{ObjectBuilder, Outcome, Signal, url};

#[wasm_bindgen]
extern "C" {
    /// The page's `fetch`, looked up at each call since a page may wrap it.
    #[wasm_bindgen(js_name = fetch, catch)]
    pub(super) fn page_fetch(request: &web_sys::Request) -> Result<JsValue, JsValue>;
}

/// No answer, or an incomplete one: `fetch` doesn't report how much had gone out.
const LOST: SendFailure = SendFailure::Network { body_sent: None };

/// A request in flight. Dropped, it is aborted.
pub(super) struct Exchange {
    guard: AbortGuard,
    result: Signal<Outcome>,
}

/// Sends a request.
pub(super) fn start(own: Option<&Function>, outgoing: &Outgoing) -> Result<Exchange, SendFailure> {
    let controller = AbortController::new().map_err(|_| LOST)?;
    let request = request(outgoing, &controller.signal()).ok_or_else(|| outgoing.refused())?;
    let guard = AbortGuard(Some(controller));
    let called = match own {
        Some(own) => own.call1(&JsValue::UNDEFINED, &request),
        None => page_fetch(&request),
    };
    Ok(Exchange { guard, result: outcome(called) })
}

impl Exchange {
    /// Waits for the response and reads it.
    pub(super) async fn response(mut self) -> Result<Response, SendFailure> {
        // A rejection may be anything where a page wraps `fetch`, and says no more than that no answer came.
        let response = checked(self.result.await.map_err(|_| LOST)?)?;
        let headers = pairs(&response.headers());
        let body = if announces_too_much(&headers) { Content::TooLong } else { read(&response).await.ok_or(LOST)? };
        let body = match body {
            Content::Text(text) => {
                self.guard.0 = None;
                text
            }
            // The guard aborts the rest.
            Content::TooLong => String::new(),
        };
        Ok(Response { status: response.status(), headers, body, ..Response::default() })
    }
}

/// What a response carries.
enum Content {
    /// The whole text.
    Text(String),
    /// More than an API answers.
    TooLong,
}

/// What `fetch` resolved to, if it is a response to this very request.
fn checked(value: JsValue) -> Result<GlooResponse, SendFailure> {
    if tag(&value) != "[object Response]" {
        return Err(SendFailure::Refused(
            UploadError::new(Code::Application, "`fetch` must resolve to a Response, but resolved to something else.")
                .hint("A function given as the option `fetch` must behave as the browser's own.")
                .answer_lost(true),
        ));
    }
    let response = GlooResponse::from(value.unchecked_into::<web_sys::Response>());
    // The caller's own `fetch` may follow redirects all the same.
    if response.redirected() || response.type_() == ResponseType::Opaqueredirect {
        return Err(SendFailure::Redirected(Foreign {
            status: Some(response.status()).filter(|status| *status != 0),
            page: says_html(response.headers().get("content-type").as_deref()),
            redirected: true,
            to: url::resolve(&response.url()).map(|url| url.origin).filter(|_| response.redirected()),
        }));
    }
    if response.status() == 0 { Err(LOST) } else { Ok(response) }
}

/// Reads the body as `text()` does; None where the connection is lost. It reads chunk by chunk: an endless answer would fill the page's
/// memory.
async fn read(response: &GlooResponse) -> Option<Content> {
    let Some(stream) = response.body() else { return Some(Content::Text(String::new())) };
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    let chunks = list(&[]);
    let mut length = 0;
    loop {
        let chunk = settled(&reader.read()).await.ok()?;
        let Some(value) = member(&chunk, "value") else { break };
        if tag(&value) != "[object Uint8Array]" {
            return None;
        }
        length += u64::from(value.unchecked_ref::<Uint8Array>().length());
        if length > u64::from(MAX_ANSWER) {
            return Some(Content::TooLong);
        }
        chunks.push(&value);
    }
    let text = settled(&joined(&chunks).ok()?.text()).await.ok()?;
    text.as_string().map(Content::Text)
}

/// The request; None where the browser refuses it.
fn request(outgoing: &Outgoing, signal: &web_sys::AbortSignal) -> Option<web_sys::Request> {
    let mut init = ObjectBuilder::new()
        .with("method", &outgoing.method)
        .with("headers", &outgoing.headers)
        .with("credentials", outgoing.credentials)
        // A redirect that is followed would carry the headers, or the file, to another origin. "error" would follow none either, but
        // would look like a lost connection.
        .with("redirect", "manual")
        .with("signal", signal);
    if outgoing.presigned {
        init = init.with("referrerPolicy", "no-referrer");
    } else if outgoing.method == "GET" {
        // A cached answer may be out of date. For GET alone: the mode sends `Cache-Control`, which S3 stores with an object.
        init = init.with("cache", "no-store");
    }
    if !outgoing.body.is_null() {
        init = init.with("body", &outgoing.body);
    }
    web_sys::Request::new_with_str_and_init(&outgoing.url, JsValue::from(init).unchecked_ref()).ok()
}
