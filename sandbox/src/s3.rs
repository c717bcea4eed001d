//! The embedded store's own origin. The protocol and the signatures are s3s's; what it doesn't check
//! stands in [`front`], what it calls in [`operations`].

mod front;
mod operations;
mod reading;

use std::sync::Arc;

use http_body_util::BodyExt;
use hyper::header::HeaderValue;
use hyper::http::request::Parts;
use hyper::{Request, Response};
use partway_models::store::StoreError;
use s3s::S3Result;
use s3s::auth::{S3Auth, SecretKey};
use s3s::service::{S3Service, S3ServiceBuilder};

use crate::answer;
use crate::body::{Inbound, Payload};
use crate::bucket::Embedded;
use crate::clock::Clock;
use crate::exchange::NoCors;
use crate::sandbox::Sandbox;
use crate::spool::Spool;

tokio::task_local! {
    /// Access key and secret of the request that is being answered, once its session token was checked.
    static AUTHORIZED: Option<(String, String)>;
}

/// Gives s3s the secret that [`front`] found for this request.
struct Authorized;

#[async_trait::async_trait]
impl S3Auth for Authorized {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let found = AUTHORIZED.with(|key| key.clone().filter(|(known, _)| known == access_key));
        match found {
            Some((_, secret)) => Ok(SecretKey::from(secret)),
            None => Err(s3s::s3_error!(
                InvalidAccessKeyId,
                "The AWS Access Key Id you provided does not exist in our records."
            )),
        }
    }
}

/// The S3 server before the model.
pub(crate) fn service(store: Embedded, spool: Arc<Spool>, clock: Arc<Clock>) -> S3Service {
    let mut builder = S3ServiceBuilder::new(operations::Operations::new(store, spool, clock));
    builder.set_auth(Authorized);
    builder.build()
}

/// Answers a request to the store. `number` becomes its request id.
pub(crate) async fn handle(sandbox: &Arc<Sandbox>, mut parts: Parts, body: Inbound, number: u64) -> Response<Payload> {
    let Some((store, service)) = &sandbox.s3 else {
        return answer::error(404, "the store is elsewhere (--s3-endpoint)");
    };
    let resource = parts.uri.path().to_owned();
    let request_id = format!("{number:016X}");
    let mut response = match front::admit(store, &sandbox.clock, &mut parts) {
        Ok(key) => {
            let request = Request::from_parts(parts, s3s::Body::http_body_unsync(body));
            match AUTHORIZED.scope(key, service.call(request)).await {
                Ok(response) => response.map(|body| body.boxed_unsync()),
                Err(error) => answer::s3_error(500, "InternalError", &format!("{error:?}")),
            }
        }
        Err(refusal) => refuse(&refusal, &resource, &request_id),
    };
    let encryption = store.state().config.encryption.as_deref().map(HeaderValue::from_str);
    if let Some(Ok(algorithm)) = encryption
        && response.status().is_success()
    {
        response.headers_mut().insert("x-amz-server-side-encryption", algorithm);
    }
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("x-amz-request-id", id);
    }
    response
}

fn refuse(error: &StoreError, resource: &str, request_id: &str) -> Response<Payload> {
    let xml = error.to_xml(resource, request_id).into_bytes();
    let mut response = answer::with_type(error.status, "application/xml", xml);
    if front::is_expiry(error) {
        response.extensions_mut().insert(NoCors);
    }
    response
}
