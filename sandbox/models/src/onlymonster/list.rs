//! The list of uploads.

use serde_json::{Value, json};

use super::error::ApiError;
use super::state::State;
use crate::wire::{Request, Response};

/// The default and the largest number of records of a page (assumed).
const PAGE: usize = 20;
const MAX_PAGE: usize = 100;

/// `GET /`: newest first (assumed). Uploads whose URLs expired before the export are listed with `expired=true` only.
pub(super) fn list(request: &Request, account: &str, state: &State, now: u64) -> Result<Response, ApiError> {
    let (mut offset, mut limit, mut expired) = (0, PAGE, false);
    for (name, value) in &request.query {
        let wrong = || ApiError::bad_request(format!("{name} has the invalid value {value:?}"));
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
                return Err(ApiError::bad_request(message));
            }
        }
    }
    if let Some(cap) = state.config.list_cap {
        if state.config.list_refuses && limit > cap {
            return Err(ApiError::bad_request(format!("limit must not be greater than {cap}")));
        }
        limit = limit.min(cap);
    }
    if state.config.list_ignores_offset {
        offset = 0;
    }
    let listed = state.records.iter().rev().filter(|record| {
        record.account == account
            && (record.export.is_some()
                || (expired && record.expired(now))
                || (state.config.lists_started && !record.expired(now)))
    });
    let page = listed.skip(offset).take(limit);
    let items: Vec<Value> = page.map(|record| record.to_json(now)).collect();
    Ok(Response::json(200, &json!({ "items": items })))
}
