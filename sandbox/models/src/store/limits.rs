//! The limits of S3.

/// The smallest part but the last (AWS S3 User Guide, "Amazon S3 multipart upload limits").
pub const MIN_PART: u64 = 5 << 20;
/// The largest part, and the largest single PUT (the same page).
pub const MAX_PART: u64 = 5 << 30;
/// The highest part number (the same page).
pub const MAX_PART_NUMBER: u32 = 10_000;
/// How many parts a page of ListParts has at most (AWS S3 API Reference, ListParts).
pub const MAX_LIST: u32 = 1_000;
