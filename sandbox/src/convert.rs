//! Conversions between hyper's messages and those of the models.

use hyper::Response;
use hyper::header::{HeaderName, HeaderValue};
use hyper::http::request::Parts;
use partway_models::encoding::parse_query;
use partway_models::wire::{self, Body, Headers};

use crate::response;
use crate::response_body::{ResponseBody, full};

/// A request without its body, for a model; `path` replaces the one that was sent.
pub(crate) fn request_head(parts: &Parts, path: &str) -> wire::Request {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers: Headers = parts.headers.iter().map(|(name, value)| (name.as_str(), text(value))).collect();
    wire::Request {
        method: parts.method.to_string(),
        path: path.to_owned(),
        query: parse_query(parts.uri.query().unwrap_or_default()),
        headers,
        body: Body::Empty,
    }
}

/// The response of a model, for hyper.
pub(crate) fn response(model: wire::Response) -> Response<ResponseBody> {
    let mut response = response::empty(model.status);
    for (name, value) in model.headers.iter() {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    *response.body_mut() = full(model.body);
    response
}
