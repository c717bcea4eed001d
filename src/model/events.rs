//! The events of an upload.

use std::rc::Rc;

use crate::error::UploadError;
use crate::model::plan::ByteRange;
use crate::model::progress::Progress;

/// Where an upload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Waiting for its turn.
    Queued,
    /// Looking at the file, and whether the vendor has it.
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
    /// Waiting for the network, or told to wait by a server.
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
    /// Its ETag as it came, where it was readable.
    pub etag: Option<String>,
    /// Requests that it took.
    pub attempts: u32,
    /// Whether its bytes were checked against the ETag.
    pub verified: bool,
}

/// What the destination gave for the file.
#[derive(Clone, Debug)]
pub struct Outcome<J> {
    /// OFAuth's upload reference; single use.
    pub media_upload_id: Option<String>,
    /// The vault's or the platform's media id.
    pub media_id: Option<String>,
    /// What goes into OFAuth's `mediaItems`.
    pub media_item: Option<String>,
    /// Whether `media_item` can be used again.
    pub reusable: Option<bool>,
    /// The media object as the vendor gave it.
    pub media: Option<J>,
    /// The stored object's ETag.
    pub etag: Option<String>,
    /// The stored object's key.
    pub key: Option<String>,
    /// The stored object's address.
    pub location: Option<String>,
    /// When links in `media` stop working, ISO 8601.
    pub links_expire_at: Option<String>,
    /// Whether nothing needed to be sent.
    pub already_there: bool,
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
            links_expire_at: None,
            already_there: false,
        }
    }
}

/// A finished upload.
#[derive(Clone, Debug)]
pub struct UploadResult<J> {
    /// The provider's name.
    pub provider: &'static str,
    /// What the destination gave.
    pub outcome: Outcome<J>,
    /// The file's size.
    pub bytes: u64,
    /// How many parts it went in; 0 where nothing was sent.
    pub parts: u32,
    /// Part requests sent, all of them.
    pub attempts: u32,
    /// From its turn in the queue to its end, in milliseconds.
    pub elapsed_ms: u64,
    /// Whether every byte was checked against an ETag.
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
    /// It is done. The last event.
    Complete(Box<UploadResult<J>>),
    /// It ended. The last event.
    Error(UploadError),
}

/// Where an upload's events go.
pub type EventSink<J> = Rc<dyn Fn(Event<J>)>;
