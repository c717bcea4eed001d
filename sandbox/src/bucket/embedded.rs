//! The store model, shared by its S3 server, the plan backend and a vendor.

use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard};

use partway_models::bucket::BucketError;
use partway_models::checksum::Algorithm;
use partway_models::content::{Content, Reader, Source};
use partway_models::store::{self, Operation, Reply, State, StoreError};

use super::location::{ListedPart, Location};

/// A handle to the embedded store.
#[derive(Clone, Debug)]
pub(crate) struct Embedded {
    state: Arc<Mutex<State>>,
}

impl Embedded {
    /// A store without objects.
    pub(crate) fn new(config: store::Config) -> Self {
        Self { state: Arc::new(Mutex::new(State::new(config))) }
    }

    /// The state of the model, locked.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("store")
    }

    /// Runs one operation, and removes the files of discarded content.
    pub(crate) fn step(&self, operation: Operation, now: u64) -> Result<Reply, StoreError> {
        let mut state = self.state();
        let reply = store::step(operation, &mut state, now);
        let discarded = state.take_discarded();
        drop(state);
        remove_files(&discarded);
        reply
    }

    /// The location of the bucket. `localhost` is a second name of the same host.
    pub(crate) fn location(&self) -> Location {
        let config = self.state().config.clone();
        let second = config.endpoint.replace("127.0.0.1", "localhost");
        Location {
            endpoints: vec![config.endpoint.clone(), second],
            endpoint: config.endpoint,
            name: config.buckets.first().cloned().unwrap_or_default(),
            region: config.region,
        }
    }

    /// Aborts a multipart upload.
    pub(crate) fn abort(&self, key: &str, upload_id: &str, now: u64) -> Result<(), BucketError> {
        let (bucket, key, upload_id) = (self.location().name, key.to_owned(), upload_id.to_owned());
        Ok(self.step(Operation::AbortMultipartUpload { bucket, key, upload_id }, now).map(drop)?)
    }

    /// All uploaded parts, in ascending order.
    pub(crate) fn list_parts(&self, key: &str, upload_id: &str, now: u64) -> Result<Vec<ListedPart>, BucketError> {
        let (bucket, mut parts, mut marker) = (self.location().name, Vec::new(), None);
        loop {
            let operation = Operation::ListParts {
                bucket: bucket.clone(),
                key: key.to_owned(),
                upload_id: upload_id.to_owned(),
                max_parts: None,
                part_number_marker: marker,
            };
            let Reply::Parts(page) = self.step(operation, now)? else { unreachable!("ListParts has another reply") };
            parts.extend(page.parts.into_iter().map(|part| ListedPart {
                part_number: part.part_number,
                size: part.size,
                etag: part.etag,
            }));
            marker = page.next_part_number_marker;
            if marker.is_none() {
                return Ok(parts);
            }
        }
    }

    /// The CRC64NVME of an object, as the store says it.
    pub(crate) fn crc64(&self, key: &str) -> Option<String> {
        let bucket = self.location().name;
        let checksum = self.state().checksum(&bucket, key)?;
        (checksum.algorithm == Algorithm::Crc64Nvme).then_some(checksum.value)
    }

    /// Opens an object for reading; `None` if it doesn't exist.
    pub(crate) fn read(&self, key: &str) -> Option<Box<dyn Read + Send>> {
        let bucket = self.location().name;
        let pieces = self.state().contents(&bucket, key)?;
        Some(Box::new(Reader::new(&pieces)))
    }
}

/// Removes the files of discarded content.
pub(crate) fn remove_files(contents: &[Content]) {
    for content in contents {
        if let Source::File(path) = &content.source {
            // The file of a refused body is removed by its spool too, perhaps earlier.
            let _ = std::fs::remove_file(path);
        }
    }
}
