//! Between hyper's requests and answers and the models'.

use hyper::Response;
use hyper::header::{HeaderName, HeaderValue};
use hyper::http::request::Parts;
use partway_models::encoding::parse_query;
use partway_models::wire::{self, Body, Headers};

use crate::answer;
use crate::body::{Payload, full};

/// A request without its body, as the models see it; `path` is the one that the model knows.
pub(crate) fn head(parts: &Parts, path: &str) -> wire::Request {
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

/// A model's answer for the wire.
pub(crate) fn response(model: wire::Response) -> Response<Payload> {
    let mut response = answer::empty(model.status);
    for (name, value) in model.headers.iter() {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    *response.body_mut() = full(model.body);
    response
}
