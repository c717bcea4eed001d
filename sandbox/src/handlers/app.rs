//! The app's origin without the proxies and backends: page, package, configuration, objects, control.

use std::sync::Arc;

use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::CONTENT_LENGTH;
use hyper::http::request::Parts;
use hyper::{Method, Response};
use serde_json::json;

use super::{control, files, objects, vendors};
use crate::response;
use crate::response_body::{ResponseBody, full};
use crate::state::State;

/// The longest body of a control call. (A choice.)
const LIMIT: usize = 1024 * 1024;

/// Answers a request that is not logged and that faults don't hit.
pub(crate) async fn handle(state: &Arc<State>, parts: Parts, body: Incoming) -> Response<ResponseBody> {
    let path = parts.uri.path();
    if path.starts_with("/control/") {
        return match Limited::new(body, LIMIT).collect().await {
            Ok(body) => control::handle(state, &parts, &body.to_bytes()),
            Err(error) => response::error(400, format!("the body could not be read: {error}")),
        };
    }
    if parts.method != Method::GET && parts.method != Method::HEAD {
        return response::error(405, format!("the method for {path} must be GET or HEAD, not {}", parts.method));
    }
    let mut response = if let Some(object) = path.strip_prefix("/objects/") {
        objects::handle(state, object).await
    } else if path == "/config.json" {
        response::json(200, &config(state))
    } else {
        files::serve(&state.options, path).await
    };
    if parts.method == Method::HEAD {
        if let Some(size) = response.body().size_hint().exact() {
            response.headers_mut().insert(CONTENT_LENGTH, size.into());
        }
        *response.body_mut() = full("");
    }
    response
}

/// The configuration of the page: destinations as `Uploader` takes their providers, without any key.
fn config(state: &State) -> serde_json::Value {
    let bucket = state.store.location();
    json!({
        "destinations": [
            { "label": "OFAuth", "provider": { "name": "ofauth", "baseUrl": "/api/ofauth" } },
            { "label": "Onlymonster", "provider": {
                "name": "onlymonster", "baseUrl": "/api/onlymonster",
                "accountId": vendors::ONLYMONSTER_ACCOUNT, "exportType": "post",
            } },
            { "label": "apifansly", "provider": {
                "name": "apifansly", "baseUrl": "/api/apifansly", "accountId": vendors::APIFANSLY_ACCOUNT,
            } },
            { "label": "S3", "provider": {
                "name": "s3", "endpoint": bucket.endpoint, "endpoints": bucket.endpoints,
                "bucket": bucket.name, "region": bucket.region, "forcePathStyle": true,
            } },
            { "label": "Plan", "provider": { "name": "plan" } },
            { "label": "Form", "provider": { "name": "form", "url": "/api/form/upload" } },
        ],
        "credentialsUrl": "/api/credentials",
        "planUrl": "/api/plan",
        "policyUrl": "/api/policy",
    })
}
