//! A client of an existing store, with query-signed requests. Its calls block.

use std::io::Read;
use std::time::Duration;

use base64::Engine;
use md5::{Digest, Md5};
use partway_models::bucket::{Bucket, BucketError};
use partway_models::encoding::percent_encode_path;
use partway_models::sigv4::{self, Credentials, Target};
use partway_models::wire::Headers;
use roxmltree::{Document, Node};

use super::location::{ListedPart, Location};
use crate::options::ExternalStore;

/// How long the signatures of its own calls are valid. (A choice.)
const OWN_CALLS_S: u64 = 900;

/// How long a call may take. (A choice: reading back a large object takes long.)
const TIMEOUT: Duration = Duration::from_secs(1800);

/// The longest response that is read. (A choice: a page of 1,000 parts is far shorter.)
const RESPONSE_LIMIT: u64 = 64 * 1024 * 1024;

/// The CORS rule that uploads from pages need, for pages of any origin.
const CORS_RULE: &str = "<CORSConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><CORSRule>\
<AllowedOrigin>*</AllowedOrigin>\
<AllowedMethod>PUT</AllowedMethod><AllowedMethod>POST</AllowedMethod><AllowedMethod>GET</AllowedMethod>\
<AllowedMethod>HEAD</AllowedMethod><AllowedMethod>DELETE</AllowedMethod>\
<AllowedHeader>*</AllowedHeader>\
<ExposeHeader>ETag</ExposeHeader><ExposeHeader>Retry-After</ExposeHeader><ExposeHeader>Date</ExposeHeader>\
<ExposeHeader>x-amz-request-id</ExposeHeader><ExposeHeader>x-amz-version-id</ExposeHeader>\
<ExposeHeader>x-amz-server-side-encryption</ExposeHeader><ExposeHeader>x-amz-checksum-crc64nvme</ExposeHeader>\
<ExposeHeader>x-amz-checksum-type</ExposeHeader>\
<MaxAgeSeconds>7200</MaxAgeSeconds></CORSRule></CORSConfiguration>";

/// A client of one bucket.
#[derive(Clone, Debug)]
pub(crate) struct External {
    store: ExternalStore,
    agent: ureq::Agent,
}

struct StoreResponse {
    status: u16,
    etag: Option<String>,
    size: Option<u64>,
    text: String,
}

