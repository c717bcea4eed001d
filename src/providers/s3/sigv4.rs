//! AWS Signature Version 4 in the query string: a URL that carries its own permission.
//!
//! Sources: AWS, "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)" and "Create a signed AWS API
//! request"; the vectors of the tests are AWS's.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::http::encode_segment;
use crate::util::hex::hex;
use crate::util::text;
use crate::util::time::format_amz;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The body isn't part of what is signed: a browser would have to read it first.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// What a request is signed with.
#[derive(PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) session_token: Option<String>,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// A request as far as it is signed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signable<'a> {
    pub(crate) method: &'static str,
    /// As in the `Host` header.
    pub(crate) host: &'a str,
    /// As [`encode_path`] gives it.
    pub(crate) path: &'a str,
    /// Not encoded, in any order.
    pub(crate) query: &'a [(&'a str, &'a str)],
    /// Names in lower case.
    pub(crate) headers: &'a [(String, String)],
}

/// The query of the URL that permits `request` from `at` (milliseconds since 1970) for `seconds`.
pub(crate) fn presign(key: &Key, region: &str, at: u64, seconds: u64, request: Signable<'_>) -> String {
    let date = format_amz(at);
    let scope = scope(&date, region, "s3");
    let headers = canonical_headers(request.host, request.headers);
    let (credential, seconds) = (text::join(&[key.id.as_str(), &scope], "/"), text::number(seconds));
    let mut query = vec![
        ("X-Amz-Algorithm", ALGORITHM),
        ("X-Amz-Credential", &credential),
        ("X-Amz-Date", &date),
        ("X-Amz-Expires", &seconds),
        ("X-Amz-SignedHeaders", &headers.names),
    ];
    if let Some(token) = &key.session_token {
        query.push(("X-Amz-Security-Token", token));
    }
    query.extend(request.query);
    let query = canonical_query(&query);
    let canonical = canonical_request(request.method, request.path, &query, &headers, UNSIGNED);
    let signing = signing_key(&key.secret, &date, region, "s3");
    let signature = signature(&signing, &date, &scope, &canonical);
    text::concat(&[query.as_str(), "&X-Amz-Signature=", &signature])
}

/// Puts a pair in its place by name and value: the standard library's sort weighs as much as all of this module in the download.
fn insert<'a>(sorted: &mut Vec<(&'a str, &'a str)>, pair: (&'a str, &'a str)) {
    let at = sorted.iter().position(|other| *other > pair).unwrap_or(sorted.len());
    sorted.insert(at, pair);
}

/// Encoded, then sorted by name and value.
fn canonical_query(pairs: &[(&str, &str)]) -> String {
    let encoded: Vec<_> = pairs.iter().map(|(name, value)| (encode_segment(name), encode_segment(value))).collect();
    let mut sorted = Vec::new();
    for (name, value) in &encoded {
        insert(&mut sorted, (name, value));
    }
    let mut query = String::new();
    for (name, value) in sorted {
        query.push_str(if query.is_empty() { "" } else { "&" });
        query.push_str(name);
        query.push('=');
        query.push_str(value);
    }
    query
}

/// A path, each segment percent-encoded once: S3 takes keys as they are, "//" and dots included.
pub(crate) fn encode_path(path: &str) -> String {
    let mut encoded = String::new();
    for (index, segment) in text::split(path, "/").into_iter().enumerate() {
        encoded.push_str(if index == 0 { "" } else { "/" });
        encoded.push_str(&encode_segment(segment));
    }
    encoded
}

struct Headers {
    names: String,
    lines: String,
}

/// Sorted by name, values trimmed and inner runs of spaces made one.
fn canonical_headers(host: &str, headers: &[(String, String)]) -> Headers {
    let mut sorted = vec![("host", host)];
    for (name, value) in headers {
        insert(&mut sorted, (name, value));
    }
    let (mut names, mut lines) = (String::new(), String::new());
    for (name, value) in sorted {
        names.push_str(if names.is_empty() { "" } else { ";" });
        names.push_str(name);
        lines.push_str(name);
        lines.push(':');
        let mut before = ' ';
        for letter in value.trim_ascii().chars() {
            if letter != ' ' || before != ' ' {
                lines.push(letter);
            }
            before = letter;
        }
        lines.push('\n');
    }
    Headers { names, lines }
}

fn canonical_request(method: &str, path: &str, query: &str, headers: &Headers, payload: &str) -> String {
    // The header lines end with a line feed of their own.
    text::join(&[method, path, query, &headers.lines, &headers.names, payload], "\n")
}

fn scope(date: &str, region: &str, service: &str) -> String {
    text::join(&[&date[..8], region, service, "aws4_request"], "/")
}

fn signing_key(secret: &str, date: &str, region: &str, service: &str) -> [u8; 32] {
    let mut key = hmac(text::concat(&["AWS4", secret]).as_bytes(), &date[..8]);
    for step in [region, service, "aws4_request"] {
        key = hmac(&key, step);
    }
    key
}

fn signature(key: &[u8; 32], date: &str, scope: &str, canonical: &str) -> String {
    let digest = hex(&hash(&[canonical.as_bytes()]));
    hex(&hmac(key, &text::join(&[ALGORITHM, date, scope, &digest], "\n")))
}

