//! Ids, which some servers write as numbers and others as text.

use serde::de::{self, Deserialize, Deserializer, Visitor};
use std::fmt;

/// An id that one server writes as a number and another as text; kept as text. A number beyond 2^53 has lost its last digits
/// before it gets here, so a fraction or such a number is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdText(pub String);

impl<'de> Deserialize<'de> for IdText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Id;
        impl Visitor<'_> for Id {
            type Value = IdText;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id: text or a whole number")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<IdText, E> {
                if text.is_empty() { Err(E::custom("an empty id")) } else { Ok(IdText(text.into())) }
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<IdText, E> {
                if number > 1 << 53 {
                    Err(E::custom("a number that JSON can't carry exactly"))
                } else {
                    Ok(IdText(number.to_string()))
                }
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<IdText, E> {
                u64::try_from(number).map_err(|_| E::custom("a negative id")).and_then(|number| self.visit_u64(number))
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<IdText, E> {
                if number < 0.0 || number.fract() != 0.0 {
                    return Err(E::custom("not a whole number"));
                }
                self.visit_u64(number as u64)
            }
        }
        deserializer.deserialize_any(Id)
    }
}
