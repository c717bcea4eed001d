//! Where an upload's session is kept: the face's functions, which write to IndexedDB.

use js_sys::Function;
use wasm_bindgen::JsValue;

use super::js;

/// What the face gave one upload to keep its session with; nothing where `resume` is off.
#[derive(Clone, Debug)]
pub(super) struct SessionStore {
    upload: JsValue,
}

impl SessionStore {
    /// From the upload's options.
    pub(super) fn new(upload: &JsValue) -> Self {
        Self { upload: upload.clone() }
    }

    fn function(&self, name: &str) -> Option<Function> {
        js::function(&self.upload, name)
    }

    /// Keeps the record; the promise settles once it is kept.
    pub(super) fn keep(&self, record: JsValue) -> impl Future<Output = bool> + 'static {
        let keeping = self.function("keep").map(|keep| js::outcome(keep.call1(&JsValue::UNDEFINED, &record)));
        async move {
            match keeping {
                Some(keeping) => keeping.await.is_ok(),
                None => false,
            }
        }
    }

    /// Keeps a part.
    pub(super) fn keep_part(&self, number: u32, part: &JsValue) {
        if let Some(keep) = self.function("keepPart") {
            let _ = keep.call2(&JsValue::UNDEFINED, &number.into(), part);
        }
    }

    /// Drops record and parts.
    pub(super) fn forget(&self) {
        if let Some(forget) = self.function("forget") {
            let _ = forget.call0(&JsValue::UNDEFINED);
        }
    }
}
