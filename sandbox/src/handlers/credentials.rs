//! Temporary credentials for pages that sign for themselves.

use std::sync::Arc;

use hyper::http::request::Parts;
use hyper::{Method, Response};
use partway_models::clock::iso8601;
use serde::Serialize;

use crate::bucket::Store;
use crate::response;
use crate::response_body::ResponseBody;
use crate::state::State;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CredentialsReply {
    access_key_id: String,
    secret_access_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration: Option<String>,
}

/// Answers `POST /api/credentials`. With an existing store, the response has the configured keys themselves:
/// outside of AWS few stores have temporary ones.
pub(crate) fn handle(state: &Arc<State>, parts: &Parts) -> Response<ResponseBody> {
    if parts.method != Method::POST {
        return response::error(405, "the method must be POST");
    }
    let reply = match &state.store {
        Store::External(store) => {
            let (access_key, secret_key) = store.keys();
            CredentialsReply {
                access_key_id: access_key.to_owned(),
                secret_access_key: secret_key.to_owned(),
                session_token: None,
                expiration: None,
            }
        }
        Store::Embedded(store) => {
            let lifetime_ms = state.settings().credentials.lifetime_seconds * 1000;
            let issued = store.state().issue_credentials(lifetime_ms, state.clock.now());
            CredentialsReply {
                access_key_id: issued.credentials.access_key,
                secret_access_key: issued.credentials.secret_key,
                session_token: issued.credentials.session_token,
                expiration: Some(iso8601(issued.expiration)),
            }
        }
    };
    response::json(200, &reply)
}
