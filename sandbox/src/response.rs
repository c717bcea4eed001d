//! Responses.

use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use partway_models::xml;
use serde::Serialize;

use crate::response_body::{ResponseBody, full};

/// A JSON response.
pub(crate) fn json(status: u16, value: &impl Serialize) -> Response<ResponseBody> {
    match serde_json::to_vec(value) {
        Ok(bytes) => {
            let mut response = with_type(status, "application/json", bytes);
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(error) => with_type(500, "text/plain; charset=utf-8", error.to_string().into_bytes()),
    }
}

/// An error of the sandbox's own calls: the message says what was expected and what was found.
pub(crate) fn error(status: u16, message: impl Into<String>) -> Response<ResponseBody> {
    json(status, &serde_json::json!({ "error": message.into() }))
}

/// An error in the XML of S3.
pub(crate) fn s3_error(status: u16, code: &str, message: &str) -> Response<ResponseBody> {
    let xml = xml::document("Error", &[("Code", code), ("Message", message)]);
    with_type(status, "application/xml", xml.into_bytes())
}

/// A response without a body.
pub(crate) fn empty(status: u16) -> Response<ResponseBody> {
    let mut response = Response::new(full(""));
    *response.status_mut() = code(status);
    response
}

/// A response with this content type.
pub(crate) fn with_type(status: u16, content_type: &'static str, bytes: Vec<u8>) -> Response<ResponseBody> {
    let mut response = Response::new(full(bytes));
    *response.status_mut() = code(status);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
