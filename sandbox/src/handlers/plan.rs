//! The backend of the `plan` destination: opens plans, signs URLs in batches, checks and completes uploads. The
//! keys stay here.

use std::collections::BTreeMap;
use std::sync::Arc;

use hyper::http::request::Parts;
use hyper::{Method, Response};
use partway_models::bucket::{Bucket, BucketError};
use partway_models::clock::iso8601;
use partway_models::encoding::{hex, percent_encode_path};
use partway_models::store::{MAX_PART_NUMBER, MIN_PART};
use serde::Deserialize;
use serde_json::json;

use crate::bucket::Store;
use crate::request_body::RequestBody;
use crate::response;
use crate::response_body::ResponseBody;
use crate::state::State;
use crate::state::plans::{Config, Plan};

#[derive(Debug, Deserialize)]
struct Open {
    name: String,
    size: u64,
    #[serde(rename = "type", default)]
    content_type: String,
}

/// A plan as the page names it. Other members are ignored.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlanRef {
    upload_id: String,
    key: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sign {
    plan: PlanRef,
    part_numbers: Vec<u32>,
}

#[derive(Debug, Deserialize)]
struct PlanCall {
    plan: PlanRef,
}

#[derive(Debug, Deserialize)]
struct Complete {
    plan: PlanRef,
    parts: Vec<SentPart>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SentPart {
    part_number: u32,
    etag: Option<String>,
}

/// An HTTP status and a message.
#[derive(Debug)]
struct ApiError(u16, String);

impl From<BucketError> for ApiError {
    fn from(error: BucketError) -> Self {
        let status = match error.code.as_str() {
            "Unreachable" => 502,
            "NoSuchUpload" | "NoSuchKey" => 404,
            "InternalError" | "SlowDown" | "ServiceUnavailable" => 503,
            _ => 400,
        };
        Self(status, format!("the store refused: {error}"))
    }
}

/// Answers `POST /api/plan/{call}`.
pub(crate) async fn handle(state: &Arc<State>, call: &str, parts: &Parts, body: RequestBody) -> Response<ResponseBody> {
    if parts.method != Method::POST {
        return response::error(405, "plan calls must be POST requests");
    }
    let text = match body.text().await {
        Ok(text) => text,
        Err(error) => return response::error(400, format!("the body could not be read: {error}")),
    };
    let (state, call) = (state.clone(), call.to_owned());
    let answered = tokio::task::spawn_blocking(move || match call.as_str() {
        "open" => read(&text).and_then(|open| self::open(&state, &open)),
        "sign" => read(&text).and_then(|call| sign(&state, &call)),
        "list" => read(&text).and_then(|call| list(&state, &call)),
        "complete" => read(&text).and_then(|call| complete(&state, &call)),
        "abort" => read(&text).and_then(|call| abort(&state, &call)),
        other => Err(ApiError(
            404,
            format!("there is no plan call {other:?}; there are open, sign, list, complete and abort"),
        )),
    });
    match answered.await {
        Ok(Ok(serde_json::Value::Null)) => response::empty(204),
        Ok(Ok(value)) => response::json(200, &value),
        Ok(Err(ApiError(status, message))) => response::error(status, message),
        Err(error) => response::error(500, error.to_string()),
    }
}

fn read<T: serde::de::DeserializeOwned>(text: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(text)
        .map_err(|error| ApiError(400, format!("the body must be the JSON of this call: {error}")))
}

fn find(state: &State, named: &PlanRef) -> Result<Plan, ApiError> {
    let unknown = || ApiError(404, format!("there is no plan with the uploadId {:?} and that key", named.upload_id));
    state.plans.find(&named.upload_id, &named.key).ok_or_else(unknown)
}

fn open(state: &State, call: &Open) -> Result<serde_json::Value, ApiError> {
    if call.name.is_empty() || call.size == 0 {
        return Err(ApiError(400, "name must not be empty, and size must be at least 1".into()));
    }
    let config = state.settings().plan;
    let now = state.clock.now();
    let smallest = call.size.div_ceil(u64::from(MAX_PART_NUMBER)).max(MIN_PART);
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| ApiError(500, error.to_string()))?;
    let name = call.name.replace(['/', '\\'], "_");
    let plan = Plan {
        key: format!("plans/{}/{name}", hex(&random)),
        size: call.size,
        part_size: config.part_size.max(smallest),
        completed: None,
    };
    let content_type = if call.content_type.is_empty() { "application/octet-stream" } else { &call.content_type };
    let mut store = state.store.clone();
    let upload_id = store.create_multipart(&plan.key, content_type, now)?;
    let parts: Vec<_> = (1..=plan.parts())
        .map(|part| {
            let (start, end) = plan.range(part);
            let mut entry = json!({ "partNumber": part, "byteRange": { "start": start, "end": end } });
            if (part as usize) <= config.first_batch {
                entry["uploadUrl"] = presign(&store, &plan, &upload_id, part, &config, now).into();
            }
            entry
        })
        .collect();
    let reply = json!({
        "uploadId": upload_id,
        "key": plan.key,
        "expiresAt": iso8601(now + config.expires_seconds * 1000),
        "parts": parts,
    });
    state.plans.insert(upload_id, plan);
    Ok(reply)
}

