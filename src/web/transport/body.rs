//! Bodies: slices of the file, by reference.

use js_sys::Array;
use wasm_bindgen::prelude::*;
use web_sys::{Blob, FormData};

use crate::model::file::{ContentType, FileBody};
use crate::model::plan::ByteRange;
use crate::web::js::object::list;

/// The bytes of a range, with exactly that type ("" sends none).
///
/// Sizes pass 2^32: they cross the border as `f64`, which is exact up to 2^53.
pub(in crate::web) fn slice(blob: &Blob, range: ByteRange, content_type: &str) -> Result<Blob, JsValue> {
    blob.slice_with_f64_and_f64_and_content_type(range.start as f64, range.end as f64, content_type)
}

/// The body for a range of the file, and the `Content-Type` header that it needs because the Blob doesn't bring it: `slice` writes
/// types in lower case and drops those with unusual characters, and a signed type must go out as it was signed.
///
/// The file itself is the body where it may be: browsers send it faster than a slice of all of it. A `File` brings its own type along.
pub(super) fn file(file: &FileBody<Blob>) -> Result<(Blob, Option<&str>), JsValue> {
    let (wanted, takes_own_type) = match &file.content_type {
        ContentType::Exactly(wanted) => (wanted.as_str(), file.blob.type_() == *wanted),
        ContentType::Absent => ("", file.blob.type_().is_empty()),
        ContentType::Any => ("", true),
    };
    let is_whole = file.range == ByteRange::new(0, file.size) && file.blob.size() == file.size as f64;
    let body = if is_whole && takes_own_type { file.blob.clone() } else { slice(&file.blob, file.range, wanted)? };
    let header = Some(wanted).filter(|wanted| !wanted.is_empty() && *wanted != body.type_());
    Ok((body, header))
}

/// A form with the file in the field `file`, last. The browser writes its `Content-Type`, which names the boundary.
pub(super) fn form(
    fields: &[(&'static str, String)],
    file: &FileBody<Blob>,
    filename: &str,
) -> Result<FormData, JsValue> {
    let form = FormData::new()?;
    for (name, value) in fields {
        form.append_with_str(name, value)?;
    }
    form.append_with_blob_and_filename("file", &self::file(file)?.0, filename)?;
    Ok(form)
}

/// Text as a body without a type: a string would bring `text/plain` along, which isn't signed.
pub(super) fn untyped(text: &str) -> Result<Blob, JsValue> {
    joined(&list(&[text.into()]))
}

/// A Blob of texts, bytes and Blobs. (The binding's name says strings; it takes all of these.)
pub(super) fn joined(parts: &Array) -> Result<Blob, JsValue> {
    Blob::new_with_str_sequence(parts)
}
