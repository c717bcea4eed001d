//! The face's functions for one upload: its session is saved by them, in IndexedDB.

use futures::FutureExt;
use js_sys::Function;
use wasm_bindgen::prelude::*;

use super::js::promise::{Outcome, outcome};

#[wasm_bindgen]
extern "C" {
    /// The face's functions for one upload. Each may be missing: those that save its session are if `resume` is off.
    #[derive(Clone, Debug)]
    pub type UploadFunctions;

    #[wasm_bindgen(method, catch, js_name = keep)]
    fn keep_record(this: &UploadFunctions, record: &JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = keepPart)]
    fn keep_part_record(this: &UploadFunctions, number: u32, part: &JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = nextFrame)]
    fn frame(this: &UploadFunctions) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = nextTask)]
    fn task(this: &UploadFunctions) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = forget)]
    fn forget_record(this: &UploadFunctions) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = transform)]
    fn transform_file(this: &UploadFunctions) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, getter, catch, js_name = transform)]
    fn transform_hook(this: &UploadFunctions) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, getter, catch, js_name = beforeRequest)]
    fn request_hook(this: &UploadFunctions) -> Result<JsValue, JsValue>;
}

impl UploadFunctions {
    /// Resolves when the page paints next.
    pub(super) fn next_frame(&self) -> impl Future<Output = ()> + 'static {
        outcome(self.frame()).map(drop)
    }

    /// Resolves in another task.
    pub(super) fn next_task(&self) -> impl Future<Output = ()> + 'static {
        outcome(self.task()).map(drop)
    }

    /// Whether the application has a `transform`.
    pub(super) fn transforms(&self) -> bool {
        self.transform_hook().is_ok_and(|hook| hook.is_function())
    }

    /// What the application's `transform` makes of this upload's file, as a [`FileSource`](super::file_source::FileSource); undefined: the
    /// file itself.
    pub(super) fn transform(&self) -> impl Future<Output = Outcome> + 'static {
        outcome(self.transform_file())
    }

    /// The application's `beforeRequest`, which gets this upload's file.
    pub(super) fn before_request(&self) -> Option<Function> {
        self.request_hook().ok()?.dyn_into().ok()
    }

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
