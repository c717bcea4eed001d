//! Faults: which requests they hit is decided here, from a seed; the exchange and the bodies carry them out.

mod hits;
mod plan;

use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use crate::routes;
use crate::state::rate::Rate;
pub use hits::{Bandwidth, Hits, StatusFault};
pub use plan::{Effect, Fault, FaultPlan, ResetWhen, StallWhen};

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
