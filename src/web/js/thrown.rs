//! What JavaScript threw: anything at all.

use wasm_bindgen::JsValue;

use super::object::{member, text};

/// The message of a thrown value, whatever the value is.
pub(in crate::web) fn message(thrown: &JsValue) -> String {
    text(thrown, "message")
        .or_else(|| thrown.as_string())
        .unwrap_or_else(|| "It threw a value that has no message.".into())
}

/// `retryable` of the package's `UploadError`; None for anything else. It is known by its members, since the class is the face's.
pub(in crate::web) fn upload_error(thrown: &JsValue) -> Option<bool> {
    text(thrown, "name").filter(|name| name == "UploadError")?;
    member(thrown, "retryable")?.as_bool()
}
