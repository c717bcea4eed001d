//! The settings of the store.

use serde::{Deserialize, Serialize};

use super::limits::MIN_PART;

/// Settings of a store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Config {
    /// Scheme, host and port of presigned URLs and locations.
    pub endpoint: String,
    /// The region that signatures must name.
    pub region: String,
    /// The names of the buckets. The `Bucket` trait uses the first one.
    pub buckets: Vec<String>,
    /// The owner's access key, which never expires.
    pub access_key: String,
    /// The owner's secret key.
    pub secret_key: String,
    /// The smallest part but the last: 5 MiB, as at AWS; B2 has 5,000,000 bytes.
    pub min_part_size: u64,
    /// Whether all parts but the last must have the same size, as R2 requires.
    pub equal_parts: bool,
    /// Whether ETags look like MD5s without being any, as with SSE-KMS and SSE-C: each PUT gets another one.
    pub opaque_etags: bool,
    /// The bucket's default encryption, as each response names it in `x-amz-server-side-encryption`: `AES256`, `aws:kms` or
    /// `aws:kms:dsse`; those of KMS make ETags opaque. (AWS S3 User Guide, "Setting default server-side encryption behavior".)
    pub encryption: Option<String>,
    /// Whether ETags are wrong, and the same for the same bytes, as at a store that receives damaged bytes.
    pub wrong_etags: bool,
    /// How many of the next conditional writes conflict with another writer (409).
    pub conflicts: u32,
    /// The seed of identifiers and issued secrets.
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
