//! JSON values, whatever holds them: a `JsValue` in the browser, a `serde_json::Value` natively.

use std::fmt::Debug;

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

/// A JSON value of the platform's own parser. Cloning is cheap in the browser, where it is a reference.
pub trait Json: Clone + Debug + 'static {
    /// Parses JSON text; None where it isn't JSON.
    fn parse(text: &str) -> Option<Self>;
    /// The value as JSON text; empty where JSON has none for it.
    fn text(&self) -> String;
    /// Builds a value.
    fn build(value: &JsonBuilder<'_>) -> Self;
    /// The value's kind, with its content.
    fn kind(&self) -> Kind<Self>;
    /// The names of an object's members, in order; empty for anything else.
    fn names(&self) -> Vec<String>;
    /// A member of an object, unless it is absent, null or undefined.
    fn member(&self, name: &str) -> Option<Self>;
    /// The object with one more member.
    #[must_use]
    fn with(self, name: &str, member: Self) -> Self;
    /// The object with a string for each name that has one.
    #[must_use]
    fn with_strings(self, members: &[(&str, Option<&str>)]) -> Self {
        members.iter().fold(self, |object, (name, value)| match value {
            Some(value) => object.with(name, Self::build(&JsonBuilder::String(value))),
            None => object,
        })
    }
}

/// The kind of a JSON value, with its content.
#[derive(Clone, Debug)]
pub enum Kind<J> {
    /// null, or an absent value.
    Null,
    /// true or false.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A string.
    String(String),
    /// A list.
    List(Vec<J>),
    /// A list of more than [`MAX_ITEMS`] items, which aren't read.
    LongList,
    /// An object, or anything else that has members.
    Object,
}

/// The most items of a list that are read: ten times what a plan may have. (A choice: a hostile list may claim any length,
/// whether there is anything in it or not.)
pub const MAX_ITEMS: u32 = 1_000_000;

impl<J: Json> Kind<J> {
    /// The kind of a value that may be absent.
    pub fn of(json: Option<&J>) -> Self {
        json.map_or(Kind::Null, Json::kind)
    }

    /// The kind's name in an error. It never shows the value, which may be a secret.
    pub const fn name(&self) -> &'static str {
        match self {
            Kind::Null => "missing",
            Kind::Bool(_) => "a boolean",
            Kind::Number(_) => "a number",
            Kind::String(_) => "a string",
            Kind::List(_) | Kind::LongList => "a list",
            Kind::Object => "an object",
        }
    }
}

/// A description of a JSON value to build. (One type for all that is sent: serde's derived serializers would each be in the download.)
#[derive(Clone, Debug)]
pub enum JsonBuilder<'a> {
    /// null.
    Null,
    /// true or false.
    Bool(bool),
    /// A whole number.
    Number(u64),
    /// A string.
    String(&'a str),
    /// A list.
    List(Vec<JsonBuilder<'a>>),
    /// An object; its members go out in this order.
    Object(Vec<(&'static str, JsonBuilder<'a>)>),
}

impl From<bool> for JsonBuilder<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<u32> for JsonBuilder<'_> {
    fn from(value: u32) -> Self {
        Self::Number(value.into())
    }
}

impl From<u64> for JsonBuilder<'_> {
    fn from(value: u64) -> Self {
        Self::Number(value)
    }
}

impl<'a> From<&'a str> for JsonBuilder<'a> {
    fn from(value: &'a str) -> Self {
        Self::String(value)
    }
}

impl<'a> From<&'a String> for JsonBuilder<'a> {
    fn from(value: &'a String) -> Self {
        Self::String(value)
    }
}

impl<'a, T: Into<JsonBuilder<'a>>> From<Option<T>> for JsonBuilder<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl Serialize for JsonBuilder<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            // JavaScript has one kind of number, and serde-wasm-bindgen formats an error where a `u64` may not fit into it.
            #[cfg(target_arch = "wasm32")]
            Self::Number(value) => serializer.serialize_f64(*value as f64),
            #[cfg(not(target_arch = "wasm32"))]
            Self::Number(value) => serializer.serialize_u64(*value),
            Self::String(value) => serializer.serialize_str(value),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Self::Object(members) => {
                let mut object = serializer.serialize_map(Some(members.len()))?;
                for (name, member) in members {
                    object.serialize_entry(*name, member)?;
                }
                object.end()
            }
        }
    }
}
