//! The browser as a [`Platform`].

use std::fmt;
use std::rc::Rc;

use futures::FutureExt;
use futures::future::{self, LocalBoxFuture};
use js_sys::{Date, Math, Uint8Array};
use wasm_bindgen::JsValue;
use web_sys::{Blob, RequestCredentials, XmlHttpRequest};

use super::options::{Page, Transport};
use super::outgoing::{self, Outgoing};
use super::policy::Policy;
use super::shelf::SessionStore;
use super::{body, fetch, globals, hooks, js, json, probe, stir, timer, url, xhr};
use crate::error::{Result, Step};
use crate::http::{Request, Response, Url};
use crate::json::{Made, Value};
use crate::model::plan::ByteRange;
use crate::platform::{Hook, HookFailure, OnSent, PageEvent, Platform, SendFailure};

/// The browser, as one upload sees it: its uploader's options, and its own provider's.
#[derive(Clone)]
pub struct WebPlatform {
    page: Rc<Page>,
    provider: JsValue,
    shelf: SessionStore,
}

impl fmt::Debug for WebPlatform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebPlatform")
    }
}

impl WebPlatform {
    /// For one upload. `options` are the uploader's as JavaScript has them, `provider` the provider's for this file, `upload` the
    /// upload's own: `{keep, keepPart, forget}`.
    pub fn new(options: &JsValue, provider: JsValue, upload: &JsValue) -> Self {
        Self::of(Rc::new(Page::new(options)), provider, upload)
    }

    pub(super) fn of(page: Rc<Page>, provider: JsValue, upload: &JsValue) -> Self {
        Self { page, provider, shelf: SessionStore::new(upload) }
    }

    /// Whether a request goes by `XMLHttpRequest`: bytes of the file do, so that whoever listens, from the start or later, hears of
    /// them, and so that it is known how many went out.
    fn by_xhr(&self, outgoing: &Outgoing) -> bool {
        match self.page.transport {
            // It follows redirects, and would carry a vendor's key along.
            _ if self.page.fetch.is_some() || outgoing.keyed => false,
            // It can't be kept from answering out of the browser's cache: a poll would hear what the vendor said before. A header that
            // asks for it is one more that a foreign server's CORS rule would have to allow, a changed address one that a proxy may
            // refuse. What a store is asked is signed anew each time.
            _ if !outgoing.presigned && outgoing.method == "GET" => false,
            Transport::Fetch => false,
            Transport::Xhr => true,
            Transport::Auto => {
                let tells = outgoing.once || outgoing.size > 0;
                // It can't leave the cookies out that the caller wants left out.
                let holds_back = outgoing.credentials == RequestCredentials::Omit && !outgoing.presigned;
                tells && !(holds_back && url::resolve(&outgoing.url).is_some_and(|url| url.origin == url::origin()))
            }
        }
    }

    async fn exchange(
        self,
        outgoing: std::result::Result<Outgoing, SendFailure>,
        on_sent: OnSent,
    ) -> std::result::Result<Response, SendFailure> {
        let mut outgoing = outgoing?;
        if !outgoing.presigned {
            if let Some(before_request) = &self.page.before_request {
                outgoing::ask(before_request, &mut outgoing).await?;
            }
            outgoing.serialise()?;
        }
        let policy = Policy::over(&outgoing);
        // Service workers have none.
        let xhr = if self.by_xhr(&outgoing) { XmlHttpRequest::new().ok() } else { None };
        let answer = match xhr {
            Some(xhr) => xhr::begin(xhr, &outgoing, on_sent)?.answer().await,
            None => fetch::begin(self.page.fetch.as_ref(), &outgoing)?.answer().await,
        };
        policy.judged(answer).await
    }
}

async fn read(slice: std::result::Result<Blob, JsValue>, len: u64) -> Option<Vec<u8>> {
    let buffer = js::settled(&slice.ok()?.array_buffer()).await.ok()?;
    let bytes = Uint8Array::new(&buffer).to_vec();
    (bytes.len() as u64 == len).then_some(bytes)
}

impl Platform for WebPlatform {
    type Json = JsValue;
    type Blob = Blob;

    fn now(&self) -> u64 {
        Date::now() as u64
    }

    fn random(&self) -> f64 {
        Math::random()
    }

    fn sleep(&self, ms: u64) -> LocalBoxFuture<'static, ()> {
        timer::sleep(ms).boxed_local()
    }

    fn spawn(&self, task: LocalBoxFuture<'static, ()>) {
        wasm_bindgen_futures::spawn_local(task);
    }

    fn warn(&self, message: &str) {
        js::warn(message);
    }

    fn online(&self) -> bool {
        globals::online()
    }

    fn next_page_event(&self) -> LocalBoxFuture<'static, PageEvent> {
        stir::next().boxed_local()
    }

    fn keep(&self, record: JsValue) -> LocalBoxFuture<'static, bool> {
        self.shelf.keep(record).boxed_local()
    }

    fn keep_part(&self, number: u32, part: JsValue) {
        self.shelf.keep_part(number, &part);
    }

    fn forget(&self) {
        self.shelf.forget();
    }

    fn resolve(&self, text: &str) -> Option<Url> {
        url::resolve(text)
    }

    fn origin(&self) -> String {
        url::origin()
    }

    fn parse(&self, text: &str) -> Option<JsValue> {
        json::parse(text)
    }

    fn value(&self, json: &JsValue) -> Value<JsValue> {
        json::value(json)
    }

    fn names(&self, object: &JsValue) -> Vec<String> {
        json::names(object)
    }

    fn with(&self, object: JsValue, name: &str, member: JsValue) -> JsValue {
        js::set(&object, name, &member);
        object
    }

    fn encode(&self, value: &Made<'_>) -> JsValue {
        json::encode(value)
    }

    fn member(&self, value: &JsValue, name: &str) -> Option<JsValue> {
        js::member(value, name)
    }

    fn send(
        &self,
        request: Request<Self>,
        on_sent: OnSent,
    ) -> LocalBoxFuture<'static, std::result::Result<Response, SendFailure>> {
        self.clone().exchange(Outgoing::new(&self.page, &request), on_sent).boxed_local()
    }

    fn probe(&self, origin: &str) -> LocalBoxFuture<'static, bool> {
        match self.page.fetch {
            // The page's own network isn't the one that requests go over.
            Some(_) => future::ready(false).boxed_local(),
            None => probe::answers(origin.into()).boxed_local(),
        }
    }

    fn read(&self, blob: &Blob, range: ByteRange) -> LocalBoxFuture<'static, Option<Vec<u8>>> {
        read(body::slice(blob, range, ""), range.len()).boxed_local()
    }

    fn has_usual_options(&self) -> bool {
        self.provider == self.page.provider
    }

    fn has(&self, hook: Hook) -> bool {
        hooks::has(&self.provider, hook)
    }

    fn call(
        &self,
        hook: Hook,
        arguments: Vec<JsValue>,
    ) -> LocalBoxFuture<'static, std::result::Result<JsValue, HookFailure>> {
        hooks::call(self.provider.clone(), hook, arguments).boxed_local()
    }

    fn map_url(&self, url: &str, step: Step) -> Option<Result<String>> {
        hooks::map_url(&self.page, url, step)
    }
}
