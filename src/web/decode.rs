//! Typed structs from JavaScript values.
//!
//! A lean `serde` deserializer: it knows what the engine's flat structs need, and its errors name the member and what is due
//! there, never the value that was found, which may be a secret.

use std::fmt::{self, Display};

use js_sys::{Array, Object};
use serde::de::{self, DeserializeSeed, Deserializer, Expected, IntoDeserializer, Unexpected, Visitor};
use wasm_bindgen::prelude::*;

/// What doesn't fit, and where.
#[derive(Debug)]
pub(super) struct Misfit {
    /// The members that lead to it, outermost last.
    path: Vec<&'static str>,
    what: String,
}

impl Misfit {
    fn new(what: String) -> Self {
        Self { path: Vec::new(), what }
    }

    fn due(expected: &dyn Expected) -> Self {
        Self::new(format!("{expected} is due"))
    }

    fn within(mut self, member: &'static str) -> Self {
        self.path.push(member);
        self
    }
}

impl Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for member in self.path.iter().rev() {
            write!(f, "`{member}`: ")?;
        }
        f.write_str(&self.what)
    }
}

impl std::error::Error for Misfit {}

impl de::Error for Misfit {
    fn custom<T: Display>(what: T) -> Self {
        Self::new(what.to_string())
    }
    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::due(expected)
    }
    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::due(expected)
    }
    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Self::due(expected)
    }
    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!("one of {} is due", expected.join(", ")))
    }
    fn missing_field(field: &'static str) -> Self {
        Self::new("it is missing".into()).within(field)
    }
    fn duplicate_field(field: &'static str) -> Self {
        Self::new("it is there twice".into()).within(field)
    }
}

/// A value to decode.
pub(super) struct Value(pub(super) JsValue);

/// The greatest whole number up to which a JavaScript number is exact (`Number.MAX_SAFE_INTEGER`).
const SAFE: f64 = 9_007_199_254_740_991.0;

impl Value {
    fn is_nothing(&self) -> bool {
        self.0.is_null() || self.0.is_undefined()
    }

    /// A whole number that is exact.
    fn whole(&self) -> Option<i64> {
        let number = self.0.as_f64()?;
        let whole = number as i64;
        (number.abs() <= SAFE && whole as f64 == number).then_some(whole)
    }

    fn list(&self) -> Option<Array> {
        self.0.dyn_ref().cloned()
    }

    fn is_object(&self) -> bool {
        self.0.is_object() && !Array::is_array(&self.0)
    }

    fn entries(&self) -> List {
        List { items: Object::entries(self.0.unchecked_ref()), next: 0, value: None }
    }
}

fn misfit<'de, T, V: Visitor<'de>>(visitor: &V) -> Result<T, Misfit> {
    Err(Misfit::due(visitor))
}

impl<'de> IntoDeserializer<'de, Misfit> for Value {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

/// The items of an array, or the entries of an object.
struct List {
    items: Array,
    next: u32,
    value: Option<JsValue>,
}

impl List {
    fn take(&mut self) -> Option<JsValue> {
        let at = self.next;
        self.next += 1;
        (at < self.items.length()).then(|| self.items.get(at))
    }
}

impl<'de> de::SeqAccess<'de> for List {
    type Error = Misfit;
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Misfit> {
        self.take().map(|item| seed.deserialize(Value(item))).transpose()
    }
}

impl<'de> de::MapAccess<'de> for List {
    type Error = Misfit;
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        let Some(entry) = self.take() else { return Ok(None) };
        let entry: Array = entry.unchecked_into();
        self.value = Some(entry.get(1));
        seed.deserialize(Value(entry.get(0))).map(Some)
    }
    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Misfit> {
        seed.deserialize(Value(self.value.take().unwrap_or_default()))
    }
}

/// The members of an object that a struct knows, by their positions: comparing names would be code for each of them.
struct Members {
    object: JsValue,
    names: &'static [&'static str],
    next: usize,
    value: JsValue,
}

impl Members {
    fn step(&mut self) -> Option<u32> {
        while let Some(name) = self.names.get(self.next) {
            self.next += 1;
            match js_sys::Reflect::get(&self.object, &(*name).into()) {
                Ok(value) if !value.is_undefined() => {
                    self.value = value;
                    return Some(self.next as u32 - 1);
                }
                _ => {}
            }
        }
        None
    }

    fn name(&self) -> &'static str {
        self.names.get(self.next.wrapping_sub(1)).copied().unwrap_or_default()
    }
}

impl<'de> de::MapAccess<'de> for &mut Members {
    type Error = Misfit;
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        self.step().map(|index| seed.deserialize(index.into_deserializer())).transpose()
    }
    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Misfit> {
        let value = std::mem::take(&mut self.value);
        seed.deserialize(Value(value)).map_err(|misfit| misfit.within(self.name()))
    }
}

/// The name of an enum's variant without content.
impl<'de> de::EnumAccess<'de> for Value {
    type Error = Misfit;
    type Variant = Self;
    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Misfit> {
        seed.deserialize(Value(self.0)).map(|variant| (variant, Value(JsValue::UNDEFINED)))
    }
}

impl<'de> de::VariantAccess<'de> for Value {
    type Error = Misfit;
    fn unit_variant(self) -> Result<(), Misfit> {
        Ok(())
    }
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Misfit> {
        seed.deserialize(self)
    }
    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Misfit> {
        misfit(&visitor)
    }
    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Misfit> {
        misfit(&visitor)
    }
}

impl<'de> Deserializer<'de> for Value {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if self.is_nothing() {
            return visitor.visit_unit();
        }
        if let Some(truth) = self.0.as_bool() {
            return visitor.visit_bool(truth);
        }
        if let Some(whole) = self.whole() {
            return visitor.visit_i64(whole);
        }
        if let Some(number) = self.0.as_f64() {
            return visitor.visit_f64(number);
        }
        if let Some(text) = self.0.as_string() {
            return visitor.visit_string(text);
        }
        if let Some(items) = self.list() {
            return visitor.visit_seq(List { items, next: 0, value: None });
        }
        if self.is_object() { visitor.visit_map(self.entries()) } else { misfit(&visitor) }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0.as_bool() {
            Some(truth) => visitor.visit_bool(truth),
            None => misfit(&visitor),
        }
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.whole() {
            Some(whole) => visitor.visit_i64(whole),
            None => misfit(&visitor),
        }
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.whole().and_then(|whole| u64::try_from(whole).ok()) {
            Some(whole) => visitor.visit_u64(whole),
            None => misfit(&visitor),
        }
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0.as_f64() {
            Some(number) => visitor.visit_f64(number),
            None => misfit(&visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0.as_string() {
            Some(text) => visitor.visit_string(text),
            None => misfit(&visitor),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_string(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_string(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if self.is_nothing() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if self.is_nothing() { visitor.visit_unit() } else { misfit(&visitor) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.list() {
            Some(items) => visitor.visit_seq(List { items, next: 0, value: None }),
            None => misfit(&visitor),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if self.is_object() { visitor.visit_map(self.entries()) } else { misfit(&visitor) }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        if !self.is_object() {
            return misfit(&visitor);
        }
        visitor.visit_map(&mut Members { object: self.0, names, next: 0, value: JsValue::UNDEFINED })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        if self.0.is_string() { visitor.visit_enum(self) } else { misfit(&visitor) }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u128 f32 char bytes byte_buf unit_struct tuple tuple_struct
    }
}
