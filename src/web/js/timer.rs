//! Timers.

use js_sys::Function;
use wasm_bindgen::prelude::*;

use super::handler::{Handler, as_function};
use super::signal::Signal;

/// Browsers store a delay in 32 bits, signed; a longer one would fire at once (HTML, "timer initialization steps").
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
    fired: Signal<()>,
    _handler: Handler,
}

impl Timer {
    /// A timer for at most [`LONGEST_MS`].
    fn new(ms: u64) -> Self {
        let fired = Signal::new();
        let fire = fired.clone();
        let handler = Handler::new(move |_| fire.set(()));
        Self { id: set_timeout(as_function(&handler), ms as i32), fired, _handler: handler }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        clear_timeout(&self.id);
    }
}

/// Resolves after that many milliseconds, counted from this call.
pub(in crate::web) fn sleep(ms: u64) -> impl Future<Output = ()> + 'static {
    let (mut timer, mut left) = next(ms);
    async move {
        loop {
            (&mut timer.fired).await;
            if left == 0 {
                return;
            }
            (timer, left) = next(left);
        }
    }
}

/// A timer for as much of a time as a browser can wait, and what is left then.
fn next(ms: u64) -> (Timer, u64) {
    let now = ms.min(LONGEST_MS);
    (Timer::new(now), ms - now)
}
