//! Requests by `fetch`, the page's or the caller's own.

use gloo_net::http::{Headers, Method, RequestBuilder, Response as GlooResponse};
use js_sys::Function;
use wasm_bindgen::prelude::*;
use web_sys::{AbortController, ReferrerPolicy, RequestCache, RequestRedirect};

use super::answer::{announces_too_much, capped};
use super::js::{settled, tag};
use super::outgoing::Outgoing;
use crate::error::{Code, UploadError};
use crate::http::Response;
use crate::platform::SendFailure;

#[wasm_bindgen]
extern "C" {
    /// The page's, whoever wrapped it: looked up at each call.
    #[wasm_bindgen(js_name = fetch, catch)]
    fn page_fetch(request: &web_sys::Request) -> Result<JsValue, JsValue>;
}

/// No answer, or half of one: `fetch` doesn't tell how much had gone out.
const LOST: SendFailure = SendFailure::Network { body_sent: None };

/// Aborts its request when it is dropped. Without a reason: the browser's own is an `Error`, which is what wrappers expect.
struct Guard(Option<AbortController>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(controller) = self.0.take() {
            controller.abort();
        }
    }
}

/// Sends a request and reads its answer.
pub(super) async fn send(own: Option<&Function>, outgoing: Outgoing) -> Result<Response, SendFailure> {
    let controller = AbortController::new().map_err(|_| LOST)?;
    let signal = controller.signal();
    let mut guard = Guard(Some(controller));
    let request = request(&outgoing, &signal).ok_or_else(|| outgoing.refused())?;
    // Rejections may be anything where a page wraps `fetch`; none of them tells more than that no answer came.
    let promise = match own {
        Some(own) => own.call1(&JsValue::UNDEFINED, &request),
        None => page_fetch(&request),
    };
    let answer = settled(&promise.map_err(|_| LOST)?).await.map_err(|_| LOST)?;
    if tag(&answer) != "[object Response]" {
        return Err(SendFailure::Refused(
            UploadError::new(Code::Application, "`fetch` gave something that is no Response.")
                .hint("The `fetch` option must behave as the browser's own.")
                .answer_lost(true),
        ));
    }
    let raw: web_sys::Response = answer.unchecked_into();
    let answer = GlooResponse::from(Clone::clone(&raw));
    let status = answer.status();
    if status == 0 {
        return Err(LOST);
    }
    let headers: Vec<_> = answer.headers().entries().collect();
    let body = if announces_too_much(&headers) {
        String::new()
    } else {
        let text = settled(&raw.text().map_err(|_| LOST)?.into()).await.map_err(|_| LOST)?;
        guard.0 = None;
        text.dyn_ref().map(capped).unwrap_or_default()
    };
    Ok(Response { status, headers, body })
}

/// The request; None where the browser refuses to make it.
fn request(outgoing: &Outgoing, signal: &web_sys::AbortSignal) -> Option<web_sys::Request> {
    let method = Method::from_bytes(outgoing.method.as_bytes()).ok()?;
    let mut builder = RequestBuilder::new(&outgoing.url)
        .method(method)
        .headers(Headers::from_raw(outgoing.headers.clone()))
        .credentials(outgoing.credentials)
        // A redirect that is followed would carry the headers, or the file, to another origin.
        .redirect(RequestRedirect::Error)
        .abort_signal(Some(signal));
    if outgoing.presigned {
        builder = builder.referrer_policy(ReferrerPolicy::NoReferrer);
    } else if outgoing.method == "GET" {
        // What an API said a while ago is no answer. Nowhere else: it sends `Cache-Control`, which S3 keeps with an object.
        builder = builder.cache(RequestCache::NoStore);
    }
    let request = if outgoing.body.is_null() { builder.build() } else { builder.body(&outgoing.body) };
    request.ok().map(Into::into)
}
