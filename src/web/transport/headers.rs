//! Headers as pairs.

use gloo_net::http::Headers;

use crate::util::text;

/// All headers, names in lower case.
pub(super) fn pairs(headers: &Headers) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for pair in headers.entries() {
        pairs.push(pair);
    }
    pairs
}

/// Parses lines of `name: value` (XMLHttpRequest Standard, "getAllResponseHeaders()").
pub(super) fn parse(lines: &str) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    for line in text::split(lines, "\n") {
        if let Some((name, value)) = text::split_once(line, ":") {
            headers.push((name.to_ascii_lowercase(), value.trim_ascii().into()));
        }
    }
    headers
}