/// HMAC-SHA256 (RFC 2104), on the hash alone: the crate `hmac` brings it a second time, block by block.
fn hmac(key: &[u8], message: &str) -> [u8; 32] {
    let mut block = [0; 64];
    if key.len() > block.len() {
        block[..32].copy_from_slice(&hash(&[key]));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let padded = |with: u8| block.map(|byte| byte ^ with);
    hash(&[&padded(0x5c), &hash(&[&padded(0x36), message.as_bytes()])])
}

/// The SHA-256 of several pieces, one behind the other.
fn hash(pieces: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for piece in pieces {
        hash.update(piece);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str, secret: &str) -> Key {
        Key { id: id.into(), secret: secret.into(), session_token: None }
    }

    /// AWS, "Authenticating Requests: Using Query Parameters", the worked example.
    #[test]
    fn the_published_presigned_url() {
        let key = key("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        let host = "examplebucket.s3.amazonaws.com";
        let request = Signable { method: "GET", host, path: "/test.txt", query: &[], headers: &[] };
        assert_eq!(
            presign(&key, "us-east-1", 1_369_353_600_000, 86_400, request),
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
             &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
             &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
        );
    }

    /// AWS, "Examples of how to derive a signing key for Signature Version 4".
    #[test]
    fn the_published_signing_key() {
        let key = signing_key("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20120215", "us-east-1", "iam");
        assert_eq!(hex(&key), "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d");
    }

    /// RFC 4231, test cases 2 and 6: a short key, and one that is longer than a block.
    #[test]
    fn the_published_hmacs() {
        let long = hmac(&[0xaa; 131], "Test Using Larger Than Block-Size Key - Hash Key First");
        assert_eq!(hex(&long), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
        let short = hmac(b"Jefe", "what do ya want for nothing?");
        assert_eq!(hex(&short), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    /// aws-sig-v4-test-suite. Its signatures travel in a header; what is canonical, and the signature over it, is the same.
    #[test]
    fn the_published_suite() {
        const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        const DATE: &str = "20150830T123600Z";
        type Pairs = &'static [(&'static str, &'static str)];
        let cases: [(&str, &str, &str, Pairs, Pairs, &str); 9] = [
            ("get-vanilla", "GET", "/", &[], &[], "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            ("post-vanilla", "POST", "/", &[], &[], "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
            (
                "get-vanilla-query-order-key-case",
                "GET",
                "/",
                &[("Param2", "value2"), ("Param1", "value1")],
                &[],
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
            (
                "get-vanilla-query-order-value",
                "GET",
                "/",
                &[("Param1", "value2"), ("Param1", "value1")],
                &[],
                "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694",
            ),
            (
                "get-vanilla-utf8-query",
                "GET",
                "/",
                &[("ሴ", "bar")],
                &[],
                "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
            ),
            ("get-utf8", "GET", "/ሴ", &[], &[], "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
            (
                "get-unreserved",
                "GET",
                "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
                &[],
                &[],
                "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
            ),
            (
                "get-header-value-trim",
                "GET",
                "/",
                &[],
                &[("my-header1", " value1"), ("my-header2", " \"a   b   c\"")],
                "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
            ),
            (
                "get-space",
                "GET",
                "/example space/",
                &[],
                &[],
                "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
            ),
        ];
        for (name, method, path, query, headers, expected) in cases {
            let mut headers: Vec<_> = headers.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect();
            headers.push(("x-amz-date".into(), DATE.into()));
            let headers = canonical_headers("example.amazonaws.com", &headers);
            let canonical = canonical_request(method, &encode_path(path), &canonical_query(query), &headers, EMPTY);
            let signing = signing_key("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", DATE, "us-east-1", "service");
            let scope = scope(DATE, "us-east-1", "service");
            assert_eq!(signature(&signing, DATE, &scope, &canonical), expected, "{name}\n{canonical}");
        }
    }

    #[test]
    fn keys_are_encoded_once_and_slashes_stay() {
        assert_eq!(encode_path("/a b/+~(ü)//c%2F'&=?"), "/a%20b/%2B~%28%C3%BC%29//c%252F%27%26%3D%3F");
    }

    #[test]
    fn a_session_token_and_headers_are_signed() {
        let mut key = key("AKID", "secret");
        let headers = [("if-none-match".to_string(), "*".to_string()), ("content-type".into(), "video/mp4".into())];
        let query = [("uploadId", "a+b/c="), ("partNumber", "1")];
        let request = Signable { method: "PUT", host: "h", path: "/k", query: &query, headers: &headers };
        let without = presign(&key, "auto", 0, 60, request);
        key.session_token = Some("to+ken/=".into());
        let with = presign(&key, "auto", 0, 60, request);
        assert!(
            with.contains(
                "&X-Amz-Security-Token=to%2Bken%2F%3D&X-Amz-SignedHeaders=content-type%3Bhost%3Bif-none-match&"
            )
        );
        assert!(with.contains("&partNumber=1&uploadId=a%2Bb%2Fc%3D&X-Amz-Signature="), "{with}");
        let signature = |query: &str| query.rsplit('=').next().unwrap().to_string();
        assert_ne!(signature(&with), signature(&without));
        assert_eq!(format!("{key:?}"), "Key(..)");
    }
}
