//! The engine's platform in this world: virtual time, seeded chance, JSON as JavaScript reads it.

use std::fmt;
use std::rc::Rc;

use futures::FutureExt;
use futures::future::LocalBoxFuture;
use partway::error::{Result, Step};
use partway::http::{Response, Url};
use partway::model::file::SourceFile;
use partway::model::plan::ByteRange;
use partway::platform::{Digests, Hook, HookFailure, OnSent, PageEvent, Platform, RequestOf, SendFailure, Wanted};
use serde_json::Value;

use crate::core::Core;
use crate::executor::Page;
use crate::file::File;
use crate::hashing::digest;
use crate::hooks::call;
use crate::network::{exchange, probe};
use crate::storage::{Write, write};
use crate::transform::transform;
use crate::wiring::{PAGE, PLAIN_PAGE};
use crate::world::World;

/// The platform of one upload.
#[derive(Clone)]
pub struct SimPlatform {
    pub(crate) core: Rc<Core>,
    /// Which upload, counted over the world.
    pub(crate) upload: usize,
    /// Which uploader it belongs to.
    pub(crate) uploader: usize,
    /// Which page it belongs to.
    pub(crate) page: Page,
    /// The file that was picked for it.
    pub(crate) file: Option<File>,
    /// The name under which its session is kept; None keeps nothing.
    pub(crate) session: Option<u64>,
    /// The upload's own provider options.
    pub(crate) options: Rc<Value>,
    /// Whether its credentials come from the same function as its uploader's.
    pub(crate) shares_credentials: bool,
}

impl SimPlatform {
    /// One to read values with, in that world; it is no upload's.
    pub fn of(world: &World) -> Self {
        Self::reading(world.core.clone())
    }

    /// One of an upload with those options of its provider.
    pub fn with_options(world: &World, options: Value) -> Self {
        Self { options: Rc::new(options), ..Self::of(world) }
    }

    pub(crate) fn reading(core: Rc<Core>) -> Self {
        let (page, options) = (core.page.get(), Rc::default());
        Self { page, core, upload: 0, uploader: 0, file: None, session: None, options, shares_credentials: true }
    }

    /// True once its page is gone: nothing that is left of it may do anything.
    fn is_gone(&self) -> bool {
        self.core.page.get() != self.page
    }
}

impl fmt::Debug for SimPlatform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SimPlatform({})", self.upload)
    }
}

impl Platform for SimPlatform {
    type Json = Value;
    type Blob = File;

    fn now(&self) -> u64 {
        self.core.executor.now()
    }

    fn random(&self) -> f64 {
        self.core.chance.unit()
    }

