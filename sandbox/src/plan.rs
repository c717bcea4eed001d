//! The backend of the `plan` destination: makes plans, signs in batches, checks and completes. Keys stay here.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use hyper::http::request::Parts;
use hyper::{Method, Response};
use partway_models::bucket::{Bucket, BucketError};
use partway_models::clock::iso8601;
use partway_models::encoding::{hex, percent_encode_path};
use partway_models::store::{MAX_PART_NUMBER, MIN_PART};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::answer;
use crate::body::{Inbound, Payload};
use crate::bucket::Store;
use crate::sandbox::Sandbox;

/// What the backend can be told by `POST /control/vendors`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Config {
    /// Size of all parts but the last.
    pub part_size: u64,
    /// How long a URL lives.
    pub expires_seconds: u64,
    /// How many URLs come with the plan.
    pub first_batch: usize,
    /// How many are signed at once at most.
    pub largest_batch: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { part_size: 8 << 20, expires_seconds: 900, first_batch: 4, largest_batch: 100 }
    }
}

/// A plan that was made.
#[derive(Clone, Debug)]
struct Plan {
    key: String,
    size: u64,
    part_size: u64,
    completed: Option<(Vec<(u32, String)>, serde_json::Value)>,
}

/// All plans, by upload id.
#[derive(Debug, Default)]
pub(crate) struct Plans(Mutex<HashMap<String, Plan>>);

impl Plans {
    /// Forgets all plans.
    pub(crate) fn clear(&self) {
        self.0.lock().expect("plans").clear();
    }

    fn find(&self, named: &Named) -> Result<Plan, Refusal> {
        let plan = self.0.lock().expect("plans").get(&named.upload_id).cloned();
        plan.filter(|plan| plan.key == named.key)
            .ok_or_else(|| Refusal(404, format!("no plan has the uploadId {:?} and that key", named.upload_id)))
    }
}

impl Plan {
    fn parts(&self) -> u32 {
        u32::try_from(self.size.div_ceil(self.part_size)).unwrap_or(u32::MAX)
    }

    /// First and last byte, both inclusive.
    fn range(&self, part: u32) -> (u64, u64) {
        let start = u64::from(part - 1) * self.part_size;
        (start, (start + self.part_size).min(self.size) - 1)
    }
}

#[derive(Debug, Deserialize)]
struct Open {
    name: String,
    size: u64,
    #[serde(rename = "type", default)]
    content_type: String,
}

/// A plan as the page names it: whatever else it sends along is its own business.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    upload_id: String,
    key: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sign {
    plan: Named,
    part_numbers: Vec<u32>,
}

#[derive(Debug, Deserialize)]
struct OnlyPlan {
    plan: Named,
}

#[derive(Debug, Deserialize)]
struct Complete {
    plan: Named,
    parts: Vec<Sent>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    part_number: u32,
    etag: Option<String>,
}

/// Status and message.
#[derive(Debug)]
struct Refusal(u16, String);

impl From<BucketError> for Refusal {
    fn from(error: BucketError) -> Self {
        let status = match error.code.as_str() {
            "Unreachable" => 502,
            "NoSuchUpload" | "NoSuchKey" => 404,
            "InternalError" | "SlowDown" | "ServiceUnavailable" => 503,
            _ => 400,
        };
        Self(status, format!("the store says {error}"))
    }
}

/// Answers `POST /api/plan/{call}`.
pub(crate) async fn handle(sandbox: &Arc<Sandbox>, call: &str, parts: &Parts, body: Inbound) -> Response<Payload> {
    if parts.method != Method::POST {
        return answer::error(405, "plan calls are made by POST");
    }
    let text = match body.text().await {
        Ok(text) => text,
        Err(error) => return answer::error(400, format!("the body wasn't read: {error}")),
    };
    let (sandbox, call) = (sandbox.clone(), call.to_owned());
    let answered = tokio::task::spawn_blocking(move || match call.as_str() {
        "open" => read(&text).and_then(|open| self::open(&sandbox, &open)),
        "sign" => read(&text).and_then(|asked| sign(&sandbox, &asked)),
        "list" => read(&text).and_then(|asked| list(&sandbox, &asked)),
        "complete" => read(&text).and_then(|asked| complete(&sandbox, &asked)),
        "abort" => read(&text).and_then(|asked| abort(&sandbox, &asked)),
        other => Err(Refusal(404, format!("no plan call is {other:?}"))),
    });
    match answered.await {
        Ok(Ok(serde_json::Value::Null)) => answer::empty(204),
        Ok(Ok(value)) => answer::json(200, &value),
        Ok(Err(Refusal(status, message))) => answer::error(status, message),
        Err(error) => answer::error(500, error.to_string()),
    }
}

fn read<T: serde::de::DeserializeOwned>(text: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(text).map_err(|error| Refusal(400, format!("the body isn't what it should be: {error}")))
}

