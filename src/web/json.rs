//! JSON by the browser's own parser.

use js_sys::{Array, Date, JSON, Object, Reflect};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::{JsCast, JsValue};

use super::js::object;
use crate::json::{Json, JsonBuilder, Kind, MAX_ITEMS};

/// Any JavaScript value, since an application's own values come as well: what JSON can't carry is an object or null.
impl Json for JsValue {
    fn parse(text: &str) -> Option<Self> {
        JSON::parse(text).ok()
    }

    fn text(&self) -> String {
        JSON::stringify(self).ok().and_then(|text| text.as_string()).unwrap_or_default()
    }

    fn build(value: &JsonBuilder<'_>) -> Self {
        value.serialize(&Serializer::json_compatible()).unwrap_or(JsValue::NULL)
    }

    fn kind(&self) -> Kind<Self> {
        if let Some(text) = self.as_string() {
            Kind::String(text)
        } else if let Some(number) = self.as_f64() {
            Kind::Number(number)
        } else if let Some(value) = self.as_bool() {
            Kind::Bool(value)
        } else if Array::is_array(self) {
            let list: &Array = self.unchecked_ref();
            if list.length() <= MAX_ITEMS { Kind::List(list.to_vec()) } else { Kind::LongList }
        } else if let Some(text) = date_text(self) {
            Kind::String(text)
        } else if self.is_object() {
            Kind::Object
        } else {
            Kind::Null
        }
    }

    fn names(&self) -> Vec<String> {
        if !self.is_object() {
            return Vec::new();
        }
        let mut names = Vec::new();
        for name in Object::keys(self.unchecked_ref::<Object>()).to_vec() {
            names.extend(name.as_string());
        }
        names
    }

    fn member(&self, name: &str) -> Option<Self> {
        object::member_at(self, &name.into())
    }

    fn with(self, name: &str, member: Self) -> Self {
        // It can't fail on a plain object.
        let _ = Reflect::set(&self, &name.into(), &member);
        self
    }
}

/// A `Date` as JSON has it: ISO 8601, in UTC. None for anything else, for an invalid date, and for one whose `toJSON` throws.
fn date_text(value: &JsValue) -> Option<String> {
    let text = String::from(JSON::stringify(value.dyn_ref::<Date>()?).ok()?);
    text.strip_prefix('"')?.strip_suffix('"').map(Into::into)
}
