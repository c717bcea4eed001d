//! Where a bucket is, and which parts of an upload it holds.

/// The location of a bucket.
#[derive(Clone, Debug)]
pub(crate) struct Location {
    /// Scheme, host and port.
    pub endpoint: String,
    /// All endpoints of the same store.
    pub endpoints: Vec<String>,
    /// The name of the bucket.
    pub name: String,
    /// The region of signatures.
    pub region: String,
}

/// An uploaded part.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ListedPart {
    /// The part number, from 1 on.
    pub part_number: u32,
    /// The size in bytes.
    pub size: u64,
    /// The ETag, without quotes.
    pub etag: String,
}
