//! What the page's events say about the network and the page, for whatever waits or hangs.

use std::cell::RefCell;

use js_sys::Reflect;
use wasm_bindgen::JsValue;

use super::signal::Signal;
use crate::platform::Stir;

thread_local! {
    static WAITING: RefCell<Vec<Signal<Stir>>> = RefCell::default();
}

/// Has everything that waits or hangs looked at, now.
pub(super) fn tell(stir: Stir) {
    WAITING.take().into_iter().for_each(|waiting| waiting.give(stir));
}

/// Resolves at the next event.
pub(super) fn next() -> impl Future<Output = Stir> + 'static {
    let signal = Signal::new();
    WAITING.with_borrow_mut(|waiting| {
        // Whoever was dropped meanwhile waits no more.
        waiting.retain(Signal::is_shared);
        waiting.push(signal.clone());
    });
    async move { signal.wait().await }
}

/// False only where the browser knows that there is no network.
pub(super) fn online() -> bool {
    let navigator = Reflect::get(&js_sys::global(), &"navigator".into());
    let online = navigator.and_then(|navigator| Reflect::get(&navigator, &"onLine".into()));
    online.ok() != Some(JsValue::FALSE)
}
