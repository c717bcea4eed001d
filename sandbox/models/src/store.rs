//! An S3 store: single and multipart uploads of one or more buckets, as the AWS S3 API Reference has them.
//!
//! [`step`] is the store on typed operations, for a server that parses the protocol and verifies signatures itself.
//! [`http_step`] is the same store behind S3's REST API, with query signatures.

mod bucket;
mod checks;
mod config;
mod credentials;
mod documents;
mod http;
mod limits;
mod multipart;
mod object;
mod operation;
mod post;
mod state;
mod step;
mod upload;

#[cfg(test)]
mod tests;

pub use crate::s3_error::StoreError;
pub use checks::{check_checksums, parse_content_md5, read_algorithm, read_checksum};
pub use config::{Checksums, Config};
pub use credentials::IssuedCredentials;
pub use http::{http_step, route};
pub use limits::{MAX_LIST, MAX_PART, MAX_PART_NUMBER, MIN_PART};
pub use operation::{Claims, ObjectInfo, Operation, PartInfo, PartList, Reply};
pub use state::{OpenUpload, State};
pub use step::step;
