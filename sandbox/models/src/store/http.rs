//! S3's REST API: requests into operations, replies into responses.

use super::checks::{check_checksums, parse_content_md5, read_algorithm, read_checksum};
use super::documents::{self, quoted};
use super::operation::{Claims, ObjectInfo, Operation, PartList, Reply};
use super::post;
use super::state::State;
use super::step::step;
use crate::checksum::Checksum;
use crate::clock::{http_date, iso8601};
use crate::content::Reader;
use crate::encoding::percent_decode;
use crate::s3_error::StoreError;
use crate::sigv4;
use crate::wire::{Body, Request, Response};
use crate::xml;

/// The route of a request, for faults and logs.
pub fn route(request: &Request) -> &'static str {
    let upload = request.query("uploadId").is_some();
    let part = request.query("partNumber").is_some();
    match request.method.as_str() {
        "PUT" if upload || part => "store:UploadPart",
        "PUT" => "store:PutObject",
        "POST" if upload => "store:CompleteMultipartUpload",
        "POST" if request.query("uploads").is_some() => "store:CreateMultipartUpload",
        "POST" if request.media_type() == "multipart/form-data" => "store:PostObject",
        "DELETE" if upload => "store:AbortMultipartUpload",
        "DELETE" => "store:DeleteObject",
        "GET" if upload => "store:ListParts",
        "GET" => "store:GetObject",
        "HEAD" => "store:HeadObject",
        _ => "store:unknown",
    }
}

/// Answers one request to S3's REST API, path style or virtual-host style, with a query signature.
pub fn http_step(request: &Request, state: &mut State, now: u64) -> Response {
    state.requests += 1;
    let request_id = documents::request_id(state.requests);
    let outcome = answer(request, state, now);
    let mut response =
        outcome.unwrap_or_else(|error| Response::xml(error.status, error.to_xml(&request.path, &request_id)));
    if request.method == "HEAD" {
        response.body.clear();
    }
    response.with_header("x-amz-request-id", &request_id).with_header("date", &http_date(now))
}

fn answer(request: &Request, state: &mut State, now: u64) -> Result<Response, StoreError> {
    if route(request) == "store:PostObject" {
        let response = post::post(request, state, now)?;
        return Ok(with_encryption(response, state));
    }
    let secret_of = |key: &str, token: Option<&str>| -> Result<String, StoreError> { state.authorize(key, token, now) };
    sigv4::verify(request, &state.config.region, &secret_of, now)?;
    let (bucket, key) = bucket_and_key(request, state)?;
    check_checksums(request, state.config.checksums, request.body.is_empty())?;
    let operation = read_operation(request, bucket.clone(), key.clone())?;
    let reply = step(operation, state, now)?;
    let names_encryption = matches!(
        reply,
        Reply::Put { .. }
            | Reply::Part { .. }
            | Reply::Created { .. }
            | Reply::Completed { .. }
            | Reply::Head(_)
            | Reply::Get(..)
    );
    let response = write_reply(request, &bucket, &key, reply)?;
    Ok(if names_encryption { with_encryption(response, state) } else { response })
}

fn with_encryption(response: Response, state: &State) -> Response {
    match state.config.encryption.as_deref() {
        Some(algorithm) => response.with_header("x-amz-server-side-encryption", algorithm),
        None => response,
    }
}

/// The bucket and key of a request: virtual-host style if the host begins with a bucket's name, else path style.
fn bucket_and_key(request: &Request, state: &State) -> Result<(String, String), StoreError> {
    let invalid = || StoreError::new(400, "InvalidURI", "Couldn't parse the specified URI.");
    let path = percent_decode(&request.path).ok_or_else(invalid)?;
    let path = path.strip_prefix('/').ok_or_else(invalid)?;
    let host = request.header("host").unwrap_or("");
    let named = host.split_once('.').map(|(first, _)| first.to_string());
    if let Some(bucket) = named.filter(|name| state.config.buckets.contains(name)) {
        return Ok((bucket, path.to_string()));
    }
    let (bucket, key) = path
        .split_once('/')
        .ok_or_else(|| StoreError::not_implemented("Calls on a bucket as a whole are not part of this store"))?;
    Ok((bucket.to_string(), key.to_string()))
}

