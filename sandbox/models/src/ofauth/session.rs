//! The session of an upload.

use std::collections::BTreeMap;

use crate::content::Content;

/// The `vaultUpload` of an init call.
#[derive(Clone, Debug)]
pub(super) struct Vault {
    pub(super) user_id: Option<String>,
}

/// One upload, since its init call.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) connection: String,
    pub(super) size: u64,
    pub(super) content_type: String,
    pub(super) vault: Option<Vault>,
    pub(super) single: bool,
    pub(super) part_size: u64,
    pub(super) created: u64,
    pub(super) expires: u64,
    pub(super) touched: u64,
    pub(super) parts: BTreeMap<u64, Content>,
    pub(super) done: Option<Done>,
}

/// A completed upload.
#[derive(Clone, Debug)]
pub(super) struct Done {
    pub(super) media_id: u64,
    pub(super) etag: String,
    pub(super) contents: Vec<Content>,
    pub(super) consumed: bool,
}

impl Session {
    pub(super) fn total_parts(&self) -> u64 {
        self.size.div_ceil(self.part_size)
    }

    /// The byte range of a part, half open.
    pub(super) fn range(&self, number: u64) -> (u64, u64) {
        let start = (number - 1) * self.part_size;
        (start, self.size.min(start + self.part_size))
    }
}
