//! Typed values from JSON.
//!
//! An error names the member, what was expected there and what kind of value was found, never the value itself, which may be a secret.
//! (serde's derived deserializers do the same at several times the weight in the download.)

use super::{Json, Kind};
use crate::util::text;

/// Why a value can't be decoded.
///
/// Boxed, since every decoded value is returned beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch(Box<Details>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Details {
    path: String,
    expected: &'static str,
    found: &'static str,
}

impl Mismatch {
    /// `expected` is what should be there, as it stands after "must be".
    #[cold]
    #[inline(never)]
    pub fn new<J: Json>(expected: &'static str, found: Option<&J>) -> Self {
        Self::of(expected, Kind::of(found).name())
    }

    fn of(expected: &'static str, found: &'static str) -> Self {
        Self(Box::new(Details { path: String::new(), expected, found }))
    }

    /// The same, in the member of an object.
    #[must_use]
    #[cold]
    #[inline(never)]
    pub fn within(mut self, member: &str) -> Self {
        let path = &self.0.path;
        let separator = if path.is_empty() || path.starts_with('[') { "" } else { "." };
        self.0.path = text::concat(&[member, separator, path]);
        self
    }

    /// The whole as a sentence without its full stop: "`parts[].start` must be a whole number from 0, but is a string".
    pub fn message(&self) -> String {
        let Details { path, expected, found } = &*self.0;
        if path.is_empty() {
            return text!("it must be {}, but is {}", expected, found);
        }
        text!("`{}` must be {}, but is {}", path, expected, found)
    }
}

/// A type that can be decoded from JSON.
pub trait Decode<J: Json>: Sized {
    /// Decodes a value; None is one that is absent.
    ///
    /// # Errors
    /// What was expected, what was found, and where.
    fn decode(json: Option<&J>) -> Result<Self, Mismatch>;
}

/// Decodes a value.
///
/// # Errors
/// Those of [`Decode::decode`].
///
/// ```
/// use partway::json::decode;
/// let list: Vec<u32> = decode(&serde_json::json!([1, 2])).unwrap();
/// assert_eq!(list, [1, 2]);
/// let error = decode::<_, Vec<u32>>(&serde_json::json!([1, "2"])).unwrap_err();
/// assert_eq!(error.message(), "`[]` must be a whole number from 0, but is a string");
/// ```
pub fn decode<J: Json, T: Decode<J>>(json: &J) -> Result<T, Mismatch> {
    T::decode(Some(json))
}

/// An object whose members are decoded one by one.
#[derive(Debug)]
pub struct Object<'a, J>(&'a J);

impl<'a, J: Json> Object<'a, J> {
    /// The value, if it has members.
    ///
    /// # Errors
    /// Where it is anything but an object.
    pub fn of(json: Option<&'a J>) -> Result<Self, Mismatch> {
        match json.map(|json| (json, json.kind())) {
            Some((json, Kind::Object)) => Ok(Self(json)),
            _ => Err(Mismatch::new("an object", json)),
        }
    }

    /// Decodes a member.
    ///
    /// # Errors
    /// Where it doesn't fit the type.
    pub fn field<T: Decode<J>>(&self, name: &str) -> Result<T, Mismatch> {
        T::decode(self.0.member(name).as_ref()).map_err(|mismatch| mismatch.within(name))
    }

    /// Decodes every member, by name.
    ///
    /// # Errors
    /// Where one doesn't fit the type.
    pub fn fields<T: Decode<J>>(&self) -> Result<Vec<(String, T)>, Mismatch> {
        let mut fields = Vec::new();
        for name in self.0.names() {
            let value = self.field(&name)?;
            fields.push((name, value));
        }
        Ok(fields)
    }
}

/// 2^53: up to here a JSON number is exact.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Whether JSON carries a whole number exactly.
fn is_whole(number: f64) -> bool {
    number.abs() <= EXACT && (number as i64) as f64 == number
}

fn number<J: Json>(json: Option<&J>, expected: &'static str, fits: fn(f64) -> bool) -> Result<f64, Mismatch> {
    match Kind::of(json) {
        Kind::Number(number) if fits(number) => Ok(number),
        Kind::Number(_) => Err(Mismatch::of(expected, "another number")),
        _ => Err(Mismatch::new(expected, json)),
    }
}

impl<J: Json> Decode<J> for String {
    fn decode(json: Option<&J>) -> Result<Self, Mismatch> {
        match Kind::of(json) {
            Kind::String(value) => Ok(value),
            _ => Err(Mismatch::new("a string", json)),
        }
    }
}

impl<J: Json> Decode<J> for bool {
    fn decode(json: Option<&J>) -> Result<Self, Mismatch> {
        match Kind::of(json) {
            Kind::Bool(value) => Ok(value),
            _ => Err(Mismatch::new("true or false", json)),
        }
    }
}

impl<J: Json> Decode<J> for f64 {
    fn decode(json: Option<&J>) -> Result<Self, Mismatch> {
        number(json, "a number", |_| true)
    }
}

impl<J: Json> Decode<J> for u64 {
    fn decode(json: Option<&J>) -> Result<Self, Mismatch> {
        number(json, "a whole number from 0", |number| is_whole(number) && number >= 0.0).map(|number| number as u64)
    }
}

