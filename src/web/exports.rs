//! The browser's side: [`WebPlatform`], and what the package's JavaScript calls.
//!
//! No export borrows anything while it calls into JavaScript, and none is `async`: promises belong to the JavaScript face, which
//! settles them when this instance dies too.

use std::rc::Rc;

use js_sys::{Function, JsString};
use wasm_bindgen::prelude::*;
use web_sys::Blob;

use crate::context::Notice;
use crate::context::shared::SharedState;
use crate::engine::record::SavedSession;
use crate::engine::uploader::{Start, Upload, Uploader};
use crate::error::{Code, UploadError};
use crate::json::Value;
use crate::model::events::EventSink;
use crate::model::file::SourceFile;
use crate::platform::PageEvent;
use crate::providers::s3::SharedCredentials;
use crate::providers::{AnyProvider, Setup};

mod answer;
mod body;
#[cfg(feature = "crash-test")]
mod crash;

mod events;
mod fetch;
mod globals;
mod hooks;
mod js;
mod json;
mod options;
mod outgoing;
mod platform;
mod policy;
mod probe;
mod shelf;
mod signal;
mod stir;
mod timer;
mod url;
mod xhr;

pub use platform::WebPlatform;

thread_local! {
    /// One for the page, whatever `Uploader` asks.
    static PACES: SharedState = SharedState::default();
}

/// The engine of one `Uploader`.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Engine {
    uploader: Uploader,
    page: Rc<options::Page>,
    credentials: SharedCredentials,
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
        let platform = WebPlatform::of(page.clone(), JsValue::UNDEFINED, &JsValue::UNDEFINED);
        let settings = options::settings(&platform, options).map_err(|error| events::error(&error))?;
        Ok(Self {
            uploader: Uploader::new(settings, PACES.with(SharedState::clone)),
            page,
            credentials: SharedCredentials::default(),
        })
    }

    /// Starts an upload of `source`: `{file, name, size, type}`. `provider` has this file's settings in it already; `options` is
    /// `{keep?, keepPart?, forget?, kept?, discard?}`: `keep(record)` gives a promise that settles once the
    /// session is kept, `keepPart(number, part)` and `forget()` are waited for by nobody, `kept` is what an earlier page kept,
    /// `{record, parts}`, and `discard` gives that up instead of going on. What the upload tells goes to `sink(type, detail)`; a "complete" or an "error" is the last.
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
        let platform = WebPlatform::of(self.page.clone(), provider.clone(), options);
        let source = read_source(source).ok_or_else(|| {
            events::error(&UploadError::new(Code::InvalidOptions, "There is no file in what was given as one."))
        })?;
        let sink = listener(sink);
        #[cfg(feature = "crash-test")]
        let sink = crash::midway(&source.name, sink);
        let name = js::text(provider, "name").unwrap_or_default();
        let shared = PACES.with(SharedState::clone);
        let (settings, credentials) = (self.uploader.settings(), &self.credentials);
        let setup = Setup { platform: &platform, settings, shared: &shared, credentials };
        let provider = AnyProvider::new(&name, provider, &setup);
        let begin = begin(options);
        Ok(Task(self.uploader.start(platform, source, provider, sink, begin)))
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
            Err(why) => js::warn(&text!("partway: notify() can't read the update: {}", why)),
        }
    }
}

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Task")
    }
}

/// Has everything that waits or hangs looked at, now: the face calls it on the page's events. `online` where the network is
/// back.
#[wasm_bindgen]
pub fn stir(online: bool) {
    stir::tell(if online { PageEvent::Online } else { PageEvent::Visible });
}

/// The version, for the face to compare with its own.
#[wasm_bindgen]
pub fn version() -> JsString {
    env!("CARGO_PKG_VERSION").into()
}

/// How the face has the upload begin: `kept` is `{record, parts}`, `discard` gives it up.
fn begin(options: &JsValue) -> Start<WebPlatform> {
    let Some(kept) = js::member(options, "kept") else { return Start::New };
    let parts = match js::member(&kept, "parts").as_ref().map(json::value) {
        Some(Value::List(parts)) => parts,
        _ => Vec::new(),
    };
    let kept = SavedSession { record: js::member(&kept, "record").unwrap_or_default(), parts };
    if js::is_true(options, "discard") { Start::Discard(kept) } else { Start::Saved(kept) }
}

fn read_source(source: &JsValue) -> Option<SourceFile<WebPlatform>> {
    let blob: Blob = js::member(source, "file").filter(JsValue::is_object)?.unchecked_into();
    Some(SourceFile {
        name: js::text(source, "name")?,
        size: js::member(source, "size")?.as_f64()? as u64,
        content_type: js::text(source, "type").unwrap_or_default(),
        blob,
    })
}

/// Where events go. A listener that throws stops nothing.
fn listener(sink: Function) -> EventSink<WebPlatform> {
    Rc::new(move |event| {
        let (kind, detail) = events::told(event);
        if let Err(thrown) = sink.call2(&JsValue::UNDEFINED, &kind.into(), &detail) {
            js::error(&text!("partway: a listener failed: {}", js::message(&thrown)));
        }
    })
}
