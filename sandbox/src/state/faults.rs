//! What goes wrong, where, and how often: decided here from a seed, carried out elsewhere.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::routes;
use crate::state::rate::Rate;

/// All that is set by `PUT /control/faults`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FaultPlan {
    /// Where the draws of `probability` start. The same seed and the same requests give the same faults.
    #[serde(default)]
    pub seed: u64,
    /// How far the server's clock is off, in milliseconds.
    #[serde(default)]
    pub skew_ms: i64,
    /// Whether connections outlive an answer. Unless given: yes, but not where a fault resets connections.
    #[serde(default)]
    pub keep_alive: Option<bool>,
    /// The faults; of each kind the first that matches a request acts on it.
    #[serde(default)]
    pub faults: Vec<Fault>,
}

/// One fault.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// `store:UploadPart`, `store:*`, `*`.
    pub route: String,
    /// Requests left alone before the first one that is hit.
    #[serde(default)]
    pub skip: u64,
    /// How many are hit; null is all.
    #[serde(default)]
    pub times: Option<u64>,
    /// How likely a request is to be hit.
    #[serde(default = "always")]
    pub probability: f64,
    /// What happens to it.
    pub effect: Effect,
}

fn always() -> f64 {
    1.0
}

/// What happens to a request.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Effect {
    /// Answered with this, and nothing takes effect.
    Status {
        /// The HTTP status.
        status: u16,
        /// Headers of the answer.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// Body of the answer.
        #[serde(default)]
        body: String,
        /// Whether blanks follow the body without end.
        #[serde(default)]
        endless: bool,
        /// Whether the page may read the answer.
        #[serde(default = "yes")]
        cors: bool,
    },
    /// The connection is reset.
    Reset {
        /// At which moment.
        when: ResetWhen,
    },
    /// Nothing moves any more, until the faults are set anew or the client gives up.
    Stall {
        /// At which moment.
        when: StallWhen,
    },
    /// The request is looked at this much later.
    Latency {
        /// Milliseconds.
        ms: u64,
    },
    /// The request's body is passed on no faster than this, over all requests of its connection.
    Bandwidth {
        /// Bytes a second.
        bytes_per_second: u64,
        /// Whether all requests that such a fault hits share one line, whatever their connections.
        #[serde(default)]
        shared: bool,
        /// So many bytes of each body are taken at once, and passed on in their time: a relay, or the buffers of a line.
        #[serde(default)]
        buffer_bytes: u64,
    },
    /// The store says that the presigned URL has expired, without CORS headers.
    Expired {},
    /// CORS doesn't expose the ETag.
    HideEtag {},
    /// There is no CORS rule: preflights are refused, those of all calls that `route` may mean, and answers have no CORS headers.
    NoCors {},
}

fn yes() -> bool {
    true
}

/// When a connection is reset.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ResetWhen {
    /// The whole request was read, nothing took effect.
    Before,
    /// Midway in the request's body.
    Body,
    /// The request took effect, its answer is lost.
    After,
}

/// When a request stalls.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StallWhen {
    /// Before a byte of the request's body is taken.
    Start,
    /// Midway in the request's body.
    Body,
    /// The request took effect, its answer doesn't come.
    Answer,
}

/// A `status` fault that hit.
#[derive(Clone, Debug)]
pub struct StatusFault {
    /// The HTTP status.
    pub status: u16,
    /// Headers of the answer.
    pub headers: BTreeMap<String, String>,
    /// Body of the answer.
    pub body: String,
    /// Whether blanks follow the body without end.
    pub endless: bool,
    /// Whether the page may read the answer.
    pub cors: bool,
}

/// A `bandwidth` fault that hit.
#[derive(Clone, Debug)]
pub struct Bandwidth {
    /// Bytes a second.
    pub bytes_per_second: u64,
    /// Bytes that are taken at once.
    pub buffer_bytes: u64,
    /// The line that is shared; None: its connection's own.
    pub(crate) shared: Option<Arc<Rate>>,
}

/// All faults that hit one request.
#[derive(Clone, Debug, Default)]
pub struct Hits {
    /// Answer with this instead.
    pub status: Option<StatusFault>,
    /// Reset the connection.
    pub reset: Option<ResetWhen>,
    /// Stall.
    pub stall: Option<StallWhen>,
    /// Wait so many milliseconds first.
    pub latency_ms: Option<u64>,
    /// Pass the body on no faster than so many bytes a second.
    pub bandwidth: Option<Bandwidth>,
    /// Say that the URL expired.
    pub expired: bool,
    /// Don't expose the ETag.
    pub hide_etag: bool,
    /// Leave the CORS headers out.
    pub no_cors: bool,
}

