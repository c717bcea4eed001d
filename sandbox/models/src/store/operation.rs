//! The operations of the store, and its replies.

use std::collections::BTreeMap;

use crate::checksum::{Algorithm, Checksum};
use crate::content::Content;

/// An operation on the store. Keys are plain text, ETags may have quotes or not.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// Stores a whole object.
    PutObject {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
        /// The bytes.
        content: Content,
        /// `Content-Type`.
        content_type: Option<String>,
        /// Headers that are stored with the object: `x-amz-meta-*`, `cache-control` and others.
        headers: Vec<(String, String)>,
        /// `If-None-Match: *`
        if_none_match: bool,
        /// `Content-MD5`, decoded.
        content_md5: Option<[u8; 16]>,
        /// The checksum that came with the body.
        checksum: Option<Checksum>,
    },
    /// Creates a multipart upload.
    CreateMultipartUpload {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
        /// `Content-Type` of the object.
        content_type: Option<String>,
        /// Headers that are stored with the object.
        headers: Vec<(String, String)>,
        /// The algorithm of the checksums that its parts must have.
        algorithm: Option<Algorithm>,
    },
    /// Stores a part, and replaces an earlier one with this number.
    UploadPart {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
        /// The upload id.
        upload_id: String,
        /// The part number, 1 to 10,000.
        part_number: u32,
        /// The bytes.
        content: Content,
        /// `Content-MD5`, decoded.
        content_md5: Option<[u8; 16]>,
        /// The checksum that came with the body.
        checksum: Option<Checksum>,
    },
    /// Completes a multipart upload.
    CompleteMultipartUpload {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
        /// The upload id.
        upload_id: String,
        /// Part numbers and ETags, in the order of the request.
        parts: Vec<(u32, String)>,
        /// `If-None-Match: *`
        if_none_match: bool,
        /// What the request says of the checksums.
        claims: Claims,
    },
    /// Aborts a multipart upload.
    AbortMultipartUpload {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
        /// The upload id.
        upload_id: String,
    },
    /// Lists a page of the uploaded parts.
    ListParts {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
        /// The upload id.
        upload_id: String,
        /// The largest number of parts; above 1,000 it counts as 1,000.
        max_parts: Option<u32>,
        /// The page begins after this part number.
        part_number_marker: Option<u32>,
    },
    /// Reads an object's headers.
    HeadObject {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
    },
    /// Reads an object.
    GetObject {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
    },
    /// Deletes an object. It is no error if the object doesn't exist.
    DeleteObject {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
    },
}

/// What a CompleteMultipartUpload says of the checksums, in base64.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Claims {
    /// Those of parts, by part number.
    pub parts: BTreeMap<u32, String>,
    /// That of the whole object.
    pub whole: Option<Checksum>,
}

impl Operation {
    /// The bucket of the operation.
    pub fn bucket(&self) -> &str {
        self.bucket_and_key().0
    }

    /// The key of the operation.
    pub fn key(&self) -> &str {
        self.bucket_and_key().1
    }

    fn bucket_and_key(&self) -> (&str, &str) {
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

/// A reply of the store. ETags have no quotes.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// The reply to `PutObject`.
    Put {
        /// The object's ETag.
        etag: String,
        /// Its checksum, where the store says it.
        checksum: Option<Checksum>,
    },
    /// The reply to `CreateMultipartUpload`.
    Created {
        /// The upload id.
        upload_id: String,
    },
    /// The reply to `UploadPart`.
    Part {
        /// The part's ETag.
        etag: String,
        /// Its checksum, where the store says it.
        checksum: Option<Checksum>,
    },
    /// The reply to `CompleteMultipartUpload`.
    Completed {
        /// The combined ETag.
        etag: String,
        /// The object's URL, unsigned.
        location: String,
        /// The object's checksum, where the store has one.
        checksum: Option<Checksum>,
    },
    /// The reply to `AbortMultipartUpload`.
    Aborted,
    /// The reply to `ListParts`.
    Parts(PartList),
    /// The reply to `HeadObject`.
    Head(ObjectInfo),
    /// The reply to `GetObject`.
    Get(ObjectInfo, Vec<Content>),
    /// The reply to `DeleteObject`.
    Deleted,
}

/// What the store knows of an object besides its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// The ETag, without quotes.
    pub etag: String,
    /// The size in bytes.
    pub size: u64,
    /// The content type that the upload named.
    pub content_type: Option<String>,
    /// The headers that are stored with the object.
    pub headers: Vec<(String, String)>,
    /// When it was stored, in milliseconds since the epoch.
    pub last_modified: u64,
    /// Its checksum, where the store has one.
    pub checksum: Option<Checksum>,
}

/// A page of parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartList {
    /// The parts, in ascending order.
    pub parts: Vec<PartInfo>,
    /// The requested page size.
    pub max_parts: u32,
    /// The part number that the page begins after.
    pub part_number_marker: u32,
    /// The last part number of the page, if more parts follow.
    pub next_part_number_marker: Option<u32>,
    /// The algorithm that the upload was created with.
    pub algorithm: Option<Algorithm>,
}

/// An uploaded part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartInfo {
    /// The part number.
    pub part_number: u32,
    /// The size in bytes.
    pub size: u64,
    /// The ETag, without quotes.
    pub etag: String,
    /// When it was stored, in milliseconds since the epoch.
    pub last_modified: u64,
    /// Its checksum, where the store says it.
    pub checksum: Option<Checksum>,
}
