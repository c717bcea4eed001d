//! Timers, in windows and workers alike.

use js_sys::Function;
use wasm_bindgen::prelude::*;

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
    _handler: Closure<dyn FnMut()>,
}

impl Timer {
    fn new(ms: i32) -> Self {
        let rung = Signal::new();
        let handler = Closure::new({
            let rung = rung.clone();
            move || rung.give(())
        });
        Self { id: set_timeout(handler.as_ref().unchecked_ref(), ms), rung, _handler: handler }
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
    let mut set = move || {
        let now = left.min(LONGEST_MS);
        left -= now;
        (Timer::new(now as i32), left == 0)
    };
    let first = set();
    async move {
        let (mut timer, mut last) = first;
        loop {
            timer.rung.wait().await;
            if last {
                return;
            }
            (timer, last) = set();
        }
    }
}
