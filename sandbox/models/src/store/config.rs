//! The settings of the store.

use serde::{Deserialize, Serialize};

use super::limits::MIN_PART;

/// Settings of a store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Config {
    /// Scheme, host and port that presigned URLs and locations begin with.
    pub endpoint: String,
    /// The region that signatures must name.
    pub region: String,
    /// The buckets there are. The first is the one that the `Bucket` trait speaks of.
    pub buckets: Vec<String>,
    /// The owner's access key, that never expires.
    pub access_key: String,
    /// The owner's secret.
    pub secret_key: String,
    /// The smallest part but the last: 5 MiB, as AWS; B2 has 5,000,000 bytes.
    pub min_part_size: u64,
    /// Whether all parts but the last must have one size, as R2 wants.
    pub equal_parts: bool,
    /// Whether ETags look like MD5s and are none, as with SSE-KMS and SSE-C: another one for each PUT, whatever the bytes.
    pub opaque_etags: bool,
    /// The bucket's default encryption, as `x-amz-server-side-encryption` of every answer names it: `AES256`, `aws:kms` or
    /// `aws:kms:dsse`; those of KMS make ETags opaque. (AWS S3 User Guide, "Setting default server-side encryption behavior".)
    pub encryption: Option<String>,
    /// Whether ETags are those of other bytes, the same for the same bytes, as of a store that gets them damaged.
    pub wrong_etags: bool,
    /// How many conditional writes from now on meet another writer (409).
    pub conflicts: u32,
    /// What identifiers and issued secrets follow from.
    pub seed: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            endpoint: "http://store.test".to_string(),
            region: "us-east-1".to_string(),
            buckets: vec!["media".to_string()],
            access_key: "AKIAPARTWAYSANDBOX00".to_string(),
            secret_key: "sandbox-owner-secret".to_string(),
            min_part_size: MIN_PART,
            equal_parts: false,
            opaque_etags: false,
            encryption: None,
            wrong_etags: false,
            conflicts: 0,
            seed: 1,
        }
    }
}
