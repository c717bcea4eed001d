//! The settings of the model.

use serde::{Deserialize, Serialize};

/// Where the reply of init has the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Layout {
    /// In the body, with `parts` and their URLs.
    Body,
    /// In headers only, as older replies have it; the body has only `mediaUploadId`.
    Headers,
}

/// Where the reply to a part has its ETag.
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

/// The unit of `X-RateLimit-Reset`; not published.
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
    /// The base of the URLs in replies.
    pub public_base: String,
    /// The one valid key.
    pub api_key: String,
    /// The connections that exist and may write to their vault.
    pub connections: Vec<String>,
    /// Size of all parts but the last: 5 MiB, as in the guide's example.
    pub part_size: u64,
    /// The largest file that is sent in one request; not published (assumed: the size of one part).
    pub single_max: u64,
    /// Where the reply of init has the plan.
    pub layout: Layout,
    /// Where the reply to a part has its ETag.
    pub etag: EtagPlace,
    /// Whether replies have `media`.
    pub media: bool,
    /// Whether `media` has all fields of the reference, or only those of the guide's sample.
    pub whole_media: bool,
    /// Requests per minute for each connection (60 are documented).
    pub rate_per_minute: u64,
    /// The burst for each connection, in requests (90 are documented).
    pub burst: u64,
    /// The unit of `X-RateLimit-Reset` (assumed).
    pub reset_unit: ResetUnit,
    /// When a session expires, in milliseconds after init (assumed: an hour).
    pub session_ms: u64,
    /// When a session expires without requests, in milliseconds; `null`: never. The guide says "after inactivity", not when.
    pub inactivity_ms: Option<u64>,
    /// The status of a call on an expired session; not published, and neither 404 nor 410 is documented (assumed: 400).
    pub gone_status: u16,
    /// Whether a repeated complete or single PUT gets the first reply again (assumed), or 409.
    pub repeatable: bool,
    /// The largest image ("about 50 MB").
    pub image_max: u64,
    /// The largest video ("about 5 GB").
    pub video_max: u64,
    /// The largest audio file ("about 50 MB").
    pub audio_max: u64,
    /// The seed of identifiers.
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
