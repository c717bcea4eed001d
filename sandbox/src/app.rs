//! The app's origin, but for the proxies and backends: page, package, configuration, objects, control.

use std::sync::Arc;

use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::CONTENT_LENGTH;
use hyper::http::request::Parts;
use hyper::{Method, Response};
use serde_json::json;

use crate::answer;
use crate::body::{Payload, full};
use crate::sandbox::Sandbox;
use crate::{control, files, objects, vendors};

/// Control bodies are read up to this.
const LIMIT: usize = 1024 * 1024;

/// Answers what isn't logged and can't be broken.
pub(crate) async fn handle(sandbox: &Arc<Sandbox>, parts: Parts, body: Incoming) -> Response<Payload> {
    let path = parts.uri.path();
    if path.starts_with("/control/") {
        return match Limited::new(body, LIMIT).collect().await {
            Ok(body) => control::handle(sandbox, &parts, &body.to_bytes()),
            Err(error) => answer::error(400, format!("the body wasn't read: {error}")),
        };
    }
    if parts.method != Method::GET && parts.method != Method::HEAD {
        return answer::error(405, format!("{path} can only be read"));
    }
    let mut response = if let Some(object) = path.strip_prefix("/objects/") {
        objects::handle(sandbox, object).await
    } else if path == "/config.json" {
        answer::json(200, &config(sandbox))
    } else {
        files::serve(&sandbox.options, path).await
    };
    if parts.method == Method::HEAD {
        if let Some(size) = response.body().size_hint().exact() {
            response.headers_mut().insert(CONTENT_LENGTH, size.into());
        }
        *response.body_mut() = full("");
    }
    response
}

/// What the page needs to know: destinations as `Uploader` takes their providers, without a key in them.
fn config(sandbox: &Sandbox) -> serde_json::Value {
    let bucket = sandbox.store.location();
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
        ],
        "credentialsUrl": "/api/credentials",
        "planUrl": "/api/plan",
    })
}
