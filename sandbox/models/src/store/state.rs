//! What the store holds.

use std::collections::BTreeMap;

use serde_json::json;

use super::config::Config;
use super::credentials::{CredentialStore, IssuedCredentials};
use super::operation::ObjectInfo;
use super::upload::Upload;
use crate::checksum::Checksum;
use crate::content::Content;
use crate::encoding::{hex, percent_encode_path};
use crate::ids::Ids;
use crate::s3_error::StoreError;
use crate::sigv4::{self, Credentials, Target};
use crate::wire::Headers;

/// The bucket and the key of an object.
pub(super) type ObjectId = (String, String);

/// The state of a store.
#[derive(Clone, Debug)]
pub struct State {
    /// The settings; they may change at any time.
    pub config: Config,
    pub(super) objects: BTreeMap<ObjectId, Object>,
    pub(super) uploads: BTreeMap<String, Upload>,
    /// The sequence at which a key was last deleted.
    pub(super) deletions: BTreeMap<ObjectId, u64>,
    pub(super) sequence: u64,
    issued: CredentialStore,
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
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// The upload id.
    pub upload_id: String,
    /// How many parts were uploaded.
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
            issued: CredentialStore::default(),
            requests: 0,
            discarded: Vec::new(),
        }
    }

    /// The pieces of an object, in order.
    pub fn contents(&self, bucket: &str, key: &str) -> Option<Vec<Content>> {
        let object = self.objects.get(&(bucket.to_string(), key.to_string()))?;
        Some(object.contents.clone())
    }

    /// The checksum of an object, where the store has one.
    pub fn checksum(&self, bucket: &str, key: &str) -> Option<Checksum> {
        self.objects.get(&(bucket.to_string(), key.to_string()))?.info.checksum.clone()
    }

    /// The keys of a bucket, sorted.
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        let ids = self.objects.keys();
        let here = ids.filter(|(b, _)| b == bucket);
        here.map(|(_, key)| key.clone()).collect()
    }

    /// The pieces of every object of a bucket, by key.
    pub fn entries(&self, bucket: &str) -> Vec<(&str, &[Content])> {
        let here = self.objects.iter().filter(|((b, _), _)| b == bucket);
        here.map(|((_, key), object)| (key.as_str(), object.contents.as_slice())).collect()
    }

    /// The open multipart uploads.
    pub fn open_uploads(&self) -> Vec<OpenUpload> {
        let open = |(id, upload): (&String, &Upload)| OpenUpload {
            bucket: upload.bucket.clone(),
            key: upload.key.clone(),
            upload_id: id.clone(),
            parts: upload.parts.len(),
        };
        self.uploads.iter().map(open).collect()
    }

    /// The content that was overwritten, aborted, refused or deleted since the last call: its files may be removed.
    pub fn take_discarded(&mut self) -> Vec<Content> {
        std::mem::take(&mut self.discarded)
    }

    pub(super) fn discard(&mut self, contents: impl IntoIterator<Item = Content>) {
        self.discarded.extend(contents);
    }

    /// Issues temporary credentials for `lifetime_ms` from `now` on.
    pub fn issue_credentials(&mut self, lifetime_ms: u64, now: u64) -> IssuedCredentials {
        self.issued.issue(&mut self.ids, lifetime_ms, now)
    }

    /// The secret of an access key, if the session token belongs to it and it hasn't expired.
    ///
    /// # Errors
    /// `InvalidAccessKeyId` 403, `InvalidToken` 400 and `ExpiredToken` 400 as in AWS S3 API Reference, "Error responses".
    pub fn authorize(&self, access_key: &str, session_token: Option<&str>, now: u64) -> Result<String, StoreError> {
        self.issued.authorize(&self.config, access_key, session_token, now)
    }

    /// A URL signed with the owner's key, path style. `query` and `headers` are signed too.
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
        self.presign_for(&self.config.endpoint, method, bucket, key, query, headers, expires_s, now)
    }

    /// The same for another of the store's hosts.
    #[allow(clippy::too_many_arguments)] // a request has that many parts
    pub fn presign_for(
        &self,
        endpoint: &str,
        method: &str,
        bucket: &str,
        key: &str,
        query: &[(String, String)],
        headers: &Headers,
        expires_s: u64,
        now: u64,
    ) -> String {
        let owner = self.owner();
        let target =
            Target { method, endpoint, path: &format!("/{bucket}/{}", percent_encode_path(key)), query, headers };
        sigv4::presign(&owner, &self.config.region, &target, expires_s, now)
    }

    /// The fields of a form for one file of at most `most` bytes: `fields`, with a policy that allows these alone, signed with the owner's
    /// key.
    pub fn post_policy(
        &self,
        bucket: &str,
        fields: &[(&str, &str)],
        most: u64,
        expires_s: u64,
        now: u64,
    ) -> Vec<(String, String)> {
        let own = fields.iter().map(|(name, value)| json!({ *name: value }));
        let limits = [json!({ "bucket": bucket }), json!(["content-length-range", 0, most])];
        let conditions: Vec<_> = limits.into_iter().chain(own).collect();
        let signed = sigv4::sign_policy(&self.owner(), &self.config.region, &conditions, expires_s, now);
        let given = fields.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        given.chain(signed).collect()
    }

    fn owner(&self) -> Credentials {
        Credentials {
            access_key: self.config.access_key.clone(),
            secret_key: self.config.secret_key.clone(),
            session_token: None,
        }
    }

    /// The object's URL, unsigned.
    pub(super) fn location(&self, bucket: &str, key: &str) -> String {
        let endpoint = self.config.endpoint.trim_end_matches('/');
        format!("{endpoint}/{bucket}/{}", percent_encode_path(key))
    }

    /// The ETag of a new object or part: `etag`, or another one of the same form if the settings say so.
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
