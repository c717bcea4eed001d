//! Where a bucket is, and which parts of an upload it holds.

/// Where a bucket is, for those who address it.
#[derive(Clone, Debug)]
pub(crate) struct Location {
    /// Scheme, host and port.
    pub endpoint: String,
    /// All names of the same store.
    pub endpoints: Vec<String>,
    /// The bucket.
    pub name: String,
    /// The region that signatures name.
    pub region: String,
}

/// A part that is there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ListedPart {
    /// From 1 on.
    pub part_number: u32,
    /// In bytes.
    pub size: u64,
    /// Without quotes.
    pub etag: String,
}
