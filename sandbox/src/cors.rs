//! Cross-origin rules: which pages may send and read what.

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

use crate::response_body::{ResponseBody, full};

/// The CORS rule of one listener.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Cors {
    /// The rule of a bucket that pages upload to.
    Bucket,
    /// The rule of a vendor that pages may call.
    Vendor,
    /// The rule of the customer's backend: pages of this machine, with cookies and any header.
    Backend,
}

/// Marks a response that gets no CORS headers, as some errors of stores.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoCors;

const METHODS: &str = "GET, HEAD, PUT, POST, DELETE";
const BUCKET_HEADERS: &[&str] = &["content-type", "content-md5", "cache-control", "if-none-match"];
const BUCKET_EXPOSES: &str = "ETag, Retry-After, Date, x-amz-request-id, x-amz-version-id, x-amz-server-side-encryption, \
    x-amz-checksum-crc64nvme, x-amz-checksum-sha256, x-amz-checksum-type";
const VENDOR_HEADERS: &[&str] =
    &["apikey", "content-type", "idempotency-key", "x-api-key", "x-connection-id", "x-om-auth-token"];
const VENDOR_EXPOSES: &str = "ETag, Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, \
    X-RateLimit-Retry-After, X-OFAuth-Upload-Total-Parts, X-OFAuth-Upload-Part-Size";

impl Cors {
    /// Answers a preflight. One that the rule doesn't allow is refused without CORS headers, as S3 does ("CORSResponse").
    pub(crate) fn preflight(self, request: &HeaderMap) -> Response<ResponseBody> {
        let value_of = |name: &str| request.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (origin, method) = (value_of("origin"), value_of("access-control-request-method"));
        let headers = value_of("access-control-request-headers");
        let refused = headers
            .split(',')
            .map(|name| name.trim().to_ascii_lowercase())
            .find(|name| !name.is_empty() && !self.allows_header(name));
        let reason = match refused {
            _ if !self.allows_origin(origin) => Some(format!("origin {origin}")),
            _ if !METHODS.split(", ").any(|allowed| allowed == method) => Some(format!("method {method}")),
            Some(header) => Some(format!("header {header}")),
            None => None,
        };
        if let Some(reason) = reason {
            let mut response = Response::new(full(format!("CORS: {reason} is not allowed")));
            *response.status_mut() = StatusCode::FORBIDDEN;
            return response;
        }
        let mut response = Response::new(full(""));
        *response.status_mut() = StatusCode::NO_CONTENT;
        self.allow(origin, response.headers_mut());
        let headers_out = response.headers_mut();
        put(headers_out, "access-control-allow-methods", METHODS);
        if !headers.is_empty() {
            put(headers_out, "access-control-allow-headers", headers);
        }
        put(headers_out, "access-control-max-age", "7200");
        response
    }

    /// Lets the page at `origin` read a response, and its ETag if `etag`.
    pub(crate) fn expose(self, origin: &str, etag: bool, headers_out: &mut HeaderMap) {
        if !self.allows_origin(origin) {
            return;
        }
        self.allow(origin, headers_out);
        let exposed = if self == Self::Bucket { BUCKET_EXPOSES } else { VENDOR_EXPOSES };
        let exposed = if etag { exposed } else { exposed.trim_start_matches("ETag, ") };
        put(headers_out, "access-control-expose-headers", exposed);
    }

    fn allow(self, origin: &str, headers_out: &mut HeaderMap) {
        headers_out.append("vary", HeaderValue::from_static("Origin"));
        if self == Self::Backend {
            put(headers_out, "access-control-allow-origin", origin);
            put(headers_out, "access-control-allow-credentials", "true");
        } else {
            put(headers_out, "access-control-allow-origin", "*");
        }
    }

    fn allows_origin(self, origin: &str) -> bool {
        match self {
            Self::Bucket | Self::Vendor => true,
            // The same origin has the control API, which pages of other machines must not call.
            Self::Backend => is_local(origin),
        }
    }

    fn allows_header(self, name: &str) -> bool {
        match self {
            Self::Bucket => BUCKET_HEADERS.contains(&name) || name.starts_with("x-amz-"),
            Self::Vendor => VENDOR_HEADERS.contains(&name),
            Self::Backend => true,
        }
    }
}

/// Whether an origin is on this machine, at any port.
fn is_local(origin: &str) -> bool {
    let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    host.is_some_and(is_local_host)
}

/// Whether a `Host` names this machine, with any port.
pub(crate) fn is_local_host(host: &str) -> bool {
    let host = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => host,
        _ => host,
    };
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    // Each value is a constant or came in a header, so it is a valid one.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preflight(cors: Cors, origin: &str, headers: &str) -> Response<ResponseBody> {
        let mut request = HeaderMap::new();
        put(&mut request, "origin", origin);
        put(&mut request, "access-control-request-method", "PUT");
        put(&mut request, "access-control-request-headers", headers);
        cors.preflight(&request)
    }

    #[test]
    fn a_bucket_lets_only_its_rule_through() {
        let fine = preflight(Cors::Bucket, "https://a.example", "content-type,x-amz-meta-a");
        assert_eq!(
            (fine.status().as_u16(), &fine.headers()["access-control-allow-origin"]),
            (204, &HeaderValue::from_static("*"))
        );
        for header in ["x-api-key", "authorization", "content-type, x-connection-id"] {
            let refused = preflight(Cors::Bucket, "https://a.example", header);
            assert_eq!(refused.status(), 403);
            assert!(!refused.headers().contains_key("access-control-allow-origin"));
        }
    }

    #[test]
    fn the_backend_is_for_pages_of_this_machine() {
        for local in ["http://localhost:5173", "http://127.0.0.1:1", "http://[::1]:80", "https://localhost"] {
            assert_eq!(preflight(Cors::Backend, local, "x-anything").status(), 204, "{local}");
        }
        for foreign in ["https://a.example", "http://localhost.example:80", "null", "http://127.0.0.1.example"] {
            assert_eq!(preflight(Cors::Backend, foreign, "x-anything").status(), 403, "{foreign}");
        }
    }

    #[test]
    fn a_hidden_etag_is_not_exposed() {
        for (etag, word) in [(true, true), (false, false)] {
            let mut headers = HeaderMap::new();
            Cors::Bucket.expose("http://localhost", etag, &mut headers);
            let exposed = headers["access-control-expose-headers"].to_str().unwrap();
            assert_eq!(exposed.contains("ETag"), word);
            assert!(exposed.contains("Retry-After"));
        }
    }
}
