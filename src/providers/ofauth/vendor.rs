//! OFAuth's hosts, paths and limits, and what its refusals mean.

use crate::error::{Code, Retry, UploadError};
use crate::http::Response;
use crate::json::Json;
use crate::providers::shared::api::Vendor;
use crate::providers::shared::reply::refusal;
use crate::util::text;

/// Hosts: the guide has the first, older SDKs and one reference page the second.
pub(super) const VENDOR: Vendor = Vendor {
    origins: &["https://api.ofauth.com", "https://api-next.ofauth.com"],
    api_path: "/v2/access/",
    key_header: "apikey",
    key_option: "apiKey",
};

/// "Create upload session". The reference marks it as deprecated and names no successor.
pub(super) const INIT: &str = "/v2/access/uploads/init";
/// "Check whether media exists in the vault".
pub(super) const CHECK: &str = "/v2/access/uploads/check";
/// "Complete upload": the path if the reply to init has no `completeUrl`.
pub(super) const COMPLETE: &str = "/v2/access/uploads/complete";
/// "Upload single-part media and finalize" and "Upload part": the path prefix if the reply to init has no `parts`.
pub(super) const UPLOADS: &str = "/v2/access/uploads/";

/// Milliseconds for one more call: 60 a minute, 90 at once, for each connection (OFAuth, "Rate limiting": a token bucket, whose
/// `X-RateLimit-Reset` is when it is full again).
pub(super) const TOKEN_MS: u64 = 1_000;

/// The guide's part size, until a plan tells another one: a file of one part has its MD5 as its ETag, a larger one what S3 makes of its
/// parts' MD5s, so that it can be asked for before init. That the vendor's ETags are such is assumed.
pub(super) const PART_SIZE: u64 = 5 << 20;

/// The guide's "Supported Formats", their common spellings among them.
pub(super) const TYPES: &[&str] = &[
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "video/mp4",
    "video/quicktime",
    "audio/mpeg",
    "audio/mp3",
    "audio/mp4",
    "audio/m4a",
    "audio/x-m4a",
];

/// The guide's "Supported Formats": its sizes, given as "about".
pub(super) const MAX_BYTES: &[(&str, u64)] = &[("image/*", 50 << 20), ("video/*", 5 << 30), ("audio/*", 50 << 20)];

/// What an answer that isn't 2xx means. An expired session has no published status: a 4xx whose message calls a session or an
/// upload expired counts as one (assumed).
pub(super) fn meaning<J: Json>(response: &Response, now: u64) -> UploadError {
    let mut error = refusal::<J>(response, now);
    if response.status == 429 {
        let token = response.token_ms(TOKEN_MS, now);
        error = error.retry(Retry::Later(Some(response.retry_after_ms(now).unwrap_or(0).max(token))));
    }
    let words = error.vendor.as_ref().map(|words| {
        text::concat(&[&words.code, &words.message].map(|text| text.as_deref().unwrap_or(""))).to_ascii_lowercase()
    });
    let expired = (400..500).contains(&response.status)
        && words.is_some_and(|words| {
            text::contains(&words, "expired") && (text::contains(&words, "session") || text::contains(&words, "upload"))
        });
    if !expired {
        return error;
    }
    error.renamed(Code::SessionExpired, "OFAuth's upload session has expired.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn refused(status: u16, headers: &[(&str, &str)], body: &Value) -> UploadError {
        let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        meaning::<Value>(&Response { status, headers, body: body.to_string(), ..Response::default() }, 0)
    }

    #[test]
    fn an_expired_session_is_known_by_its_words() {
        for (status, body, code) in [
            (400, json!({ "error": "Upload session expired" }), Code::SessionExpired),
            (410, json!({ "message": "gone", "code": "UPLOAD_EXPIRED" }), Code::SessionExpired),
            (400, json!({ "error": "The token has expired" }), Code::BadRequest),
            (503, json!({ "error": "Upload session expired" }), Code::Server),
        ] {
            assert_eq!(refused(status, &[], &body).code, code, "{status} {body}");
        }
    }

    #[test]
    fn a_rate_limit_waits_for_one_token_at_least() {
        for (headers, ms) in [
            (&[][..], 1_000),
            (&[("x-ratelimit-limit", "30")], 2_000),
            (&[("retry-after", "7")], 7_000),
            (&[("retry-after", "0"), ("x-ratelimit-reset", "60")], 1_000),
        ] {
            assert_eq!(refused(429, headers, &json!({})).retry, Retry::Later(Some(ms)), "{headers:?}");
        }
    }
}
