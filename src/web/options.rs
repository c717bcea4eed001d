//! The uploader's options, as far as they are about the browser.

use js_sys::Function;
use wasm_bindgen::JsValue;
use web_sys::RequestCredentials;

use super::js::{function, member, text};
use super::platform::WebPlatform;
use crate::error::{Code, UploadError};
use crate::model::settings::Settings;

/// What sends requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    /// Whatever the request needs.
    Auto,
    /// `fetch`.
    Fetch,
    /// `XMLHttpRequest`.
    Xhr,
}

/// What all uploads of one uploader share on this side.
#[derive(Debug)]
pub(super) struct Page {
    /// The provider's options.
    pub(super) provider: JsValue,
    pub(super) transport: Transport,
    pub(super) credentials: RequestCredentials,
    /// The caller's own `fetch`.
    pub(super) fetch: Option<Function>,
    pub(super) before_request: Option<Function>,
    pub(super) map_url: Option<Function>,
}

impl Page {
    pub(super) fn new(options: &JsValue) -> Self {
        Self {
            provider: member(options, "provider").unwrap_or_default(),
            transport: match text(options, "transport").as_deref() {
                Some("fetch") => Transport::Fetch,
                Some("xhr") => Transport::Xhr,
                _ => Transport::Auto,
            },
            credentials: match text(options, "credentials").as_deref() {
                Some("include") => RequestCredentials::Include,
                Some("omit") => RequestCredentials::Omit,
                _ => RequestCredentials::SameOrigin,
            },
            fetch: function(options, "fetch"),
            before_request: function(options, "beforeRequest"),
            map_url: function(options, "mapUrl"),
        }
    }
}

/// The engine's share of the options.
pub(super) fn settings(platform: &WebPlatform, options: JsValue) -> Result<Settings, UploadError> {
    crate::json::decode(platform, &options)
        .map_err(|why: String| UploadError::new(Code::InvalidOptions, text!("The options can't be read: {}", why)))
}
