//! What the page or worker says of itself. Not every place has all of it.

use js_sys::Function;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = addEventListener, catch)]
    fn add_event_listener(kind: &str, listener: &Function) -> Result<(), JsValue>;
    #[wasm_bindgen(js_name = removeEventListener, catch)]
    fn remove_event_listener(kind: &str, listener: &Function) -> Result<(), JsValue>;

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

fn text(said: Result<JsValue, JsValue>) -> Option<String> {
    said.ok()?.as_string()
}

/// Hears of an event of the page or worker.
pub(super) fn listen(kind: &str, listener: &Function) {
    let _ = add_event_listener(kind, listener);
}

/// Hears of it no more.
pub(super) fn unlisten(kind: &str, listener: &Function) {
    let _ = remove_event_listener(kind, listener);
}

/// The origin.
pub(super) fn origin() -> Option<String> {
    text(Global::own_origin())
}

/// What a document's relative URLs are relative to.
pub(super) fn document_base() -> Option<String> {
    text(Document::base())
}

/// The address.
pub(super) fn address() -> Option<String> {
    text(Location::href())
}

/// Which browser it is.
pub(super) fn user_agent() -> Option<String> {
    text(Navigator::agent())
}

/// False only where the browser knows that there is no network.
pub(super) fn online() -> bool {
    Navigator::on_line().ok() != Some(JsValue::FALSE)
}
