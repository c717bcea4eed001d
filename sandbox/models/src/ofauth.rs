//! OFAuth's `/v2/access/uploads`: uploads into an OnlyFans vault (OFAuth guide, "Upload Media"; OFAuth OpenAPI, "Create upload session").
//!
//! Assumptions about what is not published are marked in [`Config`].

mod config;
mod errors;
mod init;
mod media;
mod rate;
mod session;
mod sessions;
mod state;

#[cfg(test)]
mod tests;

pub use config::{Config, EtagPlace, Layout, ResetUnit};
pub use state::{ConsumeError, State};

use crate::wire::{Request, Response};
use errors::ApiError;

/// The route of a request, for faults and logs. A PUT without a part number is the single one.
pub fn route(request: &Request) -> &'static str {
    match call(request) {
        Some(Call::Check) => "ofauth:check",
        Some(Call::Init) => "ofauth:init",
        Some(Call::Part(..)) => "ofauth:part",
        Some(Call::Single(_)) => "ofauth:single",
        Some(Call::Complete) => "ofauth:complete",
        None => "ofauth:unknown",
    }
}

enum Call {
    Check,
    Init,
    Part(String, String),
    Single(String),
    Complete,
}

fn call(request: &Request) -> Option<Call> {
    let segments = request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let rest = segments.strip_prefix(&["v2", "access", "uploads"])?;
    match (request.method.as_str(), rest) {
        ("POST", ["check"]) => Some(Call::Check),
        ("POST", ["init"]) => Some(Call::Init),
        ("POST", ["complete"]) => Some(Call::Complete),
        ("PUT", [id, "parts", number]) => Some(Call::Part(id.to_string(), number.to_string())),
        ("PUT", [id]) => Some(Call::Single(id.to_string())),
        _ => None,
    }
}

/// Answers one request. `now` is in milliseconds since the epoch.
pub fn step(request: &Request, state: &mut State, now: u64) -> Response {
    let connection = match authenticate(request, state) {
        Ok(connection) => connection,
        Err(error) => return error.response(&state.next_request_id()),
    };
    let allowed = state.rate_limits.acquire(&state.config, &connection, now);
    let outcome = match (allowed, call(request)) {
        (false, _) => Err(ApiError::new(429, "RATE_LIMIT_EXCEEDED", "Rate limit exceeded")),
        (true, None) => Err(ApiError::new(404, "NOT_FOUND", "No such endpoint")),
        (true, Some(Call::Check)) => sessions::check(request, &connection, state),
        (true, Some(Call::Init)) => init::init(request, &connection, state, now),
        (true, Some(Call::Part(id, number))) => sessions::put_part(request, &connection, &id, &number, state, now),
        (true, Some(Call::Single(id))) => sessions::put_single(request, &connection, &id, state, now),
        (true, Some(Call::Complete)) => sessions::complete(request, &connection, state, now),
    };
    let response = match outcome {
        Ok(response) => response,
        Err(error) => error.response(&state.next_request_id()),
    };
    state.rate_limits.add_headers(&state.config, response, &connection, now)
}

/// Both headers are required on every call, PUTs of parts included (OFAuth guide, "Upload the File").
fn authenticate(request: &Request, state: &State) -> Result<String, ApiError> {
    let config = &state.config;
    match request.header("apikey") {
        None => return Err(ApiError::new(401, "UNAUTHORIZED", "API key is required")),
        Some(key) if key != config.api_key => {
            return Err(ApiError::new(401, "UNAUTHORIZED", "Invalid API key"));
        }
        Some(_) => {}
    }
    let connection = request
        .header("x-connection-id")
        .ok_or_else(|| ApiError::new(401, "UNAUTHORIZED", "x-connection-id is required"))?;
    if config.connections.iter().any(|known| known == connection) {
        Ok(connection.to_string())
    } else {
        Err(ApiError::new(403, "FORBIDDEN", "The connection is unknown, or lacks the permission vault:write"))
    }
}
