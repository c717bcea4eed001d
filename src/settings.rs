//! The uploader's options as the engine reads them. Their shapes were checked in the package's face already; what arrives here
//! is decoded all the same, never trusted.

use crate::json::{Decode, Reader, Value};
use crate::platform::Platform;

/// How many part requests run at once unless told: what HTTP/1.1 gives a host in every browser.
pub const CONCURRENCY: usize = 6;

/// Options of an uploader that concern the engine.
#[derive(Clone, Debug)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

impl Decode for Settings {
    fn read<P: Platform>(reader: &mut Reader<'_, P>, json: Option<&P::Json>) -> Self {
        let object = reader.object(json);
        let usual = Self::default();
        Self {
            concurrency: reader.field::<Option<_>>(object, "concurrency").unwrap_or(usual.concurrency),
            retry: reader.field::<Option<_>>(object, "retry").unwrap_or(usual.retry),
            stall_ms: reader.field::<Option<_>>(object, "stallMs").unwrap_or(usual.stall_ms),
            integrity: reader.field::<Option<_>>(object, "integrity").unwrap_or(usual.integrity),
            idempotency_keys: reader.field(object, "idempotencyKeys"),
            accept: reader.field::<Option<_>>(object, "accept").unwrap_or_default(),
            trusted_origins: reader.field::<Option<_>>(object, "trustedOrigins").unwrap_or_default(),
        }
    }
}

impl Decode for Integrity {
    fn read<P: Platform>(reader: &mut Reader<'_, P>, json: Option<&P::Json>) -> Self {
        match String::read(reader, json).as_str() {
            "off" => Self::Off,
            "require" => Self::Require,
            "auto" => Self::Auto,
            _ => {
                reader.miss("\"off\", \"auto\" or \"require\"");
                Self::Auto
            }
        }
    }
}

impl Decode for Concurrency {
    fn read<P: Platform>(reader: &mut Reader<'_, P>, json: Option<&P::Json>) -> Self {
        match reader.value(json) {
            Value::Text(text) if text == "auto" => Self(CONCURRENCY),
            Value::Number(number) if number >= 1.0 => Self(u32::read(reader, json) as usize),
            _ => {
                reader.miss("a whole number from 1, or \"auto\",");
                Self(CONCURRENCY)
            }
        }
    }
}

impl Decode for RetrySettings {
    fn read<P: Platform>(reader: &mut Reader<'_, P>, json: Option<&P::Json>) -> Self {
        let object = reader.object(json);
        let usual = Self::default();
        Self {
            attempts: reader.field::<Option<_>>(object, "attempts").unwrap_or(usual.attempts),
            base_ms: reader.field::<Option<_>>(object, "baseMs").unwrap_or(usual.base_ms),
            cap_ms: reader.field::<Option<_>>(object, "capMs").unwrap_or(usual.cap_ms),
        }
    }
}

impl Decode for AcceptSetting {
    fn read<P: Platform>(reader: &mut Reader<'_, P>, json: Option<&P::Json>) -> Self {
        if matches!(reader.value(json), Value::Flag(false)) {
            return Self { off: true, ..Self::default() };
        }
        let object = reader.object(json);
        let max_bytes: Option<MaxBytes> = reader.field(object, "maxBytes");
        Self { off: false, types: reader.field(object, "types"), max_bytes: max_bytes.map(|max_bytes| max_bytes.0) }
    }
}

/// One number for all, or numbers by type.
struct MaxBytes(Vec<(String, u64)>);

impl Decode for MaxBytes {
    fn read<P: Platform>(reader: &mut Reader<'_, P>, json: Option<&P::Json>) -> Self {
        match reader.value(json) {
            Value::Number(_) => Self(vec![("*/*".into(), u64::read(reader, json))]),
            _ => Self(reader.members(json)),
        }
    }
}
