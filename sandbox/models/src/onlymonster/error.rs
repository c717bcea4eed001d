//! Error responses.

use serde_json::json;

use crate::bucket::BucketError;
use crate::wire::Response;

/// An error response: its status and message.
#[derive(Debug)]
pub(super) struct ApiError(pub(super) u16, pub(super) String);

impl ApiError {
    /// The request is invalid.
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        ApiError(400, message.into())
    }

    /// There is no such thing.
    pub(super) fn not_found(message: &str) -> Self {
        ApiError(404, message.to_string())
    }

    /// The URLs of the upload have expired.
    pub(super) fn expired() -> Self {
        ApiError::bad_request("The upload has expired; start a new one")
    }

    /// An error of the store: the caller's fault, unless the store is unreachable.
    pub(super) fn of_bucket(error: BucketError) -> Self {
        let status = if error.code == "Unreachable" { 502 } else { 400 };
        ApiError(status, error.to_string())
    }

    /// The response (the shape of its body is assumed).
    pub(super) fn response(&self) -> Response {
        let name = match self.0 {
            400 => "Bad Request",
            401 => "Unauthorized",
            404 => "Not Found",
            409 => "Conflict",
            429 => "Too Many Requests",
            _ => "Bad Gateway",
        };
        let body = json!({ "statusCode": self.0, "error": name, "message": self.1 });
        Response::json(self.0, &body)
    }
}
