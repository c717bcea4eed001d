//! URLs by the browser's own parser.

use wasm_bindgen::JsValue;

use super::js::{member, text};
use crate::http::Url;

/// What relative URLs are relative to, as `fetch` has it: the document's base, a worker's address. A worker that was made from a
/// Blob has an address under which nothing lies; its origin is the page's.
fn base() -> Option<String> {
    let global: JsValue = js_sys::global().into();
    member(&global, "document")
        .and_then(|document| text(&document, "baseURI"))
        .or_else(|| text(&member(&global, "location")?, "href"))
        .filter(|href| href.starts_with("http"))
        .or_else(|| text(&global, "origin"))
}

/// Parses a URL of the web; None for what is none, `blob:` and `data:` among it.
pub(super) fn resolve(url: &str) -> Option<Url> {
    let parsed = match base() {
        Some(base) => web_sys::Url::new_with_base(url, &base),
        None => web_sys::Url::new(url),
    }
    .ok()?;
    matches!(parsed.protocol().as_str(), "https:" | "http:").then(|| Url {
        href: parsed.href(),
        origin: parsed.origin(),
        path: parsed.pathname(),
        query: parsed.search().get(1..).unwrap_or_default().into(),
    })
}

/// The page's own origin.
pub(super) fn origin() -> String {
    text(&js_sys::global().into(), "origin").unwrap_or_default()
}
