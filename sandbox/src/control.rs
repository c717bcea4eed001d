//! The control API: faults, log, knobs, and a fresh start.

use std::sync::Arc;
use std::time::Duration;

use hyper::Response;
use hyper::http::request::Parts;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::answer;
use crate::body::Payload;
use crate::faults::FaultPlan;
use crate::sandbox::Sandbox;

/// However long a network is wanted lost: nobody waits longer for it.
const LONGEST_SPELL: Duration = Duration::from_secs(3600);

/// Answers a call under `/control/`.
pub(crate) fn handle(sandbox: &Arc<Sandbox>, parts: &Parts, body: &[u8]) -> Response<Payload> {
    match (parts.method.as_str(), parts.uri.path()) {
        ("GET", "/control/faults") => answer::json(200, &sandbox.faults.plan()),
        ("PUT", "/control/faults") => {
            show(read::<FaultPlan>(body).and_then(|plan| set_faults(sandbox, plan)), || sandbox.faults.plan())
        }
        ("DELETE", "/control/faults") => done(set_faults(sandbox, FaultPlan::default())),
        ("GET", "/control/log") => answer::json(200, &sandbox.log.report()),
        ("DELETE", "/control/log") => {
            sandbox.log.clear();
            answer::empty(204)
        }
        ("POST", "/control/reset") => {
            let reset = sandbox.reset().map_err(|error| format!("not all files could be removed: {error}"));
            done(reset.and_then(|()| set_faults(sandbox, FaultPlan::default())))
        }
        ("GET", "/control/vendors") => answer::json(200, &sandbox.knobs_shown()),
        ("POST", "/control/vendors") => {
            show(read(body).and_then(|changes| sandbox.turn_knobs(&changes)), || sandbox.knobs_shown())
        }
        ("POST", "/control/offline") => done(read::<Offline>(body).map(|spell| sandbox.network.lose(spell.length()))),
        (method, path) => answer::error(
            404,
            format!("no control is {method} {path}; there are faults, log, offline, reset and vendors"),
        ),
    }
}

/// What `POST /control/offline` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Offline {
    ms: u64,
}

impl Offline {
    fn length(&self) -> Duration {
        Duration::from_millis(self.ms).min(LONGEST_SPELL)
    }
}

fn set_faults(sandbox: &Sandbox, plan: FaultPlan) -> Result<(), String> {
    let skew = plan.skew_ms;
    sandbox.faults.set(plan)?;
    sandbox.clock.set_skew(skew);
    Ok(())
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| format!("the body isn't what it should be: {error}"))
}

fn done(result: Result<(), String>) -> Response<Payload> {
    match result {
        Ok(()) => answer::empty(204),
        Err(message) => answer::error(400, message),
    }
}

/// What is set now, where setting it went well.
fn show<T: Serialize>(result: Result<(), String>, set: impl FnOnce() -> T) -> Response<Payload> {
    match result {
        Ok(()) => answer::json(200, &set()),
        Err(message) => answer::error(400, message),
    }
}