impl Hits {
    /// The kinds that hit, for the log.
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
    /// For each fault: requests that came by it, requests that it hit.
    counts: Vec<(u64, u64)>,
    /// The line of those that share one.
    line: Arc<Rate>,
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
    /// Replaces all faults. What stalls goes on, and idle connections close.
    ///
    /// # Errors
    /// Says which field can't be meant.
    pub fn set(&self, plan: FaultPlan) -> Result<(), String> {
        plan.check()?;
        let mut inner = self.inner.lock().expect("faults");
        inner.counts = vec![(0, 0); plan.faults.len()];
        inner.plan = plan;
        drop(inner);
        self.generation.send_modify(|generation| *generation += 1);
        Ok(())
    }

    /// What is set.
    pub fn plan(&self) -> FaultPlan {
        self.inner.lock().expect("faults").plan.clone()
    }

    /// Whether connections outlive an answer.
    pub fn keep_alive(&self) -> bool {
        self.inner.lock().expect("faults").plan.keeps_alive()
    }

    /// Tells when the faults are set anew.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }

    /// Whether preflights of these calls are refused. They are no calls, and use no fault up.
    pub fn refuses_preflights(&self, service: &str) -> bool {
        let inner = self.inner.lock().expect("faults");
        let all = format!("{service}:");
        inner.plan.faults.iter().any(|fault| {
            matches!(fault.effect, Effect::NoCors {}) && (fault.route == "*" || fault.route.starts_with(&all))
        })
    }

    /// Which faults hit the request that has come for `route`.
    pub fn hit(&self, route: &str) -> Hits {
        let mut hits = Hits::default();
        let mut inner = self.inner.lock().expect("faults");
        let Inner { plan, counts, line } = &mut *inner;
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
            hits.add(&fault.effect, line);
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
                return wrong(format!("no route is called {:?}; there are {}", fault.route, routes::ALL.join(", ")));
            }
            if !(0.0..=1.0).contains(&fault.probability) {
                return wrong(format!("probability {} is not between 0 and 1", fault.probability));
            }
            match &fault.effect {
                Effect::Status { status, headers, .. } => {
                    if !(200..=599).contains(status) {
                        return wrong(format!("status {status} is not between 200 and 599"));
                    }
                    for (name, value) in headers {
                        if hyper::header::HeaderName::try_from(name).is_err()
                            || hyper::header::HeaderValue::try_from(value).is_err()
                        {
                            return wrong(format!("{name:?}: {value:?} is no HTTP header"));
                        }
                    }
                }
                Effect::Bandwidth { bytes_per_second: 0, .. } => {
                    return wrong("bytesPerSecond is 0; a stall is {\"kind\":\"stall\"}".into());
                }
                Effect::Expired {} if !fault.route.starts_with("store:") => {
                    return wrong(format!("\"expired\" is the store's answer, the route is {:?}", fault.route));
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

    fn add(&mut self, effect: &Effect, line: &Arc<Rate>) {
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
                    Some(Bandwidth { bytes_per_second, buffer_bytes, shared: shared.then(|| line.clone()) });
            }
            Effect::Expired {} => self.expired = true,
            Effect::HideEtag {} => self.hide_etag = true,
            Effect::NoCors {} => self.no_cors = true,
        }
    }
}

/// A number in `[0, 1)` for the `nth` request that came by the fault at `index`: SplitMix64 over all
/// three, so that a draw depends on no other fault's requests.
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
    fn the_first_of_each_kind_acts_and_gives_way_when_it_is_spent() {
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
    fn resets_turn_keeping_alive_off_unless_it_is_asked_for() {
        let reset = r#""faults":[{"route":"*","effect":{"kind":"reset","when":"after"}}]"#;
        assert!(!faults(&format!("{{{reset}}}")).unwrap().keep_alive());
        assert!(faults(&format!("{{\"keepAlive\":true,{reset}}}")).unwrap().keep_alive());
        assert!(faults("{}").unwrap().keep_alive());
        assert!(!faults(r#"{"keepAlive":false}"#).unwrap().keep_alive());
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
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
