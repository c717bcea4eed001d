//! JSON by the browser's own parser, and typed structs from and to its values.

use js_sys::JSON;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;

use super::decode::Value;

/// Parses JSON text.
pub(super) fn parse(text: &str) -> Option<JsValue> {
    JSON::parse(text).ok()
}

/// Decodes a value; the error says what doesn't fit.
pub(super) fn decode<T: DeserializeOwned>(value: &JsValue) -> Result<T, String> {
    T::deserialize(Value(value.clone())).map_err(|misfit| misfit.to_string())
}

/// Encodes a struct as a plain object: nothing as null, numbers as numbers.
pub(super) fn encode<T: Serialize>(value: &T) -> JsValue {
    value.serialize(&Serializer::json_compatible()).unwrap_or(JsValue::NULL)
}
