//! The operations of multipart uploads.

use std::collections::BTreeMap;

use super::checks::check_body;
use super::config::Checksums;
use super::limits::{MAX_LIST, MAX_PART_NUMBER};
use super::object::{check_condition, check_content, insert};
use super::operation::{Claims, ObjectInfo, Operation, PartInfo, PartList, Reply};
use super::state::State;
use super::upload::{Part, Upload};
use crate::checksum::{Algorithm, Checksum};
use crate::content::{Content, multipart_etag, total_size};
use crate::s3_error::StoreError;

impl State {
    fn upload(&mut self, bucket: &str, key: &str, id: &str) -> Result<&mut Upload, StoreError> {
        self.uploads
            .get_mut(id)
            .filter(|upload| upload.bucket == bucket && upload.key == key)
            .ok_or_else(|| StoreError::no_such_upload(id))
    }
}

pub(super) fn create(operation: Operation, state: &mut State, _now: u64) -> Reply {
    let Operation::CreateMultipartUpload { bucket, key, content_type, headers, algorithm } = operation else {
        unreachable!("dispatched by kind")
    };
    let upload_id = state.ids.token();
    let parts = BTreeMap::new();
    let upload = Upload { bucket, key, content_type, headers, algorithm, began: state.sequence, parts };
    state.uploads.insert(upload_id.clone(), upload);
    Reply::Created { upload_id }
}

pub(super) fn upload_part(operation: Operation, state: &mut State, now: u64) -> Result<Reply, StoreError> {
    let Operation::UploadPart { bucket, key, upload_id, part_number, content, content_md5, checksum } = operation
    else {
        unreachable!("dispatched by kind")
    };
    let checked = if (1..=MAX_PART_NUMBER).contains(&part_number) {
        check_content(&content, content_md5)
            .and_then(|()| check_body(&content, checksum.as_ref()))
            .and_then(|()| check_algorithm(state.upload(&bucket, &key, &upload_id)?, checksum.as_ref()))
    } else {
        Err(StoreError::invalid_argument("Part number must be an integer between 1 and 10000, inclusive"))
    };
    if let Err(error) = checked {
        state.discard([content]);
        return Err(error);
    }
    let etag = state.etag_for(content.etag());
    // A part of an upload that was created with CRC64NVME may come without: the store computes it.
    let computes = state.config.checksums == Checksums::All
        || state.upload(&bucket, &key, &upload_id)?.algorithm == Some(Algorithm::Crc64Nvme);
    let said = checksum.or_else(|| state.own_checksum(&content).filter(|_| computes));
    let part = Part { content, etag: etag.clone(), last_modified: now, checksum: said.clone() };
    let upload = state.upload(&bucket, &key, &upload_id)?;
    if let Some(old) = upload.parts.insert(part_number, part) {
        state.discard([old.content]);
    }
    Ok(Reply::Part { etag, checksum: said })
}

/// A part's checksum must be of the algorithm that the upload was created with, and there must be one if that is composite: its value is
/// made of the parts'. An upload without an algorithm takes none but the one that the store computes anyway. (The messages are AWS's.)
fn check_algorithm(upload: &Upload, checksum: Option<&Checksum>) -> Result<(), StoreError> {
    let name =
        |algorithm: Option<Algorithm>| algorithm.map_or("null".into(), |known| known.name().to_ascii_lowercase());
    let given = checksum.map(|checksum| checksum.algorithm);
    match (upload.algorithm, given) {
        (Some(expected), Some(given)) if expected == given => Ok(()),
        (None, None | Some(Algorithm::Crc64Nvme)) | (Some(Algorithm::Crc64Nvme), None) => Ok(()),
        (expected, given) => Err(StoreError::invalid_request(&format!(
            "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
            name(expected),
            name(given)
        ))),
    }
}

pub(super) fn complete(operation: Operation, state: &mut State, now: u64) -> Result<Reply, StoreError> {
    let Operation::CompleteMultipartUpload { bucket, key, upload_id, parts, if_none_match, claims } = operation else {
        unreachable!("dispatched by kind")
    };
    let (min_part_size, equal_parts) = (state.config.min_part_size, state.config.equal_parts);
    let upload = state.upload(&bucket, &key, &upload_id)?;
    let began = upload.began;
    check_parts(upload, &upload_id, &parts, min_part_size, equal_parts)?;
    check_claims(upload, &upload_id, &parts, &claims)?;
    let algorithm = upload.algorithm;
    let named: Vec<Content> = parts.iter().map(|(number, _)| upload.parts[number].content.clone()).collect();
    let computes = state.config.checksums != Checksums::Off;
    let checksum = algorithm.or(computes.then_some(Algorithm::Crc64Nvme)).and_then(|algorithm| {
        let value = algorithm.of_parts(&named)?;
        Some(Checksum { algorithm, value })
    });
    if claims.whole.as_ref().is_some_and(|claim| checksum.as_ref() != Some(claim)) {
        let name = claims.whole.as_ref().map_or("", |claim| claim.algorithm.name()).to_ascii_lowercase();
        let message = format!("The {name} you specified did not match the calculated checksum.");
        return Err(StoreError::bad_digest(&message));
    }
    let id = (bucket, key);
    if if_none_match {
        check_condition(state, &id, began)?;
    }

    let Some(mut upload) = state.uploads.remove(&upload_id) else {
        return Err(StoreError::no_such_upload(&upload_id));
    };
    let used = parts.iter().filter_map(|(number, _)| upload.parts.remove(number));
    let contents: Vec<Content> = used.map(|part| part.content).collect();
    // Parts that the list doesn't name are removed.
    state.discard(upload.parts.into_values().map(|part| part.content));
    let etag = state.etag_for(multipart_etag(&contents));
    let info = ObjectInfo {
        etag: etag.clone(),
        size: total_size(&contents),
        content_type: upload.content_type,
        headers: upload.headers,
        last_modified: now,
        checksum: checksum.clone(),
    };
    let location = state.location(&id.0, &id.1);
    insert(state, id, info, contents);
    Ok(Reply::Completed { etag, location, checksum })
}

