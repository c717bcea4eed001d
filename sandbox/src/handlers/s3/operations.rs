//! The operations of s3s, mapped to those of the store model.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use partway_models::checksum::{Algorithm, Checksum};
use partway_models::store::{
    Claims, ObjectInfo, Operation, Reply, StoreError, parse_content_md5, read_algorithm, read_checksum,
};
use partway_models::wire::Headers;
use s3s::dto::*;
use s3s::{S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};

use super::object_body;
use crate::bucket::Embedded;
use crate::state::clock::Clock;
use crate::state::spool::{Spool, Spooled};

/// The S3 implementation that s3s serves.
pub(super) struct Operations {
    store: Embedded,
    spool: Arc<Spool>,
    clock: Arc<Clock>,
}

impl Operations {
    /// Operations on `store`; bodies are written to `spool`.
    pub(super) fn new(store: Embedded, spool: Arc<Spool>, clock: Arc<Clock>) -> Self {
        Self { store, spool, clock }
    }

    fn step(&self, operation: Operation) -> S3Result<Reply> {
        self.store.step(operation, self.clock.now()).map_err(s3s_error)
    }

    async fn receive(&self, body: Option<StreamingBlob>) -> S3Result<Spooled> {
        let body = s3s::Body::from(body.unwrap_or_else(|| StreamingBlob::from(s3s::Body::empty())));
        let received = self.spool.receive(body).await;
        received.map_err(|error| S3Error::with_message(S3ErrorCode::IncompleteBody, error.to_string()))
    }
}

fn s3s_error(error: StoreError) -> S3Error {
    let code = S3ErrorCode::from_bytes(error.code.as_bytes()).unwrap_or(S3ErrorCode::InternalError);
    let mut s3s_error = S3Error::with_message(code, error.message);
    if let Ok(status) = hyper::StatusCode::from_u16(error.status) {
        s3s_error.set_status_code(status);
    }
    s3s_error
}

fn unexpected(reply: &Reply) -> S3Error {
    S3Error::with_message(S3ErrorCode::InternalError, format!("unexpected reply of the store: {reply:?}"))
}

fn content_md5(header: Option<String>) -> S3Result<Option<[u8; 16]>> {
    header.map(|value| parse_content_md5(&value).map_err(s3s_error)).transpose()
}

/// The checksum that came with a body, or with the parts of a whole.
fn checksum(headers: &hyper::HeaderMap) -> S3Result<Option<Checksum>> {
    let pairs = headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    read_checksum(&pairs.collect::<Headers>()).map_err(s3s_error)
}

/// A checksum as the fields of s3s's outputs.
struct Said {
    crc64nvme: Option<String>,
    sha256: Option<String>,
    kind: Option<ChecksumType>,
}

impl Said {
    fn of(checksum: Option<Checksum>) -> Self {
        let value_of =
            |wanted| checksum.as_ref().filter(|known| known.algorithm == wanted).map(|known| known.value.clone());
        let kind = checksum.as_ref().map(|known| match known.value.contains('-') {
            true => ChecksumType::from_static(ChecksumType::COMPOSITE),
            false => ChecksumType::from_static(ChecksumType::FULL_OBJECT),
        });
        Self { crc64nvme: value_of(Algorithm::Crc64Nvme), sha256: value_of(Algorithm::Sha256), kind }
    }
}

fn if_none_match(condition: Option<IfNoneMatch>) -> S3Result<bool> {
    match condition {
        None => Ok(false),
        Some(ETagCondition::Any) => Ok(true),
        Some(ETagCondition::ETag(_)) => Err(s3_error!(NotImplemented, "If-None-Match takes only * on a write")),
    }
}

/// The headers that are stored with an object: its metadata, and those that it is served with.
fn stored_headers(metadata: Option<Metadata>, named: [(&str, Option<String>); 4]) -> Vec<(String, String)> {
    let mut metadata: Vec<_> = metadata.into_iter().flatten().collect();
    metadata.sort();
    let metadata = metadata.into_iter().map(|(name, value)| (format!("x-amz-meta-{name}"), value));
    let named = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    metadata.chain(named).collect()
}

/// The stored headers of an input that has them. (A macro: the inputs of s3s share these fields, but no trait.)
macro_rules! stored_headers {
    ($input:ident) => {
        stored_headers(
            $input.metadata,
            [
                ("cache-control", $input.cache_control),
                ("content-disposition", $input.content_disposition),
                ("content-encoding", $input.content_encoding),
                ("content-language", $input.content_language),
            ],
        )
    };
}

