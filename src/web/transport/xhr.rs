//! Requests by `XMLHttpRequest`, which reports how much has gone out.

use std::cell::Cell;
use std::rc::Rc;

use gloo_net::http::Headers;
use js_sys::{Date, Function, JsString};
use wasm_bindgen::prelude::*;
use web_sys::{RequestCredentials, XmlHttpRequest, XmlHttpRequestResponseType, XmlHttpRequestUpload};

use super::headers::{pairs, parse};
use super::limits::{MAX_ANSWER, announces_too_much, capped};
use super::request::Outgoing;
use crate::http::Response;
use crate::http::foreign::{Foreign, says_html};
use crate::platform::{OnSent, SendFailure};
use crate::util::text;
use crate::web::js::globals::user_agent;
use crate::web::js::handler::as_function;
use crate::web::js::object::{js_name, member};
use crate::web::js::{Handler, Signal, url};

/// Ten times the interval of Gecko's progress events.
const REPORTS_WITHIN_MS: f64 = 500.0;

/// Whether this is Gecko: it fires `load` of an upload only when the answer comes, reports progress every 50 ms, and drops pending
/// reports when the connection is lost. So no report right before a loss proves nothing there. Chromium and WebKit report at once.
/// (Found: Firefox 153, Chromium 156, WebKitGTK 2.50.)
fn reports_late() -> bool {
    user_agent().is_some_and(|agent| text::contains(&agent, " Gecko/"))
}

fn is(event: &JsValue, kind: &'static str) -> bool {
    member(event, "type").as_ref() == Some(&js_name(kind))
}

fn number(event: &JsValue, name: &'static str) -> Option<f64> {
    member(event, name)?.as_f64()
}

/// A request in flight. Dropped, it is aborted: `abort` fires its events at once, so the handlers go first.
pub(super) struct Exchange {
    request: XmlHttpRequest,
    upload: Option<XmlHttpRequestUpload>,
    /// Set when the request is over, or its answer is longer than is read.
    over: Signal<()>,
    /// Whether the whole body has gone out; None where there is no body.
    body_sent: Rc<Cell<Option<bool>>>,
    /// When the browser last reported how much has gone out.
    reported_at: Rc<Cell<f64>>,
    on_response: Handler,
    on_upload: Handler,
    /// The URL that was requested.
    address: String,
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.listen(None, None);
        // Does nothing once the request is over.
        let _ = self.request.abort();
    }
}

impl Exchange {
    fn new(request: XmlHttpRequest, size: u64, on_sent: OnSent) -> Self {
        let over = Signal::new();
        let body_sent = Rc::new(Cell::new(None));
        let ended = over.clone();
        let is_sent = body_sent.clone();
        let reported_at = Rc::new(Cell::new(Date::now()));
        let reported = reported_at.clone();
        // An endless answer would fill the page's memory.
        let received = move |event: JsValue| {
            if !is(&event, "progress") || number(&event, "loaded").is_some_and(|bytes| bytes > f64::from(MAX_ANSWER)) {
                ended.set(());
            }
        };
        let sent = move |event: JsValue| {
            reported.set(Date::now());
            if is(&event, "load") {
                is_sent.set(Some(true));
                on_sent(size);
            } else if let Some(bytes) = number(&event, "loaded") {
                if number(&event, "total").is_some_and(|total| total > 0.0 && bytes >= total) {
                    is_sent.set(Some(true));
                }
                on_sent((bytes as u64).min(size));
            }
        };
        let (on_response, on_upload) = (Handler::new(received), Handler::new(sent));
        Self { request, upload: None, over, body_sent, reported_at, on_response, on_upload, address: String::new() }
    }

    fn send(&mut self, outgoing: &Outgoing) -> Result<(), JsValue> {
        let request = &self.request;
        request.open(&outgoing.method, &outgoing.url)?;
        self.address = outgoing.parsed.as_ref().map_or(&outgoing.url, |url| &url.href).clone();
        // Cookies go to the page's own origin all the same.
        request.set_with_credentials(outgoing.credentials == RequestCredentials::Include);
        request.set_response_type(XmlHttpRequestResponseType::Text);
        for (name, value) in pairs(&Headers::from_raw(outgoing.headers.clone())) {
            request.set_request_header(&name, &value)?;
        }
        // Listeners on the upload force a preflight: none where there is no body.
        if !outgoing.body.is_null() {
            self.upload = Some(request.upload()?);
            self.body_sent.set(Some(false));
        }
        self.listen(Some(as_function(&self.on_response)), Some(as_function(&self.on_upload)));
        // `send` takes all that `fetch` takes. (The binding's name says Blob.)
        request.send_with_opt_blob(Some(outgoing.body.unchecked_ref()))
    }

    fn listen(&self, on_response: Option<&Function>, on_upload: Option<&Function>) {
        self.request.set_onprogress(on_response);
        self.request.set_onloadend(on_response);
        if let Some(upload) = &self.upload {
            // The first report comes at once.
            upload.set_onloadstart(on_upload);
            upload.set_onprogress(on_upload);
            upload.set_onload(on_upload);
        }
    }

    /// Whether the whole body had gone out when the connection was lost; None where that isn't known.
    fn body_sent(&self) -> Option<bool> {
        let recently = || Date::now() - self.reported_at.get() < REPORTS_WITHIN_MS;
        self.body_sent.get().filter(|sent| *sent || !(reports_late() && recently()))
    }

    /// Waits for the response.
    pub(super) async fn response(mut self) -> Result<Response, SendFailure> {
        (&mut self.over).await;
        let response = self.read().ok_or_else(|| SendFailure::Network { body_sent: self.body_sent() })?;
        match self.redirected_to() {
            Some(address) => Err(SendFailure::Redirected(Foreign {
                status: Some(response.status),
                page: says_html(response.header("content-type")),
                redirected: true,
                to: url::resolve(&address).map(|url| url.origin),
            })),
            None => Ok(response),
        }
    }

    /// The URL that answered, where it isn't the requested one: this transport follows redirects, and nothing else shows it. It never
    /// has a fragment (XMLHttpRequest Standard, "responseURL").
    fn redirected_to(&self) -> Option<String> {
        let answered = self.request.response_url();
        (!answered.is_empty() && answered != text::before(&self.address, "#")).then_some(answered)
    }

    /// The response; None where there is none.
    fn read(&self) -> Option<Response> {
        let status = self.request.status().ok().filter(|status| *status != 0)?;
        let headers = parse(&self.request.get_all_response_headers().unwrap_or_default());
        let cut = self.request.ready_state() != XmlHttpRequest::DONE;
        let body = if cut || announces_too_much(&headers) {
            String::new()
        } else {
            let text: Option<JsString> = self.request.response().ok()?.dyn_into().ok();
            text.as_ref().map(capped).unwrap_or_default()
        };
        Some(Response { status, headers, body, ..Response::default() })
    }
}

/// Sends a request.
pub(super) fn start(request: XmlHttpRequest, outgoing: &Outgoing, on_sent: OnSent) -> Result<Exchange, SendFailure> {
    let mut exchange = Exchange::new(request, outgoing.size, on_sent);
    exchange.send(outgoing).map_err(|_| outgoing.refused())?;
    Ok(exchange)
}
