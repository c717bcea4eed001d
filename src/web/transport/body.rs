//! Bodies: slices of the file, by reference.

use js_sys::Array;
use wasm_bindgen::prelude::*;
use web_sys::{Blob, FormData};

use crate::model::file::{ContentType, FileBody};
use crate::model::plan::ByteRange;
use crate::web::file_bytes::{FileBytes, slice, within};
use crate::web::js::object::list;

/// The body for a range of the file, and the `Content-Type` header that it needs because the body doesn't bring it: `slice` writes
/// types in lower case and drops those with unusual characters, and a signed type must go out as it was signed.
///
/// The file itself is the body where it may be: browsers send it faster than a slice of all of it. A `File` brings its own type along.
/// A copy in memory goes to a presigned URL as it is, and elsewhere as a Blob, which the application may see.
pub(super) fn file(file: &FileBody<FileBytes>, presigned: bool) -> Result<(JsValue, Option<&str>), JsValue> {
    let wanted = match &file.content_type {
        ContentType::Exactly(wanted) => Some(wanted.as_str()),
        ContentType::Absent => Some(""),
        ContentType::Any => None,
    };
    let (blob, size, range) = match &file.blob {
        FileBytes::File(blob, size) => (blob.clone(), *size, file.range),
        FileBytes::Copy(bytes) => {
            let bytes = within(bytes, file.range);
            if presigned {
                return Ok((bytes.into(), wanted.filter(|wanted| !wanted.is_empty())));
            }
            (joined(&list(&[bytes.into()]))?, file.range.len(), ByteRange::new(0, file.range.len()))
        }
    };
    let takes_own_type = wanted.is_none_or(|wanted| blob.type_() == wanted);
    let is_whole = takes_own_type && range == ByteRange::new(0, size);
    let wanted = wanted.unwrap_or_default();
    let body = if is_whole { blob } else { slice(&blob, range, wanted)? };
    let header = Some(wanted).filter(|wanted| !wanted.is_empty() && *wanted != body.type_());
    Ok((body.into(), header))
}

/// A form with the file as its last field. The browser writes its `Content-Type`, which names the boundary.
pub(super) fn form(
    fields: &[(String, String)],
    file_field: &str,
    file: &FileBody<FileBytes>,
    filename: &str,
) -> Result<FormData, JsValue> {
    let form = FormData::new()?;
    for (name, value) in fields {
        form.append_with_str(name, value)?;
    }
    form.append_with_blob_and_filename(file_field, self::file(file, false)?.0.unchecked_ref(), filename)?;
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
