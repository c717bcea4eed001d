//! URLs by the browser's own parser.

use super::globals;
use crate::http::Url;

/// The base of relative URLs, as for `fetch`: the document's base URL, or the worker's address. A worker that was made from a Blob has
/// an address that is no base; its origin is the page's.
fn base() -> Option<String> {
    globals::document_base().or_else(globals::address).filter(|href| href.starts_with("http")).or_else(globals::origin)
}

/// Parses a URL; None unless its scheme is http or https.
pub(in crate::web) fn resolve(url: &str) -> Option<Url> {
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
pub(in crate::web) fn origin() -> String {
    globals::origin().unwrap_or_default()
}
