use serde_json::{Value, json};

use super::list::is_fan_id;
use super::pipeline::Pipeline;
use super::record::Export;
use super::{Refusal, State};
use crate::bucket::Bucket;
use crate::json::Fields;
use crate::wire::{Request, Response};

struct Wish {
    key: String,
    e_tag: String,
    get_url: String,
    kind: String,
    fan_id: Option<String>,
    duration: Value,
    tags: [Value; 3],
}

fn read(request: &Request) -> Result<Wish, String> {
    let mut fields = Fields::of(request)?;
    let wish = Wish {
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
        tags: [tags(&mut fields, "rf_guest")?, tags(&mut fields, "rf_partner")?, tags(&mut fields, "rf_tag")?],
    };
    // The rest of the record's metadata may be said again (assumed).
    fields.optional_text("name")?;
    fields.optional_text("content_type")?;
    if let Some(size) = fields.take("size")
        && !size.is_u64()
    {
        return Err("size must be an integer".to_string());
    }
    fields.done()?;
    if wish.kind != "post" && wish.kind != "message" {
        return Err("export_type must be \"post\" or \"message\"".to_string());
    }
    if wish.fan_id.as_deref().is_some_and(|id| !is_fan_id(id)) {
        return Err("export_fan_id must be the id that /fans/verify gave".to_string());
    }
    Ok(wish)
}

fn tags(fields: &mut Fields, name: &str) -> Result<Value, String> {
    match fields.take(name) {
        None | Some(Value::Null) => Ok(json!([])),
        Some(list @ Value::Array(_)) => Ok(list),
        Some(_) => Err(format!("{name} must be an array")),
    }
}

/// `POST /export`: queues the object for the vault (guide, "Step 6"). Each call that is accepted makes an entry of its own
/// (guide, "Idempotency on network timeout").
pub(super) fn export(
    request: &Request,
    account: &str,
    state: &mut State,
    bucket: &mut dyn Bucket,
    now: u64,
) -> Result<Response, Refusal> {
    let wish = read(request).map_err(Refusal::bad_request)?;
    let records = &state.records;
    let index = records
        .iter()
        .position(|record| record.account == account && record.key == wish.key)
        .ok_or_else(|| Refusal::not_found("There is no upload of that key"))?;
    let record = &records[index];
    if wish.get_url != record.get_url {
        return Err(Refusal::bad_request("get_url must be the one that /start gave"));
    }
    if now >= record.urls_expire {
        return Err(Refusal::bad_request("The upload has expired; start a new one"));
    }
    let object = bucket.head(&wish.key, now).map_err(Refusal::of_bucket)?;
    let (etag, size) = object.ok_or_else(|| Refusal::bad_request("The file has not been uploaded"))?;
    if wish.e_tag.trim_matches('"') != etag {
        return Err(Refusal::bad_request("e_tag is not the uploaded object's"));
    }
    if size != record.size {
        let message = format!("{} bytes were announced, {size} are there", record.size);
        return Err(Refusal::bad_request(message));
    }

    state.exports += 1;
    let export = Export {
        media_id: (3_900_000_000 + state.exports).to_string(),
        kind: wish.kind,
        fan_id: wish.fan_id,
        tags: wish.tags,
        duration: wish.duration,
        pipeline: Pipeline {
            began: now,
            takes_ms: state.config.processing_ms,
            stuck: state.config.stuck_in,
            freed: None,
            end: state.config.end,
        },
    };
    let mut changed = state.records[index].clone();
    let second = changed.export.is_some();
    changed.e_tag = Some(wish.e_tag);
    changed.export = Some(export);
    let answer = if second {
        changed.id = state.ids.uuid();
        changed.created = now;
        changed.second_export = true;
        state.records.push(changed);
        state.records.last()
    } else {
        state.records[index] = changed;
        state.records.get(index)
    };
    let mut answer = answer.map_or(Value::Null, |record| record.to_json(now));
    // Processing begins after the answer, however short it is: the guide promises both.
    answer["status"] = json!("uploaded");
    answer["media_id"] = Value::Null;
    Ok(Response::json(200, &answer))
}

/// `POST /{upload_id}/retry`: accepted in `uploaded` and `processed` only; a repetition changes nothing (guide, "Step 8").
pub(super) fn retry(account: &str, id: &str, state: &mut State, now: u64) -> Result<Response, Refusal> {
    let mut records = state.records.iter_mut();
    let record = records
        .find(|record| record.account == account && record.id == id)
        .ok_or_else(|| Refusal::not_found("There is no such upload"))?;
    let accepted = match &mut record.export {
        Some(export) => export.pipeline.nudge(now),
        None => false,
    };
    if !accepted {
        let message = format!("An upload that is {} takes no retry: only uploaded or processed", record.status(now).0);
        return Err(Refusal(409, message));
    }
    Ok(Response::json(200, &record.to_json(now)))
}
