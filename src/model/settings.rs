//! The uploader's options as the engine reads them. The package's face has checked their values; here only their types count.

use crate::json::{Decode, FirstMismatch, Json, Kind, Object};

/// Part requests in flight to a host whose protocol is unknown: every browser's limit of HTTP/1.1 connections to a host.
pub const CONCURRENCY: usize = 6;

/// Milliseconds without a byte of progress after which a request times out, by default. (A choice: a working connection pauses for less.)
const STALL_MS: u64 = 30_000;

/// Options of an uploader that concern the engine.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Part requests in flight over all uploads.
    pub concurrency: Concurrency,
    /// How often a request is retried, and after which waits.
    pub retry: RetrySettings,
    /// Milliseconds without a byte of progress after which a request times out.
    pub stall_ms: u64,
    /// The most bytes a second over all uploads.
    pub max_rate: Option<u64>,
    /// Whether parts are hashed and compared with their ETags.
    pub integrity: Integrity,
    /// Whether calls that must not take effect twice carry an `Idempotency-Key`; None: only if `baseUrl` is of the page's origin.
    pub idempotency_keys: Option<bool>,
    /// Which files are accepted.
    pub accept: AcceptSetting,
    /// Origins beyond `baseUrl`'s that may get the provider's headers.
    pub trusted_origins: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            concurrency: Concurrency::default(),
            retry: RetrySettings::default(),
            stall_ms: STALL_MS,
            max_rate: None,
            integrity: Integrity::default(),
            idempotency_keys: None,
            accept: AcceptSetting::default(),
            trusted_origins: Vec::new(),
        }
    }
}

/// How many slots there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Concurrency {
    /// As many as the hosts take and the rate shows to be useful.
    #[default]
    Auto,
    /// At most this many.
    AtMost(usize),
}

impl Concurrency {
    /// How many there are in the beginning.
    pub fn initial(self) -> usize {
        match self {
            Self::Auto => CONCURRENCY,
            Self::AtMost(count) => count,
        }
    }
}

/// How a request is retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetrySettings {
    /// Attempts in all, the first one counted.
    pub attempts: u32,
    /// The longest first wait, in milliseconds.
    pub base_ms: u64,
    /// The longest wait, in milliseconds.
    pub cap_ms: u64,
}

impl Default for RetrySettings {
    fn default() -> Self {
        Self { attempts: 8, base_ms: 500, cap_ms: 30_000 }
    }
}

/// Whether parts are compared with their ETags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Integrity {
    /// Never.
    Off,
    /// If the ETag looks like an MD5.
    #[default]
    Auto,
    /// Always; if that isn't possible, the upload fails.
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

impl<J: Json> Decode<J> for Settings {
    fn read(json: Option<&J>, mismatch: &mut FirstMismatch) -> Self {
        let mut object = Object::of(json, mismatch);
        Self {
            concurrency: object.field::<Option<_>>("concurrency").unwrap_or_default(),
            retry: object.field::<Option<_>>("retry").unwrap_or_default(),
            stall_ms: object.field::<Option<_>>("stallMs").unwrap_or(STALL_MS),
            max_rate: object.field("maxRate"),
            integrity: object.field::<Option<_>>("integrity").unwrap_or_default(),
            idempotency_keys: object.field("idempotencyKeys"),
            accept: object.field::<Option<_>>("accept").unwrap_or_default(),
            trusted_origins: object.field::<Option<_>>("trustedOrigins").unwrap_or_default(),
        }
    }
}

impl<J: Json> Decode<J> for Integrity {
    fn read(json: Option<&J>, mismatch: &mut FirstMismatch) -> Self {
        match Kind::of(json) {
            Kind::String(value) if value == "off" => Self::Off,
            Kind::String(value) if value == "auto" => Self::Auto,
            Kind::String(value) if value == "require" => Self::Require,
            _ => {
                mismatch.note("one of its values", json);
                Self::default()
            }
        }
    }
}

impl<J: Json> Decode<J> for Concurrency {
    fn read(json: Option<&J>, mismatch: &mut FirstMismatch) -> Self {
        match Kind::of(json) {
            Kind::String(value) if value == "auto" => Self::Auto,
            // With no slot at all nothing would ever be sent.
            _ => Self::AtMost((u32::read(json, mismatch) as usize).max(1)),
        }
    }
}

impl<J: Json> Decode<J> for RetrySettings {
    fn read(json: Option<&J>, mismatch: &mut FirstMismatch) -> Self {
        let mut object = Object::of(json, mismatch);
        let default = Self::default();
        Self {
            attempts: object.field::<Option<_>>("attempts").unwrap_or(default.attempts),
            base_ms: object.field::<Option<_>>("baseMs").unwrap_or(default.base_ms),
            cap_ms: object.field::<Option<_>>("capMs").unwrap_or(default.cap_ms),
        }
    }
}

impl<J: Json> Decode<J> for AcceptSetting {
    fn read(json: Option<&J>, mismatch: &mut FirstMismatch) -> Self {
        if matches!(Kind::of(json), Kind::Bool(false)) {
            return Self { off: true, ..Self::default() };
        }
        let mut object = Object::of(json, mismatch);
        let max_bytes: Option<MaxBytes> = object.field("maxBytes");
        Self { off: false, types: object.field("types"), max_bytes: max_bytes.map(|limits| limits.0) }
    }
}

/// One number for all types, or numbers by type.
struct MaxBytes(Vec<(String, u64)>);

impl<J: Json> Decode<J> for MaxBytes {
    fn read(json: Option<&J>, mismatch: &mut FirstMismatch) -> Self {
        match Kind::of(json) {
            Kind::Number(_) => Self(vec![("*/*".into(), u64::read(json, mismatch))]),
            _ => Self(Object::of(json, mismatch).fields()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::decode;
    use serde_json::json;

    #[test]
    fn integrity_is_one_of_its_values() {
        let read = |value: &str| decode::<_, Integrity>(&json!(value));
        let read = ["off", "auto", "require"].map(|value| read(value).ok());
        assert_eq!(read, [Integrity::Off, Integrity::Auto, Integrity::Require].map(Some));
        assert!(decode::<_, Integrity>(&json!("maybe")).is_err());
    }
}
