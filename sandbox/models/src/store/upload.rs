//! An open multipart upload.

use std::collections::BTreeMap;

use crate::checksum::{Algorithm, Checksum};
use crate::content::Content;

#[derive(Clone, Debug)]
pub(super) struct Upload {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) content_type: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    /// The algorithm that it was created with.
    pub(super) algorithm: Option<Algorithm>,
    pub(super) began: u64,
    pub(super) parts: BTreeMap<u32, Part>,
}

#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) content: Content,
    pub(super) etag: String,
    pub(super) last_modified: u64,
    pub(super) checksum: Option<Checksum>,
}
