//! The face's worker that hashes.

use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;
use web_sys::{AbortController, AbortSignal, Blob};

use super::js::abort::AbortGuard;
use super::js::promise::outcome;
use crate::model::plan::ByteRange;
use crate::platform::{Digests, Wanted};

#[wasm_bindgen]
extern "C" {
    /// What the face gives the engine to hash by.
    #[derive(Clone, Debug)]
    pub type Hasher;

    #[wasm_bindgen(method, catch, js_name = hash)]
    fn start(
        this: &Hasher,
        blob: &Blob,
        start: f64,
        end: f64,
        md5: bool,
        crc64: bool,
        signal: &AbortSignal,
    ) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, getter, catch)]
    fn progress(this: &Hasher) -> Result<JsValue, JsValue>;
}

impl Hasher {
    /// Changes as long as it makes progress.
    pub(super) fn moved(&self) -> u64 {
        self.progress().ok().and_then(|number| number.as_f64()).unwrap_or_default() as u64
    }

    /// The digests of a range; None where it has none to give. Dropped, it stops.
    pub(super) async fn digest(self, blob: Blob, range: ByteRange, wanted: Wanted) -> Option<Digests> {
        let controller = AbortController::new().ok()?;
        let signal = controller.signal();
        let _guard = AbortGuard(Some(controller));
        let called = self.start(&blob, range.start as f64, range.end as f64, wanted.md5, wanted.crc64, &signal);
        let bytes = outcome(called).await.ok()?.dyn_into::<Uint8Array>().ok()?.to_vec();
        let (md5, crc64) = bytes.split_first_chunk()?;
        Some(Digests {
            md5: wanted.md5.then_some(*md5),
            crc64: crc64.first_chunk().filter(|_| wanted.crc64).map(|bytes| u64::from_be_bytes(*bytes)),
        })
    }
}
