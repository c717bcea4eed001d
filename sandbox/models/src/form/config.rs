//! The settings of the model.

use serde::{Deserialize, Serialize};

/// What the server answers to a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reply {
    /// 201 with the file's id and key.
    Json,
    /// 200 with a sentence.
    Text,
    /// 204, with the file's id in the header `x-id`.
    Nothing,
    /// 202 with the path of a job.
    Job,
}

/// Settings of the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Config {
    /// The key that each request has in the header `x-form-key`.
    #[serde(rename = "apiKey")]
    pub key: String,
    /// The name of the file's field.
    pub file_field: String,
    /// The most bytes of a file.
    pub max_bytes: u64,
    /// What it answers to a form.
    pub reply: Reply,
    /// How long a job takes, in milliseconds.
    pub processing_ms: u64,
    /// Whether jobs fail.
    pub fails: bool,
    /// What stands before the paths of jobs, as pages see them.
    pub base_path: String,
    /// The id of the first file is `seed + 1`.
    pub seed: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            key: "form-key".to_string(),
            file_field: "file".to_string(),
            max_bytes: u64::MAX,
            reply: Reply::Json,
            processing_ms: 3_000,
            fails: false,
            base_path: String::new(),
            seed: 40,
        }
    }
}
