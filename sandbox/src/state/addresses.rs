//! The addresses of the listeners.

use serde::Serialize;

/// The origins of the listeners, as the server prints them when it is ready.
#[derive(Clone, Debug, Serialize)]
pub struct Addresses {
    /// Page, proxies, backends, control.
    pub app: String,
    /// The S3 store, embedded or existing.
    pub store: String,
    /// OFAuth.
    pub ofauth: String,
    /// Onlymonster.
    pub onlymonster: String,
    /// apifansly.
    pub apifansly: String,
}