fn read_operation(request: &Request, bucket: String, key: String) -> Result<Operation, StoreError> {
    let upload_id = || request.query("uploadId").unwrap_or("").to_string();
    Ok(match route(request) {
        "store:PutObject" => Operation::PutObject {
            content_type: request.header("content-type").map(str::to_string),
            headers: stored_headers(request),
            if_none_match: if_none_match(request)?,
            content_md5: content_md5(request)?,
            checksum: read_checksum(&request.headers)?,
            content: content(request)?,
            bucket,
            key,
        },
        "store:UploadPart" => {
            if request.query("uploadId").is_none() {
                return Err(StoreError::invalid_argument(
                    "This operation does not accept a part number without an upload id",
                ));
            }
            Operation::UploadPart {
                upload_id: upload_id(),
                part_number: number(request, "partNumber")?
                    .ok_or_else(|| StoreError::invalid_argument("This operation needs a part number"))?,
                content_md5: content_md5(request)?,
                checksum: read_checksum(&request.headers)?,
                content: content(request)?,
                bucket,
                key,
            }
        }
        "store:CreateMultipartUpload" => Operation::CreateMultipartUpload {
            content_type: request.header("content-type").map(str::to_string),
            headers: stored_headers(request),
            algorithm: read_algorithm(
                request.header("x-amz-checksum-algorithm"),
                request.header("x-amz-checksum-type"),
            )?,
            bucket,
            key,
        },
        "store:CompleteMultipartUpload" => {
            let text = request.body.to_text().unwrap_or_default();
            let documents::Completion { parts, checksums } =
                documents::read_complete(&text).ok_or_else(StoreError::malformed_xml)?;
            Operation::CompleteMultipartUpload {
                upload_id: upload_id(),
                parts,
                claims: Claims { parts: checksums, whole: read_checksum(&request.headers)? },
                if_none_match: if_none_match(request)?,
                bucket,
                key,
            }
        }
        "store:AbortMultipartUpload" => Operation::AbortMultipartUpload { upload_id: upload_id(), bucket, key },
        "store:ListParts" => Operation::ListParts {
            upload_id: upload_id(),
            max_parts: number(request, "max-parts")?,
            part_number_marker: number(request, "part-number-marker")?,
            bucket,
            key,
        },
        "store:HeadObject" => Operation::HeadObject { bucket, key },
        "store:GetObject" => Operation::GetObject { bucket, key },
        "store:DeleteObject" => Operation::DeleteObject { bucket, key },
        _ => {
            return Err(StoreError::new(
                405,
                "MethodNotAllowed",
                "The specified method is not allowed against this resource.",
            )
            .with("Method", &request.method));
        }
    })
}

fn content(request: &Request) -> Result<crate::content::Content, StoreError> {
    let form = || StoreError::not_implemented("Form uploads are not part of this store");
    match request.body {
        Body::Form(_) => Err(form()),
        _ => request.body.to_content().ok_or_else(form),
    }
}

fn number(request: &Request, name: &str) -> Result<Option<u32>, StoreError> {
    let read = |text: &str| {
        let number = text.parse();
        number.map_err(|_| {
            StoreError::invalid_argument(&format!("Provided {name} not an integer or within integer range"))
        })
    };
    request.query(name).map(read).transpose()
}

fn if_none_match(request: &Request) -> Result<bool, StoreError> {
    match request.header("if-none-match") {
        None => Ok(false),
        Some("*") => Ok(true),
        // AWS S3 API Reference, PutObject: "Expects the '*' (asterisk) character."
        Some(_) => {
            Err(StoreError::not_implemented("A header you provided implies functionality that is not implemented")
                .with("Header", "If-None-Match"))
        }
    }
}

fn content_md5(request: &Request) -> Result<Option<[u8; 16]>, StoreError> {
    request.header("content-md5").map(parse_content_md5).transpose()
}

fn stored_headers(request: &Request) -> Vec<(String, String)> {
    let stored = ["cache-control", "content-disposition", "content-encoding", "content-language", "expires"];
    let pairs = request.headers.iter();
    pairs
        .filter(|(name, _)| name.starts_with("x-amz-meta-") || stored.contains(name))
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .collect()
}

