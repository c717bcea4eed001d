//! The limit of how much of an answer is read.

use js_sys::JsString;

/// The most that is read of an answer, in bytes or characters. APIs answer in kilobytes, and a list of a thousand parts stays below
/// 1 MiB; a longer answer is a page or a mistake, and is read as empty. (A choice.)
pub(super) const MAX_ANSWER: u32 = 4 << 20;

/// The text; empty where it is too long for an API's answer.
pub(super) fn capped(text: &JsString) -> String {
    if text.length() > MAX_ANSWER { String::new() } else { text.into() }
}

/// Whether the headers announce an answer that is too long to be read.
pub(super) fn announces_too_much(headers: &[(String, String)]) -> bool {
    let length = headers.iter().find(|(name, _)| name == "content-length");
    length.is_some_and(|(_, value)| value.trim_ascii().parse().map_or(true, |bytes: u64| bytes > u64::from(MAX_ANSWER)))
}
