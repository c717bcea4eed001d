//! Typed structs from JSON values that the platform parsed.
//!
//! Errors name the member and what is due there, never the value that was found, which may be a secret. (serde's derived
//! deserializers do the same at several times the weight in the download.)

mod id;

pub use id::IdText;

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::platform::Platform;
use crate::util::text;

/// What a JSON value is.
#[derive(Clone, Debug)]
pub enum Value<J> {
    /// null, or nothing at all.
    Nothing,
    /// true or false.
    Flag(bool),
    /// A number.
    Number(f64),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<J>),
    /// A list of more than [`MOST`] items, left where it is.
    Long,
    /// An object, or anything else that has members.
    Object,
}

/// The most items of a list that are looked at: ten times what a plan may have. A list of an application's own may claim any
/// length, whether there is anything in it or not.
pub const MOST: u32 = 1_000_000;

/// A JSON value in the making. (One type for all that is sent: serde's derived serializers would each be in the download.)
#[derive(Clone, Debug)]
pub enum Made<'a> {
    /// null.
    Nothing,
    /// true or false.
    Flag(bool),
    /// A whole number.
    Number(u64),
    /// Text.
    Text(&'a str),
    /// A list.
    List(Vec<Made<'a>>),
    /// An object; its members go out in this order.
    Object(Vec<(&'static str, Made<'a>)>),
}

impl From<bool> for Made<'_> {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<u32> for Made<'_> {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<u64> for Made<'_> {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl<'a> From<&'a str> for Made<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Made<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl<'a, T: Into<Made<'a>>> From<Option<T>> for Made<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, Into::into)
    }
}

impl Serialize for Made<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Nothing => serializer.serialize_unit(),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            // JavaScript has one kind of number, and serde-wasm-bindgen formats an error where a `u64` may not fit into it.
            #[cfg(target_arch = "wasm32")]
            Self::Number(number) => serializer.serialize_f64(*number as f64),
            #[cfg(not(target_arch = "wasm32"))]
            Self::Number(number) => serializer.serialize_u64(*number),
            Self::Text(text) => serializer.serialize_str(text),
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

/// Reads one JSON value into types, and keeps what doesn't fit, the first of it.
///
/// What doesn't fit is read as something empty and the rest is read on, so that no type has to be taken apart half built; in the
/// end the whole is thrown away.
#[derive(Debug)]
pub struct Reader<'a, P: Platform> {
    platform: &'a P,
    misfit: Option<String>,
}

impl<P: Platform> Reader<'_, P> {
    /// Something else is due.
    pub fn miss(&mut self, due: &str) {
        if self.misfit.is_none() {
            self.misfit = Some(text::concat(&[due, " is due"]));
        }
    }

    /// What a value is.
    pub fn value(&self, json: Option<&P::Json>) -> Value<P::Json> {
        json.map_or(Value::Nothing, |json| self.platform.value(json))
    }

    /// True for anything but null.
    fn is_there(&self, json: Option<&P::Json>) -> bool {
        !matches!(self.value(json), Value::Nothing)
    }

    /// The value, if it has members; nothing else will do.
    pub fn object<'j>(&mut self, json: Option<&'j P::Json>) -> Option<&'j P::Json> {
        if matches!(self.value(json), Value::Object) {
            return json;
        }
        self.miss("an object");
        None
    }

    /// A member of an object.
    pub fn field(&mut self, object: Option<&P::Json>, name: &str, field: &mut dyn Fill<P>) {
        let fitted = self.misfit.is_none();
        field.fill(self, self.member(object, name).as_ref());
        if fitted {
            self.within(name);
        }
    }

    /// A member of an object that may be missing: then the field stays as it is.
    pub fn optional(&mut self, object: Option<&P::Json>, name: &str, field: &mut dyn Fill<P>) {
        if self.member(object, name).is_some() {
            self.field(object, name, field);
        }
    }

    /// A number that fits; else 0.
    fn number(&mut self, json: Option<&P::Json>, due: &str, fits: fn(f64) -> bool) -> f64 {
        match self.value(json) {
            Value::Number(number) if fits(number) => number,
            _ => {
                self.miss(due);
                0.0
            }
        }
    }

    /// Every member of an object, by name.
    pub fn members<T: Decode>(&mut self, json: Option<&P::Json>) -> Vec<(String, T)> {
        let object = self.object(json);
        let mut members = Vec::new();
        for name in object.map(|object| self.platform.names(object)).unwrap_or_default() {
            let mut value = T::default();
            self.field(object, &name, &mut value);
            members.push((name, value));
        }
        members
    }

    /// Every item of a list.
    pub fn items(&mut self, json: Option<&P::Json>, take: &mut dyn FnMut(&mut Self, &P::Json)) {
        match self.value(json) {
            Value::List(items) => {
                for item in &items {
                    // The rest would only fill the memory.
                    if self.misfit.is_some() {
                        break;
                    }
                    take(self, item);
                }
            }
            Value::Long => self.miss("a shorter list"),
            _ => self.miss("a list"),
        }
    }

    /// A member of an object, where it is there.
    pub fn member(&self, object: Option<&P::Json>, name: &str) -> Option<P::Json> {
        self.platform.member(object?, name)
    }

    /// Says where it was that something didn't fit.
    fn within(&mut self, member: &str) {
        if let Some(misfit) = &mut self.misfit {
            *misfit = text::concat(&["`", member, "`: ", misfit]);
        }
    }
}

