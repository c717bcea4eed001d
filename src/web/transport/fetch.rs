//! Requests by `fetch`, the page's or the caller's own.

use gloo_net::http::Response as GlooResponse;
use js_sys::{Function, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{AbortController, ReadableStreamDefaultReader, ResponseType};

use super::answer::{MOST, announces_too_much};
use super::body::joined;
use super::js::{Outcome, Plain, list, member, outcome, pairs, settled, tag};
use super::outgoing::Outgoing;
use super::signal::Signal;
use super::url;
use crate::error::{Code, UploadError};
use crate::http::Response;
use crate::http::foreign::{Foreign, says_html};
use crate::platform::SendFailure;

#[wasm_bindgen]
extern "C" {
    /// The page's, whoever wrapped it: looked up at each call.
    #[wasm_bindgen(js_name = fetch, catch)]
    pub(super) fn page_fetch(request: &web_sys::Request) -> Result<JsValue, JsValue>;
}

/// No answer, or half of one: `fetch` doesn't tell how much had gone out.
const LOST: SendFailure = SendFailure::Network { body_sent: None };

/// Aborts its request when it is dropped. Without a reason: the browser's own is an `Error`, which is what wrappers expect.
pub(super) struct Guard(pub(super) Option<AbortController>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(controller) = self.0.take() {
            controller.abort();
        }
    }
}

/// A request under way. Dropped, it is aborted.
pub(super) struct Exchange {
    guard: Guard,
    answer: Signal<Outcome>,
}

/// Sends a request.
pub(super) fn begin(own: Option<&Function>, outgoing: &Outgoing) -> Result<Exchange, SendFailure> {
    let controller = AbortController::new().map_err(|_| LOST)?;
    let request = request(outgoing, &controller.signal()).ok_or_else(|| outgoing.refused())?;
    let guard = Guard(Some(controller));
    let called = match own {
        Some(own) => own.call1(&JsValue::UNDEFINED, &request),
        None => page_fetch(&request),
    };
    Ok(Exchange { guard, answer: outcome(called) })
}

impl Exchange {
    /// Reads the answer.
    pub(super) async fn answer(mut self) -> Result<Response, SendFailure> {
        // Rejections may be anything where a page wraps `fetch`; none of them tells more than that no answer came.
        let answer = response(self.answer.await.map_err(|_| LOST)?)?;
        let headers = pairs(&answer.headers());
        let body = if announces_too_much(&headers) { None } else { read(&answer).await.ok_or(LOST)? };
        // What isn't read to its end is let go of with the guard.
        if body.is_some() {
            self.guard.0 = None;
        }
        Ok(Response { status: answer.status(), headers, body: body.unwrap_or_default() })
    }
}

/// What `fetch` gave, where it is an answer.
fn response(given: JsValue) -> Result<GlooResponse, SendFailure> {
    if tag(&given) != "[object Response]" {
        return Err(SendFailure::Refused(
            UploadError::new(Code::Application, "`fetch` gave something that is no Response.")
                .hint("The `fetch` option must behave as the browser's own.")
                .answer_lost(true),
        ));
    }
    let answer = GlooResponse::from(given.unchecked_into::<web_sys::Response>());
    // The caller's own `fetch` may follow redirects all the same.
    if answer.redirected() || answer.type_() == ResponseType::Opaqueredirect {
        return Err(SendFailure::Redirected(Foreign {
            status: Some(answer.status()).filter(|status| *status != 0),
            page: says_html(answer.headers().get("content-type").as_deref()),
            redirected: true,
            to: url::resolve(&answer.url()).map(|url| url.origin).filter(|_| answer.redirected()),
        }));
    }
    if answer.status() == 0 { Err(LOST) } else { Ok(answer) }
}

/// The body, as `text()` gives it; None where it breaks off, Some(None) where it is too long to be an API's. Chunk by chunk: a
/// server that never ends would fill the page's memory.
async fn read(response: &GlooResponse) -> Option<Option<String>> {
    let Some(stream) = response.body() else { return Some(Some(String::new())) };
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
        if length > u64::from(MOST) {
            return Some(None);
        }
        chunks.push(&value);
    }
    let text = settled(&joined(&chunks).ok()?.text()).await.ok()?;
    Some(text.as_string())
}

/// The request; None where the browser refuses to make it.
fn request(outgoing: &Outgoing, signal: &web_sys::AbortSignal) -> Option<web_sys::Request> {
    let mut init = Plain::new()
        .with("method", &outgoing.method)
        .with("headers", &outgoing.headers)
        .with("credentials", outgoing.credentials)
        // A redirect that is followed would carry the headers, or the file, to another origin. "error" would follow none either, and
        // not tell it from a lost connection.
        .with("redirect", "manual")
        .with("signal", signal);
    if outgoing.presigned {
        init = init.with("referrerPolicy", "no-referrer");
    } else if outgoing.method == "GET" {
        // What an API said a while ago is no answer. Nowhere else: it sends `Cache-Control`, which S3 keeps with an object.
        init = init.with("cache", "no-store");
    }
    if !outgoing.body.is_null() {
        init = init.with("body", &outgoing.body);
    }
    web_sys::Request::new_with_str_and_init(&outgoing.url, JsValue::from(init).unchecked_ref()).ok()
}
