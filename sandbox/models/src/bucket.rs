//! What a vendor needs of the store behind it. The store model is one; a client of a real S3 can be another.

/// A bucket that a vendor keeps uploads in. Keys are plain text, not encoded.
pub trait Bucket {
    /// Begins a multipart upload and gives its id.
    fn create_multipart(&mut self, key: &str, content_type: &str, now: u64) -> Result<String, BucketError>;

    /// A URL for one PUT, of the whole object, or of a part where `upload_id` and `part` are given. Only `host` is signed.
    fn presign_put(&self, key: &str, upload_id: Option<&str>, part: Option<u32>, expires_s: u64, now: u64) -> String;

    /// A URL for GET.
    fn presign_get(&self, key: &str, expires_s: u64, now: u64) -> String;

    /// Puts the parts, in ascending order, together. Gives the object's ETag, without quotes.
    fn complete(
        &mut self,
        key: &str,
        upload_id: &str,
        parts: &[(u32, String)],
        now: u64,
    ) -> Result<String, BucketError>;

    /// ETag, without quotes, and size of an object; `None` where there is none.
    fn head(&mut self, key: &str, now: u64) -> Result<Option<(String, u64)>, BucketError>;
}

/// What a store said no with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketError {
    /// S3's code, such as `NoSuchUpload`; `Unreachable` where nothing came back.
    pub code: String,
    /// What happened.
    pub message: String,
}

impl std::fmt::Display for BucketError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for BucketError {}