impl External {
    /// A client of `store`.
    pub(crate) fn new(store: ExternalStore) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(TIMEOUT))
            .timeout_connect(Some(Duration::from_secs(10)))
            .build();
        Self { store, agent: config.into() }
    }

    /// The location of the bucket.
    pub(crate) fn location(&self) -> Location {
        Location {
            endpoint: self.store.endpoint.clone(),
            endpoints: vec![self.store.endpoint.clone()],
            name: self.store.bucket.clone(),
            region: self.store.region.clone(),
        }
    }

    /// Access key and secret key.
    pub(crate) fn keys(&self) -> (&str, &str) {
        (&self.store.access_key, &self.store.secret_key)
    }

    /// Puts the CORS rule on the bucket.
    pub(crate) fn put_cors(&self, now: u64) -> Result<(), BucketError> {
        let url = self.sign("PUT", None, &[("cors", "")], OWN_CALLS_S, now);
        let digest = content_md5(CORS_RULE.as_bytes());
        let request = self.agent.put(&url).header("content-md5", digest).content_type("application/xml");
        read(request.send(CORS_RULE)).and_then(StoreResponse::ok).map(drop)
    }

    /// Aborts a multipart upload.
    pub(crate) fn abort(&self, key: &str, upload_id: &str, now: u64) -> Result<(), BucketError> {
        let url = self.sign("DELETE", Some(key), &[("uploadId", upload_id)], OWN_CALLS_S, now);
        read(self.agent.delete(&url).call()).and_then(StoreResponse::ok).map(drop)
    }

    /// All uploaded parts, in ascending order.
    pub(crate) fn list_parts(&self, key: &str, upload_id: &str, now: u64) -> Result<Vec<ListedPart>, BucketError> {
        let (mut parts, mut marker) = (Vec::new(), String::from("0"));
        loop {
            let query = [("part-number-marker", marker.as_str()), ("uploadId", upload_id)];
            let url = self.sign("GET", Some(key), &query, OWN_CALLS_S, now);
            let response = read(self.agent.get(&url).call()).and_then(StoreResponse::ok)?;
            let page = parse(&response.text)?;
            let root = page.root_element();
            for part in root.children().filter(|node| node.has_tag_name_local("Part")) {
                parts.push(ListedPart {
                    part_number: number(part, "PartNumber")?,
                    size: number(part, "Size")?,
                    etag: text(part, "ETag").unwrap_or_default().trim_matches('"').to_owned(),
                });
            }
            if text(root, "IsTruncated") != Some("true") {
                return Ok(parts);
            }
            let next = text(root, "NextPartNumberMarker").unwrap_or_default().to_owned();
            if next.is_empty() || next == marker {
                return Err(unexpected(
                    "ListParts says IsTruncated, but its NextPartNumberMarker is missing or the same as before",
                ));
            }
            marker = next;
        }
    }

    /// Opens an object for reading; `None` if it doesn't exist.
    pub(crate) fn read(&self, key: &str, now: u64) -> Result<Option<Box<dyn Read + Send>>, BucketError> {
        let url = self.presign_get(key, OWN_CALLS_S, now);
        let response = self.agent.get(&url).call().map_err(unreachable)?;
        match response.status().as_u16() {
            200 => Ok(Some(Box::new(response.into_body().into_with_config().limit(u64::MAX).reader()))),
            404 => Ok(None),
            _ => read(Ok(response)).and_then(StoreResponse::ok).map(|_| None),
        }
    }

    fn sign(&self, method: &str, key: Option<&str>, query: &[(&str, &str)], expires_s: u64, now: u64) -> String {
        let path = match key {
            Some(key) => format!("/{}/{}", self.store.bucket, percent_encode_path(key)),
            None => format!("/{}", self.store.bucket),
        };
        presign(&Presign {
            endpoint: &self.store.endpoint,
            region: &self.store.region,
            access_key: &self.store.access_key,
            secret_key: &self.store.secret_key,
            method,
            path: &path,
            query,
            expires_s,
            now,
        })
    }
}

impl Bucket for External {
    fn create_multipart(&mut self, key: &str, content_type: &str, now: u64) -> Result<String, BucketError> {
        let url = self.sign("POST", Some(key), &[("uploads", "")], OWN_CALLS_S, now);
        let response =
            read(self.agent.post(&url).content_type(content_type).send_empty()).and_then(StoreResponse::ok)?;
        let page = parse(&response.text)?;
        let id = text(page.root_element(), "UploadId").map(str::to_owned);
        id.ok_or_else(|| unexpected("the response to CreateMultipartUpload has no UploadId"))
    }

    fn presign_put(&self, key: &str, upload_id: Option<&str>, part: Option<u32>, expires_s: u64, now: u64) -> String {
        let number = part.map(|part| part.to_string());
        let query: Vec<_> = [number.as_deref().map(|n| ("partNumber", n)), upload_id.map(|id| ("uploadId", id))]
            .into_iter()
            .flatten()
            .collect();
        self.sign("PUT", Some(key), &query, expires_s, now)
    }

    fn presign_get(&self, key: &str, expires_s: u64, now: u64) -> String {
        self.sign("GET", Some(key), &[], expires_s, now)
    }

