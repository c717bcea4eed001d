//! Temporary credentials for pages that sign for themselves.

use std::sync::Arc;

use hyper::http::request::Parts;
use hyper::{Method, Response};
use partway_models::clock::iso8601;
use serde::Serialize;

use crate::answer;
use crate::body::Payload;
use crate::bucket::Store;
use crate::sandbox::Sandbox;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Given {
    access_key_id: String,
    secret_access_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration: Option<String>,
}

/// Answers `POST /api/credentials`. An existing store's own keys are given as they are: outside of AWS
/// few stores have temporary ones.
pub(crate) fn handle(sandbox: &Arc<Sandbox>, parts: &Parts) -> Response<Payload> {
    if parts.method != Method::POST {
        return answer::error(405, "credentials are given by POST");
    }
    let given = match &sandbox.store {
        Store::External(store) => {
            let (access_key, secret_key) = store.keys();
            Given {
                access_key_id: access_key.to_owned(),
                secret_access_key: secret_key.to_owned(),
                session_token: None,
                expiration: None,
            }
        }
        Store::Embedded(store) => {
            let lifetime_ms = sandbox.knobs().credentials.lifetime_seconds * 1000;
            let issued = store.state().issue_credentials(lifetime_ms, sandbox.clock.now());
            Given {
                access_key_id: issued.credentials.access_key,
                secret_access_key: issued.credentials.secret_key,
                session_token: issued.credentials.session_token,
                expiration: Some(iso8601(issued.expiration)),
            }
        }
    };
    answer::json(200, &given)
}
