//! The uploader's options, as far as they concern the browser.

use js_sys::Function;
use wasm_bindgen::prelude::*;
use web_sys::RequestCredentials;

use super::hasher::Hasher;
use super::js::promise::Outcome;
use crate::error::{Code, UploadError};
use crate::json;
use crate::model::settings::Settings;

#[wasm_bindgen]
extern "C" {
    /// The options of an `Uploader`, as JavaScript has them.
    pub type UploaderOptions;

    #[wasm_bindgen(method, getter, catch)]
    fn provider(this: &UploaderOptions) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, getter, catch)]
    fn transport(this: &UploaderOptions) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, getter, catch)]
    fn credentials(this: &UploaderOptions) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, getter, catch)]
    fn fetch(this: &UploaderOptions) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, getter, catch, js_name = mapUrl)]
    fn map_url(this: &UploaderOptions) -> Result<JsValue, JsValue>;
}

/// What sends requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    /// Whichever the request needs.
    Auto,
    /// `fetch`.
    Fetch,
    /// `XMLHttpRequest`.
    Xhr,
}

/// What all uploads of one uploader share on this side.
#[derive(Debug)]
pub(super) struct BrowserOptions {
    /// The provider's options.
    pub(super) provider: JsValue,
    /// What hashes.
    pub(super) hasher: Hasher,
    /// What sends requests.
    pub(super) transport: Transport,
    /// Whether API requests carry cookies.
    pub(super) credentials: RequestCredentials,
    /// The caller's own `fetch`.
    pub(super) fetch: Option<Function>,
    /// The caller's `mapUrl`.
    pub(super) map_url: Option<Function>,
}

impl BrowserOptions {
    /// Reads the options. A member that is missing or of another type is ignored: the face has checked them.
    pub(super) fn read(options: &UploaderOptions, hasher: Hasher) -> Self {
        Self {
            provider: options.provider().unwrap_or_default(),
            hasher,
            transport: match text(options.transport()).as_deref() {
                Some("fetch") => Transport::Fetch,
                Some("xhr") => Transport::Xhr,
                _ => Transport::Auto,
            },
            credentials: match text(options.credentials()).as_deref() {
                Some("include") => RequestCredentials::Include,
                Some("omit") => RequestCredentials::Omit,
                _ => RequestCredentials::SameOrigin,
            },
            fetch: function(options.fetch()),
            map_url: function(options.map_url()),
        }
    }
}

fn text(value: Outcome) -> Option<String> {
    value.ok()?.as_string()
}

fn function(value: Outcome) -> Option<Function> {
    value.ok()?.dyn_into().ok()
}

/// The options that concern the engine.
///
/// # Errors
/// `invalid-options`.
pub(super) fn settings(options: &UploaderOptions) -> Result<Settings, UploadError> {
    json::decode::<JsValue, _>(options.as_ref()).map_err(|mismatch| {
        UploadError::new(Code::InvalidOptions, text!("The uploader's options are invalid: {}.", mismatch.message()))
            .hint("See the package's types for each option.")
    })
}
