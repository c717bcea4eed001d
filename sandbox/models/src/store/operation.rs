//! The operations of the store, and its replies.

use crate::content::Content;

/// What a store can be asked for. Keys are plain text, ETags may come with or without quotes.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// Stores a whole object.
    PutObject {
        /// Where.
        bucket: String,
        /// Under which key.
        key: String,
        /// The bytes.
        content: Content,
        /// `Content-Type`.
        content_type: Option<String>,
        /// `x-amz-meta-*`, `cache-control` and others that are kept with the object.
        headers: Vec<(String, String)>,
        /// `If-None-Match: *`
        if_none_match: bool,
        /// `Content-MD5`, decoded.
        content_md5: Option<[u8; 16]>,
    },
    /// Begins a multipart upload.
    CreateMultipartUpload {
        /// Where.
        bucket: String,
        /// Under which key.
        key: String,
        /// `Content-Type` of the object to be.
        content_type: Option<String>,
        /// Kept with the object to be.
        headers: Vec<(String, String)>,
    },
    /// Stores one part, in place of an earlier one of that number.
    UploadPart {
        /// Where.
        bucket: String,
        /// Under which key.
        key: String,
        /// Of which upload.
        upload_id: String,
        /// 1 to 10,000.
        part_number: u32,
        /// The bytes.
        content: Content,
        /// `Content-MD5`, decoded.
        content_md5: Option<[u8; 16]>,
    },
    /// Puts the parts together.
    CompleteMultipartUpload {
        /// Where.
        bucket: String,
        /// Under which key.
        key: String,
        /// Which upload.
        upload_id: String,
        /// Numbers and ETags, in the order in which they came.
        parts: Vec<(u32, String)>,
        /// `If-None-Match: *`
        if_none_match: bool,
    },
    /// Throws a multipart upload away.
    AbortMultipartUpload {
        /// Where.
        bucket: String,
        /// Under which key.
        key: String,
        /// Which upload.
        upload_id: String,
    },
    /// A page of the parts that are there.
    ListParts {
        /// Where.
        bucket: String,
        /// Under which key.
        key: String,
        /// Of which upload.
        upload_id: String,
        /// How many at most; above 1,000 is 1,000.
        max_parts: Option<u32>,
        /// Only parts above this number.
        part_number_marker: Option<u32>,
    },
    /// An object without its bytes.
    HeadObject {
        /// Where.
        bucket: String,
        /// Which.
        key: String,
    },
    /// An object.
    GetObject {
        /// Where.
        bucket: String,
        /// Which.
        key: String,
    },
    /// Removes an object; that there is none is no error.
    DeleteObject {
        /// Where.
        bucket: String,
        /// Which.
        key: String,
    },
}

impl Operation {
    /// The bucket that is meant.
    pub fn bucket(&self) -> &str {
        self.place().0
    }

    /// The key that is meant.
    pub fn key(&self) -> &str {
        self.place().1
    }

    fn place(&self) -> (&str, &str) {
        match self {
            Operation::PutObject { bucket, key, .. }
            | Operation::CreateMultipartUpload { bucket, key, .. }
            | Operation::UploadPart { bucket, key, .. }
            | Operation::CompleteMultipartUpload { bucket, key, .. }
            | Operation::AbortMultipartUpload { bucket, key, .. }
            | Operation::ListParts { bucket, key, .. }
            | Operation::HeadObject { bucket, key }
            | Operation::GetObject { bucket, key }
            | Operation::DeleteObject { bucket, key } => (bucket, key),
        }
    }
}

/// What a store answers. ETags are without quotes.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// To `PutObject`.
    Put {
        /// Of the object.
        etag: String,
    },
    /// To `CreateMultipartUpload`.
    Created {
        /// Names the upload from now on.
        upload_id: String,
    },
    /// To `UploadPart`.
    Part {
        /// Of the part.
        etag: String,
    },
    /// To `CompleteMultipartUpload`.
    Completed {
        /// The combined one.
        etag: String,
        /// URL of the object, unsigned.
        location: String,
    },
    /// To `AbortMultipartUpload`.
    Aborted,
    /// To `ListParts`.
    Parts(PartList),
    /// To `HeadObject`.
    Head(ObjectInfo),
    /// To `GetObject`.
    Get(ObjectInfo, Vec<Content>),
    /// To `DeleteObject`.
    Deleted,
}

/// What is known of an object beside its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Without quotes.
    pub etag: String,
    /// In bytes.
    pub size: u64,
    /// As given with the upload.
    pub content_type: Option<String>,
    /// Kept with the object.
    pub headers: Vec<(String, String)>,
    /// When it was stored, in milliseconds since the epoch.
    pub last_modified: u64,
}

/// A page of parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartList {
    /// In ascending order.
    pub parts: Vec<PartInfo>,
    /// How many were asked for at most.
    pub max_parts: u32,
    /// What the page begins after.
    pub part_number_marker: u32,
    /// The last number of the page, where more follow.
    pub next_part_number_marker: Option<u32>,
}

/// A part that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartInfo {
    /// Its number.
    pub part_number: u32,
    /// In bytes.
    pub size: u64,
    /// Without quotes.
    pub etag: String,
    /// When it came, in milliseconds since the epoch.
    pub last_modified: u64,
}
