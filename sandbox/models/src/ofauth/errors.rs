//! Error responses.

use serde_json::json;

use crate::wire::Response;

/// An error response, before it gets one of the three published shapes.
#[derive(Debug)]
pub(super) struct ApiError {
    status: u16,
    code: &'static str,
    message: String,
}

impl ApiError {
    /// An error with this status, code and message.
    pub(super) fn new(status: u16, code: &'static str, message: &str) -> Self {
        ApiError { status, code, message: message.to_string() }
    }

    /// The request is invalid.
    pub(super) fn bad_request(message: impl AsRef<str>) -> Self {
        ApiError::new(400, "VALIDATION_ERROR", message.as_ref())
    }

    /// Three shapes are published, but not which status has which. Here 401 and 403 have
    /// `{error, type, requestId, actionRequired}`, 400, 413 and 415 `{error, code, details}`,
    /// and all others `{message, code, details}` (assumed).
    pub(super) fn response(&self, request_id: &str) -> Response {
        let body = match self.status {
            401 | 403 => json!({
                "error": self.message,
                "type": self.code,
                "requestId": request_id,
                "actionRequired": "check the API key, the connection and its permissions",
            }),
            400 | 413 | 415 => json!({ "error": self.message, "code": self.code, "details": {} }),
            _ => json!({ "message": self.message, "code": self.code, "details": {} }),
        };
        Response::json(self.status, &body)
    }
}
