//! apifansly's media upload: one form, then a job (apifansly documentation, "Upload Media").
//!
//! Only the response to 429 is published; other errors are given its shape (assumed).

mod config;
mod form;
mod job;
mod state;

#[cfg(test)]
mod tests;

pub use config::{Config, End, FailureText};
pub use state::State;

use serde_json::{Value, json};

use crate::clock::iso8601;
use crate::wire::{Request, Response};

/// The route of a request, for faults and logs.
pub fn route(request: &Request) -> &'static str {
    match call(request) {
        Some(Call::Upload(_)) => "apifansly:upload",
        Some(Call::Status(_)) => "apifansly:status",
        None => "apifansly:unknown",
    }
}

enum Call {
    Upload(String),
    Status(String),
}

fn call(request: &Request) -> Option<Call> {
    let segments = request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match (request.method.as_str(), segments.as_slice()) {
        ("POST", ["api", "fansly", account, "media", "upload"]) => Some(Call::Upload(account.to_string())),
        ("GET", ["api", "fansly", "media", "upload", job, "status"]) => Some(Call::Status(job.to_string())),
        _ => None,
    }
}

/// An error response: its status and message.
#[derive(Debug)]
struct ApiError(u16, String);

fn envelope(status: u16, message: &str, data: Value, now: u64) -> Response {
    let body = json!({
        "statusCode": status,
        "message": message,
        "data": data,
        "timestamp": iso8601(now),
    });
    Response::json(status, &body)
}

/// Answers one request. `now` is in milliseconds since the epoch.
pub fn step(request: &Request, state: &mut State, now: u64) -> Response {
    let key = request.header("x-api-key");
    if key != Some(state.config.api_key.as_str()) {
        let message = match key {
            None => "x-api-key is required",
            Some(_) => "Invalid API key",
        };
        return envelope(401, message, Value::Null, now);
    }
    let permit = state.count_request(now);
    let outcome = match (&permit, call(request)) {
        (Err(_), _) => Err(ApiError(429, "Rate limit exceeded".to_string())),
        (Ok(_), None) => Err(ApiError(404, "Cannot find that endpoint".to_string())),
        (Ok(_), Some(Call::Upload(account))) => upload(request, &account, state, now),
        (Ok(_), Some(Call::Status(job))) => status(&job, state, now),
    };
    let response = outcome.unwrap_or_else(|ApiError(status, text)| envelope(status, &text, Value::Null, now));
    let limit = state.config.rate_per_minute.to_string();
    let response = response.with_header("x-ratelimit-limit", &limit);
    match permit {
        Ok(left) => response.with_header("x-ratelimit-remaining", &left.to_string()),
        Err(wait_s) => response
            .with_header("x-ratelimit-remaining", "0")
            .with_header("x-ratelimit-retry-after", &wait_s.to_string()),
    }
}

fn upload(request: &Request, account: &str, state: &mut State, now: u64) -> Result<Response, ApiError> {
    if !state.config.accounts.iter().any(|known| known == account) {
        let message = format!("There is no connected account {account}");
        return Err(ApiError(404, message));
    }
    let file = form::read(request).map_err(|message| ApiError(400, message))?;
    let job = state.queue(account, file, now);
    let data = json!({
        "success": true,
        "jobId": job.id,
        "bucketName": job.bucket_name,
        "message": "Upload job queued. Use the status endpoint to track progress.",
    });
    Ok(envelope(201, "Success", data, now))
}

fn status(id: &str, state: &State, now: u64) -> Result<Response, ApiError> {
    let unknown = || ApiError(404, format!("There is no job {id}"));
    let job = state.job(id).ok_or_else(unknown)?;
    let (message, data) = job.report(now);
    Ok(envelope(200, &message, data, now))
}
