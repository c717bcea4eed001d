//! The control API: faults, log, settings, offline and reset.

use std::sync::Arc;
use std::time::Duration;

use hyper::Response;
use hyper::http::request::Parts;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::response;
use crate::response_body::ResponseBody;
use crate::state::State;
use crate::state::faults::FaultPlan;

/// The longest time offline. (A choice: longer than any test.)
const LONGEST_OFFLINE: Duration = Duration::from_secs(3600);

/// Answers a call under `/control/`.
pub(crate) fn handle(state: &Arc<State>, parts: &Parts, body: &[u8]) -> Response<ResponseBody> {
    match (parts.method.as_str(), parts.uri.path()) {
        ("GET", "/control/faults") => response::json(200, &state.faults.plan()),
        ("PUT", "/control/faults") => {
            show(read::<FaultPlan>(body).and_then(|plan| set_faults(state, plan)), || state.faults.plan())
        }
        ("DELETE", "/control/faults") => done(set_faults(state, FaultPlan::default())),
        ("GET", "/control/log") => response::json(200, &state.log.report()),
        ("DELETE", "/control/log") => {
            state.log.clear();
            response::empty(204)
        }
        ("POST", "/control/reset") => {
            let reset = state.reset().map_err(|error| format!("not all files could be removed: {error}"));
            done(reset.and_then(|()| set_faults(state, FaultPlan::default())))
        }
        ("GET", "/control/vendors") => response::json(200, &state.settings().public()),
        ("POST", "/control/vendors") => {
            show(read(body).and_then(|changes| state.change_settings(&changes)), || state.settings().public())
        }
        ("POST", "/control/offline") => {
            done(read::<Offline>(body).map(|offline| state.network.set_offline(offline.length())))
        }
        (method, path) => response::error(
            404,
            format!("there is no control {method} {path}; there are faults, log, offline, reset and vendors"),
        ),
    }
}

/// The body of `POST /control/offline`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Offline {
    ms: u64,
}

impl Offline {
    fn length(&self) -> Duration {
        Duration::from_millis(self.ms).min(LONGEST_OFFLINE)
    }
}

fn set_faults(state: &State, plan: FaultPlan) -> Result<(), String> {
    let skew = plan.skew_ms;
    state.faults.set(plan)?;
    state.clock.set_skew(skew);
    Ok(())
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| format!("the body must be the JSON of this call: {error}"))
}

fn done(result: Result<(), String>) -> Response<ResponseBody> {
    match result {
        Ok(()) => response::empty(204),
        Err(message) => response::error(400, message),
    }
}

/// The current value, if setting it succeeded.
fn show<T: Serialize>(result: Result<(), String>, set: impl FnOnce() -> T) -> Response<ResponseBody> {
    match result {
        Ok(()) => response::json(200, &set()),
        Err(message) => response::error(400, message),
    }
}
