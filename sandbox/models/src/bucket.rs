//! What a vendor needs of the store behind it. The store model implements it, and so can a client of a real S3.

/// A bucket that a vendor keeps uploads in. Keys are plain text, not encoded.
pub trait Bucket {
    /// Creates a multipart upload and returns its id.
    fn create_multipart(&mut self, key: &str, content_type: &str, now: u64) -> Result<String, BucketError>;

    /// A URL for one PUT: of the whole object, or of a part if `upload_id` and `part` are given. Only `host` is signed.
    fn presign_put(&self, key: &str, upload_id: Option<&str>, part: Option<u32>, expires_s: u64, now: u64) -> String;

    /// A URL for a GET.
    fn presign_get(&self, key: &str, expires_s: u64, now: u64) -> String;

    /// Completes a multipart upload from its parts, in ascending order. Returns the object's ETag, without quotes.
    fn complete(
        &mut self,
        key: &str,
        upload_id: &str,
        parts: &[(u32, String)],
        now: u64,
    ) -> Result<String, BucketError>;

    /// ETag, without quotes, and size of an object; `None` if it doesn't exist.
    fn head(&mut self, key: &str, now: u64) -> Result<Option<(String, u64)>, BucketError>;
}

/// An error of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketError {
    /// S3's code, such as `NoSuchUpload`, or `Unreachable` if there was no response.
    pub code: String,
    /// The message.
    pub message: String,
}

impl std::fmt::Display for BucketError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for BucketError {}