/// Compares the parts' checksums in the request with those that the parts came with. An upload whose checksum is composite needs one for
/// each part.
fn check_claims(upload: &Upload, upload_id: &str, parts: &[(u32, String)], claims: &Claims) -> Result<(), StoreError> {
    for (number, _) in parts {
        let (claim, part) = (claims.parts.get(number), &upload.parts[number]);
        if claim.is_none() && upload.algorithm == Some(Algorithm::Sha256) {
            return Err(StoreError::invalid_request(&format!(
                "The upload was created using a sha256 checksum. The complete request must include the checksum for each part. It was missing for part {number} in the request."
            )));
        }
        let stored = part.checksum.as_ref().map(|checksum| &checksum.value);
        if claim.is_some() && claim != stored {
            return Err(StoreError::new(
                400,
                "InvalidPart",
                "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
            )
            .with("UploadId", upload_id)
            .with("PartNumber", number.to_string()));
        }
    }
    Ok(())
}

/// Checks order, existence, ETags and sizes of the parts (AWS S3 API Reference, CompleteMultipartUpload).
fn check_parts(
    upload: &Upload,
    upload_id: &str,
    parts: &[(u32, String)],
    min_part_size: u64,
    equal_parts: bool,
) -> Result<(), StoreError> {
    if parts.is_empty() {
        return Err(StoreError::malformed_xml());
    }
    if parts.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
        return Err(StoreError::new(
            400,
            "InvalidPartOrder",
            "The list of parts was not in ascending order. The parts list must be specified in order by part number.",
        )
        .with("UploadId", upload_id));
    }
    let mut sizes = Vec::with_capacity(parts.len());
    for (number, etag) in parts {
        let etag = etag.trim_matches('"');
        match upload.parts.get(number) {
            Some(part) if part.etag == etag => sizes.push((*number, part.content.size)),
            _ => {
                return Err(StoreError::new(
                    400,
                    "InvalidPart",
                    "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
                )
                .with("UploadId", upload_id)
                .with("PartNumber", number.to_string())
                .with("ETag", etag));
            }
        }
    }
    let all_but_last = &sizes[..sizes.len() - 1];
    if let Some((number, size)) = all_but_last.iter().find(|(_, size)| *size < min_part_size) {
        return Err(StoreError::new(
            400,
            "EntityTooSmall",
            "Your proposed upload is smaller than the minimum allowed size",
        )
        .with("ProposedSize", size.to_string())
        .with("MinSizeAllowed", min_part_size.to_string())
        .with("PartNumber", number.to_string()));
    }
    let last = sizes[sizes.len() - 1].1;
    let first = sizes[0].1;
    if equal_parts && (all_but_last.iter().any(|(_, size)| *size != first) || last > first) {
        // R2's rule and message (Cloudflare R2 docs, "Multipart upload").
        return Err(StoreError::new(400, "InvalidPart", "All non-trailing parts must have the same length."));
    }
    Ok(())
}

pub(super) fn abort(operation: Operation, state: &mut State) -> Result<Reply, StoreError> {
    let Operation::AbortMultipartUpload { bucket, key, upload_id } = operation else {
        unreachable!("dispatched by kind")
    };
    state.upload(&bucket, &key, &upload_id)?;
    if let Some(upload) = state.uploads.remove(&upload_id) {
        state.discard(upload.parts.into_values().map(|part| part.content));
    }
    Ok(Reply::Aborted)
}

pub(super) fn list_parts(operation: Operation, state: &mut State) -> Result<Reply, StoreError> {
    let Operation::ListParts { bucket, key, upload_id, max_parts, part_number_marker } = operation else {
        unreachable!("dispatched by kind")
    };
    let max_parts = max_parts.unwrap_or(MAX_LIST).min(MAX_LIST);
    let marker = part_number_marker.unwrap_or(0);
    let upload = state.upload(&bucket, &key, &upload_id)?;
    let after = || upload.parts.range(marker.saturating_add(1)..);
    let page = after().take(max_parts as usize);
    let parts: Vec<PartInfo> = page
        .map(|(number, part)| PartInfo {
            part_number: *number,
            size: part.content.size,
            etag: part.etag.clone(),
            last_modified: part.last_modified,
            checksum: part.checksum.clone(),
        })
        .collect();
    let more = after().count() > parts.len();
    let next = more.then(|| parts.last().map_or(marker, |part| part.part_number));
    Ok(Reply::Parts(PartList {
        parts,
        max_parts,
        part_number_marker: marker,
        next_part_number_marker: next,
        algorithm: upload.algorithm,
    }))
}