fn write_reply(request: &Request, bucket: &str, key: &str, reply: Reply) -> Result<Response, StoreError> {
    let named = || xml::element("Bucket", bucket) + &xml::element("Key", key);
    Ok(match reply {
        Reply::Put { etag, checksum } | Reply::Part { etag, checksum } => {
            said(Response::empty(200).with_header("etag", &quoted(&etag)), checksum.as_ref())
        }
        Reply::Created { upload_id } => {
            let inner = named() + &xml::element("UploadId", &upload_id);
            Response::xml(200, documents::result("InitiateMultipartUploadResult", &inner))
        }
        Reply::Completed { etag, location, checksum } => {
            let inner = xml::element("Location", &location)
                + &named()
                + &xml::element("ETag", &quoted(&etag))
                + &checksum.map_or_else(String::new, |Checksum { algorithm, value }| {
                    xml::element(algorithm.element(), &value) + &xml::element("ChecksumType", algorithm.kind())
                });
            Response::xml(200, documents::result("CompleteMultipartUploadResult", &inner))
        }
        Reply::Parts(page) => {
            let upload_id = request.query("uploadId").unwrap_or("");
            let inner = named() + &xml::element("UploadId", upload_id) + &part_list(&page);
            Response::xml(200, documents::result("ListPartsResult", &inner))
        }
        Reply::Aborted | Reply::Deleted => Response::empty(204),
        Reply::Head(info) => {
            let response =
                object_headers(Response::empty(200), &info).with_header("content-length", &info.size.to_string());
            let mode = request.header("x-amz-checksum-mode").or(request.query("x-amz-checksum-mode"));
            said(response, info.checksum.as_ref().filter(|_| mode == Some("ENABLED")))
        }
        Reply::Get(info, contents) => get(request, &info, &contents)?,
    })
}

/// A response that says a checksum.
fn said(response: Response, checksum: Option<&Checksum>) -> Response {
    let Some(Checksum { algorithm, value }) = checksum else { return response };
    let kind = if value.contains('-') { "COMPOSITE" } else { "FULL_OBJECT" };
    response.with_header(algorithm.header(), value).with_header("x-amz-checksum-type", kind)
}

fn part_list(page: &PartList) -> String {
    let mut inner = xml::element("PartNumberMarker", &page.part_number_marker.to_string());
    if let Some(next) = page.next_part_number_marker {
        inner += &xml::element("NextPartNumberMarker", &next.to_string());
    }
    inner += &xml::element("MaxParts", &page.max_parts.to_string());
    inner += &xml::element("IsTruncated", &page.next_part_number_marker.is_some().to_string());
    if let Some(algorithm) = page.algorithm {
        inner += &xml::element("ChecksumAlgorithm", algorithm.name());
        inner += &xml::element("ChecksumType", algorithm.kind());
    }
    for part in &page.parts {
        let fields = [
            xml::element("PartNumber", &part.part_number.to_string()),
            xml::element("LastModified", &iso8601(part.last_modified)),
            xml::element("ETag", &quoted(&part.etag)),
            xml::element("Size", &part.size.to_string()),
            part.checksum
                .as_ref()
                .map_or_else(String::new, |Checksum { algorithm, value }| xml::element(algorithm.element(), value)),
        ];
        inner += &format!("<Part>{}</Part>", fields.concat());
    }
    inner
}

fn object_headers(mut response: Response, info: &ObjectInfo) -> Response {
    for (name, value) in &info.headers {
        response.headers.append(name, value);
    }
    let content_type = info.content_type.as_deref().unwrap_or("binary/octet-stream");
    response
        .with_header("etag", &quoted(&info.etag))
        .with_header("content-type", content_type)
        .with_header("last-modified", &http_date(info.last_modified))
        .with_header("accept-ranges", "bytes")
}

fn get(request: &Request, info: &ObjectInfo, contents: &[crate::content::Content]) -> Result<Response, StoreError> {
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut Reader::new(contents), &mut bytes)
        .map_err(|error| StoreError::new(500, "InternalError", &error.to_string()))?;
    let mut response = object_headers(Response::empty(200), info);
    if let Some(range) = request.header("range") {
        let total = bytes.len();
        let (start, end) = byte_range(range, total).ok_or_else(|| {
            StoreError::new(416, "InvalidRange", "The requested range is not satisfiable")
                .with("RangeRequested", range)
                .with("ActualObjectSize", total.to_string())
        })?;
        bytes = bytes[start..=end].to_vec();
        response.status = 206;
        response = response.with_header("content-range", &format!("bytes {start}-{end}/{total}"));
    }
    response.body = bytes;
    Ok(response)
}

/// The one range of a `Range` header, both ends inclusive (RFC 9110, 14.1.2).
fn byte_range(range: &str, total: usize) -> Option<(usize, usize)> {
    let (start, end) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (start, end) = match (start.parse::<usize>(), end.parse::<usize>()) {
        (Ok(start), Ok(end)) => (start, end.min(total.checked_sub(1)?)),
        (Ok(start), Err(_)) if end.is_empty() => (start, total.checked_sub(1)?),
        (Err(_), Ok(last)) if start.is_empty() && last > 0 => (total.saturating_sub(last), total.checked_sub(1)?),
        _ => return None,
    };
    (start <= end).then_some((start, end))
}