    fn sleep(&self, ms: u64) -> LocalBoxFuture<'static, ()> {
        // Even a timer of 0 ms is a turn of the event loop.
        let at = self.now().saturating_add(ms.max(1));
        self.core.executor.sleep_until(at).boxed_local()
    }

    fn next_frame(&self) -> LocalBoxFuture<'static, ()> {
        self.sleep(self.core.frame_ms.get())
    }

    fn next_task(&self) -> LocalBoxFuture<'static, ()> {
        self.core.yields.set(self.core.yields.get() + 1);
        self.sleep(0)
    }

    fn spawn(&self, task: LocalBoxFuture<'static, ()>) {
        if !self.is_gone() {
            self.core.executor.spawn_for(self.page, task);
        }
    }

    fn warn(&self, message: &str) {
        self.core.log.borrow_mut().warnings.push(message.into());
    }

    fn online(&self) -> bool {
        self.core.environment.online()
    }

    fn next_page_event(&self) -> LocalBoxFuture<'static, PageEvent> {
        self.core.environment.next_stir().boxed_local()
    }

    fn keep(&self, record: Value) -> LocalBoxFuture<'static, bool> {
        match self.session.filter(|_| !self.is_gone()) {
            Some(session) => write(&self.core, self.page, session, Write::Record(record)),
            None => futures::future::ready(false).boxed_local(),
        }
    }

    fn keep_part(&self, number: u32, part: Value) {
        if let Some(session) = self.session.filter(|_| !self.is_gone()) {
            drop(write(&self.core, self.page, session, Write::Part(number, part)));
        }
    }

    fn forget(&self) {
        if let Some(session) = self.session.filter(|_| !self.is_gone()) {
            drop(write(&self.core, self.page, session, Write::Forget));
        }
    }

    fn resolve(&self, url: &str) -> Option<Url> {
        resolve_from(&self.origin(), url)
    }

    fn origin(&self) -> String {
        if self.core.plain.get() { PLAIN_PAGE } else { PAGE }.into()
    }

    fn send(
        &self,
        request: RequestOf<Self>,
        on_sent: OnSent,
    ) -> LocalBoxFuture<'static, std::result::Result<Response, SendFailure>> {
        exchange(self.clone(), request, on_sent).boxed_local()
    }

    fn is_multiplexed(&self, _url: &str) -> bool {
        self.core.line.get().multiplexed
    }

    fn probe(&self, origin: &str) -> LocalBoxFuture<'static, bool> {
        probe(self.core.clone(), origin.into()).boxed_local()
    }

    fn copy(&self, blob: &File) -> LocalBoxFuture<'static, Option<File>> {
        let (blob, read) = (blob.clone(), self.read(blob, ByteRange::new(0, blob.size())));
        async move { read.await.map(|_| blob.copy()) }.boxed_local()
    }

    fn read(&self, blob: &File, range: ByteRange) -> LocalBoxFuture<'static, Option<Vec<u8>>> {
        let (blob, executor) = (blob.clone(), self.core.executor.clone());
        // What has no bytes isn't looked for in the file.
        let hangs = !range.is_empty() && blob.begin_read();
        async move {
            if hangs {
                blob.comes().await;
            }
            executor.sleep_until(executor.now() + 1).await;
            blob.read(range)
        }
        .boxed_local()
    }

    fn digest(&self, blob: &File, range: ByteRange, wanted: Wanted) -> LocalBoxFuture<'static, Option<Digests>> {
        digest(self.core.clone(), blob.clone(), range, wanted).boxed_local()
    }

    fn digest_progress(&self) -> u64 {
        self.core.hashing.progress.get()
    }

    fn shares_credentials(&self) -> bool {
        self.shares_credentials
    }

    fn has(&self, hook: Hook) -> bool {
        match hook {
            Hook::Transform => self.core.transforming.transform.get().is_some(),
            hook => self.core.hooks.borrow().has(hook, &self.options),
        }
    }

    fn call(
        &self,
        hook: Hook,
        arguments: Vec<Value>,
    ) -> LocalBoxFuture<'static, std::result::Result<Value, HookFailure>> {
        call(self.clone(), hook, arguments).boxed_local()
    }

    fn transform(&self) -> LocalBoxFuture<'static, std::result::Result<Option<SourceFile<File>>, HookFailure>> {
        match self.file.clone() {
            Some(file) => transform(self.core.clone(), file).boxed_local(),
            None => futures::future::ready(Ok(None)).boxed_local(),
        }
    }

    fn map_url(&self, url: &str, step: Step) -> Option<Result<String>> {
        let map = self.core.hooks.borrow().map_url.clone()?;
        Some(map(url, step))
    }
}

/// Parses a URL of the web against the page, as `WebPlatform` does; None for what is none, `blob:` and `data:` among it.
pub(crate) fn resolve(text: &str) -> Option<Url> {
    resolve_from(PAGE, text)
}

fn resolve_from(page: &str, text: &str) -> Option<Url> {
    thread_local! {
        static BASES: [Option<url::Url>; 2] = [PAGE, PLAIN_PAGE].map(|page| url::Url::parse(page).ok());
    }
    let url = BASES.with(|bases| bases[usize::from(page == PLAIN_PAGE)].as_ref()?.join(text).ok())?;
    if !matches!(url.scheme(), "https" | "http") {
        return None;
    }
    Some(Url {
        href: url.to_string(),
        origin: url.origin().ascii_serialization(),
        path: url.path().to_string(),
        query: url.query().unwrap_or("").to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_a_browsers() {
        let url = resolve("/api/x?y=1").unwrap();
        assert_eq!((url.href.as_str(), url.origin.as_str()), ("https://app.example/api/x?y=1", PAGE));
        assert_eq!(resolve("https://api.ofauth.com/upload%3A5/parts/1").unwrap().path, "/upload%3A5/parts/1");
        assert!(
            ["javascript:alert(1)", "data:,x", "blob:https://app.example/1"].map(resolve).iter().all(Option::is_none)
        );
        assert!(resolve("https://").is_none());
    }
}
