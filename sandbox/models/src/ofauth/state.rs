//! What the model remembers.

use std::collections::BTreeMap;

use super::config::Config;
use super::rate::RateLimits;
use super::session::{Done, Session};
use crate::content::Content;
use crate::ids::Ids;

/// The state of the model.
#[derive(Clone, Debug)]
pub struct State {
    /// The settings; they may change at any time.
    pub config: Config,
    pub(super) sessions: BTreeMap<String, Session>,
    pub(super) rate_limits: RateLimits,
    pub(super) ids: Ids,
    vault: Vec<String>,
    requests: u64,
}

/// Why an item can't be used in `mediaItems`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsumeError {
    /// There is no such upload, or it isn't completed.
    Unknown,
    /// The upload reference was used before (OFAuth guide, "Single-use").
    Used,
}

impl State {
    /// A state with an empty vault.
    pub fn new(config: Config) -> Self {
        State {
            ids: Ids::new(config.seed),
            config,
            sessions: BTreeMap::new(),
            rate_limits: RateLimits::default(),
            vault: Vec::new(),
            requests: 0,
        }
    }

    /// The pieces of a completed upload, in order; `id` is its `mediaUploadId` or its media id.
    pub fn contents(&self, id: &str) -> Option<Vec<Content>> {
        self.done(id).map(|done| done.contents.clone())
    }

    /// The pieces of all media in the vault, in their order.
    pub fn entries(&self) -> Vec<&[Content]> {
        let done = |upload| self.sessions.get(upload)?.done.as_ref();
        self.vault.iter().filter_map(done).map(|done| done.contents.as_slice()).collect()
    }

    /// How many media the vault has.
    pub fn vault_entries(&self) -> usize {
        self.vault.len()
    }

    /// How many sessions init has opened.
    pub fn sessions_opened(&self) -> usize {
        self.sessions.len()
    }

    /// The fan of an upload: `vaultUpload.userId` of its init call.
    pub fn vault_user(&self, media_upload_id: &str) -> Option<&str> {
        let vault = self.sessions.get(media_upload_id)?.vault.as_ref()?;
        vault.user_id.as_deref()
    }

    /// Uses an item in the `mediaItems` of a post or message, and returns the media's id.
    /// A media id may be used repeatedly, an upload reference once.
    pub fn use_in_media_items(&mut self, item: &str) -> Result<u64, ConsumeError> {
        if !item.starts_with("upload:") {
            return self.done(item).map(|done| done.media_id).ok_or(ConsumeError::Unknown);
        }
        let session = self.sessions.get_mut(item);
        let done = session.and_then(|session| session.done.as_mut());
        let done = done.ok_or(ConsumeError::Unknown)?;
        if done.consumed {
            return Err(ConsumeError::Used);
        }
        done.consumed = true;
        Ok(done.media_id)
    }

    fn done(&self, id: &str) -> Option<&Done> {
        if id.starts_with("upload:") {
            return self.sessions.get(id)?.done.as_ref();
        }
        let media_id: u64 = id.parse().ok()?;
        self.vault
            .iter()
            .filter_map(|upload| self.sessions.get(upload)?.done.as_ref())
            .find(|done| done.media_id == media_id)
    }

    /// Adds a media to the vault; ids begin with that of the guide's sample.
    pub(super) fn add_media(&mut self, upload_id: &str) -> u64 {
        self.vault.push(upload_id.to_string());
        12_344 + self.vault.len() as u64
    }

    pub(super) fn next_request_id(&mut self) -> String {
        self.requests += 1;
        format!("req_{:08}", self.requests)
    }
}
