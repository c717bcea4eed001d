//! The application's `beforeRequest`, which may change a request to an API.

use js_sys::{Function, JSON};
use wasm_bindgen::prelude::*;
use web_sys::Headers;

use super::request::{Outgoing, refused};
use crate::platform::SendFailure;
use crate::web::hooks::failed;
use crate::web::js::ObjectBuilder;
use crate::web::js::object::{member, text};
use crate::web::js::promise::outcome;

/// Calls `beforeRequest` with the request, waits for it, and applies its changes.
pub(super) async fn call(before_request: &Function, outgoing: &mut Outgoing) -> Result<(), SendFailure> {
    let shown = to_js(outgoing)?;
    let called = outcome(before_request.call1(&JsValue::UNDEFINED, &shown)).await;
    called.map_err(|thrown| SendFailure::Refused(failed("beforeRequest", thrown)))?;
    take_over(outgoing, &shown).ok_or_else(|| {
        refused(
            "`beforeRequest` must leave a request with `method` and `url` as strings and `headers` that `new Headers()` takes, but one of \
             them is something else."
                .into(),
        )
    })
}

/// The request as the application sees it.
fn to_js(outgoing: &Outgoing) -> Result<JsValue, SendFailure> {
    let mut body = outgoing.body.clone();
    if outgoing.json {
        // A copy: a change in place would be made again at the next attempt.
        body =
            JSON::stringify(&body).and_then(|text| JSON::parse(&String::from(text))).map_err(|_| outgoing.refused())?;
    }
    Ok(ObjectBuilder::new()
        .with("step", outgoing.step.as_str())
        .with("method", &outgoing.method)
        .with("url", &outgoing.url)
        .with("headers", &outgoing.headers)
        .with("body", body)
        .into())
}

/// Applies the application's changes to the request; None if the result isn't a valid request.
fn take_over(outgoing: &mut Outgoing, shown: &JsValue) -> Option<()> {
    outgoing.method = text(shown, "method")?;
    let url = member(shown, "url")?;
    outgoing.url = url.as_string().or_else(|| text(&url, "href"))?;
    // A plain object is accepted instead of the `Headers`.
    let headers = member(shown, "headers")?;
    outgoing.headers = Headers::new_with_headers(headers.unchecked_ref()).ok()?;
    outgoing.body = member(shown, "body").unwrap_or(JsValue::NULL);
    Some(())
}
