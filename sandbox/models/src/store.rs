//! An S3 store: single and multipart uploads of one or more buckets, as the AWS S3 API Reference has them.
//!
//! [`step`] is the store proper, on typed operations: for a server that parses the protocol and checks signatures by itself.
//! [`http_step`] is the same store spoken to in S3's REST with query signatures.

mod bucket;
mod credentials;
mod error;
mod http;
mod multipart;
mod object;
mod operation;
mod state;
mod xml;

#[cfg(test)]
mod tests;

pub use credentials::IssuedCredentials;
pub use error::StoreError;
pub use http::{http_step, route};
pub use operation::{ObjectInfo, Operation, PartInfo, PartList, Reply};
pub use state::{Config, OpenUpload, State};

/// The smallest part but the last (AWS S3 User Guide, "Amazon S3 multipart upload limits").
pub const MIN_PART: u64 = 5 << 20;
/// The largest part, and the largest single PUT (the same page).
pub const MAX_PART: u64 = 5 << 30;
/// The highest part number (the same page).
pub const MAX_PART_NUMBER: u32 = 10_000;
/// Parts in one page of ListParts (AWS S3 API Reference, ListParts).
pub const MAX_LIST: u32 = 1_000;

/// Does one operation, whole or not at all. `now` is in milliseconds since the epoch.
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
