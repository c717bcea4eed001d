//! Timers, in windows and workers alike.

use js_sys::Function;
use wasm_bindgen::prelude::*;

use super::js::Handler;
use super::signal::Signal;

/// Browsers keep a delay in 32 bits, signed; a longer one would fire at once (HTML, "timer initialization steps").
const LONGEST_MS: u64 = i32::MAX as u64;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(handler: &Function, ms: i32) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(id: &JsValue);
}

/// A timer that is set. Dropped, it never fires.
struct Timer {
    id: JsValue,
    rung: Signal<()>,
    _handler: Handler,
}

impl Timer {
    /// For what is left, or as much of it as a browser can wait; the rest is then left.
    fn new(left: &mut u64) -> Self {
        let ms = (*left).min(LONGEST_MS);
        *left -= ms;
        let rung = Signal::new();
        let ring = rung.clone();
        let handler = Handler::new(move |_| ring.give(()));
        Self { id: set_timeout(handler.as_ref().unchecked_ref(), ms as i32), rung, _handler: handler }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        clear_timeout(&self.id);
    }
}

/// Resolves after that many milliseconds, counted from this call.
pub(super) fn sleep(ms: u64) -> impl Future<Output = ()> + 'static {
    let mut left = ms;
    let mut timer = Timer::new(&mut left);
    async move {
        loop {
            (&mut timer.rung).await;
            if left == 0 {
                return;
            }
            timer = Timer::new(&mut left);
        }
    }
}
