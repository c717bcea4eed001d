//! The upload to the bucket: start and finish.

use serde_json::{Value, json};

use super::error::ApiError;
use super::record::{Multipart, Record};
use super::state::State;
use crate::bucket::Bucket;
use crate::json::Fields;
use crate::wire::{Request, Response};

/// The body of `/start`.
struct StartRequest {
    name: String,
    size: u64,
    content_type: String,
}

/// `POST /start`: reserves a key; the reply has one of two shapes (guide, "Step 3").
pub(super) fn start(
    request: &Request,
    account: &str,
    state: &mut State,
    bucket: &mut dyn Bucket,
    now: u64,
) -> Result<Response, ApiError> {
    let sent = Fields::read(request, |fields| {
        let (name, size) = (fields.text("name")?, fields.positive("size")?);
        Ok(StartRequest { name, size, content_type: fields.text("content_type")? })
    })
    .map_err(ApiError::bad_request)?;
    let (config, ids) = (&state.config, &mut state.ids);
    if sent.size > config.max_size {
        let message = format!("size must not be above {}", config.max_size);
        return Err(ApiError::bad_request(message));
    }
    let id = ids.uuid();
    let key = format!("accounts/{account}/uploads/{}", ids.uuid());
    let expires_s = config.url_expires_s;
    let get_url = bucket.presign_get(&key, expires_s, now);
    let mut answer = json!({ "get_url": get_url, "key": key });
    if config.start_gives_id {
        answer["id"] = json!(id);
    }
    let mut multipart = None;
    if sent.size >= config.multipart_threshold {
        let upload_id = bucket.create_multipart(&key, &sent.content_type, now).map_err(ApiError::of_bucket)?;
        let count = config.part_count.unwrap_or(sent.size.div_ceil(8 << 20) as u32);
        let first = config.first_part_id;
        let part_ids: Vec<u32> = (first..first + count.max(1)).collect();
        let parts = part_ids.iter().map(|id| {
            let put_url = bucket.presign_put(&key, Some(&upload_id), Some(*id), expires_s, now);
            json!({ "id": id, "put_url": put_url })
        });
        answer["parts"] = Value::Array(parts.collect());
        answer["upload_id"] = json!(upload_id);
        multipart = Some(Multipart { upload_id, part_ids });
    } else {
        answer["put_url"] = json!(bucket.presign_put(&key, None, None, expires_s, now));
    }
    state.records.push(Record {
        id,
        account: account.to_string(),
        key,
        name: sent.name,
        size: sent.size,
        content_type: sent.content_type,
        multipart,
        get_url,
        urls_expire: now + expires_s * 1_000,
        created: now,
        e_tag: None,
        finished: None,
        export: None,
        second_export: false,
    });
    Ok(Response::json(200, &answer))
}

/// The body of `/finish`.
struct FinishRequest {
    key: String,
    upload_id: String,
    parts: Vec<(u32, String)>,
}

fn read_finish(fields: &mut Fields) -> Result<FinishRequest, String> {
    let (key, upload_id) = (fields.text("key")?, fields.text("upload_id")?);
    let Some(Value::Array(list)) = fields.take("parts") else {
        return Err("parts must be an array".to_string());
    };
    let mut parts = Vec::new();
    for value in list {
        let mut part = Fields::in_value(value, "a part")?;
        let number = u32::try_from(part.positive("part")?).map_err(|error| error.to_string())?;
        parts.push((number, part.text("e_tag")?));
        part.done()?;
    }
    parts.sort();
    Ok(FinishRequest { key, upload_id, parts })
}

/// `POST /finish`: completes the upload (guide, "Step 5"). The parts may be in any order; their numbers are the ids of
/// `/start`. A file that needs fewer parts than offered uses the first ones.
pub(super) fn finish(
    request: &Request,
    account: &str,
    state: &mut State,
    bucket: &mut dyn Bucket,
    now: u64,
) -> Result<Response, ApiError> {
    let sent = Fields::read(request, read_finish).map_err(ApiError::bad_request)?;
    let record = state.record_by_key(account, &sent.key)?;
    let multipart = record
        .multipart
        .as_ref()
        .ok_or_else(|| ApiError::bad_request("This upload is a single PUT, which needs no /finish"))?;
    if multipart.upload_id != sent.upload_id {
        let message = "upload_id must be the one that /start returned for this key";
        return Err(ApiError::bad_request(message));
    }
    if record.expired(now) {
        return Err(ApiError::expired());
    }
    let ids: Vec<u32> = sent.parts.iter().map(|(id, _)| *id).collect();
    if ids.is_empty() || !multipart.part_ids.starts_with(&ids) {
        return Err(ApiError::bad_request("parts must be the first ones of /start, each once"));
    }
    let etag = bucket.complete(&record.key, &multipart.upload_id, &sent.parts, now).map_err(ApiError::of_bucket)?;
    let e_tag = format!("\"{etag}\"");
    record.e_tag = Some(e_tag.clone());
    record.finished = Some(now);
    Ok(Response::json(200, &json!({ "e_tag": e_tag })))
}