/// The output of HeadObject or GetObject: the headers of `object`, and the fields that only one of them has.
macro_rules! object_output {
    ($output:ident, $object:expr, { $($field:ident: $value:expr),* $(,)? }) => {
        $output {
            accept_ranges: Some("bytes".into()),
            cache_control: $object.header("cache-control"),
            content_disposition: $object.header("content-disposition"),
            content_encoding: $object.header("content-encoding"),
            content_language: $object.header("content-language"),
            content_type: $object.content_type(),
            e_tag: Some($object.etag()),
            last_modified: Some($object.last_modified()),
            metadata: $object.metadata(),
            $($field: $value,)*
            ..Default::default()
        }
    };
}

struct StoredObject {
    info: ObjectInfo,
}

impl StoredObject {
    fn header(&self, name: &str) -> Option<String> {
        self.info.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
    }

    fn metadata(&self) -> Option<Metadata> {
        let named = |(name, value): &(String, String)| {
            Some((name.to_ascii_lowercase().strip_prefix("x-amz-meta-")?.to_owned(), value.clone()))
        };
        let metadata: Metadata = self.info.headers.iter().filter_map(named).collect();
        (!metadata.is_empty()).then_some(metadata)
    }

    fn content_type<T: std::str::FromStr>(&self) -> Option<T> {
        self.info.content_type.as_deref().and_then(|text| text.parse().ok())
    }

    fn last_modified(&self) -> Timestamp {
        timestamp(self.info.last_modified)
    }

    fn etag(&self) -> ETag {
        ETag::Strong(self.info.etag.clone())
    }
}

fn timestamp(ms: u64) -> Timestamp {
    // S3 has whole seconds.
    Timestamp::from(UNIX_EPOCH + Duration::from_secs(ms / 1000))
}