/// A type that can be read from JSON.
pub trait Decode: Default {
    /// Reads a value into an empty one; None is one that isn't there. What doesn't fit is told to the reader.
    fn read<P: Platform>(&mut self, reader: &mut Reader<'_, P>, json: Option<&P::Json>);

    /// Reads a whole value.
    ///
    /// # Errors
    /// What doesn't fit, and where.
    fn decode<P: Platform>(platform: &P, json: Option<&P::Json>) -> Result<Self, String> {
        let mut value = Self::default();
        fill(platform, json, &mut value)?;
        Ok(value)
    }
}

/// What [`Decode`] can read, whatever its type: so all of it is read by the same code.
pub trait Fill<P: Platform> {
    /// Reads a value into this.
    fn fill(&mut self, reader: &mut Reader<'_, P>, json: Option<&P::Json>);
}

impl<P: Platform, T: Decode> Fill<P> for T {
    fn fill(&mut self, reader: &mut Reader<'_, P>, json: Option<&P::Json>) {
        self.read(reader, json);
    }
}

/// Reads a whole value; the error says what doesn't fit, and where.
pub(crate) fn fill<P: Platform>(platform: &P, json: Option<&P::Json>, value: &mut dyn Fill<P>) -> Result<(), String> {
    let mut reader = Reader { platform, misfit: None };
    value.fill(&mut reader, json);
    reader.misfit.map_or(Ok(()), Err)
}

/// 2^53: up to here a JSON number is exact.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Decode for String {
    fn read<P: Platform>(&mut self, reader: &mut Reader<'_, P>, json: Option<&P::Json>) {
        match reader.value(json) {
            Value::Text(text) => *self = text,
            _ => reader.miss("text"),
        }
    }
}

impl Decode for bool {
    fn read<P: Platform>(&mut self, reader: &mut Reader<'_, P>, json: Option<&P::Json>) {
        match reader.value(json) {
            Value::Flag(flag) => *self = flag,
            _ => reader.miss("true or false"),
        }
    }
}

impl Decode for f64 {
    fn read<P: Platform>(&mut self, reader: &mut Reader<'_, P>, json: Option<&P::Json>) {
        *self = reader.number(json, "a number", |_| true);
    }
}

impl Decode for u64 {
    fn read<P: Platform>(&mut self, reader: &mut Reader<'_, P>, json: Option<&P::Json>) {
        *self = reader.number(json, "a whole number from 0", |number| is_whole(number) && number >= 0.0) as u64;
    }
}

impl Decode for u32 {
    fn read<P: Platform>(&mut self, reader: &mut Reader<'_, P>, json: Option<&P::Json>) {
        let mut number = 0_u64;
        number.read(reader, json);
        match number.try_into() {
            Ok(number) => *self = number,
            Err(_) => reader.miss("a smaller number"),
        }
    }
}

impl Decode for i64 {
    fn read<P: Platform>(&mut self, reader: &mut Reader<'_, P>, json: Option<&P::Json>) {
        *self = reader.number(json, "a whole number", is_whole) as i64;
    }
}

/// True for a whole number that JSON carries exactly.
fn is_whole(number: f64) -> bool {
    number.abs() <= EXACT && (number as i64) as f64 == number
}

impl Decode for IdText {
    fn read<P: Platform>(&mut self, reader: &mut Reader<'_, P>, json: Option<&P::Json>) {
        match reader.value(json) {
            // Two dots would lead out of the path that an id is put into, however they are encoded (URL Standard, 4.4).
            Value::Text(text) if !matches!(text.as_str(), "" | "." | "..") => self.0 = text,
            // A number beyond 2^53 lost its last digits before it got here.
            Value::Number(_) => {
                let mut number = 0_u64;
                number.read(reader, json);
                self.0 = text::number(number);
            }
            _ => reader.miss("an id"),
        }
    }
}

impl<T: Decode> Decode for Option<T> {
    fn read<P: Platform>(&mut self, reader: &mut Reader<'_, P>, json: Option<&P::Json>) {
        if reader.is_there(json) {
            self.insert(T::default()).read(reader, json);
        }
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn read<P: Platform>(&mut self, reader: &mut Reader<'_, P>, json: Option<&P::Json>) {
        reader.items(json, &mut |reader, item| {
            let mut value = T::default();
            value.read(reader, Some(item));
            self.push(value);
        });
    }
}

/// An object of texts, in the order in which it was given: headers, for instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs(pub Vec<(String, String)>);

impl Decode for Pairs {
    fn read<P: Platform>(&mut self, reader: &mut Reader<'_, P>, json: Option<&P::Json>) {
        self.0 = reader.members(json);
    }
}

/// Reads a whole value; the error says what doesn't fit, and where.
pub(crate) fn decode<P: Platform, T: Decode>(platform: &P, json: &P::Json) -> Result<T, String> {
    T::decode(platform, Some(json))
}

/// Defines a struct together with its names on the wire.
macro_rules! decoded {
    ($(
        $(#[$meta:meta])*
        $vis:vis struct $name:ident { $($(#[$about:meta])* $of:vis $field:ident: $type:ty = $wire:literal,)* }
    )*) => {$(
        $(#[$meta])*
        #[derive(Default)]
        $vis struct $name { $($(#[$about])* $of $field: $type,)* }

        impl $crate::json::Decode for $name {
            fn read<P: $crate::platform::Platform>(
                &mut self,
                reader: &mut $crate::json::Reader<'_, P>,
                json: Option<&P::Json>,
            ) {
                let object = reader.object(json);
                $(reader.field(object, $wire, &mut self.$field);)*
            }
        }
    )*};
}
pub(crate) use decoded;
