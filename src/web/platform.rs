//! The browser as a [`Platform`].

use std::fmt;
use std::rc::Rc;

use futures::FutureExt;
use futures::future::{self, LocalBoxFuture};
use js_sys::{Date, Math};
use wasm_bindgen::JsValue;

use super::file_bytes::{self, FileBytes};
use super::hasher::Hasher;
use super::js::{globals, timer, url};
use super::options::{BrowserOptions, UploaderOptions};
use super::upload_functions::UploadFunctions;
use super::{hooks, page_events, transport};
use crate::error::{Result, Step};
use crate::http::{Response, Url};
use crate::model::file::SourceFile;
use crate::model::plan::ByteRange;
use crate::platform::{Digests, Hook, HookFailure, OnSent, PageEvent, Platform, RequestOf, SendFailure, Wanted};

/// The browser, as one upload sees it: with its uploader's options, its own provider's, and its session store.
#[derive(Clone)]
pub struct WebPlatform {
    options: Rc<BrowserOptions>,
    provider: JsValue,
    store: UploadFunctions,
}

impl fmt::Debug for WebPlatform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebPlatform")
    }
}

impl WebPlatform {
    /// The platform of one upload. `provider` are the provider's options for its file.
    pub fn new(options: &UploaderOptions, hasher: Hasher, provider: JsValue, store: UploadFunctions) -> Self {
        Self::with(Rc::new(BrowserOptions::read(options, hasher)), provider, store)
    }

    pub(super) fn with(options: Rc<BrowserOptions>, provider: JsValue, store: UploadFunctions) -> Self {
        Self { options, provider, store }
    }
}

impl Platform for WebPlatform {
    type Json = JsValue;
    type Blob = FileBytes;

    fn now(&self) -> u64 {
        Date::now() as u64
    }

    fn random(&self) -> f64 {
        Math::random()
    }

    fn sleep(&self, ms: u64) -> LocalBoxFuture<'static, ()> {
        timer::sleep(ms).boxed_local()
    }

    fn next_frame(&self) -> LocalBoxFuture<'static, ()> {
        self.store.next_frame().boxed_local()
    }

    fn next_task(&self) -> LocalBoxFuture<'static, ()> {
        self.store.next_task().boxed_local()
    }

    fn spawn(&self, task: LocalBoxFuture<'static, ()>) {
        wasm_bindgen_futures::spawn_local(task);
    }

    fn warn(&self, message: &str) {
        globals::console_warn(message);
    }

    fn online(&self) -> bool {
        globals::is_online()
    }

    fn next_page_event(&self) -> LocalBoxFuture<'static, PageEvent> {
        page_events::next().boxed_local()
    }

    fn keep(&self, record: JsValue) -> LocalBoxFuture<'static, bool> {
        self.store.keep(&record).boxed_local()
    }

    fn keep_part(&self, number: u32, part: JsValue) {
        self.store.keep_part(number, &part);
    }

    fn forget(&self) {
        self.store.forget();
    }

    fn resolve(&self, text: &str) -> Option<Url> {
        url::resolve(text)
    }

    fn origin(&self) -> String {
        url::origin()
    }

    fn send(
        &self,
        request: RequestOf<Self>,
        on_sent: OnSent,
    ) -> LocalBoxFuture<'static, std::result::Result<Response, SendFailure>> {
        transport::send(self.options.clone(), self.store.before_request(), &request, on_sent).boxed_local()
    }

    fn is_multiplexed(&self, url: &str) -> bool {
        let protocol = url::resolve(url).and_then(|url| globals::protocol_of(&url.href));
        protocol.is_some_and(|protocol| matches!(protocol.as_str(), "h2" | "h3"))
    }

    fn probe(&self, origin: &str) -> LocalBoxFuture<'static, bool> {
        match self.options.fetch {
            // Requests by the caller's own `fetch` may go over another network than the page's.
            Some(_) => future::ready(false).boxed_local(),
            None => transport::probe::is_answered(origin.into()).boxed_local(),
        }
    }

    fn copy(&self, blob: &FileBytes) -> LocalBoxFuture<'static, Option<FileBytes>> {
        file_bytes::copy(blob.clone()).boxed_local()
    }

    fn read(&self, blob: &FileBytes, range: ByteRange) -> LocalBoxFuture<'static, Option<Vec<u8>>> {
        file_bytes::read(blob.clone(), range).boxed_local()
    }

    fn digest(&self, bytes: &FileBytes, range: ByteRange, wanted: Wanted) -> LocalBoxFuture<'static, Option<Digests>> {
        match bytes {
            FileBytes::File(blob, _) => self.options.hasher.clone().digest(blob.clone(), range, wanted).boxed_local(),
            FileBytes::Copy(_) => future::ready(None).boxed_local(),
        }
    }

    fn digest_progress(&self) -> u64 {
        self.options.hasher.moved()
    }

    fn shares_credentials(&self) -> bool {
        let function = |options| hooks::of(options, Hook::Credentials);
        function(&self.provider) == function(&self.options.provider)
    }

    fn has(&self, hook: Hook) -> bool {
        match hook {
            Hook::Transform => self.store.transforms(),
            hook => hooks::has(&self.provider, hook),
        }
    }

    fn call(
        &self,
        hook: Hook,
        arguments: Vec<JsValue>,
    ) -> LocalBoxFuture<'static, std::result::Result<JsValue, HookFailure>> {
        hooks::call(self.provider.clone(), hook, arguments).boxed_local()
    }

    fn transform(&self) -> LocalBoxFuture<'static, std::result::Result<Option<SourceFile<FileBytes>>, HookFailure>> {
        hooks::transform(self.store.transform()).boxed_local()
    }

    fn map_url(&self, url: &str, step: Step) -> Option<Result<String>> {
        hooks::map_url(&self.options, url, step)
    }
}
