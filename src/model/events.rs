//! The events of an upload.

use std::rc::Rc;

use crate::error::UploadError;
use crate::model::plan::ByteRange;
use crate::model::progress::Progress;

/// The status of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Waiting for its turn.
    Queued,
    /// Checking the file, and whether the vendor already has it.
    Checking,
    /// Opening the upload at the destination.
    Opening,
    /// Sending bytes.
    Sending,
    /// The destination assembles the parts.
    Completing,
    /// The vendor processes it.
    Processing,
    /// Paused by the caller.
    Paused,
    /// Waiting for the network, or because a server asked to wait.
    Waiting,
    /// The upload succeeded.
    Done,
    /// Ended by an error.
    Failed,
    /// Ended by the caller.
    Cancelled,
}

impl Status {
    /// The status as JavaScript sees it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Queued => "queued",
            Status::Checking => "checking",
            Status::Opening => "opening",
            Status::Sending => "sending",
            Status::Completing => "completing",
            Status::Processing => "processing",
            Status::Paused => "paused",
            Status::Waiting => "waiting",
            Status::Done => "done",
            Status::Failed => "failed",
            Status::Cancelled => "cancelled",
        }
    }
}

/// A part that the server has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentPart {
    /// Its number.
    pub number: u32,
    /// Its bytes.
    pub range: ByteRange,
    /// Its ETag as received, if it was readable.
    pub etag: Option<String>,
    /// How many requests it took.
    pub attempts: u32,
    /// Whether its bytes were checked against the ETag.
    pub verified: bool,
}

/// By what it is proven that a destination has a file's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofBy {
    /// The ETag is the MD5 of the bytes, or is made of the parts' MD5s.
    EtagMd5,
    /// The store computed the same CRC64NVME.
    Crc64Nvme,
    /// The store checked each part against the SHA-256 that was sent with it.
    Sha256,
}

impl ProofBy {
    /// As JavaScript sees it.
    pub const fn as_str(self) -> &'static str {
        match self {
            ProofBy::EtagMd5 => "etag-md5",
            ProofBy::Crc64Nvme => "crc64nvme",
            ProofBy::Sha256 => "sha256",
        }
    }
}

/// What proves that a destination has a file's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// By what.
    pub by: ProofBy,
    /// The value, as S3 writes it.
    pub value: String,
    /// How many parts it is made of.
    pub parts: u32,
}

/// What the destination returned for the file.
#[derive(Clone, Debug)]
pub struct Outcome<J> {
    /// OFAuth's upload reference; single use.
    pub media_upload_id: Option<String>,
    /// The vault's or the platform's media id.
    pub media_id: Option<String>,
    /// The value for OFAuth's `mediaItems`.
    pub media_item: Option<String>,
    /// Whether `media_item` can be used again.
    pub reusable: Option<bool>,
    /// The media object as received from the vendor.
    pub media: Option<J>,
    /// The stored object's ETag.
    pub etag: Option<String>,
    /// The stored object's key.
    pub key: Option<String>,
    /// The stored object's address.
    pub location: Option<String>,
    /// The HTTP status of the answer to a form.
    pub status: Option<u16>,
    /// When links in `media` stop working, ISO 8601.
    pub links_expire_at: Option<String>,
    /// Whether nothing was sent, because the destination already had the file.
    pub already_there: bool,
    /// The store's own checksum of the whole object, as S3 writes it.
    pub checksum: Option<String>,
    /// What that must be, where it isn't the CRC64NVME of the file.
    pub own_checksum: Option<String>,
    /// What proves that the destination has the file's bytes.
    pub proof: Option<Proof>,
}

impl<J> Default for Outcome<J> {
    fn default() -> Self {
        Self {
            media_upload_id: None,
            media_id: None,
            media_item: None,
            reusable: None,
            media: None,
            etag: None,
            key: None,
            location: None,
            status: None,
            links_expire_at: None,
            already_there: false,
            checksum: None,
            own_checksum: None,
            proof: None,
        }
    }
}

/// A finished upload.
#[derive(Clone, Debug)]
pub struct UploadResult<J> {
    /// The provider's name.
    pub provider: &'static str,
    /// What the destination returned.
    pub outcome: Outcome<J>,
    /// The file's size.
    pub bytes: u64,
    /// How many parts it was sent in; 0 if nothing was sent.
    pub parts: u32,
    /// Part requests sent, all of them.
    pub attempts: u32,
    /// The time from its start, after the queue, to its end, in milliseconds.
    pub elapsed_ms: u64,
    /// Whether every byte was checked against what the store says of it.
    pub verified: bool,
}

/// An event of an upload.
#[derive(Clone, Debug)]
pub enum Event<J> {
    /// The status changed.
    Status(Status),
    /// Bytes moved.
    Progress(Progress),
    /// A part is uploaded.
    Part(SentPart),
    /// The upload succeeded. The last event.
    Complete(Box<UploadResult<J>>),
    /// The upload failed or was cancelled. The last event.
    Error(UploadError),
}

/// Where an upload's events go.
pub type EventSink<J> = Rc<dyn Fn(Event<J>)>;
