//! The backend of forms for the bucket: it signs a policy for one file. The keys stay here.

use std::sync::Arc;

use hyper::http::request::Parts;
use hyper::{Method, Response};
use partway_models::encoding::hex;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::bucket::Store;
use crate::request_body::RequestBody;
use crate::response;
use crate::response_body::ResponseBody;
use crate::state::State;

/// How long a policy is valid. (A choice: a trial takes less.)
const VALID_S: u64 = 3600;

#[derive(Debug, Deserialize)]
struct File {
    name: String,
    size: u64,
    #[serde(rename = "type", default)]
    content_type: String,
}

/// Answers `POST /api/policy` with `{url, fields}`.
pub(crate) async fn handle(state: &Arc<State>, parts: &Parts, body: RequestBody) -> Response<ResponseBody> {
    if parts.method != Method::POST {
        return response::error(405, "the method must be POST");
    }
    let Store::Embedded(store) = &state.store else {
        return response::error(404, "policies are signed for the embedded store only");
    };
    let file: File = match body.text().await.map(|text| serde_json::from_slice(&text)) {
        Ok(Ok(file)) => file,
        Ok(Err(error)) => return response::error(400, format!("the body must be {{name, size, type}}: {error}")),
        Err(error) => return response::error(400, format!("the body could not be read: {error}")),
    };
    let mut random = [0; 8];
    if let Err(error) = getrandom::fill(&mut random) {
        return response::error(500, error.to_string());
    }
    let key = format!("forms/{}/{}", hex(&random), file.name.replace(['/', '\\'], "_"));
    let bucket = store.location();
    let fields = [("key", key.as_str()), ("content-type", &file.content_type), ("success_action_status", "201")];
    let policy = store.state().post_policy(&bucket.name, &fields, file.size, VALID_S, state.clock.now());
    let fields: Map<String, Value> = policy.into_iter().map(|(name, value)| (name, value.into())).collect();
    response::json(200, &json!({ "url": format!("{}/{}", bucket.endpoint, bucket.name), "fields": fields }))
}
