//! The settings of the model.

use serde::{Deserialize, Serialize};

/// A stage that a record can be stuck in until it is retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// Queued, waiting for processing.
    Uploaded,
    /// Processed, waiting for the export.
    Processed,
}

/// How processing ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum End {
    /// In the vault, with a media id.
    Exported,
    /// A background error.
    Failed,
    /// The file is corrupt or unsupported.
    Unprocessable,
}

/// Settings of the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Config {
    /// The one valid token.
    pub token: String,
    /// Accounts on the onlyfans platform.
    pub accounts: Vec<String>,
    /// Accounts on other platforms, whose requests are rejected.
    pub other_accounts: Vec<String>,
    /// Names and ids of fans. Names of `u` and digits, OnlyFans' defaults, are always known.
    pub fans: Vec<(String, String)>,
    /// The size from which on a file is uploaded in parts ("a server-side decision"; assumed: 16 MiB).
    pub multipart_threshold: u64,
    /// How many parts `/start` offers; `null`: one per 8 MiB (assumed).
    pub part_count: Option<u32>,
    /// The id of the first part; the others follow.
    pub first_part_id: u32,
    /// How long presigned URLs are valid, in seconds (set server-side, not exposed; assumed: an hour).
    pub url_expires_s: u64,
    /// How long an export takes, in milliseconds.
    pub processing_ms: u64,
    /// The stage in which new exports wait for `/retry`.
    pub stuck_in: Option<Stage>,
    /// How new exports end.
    pub end: End,
    /// How many requests of the token are allowed within a second (3 are documented).
    pub requests_per_second: usize,
    /// Whether the reply of `/start` has the record's id (implied, not shown).
    pub start_gives_id: bool,
    /// Whether the list shows uploads that aren't exported yet (assumed).
    pub lists_started: bool,
    /// The largest page of the list; `null`: as requested. (A sibling endpoint's limit is 10.)
    pub list_cap: Option<usize>,
    /// Whether a larger `limit` than `list_cap` is refused, as the sibling endpoint does, or reduced.
    pub list_refuses: bool,
    /// Whether the list ignores `offset`.
    pub list_ignores_offset: bool,
    /// The largest file: 5 GiB.
    pub max_size: u64,
    /// The seed of identifiers.
    pub seed: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            token: "onlymonster-token".to_string(),
            accounts: vec!["1001".to_string()],
            other_accounts: vec!["3003".to_string()],
            fans: vec![("alice".to_string(), "7001".to_string())],
            multipart_threshold: 16 << 20,
            part_count: None,
            first_part_id: 1,
            url_expires_s: 3_600,
            processing_ms: 4_000,
            stuck_in: None,
            end: End::Exported,
            requests_per_second: 3,
            start_gives_id: true,
            lists_started: true,
            list_cap: None,
            list_refuses: false,
            list_ignores_offset: false,
            max_size: 5 << 30,
            seed: 1,
        }
    }
}
