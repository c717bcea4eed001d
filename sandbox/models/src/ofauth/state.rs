use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::init::Vault;
use super::rate::Tokens;
use crate::content::Content;
use crate::ids::Ids;

/// How init tells the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Layout {
    /// In the body, with `parts` and their URLs.
    Body,
    /// In headers only, as older replies do; the body has nothing but `mediaUploadId`.
    Headers,
}

/// Where a part's ETag stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EtagPlace {
    /// In the body, as the guide has it.
    Body,
    /// In the `ETag` header.
    Header,
    /// In both.
    Both,
}

/// What `X-RateLimit-Reset` counts; not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ResetUnit {
    /// Seconds since the epoch.
    EpochSeconds,
    /// Milliseconds since the epoch.
    EpochMillis,
    /// Seconds from now.
    Seconds,
}

/// Settings of the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Config {
    /// What URLs in answers begin with.
    pub public_base: String,
    /// The one key that is let in.
    pub api_key: String,
    /// The connections that exist and may write to their vault.
    pub connections: Vec<String>,
    /// Bytes in a part but the last: 5 MiB, as in the guide's example.
    pub part_size: u64,
    /// The largest file that is sent in one request; not published (assumed: one part's size).
    pub single_max: u64,
    /// How init tells the plan.
    pub layout: Layout,
    /// Where a part's ETag stands.
    pub etag: EtagPlace,
    /// Whether answers carry `media`.
    pub media: bool,
    /// Whether `media` has all that the reference shows, or no more than the guide's sample.
    pub whole_media: bool,
    /// Requests a minute for each connection (60 are documented).
    pub rate_per_minute: u64,
    /// Requests at once for each connection (90 are documented).
    pub burst: u64,
    /// What `X-RateLimit-Reset` counts (assumed).
    pub reset_unit: ResetUnit,
    /// How long a session lives, in ms, whatever happens (assumed: an hour).
    pub session_ms: u64,
    /// How long a session lives without a request, in ms; `null`: that doesn't end it. The guide says "after inactivity", not when.
    pub inactivity_ms: Option<u64>,
    /// The status of a call on a session that has expired. Not published; 404 and 410 aren't among the documented ones (assumed: 400).
    pub gone_status: u16,
    /// Whether complete and the single PUT answer a repetition as they did the first time (assumed), or with 409.
    pub repeatable: bool,
    /// The largest image ("about 50 MB").
    pub image_max: u64,
    /// The largest video ("about 5 GB").
    pub video_max: u64,
    /// The largest audio file ("about 50 MB").
    pub audio_max: u64,
    /// What ids follow from.
    pub seed: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            public_base: "https://api.ofauth.com".to_string(),
            api_key: "ofauth-key".to_string(),
            connections: vec!["conn_sandbox".to_string()],
            part_size: 5 << 20,
            single_max: 5 << 20,
            layout: Layout::Body,
            etag: EtagPlace::Body,
            media: true,
            whole_media: true,
            rate_per_minute: 60,
            burst: 90,
            reset_unit: ResetUnit::EpochSeconds,
            session_ms: 3_600_000,
            inactivity_ms: None,
            gone_status: 400,
            repeatable: true,
            image_max: 50 << 20,
            video_max: 5 << 30,
            audio_max: 50 << 20,
            seed: 1,
        }
    }
}

/// All that the model remembers.
#[derive(Clone, Debug)]
pub struct State {
    /// Settings; they may be changed at any time.
    pub config: Config,
    pub(super) sessions: BTreeMap<String, Session>,
    pub(super) tokens: BTreeMap<String, Tokens>,
    pub(super) ids: Ids,
    vault: Vec<String>,
    requests: u64,
}

/// One upload, from init on.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) connection: String,
    pub(super) size: u64,
    pub(super) content_type: String,
    pub(super) vault: Option<Vault>,
    pub(super) single: bool,
    pub(super) part_size: u64,
    pub(super) created: u64,
    pub(super) expires: u64,
    pub(super) touched: u64,
    pub(super) parts: BTreeMap<u64, Content>,
    pub(super) done: Option<Done>,
}

/// What a completed upload became.
#[derive(Clone, Debug)]
pub(super) struct Done {
    pub(super) media_id: u64,
    pub(super) etag: String,
    pub(super) contents: Vec<Content>,
    pub(super) consumed: bool,
}

/// Why something can't be used in `mediaItems`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsumeError {
    /// No such upload, or it isn't completed.
    Unknown,
    /// The upload reference was used before (OFAuth guide, "Single-use").
    Used,
}

impl State {
    /// An empty vault.
    pub fn new(config: Config) -> Self {
        State {
            ids: Ids::new(config.seed),
            config,
            sessions: BTreeMap::new(),
            tokens: BTreeMap::new(),
            vault: Vec::new(),
            requests: 0,
        }
    }

    /// The pieces of a completed upload, in order; `id` is its `mediaUploadId` or its media id.
    pub fn contents(&self, id: &str) -> Option<Vec<Content>> {
        self.done(id).map(|done| done.contents.clone())
    }

    /// The pieces of every media in the vault, in the order in which they came.
    pub fn entries(&self) -> Vec<&[Content]> {
        let done = |upload| self.sessions.get(upload)?.done.as_ref();
        self.vault.iter().filter_map(done).map(|done| done.contents.as_slice()).collect()
    }

    /// How many media the vault has got.
    pub fn vault_entries(&self) -> usize {
        self.vault.len()
    }

    /// How many sessions init has opened.
    pub fn sessions_opened(&self) -> usize {
        self.sessions.len()
    }

    /// The fan that an upload was meant for: `vaultUpload.userId` of its init.
    pub fn vault_user(&self, media_upload_id: &str) -> Option<&str> {
        let vault = self.sessions.get(media_upload_id)?.vault.as_ref()?;
        vault.user_id.as_deref()
    }

    /// What a post or a message does with an entry of `mediaItems`: gives the media's id.
    /// A media id may be used again and again, an upload reference once.
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

    /// Takes a new media into the vault; ids begin where the guide's sample is.
    pub(super) fn enter(&mut self, upload_id: &str) -> u64 {
        self.vault.push(upload_id.to_string());
        12_344 + self.vault.len() as u64
    }

    pub(super) fn next_request_id(&mut self) -> String {
        self.requests += 1;
        format!("req_{:08}", self.requests)
    }
}
