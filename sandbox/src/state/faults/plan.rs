//! Faults as a test sets them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::routes;

/// The body of `PUT /control/faults`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FaultPlan {
    /// The seed of the draws for `probability`: the same seed and the same requests give the same faults.
    #[serde(default)]
    pub seed: u64,
    /// The skew of the server's clock, in milliseconds.
    #[serde(default)]
    pub skew_ms: i64,
    /// Whether connections are kept alive after a response. The default is yes, unless a fault resets connections.
    #[serde(default)]
    pub keep_alive: Option<bool>,
    /// The faults. Of each kind, the first one that matches a request hits it.
    #[serde(default)]
    pub faults: Vec<Fault>,
}

/// One fault.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// The routes that it hits: `store:UploadPart`, `store:*`, `*`.
    pub route: String,
    /// How many matching requests pass before the first one is hit.
    #[serde(default)]
    pub skip: u64,
    /// How many requests are hit; null means all.
    #[serde(default)]
    pub times: Option<u64>,
    /// The probability that a matching request is hit.
    #[serde(default = "certain")]
    pub probability: f64,
    /// What happens to the request.
    pub effect: Effect,
}

fn certain() -> f64 {
    1.0
}

/// The effect of a fault on a request.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Effect {
    /// The request gets this response and has no effect.
    Status {
        /// The HTTP status.
        status: u16,
        /// Headers of the response.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// Body of the response.
        #[serde(default)]
        body: String,
        /// Whether spaces follow the body without end.
        #[serde(default)]
        endless: bool,
        /// Whether the response has CORS headers.
        #[serde(default = "yes")]
        cors: bool,
    },
    /// The connection is reset.
    Reset {
        /// When.
        when: ResetWhen,
    },
    /// The request stalls until the faults are replaced or the client disconnects.
    Stall {
        /// When.
        when: StallWhen,
    },
    /// The request is delayed.
    Latency {
        /// The delay in milliseconds.
        ms: u64,
    },
    /// The request's body is throttled, together with all requests of its connection.
    Bandwidth {
        /// Bytes per second.
        bytes_per_second: u64,
        /// Whether the bandwidth is shared by all requests that such faults hit, across connections.
        #[serde(default)]
        shared: bool,
        /// How many bytes of each body are read at once, before they are passed on at the limited rate: a relay.
        #[serde(default)]
        buffer_bytes: u64,
    },
    /// The store responds that the presigned URL has expired, without CORS headers.
    Expired {},
    /// CORS doesn't expose the ETag.
    HideEtag {},
    /// A byte in the middle of the request's body is changed on the way: the server receives and stores other bytes.
    Flip {},
    /// There is no CORS rule: preflights of the service are refused, and responses have no CORS headers.
    NoCors {},
}

fn yes() -> bool {
    true
}

/// When a connection is reset.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ResetWhen {
    /// After the whole request was read, without any effect.
    Before,
    /// In the middle of the request's body.
    Body,
    /// After the request took effect, instead of the response.
    After,
}

/// When a request stalls.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StallWhen {
    /// Before the request's body is read.
    Start,
    /// In the middle of the request's body.
    Body,
    /// After the request took effect, before the response.
    Answer,
}

impl FaultPlan {
    /// Whether connections are kept alive after a response.
    pub(super) fn keeps_alive(&self) -> bool {
        self.keep_alive.unwrap_or_else(|| !self.faults.iter().any(|fault| matches!(fault.effect, Effect::Reset { .. })))
    }

    /// Checks all fields.
    ///
    /// # Errors
    /// The message names the invalid field.
    pub(super) fn check(&self) -> Result<(), String> {
        for (index, fault) in self.faults.iter().enumerate() {
            let wrong = |what: String| Err(format!("faults[{index}]: {what}"));
            if !routes::ALL.iter().any(|route| routes::matches(&fault.route, route)) {
                return wrong(format!("route must match one of {1}, not {0:?}", fault.route, routes::ALL.join(", ")));
            }
            if !(0.0..=1.0).contains(&fault.probability) {
                return wrong(format!("probability must be between 0 and 1, not {}", fault.probability));
            }
            match &fault.effect {
                Effect::Status { status, headers, .. } => {
                    if !(200..=599).contains(status) {
                        return wrong(format!("status must be between 200 and 599, not {status}"));
                    }
                    for (name, value) in headers {
                        if hyper::header::HeaderName::try_from(name).is_err()
                            || hyper::header::HeaderValue::try_from(value).is_err()
                        {
                            return wrong(format!("{name:?}: {value:?} is no valid HTTP header"));
                        }
                    }
                }
                Effect::Bandwidth { bytes_per_second: 0, .. } => {
                    return wrong(
                        "bytesPerSecond must be at least 1, not 0; to stall, use {\"kind\":\"stall\"}".into(),
                    );
                }
                Effect::Expired {} if !fault.route.starts_with("store:") => {
                    return wrong(format!("\"expired\" needs a route of the store, not {:?}", fault.route));
                }
                _ => {}
            }
        }
        Ok(())
    }
}
