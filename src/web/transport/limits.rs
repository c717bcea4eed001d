//! Reading answers, whoever brought them.

use js_sys::JsString;

/// The most that is read of an answer, in bytes or characters. APIs answer in kilobytes, and a list of a thousand parts stays below
/// 1 MiB; anything longer is a page or a mistake, and counts as empty. (A choice.)
pub(super) const MOST: u32 = 4 << 20;

/// The body, if it isn't too long to be an API's.
pub(super) fn capped(text: &JsString) -> String {
    if text.length() > MOST { String::new() } else { text.into() }
}

/// True where the headers announce a body that isn't worth reading.
pub(super) fn announces_too_much(headers: &[(String, String)]) -> bool {
    let length = headers.iter().find(|(name, _)| name == "content-length");
    length.is_some_and(|(_, value)| value.trim_ascii().parse().map_or(true, |bytes: u64| bytes > u64::from(MOST)))
}
