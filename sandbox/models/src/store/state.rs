use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::credentials::IssuedCredentials;
use super::multipart::Upload;
use super::{MIN_PART, ObjectInfo};
use crate::content::Content;
use crate::encoding::{hex, percent_encode_path};
use crate::ids::Ids;
use crate::sigv4::{self, Credentials, Target};
use crate::wire::Headers;

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

/// All that a store holds.
#[derive(Clone, Debug)]
pub struct State {
    /// Settings; they may be changed at any time.
    pub config: Config,
    pub(super) objects: BTreeMap<(String, String), Object>,
    pub(super) uploads: BTreeMap<String, Upload>,
    /// When, by `sequence`, a key was last deleted.
    pub(super) deletions: BTreeMap<(String, String), u64>,
    pub(super) sequence: u64,
    pub(super) issued: Vec<IssuedCredentials>,
    pub(super) ids: Ids,
    pub(super) requests: u64,
    discarded: Vec<Content>,
}

#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) info: ObjectInfo,
    pub(super) contents: Vec<Content>,
}

/// A multipart upload that is neither completed nor aborted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenUpload {
    /// Where.
    pub bucket: String,
    /// Under which key.
    pub key: String,
    /// Its id.
    pub upload_id: String,
    /// How many parts are there.
    pub parts: usize,
}

impl State {
    /// An empty store.
    pub fn new(config: Config) -> Self {
        State {
            ids: Ids::new(config.seed),
            config,
            objects: BTreeMap::new(),
            uploads: BTreeMap::new(),
            deletions: BTreeMap::new(),
            sequence: 0,
            issued: Vec::new(),
            requests: 0,
            discarded: Vec::new(),
        }
    }

    /// The pieces of an object, in order.
    pub fn contents(&self, bucket: &str, key: &str) -> Option<Vec<Content>> {
        let object = self.objects.get(&(bucket.to_string(), key.to_string()))?;
        Some(object.contents.clone())
    }

    /// The keys of a bucket, sorted.
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        let places = self.objects.keys();
        let here = places.filter(|(b, _)| b == bucket);
        here.map(|(_, key)| key.clone()).collect()
    }

    /// The pieces of every object of a bucket, by key.
    pub fn entries(&self, bucket: &str) -> Vec<(&str, &[Content])> {
        let here = self.objects.iter().filter(|((b, _), _)| b == bucket);
        here.map(|((_, key), object)| (key.as_str(), object.contents.as_slice())).collect()
    }

    /// The uploads that still hold parts, or an id.
    pub fn open_uploads(&self) -> Vec<OpenUpload> {
        let open = |(id, upload): (&String, &Upload)| OpenUpload {
            bucket: upload.bucket.clone(),
            key: upload.key.clone(),
            upload_id: id.clone(),
            parts: upload.parts.len(),
        };
        self.uploads.iter().map(open).collect()
    }

    /// What was overwritten, aborted, refused or deleted since the last call: files of it may be removed.
    pub fn take_discarded(&mut self) -> Vec<Content> {
        std::mem::take(&mut self.discarded)
    }

    pub(super) fn discard(&mut self, contents: impl IntoIterator<Item = Content>) {
        self.discarded.extend(contents);
    }

    /// A URL signed with the owner's key, path style. `query` and `headers` (to be sent exactly so) are signed too.
    #[allow(clippy::too_many_arguments)] // a request has that many parts
    pub fn presign(
        &self,
        method: &str,
        bucket: &str,
        key: &str,
        query: &[(String, String)],
        headers: &Headers,
        expires_s: u64,
        now: u64,
    ) -> String {
        let owner = Credentials {
            access_key: self.config.access_key.clone(),
            secret_key: self.config.secret_key.clone(),
            session_token: None,
        };
        let target = Target {
            method,
            endpoint: &self.config.endpoint,
            path: &format!("/{bucket}/{}", percent_encode_path(key)),
            query,
            headers,
        };
        sigv4::presign(&owner, &self.config.region, &target, expires_s, now)
    }

    /// Without a signature.
    pub(super) fn location(&self, bucket: &str, key: &str) -> String {
        let endpoint = self.config.endpoint.trim_end_matches('/');
        format!("{endpoint}/{bucket}/{}", percent_encode_path(key))
    }

    /// The ETag of something new: what it should be, or something else of the same looks.
    pub(super) fn etag_for(&mut self, etag: String) -> String {
        let kms = self.config.encryption.as_deref().is_some_and(|algorithm| algorithm.starts_with("aws:kms"));
        let salt = match (self.config.opaque_etags || kms, self.config.wrong_etags) {
            (true, _) => self.ids.token(),
            (false, true) => "damaged".to_string(),
            (false, false) => return etag,
        };
        let other = crate::content::Content::bytes(format!("{salt}{etag}").into_bytes());
        match etag.split_once('-') {
            Some((_, count)) => format!("{}-{count}", hex(&other.md5)),
            None => hex(&other.md5),
        }
    }
}
