//! The settings of the store.

use serde::{Deserialize, Serialize};

use super::limits::MIN_PART;

/// Which checksums the store computes and says by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Checksums {
    /// None, as AWS before December 2024 and many other stores: checksum headers are refused.
    #[default]
    Off,
    /// The CRC64NVME of each object, in complete's answer and in HEAD; an answer to a part has none.
    Complete,
    /// That of each part too, as AWS (AWS S3 User Guide, "Checking object integrity": an object without a checksum gets its CRC64NVME).
    All,
}

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
    /// Which checksums the store computes and says by itself.
    pub checksums: Checksums,
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
            checksums: Checksums::Off,
            conflicts: 0,
            seed: 1,
        }
    }
}
