//! Fans and their ids.

use serde_json::json;

use super::error::ApiError;
use super::state::State;
use crate::json::Fields;
use crate::wire::{Request, Response};

/// `POST /fans/verify`: returns the fan's id for the link of a profile (guide, "Step 2"; the names of the fields are assumed).
pub(super) fn verify(request: &Request, state: &State) -> Result<Response, ApiError> {
    let link = Fields::read(request, |fields| fields.text("link")).map_err(ApiError::bad_request)?;
    let name = profile(&link).ok_or_else(|| ApiError::bad_request("link must be the URL of an OnlyFans profile"))?;
    let named = state.config.fans.iter().find(|(known, _)| known == name);
    let numbered = name.strip_prefix('u').filter(|id| is_fan_id(id));
    let fan_id = match (named, numbered) {
        (Some((_, id)), _) => id,
        (None, Some(id)) => id,
        (None, None) => return Err(ApiError::not_found("There is no such fan")),
    };
    Ok(Response::json(200, &json!({ "fan_id": fan_id })))
}

fn profile(link: &str) -> Option<&str> {
    let rest = link.strip_prefix("https://")?;
    let rest = rest.strip_prefix("www.").unwrap_or(rest);
    let name = rest.strip_prefix("onlyfans.com/")?;
    let name = name.strip_suffix('/').unwrap_or(name);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    (!name.is_empty() && name.bytes().all(allowed)).then_some(name)
}

/// Whether a text has the form of a fan's id: at most 19 digits.
pub(super) fn is_fan_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 19 && text.bytes().all(|byte| byte.is_ascii_digit())
}
