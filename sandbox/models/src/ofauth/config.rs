//! The settings of the model.

use serde::{Deserialize, Serialize};

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
