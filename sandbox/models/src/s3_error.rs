//! The errors of S3.

use crate::xml;

/// An error response of S3 (AWS S3 API Reference, "Error responses").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError {
    /// The HTTP status.
    pub status: u16,
    /// The error code.
    pub code: &'static str,
    /// The message.
    pub message: String,
    /// Further elements of the XML body.
    pub details: Vec<(&'static str, String)>,
}

impl StoreError {
    /// An error without further elements.
    pub fn new(status: u16, code: &'static str, message: &str) -> Self {
        StoreError { status, code, message: message.to_string(), details: Vec::new() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.details.push((name, value.into()));
        self
    }

    /// The XML body of the response.
    pub fn to_xml(&self, resource: &str, request_id: &str) -> String {
        let mut elements = vec![("Code", self.code), ("Message", &self.message)];
        elements.extend(self.details.iter().map(|(name, v)| (*name, v.as_str())));
        elements.extend([("Resource", resource), ("RequestId", request_id)]);
        xml::document("Error", &elements)
    }

    pub(crate) fn no_such_bucket(bucket: &str) -> Self {
        StoreError::new(404, "NoSuchBucket", "The specified bucket does not exist").with("BucketName", bucket)
    }

    pub(crate) fn no_such_key(key: &str) -> Self {
        StoreError::new(404, "NoSuchKey", "The specified key does not exist.").with("Key", key)
    }

    pub(crate) fn no_such_upload(upload_id: &str) -> Self {
        StoreError::new(
            404,
            "NoSuchUpload",
            "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
        )
        .with("UploadId", upload_id)
    }

    pub(crate) fn bad_digest(message: &str) -> Self {
        StoreError::new(400, "BadDigest", message)
    }

    pub(crate) fn precondition_failed() -> Self {
        StoreError::new(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
            .with("Condition", "If-None-Match")
    }

    pub(crate) fn conflict() -> Self {
        StoreError::new(
            409,
            "ConditionalRequestConflict",
            "The conditional request cannot succeed due to a conflicting operation against this resource.",
        )
        .with("Condition", "If-None-Match")
    }

    pub(crate) fn invalid_argument(message: &str) -> Self {
        StoreError::new(400, "InvalidArgument", message)
    }

    pub(crate) fn invalid_request(message: &str) -> Self {
        StoreError::new(400, "InvalidRequest", message)
    }

    pub(crate) fn malformed_xml() -> Self {
        StoreError::new(
            400,
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema",
        )
    }

    pub(crate) fn not_implemented(message: &str) -> Self {
        StoreError::new(501, "NotImplemented", message)
    }
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: {}", self.status, self.code, self.message)
    }
}

impl std::error::Error for StoreError {}
