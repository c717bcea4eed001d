//! Where an upload's session is saved: the face's functions, which write to IndexedDB.

use wasm_bindgen::prelude::*;

use super::js::promise::outcome;

#[wasm_bindgen]
extern "C" {
    /// The face's functions that save one upload's session. Each may be missing: they all are if `resume` is off.
    #[derive(Clone, Debug)]
    pub type SessionStore;

    #[wasm_bindgen(method, catch, js_name = keep)]
    fn keep_record(this: &SessionStore, record: &JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = keepPart)]
    fn keep_part_record(this: &SessionStore, number: u32, part: &JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = forget)]
    fn forget_record(this: &SessionStore) -> Result<JsValue, JsValue>;
}

impl SessionStore {
    /// Saves the record. Resolves to whether it was saved.
    pub(super) fn keep(&self, record: &JsValue) -> impl Future<Output = bool> + 'static {
        let saving = outcome(self.keep_record(record));
        async move { saving.await.is_ok() }
    }

    /// Saves a part, without waiting for it.
    pub(super) fn keep_part(&self, number: u32, part: &JsValue) {
        let _ = self.keep_part_record(number, part);
    }

    /// Drops the record and its parts, without waiting for it.
    pub(super) fn forget(&self) {
        let _ = self.forget_record();
    }
}
