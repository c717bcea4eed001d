//! The export to the vault, and its retry.

use serde_json::{Value, json};

use super::error::ApiError;
use super::fans::is_fan_id;
use super::pipeline::Pipeline;
use super::record::Export;
use super::state::State;
use crate::bucket::Bucket;
use crate::json::Fields;
use crate::wire::{Request, Response};

/// The body of `/export`.
struct ExportRequest {
    key: String,
    e_tag: String,
    get_url: String,
    kind: String,
    fan_id: Option<String>,
    duration: Value,
    tags: [Value; 3],
}

fn read(fields: &mut Fields) -> Result<ExportRequest, String> {
    let sent = ExportRequest {
        key: fields.text("key")?,
        e_tag: fields.text("e_tag")?,
        get_url: fields.text("get_url")?,
        kind: fields.text("export_type")?,
        fan_id: fields.optional_text("export_fan_id")?,
        duration: match fields.take("duration") {
            None | Some(Value::Null) => Value::Null,
            Some(number @ Value::Number(_)) => number,
            Some(_) => return Err("duration must be a number".to_string()),
        },
        tags: [tags(fields, "rf_guest")?, tags(fields, "rf_partner")?, tags(fields, "rf_tag")?],
    };
    // The other metadata of the record may be sent again (assumed).
    fields.optional_text("name")?;
    fields.optional_text("content_type")?;
    if let Some(size) = fields.take("size")
        && !size.is_u64()
    {
        return Err("size must be an integer".to_string());
    }
    if sent.kind != "post" && sent.kind != "message" {
        return Err("export_type must be \"post\" or \"message\"".to_string());
    }
    if sent.fan_id.as_deref().is_some_and(|id| !is_fan_id(id)) {
        return Err("export_fan_id must be the id that /fans/verify returned".to_string());
    }
    Ok(sent)
}

fn tags(fields: &mut Fields, name: &str) -> Result<Value, String> {
    match fields.take(name) {
        None | Some(Value::Null) => Ok(json!([])),
        Some(list @ Value::Array(_)) => Ok(list),
        Some(_) => Err(format!("{name} must be an array")),
    }
}

/// `POST /export`: queues the object for the vault (guide, "Step 6"). Each accepted call adds a vault entry of its own
/// (guide, "Idempotency on network timeout").
pub(super) fn export(
    request: &Request,
    account: &str,
    state: &mut State,
    bucket: &mut dyn Bucket,
    now: u64,
) -> Result<Response, ApiError> {
    let sent = Fields::read(request, read).map_err(ApiError::bad_request)?;
    let mut record = state.record_by_key(account, &sent.key)?.clone();
    if sent.get_url != record.get_url {
        return Err(ApiError::bad_request("get_url must be the one that /start returned"));
    }
    if now >= record.urls_expire {
        return Err(ApiError::expired());
    }
    let object = bucket.head(&sent.key, now).map_err(ApiError::of_bucket)?;
    let (etag, size) = object.ok_or_else(|| ApiError::bad_request("The file has not been uploaded"))?;
    if sent.e_tag.trim_matches('"') != etag {
        return Err(ApiError::bad_request("e_tag must be that of the uploaded object"));
    }
    if size != record.size {
        let message = format!("/start announced {} bytes, the object has {size}", record.size);
        return Err(ApiError::bad_request(message));
    }

    let is_second = record.export.is_some();
    state.exports += 1;
    record.e_tag = Some(sent.e_tag);
    record.export = Some(Export {
        media_id: (3_900_000_000 + state.exports).to_string(),
        kind: sent.kind,
        fan_id: sent.fan_id,
        tags: sent.tags,
        duration: sent.duration,
        pipeline: Pipeline {
            began: now,
            takes_ms: state.config.processing_ms,
            stuck: state.config.stuck_in,
            retried: None,
            end: state.config.end,
        },
    });
    if is_second {
        record.id = state.ids.uuid();
        record.created = now;
        record.second_export = true;
        state.records.push(record.clone());
    } else {
        *state.record_by_key(account, &sent.key)? = record.clone();
    }
    let mut answer = record.to_json(now);
    // Processing begins after the response, however short it is: the guide promises both.
    answer["status"] = json!("uploaded");
    answer["media_id"] = Value::Null;
    Ok(Response::json(200, &answer))
}

/// `POST /{upload_id}/retry`: accepted in `uploaded` and `processed` only; a repetition changes nothing (guide, "Step 8").
pub(super) fn retry(account: &str, id: &str, state: &mut State, now: u64) -> Result<Response, ApiError> {
    let record = state.record_by_id(account, id)?;
    let accepted = match &mut record.export {
        Some(export) => export.pipeline.retry(now),
        None => false,
    };
    if !accepted {
        let message = format!("An upload that is {} takes no retry: only uploaded or processed", record.status(now).0);
        return Err(ApiError(409, message));
    }
    Ok(Response::json(200, &record.to_json(now)))
}
