//! Bodies: slices of the file, by reference, with the type that is meant or none.

use js_sys::Array;
use wasm_bindgen::prelude::*;
use web_sys::{Blob, FormData};

use super::js::list;
use super::platform::WebPlatform;
use crate::http::FileBody;
use crate::model::plan::ByteRange;

/// The bytes of a range, with exactly that type ("" sends none).
///
/// Sizes pass 2^32: they cross the border as `f64`, which is exact up to 2^53.
pub(super) fn slice(blob: &Blob, range: ByteRange, content_type: &str) -> Result<Blob, JsValue> {
    blob.slice_with_f64_and_f64_and_content_type(range.start as f64, range.end as f64, content_type)
}

/// The body for a range of the file.
///
/// The file itself goes where it may: browsers send it faster than a slice of all of it. A `File` brings its own type along, so
/// it may only where that is the one that is meant, or where the receiver takes any.
pub(super) fn file(file: &FileBody<WebPlatform>) -> Result<Blob, JsValue> {
    let wanted = file.content_type.as_deref().unwrap_or("");
    let whole = file.range == ByteRange::new(0, file.size) && file.blob.size() == file.size as f64;
    if whole && (file.any_type || file.blob.type_() == wanted) {
        Ok(file.blob.clone())
    } else {
        slice(&file.blob, file.range, wanted)
    }
}

/// The type that must be said of a body, where it doesn't say it itself: `slice` writes types in lower case and drops those it
/// finds odd; what was signed must go out as it was signed.
pub(super) fn unsaid_type<'a>(file: &'a FileBody<WebPlatform>, body: &Blob) -> Option<&'a str> {
    file.content_type.as_deref().filter(|wanted| *wanted != body.type_())
}

/// A form with the file in the field `file`, last. The browser writes its `Content-Type`, which names the boundary.
pub(super) fn form(
    fields: &[(&'static str, String)],
    file: &FileBody<WebPlatform>,
    filename: &str,
) -> Result<FormData, JsValue> {
    let form = FormData::new()?;
    for (name, value) in fields {
        form.append_with_str(name, value)?;
    }
    form.append_with_blob_and_filename("file", &self::file(file)?, filename)?;
    Ok(form)
}

/// Text as a body without a type: a string would bring `text/plain` along, which nobody signed.
pub(super) fn untyped(text: &str) -> Result<Blob, JsValue> {
    joined(&list(&[text.into()]))
}

/// A Blob of texts, bytes and Blobs; the name says strings because one signature serves for all.
pub(super) fn joined(parts: &Array) -> Result<Blob, JsValue> {
    Blob::new_with_str_sequence(parts)
}
