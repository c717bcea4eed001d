//! Typed structs from JSON values that the platform parsed.
//!
//! Errors name the member and what is due there, never the value that was found, which may be a secret. (serde's derived
//! deserializers do the same at several times the weight in the download.)

use crate::id::IdText;
use crate::platform::Platform;

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

/// What doesn't fit, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit(String);

impl Misfit {
    /// Something else is due.
    pub fn due(what: &str) -> Self {
        Self([what, " is due"].concat())
    }

    /// The same, inside a member.
    #[must_use]
    pub fn within(self, member: &str) -> Self {
        Self(["`", member, "`: ", &self.0].concat())
    }
}

impl From<Misfit> for String {
    fn from(misfit: Misfit) -> String {
        misfit.0
    }
}

/// A type that can be read from JSON.
pub trait Decode: Sized {
    /// Reads a value; None is one that isn't there.
    ///
    /// # Errors
    /// What doesn't fit.
    fn decode<P: Platform>(platform: &P, json: Option<&P::Json>) -> Result<Self, Misfit>;
}

/// 2^53: up to here a JSON number is exact.
const EXACT: f64 = 9_007_199_254_740_992.0;

fn value<P: Platform>(platform: &P, json: Option<&P::Json>) -> Value<P::Json> {
    json.map_or(Value::Nothing, |json| platform.value(json))
}

impl Decode for String {
    fn decode<P: Platform>(platform: &P, json: Option<&P::Json>) -> Result<Self, Misfit> {
        match value(platform, json) {
            Value::Text(text) => Ok(text),
            _ => Err(Misfit::due("text")),
        }
    }
}

impl Decode for bool {
    fn decode<P: Platform>(platform: &P, json: Option<&P::Json>) -> Result<Self, Misfit> {
        match value(platform, json) {
            Value::Flag(flag) => Ok(flag),
            _ => Err(Misfit::due("true or false")),
        }
    }
}

impl Decode for f64 {
    fn decode<P: Platform>(platform: &P, json: Option<&P::Json>) -> Result<Self, Misfit> {
        match value(platform, json) {
            Value::Number(number) => Ok(number),
            _ => Err(Misfit::due("a number")),
        }
    }
}

impl Decode for u64 {
    fn decode<P: Platform>(platform: &P, json: Option<&P::Json>) -> Result<Self, Misfit> {
        match value(platform, json) {
            Value::Number(number) if (0.0..=EXACT).contains(&number) && (number as u64) as f64 == number => {
                Ok(number as u64)
            }
            _ => Err(Misfit::due("a whole number from 0")),
        }
    }
}

impl Decode for u32 {
    fn decode<P: Platform>(platform: &P, json: Option<&P::Json>) -> Result<Self, Misfit> {
        u64::decode(platform, json)?.try_into().map_err(|_| Misfit::due("a smaller number"))
    }
}

impl Decode for i64 {
    fn decode<P: Platform>(platform: &P, json: Option<&P::Json>) -> Result<Self, Misfit> {
        match value(platform, json) {
            Value::Number(number) if number.abs() <= EXACT && (number as i64) as f64 == number => Ok(number as i64),
            _ => Err(Misfit::due("a whole number")),
        }
    }
}

impl Decode for IdText {
    fn decode<P: Platform>(platform: &P, json: Option<&P::Json>) -> Result<Self, Misfit> {
        match value(platform, json) {
            // Two dots would lead out of the path that an id is put into, however they are encoded (URL Standard, 4.4).
            Value::Text(text) if !matches!(text.as_str(), "" | "." | "..") => Ok(IdText(text)),
            // A number beyond 2^53 lost its last digits before it got here.
            Value::Number(_) => u64::decode(platform, json).map(|number| IdText(number.to_string())),
            _ => Err(Misfit::due("an id")),
        }
    }
}

impl<T: Decode> Decode for Option<T> {
    fn decode<P: Platform>(platform: &P, json: Option<&P::Json>) -> Result<Self, Misfit> {
        if matches!(value(platform, json), Value::Nothing) { Ok(None) } else { T::decode(platform, json).map(Some) }
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode<P: Platform>(platform: &P, json: Option<&P::Json>) -> Result<Self, Misfit> {
        match value(platform, json) {
            Value::List(items) => items.iter().map(|item| T::decode(platform, Some(item))).collect(),
            Value::Long => Err(Misfit::due("a shorter list")),
            _ => Err(Misfit::due("a list")),
        }
    }
}

/// An object of texts, in the order in which it was given: headers, for instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs(pub Vec<(String, String)>);

impl Decode for Pairs {
    fn decode<P: Platform>(platform: &P, json: Option<&P::Json>) -> Result<Self, Misfit> {
        let object = object(platform, json)?;
        let pair = |name: String| field(platform, object, &name).map(|value| (name, value));
        platform.names(object).into_iter().map(pair).collect::<Result<_, _>>().map(Self)
    }
}

/// The value, if it has members.
pub(crate) fn object<'a, P: Platform>(platform: &P, json: Option<&'a P::Json>) -> Result<&'a P::Json, Misfit> {
    json.filter(|json| matches!(platform.value(json), Value::Object)).ok_or_else(|| Misfit::due("an object"))
}

/// A member of an object, typed.
pub(crate) fn field<P: Platform, T: Decode>(platform: &P, object: &P::Json, name: &str) -> Result<T, Misfit> {
    T::decode(platform, platform.member(object, name).as_ref()).map_err(|misfit| misfit.within(name))
}

/// Reads a whole value; the error is a text.
pub(crate) fn decode<P: Platform, T: Decode>(platform: &P, json: &P::Json) -> Result<T, String> {
    T::decode(platform, Some(json)).map_err(String::from)
}

/// Defines a struct together with its names on the wire.
macro_rules! decoded {
    ($(
        $(#[$meta:meta])*
        $vis:vis struct $name:ident { $($(#[$about:meta])* $of:vis $field:ident: $type:ty = $wire:literal,)* }
    )*) => {$(
        $(#[$meta])*
        $vis struct $name { $($(#[$about])* $of $field: $type,)* }

        impl $crate::json::Decode for $name {
            fn decode<P: $crate::platform::Platform>(
                platform: &P,
                json: Option<&P::Json>,
            ) -> ::std::result::Result<Self, $crate::json::Misfit> {
                let object = $crate::json::object(platform, json)?;
                Ok(Self { $($field: $crate::json::field(platform, object, $wire)?,)* })
            }
        }
    )*};
}
pub(crate) use decoded;
