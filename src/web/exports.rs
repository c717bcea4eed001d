//! The exports, which the package's face calls.
//!
//! No export borrows anything while it calls into JavaScript, and none is `async`: promises belong to the face, which settles them
//! when this instance crashes too.

use std::fmt;
use std::rc::Rc;

use js_sys::{Function, JsString};
use wasm_bindgen::prelude::*;

use super::events;
use super::file_source::FileSource;
use super::hasher::Hasher;
use super::js::globals::{console_error, console_warn};
use super::js::object::text;
use super::js::thrown::message;
use super::options::{BrowserOptions, UploaderOptions, settings};
use super::page_events;
use super::platform::WebPlatform;
use super::upload_functions::UploadFunctions;
use crate::context::notices::Notice;
use crate::context::shared::SharedState;
use crate::engine::handle::Upload;
use crate::engine::record::SavedSession;
use crate::engine::start::Start;
use crate::engine::uploader::Uploader;
use crate::error::{Code, UploadError};
use crate::json::{self, Json, Kind};
use crate::model::events::EventSink;
use crate::model::file::guess_type;
use crate::platform::PageEvent;
use crate::providers;
use crate::providers::setup::{ProviderCache, Setup};

thread_local! {
    /// One for the page, shared by all `Uploader`s.
    static SHARED: SharedState = SharedState::default();
}

#[wasm_bindgen]
extern "C" {
    /// How an upload starts: `{nextFrame?, nextTask?, keep?, keepPart?, forget?, beforeRequest?, transform?, kept?, discard?, priority?}`. The functions are its
    /// [`UploadFunctions`].
    #[wasm_bindgen(extends = UploadFunctions)]
    pub type StartOptions;

    /// `{record, parts}`, as an earlier page saved them.
    #[wasm_bindgen(method, getter, catch)]
    fn kept(this: &StartOptions) -> Result<JsValue, JsValue>;
    /// Uploads of a higher priority go first.
    #[wasm_bindgen(method, getter, catch)]
    fn priority(this: &StartOptions) -> Result<JsValue, JsValue>;
    /// Whether the saved session is aborted instead of continued.
    #[wasm_bindgen(method, getter, catch)]
    fn discard(this: &StartOptions) -> Result<JsValue, JsValue>;
}

/// The engine of one `Uploader`.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Engine {
    uploader: Uploader,
    options: Rc<BrowserOptions>,
    cache: ProviderCache,
}

#[wasm_bindgen]
impl Engine {
    /// An engine with the options of an `Uploader`, as the caller gave them. `hasher` hashes in a worker: it has `progress`, a number, and
    /// `hash(blob, start, end, md5, crc64, signal)`, which returns a promise of the digests' bytes, or of nothing.
    ///
    /// # Errors
    /// A plain error object.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &UploaderOptions, hasher: Hasher) -> Result<Engine, JsValue> {
        let settings = settings(options).map_err(|error| events::error_to_js(&error))?;
        Ok(Self {
            uploader: Uploader::new(settings, SHARED.with(SharedState::clone)),
            options: Rc::new(BrowserOptions::read(options, hasher)),
            cache: ProviderCache::default(),
        })
    }

    /// Starts an upload of `source`: `{file, name, size, type}`. `provider` are the provider's options, this file's among them;
    /// `options` is `{nextFrame?, nextTask?, keep?, keepPart?, forget?, beforeRequest?, transform?, kept?, discard?, priority?}`: `nextFrame()` returns a
    /// promise that settles when the page paints next, `nextTask()` one that settles in another task, `keep(record)` returns a promise that
    /// settles once the session is saved, `keepPart(number, part)` and `forget()` aren't waited for, `beforeRequest(request)` may change a
    /// request to an API, `transform()` returns a promise of what is sent in the file's place, `{file, name, size, type}`, or of nothing, `kept` is what an earlier page saved, `{record, parts}`, and `discard` aborts that session instead of continuing
    /// it. Events go to `sink(type, detail)`; a "complete" or an "error" is the last.
    ///
    /// # Errors
    /// A plain error object, where `source` isn't a file.
    pub fn start(
        &self,
        source: &FileSource,
        provider: &JsValue,
        options: &StartOptions,
        sink: Function,
    ) -> Result<Task, JsValue> {
        let store: &UploadFunctions = options.as_ref();
        let platform = WebPlatform::with(self.options.clone(), provider.clone(), store.clone());
        let file = source.read().ok_or_else(|| {
            events::error_to_js(
                &UploadError::new(
                    Code::InvalidOptions,
                    "The file must be a File, or a Blob with a name, but it is something else.",
                )
                .hint("Pass the File that was picked or dropped."),
            )
        })?;
        let sink = event_sink(sink);
        #[cfg(feature = "crash-test")]
        let sink = super::crash::midway(&file.name, sink);
        let shared = SHARED.with(SharedState::clone);
        let setup =
            Setup { platform: &platform, settings: self.uploader.settings(), shared: &shared, cache: &self.cache };
        let name = text(provider, "name").unwrap_or_default();
        let provider = providers::create(&name, provider, &setup);
        let priority = options.priority().ok().and_then(|priority| priority.as_f64()).unwrap_or(0.0);
        Ok(Task(self.uploader.start(platform, file, provider, sink, start_of(options), priority)))
    }

    /// Stops every upload here, and aborts none at a server, so that a later page can continue.
    pub fn close(&self) {
        self.uploader.close();
    }
}

