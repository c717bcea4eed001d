//! The settings of the model.

use serde::{Deserialize, Serialize};

/// How jobs end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum End {
    /// With a media id.
    Completed,
    /// Without a media id.
    Failed,
    /// Without a media id, in a state that the documentation doesn't name and that a consumer of the API treats as final.
    Error,
}

/// Where a failed job has its reason; not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FailureText {
    /// In `data.error`.
    Error,
    /// In `data.message`.
    Message,
    /// In `message`, beside `data`.
    Outer,
}

/// Settings of the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Config {
    /// The one valid key.
    pub api_key: String,
    /// The connected accounts.
    pub accounts: Vec<String>,
    /// How long a job takes, in milliseconds.
    pub processing_ms: u64,
    /// How new jobs end.
    pub end: End,
    /// Where a failed job has its reason (assumed).
    pub failure_text: FailureText,
    /// Requests per minute for the key (600 or 1,000, by plan).
    pub rate_per_minute: u64,
    /// The id of the first job is `seed + 1`; media ids are derived from it too.
    pub seed: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            api_key: "apifansly-key".to_string(),
            accounts: vec!["2002".to_string()],
            processing_ms: 3_000,
            end: End::Completed,
            failure_text: FailureText::Error,
            rate_per_minute: 600,
            seed: 6,
        }
    }
}
