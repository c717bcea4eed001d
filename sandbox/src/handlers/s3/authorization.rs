//! The checks before s3s: the model's verification of query signatures, which covers session tokens, the region,
//! unsigned headers and a skewed clock. s3s verifies again what passes.

use hyper::http::request::Parts;
use partway_models::clock::parse_amz_date;
use partway_models::sigv4::{self, Credentials, QuerySignature, Target};
use partway_models::store::{StoreError, check_checksums};
use partway_models::wire::{Headers, Request};

use crate::bucket::Embedded;
use crate::convert;
use crate::state::clock::Clock;

/// AWS S3 API Reference, "Error responses", RequestTimeTooSkewed: fifteen minutes. s3s has the same limit.
const LARGEST_SKEW_MS: u64 = 900_000;

/// Access key and secret of a request.
type KeyPair = (String, String);

/// Authorizes a request, and returns the keys that s3s verifies its signature with; `None` for a request
/// without an access key, which s3s refuses.
pub(super) fn authorize(store: &Embedded, clock: &Clock, parts: &mut Parts) -> Result<Option<KeyPair>, StoreError> {
    let request = convert::request_head(parts, parts.uri.path());
    let known = store.state().config.checksums;
    check_checksums(&request, known, request.header("content-length") == Some("0"))?;
    if request.method == "PUT" && request.header("content-length").is_none() {
        let message = "You must provide the Content-Length HTTP header.";
        return Err(StoreError::new(411, "MissingContentLength", message));
    }
    let secret_of = |key: &str, token: Option<&str>| store.state().authorize(key, token, clock.now());
    if request.query.iter().any(|(name, _)| name.starts_with("X-Amz-")) {
        let signature = sigv4::verify(&request, &store.location().region, &secret_of, clock.now())?;
        let secret = secret_of(&signature.access_key, signature.session_token.as_deref())?;
        if !is_valid_by_real_time(&signature, clock) {
            sign_by_real_time(store, clock, parts, &request, &signature, &secret)?;
        }
        return Ok(Some((signature.access_key, secret)));
    }
    let Some(credential) =
        request.header("authorization").and_then(|value| value.split_once("Credential=")?.1.split(',').next())
    else {
        return Ok(None);
    };
    if let Some(date) = request.header("x-amz-date").and_then(parse_amz_date)
        && clock.now().abs_diff(date) > LARGEST_SKEW_MS
    {
        let message = "The difference between the request time and the current time is too large.";
        return Err(StoreError::new(403, "RequestTimeTooSkewed", message));
    }
    let access_key = credential.split('/').next().unwrap_or_default();
    let secret = secret_of(access_key, request.header("x-amz-security-token"))?;
    Ok(Some((access_key.to_owned(), secret)))
}

/// Whether an error is the one that gets no CORS headers: that of an expired URL.
pub(super) fn is_expiry(error: &StoreError) -> bool {
    error.code == "AccessDenied" && error.message == "Request has expired"
}

/// Whether the request is valid by real time too, which s3s uses.
fn is_valid_by_real_time(signature: &QuerySignature, clock: &Clock) -> bool {
    let real_time = clock.real_time();
    let ends = signature.signed_at + signature.expires_s * 1000;
    clock.skew() == 0 || (real_time <= ends && signature.signed_at <= real_time + LARGEST_SKEW_MS)
}

/// Signs a request again, by real time: one that is only valid by the skewed clock would be refused by s3s.
fn sign_by_real_time(
    store: &Embedded,
    clock: &Clock,
    parts: &mut Parts,
    request: &Request,
    signature: &QuerySignature,
    secret: &str,
) -> Result<(), StoreError> {
    let credentials = Credentials {
        access_key: signature.access_key.clone(),
        secret_key: secret.to_owned(),
        session_token: signature.session_token.clone(),
    };
    let parameters = [
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-Expires",
        "X-Amz-SignedHeaders",
        "X-Amz-Security-Token",
        "X-Amz-Signature",
    ];
    let query: Vec<_> =
        request.query.iter().filter(|(name, _)| !parameters.contains(&name.as_str())).cloned().collect();
    let signed = signature.signed_headers.iter().filter(|name| *name != "host");
    let headers: Headers =
        signed.flat_map(|name| request.headers.get_all(name).map(move |value| (name, value))).collect();
    let endpoint = format!("http://{}", request.header("host").unwrap_or_default());
    let target =
        Target { method: &request.method, endpoint: &endpoint, path: &request.path, query: &query, headers: &headers };
    let url = sigv4::presign(&credentials, &store.location().region, &target, 900, clock.real_time());
    let uri = url.strip_prefix(&endpoint).and_then(|target| target.parse().ok());
    parts.uri = uri.ok_or_else(|| StoreError::new(400, "InvalidURI", "Couldn't parse the specified URI."))?;
    Ok(())
}
