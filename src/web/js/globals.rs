//! Globals of the page or worker. Not every kind of worker has all of them.

use js_sys::{Array, Function};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console, js_name = warn)]
    pub(in crate::web) fn console_warn(message: &str);
    #[wasm_bindgen(js_namespace = console, js_name = error)]
    pub(in crate::web) fn console_error(message: &str);

    #[wasm_bindgen(js_name = addEventListener, catch)]
    fn add_event_listener(kind: &str, listener: &Function) -> Result<(), JsValue>;
    #[wasm_bindgen(js_name = removeEventListener, catch)]
    fn remove_event_listener(kind: &str, listener: &Function) -> Result<(), JsValue>;

    #[wasm_bindgen(js_namespace = performance, js_name = getEntriesByName, catch)]
    fn performance_entries(url: &str) -> Result<Array, JsValue>;

    #[wasm_bindgen(js_name = globalThis)]
    type Global;
    #[wasm_bindgen(static_method_of = Global, js_class = globalThis, getter, js_name = origin, catch)]
    fn own_origin() -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = document)]
    type Document;
    #[wasm_bindgen(static_method_of = Document, js_class = document, getter, js_name = baseURI, catch)]
    fn base() -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = location)]
    type Location;
    #[wasm_bindgen(static_method_of = Location, js_class = location, getter, catch)]
    fn href() -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = navigator)]
    type Navigator;
    #[wasm_bindgen(static_method_of = Navigator, js_class = navigator, getter, js_name = onLine, catch)]
    fn on_line() -> Result<JsValue, JsValue>;
    #[wasm_bindgen(static_method_of = Navigator, js_class = navigator, getter, js_name = userAgent, catch)]
    fn agent() -> Result<JsValue, JsValue>;
}

fn text(value: Result<JsValue, JsValue>) -> Option<String> {
    value.ok()?.as_string()
}

/// The protocol of the latest request to that URL: "http/1.1", "h2", "h3"; empty or None where the page can't know it (another origin
/// without `Timing-Allow-Origin`; Resource Timing, `nextHopProtocol`).
pub(in crate::web) fn protocol_of(url: &str) -> Option<String> {
    let entry = performance_entries(url).ok()?.pop();
    super::object::text(&entry, "nextHopProtocol")
}

/// Adds a listener for an event of the page or worker.
pub(in crate::web) fn listen(kind: &str, listener: &Function) {
    let _ = add_event_listener(kind, listener);
}

/// Removes the listener.
pub(in crate::web) fn unlisten(kind: &str, listener: &Function) {
    let _ = remove_event_listener(kind, listener);
}

/// The origin of the page or worker.
pub(in crate::web) fn origin() -> Option<String> {
    text(Global::own_origin())
}

/// The document's base URL.
pub(in crate::web) fn document_base() -> Option<String> {
    text(Document::base())
}

/// The address of the page or worker.
pub(in crate::web) fn address() -> Option<String> {
    text(Location::href())
}

/// The browser's name for itself.
pub(in crate::web) fn user_agent() -> Option<String> {
    text(Navigator::agent())
}

/// Whether there may be a network: false only where the browser knows that there is none.
pub(in crate::web) fn is_online() -> bool {
    Navigator::on_line().ok() != Some(JsValue::FALSE)
}
