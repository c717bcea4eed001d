//! Faults: which requests they hit is decided here, from a seed; the exchange and the bodies carry them out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::routes;
use crate::state::rate::Rate;

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

/// A `status` fault that hit.
#[derive(Clone, Debug)]
pub struct StatusFault {
    /// The HTTP status.
    pub status: u16,
    /// Headers of the response.
    pub headers: BTreeMap<String, String>,
    /// Body of the response.
    pub body: String,
    /// Whether spaces follow the body without end.
    pub endless: bool,
    /// Whether the response has CORS headers.
    pub cors: bool,
}

/// A `bandwidth` fault that hit.
#[derive(Clone, Debug)]
pub struct Bandwidth {
    /// Bytes per second.
    pub bytes_per_second: u64,
    /// How many bytes are read at once.
    pub buffer_bytes: u64,
    /// The shared rate; `None` for that of the connection.
    pub(crate) shared: Option<Arc<Rate>>,
}

/// The faults that hit one request.
#[derive(Clone, Debug, Default)]
pub struct Hits {
    /// The response instead of the real one.
    pub status: Option<StatusFault>,
    /// When the connection is reset.
    pub reset: Option<ResetWhen>,
    /// When the request stalls.
    pub stall: Option<StallWhen>,
    /// The delay in milliseconds.
    pub latency_ms: Option<u64>,
    /// The throttling of the request's body.
    pub bandwidth: Option<Bandwidth>,
    /// Whether the response is that of an expired URL.
    pub expired: bool,
    /// Whether CORS hides the ETag.
    pub hide_etag: bool,
    /// Whether the response has no CORS headers.
    pub no_cors: bool,
}