    fn complete(
        &mut self,
        key: &str,
        upload_id: &str,
        parts: &[(u32, String)],
        now: u64,
    ) -> Result<String, BucketError> {
        let mut body = String::from("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
        for (part, etag) in parts {
            let etag = etag.trim_matches('"').replace('&', "&amp;").replace('<', "&lt;");
            body += &format!("<Part><PartNumber>{part}</PartNumber><ETag>\"{etag}\"</ETag></Part>");
        }
        body += "</CompleteMultipartUpload>";
        let url = self.sign("POST", Some(key), &[("uploadId", upload_id)], OWN_CALLS_S, now);
        let response =
            read(self.agent.post(&url).content_type("application/xml").send(body)).and_then(StoreResponse::ok)?;
        let page = parse(&response.text)?;
        let etag = text(page.root_element(), "ETag").map(|etag| etag.trim_matches('"').to_owned());
        etag.ok_or_else(|| unexpected("the response to CompleteMultipartUpload has no ETag"))
    }

    fn head(&mut self, key: &str, now: u64) -> Result<Option<(String, u64)>, BucketError> {
        let url = self.sign("HEAD", Some(key), &[], OWN_CALLS_S, now);
        let response = read(self.agent.head(&url).call())?;
        if response.status == 404 {
            return Ok(None);
        }
        let response = response.ok()?;
        let etag = response.etag.unwrap_or_default().trim_matches('"').to_owned();
        Ok(Some((etag, response.size.unwrap_or_default())))
    }
}

impl StoreResponse {
    /// The response, unless it is an error. One with status 200 may have an error in its body (AWS S3 API Reference, CompleteMultipartUpload).
    fn ok(self) -> Result<Self, BucketError> {
        let page = Document::parse(self.text.trim_start()).ok();
        let error = page.as_ref().map(Document::root_element).filter(|root| root.has_tag_name_local("Error"));
        if let Some(error) = error {
            let code = text(error, "Code").unwrap_or("Unknown").to_owned();
            let message = text(error, "Message").unwrap_or_default().to_owned();
            return Err(BucketError { code, message });
        }
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        Err(unexpected(&format!(
            "unexpected status {}: {}",
            self.status,
            self.text.chars().take(200).collect::<String>()
        )))
    }
}

fn read(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<StoreResponse, BucketError> {
    let mut response = response.map_err(unreachable)?;
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (etag, size) = (header("etag"), header("content-length").and_then(|size| size.parse().ok()));
    let status = response.status().as_u16();
    let text = response.body_mut().with_config().limit(RESPONSE_LIMIT).read_to_string().map_err(unreachable)?;
    Ok(StoreResponse { status, etag, size, text })
}

fn unreachable(error: ureq::Error) -> BucketError {
    BucketError { code: "Unreachable".into(), message: error.to_string() }
}

fn unexpected(message: &str) -> BucketError {
    BucketError { code: "UnexpectedResponse".into(), message: message.into() }
}

fn parse(text: &str) -> Result<Document<'_>, BucketError> {
    Document::parse(text.trim_start()).map_err(|error| unexpected(&format!("the response is no XML: {error}")))
}

fn text<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    node.children().find(|child| child.has_tag_name_local(name))?.text()
}

fn number<T: std::str::FromStr>(node: Node<'_, '_>, name: &str) -> Result<T, BucketError> {
    let value = text(node, name).and_then(|text| text.trim().parse().ok());
    value.ok_or_else(|| unexpected(&format!("a part of ListParts has no valid {name}")))
}

/// The inputs of a presigned URL.
struct Presign<'a> {
    endpoint: &'a str,
    region: &'a str,
    access_key: &'a str,
    secret_key: &'a str,
    method: &'a str,
    path: &'a str,
    query: &'a [(&'a str, &'a str)],
    expires_s: u64,
    now: u64,
}

fn presign(request: &Presign<'_>) -> String {
    let credentials = Credentials {
        access_key: request.access_key.to_owned(),
        secret_key: request.secret_key.to_owned(),
        session_token: None,
    };
    let query: Vec<_> = request.query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let target = Target {
        method: request.method,
        endpoint: request.endpoint,
        path: request.path,
        query: &query,
        headers: &Headers::new(),
    };
    sigv4::presign(&credentials, request.region, &target, request.expires_s, request.now)
}

/// The value of `Content-MD5` (RFC 1864).
fn content_md5(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(Md5::digest(bytes))
}

/// Compares names without their namespaces, which differ between stores.
trait LocalName {
    fn has_tag_name_local(&self, name: &str) -> bool;
}

impl LocalName for Node<'_, '_> {
    fn has_tag_name_local(&self, name: &str) -> bool {
        self.tag_name().name() == name
    }
}
