//! The bytes of a file.

use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use web_sys::Blob;

use super::js::promise::settled;
use crate::model::plan::ByteRange;

/// The bytes of a file, which are read when they are sent, or a copy of all of them.
#[derive(Clone, Debug)]
pub enum FileBytes {
    /// The picked file, and its size: to ask the Blob for it takes Chromium a call to another process.
    File(Blob, u64),
    /// A copy in memory.
    Copy(Uint8Array),
}

/// Reads the whole file.
pub(super) async fn copy(bytes: FileBytes) -> Option<FileBytes> {
    match bytes {
        FileBytes::File(blob, size) => load(&blob, size).await.map(FileBytes::Copy),
        copy => Some(copy),
    }
}

/// Reads a range.
pub(super) async fn read(bytes: FileBytes, range: ByteRange) -> Option<Vec<u8>> {
    let part = match bytes {
        // Chromium waits for another process to make a slice.
        FileBytes::File(blob, size) if range == ByteRange::new(0, size) => load(&blob, size).await?,
        FileBytes::File(blob, _) => load(&slice(&blob, range, "").ok()?, range.len()).await?,
        FileBytes::Copy(bytes) => within(&bytes, range),
    };
    Some(part.to_vec())
}

async fn load(blob: &Blob, len: u64) -> Option<Uint8Array> {
    let bytes = Uint8Array::new(&settled(&blob.array_buffer()).await.ok()?);
    (u64::from(bytes.length()) == len).then_some(bytes)
}

/// A range of bytes in memory.
pub(super) fn within(bytes: &Uint8Array, range: ByteRange) -> Uint8Array {
    bytes.subarray(range.start as u32, range.end as u32)
}

/// The bytes of a range, with exactly that type ("" sends none).
///
/// Sizes pass 2^32: they cross the border as `f64`, which is exact up to 2^53.
pub(super) fn slice(blob: &Blob, range: ByteRange, content_type: &str) -> Result<Blob, JsValue> {
    blob.slice_with_f64_and_f64_and_content_type(range.start as f64, range.end as f64, content_type)
}
