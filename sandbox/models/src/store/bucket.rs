//! The store as the bucket of a vendor.

use super::operation::{Claims, Operation, Reply};
use super::state::State;
use super::step::step;
use crate::bucket::{Bucket, BucketError};
use crate::s3_error::StoreError;
use crate::wire::Headers;

impl From<StoreError> for BucketError {
    fn from(error: StoreError) -> Self {
        BucketError { code: error.code.to_string(), message: error.message }
    }
}

/// The first bucket of the configuration, with the owner's permissions.
impl Bucket for State {
    fn create_multipart(&mut self, key: &str, content_type: &str, now: u64) -> Result<String, BucketError> {
        let operation = Operation::CreateMultipartUpload {
            bucket: self.first_bucket(),
            key: key.to_string(),
            content_type: Some(content_type.to_string()),
            headers: Vec::new(),
            algorithm: None,
        };
        match step(operation, self, now)? {
            Reply::Created { upload_id } => Ok(upload_id),
            other => unreachable!("CreateMultipartUpload has another reply: {other:?}"),
        }
    }

    fn presign_put(&self, key: &str, upload_id: Option<&str>, part: Option<u32>, expires_s: u64, now: u64) -> String {
        let mut query = Vec::new();
        if let (Some(upload_id), Some(part)) = (upload_id, part) {
            query.push(("partNumber".to_string(), part.to_string()));
            query.push(("uploadId".to_string(), upload_id.to_string()));
        }
        let (bucket, none) = (self.first_bucket(), Headers::new());
        self.presign("PUT", &bucket, key, &query, &none, expires_s, now)
    }

    fn presign_get(&self, key: &str, expires_s: u64, now: u64) -> String {
        let (bucket, none) = (self.first_bucket(), Headers::new());
        self.presign("GET", &bucket, key, &[], &none, expires_s, now)
    }

    fn complete(
        &mut self,
        key: &str,
        upload_id: &str,
        parts: &[(u32, String)],
        now: u64,
    ) -> Result<String, BucketError> {
        let operation = Operation::CompleteMultipartUpload {
            bucket: self.first_bucket(),
            key: key.to_string(),
            upload_id: upload_id.to_string(),
            parts: parts.to_vec(),
            if_none_match: false,
            claims: Claims::default(),
        };
        match step(operation, self, now)? {
            Reply::Completed { etag, .. } => Ok(etag),
            other => unreachable!("CompleteMultipartUpload has another reply: {other:?}"),
        }
    }

    fn head(&mut self, key: &str, now: u64) -> Result<Option<(String, u64)>, BucketError> {
        let operation = Operation::HeadObject { bucket: self.first_bucket(), key: key.to_string() };
        match step(operation, self, now) {
            Ok(Reply::Head(info)) => Ok(Some((info.etag, info.size))),
            Err(error) if error.code == "NoSuchKey" => Ok(None),
            Err(error) => Err(error.into()),
            Ok(other) => unreachable!("HeadObject has another reply: {other:?}"),
        }
    }
}

impl State {
    fn first_bucket(&self) -> String {
        self.config.buckets.first().cloned().unwrap_or_default()
    }
}
