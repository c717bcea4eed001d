mod checksums;
mod multipart;
mod policies;
mod rest;
mod signatures;

use super::*;
use crate::content::Content;

const NOW: u64 = 1_780_000_000_000;
const MIB: u64 = 1 << 20;

fn state() -> State {
    State::new(Config::default())
}

fn code<T: std::fmt::Debug>(outcome: Result<T, StoreError>) -> (u16, &'static str) {
    let error = outcome.expect_err("should have been refused");
    (error.status, error.code)
}

fn begin(state: &mut State) -> String {
    let operation = Operation::CreateMultipartUpload {
        bucket: "media".to_string(),
        key: "k".to_string(),
        content_type: Some("video/mp4".to_string()),
        headers: Vec::new(),
        algorithm: None,
    };
    match step(operation, state, NOW) {
        Ok(Reply::Created { upload_id }) => upload_id,
        other => panic!("not created: {other:?}"),
    }
}

fn send(state: &mut State, upload_id: &str, part_number: u32, content: Content) -> Result<String, StoreError> {
    let operation = Operation::UploadPart {
        bucket: "media".to_string(),
        key: "k".to_string(),
        upload_id: upload_id.to_string(),
        part_number,
        content,
        content_md5: None,
        checksum: None,
    };
    step(operation, state, NOW).map(|reply| match reply {
        Reply::Part { etag, .. } => etag,
        other => panic!("not a part: {other:?}"),
    })
}

fn complete(
    state: &mut State,
    upload_id: &str,
    parts: &[(u32, &str)],
    if_none_match: bool,
) -> Result<Reply, StoreError> {
    let parts = parts.iter().map(|(number, etag)| (*number, etag.to_string()));
    let operation = Operation::CompleteMultipartUpload {
        bucket: "media".to_string(),
        key: "k".to_string(),
        upload_id: upload_id.to_string(),
        parts: parts.collect(),
        if_none_match,
        claims: Claims::default(),
    };
    step(operation, state, NOW)
}