impl Hits {
    /// The names of the faults, for the log.
    pub fn names(&self) -> Vec<&'static str> {
        let reset = self.reset.map(|when| match when {
            ResetWhen::Before => "reset:before",
            ResetWhen::Body => "reset:body",
            ResetWhen::After => "reset:after",
        });
        let stall = self.stall.map(|when| match when {
            StallWhen::Start => "stall:start",
            StallWhen::Body => "stall:body",
            StallWhen::Answer => "stall:answer",
        });
        [
            self.status.as_ref().map(|_| "status"),
            reset,
            stall,
            self.latency_ms.map(|_| "latency"),
            self.bandwidth.as_ref().map(|_| "bandwidth"),
            self.expired.then_some("expired"),
            self.hide_etag.then_some("hide-etag"),
            self.no_cors.then_some("no-cors"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

#[derive(Debug, Default)]
struct Inner {
    plan: FaultPlan,
    /// For each fault: how many requests matched, and how many were hit.
    counts: Vec<(u64, u64)>,
    /// The rate that faults with `shared` share.
    shared_rate: Arc<Rate>,
}

/// The faults in force.
#[derive(Debug)]
pub struct Faults {
    inner: Mutex<Inner>,
    generation: watch::Sender<u64>,
}

impl Default for Faults {
    fn default() -> Self {
        Self { inner: Mutex::default(), generation: watch::channel(0).0 }
    }
}

impl Faults {
    /// Replaces all faults. Stalled requests continue, and idle connections close.
    ///
    /// # Errors
    /// The message names the invalid field.
    pub fn set(&self, plan: FaultPlan) -> Result<(), String> {
        plan.check()?;
        let mut inner = self.inner.lock().expect("faults");
        inner.counts = vec![(0, 0); plan.faults.len()];
        inner.plan = plan;
        drop(inner);
        self.generation.send_modify(|generation| *generation += 1);
        Ok(())
    }

    /// The faults that are set.
    pub fn plan(&self) -> FaultPlan {
        self.inner.lock().expect("faults").plan.clone()
    }

    /// Whether connections are kept alive after a response.
    pub fn keep_alive(&self) -> bool {
        self.inner.lock().expect("faults").plan.keeps_alive()
    }

    /// Notified when the faults are replaced.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }

    /// Whether preflights of a service are refused. Preflights don't count as requests of a fault.
    pub fn refuses_preflights(&self, service: &str) -> bool {
        let inner = self.inner.lock().expect("faults");
        let all = format!("{service}:");
        inner.plan.faults.iter().any(|fault| {
            matches!(fault.effect, Effect::NoCors {}) && (fault.route == "*" || fault.route.starts_with(&all))
        })
    }

    /// The faults that hit the next request of `route`.
    pub fn hit(&self, route: &str) -> Hits {
        let mut hits = Hits::default();
        let mut inner = self.inner.lock().expect("faults");
        let Inner { plan, counts, shared_rate } = &mut *inner;
        for (index, (fault, (seen, hit))) in plan.faults.iter().zip(counts).enumerate() {
            if !routes::matches(&fault.route, route) || hits.has(&fault.effect) {
                continue;
            }
            *seen += 1;
            let drawn = draw(plan.seed, index as u64, *seen) < fault.probability;
            if *seen <= fault.skip || fault.times.is_some_and(|times| *hit >= times) || !drawn {
                continue;
            }
            *hit += 1;
            hits.add(&fault.effect, shared_rate);
        }
        hits
    }
}

impl FaultPlan {
    fn keeps_alive(&self) -> bool {
        self.keep_alive.unwrap_or_else(|| !self.faults.iter().any(|fault| matches!(fault.effect, Effect::Reset { .. })))
    }

    fn check(&self) -> Result<(), String> {
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

impl Hits {
    fn has(&self, effect: &Effect) -> bool {
        match effect {
            Effect::Status { .. } => self.status.is_some(),
            Effect::Reset { .. } => self.reset.is_some(),
            Effect::Stall { .. } => self.stall.is_some(),
            Effect::Latency { .. } => self.latency_ms.is_some(),
            Effect::Bandwidth { .. } => self.bandwidth.is_some(),
            Effect::Expired {} => self.expired,
            Effect::HideEtag {} => self.hide_etag,
            Effect::NoCors {} => self.no_cors,
        }
    }

    fn add(&mut self, effect: &Effect, shared_rate: &Arc<Rate>) {
        match effect {
            Effect::Status { status, headers, body, endless, cors } => {
                let (headers, body) = (headers.clone(), body.clone());
                self.status = Some(StatusFault { status: *status, headers, body, endless: *endless, cors: *cors });
            }
            Effect::Reset { when } => self.reset = Some(*when),
            Effect::Stall { when } => self.stall = Some(*when),
            Effect::Latency { ms } => self.latency_ms = Some(*ms),
            Effect::Bandwidth { bytes_per_second, shared, buffer_bytes } => {
                let (bytes_per_second, buffer_bytes) = (*bytes_per_second, *buffer_bytes);
                self.bandwidth =
                    Some(Bandwidth { bytes_per_second, buffer_bytes, shared: shared.then(|| shared_rate.clone()) });
            }
            Effect::Expired {} => self.expired = true,
            Effect::HideEtag {} => self.hide_etag = true,
            Effect::NoCors {} => self.no_cors = true,
        }
    }
}

/// A number in `[0, 1)` for the `nth` request that matched the fault at `index`: SplitMix64 over seed, index and
/// number, so that a draw doesn't depend on the requests of other faults.
fn draw(seed: u64, index: u64, nth: u64) -> f64 {
    let mut z = [index, nth].iter().fold(seed, |state, part| mix(state ^ part.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
    z = mix(z);
    (z >> 11) as f64 / (1_u64 << 53) as f64
}

fn mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(json: &str) -> Result<Faults, String> {
        let plan = serde_json::from_str(json).map_err(|error| error.to_string())?;
        let faults = Faults::default();
        faults.set(plan).map(|()| faults)
    }

    #[test]
    fn the_first_of_each_kind_hits_until_it_is_used_up() {
        let faults = faults(
            r#"{"faults":[
                {"route":"store:UploadPart","skip":1,"times":1,"effect":{"kind":"status","status":503}},
                {"route":"store:*","times":1,"effect":{"kind":"status","status":500}},
                {"route":"*","effect":{"kind":"latency","ms":5}}]}"#,
        )
        .unwrap();
        let statuses: Vec<_> =
            (0..4).map(|_| faults.hit("store:UploadPart").status.map(|fault| fault.status)).collect();
        assert_eq!(statuses, [Some(500), Some(503), None, None]);
        let other = faults.hit("plan:open");
        assert_eq!((other.latency_ms, other.status.is_none()), (Some(5), true));
    }

    #[test]
    fn the_same_seed_hits_the_same_requests() {
        let run = |seed: u64| {
            let json = format!(
                r#"{{"seed":{seed},"faults":[{{"route":"*","probability":0.3,"effect":{{"kind":"latency","ms":1}}}}]}}"#
            );
            let faults = faults(&json).unwrap();
            (0..1000).map(|_| faults.hit("plan:open").latency_ms.is_some()).collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        let hits = run(7).iter().filter(|hit| **hit).count();
        assert!((240..360).contains(&hits), "{hits} of 1000 at 0.3");
    }

    #[test]
    fn resets_disable_keep_alive_unless_it_is_set() {
        let reset = r#""faults":[{"route":"*","effect":{"kind":"reset","when":"after"}}]"#;
        assert!(!faults(&format!("{{{reset}}}")).unwrap().keep_alive());
        assert!(faults(&format!("{{\"keepAlive\":true,{reset}}}")).unwrap().keep_alive());
        assert!(faults("{}").unwrap().keep_alive());
        assert!(!faults(r#"{"keepAlive":false}"#).unwrap().keep_alive());
    }

    #[test]
    fn invalid_faults_are_refused() {
        for (json, word) in [
            (r#"{"fault":[]}"#, "fault"),
            (r#"{"faults":[{"route":"store:UploadParts","effect":{"kind":"expired"}}]}"#, "UploadParts"),
            (r#"{"faults":[{"route":"*","effect":{"kind":"explode"}}]}"#, "explode"),
            (r#"{"faults":[{"route":"*","effect":{"kind":"latency","ms":1,"seconds":2}}]}"#, "seconds"),
            (r#"{"faults":[{"route":"store:*","effect":{"kind":"expired","ms":1}}]}"#, "ms"),
            (r#"{"faults":[{"route":"*","effect":{"kind":"expired"}}]}"#, "store"),
            (r#"{"faults":[{"route":"*","probability":2,"effect":{"kind":"latency","ms":1}}]}"#, "probability"),
            (r#"{"faults":[{"route":"*","effect":{"kind":"bandwidth","bytesPerSecond":0}}]}"#, "bytesPerSecond"),
            (r#"{"faults":[{"route":"*","effect":{"kind":"status","status":99}}]}"#, "99"),
            (r#"{"faults":[{"route":"*","effect":{"kind":"status","status":500,"headers":{"a b":"c"}}}]}"#, "a b"),
        ] {
            let message = faults(json).unwrap_err();
            assert!(message.contains(word), "{json}: {message}");
        }
    }
}
