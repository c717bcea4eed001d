//! JSON by the browser's own parser, and typed structs from and to its values.

use js_sys::{Array, Date, JSON, Object};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::{JsCast, JsValue};

use crate::json::{MOST, Made, Value};

/// Parses JSON text.
pub(super) fn parse(text: &str) -> Option<JsValue> {
    JSON::parse(text).ok()
}

/// What a value is.
pub(super) fn value(json: &JsValue) -> Value<JsValue> {
    if let Some(text) = json.as_string() {
        Value::Text(text)
    } else if let Some(number) = json.as_f64() {
        Value::Number(number)
    } else if let Some(flag) = json.as_bool() {
        Value::Flag(flag)
    } else if Array::is_array(json) {
        let list: &Array = json.unchecked_ref();
        if list.length() <= MOST { Value::List(list.to_vec()) } else { Value::Long }
    } else if let Some(date) = date(json) {
        Value::Text(date)
    } else if json.is_object() {
        Value::Object
    } else {
        Value::Nothing
    }
}

/// A `Date` as its JSON has it: ISO 8601, in UTC. None for anything else, and for one that is no time. Whatever the object does,
/// this doesn't throw.
fn date(json: &JsValue) -> Option<String> {
    let text = String::from(JSON::stringify(json.dyn_ref::<Date>()?).ok()?);
    text.strip_prefix('"')?.strip_suffix('"').map(Into::into)
}

/// The names of an object's own members, in order.
pub(super) fn names(object: &JsValue) -> Vec<String> {
    if !object.is_object() {
        return Vec::new();
    }
    let mut names = Vec::new();
    for name in Object::keys(object.unchecked_ref::<Object>()).to_vec() {
        names.extend(name.as_string());
    }
    names
}

/// Encodes a struct as a plain object: nothing as null, numbers as numbers.
pub(super) fn encode(value: &Made<'_>) -> JsValue {
    value.serialize(&Serializer::json_compatible()).unwrap_or(JsValue::NULL)
}
