//! JavaScript values: building plain objects, reading members, waiting, telling kinds apart.

use std::cell::Cell;
use std::rc::Rc;

use gloo_net::http::Headers;
use js_sys::{Array, Function, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;

use super::signal::Signal;

#[wasm_bindgen]
extern "C" {
    /// "[object Blob]" and the like; unlike `instanceof` it knows the objects of other frames too.
    #[wasm_bindgen(js_namespace = ["Object", "prototype", "toString"], js_name = call)]
    pub(super) fn tag(value: &JsValue) -> String;
    #[wasm_bindgen(js_namespace = console, js_name = warn)]
    pub(super) fn warn(message: &str);
    #[wasm_bindgen(js_namespace = console, js_name = error)]
    pub(super) fn error(message: &str);
}

/// What JavaScript gave or threw.
pub(super) type Outcome = Result<JsValue, JsValue>;

/// What JavaScript calls, with an event or with nothing.
pub(super) type Handler = Closure<dyn FnMut(JsValue)>;

/// A plain object in the making.
pub(super) struct Plain(Object);

impl Plain {
    pub(super) fn new() -> Self {
        Self(Object::new())
    }

    /// Adds a member.
    pub(super) fn with(self, name: &str, value: impl Into<JsValue>) -> Self {
        self.with_value(name, value.into())
    }

    fn with_value(self, name: &str, value: JsValue) -> Self {
        set(&self.0, name, &value);
        self
    }

    /// Adds a member, unless there is nothing to add.
    pub(super) fn with_some(self, name: &str, value: Option<impl Into<JsValue>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }
}

impl From<Plain> for JsValue {
    fn from(plain: Plain) -> JsValue {
        plain.0.into()
    }
}

/// Gives a plain object of ours a member; such a one takes any.
pub(super) fn set(object: &JsValue, name: &str, value: &JsValue) {
    let _ = Reflect::set(object, &name.into(), value);
}

/// A number as JavaScript has it: whole up to 2^53, which no file size reaches.
pub(super) fn number(value: u64) -> JsValue {
    JsValue::from_f64(value as f64)
}

/// A member of an object, unless it is absent, null or undefined, or can't be had.
pub(super) fn member(object: &JsValue, name: &str) -> Option<JsValue> {
    let value = Reflect::get(object, &name.into()).ok()?;
    (!value.is_undefined() && !value.is_null()).then_some(value)
}

/// A member that is text.
pub(super) fn text(object: &JsValue, name: &str) -> Option<String> {
    member(object, name)?.as_string()
}

/// True where a member is.
pub(super) fn is_true(object: &JsValue, name: &str) -> bool {
    member(object, name).is_some_and(|value| value == JsValue::TRUE)
}

/// A member that is a function.
pub(super) fn function(object: &JsValue, name: &str) -> Option<Function> {
    member(object, name)?.dyn_into().ok()
}

/// A list of values.
pub(super) fn list(items: &[JsValue]) -> Array {
    let list = Array::new();
    for item in items {
        list.push(item);
    }
    list
}

/// All headers, names in lower case.
pub(super) fn pairs(headers: &Headers) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for pair in headers.entries() {
        pairs.push(pair);
    }
    pairs
}

/// What a promise gives in the end; anything else is given as it is.
pub(super) fn settled(value: &JsValue) -> Signal<Outcome> {
    let outcome = Signal::new();
    // The promise may be settled after nobody waits any more: the handlers keep each other until then.
    let handlers = Rc::new(Cell::new(None));
    let handler = |as_outcome: fn(JsValue) -> Outcome| {
        let (outcome, handlers) = (outcome.clone(), handlers.clone());
        Handler::new(move |value| {
            handlers.take();
            outcome.give(as_outcome(value));
        })
    };
    let (fulfilled, rejected) = (handler(Ok), handler(Err));
    let _ = Promise::resolve(value).then2(&fulfilled, &rejected);
    handlers.set(Some((fulfilled, rejected)));
    outcome
}

/// What a function gave, or threw, in the end.
pub(super) fn outcome(called: Outcome) -> Signal<Outcome> {
    called.map_or_else(|thrown| Signal::given(Err(thrown)), |value| settled(&value))
}

/// What something thrown says of itself. Whatever was thrown, this doesn't fail.
pub(super) fn message(thrown: &JsValue) -> String {
    text(thrown, "message")
        .or_else(|| thrown.as_string())
        .unwrap_or_else(|| "It threw something that has no message.".into())
}

/// `retryable` of the package's `UploadError`; None for anything else. Known by its members: this module can't see the class.
pub(super) fn upload_error(thrown: &JsValue) -> Option<bool> {
    text(thrown, "name").filter(|name| name == "UploadError")?;
    member(thrown, "retryable")?.as_bool()
}
