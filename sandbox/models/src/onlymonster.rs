//! Onlymonster's `/api/v0/accounts/{account_id}/vault/medias/uploads`: presigned URLs of a bucket, then an export to an
//! OnlyFans vault (Onlymonster, "Vault Media Upload via Onlymonster API").
//!
//! Fields that the guide leaves to an unpublished reference, and statuses and bodies of error responses, are
//! assumed.

mod config;
mod error;
mod export;
mod fans;
mod list;
mod pipeline;
mod record;
mod state;
mod upload;

#[cfg(test)]
mod tests;

pub use config::{Config, End, Stage};
pub use state::State;

use crate::bucket::Bucket;
use crate::wire::{Request, Response};
use error::ApiError;

/// The route of a request, for faults and logs.
pub fn route(request: &Request) -> &'static str {
    match call(request).map(|(_, call)| call) {
        Some(Call::List) => "onlymonster:list",
        Some(Call::VerifyFan) => "onlymonster:verify-fan",
        Some(Call::Start) => "onlymonster:start",
        Some(Call::Finish) => "onlymonster:finish",
        Some(Call::Export) => "onlymonster:export",
        Some(Call::Retry(_)) => "onlymonster:retry",
        None => "onlymonster:unknown",
    }
}

enum Call {
    List,
    VerifyFan,
    Start,
    Finish,
    Export,
    Retry(String),
}

fn call(request: &Request) -> Option<(String, Call)> {
    let segments = request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let rest = segments.strip_prefix(&["api", "v0", "accounts"])?;
    let (account, rest) = rest.split_first()?;
    let rest = rest.strip_prefix(&["vault", "medias", "uploads"])?;
    let call = match (request.method.as_str(), rest) {
        ("GET", []) => Call::List,
        ("POST", ["fans", "verify"]) => Call::VerifyFan,
        ("POST", ["start"]) => Call::Start,
        ("POST", ["finish"]) => Call::Finish,
        ("POST", ["export"]) => Call::Export,
        ("POST", [id, "retry"]) => Call::Retry(id.to_string()),
        _ => return None,
    };
    Some((account.to_string(), call))
}

/// Answers one request. `bucket` is the one that presigned URLs point to. `now` is in milliseconds since the epoch.
pub fn step(request: &Request, state: &mut State, bucket: &mut dyn Bucket, now: u64) -> Response {
    answer(request, state, bucket, now).unwrap_or_else(|error| error.response())
}

fn answer(request: &Request, state: &mut State, bucket: &mut dyn Bucket, now: u64) -> Result<Response, ApiError> {
    match request.header("x-om-auth-token") {
        None => return Err(ApiError(401, "x-om-auth-token is required".to_string())),
        Some(token) if token != state.config.token => {
            return Err(ApiError(401, "The token is not valid".to_string()));
        }
        Some(_) => {}
    }
    if !state.count_request(now) {
        return Err(ApiError(429, "Too many requests".to_string()));
    }
    let (account, call) = call(request).ok_or_else(|| ApiError::not_found("There is no such endpoint"))?;
    check_account(&account, state)?;
    match call {
        Call::List => list::list(request, &account, state, now),
        Call::VerifyFan => fans::verify(request, state),
        Call::Start => upload::start(request, &account, state, bucket, now),
        Call::Finish => upload::finish(request, &account, state, bucket, now),
        Call::Export => export::export(request, &account, state, bucket, now),
        Call::Retry(id) => export::retry(&account, &id, state, now),
    }
}

/// Checks the account id: `^(0|[1-9]\d*)$`, at most 19 characters; only the onlyfans platform.
fn check_account(account: &str, state: &State) -> Result<(), ApiError> {
    let digits = account.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = account.len() > 1 && account.starts_with('0');
    if account.is_empty() || account.len() > 19 || !digits || leading_zero {
        return Err(ApiError::bad_request("account_id must match ^(0|[1-9]\\d*)$ and have at most 19 characters"));
    }
    let among = |accounts: &[String]| accounts.iter().any(|known| known == account);
    if among(&state.config.other_accounts) {
        return Err(ApiError::bad_request("Only the onlyfans platform is supported"));
    }
    match among(&state.config.accounts) {
        true => Ok(()),
        false => Err(ApiError::not_found("There is no such account")),
    }
}
