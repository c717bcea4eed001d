//! One operation on the store.

use super::operation::{Operation, Reply};
use super::state::State;
use super::{multipart, object};
use crate::s3_error::StoreError;

/// Runs one operation, completely or not at all. `now` is in milliseconds since the epoch.
pub fn step(operation: Operation, state: &mut State, now: u64) -> Result<Reply, StoreError> {
    let bucket = operation.bucket();
    if !state.config.buckets.iter().any(|known| known == bucket) {
        return Err(StoreError::no_such_bucket(bucket));
    }
    let key_length = operation.key().len();
    if key_length == 0 || key_length > 1024 {
        return Err(StoreError::new(400, "KeyTooLongError", "Your key is empty or too long: 1 to 1024 bytes."));
    }
    match operation {
        Operation::PutObject { .. } => object::put(operation, state, now),
        Operation::HeadObject { bucket, key } => object::head(&bucket, &key, state),
        Operation::GetObject { bucket, key } => object::get(&bucket, &key, state),
        Operation::DeleteObject { bucket, key } => Ok(object::delete(&bucket, &key, state)),
        Operation::CreateMultipartUpload { .. } => Ok(multipart::create(operation, state, now)),
        Operation::UploadPart { .. } => multipart::upload_part(operation, state, now),
        Operation::CompleteMultipartUpload { .. } => multipart::complete(operation, state, now),
        Operation::AbortMultipartUpload { .. } => multipart::abort(operation, state),
        Operation::ListParts { .. } => multipart::list_parts(operation, state),
    }
}
