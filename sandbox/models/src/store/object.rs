//! The operations on whole objects.

use super::checks::check_body;
use super::config::Checksums;
use super::limits::MAX_PART;
use super::operation::{ObjectInfo, Operation, Reply};
use super::state::{Object, ObjectId, State};
use crate::checksum::{Algorithm, Checksum};
use crate::content::{Content, total_size};
use crate::s3_error::StoreError;

/// Checks the condition of a write (AWS S3 API Reference, PutObject, "If-None-Match").
/// `since` is the state's sequence when the write began; a deletion after that is a conflict.
pub(super) fn check_condition(state: &mut State, id: &ObjectId, since: u64) -> Result<(), StoreError> {
    if state.config.conflicts > 0 {
        state.config.conflicts -= 1;
        return Err(StoreError::conflict());
    }
    if state.deletions.get(id).is_some_and(|at| *at > since) {
        return Err(StoreError::conflict());
    }
    if state.objects.contains_key(id) {
        return Err(StoreError::precondition_failed());
    }
    Ok(())
}

pub(super) fn check_content(content: &Content, md5: Option<[u8; 16]>) -> Result<(), StoreError> {
    if content.size > MAX_PART {
        let error = StoreError::new(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size");
        return Err(error.with("ProposedSize", content.size.to_string()).with("MaxSizeAllowed", MAX_PART.to_string()));
    }
    match md5 {
        Some(md5) if md5 != content.md5 => {
            Err(StoreError::bad_digest("The Content-MD5 you specified did not match what we received."))
        }
        _ => Ok(()),
    }
}

pub(super) fn put(operation: Operation, state: &mut State, now: u64) -> Result<Reply, StoreError> {
    let Operation::PutObject { bucket, key, content, content_type, headers, if_none_match, content_md5, checksum } =
        operation
    else {
        unreachable!("dispatched by kind")
    };
    let id = (bucket, key);
    let mut checked = check_content(&content, content_md5).and_then(|()| check_body(&content, checksum.as_ref()));
    if if_none_match && checked.is_ok() {
        let since = state.sequence;
        checked = check_condition(state, &id, since);
    }
    if let Err(error) = checked {
        state.discard([content]);
        return Err(error);
    }
    let etag = state.etag_for(content.etag());
    let own = state.own_checksum(&content);
    let said = checksum.clone().or_else(|| own.clone().filter(|_| state.config.checksums == Checksums::All));
    let info = ObjectInfo {
        etag: etag.clone(),
        size: content.size,
        content_type,
        headers,
        last_modified: now,
        checksum: checksum.or(own),
    };
    insert(state, id, info, vec![content]);
    Ok(Reply::Put { etag, checksum: said })
}

impl State {
    /// The checksum that the store computes of a body by itself.
    pub(super) fn own_checksum(&self, content: &Content) -> Option<Checksum> {
        let algorithm = Algorithm::Crc64Nvme;
        let computes = self.config.checksums != Checksums::Off;
        computes.then(|| algorithm.of_body(content)).flatten().map(|value| Checksum { algorithm, value })
    }
}

pub(super) fn insert(state: &mut State, id: ObjectId, info: ObjectInfo, contents: Vec<Content>) {
    debug_assert_eq!(info.size, total_size(&contents));
    state.sequence += 1;
    let object = Object { info, contents };
    if let Some(old) = state.objects.insert(id, object) {
        state.discard(old.contents);
    }
}

pub(super) fn head(bucket: &str, key: &str, state: &State) -> Result<Reply, StoreError> {
    find(bucket, key, state).map(|object| Reply::Head(object.info.clone()))
}

pub(super) fn get(bucket: &str, key: &str, state: &State) -> Result<Reply, StoreError> {
    find(bucket, key, state).map(|object| Reply::Get(object.info.clone(), object.contents.clone()))
}

fn find<'a>(bucket: &str, key: &str, state: &'a State) -> Result<&'a Object, StoreError> {
    let id = (bucket.to_string(), key.to_string());
    let found = state.objects.get(&id);
    found.ok_or_else(|| StoreError::no_such_key(key))
}

pub(super) fn delete(bucket: &str, key: &str, state: &mut State) -> Reply {
    let id = (bucket.to_string(), key.to_string());
    if let Some(old) = state.objects.remove(&id) {
        state.sequence += 1;
        state.deletions.insert(id, state.sequence);
        state.discard(old.contents);
    }
    Reply::Deleted
}

