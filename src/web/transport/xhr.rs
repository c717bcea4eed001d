//! Requests by `XMLHttpRequest`, which tells how much has gone out.

use std::cell::Cell;
use std::rc::Rc;

use gloo_net::http::Headers;
use js_sys::{Date, Function, JsString};
use wasm_bindgen::prelude::*;
use web_sys::{RequestCredentials, XmlHttpRequest, XmlHttpRequestResponseType, XmlHttpRequestUpload};

use super::answer::{MOST, announces_too_much, capped};
use super::globals::user_agent;
use super::js::{self, Handler, member, pairs};
use super::outgoing::Outgoing;
use super::signal::Signal;
use super::url;
use crate::http::Response;
use crate::http::foreign::{Foreign, says_html};
use crate::platform::{OnSent, SendFailure};
use crate::util::text;

/// Ten times what Gecko lets pass between two words on what has gone out.
const TELLS_WITHIN_MS: f64 = 500.0;

/// Whether this is Gecko: it says that a body is out only when the answer comes, tells of bytes every 50 ms, and drops what it
/// would have told when the connection is lost. So silence right before a loss says nothing there. Chromium and WebKit tell
/// at once. (Found: Firefox 153, Chromium 156, WebKitGTK 2.50.)
fn tells_late() -> bool {
    user_agent().is_some_and(|agent| text::contains(&agent, " Gecko/"))
}

fn is(event: &JsValue, kind: &str) -> bool {
    js::text(event, "type").as_deref() == Some(kind)
}

fn number(event: &JsValue, name: &str) -> Option<f64> {
    member(event, name)?.as_f64()
}

/// A request under way. Dropped, it is aborted: `abort` fires its events at once, so the handlers go first.
pub(super) struct Exchange {
    request: XmlHttpRequest,
    upload: Option<XmlHttpRequestUpload>,
    /// Given when it is over, however it went, or brings more than is wanted.
    over: Signal<()>,
    /// True when the whole body has gone out; None where there is nothing to watch.
    body_sent: Rc<Cell<Option<bool>>>,
    /// When the browser last told how much has gone out.
    told_at: Rc<Cell<f64>>,
    on_answer: Handler,
    on_upload: Handler,
    /// The address that was asked.
    address: String,
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.listen(None, None);
        // Does nothing where it is over.
        let _ = self.request.abort();
    }
}

impl Exchange {
    fn new(request: XmlHttpRequest, size: u64, on_sent: OnSent) -> Self {
        let over = Signal::new();
        let body_sent = Rc::new(Cell::new(None));
        let ended = over.clone();
        let sent = body_sent.clone();
        let told_at = Rc::new(Cell::new(Date::now()));
        let told = told_at.clone();
        // A server that never ends would fill the page's memory.
        let answered = move |event: JsValue| {
            if !is(&event, "progress") || number(&event, "loaded").is_some_and(|bytes| bytes > f64::from(MOST)) {
                ended.give(());
            }
        };
        let moved = move |event: JsValue| {
            told.set(Date::now());
            if is(&event, "load") {
                sent.set(Some(true));
                on_sent(size);
            } else if let Some(bytes) = number(&event, "loaded") {
                if number(&event, "total").is_some_and(|total| total > 0.0 && bytes >= total) {
                    sent.set(Some(true));
                }
                on_sent((bytes as u64).min(size));
            }
        };
        let (on_answer, on_upload) = (Handler::new(answered), Handler::new(moved));
        Self { request, upload: None, over, body_sent, told_at, on_answer, on_upload, address: String::new() }
    }

    fn begin(&mut self, outgoing: &Outgoing) -> Result<(), JsValue> {
        let request = &self.request;
        request.open(&outgoing.method, &outgoing.url)?;
        self.address = url::resolve(&outgoing.url).map_or_else(|| outgoing.url.clone(), |url| url.href);
        // The page's own cookies can't be held back: they go to its own origin.
        request.set_with_credentials(outgoing.credentials == RequestCredentials::Include);
        request.set_response_type(XmlHttpRequestResponseType::Text);
        for (name, value) in pairs(&Headers::from_raw(outgoing.headers.clone())) {
            request.set_request_header(&name, &value)?;
        }
        // Listeners to the upload force a preflight: none where there is nothing to hear.
        if !outgoing.body.is_null() {
            self.upload = Some(request.upload()?);
            self.body_sent.set(Some(false));
        }
        self.listen(Some(self.on_answer.as_ref().unchecked_ref()), Some(self.on_upload.as_ref().unchecked_ref()));
        // `send` takes all that `fetch` takes; the name says Blob because one signature serves for all.
        request.send_with_opt_blob(Some(outgoing.body.unchecked_ref()))
    }

    fn listen(&self, answered: Option<&Function>, moved: Option<&Function>) {
        self.request.set_onprogress(answered);
        self.request.set_onloadend(answered);
        if let Some(upload) = &self.upload {
            // Says at once that bytes will be told of.
            upload.set_onloadstart(moved);
            upload.set_onprogress(moved);
            upload.set_onload(moved);
        }
    }

    /// Whether the whole body had gone out when the connection was lost; None where that can't be told.
    fn body_sent(&self) -> Option<bool> {
        let lately = || Date::now() - self.told_at.get() < TELLS_WITHIN_MS;
        self.body_sent.get().filter(|sent| *sent || !(tells_late() && lately()))
    }

    /// Reads the answer.
    pub(super) async fn answer(mut self) -> Result<Response, SendFailure> {
        (&mut self.over).await;
        let response = self.response().ok_or_else(|| SendFailure::Network { body_sent: self.body_sent() })?;
        match self.led_to() {
            Some(address) => Err(SendFailure::Redirected(Foreign {
                status: Some(response.status),
                page: says_html(response.header("content-type")),
                redirected: true,
                to: url::resolve(&address).map(|url| url.origin),
            })),
            None => Ok(response),
        }
    }

    /// The address that answered, where it is another than the one that was asked: this transport follows redirects, and nothing else
    /// tells. It never has a fragment (XMLHttpRequest Standard, "responseURL").
    fn led_to(&self) -> Option<String> {
        let answered = self.request.response_url();
        (!answered.is_empty() && answered != text::before(&self.address, "#")).then_some(answered)
    }

    /// The answer; None where there is none.
    fn response(&self) -> Option<Response> {
        let status = self.request.status().ok().filter(|status| *status != 0)?;
        let headers = parse_headers(&self.request.get_all_response_headers().unwrap_or_default());
        let cut = self.request.ready_state() != XmlHttpRequest::DONE;
        let body = if cut || announces_too_much(&headers) {
            String::new()
        } else {
            let text: Option<JsString> = self.request.response().ok()?.dyn_into().ok();
            text.as_ref().map(capped).unwrap_or_default()
        };
        Some(Response { status, headers, body })
    }
}

/// Sends a request.
pub(super) fn begin(request: XmlHttpRequest, outgoing: &Outgoing, on_sent: OnSent) -> Result<Exchange, SendFailure> {
    let mut exchange = Exchange::new(request, outgoing.size, on_sent);
    exchange.begin(outgoing).map_err(|_| outgoing.refused())?;
    Ok(exchange)
}

/// Lines of `name: value` (XMLHttpRequest Standard, "getAllResponseHeaders()").
fn parse_headers(lines: &str) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    for line in text::split(lines, "\n") {
        if let Some((name, value)) = text::split_once(line, ":") {
            headers.push((name.to_ascii_lowercase(), value.trim_ascii().into()));
        }
    }
    headers
}