impl<J: Json> Decode<J> for u32 {
    fn decode(json: Option<&J>) -> Result<Self, Mismatch> {
        let number = u64::decode(json)?;
        number.try_into().map_err(|_| Mismatch::of("a whole number below 2^32", "another number"))
    }
}

impl<J: Json> Decode<J> for i64 {
    fn decode(json: Option<&J>) -> Result<Self, Mismatch> {
        number(json, "a whole number", is_whole).map(|number| number as i64)
    }
}

impl<J: Json, T: Decode<J>> Decode<J> for Option<T> {
    fn decode(json: Option<&J>) -> Result<Self, Mismatch> {
        match Kind::of(json) {
            Kind::Null => Ok(None),
            _ => T::decode(json).map(Some),
        }
    }
}

impl<J: Json, T: Decode<J>> Decode<J> for Vec<T> {
    fn decode(json: Option<&J>) -> Result<Self, Mismatch> {
        match Kind::of(json) {
            Kind::List(items) => {
                let mut list = Vec::new();
                for item in &items {
                    list.push(T::decode(Some(item)).map_err(|mismatch| mismatch.within("[]"))?);
                }
                Ok(list)
            }
            Kind::LongList => Err(Mismatch::of("a list of at most 1,000,000 items", "a longer list")),
            _ => Err(Mismatch::new("a list", json)),
        }
    }
}

/// An id, kept as text whether the server writes it as a number or as a string. A number that JSON can't carry exactly is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdText(pub String);

const ID: &str = "a non-empty string or a whole number";

impl<J: Json> Decode<J> for IdText {
    fn decode(json: Option<&J>) -> Result<Self, Mismatch> {
        match Kind::of(json) {
            // Two dots would lead out of the path that an id is put into, however they are encoded (URL Standard, 4.4).
            Kind::String(id) if !matches!(id.as_str(), "" | "." | "..") => Ok(Self(id)),
            // A number beyond 2^53 lost its last digits before it got here.
            Kind::Number(_) => u64::decode(json).map(|number| Self(text::number(number))),
            Kind::String(_) => Err(Mismatch::of(ID, "another string")),
            _ => Err(Mismatch::new(ID, json)),
        }
    }
}

/// An object of strings, in the order in which it was given: headers, for instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StringMap(pub Vec<(String, String)>);

impl<J: Json> Decode<J> for StringMap {
    fn decode(json: Option<&J>) -> Result<Self, Mismatch> {
        Object::of(json)?.fields().map(Self)
    }
}

/// Defines a struct together with its members' names on the wire.
macro_rules! decoded {
    ($(
        $(#[$meta:meta])*
        $vis:vis struct $name:ident { $($(#[$about:meta])* $of:vis $field:ident: $type:ty = $wire:literal,)* }
    )*) => {$(
        $(#[$meta])*
        $vis struct $name { $($(#[$about])* $of $field: $type,)* }

        impl<J: $crate::json::Json> $crate::json::Decode<J> for $name {
            #[inline(never)]
            fn decode(json: Option<&J>) -> std::result::Result<Self, $crate::json::Mismatch> {
                let object = $crate::json::Object::of(json)?;
                Ok(Self { $($field: object.field($wire)?,)* })
            }
        }
    )*};
}
pub(crate) use decoded;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    decoded! {
        #[derive(Debug, PartialEq)]
        struct Outer {
            name: String = "name",
            inner: Option<Vec<Inner>> = "inner",
        }

        #[derive(Debug, PartialEq)]
        struct Inner {
            at: u32 = "at",
        }
    }

    #[test]
    fn members_are_found_by_their_names_on_the_wire() {
        let outer: Outer = decode(&json!({ "name": "a", "inner": [{ "at": 1 }], "more": 2 })).unwrap();
        assert_eq!(outer, Outer { name: "a".into(), inner: Some(vec![Inner { at: 1 }]) });
        assert_eq!(decode::<_, Outer>(&json!({ "name": "a", "inner": null })).unwrap().inner, None);
    }

    #[test]
    fn an_error_says_where_it_is_and_never_shows_the_value() {
        for (json, message) in [
            (json!({}), "`name` must be a string, but is missing"),
            (json!({ "name": 7 }), "`name` must be a string, but is a number"),
            (
                json!({ "name": "a", "inner": [{ "at": 1.5 }] }),
                "`inner[].at` must be a whole number from 0, but is another number",
            ),
            (
                json!({ "name": "a", "inner": [{ "at": 4_294_967_296_u64 }] }),
                "`inner[].at` must be a whole number below 2^32, but is another number",
            ),
            (json!("secret"), "it must be an object, but is a string"),
        ] {
            assert_eq!(decode::<_, Outer>(&json).unwrap_err().message(), message);
        }
    }

    #[test]
    fn ids_are_text_and_lead_out_of_no_path() {
        assert_eq!(decode(&json!("a")), Ok(IdText("a".into())));
        assert_eq!(decode(&json!(7)), Ok(IdText("7".into())));
        for id in [json!(""), json!("."), json!(".."), json!(1e300), json!(-1), json!(null)] {
            assert!(decode::<_, IdText>(&id).is_err(), "{id}");
        }
    }
}
