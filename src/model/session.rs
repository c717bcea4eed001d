//! Sessions: the state of uploads that were opened at a destination.

use std::any::Any;

use crate::json::Json;
use crate::model::events::SentPart;
use crate::model::plan::{Part, Plan};

/// How far a session has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Its parts are being sent.
    Sending,
    /// All parts are uploaded, and the destination may have completed the upload.
    Completing,
    /// The destination has the file, and processes it.
    Settling,
}

/// An upload that was opened: its plan, and its provider's state.
#[derive(Clone, Debug)]
pub struct Session<S> {
    /// The parts.
    pub plan: Plan,
    /// Whether the parts must be assembled at the end.
    pub multipart: bool,
    /// When it was opened, in milliseconds since 1970 by this machine's clock.
    pub began_at: u64,
    /// When it expires, in milliseconds since 1970 by the destination's clock, if that is known.
    pub expires_at: Option<u64>,
    /// The provider's state, such as the destination's ids: each provider has a type of its own.
    pub state: S,
}

impl<S> Session<S> {
    /// A session that was opened just now. The engine sets [`began_at`](Self::began_at).
    pub fn new(plan: Plan, multipart: bool, state: S) -> Self {
        Self { plan, multipart, began_at: 0, expires_at: None, state }
    }

    /// Whether several parts are assembled at the end: a saved session may say otherwise.
    pub fn is_sound(&self) -> bool {
        self.multipart || self.plan.parts().len() == 1
    }
}

/// A provider's state of an upload that it opened.
pub trait SessionState<J: Json>: Sized + 'static {
    /// Adds what a later page needs to the record of the session.
    fn save(&self, record: J) -> J;
    /// Reads it from the record; None if it is incomplete.
    fn load(record: &J) -> Option<Self>;
    /// The stored object's key, if the provider knows it.
    fn object_key(&self) -> Option<&str> {
        None
    }
}

/// A session of any provider, as the engine sees it.
pub trait AnySession<J: Json> {
    /// The parts.
    fn plan(&self) -> &Plan;
    /// Whether the parts must be assembled at the end.
    fn is_multipart(&self) -> bool;
    /// When it was opened, in milliseconds since 1970 by this machine's clock.
    fn began_at(&self) -> u64;
    /// When it ends, in milliseconds since 1970 by the destination's clock.
    fn expires_at(&self) -> Option<u64>;
    /// The stored object's key.
    fn object_key(&self) -> Option<&str>;
    /// Adds the provider's part to a record.
    fn save(&self, record: J) -> J;
    /// The session itself, for its provider.
    fn as_any(&self) -> &dyn Any;
}

impl<J: Json, S: SessionState<J>> AnySession<J> for Session<S> {
    fn plan(&self) -> &Plan {
        &self.plan
    }
    fn is_multipart(&self) -> bool {
        self.multipart
    }
    fn began_at(&self) -> u64 {
        self.began_at
    }
    fn expires_at(&self) -> Option<u64> {
        self.expires_at
    }
    fn object_key(&self) -> Option<&str> {
        self.state.object_key()
    }
    fn save(&self, record: J) -> J {
        self.state.save(record)
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// What a provider read from the answer to a part.
#[derive(Clone, Debug)]
pub struct Receipt<J> {
    /// The part's number.
    pub number: u32,
    /// The ETag as received.
    pub etag: Option<String>,
    /// The answer's JSON, if a later step needs it.
    pub reply: Option<J>,
    /// The checksum of its bytes as S3 writes it, if the store may say that of the whole, or was told it.
    pub checksum: Option<String>,
}

impl<J> Receipt<J> {
    /// One with an ETag alone.
    pub fn new(number: u32, etag: Option<String>) -> Self {
        Self { number, etag, reply: None, checksum: None }
    }
}

/// An uploaded part: what the caller sees, and what the provider needs of its answer.
#[derive(Clone, Debug)]
pub struct UploadedPart<J> {
    /// What the caller sees of it.
    pub part: SentPart,
    /// What the provider read from the answer.
    pub receipt: Receipt<J>,
    /// The MD5 of its bytes in hexadecimal digits, where a later page needs it to tell whether `transform` makes the same bytes.
    pub md5: Option<String>,
}

impl<J> UploadedPart<J> {
    /// A part that an earlier page uploaded.
    pub fn from_saved(part: &Part, etag: Option<String>, verified: bool, reply: Option<J>) -> Self {
        let (number, range) = (part.number, part.range);
        Self {
            part: SentPart { number, range, etag: etag.clone(), attempts: 0, verified },
            receipt: Receipt { reply, ..Receipt::new(number, etag) },
            md5: None,
        }
    }
}

/// How far a saved session has come: the saved state, corrected by what the destination says.
#[derive(Clone, Debug)]
pub struct Progressed<J> {
    /// How far it has come.
    pub phase: Phase,
    /// The parts that are uploaded, as far as is known.
    pub uploaded: Vec<UploadedPart<J>>,
}
