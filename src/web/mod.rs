//! The browser's side: [`WebPlatform`], and what the package's JavaScript calls.
//!
//! No export borrows anything while it calls into JavaScript, and none is `async`: promises belong to the JavaScript face, which
//! settles them when this instance dies too.

use std::rc::Rc;

use js_sys::Function;
use wasm_bindgen::prelude::*;
use web_sys::Blob;

use crate::engine::events::Sink;
use crate::engine::job::Notice;
use crate::engine::pace::Paces;
use crate::engine::uploader::{Upload, Uploader};
use crate::error::{Code, UploadError};
use crate::providers::{AnyProvider, Context};
use crate::settings::Settings;
use crate::source::Source;

mod answer;
mod body;
#[cfg(feature = "crash-test")]
mod crash;

mod events;
mod fetch;
mod hooks;
mod js;
mod json;
mod options;
mod outgoing;
mod platform;
mod signal;
mod timer;
mod url;
mod xhr;

pub use platform::WebPlatform;

thread_local! {
    /// One for the page, whatever `Uploader` asks.
    static PACES: Paces = Paces::default();
}

/// Runs when the wasm is instantiated. A panic's words go to the console: what the page sees of it is a trap without any.
#[wasm_bindgen(start)]
fn started() {
    std::panic::set_hook(Box::new(|panic| js::error(&panic.to_string())));
}

/// The engine of one `Uploader`.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Engine {
    uploader: Uploader,
    settings: Settings,
    page: Rc<options::Page>,
}

#[wasm_bindgen]
impl Engine {
    /// From the options of an `Uploader`, as they were given.
    ///
    /// # Errors
    /// A plain error object.
    #[wasm_bindgen(constructor)]
    pub fn new(options: JsValue) -> Result<Engine, JsValue> {
        let page = Rc::new(options::Page::new(&options));
        let platform = WebPlatform::of(page.clone(), JsValue::UNDEFINED, false);
        let settings = options::settings(&platform, options).map_err(|error| events::error(&error))?;
        Ok(Self { uploader: Uploader::new(settings.clone(), PACES.with(Paces::clone)), settings, page })
    }

    /// Starts an upload of `source`: `{file, name, size, type}`. `provider` has this file's settings in it already; `options` is
    /// `{wantsProgress}`. What the upload tells goes to `sink(type, detail)`; a "complete" or an "error" is the last.
    ///
    /// # Errors
    /// A plain error object, where `source` is none.
    pub fn start(
        &self,
        source: &JsValue,
        provider: &JsValue,
        options: &JsValue,
        sink: Function,
    ) -> Result<Task, JsValue> {
        let wants_progress = js::member(options, "wantsProgress").is_some_and(|wants| wants.is_truthy());
        let platform = WebPlatform::of(self.page.clone(), provider.clone(), wants_progress);
        let source = read_source(source).ok_or_else(|| {
            events::error(&UploadError::new(Code::InvalidOptions, "There is no file in what was given as one."))
        })?;
        let sink = listener(sink);
        #[cfg(feature = "crash-test")]
        let sink = crash::midway(&source.name, sink);
        let name = js::text(provider, "name").unwrap_or_default();
        let paces = PACES.with(Paces::clone);
        let context = Context { platform: &platform, settings: &self.settings, paces: &paces };
        let provider = AnyProvider::new(&name, provider, &context);
        Ok(Task(self.uploader.start(platform, source, provider, sink)))
    }

    /// Stops every upload here; no server is told.
    pub fn close(&self) {
        self.uploader.close();
    }
}

/// A running upload.
#[wasm_bindgen]
pub struct Task(Upload<WebPlatform>);

#[wasm_bindgen]
impl Task {
    /// Aborts what is in flight, and waits.
    pub fn pause(&self) {
        self.0.pause();
    }

    /// Goes on.
    pub fn resume(&self) {
        self.0.resume();
    }

    /// Stops for good, and tells the server.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Brings a status that was learnt from a webhook. What can't be read is reported and changes nothing: the upload finds out
    /// by itself.
    pub fn notify(&self, update: &JsValue) {
        match crate::json::decode::<WebPlatform, Notice>(self.0.platform(), update) {
            Ok(notice) => self.0.notify(notice),
            Err(why) => js::warn(&format!("partway: notify() can't read the update: {why}")),
        }
    }
}

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Task")
    }
}

/// The version, for the face to compare with its own.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").into()
}

fn read_source(source: &JsValue) -> Option<Source<WebPlatform>> {
    let blob: Blob = js::member(source, "file").filter(JsValue::is_object)?.unchecked_into();
    Some(Source {
        name: js::text(source, "name")?,
        size: js::member(source, "size")?.as_f64()? as u64,
        content_type: js::text(source, "type").unwrap_or_default(),
        blob,
    })
}

/// Where events go. A listener that throws stops nothing.
fn listener(sink: Function) -> Sink<WebPlatform> {
    Rc::new(move |event| {
        let (kind, detail) = events::told(event);
        if let Err(thrown) = sink.call2(&JsValue::UNDEFINED, &kind.into(), &detail) {
            js::error(&format!("partway: a listener failed: {}", js::message(&thrown)));
        }
    })
}