fn presign(store: &Store, plan: &Plan, upload_id: &str, part: u32, config: &Config, now: u64) -> String {
    store.presign_put(&plan.key, Some(upload_id), Some(part), config.expires_seconds, now)
}

fn sign(state: &State, call: &Sign) -> Result<serde_json::Value, ApiError> {
    let (plan, config) = (find(state, &call.plan)?, state.settings().plan);
    if call.part_numbers.len() > config.largest_batch {
        return Err(ApiError(
            400,
            format!("partNumbers must have at most {} entries, not {}", config.largest_batch, call.part_numbers.len()),
        ));
    }
    let now = state.clock.now();
    let signed = call.part_numbers.iter().map(|part| {
        if *part == 0 || *part > plan.parts() {
            return Err(ApiError(400, format!("the plan has parts 1 to {}, not part {part}", plan.parts())));
        }
        let url = presign(&state.store, &plan, &call.plan.upload_id, *part, &config, now);
        Ok(json!({ "partNumber": part, "uploadUrl": url }))
    });
    signed.collect::<Result<_, _>>().map(serde_json::Value::Array)
}

fn list(state: &State, call: &PlanCall) -> Result<serde_json::Value, ApiError> {
    let plan = find(state, &call.plan)?;
    let parts = state.store.list_parts(&plan.key, &call.plan.upload_id, state.clock.now())?;
    let listed = parts
        .into_iter()
        .map(|part| json!({ "partNumber": part.part_number, "size": part.size, "etag": format!("\"{}\"", part.etag) }));
    Ok(listed.collect())
}

/// Every part of the plan must be named once, and the store must have it with the planned size. An ETag that
/// the page couldn't read is taken from the store.
fn complete(state: &State, call: &Complete) -> Result<serde_json::Value, ApiError> {
    let plan = find(state, &call.plan)?;
    let mut sent = BTreeMap::new();
    for part in &call.parts {
        let etag = part.etag.as_deref().map(|etag| etag.trim_matches('"').to_owned());
        if sent.insert(part.part_number, etag).is_some() {
            return Err(ApiError(400, format!("part {} is named twice", part.part_number)));
        }
    }
    if !sent.keys().copied().eq(1..=plan.parts()) {
        return Err(ApiError(400, format!("the plan has parts 1 to {}, not {:?}", plan.parts(), sent.keys())));
    }
    let now = state.clock.now();
    if let Some((parts, reply)) = plan.completed {
        let same = parts.iter().all(|(part, etag)| sent[part].as_ref().is_none_or(|named| named == etag));
        return if same {
            Ok(reply)
        } else {
            Err(ApiError(409, "the upload was completed before, with other parts".into()))
        };
    }
    let stored = match state.store.list_parts(&plan.key, &call.plan.upload_id, now) {
        Ok(stored) => Some(stored.into_iter().map(|part| (part.part_number, part)).collect::<BTreeMap<_, _>>()),
        // A store without ListParts checks the parts itself.
        Err(error) if matches!(error.code.as_str(), "MethodNotAllowed" | "NotImplemented") => None,
        Err(error) => return Err(error.into()),
    };
    let mut parts = Vec::new();
    for (number, named) in sent {
        let Some(stored) = &stored else {
            let unnamed = || ApiError(400, format!("part {number} has no ETag, and the store lists none"));
            parts.push((number, named.ok_or_else(unnamed)?));
            continue;
        };
        let (start, end) = plan.range(number);
        let Some(part) = stored.get(&number) else {
            return Err(ApiError(400, format!("part {number} is not in the store")));
        };
        if part.size != end + 1 - start {
            let message = format!("part {number} has {} bytes, the plan says {}", part.size, end + 1 - start);
            return Err(ApiError(400, message));
        }
        parts.push((number, named.unwrap_or_else(|| part.etag.clone())));
    }
    let etag = state.store.clone().complete(&plan.key, &call.plan.upload_id, &parts, now)?;
    let location = state.store.location();
    let url = format!("{}/{}/{}", location.endpoint, location.name, percent_encode_path(&plan.key));
    let mut reply = json!({ "key": plan.key, "etag": format!("\"{etag}\""), "location": url });
    if let Some(crc64) = state.store.crc64(&plan.key) {
        reply["checksumCRC64NVME"] = json!(crc64);
    }
    state.plans.set_completed(&call.plan.upload_id, parts, reply.clone());
    Ok(reply)
}

fn abort(state: &State, call: &PlanCall) -> Result<serde_json::Value, ApiError> {
    let plan = find(state, &call.plan)?;
    match state.store.abort(&plan.key, &call.plan.upload_id, state.clock.now()) {
        Err(error) if error.code != "NoSuchUpload" => Err(error.into()),
        _ => Ok(serde_json::Value::Null),
    }
}
