//! The bucket itself: the embedded store or an existing one, behind one type.

use std::io::Read;

use partway_models::bucket::{Bucket, BucketError};

use super::embedded::{Embedded, remove_files};
use super::external::External;
use super::location::{ListedPart, Location};

/// One bucket of one store. Its calls may block, so they run on blocking threads.
#[derive(Clone, Debug)]
pub(crate) enum Store {
    /// The store model in this process.
    Embedded(Embedded),
    /// An existing store.
    External(External),
}

impl Store {
    /// The location of the bucket.
    pub(crate) fn location(&self) -> Location {
        match self {
            Self::Embedded(store) => store.location(),
            Self::External(store) => store.location(),
        }
    }

    /// Aborts a multipart upload.
    pub(crate) fn abort(&self, key: &str, upload_id: &str, now: u64) -> Result<(), BucketError> {
        match self {
            Self::Embedded(store) => store.abort(key, upload_id, now),
            Self::External(store) => store.abort(key, upload_id, now),
        }
    }

    /// All uploaded parts, in ascending order.
    pub(crate) fn list_parts(&self, key: &str, upload_id: &str, now: u64) -> Result<Vec<ListedPart>, BucketError> {
        match self {
            Self::Embedded(store) => store.list_parts(key, upload_id, now),
            Self::External(store) => store.list_parts(key, upload_id, now),
        }
    }

    /// The CRC64NVME of an object, as the store says it; `None` for an existing store, which is asked for none.
    pub(crate) fn crc64(&self, key: &str) -> Option<String> {
        match self {
            Self::Embedded(store) => store.crc64(key),
            Self::External(_) => None,
        }
    }

    /// Opens an object for reading; `None` if it doesn't exist.
    pub(crate) fn read(&self, key: &str, now: u64) -> Result<Option<Box<dyn Read + Send>>, BucketError> {
        match self {
            Self::Embedded(store) => Ok(store.read(key)),
            Self::External(store) => store.read(key, now),
        }
    }
}

impl Bucket for Store {
    fn create_multipart(&mut self, key: &str, content_type: &str, now: u64) -> Result<String, BucketError> {
        match self {
            Self::Embedded(store) => store.state().create_multipart(key, content_type, now),
            Self::External(store) => store.create_multipart(key, content_type, now),
        }
    }

    fn presign_put(&self, key: &str, upload_id: Option<&str>, part: Option<u32>, expires_s: u64, now: u64) -> String {
        match self {
            Self::Embedded(store) => store.state().presign_put(key, upload_id, part, expires_s, now),
            Self::External(store) => store.presign_put(key, upload_id, part, expires_s, now),
        }
    }

    fn presign_get(&self, key: &str, expires_s: u64, now: u64) -> String {
        match self {
            Self::Embedded(store) => store.state().presign_get(key, expires_s, now),
            Self::External(store) => store.presign_get(key, expires_s, now),
        }
    }

    fn complete(
        &mut self,
        key: &str,
        upload_id: &str,
        parts: &[(u32, String)],
        now: u64,
    ) -> Result<String, BucketError> {
        match self {
            Self::Embedded(store) => {
                let mut state = store.state();
                let etag = state.complete(key, upload_id, parts, now);
                remove_files(&state.take_discarded());
                etag
            }
            Self::External(store) => store.complete(key, upload_id, parts, now),
        }
    }

    fn head(&mut self, key: &str, now: u64) -> Result<Option<(String, u64)>, BucketError> {
        match self {
            Self::Embedded(store) => store.state().head(key, now),
            Self::External(store) => store.head(key, now),
        }
    }
}
