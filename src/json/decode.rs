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
    fn of(expected: &'static str, found: &'static str) -> Self {
        Self(Box::new(Details { path: String::new(), expected, found }))
    }

    /// The mismatch as the parent object has it: `member` is prepended to the path.
    #[must_use]
    pub fn within(mut self, member: &str) -> Self {
        self.add_parent(member);
        self
    }

    fn add_parent(&mut self, member: &str) {
        let path = &self.0.path;
        let separator = if path.is_empty() || path.starts_with('[') { "" } else { "." };
        self.0.path = text::concat(&[member, separator, path]);
    }

    /// The message, without a full stop: "`parts[].start` must be a whole number from 0, but is a string".
    pub fn message(&self) -> String {
        let Details { path, expected, found } = &*self.0;
        if path.is_empty() {
            return text!("it must be {}, but is {}", expected, found);
        }
        text!("`{}` must be {}, but is {}", path, expected, found)
    }
}

/// The first mismatch that was found while a value was read.
///
/// A mismatch doesn't stop the reading: the member gets an empty value, so that no half-built value has to be dropped at each member.
/// [`Decode::decode`] then returns the error instead of the value. (The same with `?` at each member made the download 1.7 % larger, measured.)
#[derive(Debug, Default)]
pub struct FirstMismatch(Option<Mismatch>);

impl FirstMismatch {
    /// Records a mismatch, unless there is one already. `expected` completes the sentence "it must be …".
    #[cold]
    #[inline(never)]
    pub fn note<J: Json>(&mut self, expected: &'static str, found: Option<&J>) {
        self.note_found(expected, Kind::of(found).name());
    }

    /// [`FirstMismatch::note`] with what was found.
    #[cold]
    #[inline(never)]
    pub(crate) fn note_found(&mut self, expected: &'static str, found: &'static str) {
        self.0.get_or_insert_with(|| Mismatch::of(expected, found));
    }

    fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// Adds the name of the parent member to the path.
    #[cold]
    #[inline(never)]
    fn within(&mut self, member: &str) {
        if let Some(mismatch) = &mut self.0 {
            mismatch.add_parent(member);
        }
    }
}

/// A type that can be decoded from JSON.
pub trait Decode<J: Json>: Sized {
    /// Reads a value; None stands for an absent one. A mismatch is recorded, and an empty value returned.
    fn read(json: Option<&J>, mismatch: &mut FirstMismatch) -> Self;

    /// Decodes a value; None stands for an absent one.
    ///
    /// # Errors
    /// What was expected, what was found, and where.
    fn decode(json: Option<&J>) -> Result<Self, Mismatch> {
        let mut mismatch = FirstMismatch::default();
        let value = Self::read(json, &mut mismatch);
        mismatch.0.map_or(Ok(value), Err)
    }
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

/// Decodes a member of an object.
///
/// # Errors
/// Those of [`Decode::decode`], also where the value isn't an object.
///
/// ```
/// use partway::json::decode_member;
/// let list: Vec<u32> = decode_member(&serde_json::json!({ "list": [1, 2] }), "list").unwrap();
/// assert_eq!(list, [1, 2]);
/// let error = decode_member::<_, Option<u32>>(&serde_json::json!([]), "list").unwrap_err();
/// assert_eq!(error.message(), "it must be an object, but is a list");
/// ```
pub fn decode_member<J: Json, T: Decode<J>>(json: &J, name: &str) -> Result<T, Mismatch> {
    let mut mismatch = FirstMismatch::default();
    let value = Object::of(Some(json), &mut mismatch).field(name);
    mismatch.0.map_or(Ok(value), Err)
}

/// An object whose members are read one by one.
#[derive(Debug)]
pub struct Object<'a, J> {
    /// None where the value isn't an object: then every member is absent.
    json: Option<&'a J>,
    mismatch: &'a mut FirstMismatch,
}

impl<'a, J: Json> Object<'a, J> {
    /// The members of a value, which must be an object.
    #[inline(never)]
    pub fn of(json: Option<&'a J>, mismatch: &'a mut FirstMismatch) -> Self {
        if !matches!(Kind::of(json), Kind::Object) {
            mismatch.note("an object", json);
            return Self { json: None, mismatch };
        }
        Self { json, mismatch }
    }

    /// Reads a member.
    #[inline(never)]
    pub fn field<T: Decode<J>>(&mut self, name: &str) -> T {
        let fitted = self.mismatch.is_none();
        let member = self.member(name);
        let value = T::read(member.as_ref(), self.mismatch);
        self.leave(name, member, fitted);
        value
    }

    /// Not generic, as `leave` below: one copy in the download instead of one for each type.
    #[inline(never)]
    fn member(&self, name: &str) -> Option<J> {
        self.json?.member(name)
    }

    #[inline(never)]
    fn leave(&mut self, name: &str, member: Option<J>, fitted: bool) {
        drop(member);
        if fitted {
            self.mismatch.within(name);
        }
    }

    /// Reads every member, by name.
    pub fn fields<T: Decode<J>>(&mut self) -> Vec<(String, T)> {
        let mut fields = Vec::new();
        for name in self.json.map(Json::names).unwrap_or_default() {
            let value = self.field(&name);
            fields.push((name, value));
        }
        fields
    }
}