#[cfg(test)]
mod tests {
    use super::super::config::Config;
    use super::super::step::step;
    use super::*;

    fn put_of(text: &str, if_none_match: bool, content_md5: Option<[u8; 16]>) -> Operation {
        Operation::PutObject {
            bucket: "media".to_string(),
            key: "k".to_string(),
            content: Content::bytes(text.as_bytes().to_vec()),
            content_type: Some("video/mp4".to_string()),
            headers: vec![("x-amz-meta-a".to_string(), "1".to_string())],
            if_none_match,
            content_md5,
            checksum: None,
        }
    }

    fn at(kind: fn(String, String) -> Operation) -> Operation {
        kind("media".to_string(), "k".to_string())
    }

    fn code(outcome: Result<Reply, StoreError>) -> (u16, &'static str) {
        let error = outcome.expect_err("should have been refused");
        (error.status, error.code)
    }

    #[test]
    fn an_object_is_put_read_overwritten_and_deleted() {
        let mut state = State::new(Config::default());
        let etag = Content::bytes(*b"one").etag();
        let reply = step(put_of("one", false, None), &mut state, 5).unwrap();
        assert_eq!(reply, Reply::Put { etag: etag.clone(), checksum: None });
        let head = at(|bucket, key| Operation::HeadObject { bucket, key });
        let Reply::Head(info) = step(head.clone(), &mut state, 6).unwrap() else { panic!("no head") };
        assert_eq!((info.etag, info.size, info.last_modified), (etag, 3, 5));
        assert_eq!(info.content_type.as_deref(), Some("video/mp4"));
        step(put_of("two", false, None), &mut state, 7).unwrap();
        assert_eq!(state.take_discarded(), [Content::bytes(*b"one")]);
        assert_eq!(state.contents("media", "k"), Some(vec![Content::bytes(*b"two")]));
        let delete = at(|bucket, key| Operation::DeleteObject { bucket, key });
        assert_eq!(step(delete.clone(), &mut state, 8), Ok(Reply::Deleted));
        assert_eq!(step(delete, &mut state, 8), Ok(Reply::Deleted));
        assert_eq!(code(step(head, &mut state, 8)), (404, "NoSuchKey"));
        assert!(state.keys("media").is_empty());
    }

    #[test]
    fn an_empty_object_is_an_object() {
        let mut state = State::new(Config::default());
        step(put_of("", false, None), &mut state, 0).unwrap();
        assert_eq!(state.contents("media", "k").unwrap()[0].size, 0);
    }

    #[test]
    fn a_condition_prevents_a_second_write() {
        let mut state = State::new(Config::default());
        step(put_of("one", true, None), &mut state, 0).unwrap();
        let second = step(put_of("two", true, None), &mut state, 0);
        assert_eq!(code(second), (412, "PreconditionFailed"));
        assert_eq!(state.contents("media", "k"), Some(vec![Content::bytes(*b"one")]));
        state.config.conflicts = 1;
        let third = step(put_of("two", true, None), &mut state, 0);
        assert_eq!(code(third), (409, "ConditionalRequestConflict"));
        assert_eq!(state.config.conflicts, 0);
    }

    #[test]
    fn digests_sizes_and_names_are_checked() {
        let mut state = State::new(Config::default());
        let right = Content::bytes(*b"one").md5;
        assert!(step(put_of("one", false, Some(right)), &mut state, 0).is_ok());
        let wrong = step(put_of("two", false, Some(right)), &mut state, 0);
        assert_eq!(code(wrong), (400, "BadDigest"));
        let mut huge = put_of("", false, None);
        if let Operation::PutObject { content, .. } = &mut huge {
            *content = Content::symbolic(1, 0, MAX_PART + 1);
        }
        assert_eq!(code(step(huge, &mut state, 0)), (400, "EntityTooLarge"));
        let elsewhere = Operation::HeadObject { bucket: "other".to_string(), key: "k".to_string() };
        assert_eq!(code(step(elsewhere, &mut state, 0)), (404, "NoSuchBucket"));
        let long = Operation::HeadObject { bucket: "media".to_string(), key: "k".repeat(1025) };
        assert_eq!(code(step(long, &mut state, 0)), (400, "KeyTooLongError"));
    }
}
