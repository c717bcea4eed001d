//! The uploader's options as the engine reads them. Their shapes were checked in the package's face already; what arrives here
//! is decoded all the same, never trusted.

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use std::fmt;

/// How many part requests run at once unless told: what HTTP/1.1 gives a host in every browser.
pub const CONCURRENCY: usize = 6;

/// Options of an uploader that concern the engine.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// Part requests in flight over all uploads.
    pub concurrency: Concurrency,
    /// How often, and how patiently, a request is tried.
    pub retry: RetrySettings,
    /// Milliseconds without a byte of progress after which a request is given up.
    pub stall_ms: u64,
    /// Whether parts are hashed and held against their ETags.
    pub integrity: Integrity,
    /// Whether calls that must not take effect twice carry an `Idempotency-Key`; None: where `baseUrl` is of the page's origin.
    pub idempotency_keys: Option<bool>,
    /// What a file must be.
    pub accept: AcceptSetting,
    /// Origins beyond `baseUrl`'s that may get the provider's headers.
    pub trusted_origins: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            concurrency: Concurrency(CONCURRENCY),
            retry: RetrySettings::default(),
            stall_ms: 30_000,
            integrity: Integrity::Auto,
            idempotency_keys: None,
            accept: AcceptSetting::default(),
            trusted_origins: Vec::new(),
        }
    }
}

/// A number of slots, or "auto".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concurrency(pub usize);

/// How a request is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RetrySettings {
    /// Attempts in all, the first one counted.
    pub attempts: u32,
    /// Milliseconds that the first wait may take at most.
    pub base_ms: u64,
    /// Milliseconds that no wait exceeds.
    pub cap_ms: u64,
}

impl Default for RetrySettings {
    fn default() -> Self {
        Self { attempts: 8, base_ms: 500, cap_ms: 30_000 }
    }
}

/// Whether parts are held against their ETags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Integrity {
    /// Never.
    Off,
    /// Where the ETag looks like an MD5.
    Auto,
    /// Always; where that can't be, the upload fails.
    Require,
}

/// The caller's `accept`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AcceptSetting {
    /// `accept: false`: nothing is checked here.
    pub off: bool,
    /// Replaces the provider's types.
    pub types: Option<Vec<String>>,
    /// Replaces the provider's sizes: the most bytes, for a type or for all (`*/*`).
    pub max_bytes: Option<Vec<(String, u64)>>,
}

impl<'de> Deserialize<'de> for Concurrency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Slots;
        impl Visitor<'_> for Slots {
            type Value = Concurrency;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number from 1, or \"auto\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Concurrency, E> {
                if text == "auto" { Ok(Concurrency(CONCURRENCY)) } else { Err(E::custom("not \"auto\"")) }
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Concurrency, E> {
                match usize::try_from(number) {
                    Ok(slots) if slots > 0 => Ok(Concurrency(slots)),
                    _ => Err(E::custom("not a number from 1")),
                }
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Concurrency, E> {
                self.visit_u64(number.try_into().unwrap_or(0))
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Concurrency, E> {
                self.visit_u64(if number.fract() == 0.0 { number as u64 } else { 0 })
            }
        }
        deserializer.deserialize_any(Slots)
    }
}

impl<'de> Deserialize<'de> for AcceptSetting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Accept;
        impl<'de> Visitor<'de> for Accept {
            type Value = AcceptSetting;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with `types` or `maxBytes`, or false")
            }
            fn visit_bool<E: de::Error>(self, value: bool) -> Result<AcceptSetting, E> {
                if value {
                    Err(E::custom("`true` is no rule"))
                } else {
                    Ok(AcceptSetting { off: true, ..Default::default() })
                }
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AcceptSetting, A::Error> {
                let mut accept = AcceptSetting::default();
                while let Some(name) = map.next_key::<String>()? {
                    match name.as_str() {
                        "types" => accept.types = map.next_value()?,
                        "maxBytes" => accept.max_bytes = map.next_value::<Option<MaxBytes>>()?.map(|max| max.0),
                        _ => drop(map.next_value::<de::IgnoredAny>()?),
                    }
                }
                Ok(accept)
            }
        }
        deserializer.deserialize_any(Accept)
    }
}

struct MaxBytes(Vec<(String, u64)>);

impl<'de> Deserialize<'de> for MaxBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Max;
        impl<'de> Visitor<'de> for Max {
            type Value = MaxBytes;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of bytes, or an object of such numbers by type")
            }
            fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<MaxBytes, E> {
                Ok(MaxBytes(vec![("*/*".into(), bytes)]))
            }
            fn visit_i64<E: de::Error>(self, bytes: i64) -> Result<MaxBytes, E> {
                u64::try_from(bytes).map_err(|_| E::custom("a negative size")).and_then(|bytes| self.visit_u64(bytes))
            }
            fn visit_f64<E: de::Error>(self, bytes: f64) -> Result<MaxBytes, E> {
                if bytes < 0.0 { Err(E::custom("a negative size")) } else { self.visit_u64(bytes as u64) }
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<MaxBytes, A::Error> {
                let mut list = Vec::new();
                while let Some(entry) = map.next_entry::<String, u64>()? {
                    list.push(entry);
                }
                Ok(MaxBytes(list))
            }
        }
        deserializer.deserialize_any(Max)
    }
}
