//! Builds plain objects and lists, and reads members of any object.

use std::cell::RefCell;

use js_sys::{Array, Function, Object, Reflect};
use wasm_bindgen::prelude::*;

use crate::util::ordered::OrderedMap;

#[wasm_bindgen]
extern "C" {
    /// "[object Blob]" and the like; unlike `instanceof` it knows the objects of other frames too.
    #[wasm_bindgen(js_namespace = ["Object", "prototype", "toString"], js_name = call)]
    pub(in crate::web) fn tag(value: &JsValue) -> String;
}

thread_local! {
    /// Names of members as JavaScript's strings, by where they are in memory.
    static NAMES: RefCell<OrderedMap<JsValue>> = RefCell::default();
}

/// A member's name as JavaScript's string. It is made once: that takes longer than to get or to set a member.
pub(in crate::web) fn js_name(name: &'static str) -> JsValue {
    // Constants end far below 16 MiB, and none is as long as 256 bytes.
    let place = name.as_ptr().addr() as u32 | (name.len() as u32) << 24;
    NAMES.with_borrow_mut(|names| {
        if names.get(place).is_none() {
            names.insert(place, name.into());
        }
        names.get(place).cloned().unwrap_or_default()
    })
}

/// Builds a plain object.
pub(in crate::web) struct ObjectBuilder(Object);

impl ObjectBuilder {
    /// An object without members.
    pub(in crate::web) fn new() -> Self {
        Self(Object::new())
    }

    /// Adds a member.
    pub(in crate::web) fn with(self, name: &'static str, value: impl Into<JsValue>) -> Self {
        self.with_value(name, value.into())
    }

    /// Not generic, so that it is in the download once.
    fn with_value(self, name: &'static str, value: JsValue) -> Self {
        set(&self.0, name, &value);
        self
    }

    /// Adds a member, if there is a value.
    pub(in crate::web) fn with_some(self, name: &'static str, value: Option<impl Into<JsValue>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }
}

impl From<ObjectBuilder> for JsValue {
    fn from(builder: ObjectBuilder) -> JsValue {
        builder.0.into()
    }
}

/// Sets a member of a plain object. It can't fail there.
pub(in crate::web) fn set(object: &JsValue, name: &'static str, value: &JsValue) {
    let _ = Reflect::set(object, &js_name(name), value);
}

/// A number as JavaScript has it: exact up to 2^53, which no file size reaches.
pub(in crate::web) fn number(value: u64) -> JsValue {
    JsValue::from_f64(value as f64)
}

/// A member of an object, unless it is absent, null or undefined, or its getter throws.
pub(in crate::web) fn member(object: &JsValue, name: &'static str) -> Option<JsValue> {
    member_at(object, &js_name(name))
}

/// The same by a name that JavaScript has made.
pub(in crate::web) fn member_at(object: &JsValue, name: &JsValue) -> Option<JsValue> {
    let value = Reflect::get(object, name).ok()?;
    (!value.is_undefined() && !value.is_null()).then_some(value)
}

/// A member that is a string.
pub(in crate::web) fn text(object: &JsValue, name: &'static str) -> Option<String> {
    member(object, name)?.as_string()
}

/// A member that is a function.
pub(in crate::web) fn function(object: &JsValue, name: &'static str) -> Option<Function> {
    member(object, name)?.dyn_into().ok()
}

/// A list of values.
pub(in crate::web) fn list(items: &[JsValue]) -> Array {
    let list = Array::new();
    for item in items {
        list.push(item);
    }
    list
}
