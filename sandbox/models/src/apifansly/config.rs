//! The settings of the model.

use serde::{Deserialize, Serialize};

/// How jobs end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum End {
    /// With a media id.
    Completed,
    /// Without one.
    Failed,
    /// Without one, in a state that the documentation doesn't name and that a consumer of the API treats as an end.
    Error,
}

/// Where a failed job says why; not published.
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
    /// The one key that is let in.
    pub api_key: String,
    /// The connected accounts.
    pub accounts: Vec<String>,
    /// From upload to the end, in ms.
    pub processing_ms: u64,
    /// How new jobs end.
    pub end: End,
    /// Where a failed job says why (assumed).
    pub failure_text: FailureText,
    /// Requests a minute for the key (600 or 1,000, by plan).
    pub rate_per_minute: u64,
    /// The first job's id is one above it, and media ids follow it.
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
