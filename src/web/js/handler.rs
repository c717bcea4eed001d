//! Functions that JavaScript calls.

use js_sys::Function;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{Closure, JsValue};

/// A function that JavaScript calls, with an event or with nothing. Dropped, it throws when it is called: remove it first.
pub(in crate::web) type Handler = Closure<dyn FnMut(JsValue)>;

/// The handler as JavaScript takes it.
pub(in crate::web) fn as_function(handler: &Handler) -> &Function {
    handler.as_ref().unchecked_ref()
}