/// A running upload.
#[wasm_bindgen]
pub struct Task(Upload<WebPlatform>);

#[wasm_bindgen]
impl Task {
    /// Pauses: aborts the requests in flight, and sends no more until `resume`.
    pub fn pause(&self) {
        self.0.pause();
    }

    /// Continues after a pause.
    pub fn resume(&self) {
        self.0.resume();
    }

    /// Moves the upload to the front of the queue.
    pub fn prioritize(&self) {
        self.0.prioritize();
    }

    /// Cancels the upload, and aborts it at the server.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Passes on a status that the application learned from a webhook. An update that can't be read is reported and changes nothing: the
    /// upload polls the status itself.
    pub fn notify(&self, update: &JsValue) {
        match json::decode::<_, Notice>(update) {
            Ok(notice) => self.0.notify(notice),
            Err(mismatch) => console_warn(&text!("partway: notify() can't read the update: {}.", mismatch.message())),
        }
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Task")
    }
}

/// Wakes waiting and stalled uploads: the face calls it at events of the page. `online` says that the network is back.
#[wasm_bindgen(js_name = stir)]
pub fn emit_page_event(online: bool) {
    page_events::emit(if online { PageEvent::Online } else { PageEvent::Visible });
}

/// The media type of a name's extension; empty if it isn't known.
#[wasm_bindgen(js_name = mediaType)]
pub fn media_type(name: &JsString) -> JsString {
    guess_type(&String::from(name)).unwrap_or("").into()
}

/// The version, for the face to compare with its own.
#[wasm_bindgen]
pub fn version() -> JsString {
    env!("CARGO_PKG_VERSION").into()
}

/// Reads from the options how an upload starts.
fn start_of(options: &StartOptions) -> Start<JsValue> {
    let Some(saved) = options.kept().ok().filter(JsValue::is_object) else { return Start::New };
    let parts = match Kind::of(saved.member("parts").as_ref()) {
        Kind::List(parts) => parts,
        _ => Vec::new(),
    };
    let saved = SavedSession { record: saved.member("record").unwrap_or_default(), parts };
    let is_discarded = options.discard().is_ok_and(|discard| discard == JsValue::TRUE);
    if is_discarded { Start::Discard(saved) } else { Start::Saved(saved) }
}

/// Passes events on to the face. A listener that throws stops nothing.
fn event_sink(sink: Function) -> EventSink<JsValue> {
    Rc::new(move |event| {
        let (kind, detail) = events::to_js(event);
        if let Err(thrown) = sink.call2(&JsValue::UNDEFINED, &kind.into(), &detail) {
            console_error(&text!("partway: a listener failed: {}", message(&thrown)));
        }
    })
}