fn open(sandbox: &Sandbox, asked: &Open) -> Result<serde_json::Value, Refusal> {
    if asked.name.is_empty() || asked.size == 0 {
        return Err(Refusal(400, "a file has a name and at least one byte".into()));
    }
    let config = sandbox.knobs().plan;
    let now = sandbox.clock.now();
    let smallest = asked.size.div_ceil(u64::from(MAX_PART_NUMBER)).max(MIN_PART);
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| Refusal(500, error.to_string()))?;
    let name = asked.name.replace(['/', '\\'], "_");
    let plan = Plan {
        key: format!("plans/{}/{name}", hex(&random)),
        size: asked.size,
        part_size: config.part_size.max(smallest),
        completed: None,
    };
    let content_type = if asked.content_type.is_empty() { "application/octet-stream" } else { &asked.content_type };
    let mut store = sandbox.store.clone();
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
    let answer = json!({
        "uploadId": upload_id,
        "key": plan.key,
        "expiresAt": iso8601(now + config.expires_seconds * 1000),
        "parts": parts,
    });
    sandbox.plans.0.lock().expect("plans").insert(upload_id, plan);
    Ok(answer)
}

fn presign(store: &Store, plan: &Plan, upload_id: &str, part: u32, config: &Config, now: u64) -> String {
    store.presign_put(&plan.key, Some(upload_id), Some(part), config.expires_seconds, now)
}

fn sign(sandbox: &Sandbox, asked: &Sign) -> Result<serde_json::Value, Refusal> {
    let (plan, config) = (sandbox.plans.find(&asked.plan)?, sandbox.knobs().plan);
    if asked.part_numbers.len() > config.largest_batch {
        return Err(Refusal(400, format!("at most {} parts are signed at once", config.largest_batch)));
    }
    let now = sandbox.clock.now();
    let signed = asked.part_numbers.iter().map(|part| {
        if *part == 0 || *part > plan.parts() {
            return Err(Refusal(400, format!("part {part} is not of this plan, which has {}", plan.parts())));
        }
        let url = presign(&sandbox.store, &plan, &asked.plan.upload_id, *part, &config, now);
        Ok(json!({ "partNumber": part, "uploadUrl": url }))
    });
    signed.collect::<Result<_, _>>().map(serde_json::Value::Array)
}

fn list(sandbox: &Sandbox, asked: &OnlyPlan) -> Result<serde_json::Value, Refusal> {
    let plan = sandbox.plans.find(&asked.plan)?;
    let parts = sandbox.store.list_parts(&plan.key, &asked.plan.upload_id, sandbox.clock.now())?;
    let shown = parts
        .into_iter()
        .map(|part| json!({ "partNumber": part.part_number, "size": part.size, "etag": format!("\"{}\"", part.etag) }));
    Ok(shown.collect())
}

/// Every part of the plan must be named once and be there in its size; an ETag that the page couldn't
/// read is taken from the store.
fn complete(sandbox: &Sandbox, asked: &Complete) -> Result<serde_json::Value, Refusal> {
    let plan = sandbox.plans.find(&asked.plan)?;
    let mut sent = BTreeMap::new();
    for part in &asked.parts {
        let etag = part.etag.as_deref().map(|etag| etag.trim_matches('"').to_owned());
        if sent.insert(part.part_number, etag).is_some() {
            return Err(Refusal(400, format!("part {} is named twice", part.part_number)));
        }
    }
    if !sent.keys().copied().eq(1..=plan.parts()) {
        return Err(Refusal(400, format!("the plan has parts 1 to {}, not {:?}", plan.parts(), sent.keys())));
    }
    let now = sandbox.clock.now();
    if let Some((parts, answer)) = plan.completed {
        let same = parts.iter().all(|(part, etag)| sent[part].as_ref().is_none_or(|named| named == etag));
        return if same { Ok(answer) } else { Err(Refusal(409, "the upload was completed with other parts".into())) };
    }
    let there = match sandbox.store.list_parts(&plan.key, &asked.plan.upload_id, now) {
        Ok(there) => Some(there.into_iter().map(|part| (part.part_number, part)).collect::<BTreeMap<_, _>>()),
        // A store without ListParts checks for itself.
        Err(error) if matches!(error.code.as_str(), "MethodNotAllowed" | "NotImplemented") => None,
        Err(error) => return Err(error.into()),
    };
    let mut parts = Vec::new();
    for (number, named) in sent {
        let Some(there) = &there else {
            let unnamed = || Refusal(400, format!("part {number} has no ETag, and the store lists none"));
            parts.push((number, named.ok_or_else(unnamed)?));
            continue;
        };
        let (start, end) = plan.range(number);
        let Some(part) = there.get(&number) else {
            return Err(Refusal(400, format!("part {number} is not in the store")));
        };
        if part.size != end + 1 - start {
            let message = format!("part {number} has {} bytes, the plan says {}", part.size, end + 1 - start);
            return Err(Refusal(400, message));
        }
        parts.push((number, named.unwrap_or_else(|| part.etag.clone())));
    }
    let etag = sandbox.store.clone().complete(&plan.key, &asked.plan.upload_id, &parts, now)?;
    let location = sandbox.store.location();
    let url = format!("{}/{}/{}", location.endpoint, location.name, percent_encode_path(&plan.key));
    let answer = json!({ "key": plan.key, "etag": format!("\"{etag}\""), "location": url });
    if let Some(plan) = sandbox.plans.0.lock().expect("plans").get_mut(&asked.plan.upload_id) {
        plan.completed = Some((parts, answer.clone()));
    }
    Ok(answer)
}

fn abort(sandbox: &Sandbox, asked: &OnlyPlan) -> Result<serde_json::Value, Refusal> {
    let plan = sandbox.plans.find(&asked.plan)?;
    match sandbox.store.abort(&plan.key, &asked.plan.upload_id, sandbox.clock.now()) {
        Err(error) if error.code != "NoSuchUpload" => Err(error.into()),
        _ => Ok(serde_json::Value::Null),
    }
}
