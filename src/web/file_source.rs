//! The file as the face gives it.

use std::cell::OnceCell;

use wasm_bindgen::prelude::*;

use super::file_bytes::FileBytes;
use crate::model::file::SourceFile;

#[wasm_bindgen]
extern "C" {
    /// A file: `{file, name, size, type}`.
    pub type FileSource;

    #[wasm_bindgen(method, getter, catch)]
    fn file(this: &FileSource) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, getter, catch)]
    fn name(this: &FileSource) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, getter, catch)]
    fn size(this: &FileSource) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, getter, catch, js_name = type)]
    fn content_type(this: &FileSource) -> Result<JsValue, JsValue>;
}

impl FileSource {
    /// The file for the engine; None if a member is missing or of another type.
    pub(super) fn read(&self) -> Option<SourceFile<FileBytes>> {
        let size = self.size().ok()?.as_f64()? as u64;
        Some(SourceFile {
            name: self.name().ok()?.as_string()?,
            size,
            content_type: self.content_type().ok()?.as_string().unwrap_or_default(),
            blob: FileBytes::File(self.file().ok().filter(JsValue::is_object)?.unchecked_into(), size),
            copy: OnceCell::new(),
        })
    }
}