fn to_i64(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

#[async_trait::async_trait]
impl S3 for Operations {
    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let input = request.input;
        if input.if_match.is_some() {
            return Err(s3_error!(NotImplemented, "If-Match on a write isn't known here"));
        }
        let (content_md5, if_none_match) = (content_md5(input.content_md5)?, if_none_match(input.if_none_match)?);
        let checksum = checksum(&request.headers)?;
        let body = self.receive(input.body).await?;
        let reply = self.step(Operation::PutObject {
            bucket: input.bucket,
            key: input.key,
            content: body.content(),
            content_type: input.content_type,
            headers: stored_headers!(input),
            if_none_match,
            content_md5,
            checksum,
        })?;
        body.keep();
        let Reply::Put { etag, checksum } = reply else { return Err(unexpected(&reply)) };
        let said = Said::of(checksum);
        Ok(S3Response::new(PutObjectOutput {
            e_tag: Some(ETag::Strong(etag)),
            checksum_crc64nvme: said.crc64nvme,
            checksum_sha256: said.sha256,
            checksum_type: said.kind,
            ..Default::default()
        }))
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let input = request.input;
        let reply = self.step(Operation::CreateMultipartUpload {
            bucket: input.bucket.clone(),
            key: input.key.clone(),
            content_type: input.content_type,
            headers: stored_headers!(input),
            algorithm: read_algorithm(
                input.checksum_algorithm.as_ref().map(ChecksumAlgorithm::as_str),
                input.checksum_type.as_ref().map(ChecksumType::as_str),
            )
            .map_err(s3s_error)?,
        })?;
        let Reply::Created { upload_id } = reply else { return Err(unexpected(&reply)) };
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(upload_id),
            ..Default::default()
        }))
    }

    async fn upload_part(&self, request: S3Request<UploadPartInput>) -> S3Result<S3Response<UploadPartOutput>> {
        let input = request.input;
        let (content_md5, checksum) = (content_md5(input.content_md5)?, checksum(&request.headers)?);
        let body = self.receive(input.body).await?;
        let reply = self.step(Operation::UploadPart {
            bucket: input.bucket,
            key: input.key,
            upload_id: input.upload_id,
            part_number: u32::try_from(input.part_number).unwrap_or_default(),
            content: body.content(),
            content_md5,
            checksum,
        })?;
        body.keep();
        let Reply::Part { etag, checksum } = reply else { return Err(unexpected(&reply)) };
        let said = Said::of(checksum);
        Ok(S3Response::new(UploadPartOutput {
            e_tag: Some(ETag::Strong(etag)),
            checksum_crc64nvme: said.crc64nvme,
            checksum_sha256: said.sha256,
            ..Default::default()
        }))
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let input = request.input;
        let malformed = || s3_error!(MalformedXML, "The XML you provided was not well-formed or did not validate");
        let listed = input.multipart_upload.and_then(|upload| upload.parts).ok_or_else(malformed)?;
        let named = |part: &CompletedPart| {
            let value = part.checksum_crc64nvme.as_ref().or(part.checksum_sha256.as_ref())?;
            Some((u32::try_from(part.part_number?).ok()?, value.clone()))
        };
        let claims = Claims { parts: listed.iter().filter_map(named).collect(), whole: checksum(&request.headers)? };
        let parts: Option<Vec<_>> = listed
            .into_iter()
            .map(|part| Some((u32::try_from(part.part_number?).ok()?, part.e_tag?.into_value())))
            .collect();
        let reply = self.step(Operation::CompleteMultipartUpload {
            bucket: input.bucket.clone(),
            key: input.key.clone(),
            upload_id: input.upload_id,
            parts: parts.ok_or_else(malformed)?,
            if_none_match: if_none_match(input.if_none_match)?,
            claims,
        })?;
        let Reply::Completed { etag, location, checksum } = reply else { return Err(unexpected(&reply)) };
        let said = Said::of(checksum);
        Ok(S3Response::new(CompleteMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: Some(ETag::Strong(etag)),
            location: Some(location),
            checksum_crc64nvme: said.crc64nvme,
            checksum_sha256: said.sha256,
            checksum_type: said.kind,
            ..Default::default()
        }))
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let input = request.input;
        self.step(Operation::AbortMultipartUpload {
            bucket: input.bucket,
            key: input.key,
            upload_id: input.upload_id,
        })?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }

    async fn list_parts(&self, request: S3Request<ListPartsInput>) -> S3Result<S3Response<ListPartsOutput>> {
        let input = request.input;
        let reply = self.step(Operation::ListParts {
            bucket: input.bucket.clone(),
            key: input.key.clone(),
            upload_id: input.upload_id.clone(),
            max_parts: input.max_parts.map(|most| u32::try_from(most).unwrap_or_default()),
            part_number_marker: input.part_number_marker.map(|marker| u32::try_from(marker).unwrap_or_default()),
        })?;
        let Reply::Parts(page) = reply else { return Err(unexpected(&reply)) };
        let number = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
        let parts = page.parts.into_iter().map(|part| {
            let said = Said::of(part.checksum);
            Part {
                checksum_crc64nvme: said.crc64nvme,
                checksum_sha256: said.sha256,
                e_tag: Some(ETag::Strong(part.etag)),
                last_modified: Some(timestamp(part.last_modified)),
                part_number: Some(number(part.part_number)),
                size: Some(to_i64(part.size)),
                ..Default::default()
            }
        });
        Ok(S3Response::new(ListPartsOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(input.upload_id),
            is_truncated: Some(page.next_part_number_marker.is_some()),
            max_parts: Some(number(page.max_parts)),
            part_number_marker: Some(number(page.part_number_marker)),
            next_part_number_marker: page.next_part_number_marker.map(number),
            checksum_algorithm: page.algorithm.map(|known| ChecksumAlgorithm::from(known.name().to_string())),
            checksum_type: page.algorithm.map(|known| ChecksumType::from(known.kind().to_string())),
            parts: Some(parts.collect()),
            ..Default::default()
        }))
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let in_query = request.uri.query().is_some_and(|query| query.contains("x-amz-checksum-mode=ENABLED"));
        let asked = in_query || request.input.checksum_mode.is_some();
        let (bucket, key) = (request.input.bucket, request.input.key);
        let reply = self.step(Operation::HeadObject { bucket, key })?;
        let Reply::Head(info) = reply else { return Err(unexpected(&reply)) };
        let object = StoredObject { info };
        let said = Said::of(object.info.checksum.clone().filter(|_| asked));
        Ok(S3Response::new(object_output!(HeadObjectOutput, object, {
            content_length: Some(to_i64(object.info.size)),
            checksum_crc64nvme: said.crc64nvme,
            checksum_sha256: said.sha256,
            checksum_type: said.kind,
        })))
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        let (bucket, key) = (input.bucket, input.key);
        let reply = self.step(Operation::GetObject { bucket, key })?;
        let Reply::Get(info, contents) = reply else { return Err(unexpected(&reply)) };
        let object = StoredObject { info };
        let size = object.info.size;
        let range = match input.range {
            None => 0..size,
            Some(range) => {
                range.check(size).map_err(|_| s3_error!(InvalidRange, "The requested range is not satisfiable"))?
            }
        };
        let content_range =
            input.range.map(|_| format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1)));
        Ok(S3Response::new(object_output!(GetObjectOutput, object, {
            content_length: Some(to_i64(range.end - range.start)),
            content_range: content_range,
            body: Some(StreamingBlob::from(object_body::body(&contents, range))),
        })))
    }

    async fn delete_object(&self, request: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        let (bucket, key) = (request.input.bucket, request.input.key);
        self.step(Operation::DeleteObject { bucket, key })?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }
}