/// 2^53: JavaScript's numbers are exact up to here.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Whether JSON carries a whole number exactly.
fn is_whole(number: f64) -> bool {
    number.abs() <= EXACT && (number as i64) as f64 == number
}

/// Reads a number that `fits`; 0 after a mismatch.
#[inline(never)]
fn number<J: Json>(
    json: Option<&J>,
    mismatch: &mut FirstMismatch,
    expected: &'static str,
    fits: fn(f64) -> bool,
) -> f64 {
    match Kind::of(json) {
        Kind::Number(number) if fits(number) => return number,
        Kind::Number(_) => mismatch.note_found(expected, "another number"),
        _ => mismatch.note(expected, json),
    }
    0.0
}

impl<J: Json> Decode<J> for String {
    #[inline(never)]
    fn read(json: Option<&J>, mismatch: &mut FirstMismatch) -> Self {
        if let Kind::String(value) = Kind::of(json) {
            return value;
        }
        mismatch.note("a string", json);
        Self::new()
    }
}

impl<J: Json> Decode<J> for bool {
    fn read(json: Option<&J>, mismatch: &mut FirstMismatch) -> Self {
        if let Kind::Bool(value) = Kind::of(json) {
            return value;
        }
        mismatch.note("true or false", json);
        false
    }
}

impl<J: Json> Decode<J> for f64 {
    fn read(json: Option<&J>, mismatch: &mut FirstMismatch) -> Self {
        number(json, mismatch, "a number", |_| true)
    }
}

impl<J: Json> Decode<J> for u64 {
    fn read(json: Option<&J>, mismatch: &mut FirstMismatch) -> Self {
        number(json, mismatch, "a whole number from 0", |number| is_whole(number) && number >= 0.0) as u64
    }
}

impl<J: Json> Decode<J> for u32 {
    fn read(json: Option<&J>, mismatch: &mut FirstMismatch) -> Self {
        u64::read(json, mismatch).try_into().unwrap_or_else(|_| {
            mismatch.note_found("a whole number below 2^32", "another number");
            0
        })
    }
}

impl<J: Json> Decode<J> for i64 {
    fn read(json: Option<&J>, mismatch: &mut FirstMismatch) -> Self {
        number(json, mismatch, "a whole number", is_whole) as i64
    }
}

impl<J: Json, T: Decode<J>> Decode<J> for Option<T> {
    fn read(json: Option<&J>, mismatch: &mut FirstMismatch) -> Self {
        if is_null(json) { None } else { Some(T::read(json, mismatch)) }
    }
}

#[inline(never)]
fn is_null<J: Json>(json: Option<&J>) -> bool {
    matches!(Kind::of(json), Kind::Null)
}

impl<J: Json, T: Decode<J>> Decode<J> for Vec<T> {
    fn read(json: Option<&J>, mismatch: &mut FirstMismatch) -> Self {
        let mut list = Vec::new();
        read_items(json, mismatch, &mut |item, mismatch| list.push(T::read(Some(item), mismatch)));
        list
    }
}

/// The items of a list, to be decoded one by one.
#[derive(Debug)]
pub struct Items<J>(pub Vec<J>);

impl<J: Json> Decode<J> for Items<J> {
    fn read(json: Option<&J>, mismatch: &mut FirstMismatch) -> Self {
        match Kind::of(json) {
            Kind::List(items) => return Self(items),
            Kind::LongList => mismatch.note_found("a list of at most 1,000,000 items", "a longer list"),
            _ => mismatch.note("a list", json),
        }
        Self(Vec::new())
    }
}

/// Reads the items of a list, whatever their type.
fn read_items<J: Json>(json: Option<&J>, mismatch: &mut FirstMismatch, read: &mut dyn FnMut(&J, &mut FirstMismatch)) {
    let Items(items) = Items::read(json, mismatch);
    let fitted = mismatch.is_none();
    for item in &items {
        read(item, mismatch);
        // The result is an error already: more items would only use memory.
        if !mismatch.is_none() {
            break;
        }
    }
    if fitted {
        mismatch.within("[]");
    }
}

/// An id as text, whether the server writes it as a number or as a string. A number that JSON can't carry exactly is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdText(pub String);

const ID: &str = "a non-empty string or a whole number";

impl<J: Json> Decode<J> for IdText {
    fn read(json: Option<&J>, mismatch: &mut FirstMismatch) -> Self {
        match Kind::of(json) {
            // In a URL's path, dots alone are a step to another folder, however they are encoded (URL Standard, 4.4).
            Kind::String(id) if !matches!(id.as_str(), "" | "." | "..") => return Self(id),
            // `u64` refuses numbers beyond 2^53: the parser has rounded them.
            Kind::Number(_) => return Self(text::number(u64::read(json, mismatch))),
            Kind::String(_) => mismatch.note_found(ID, "another string"),
            _ => mismatch.note(ID, json),
        }
        Self::default()
    }
}

/// An object of strings, in the order in which it was given: headers, for instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StringMap(pub Vec<(String, String)>);

impl<J: Json> Decode<J> for StringMap {
    fn read(json: Option<&J>, mismatch: &mut FirstMismatch) -> Self {
        Self(Object::of(json, mismatch).fields())
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
            fn read(json: Option<&J>, mismatch: &mut $crate::json::FirstMismatch) -> Self {
                let mut object = $crate::json::Object::of(json, mismatch);
                Self { $($field: object.field($wire),)* }
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
