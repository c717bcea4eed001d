//! What an upload must know to go on with what was opened at the destination.

use crate::model::plan::Plan;
use crate::platform::Platform;

/// How far a session has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Its parts are being sent.
    Sending,
    /// All parts are there, and the destination may have been told to put them together.
    Completing,
    /// The destination has the file, and processes it.
    Settling,
}

/// An upload that was opened: its plan, and the destination's names for it. Each provider says which members it uses.
#[derive(Clone, Debug)]
pub struct Session<P: Platform> {
    /// The parts.
    pub plan: Plan,
    /// True where the parts must be put together at the end.
    pub multipart: bool,
    /// The destination's name for the upload.
    pub upload_id: Option<String>,
    /// The stored object's key.
    pub key: Option<String>,
    /// The vendor's record or job that the upload became.
    pub record_id: Option<String>,
    /// A URL that the vendor wants back as it gave it.
    pub get_url: Option<String>,
    /// Where the upload is completed.
    pub complete_url: Option<String>,
    /// The stored object's ETag, once the destination has it.
    pub etag: Option<String>,
    /// When it was opened, in milliseconds since 1970 by this machine's clock.
    pub begun_at: u64,
    /// When the session ends, in milliseconds since 1970.
    pub expires_at: Option<u64>,
    /// The plan as the application gave it, for the application's own functions.
    pub given: Option<P::Json>,
}

impl<P: Platform> Session<P> {
    /// A session of a plan, with nothing else known yet.
    pub fn new(plan: Plan, multipart: bool) -> Self {
        Self {
            plan,
            multipart,
            upload_id: None,
            key: None,
            record_id: None,
            get_url: None,
            complete_url: None,
            etag: None,
            begun_at: 0,
            expires_at: None,
            given: None,
        }
    }

    /// True where several parts are put together in the end: what was kept may say otherwise.
    pub fn is_sound(&self) -> bool {
        self.multipart || self.plan.parts().len() == 1
    }
}
