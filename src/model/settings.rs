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
            concurrency: Concurrency::default(),
            retry: RetrySettings::default(),
            stall_ms: 30_000,
            integrity: Integrity::default(),
            idempotency_keys: None,
            accept: AcceptSetting::default(),
            trusted_origins: Vec::new(),
        }
    }
}

/// A number of slots, or "auto".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concurrency(pub usize);

impl Default for Concurrency {
    fn default() -> Self {
        Self(CONCURRENCY)
    }
}

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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Integrity {
    /// Never.
    Off,
    /// Where the ETag looks like an MD5.
    #[default]
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
    fn read<P: Platform>(&mut self, reader: &mut Reader<'_, P>, json: Option<&P::Json>) {
        let object = reader.object(json);
        reader.optional(object, "concurrency", &mut self.concurrency);
        reader.optional(object, "retry", &mut self.retry);
        reader.optional(object, "stallMs", &mut self.stall_ms);
        reader.optional(object, "integrity", &mut self.integrity);
        reader.field(object, "idempotencyKeys", &mut self.idempotency_keys);
        reader.optional(object, "accept", &mut self.accept);
        reader.optional(object, "trustedOrigins", &mut self.trusted_origins);
    }
}

impl Decode for Integrity {
    fn read<P: Platform>(&mut self, reader: &mut Reader<'_, P>, json: Option<&P::Json>) {
        let mut text = String::new();
        text.read(reader, json);
        match text.as_str() {
            "off" => *self = Self::Off,
            "require" => *self = Self::Require,
            "auto" => *self = Self::Auto,
            _ => reader.miss("\"off\", \"auto\" or \"require\""),
        }
    }
}

impl Decode for Concurrency {
    fn read<P: Platform>(&mut self, reader: &mut Reader<'_, P>, json: Option<&P::Json>) {
        match reader.value(json) {
            Value::Text(text) if text == "auto" => self.0 = CONCURRENCY,
            Value::Number(number) if number >= 1.0 => {
                let mut number = 0_u32;
                number.read(reader, json);
                self.0 = number as usize;
            }
            _ => reader.miss("a whole number from 1, or \"auto\","),
        }
    }
}

impl Decode for RetrySettings {
    fn read<P: Platform>(&mut self, reader: &mut Reader<'_, P>, json: Option<&P::Json>) {
        let object = reader.object(json);
        reader.optional(object, "attempts", &mut self.attempts);
        reader.optional(object, "baseMs", &mut self.base_ms);
        reader.optional(object, "capMs", &mut self.cap_ms);
    }
}

impl Decode for AcceptSetting {
    fn read<P: Platform>(&mut self, reader: &mut Reader<'_, P>, json: Option<&P::Json>) {
        if matches!(reader.value(json), Value::Flag(false)) {
            self.off = true;
            return;
        }
        let object = reader.object(json);
        let mut max_bytes: Option<MaxBytes> = None;
        reader.field(object, "maxBytes", &mut max_bytes);
        self.max_bytes = max_bytes.map(|max_bytes| max_bytes.0);
        reader.field(object, "types", &mut self.types);
    }
}

/// One number for all, or numbers by type.
#[derive(Default)]
struct MaxBytes(Vec<(String, u64)>);

impl Decode for MaxBytes {
    fn read<P: Platform>(&mut self, reader: &mut Reader<'_, P>, json: Option<&P::Json>) {
        match reader.value(json) {
            Value::Number(_) => {
                let mut most = 0;
                most.read(reader, json);
                self.0.push(("*/*".into(), most));
            }
            _ => self.0 = reader.members(json),
        }
    }
}
