//! The uploader's options as the engine reads them. Their shapes were checked in the package's face already; what arrives here
//! is decoded all the same, never trusted.

use crate::json::{self, Decode, Misfit, Value};
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
    fn decode<P: Platform>(platform: &P, json: Option<&P::Json>) -> Result<Self, Misfit> {
        let object = json::object(platform, json)?;
        let usual = Self::default();
        let integrity: Option<String> = json::field(platform, object, "integrity")?;
        Ok(Self {
            concurrency: json::field::<P, Option<_>>(platform, object, "concurrency")?.unwrap_or(usual.concurrency),
            retry: json::field::<P, Option<_>>(platform, object, "retry")?.unwrap_or(usual.retry),
            stall_ms: json::field::<P, Option<_>>(platform, object, "stallMs")?.unwrap_or(usual.stall_ms),
            integrity: match integrity.as_deref() {
                None | Some("auto") => Integrity::Auto,
                Some("off") => Integrity::Off,
                Some("require") => Integrity::Require,
                Some(_) => return Err(Misfit::due("\"off\", \"auto\" or \"require\"").within("integrity")),
            },
            idempotency_keys: json::field(platform, object, "idempotencyKeys")?,
            accept: json::field::<P, Option<_>>(platform, object, "accept")?.unwrap_or_default(),
            trusted_origins: json::field::<P, Option<_>>(platform, object, "trustedOrigins")?.unwrap_or_default(),
        })
    }
}

impl Decode for Concurrency {
    fn decode<P: Platform>(platform: &P, json: Option<&P::Json>) -> Result<Self, Misfit> {
        match json.map(|json| platform.value(json)) {
            Some(Value::Text(text)) if text == "auto" => Ok(Self(CONCURRENCY)),
            Some(Value::Number(number)) if number >= 1.0 => Ok(Self(u32::decode(platform, json)? as usize)),
            _ => Err(Misfit::due("a whole number from 1, or \"auto\",")),
        }
    }
}

impl Decode for RetrySettings {
    fn decode<P: Platform>(platform: &P, json: Option<&P::Json>) -> Result<Self, Misfit> {
        let object = json::object(platform, json)?;
        let usual = Self::default();
        Ok(Self {
            attempts: json::field::<P, Option<_>>(platform, object, "attempts")?.unwrap_or(usual.attempts),
            base_ms: json::field::<P, Option<_>>(platform, object, "baseMs")?.unwrap_or(usual.base_ms),
            cap_ms: json::field::<P, Option<_>>(platform, object, "capMs")?.unwrap_or(usual.cap_ms),
        })
    }
}

impl Decode for AcceptSetting {
    fn decode<P: Platform>(platform: &P, json: Option<&P::Json>) -> Result<Self, Misfit> {
        if bool::decode(platform, json) == Ok(false) {
            return Ok(Self { off: true, ..Self::default() });
        }
        let object = json::object(platform, json)?;
        let max_bytes: Option<MaxBytes> = json::field(platform, object, "maxBytes")?;
        Ok(Self {
            off: false,
            types: json::field(platform, object, "types")?,
            max_bytes: max_bytes.map(|max_bytes| max_bytes.0),
        })
    }
}

/// One number for all, or numbers by type.
struct MaxBytes(Vec<(String, u64)>);

impl Decode for MaxBytes {
    fn decode<P: Platform>(platform: &P, json: Option<&P::Json>) -> Result<Self, Misfit> {
        if let Ok(bytes) = u64::decode(platform, json) {
            return Ok(Self(vec![("*/*".into(), bytes)]));
        }
        let object = json::object(platform, json)?;
        let by_type = |name: String| json::field(platform, object, &name).map(|bytes| (name, bytes));
        platform.names(object).into_iter().map(by_type).collect::<Result<_, _>>().map(Self)
    }
}
