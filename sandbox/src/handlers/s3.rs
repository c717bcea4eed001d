//! The embedded store's own origin. s3s parses the protocol and checks signatures; [`authorization`] checks
//! what s3s doesn't, and [`operations`] runs what s3s has parsed.

mod authorization;
mod object_body;
mod operations;

use http_body_util::BodyExt;
use hyper::header::HeaderValue;
use hyper::http::request::Parts;
use hyper::{Method, Request, Response};
use partway_models::store::{self, StoreError};
use partway_models::wire::Body;
use s3s::S3Result;
use s3s::auth::{S3Auth, SecretKey};
use s3s::service::{S3Service, S3ServiceBuilder};

use crate::bucket::{Embedded, remove_files};
use crate::convert;
use crate::cors::NoCors;
use crate::handlers::multipart;
use crate::request_body::RequestBody;
use crate::response;
use crate::response_body::ResponseBody;
use crate::state::State;
use crate::state::spool::Spooled;

tokio::task_local! {
    /// Access key and secret of the current request, once its session token was checked.
    static AUTHORIZED: Option<(String, String)>;
}

/// Gives s3s the secret that [`authorization`] found for the current request.
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

/// The S3 server in front of the store model.
pub(crate) struct Server {
    store: Embedded,
    service: S3Service,
}

impl Server {
    /// A server of `store`, with the spool and the clock of `state`.
    pub(crate) fn new(store: &Embedded, state: &State) -> Self {
        let operations = operations::Operations::new(store.clone(), state.spool.clone(), state.clock.clone());
        let mut builder = S3ServiceBuilder::new(operations);
        builder.set_auth(Authorized);
        Self { store: store.clone(), service: builder.build() }
    }

    /// Answers a request to the store. `number` becomes its request id.
    pub(crate) async fn handle(
        &self,
        state: &State,
        mut parts: Parts,
        body: RequestBody,
        number: u64,
    ) -> Response<ResponseBody> {
        let kind = parts.headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
        if parts.method == Method::POST && kind.starts_with("multipart/form-data") {
            return self.post_object(state, &parts, &kind, body).await;
        }
        let resource = parts.uri.path().to_owned();
        let request_id = format!("{number:016X}");
        let mut response = match authorization::authorize(&self.store, &state.clock, &mut parts) {
            Ok(key) => {
                let request = Request::from_parts(parts, s3s::Body::http_body_unsync(body));
                match AUTHORIZED.scope(key, self.service.call(request)).await {
                    Ok(response) => response.map(|body| body.boxed_unsync()),
                    Err(error) => response::s3_error(500, "InternalError", &format!("{error:?}")),
                }
            }
            Err(error) => error_response(&error, &resource, &request_id),
        };
        let encryption = self.store.state().config.encryption.as_deref().map(HeaderValue::from_str);
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

    /// A form, which the model answers by itself.
    async fn post_object(
        &self,
        state: &State,
        parts: &Parts,
        content_type: &str,
        body: RequestBody,
    ) -> Response<ResponseBody> {
        let (fields, spooled) = match multipart::read(content_type, body, &state.spool).await {
            Ok(form) => form,
            Err(error) => return response::s3_error(400, "MalformedPOSTRequest", &error.to_string()),
        };
        let mut request = convert::request_head(parts, parts.uri.path());
        request.body = Body::Form(fields);
        let (answer, discarded) = {
            let mut store = self.store.state();
            (store::http_step(&request, &mut store, state.clock.now()), store.take_discarded())
        };
        remove_files(&discarded);
        if answer.status < 400 {
            spooled.into_iter().for_each(Spooled::keep);
        }
        convert::response(answer)
    }
}

fn error_response(error: &StoreError, resource: &str, request_id: &str) -> Response<ResponseBody> {
    let xml = error.to_xml(resource, request_id).into_bytes();
    let mut response = response::with_type(error.status, "application/xml", xml);
    if authorization::is_expiry(error) {
        response.extensions_mut().insert(NoCors);
    }
    response
}
