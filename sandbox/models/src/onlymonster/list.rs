use serde_json::{Value, json};

use super::{Refusal, State};
use crate::json::Fields;
use crate::wire::{Request, Response};

/// How many records a page has unless told (assumed), and at most (assumed).
const PAGE: usize = 20;
const MAX_PAGE: usize = 100;

/// `GET /`: newest first (assumed). Uploads whose URLs lapsed before the export are shown with `expired=true` only.
pub(super) fn list(request: &Request, account: &str, state: &State, now: u64) -> Result<Response, Refusal> {
    let (mut offset, mut limit, mut expired) = (0, PAGE, false);
    for (name, value) in &request.query {
        let wrong = || Refusal::bad_request(format!("{name} must not be {value:?}"));
        match name.as_str() {
            "offset" => offset = value.parse().map_err(|_| wrong())?,
            "limit" => {
                let number: Option<usize> = value.parse().ok();
                let number = number.filter(|number| (1..=MAX_PAGE).contains(number));
                limit = number.ok_or_else(wrong)?;
            }
            "expired" => expired = value.parse().map_err(|_| wrong())?,
            _ => {
                let message = format!("Unknown parameter {name}");
                return Err(Refusal::bad_request(message));
            }
        }
    }
    if let Some(cap) = state.config.list_cap {
        if state.config.list_refuses && limit > cap {
            return Err(Refusal::bad_request(format!("limit must not be greater than {cap}")));
        }
        limit = limit.min(cap);
    }
    if state.config.list_ignores_offset {
        offset = 0;
    }
    let shown = state.records.iter().rev().filter(|record| {
        record.account == account
            && (record.export.is_some()
                || (expired && record.expired(now))
                || (state.config.lists_started && !record.expired(now)))
    });
    let page = shown.skip(offset).take(limit);
    let items: Vec<Value> = page.map(|record| record.to_json(now)).collect();
    Ok(Response::json(200, &json!({ "items": items })))
}

/// `POST /fans/verify`: a profile's link into a fan's id (guide, "Step 2"; the fields' names are assumed).
pub(super) fn verify_fan(request: &Request, state: &State) -> Result<Response, Refusal> {
    let read = || -> Result<String, String> {
        let mut fields = Fields::of(request)?;
        let link = fields.text("link")?;
        fields.done()?;
        Ok(link)
    };
    let link = read().map_err(Refusal::bad_request)?;
    let name = profile(&link).ok_or_else(|| Refusal::bad_request("link must be the URL of an OnlyFans profile"))?;
    let named = state.config.fans.iter().find(|(known, _)| known == name);
    let numbered = name.strip_prefix('u').filter(|id| is_fan_id(id));
    let fan_id = match (named, numbered) {
        (Some((_, id)), _) => id,
        (None, Some(id)) => id,
        (None, None) => return Err(Refusal::not_found("There is no such fan")),
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

pub(super) fn is_fan_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 19 && text.bytes().all(|byte| byte.is_ascii_digit())
}
