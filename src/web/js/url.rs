//! URLs by the browser's own parser.

use super::globals;
use crate::http::Url;

/// What relative URLs are relative to, as `fetch` has it: the document's base, a worker's address. A worker that was made from a
/// Blob has an address under which nothing lies; its origin is the page's.
fn base() -> Option<String> {
    globals::document_base().or_else(globals::address).filter(|href| href.starts_with("http")).or_else(globals::origin)
}

/// Parses a URL of the web; None for what is none, `blob:` and `data:` among it.
pub(super) fn resolve(url: &str) -> Option<Url> {
    // Nothing is relative to a blank page.
    let base = base().unwrap_or_else(|| "about:blank".into());
    let parsed = web_sys::Url::new_with_base(url, &base).ok()?;
    let href = parsed.href();
    (href.starts_with("https:") || href.starts_with("http:")).then(|| Url {
        href,
        origin: parsed.origin(),
        path: parsed.pathname(),
        query: parsed.search().get(1..).unwrap_or_default().into(),
    })
}

/// The page's own origin.
pub(super) fn origin() -> String {
    globals::origin().unwrap_or_default()
}
