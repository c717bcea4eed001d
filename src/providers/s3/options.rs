//! The caller's options, checked before a byte is sent.

use super::endpoint::{Bucket, Endpoint, fits_host_name, is_aws};
use super::errors::invalid_option;
use crate::error::Result;
use crate::http::Url;
use crate::json::{StringMap, decoded};
use crate::util::text;

/// The least and the most bytes of a part, and the most of a single PUT; the last part may be smaller (AWS, "Amazon S3
/// multipart upload limits").
pub(super) const PART_SIZES: std::ops::RangeInclusive<u64> = 5 << 20..=5 << 30;
/// The most parts (the same page).
const MAX_PARTS: u64 = 10_000;
/// The default part size: a few seconds on a usual uplink, so little is lost with one. (A choice.)
const DEFAULT_PART_SIZE: u64 = 8 << 20;
/// Files of this size or more are sent in parts by default: two of the default size. (A choice.)
const DEFAULT_THRESHOLD: u64 = 16 << 20;
/// Part sizes that had to grow are whole multiples of this.
const MIB: u64 = 1 << 20;
/// The most bytes of a key (AWS, "Naming Amazon S3 objects").
const MAX_KEY: usize = 1024;

decoded! {
    /// As the caller gives them, but for `key` and `getCredentials`, which are called.
    #[cfg_attr(test, derive(Default))]
    pub(super) struct Options {
        bucket: String = "bucket",
        region: String = "region",
        endpoint: Option<String> = "endpoint",
        endpoints: Option<Vec<String>> = "endpoints",
        force_path_style: Option<bool> = "forcePathStyle",
        part_size: Option<u64> = "partSize",
        multipart_threshold: Option<u64> = "multipartThreshold",
        headers: Option<StringMap> = "headers",
        if_none_match: Option<bool> = "ifNoneMatch",
    }
}

/// The same, checked.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) region: String,
    /// At least one; the first is for everything but parts.
    pub(super) endpoints: Vec<Endpoint>,
    /// Files of this size or more are sent in parts.
    pub(super) threshold: u64,
    pub(super) if_none_match: bool,
    /// Of the object; names in lower case.
    pub(super) headers: Vec<(String, String)>,
    part_size: u64,
}

impl Options {
    /// Checks everything, for a page of the origin `page`; `resolve` parses a URL.
    ///
    /// # Errors
    /// `invalid-options`, for whatever no request should be made with.
    pub(super) fn checked(self, page: &str, resolve: impl Fn(&str) -> Option<Url>) -> Result<Target> {
        let bucket = self.bucket.as_str();
        if self.region.is_empty() || !is_plain(&self.region) {
            return Err(invalid_option(
                text!("`region` must be letters, digits, hyphens, underscores and dots, but is \"{}\".", self.region),
                "Name it as your store does: \"us-east-1\".",
            ));
        }
        let mut names = self.endpoints.unwrap_or_default();
        if names.is_empty() {
            let usual = || text::concat(&["https://s3.", &self.region, ".amazonaws.com"]);
            names.push(self.endpoint.unwrap_or_else(usual));
        }
        check_bucket(bucket, names.iter().any(|endpoint| is_aws(endpoint)))?;
        if self.force_path_style == Some(false) && !fits_host_name(bucket) {
            return Err(invalid_option(
                text!("`bucket` must fit into a host name where `forcePathStyle` is false, but is \"{}\".", bucket),
                "Set `forcePathStyle: true`, or leave it out.",
            ));
        }
        let part_size = self.part_size.unwrap_or(DEFAULT_PART_SIZE);
        if !PART_SIZES.contains(&part_size) {
            return Err(invalid_option(
                text!("`partSize` must be 5 MiB to 5 GiB, but is {} bytes.", part_size),
                "S3 takes parts of 5 MiB to 5 GiB.",
            ));
        }
        let threshold = self.multipart_threshold.unwrap_or(DEFAULT_THRESHOLD);
        if threshold > *PART_SIZES.end() {
            return Err(invalid_option(
                text!("`multipartThreshold` must be at most 5 GiB, but is {} bytes.", threshold),
                "S3 takes at most 5 GiB in one request.",
            ));
        }
        let bucket = Bucket { name: bucket, force_path_style: self.force_path_style };
        let mut endpoints = Vec::with_capacity(names.len());
        for name in &names {
            endpoints.push(Endpoint::checked(page, name, resolve(name), bucket)?);
        }
        Ok(Target {
            endpoints,
            region: self.region,
            threshold,
            if_none_match: self.if_none_match == Some(true),
            headers: check_headers(self.headers.unwrap_or_default().0)?,
            part_size,
        })
    }
}

impl Target {
    /// The part size for a file: as configured, larger where the parts would be too many.
    pub(super) fn part_size(&self, size: u64) -> u64 {
        self.part_size.max(size.div_ceil(MAX_PARTS).next_multiple_of(MIB))
    }

    /// Whether ETags may be MD5s: they aren't where the store encrypts with a key of KMS (AWS S3 API Reference, "Object", `ETag`).
    pub(super) fn etags_are_md5s(&self) -> bool {
        !self.headers.iter().any(|(name, value)| name == "x-amz-server-side-encryption" && value.starts_with("aws:"))
    }

    /// Names of headers that a CORS rule must allow one by one.
    pub(super) fn extra_headers(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for (name, _) in &self.headers {
            if name != "content-type" && !name.starts_with("x-amz-") {
                names.push(name.as_str());
            }
        }
        if self.if_none_match {
            names.push("if-none-match");
        }
        names
    }
}

/// AWS: "General purpose bucket naming rules". Another store may take more: what a URL can hold.
fn check_bucket(bucket: &str, aws: bool) -> Result<()> {
    let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let inner = |byte: u8| edge(Some(byte)) || byte == b'-' || byte == b'.';
    let (fits, hint) = if aws {
        let fits = (3..=63).contains(&bucket.len())
            && bucket.bytes().all(inner)
            && edge(bucket.bytes().next())
            && edge(bucket.bytes().last())
            && !text::contains(bucket, "..");
        (
            fits,
            "It has 3 to 63 lower-case letters, digits, dots and hyphens, and begins and ends with a letter or digit.",
        )
    } else {
        let fits = (1..=255).contains(&bucket.len()) && is_plain(bucket) && bucket.bytes().any(|byte| byte != b'.');
        (fits, "It has at most 255 letters, digits, dots, hyphens and underscores, without a path.")
    };
    if fits {
        return Ok(());
    }
    Err(invalid_option(text!("`bucket` must be the name of a bucket, but is \"{}\".", bucket), hint))
}

/// Whether a text has only ASCII letters, digits, hyphens, underscores and dots.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// Checks the headers of an object (AWS S3 API Reference, PutObject and CreateMultipartUpload), and gives them in lower case.
fn check_headers(headers: Vec<(String, String)>) -> Result<Vec<(String, String)>> {
    const NAMES: &[&str] = &[
        "cache-control",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-type",
        "expires",
        "x-amz-acl",
        "x-amz-server-side-encryption",
        "x-amz-server-side-encryption-aws-kms-key-id",
        "x-amz-server-side-encryption-bucket-key-enabled",
        "x-amz-server-side-encryption-context",
        "x-amz-storage-class",
        "x-amz-tagging",
        "x-amz-website-redirect-location",
    ];
    const FAMILIES: &[&str] = &["x-amz-meta-", "x-amz-grant-", "x-amz-object-lock-"];
    let mut checked: Vec<(String, String)> = Vec::new();
    for (name, value) in headers {
        let lower = name.to_ascii_lowercase();
        let in_family = FAMILIES.iter().any(|family| lower.strip_prefix(family).is_some_and(|rest| !rest.is_empty()));
        if !(is_plain(&lower) && in_family || NAMES.contains(&lower.as_str())) {
            return Err(invalid_option(
                text!("`headers` must have an object's headers, but has \"{}\".", name),
                "Allowed are the content headers, cache-control, expires, and x-amz-meta-*, -acl, -grant-*, -tagging, \
                 -storage-class, -object-lock-*, -server-side-encryption.",
            ));
        }
        if checked.iter().any(|(other, _)| *other == lower) {
            return Err(invalid_option(
                text!("`headers` must have each header once, but has {} twice.", lower),
                "Remove one of the two; names are the same in upper and lower case.",
            ));
        }
        if !value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Err(invalid_option(
                text!("The value of the header {} must be printable ASCII, but has other characters.", lower),
                "Encode it, with encodeURIComponent() for instance.",
            ));
        }
        checked.push((lower, value.trim_ascii().into()));
    }
    Ok(checked)
}

/// Checks a key: S3 must take it, and a browser must leave it as it is in a URL.
///
/// # Errors
/// A sentence that says what was expected and found.
pub(super) fn check_key(key: &str) -> std::result::Result<(), String> {
    if !(1..=MAX_KEY).contains(&key.len()) {
        return Err(text!("`key` must have 1 to {} bytes, but has {}.", MAX_KEY, key.len()));
    }
    match text::split(key, "/").into_iter().find(|segment| *segment == "." || *segment == "..") {
        Some(segment) => {
            Err(text!("`key` must have no segment that browsers remove from a URL, but has \"{}\".", segment))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::endpoint::tests::resolve;
    use super::*;
    use crate::error::Code;

    fn options(bucket: &str) -> Options {
        Options { bucket: bucket.into(), region: "eu-west-1".into(), ..Options::default() }
    }

    fn with_headers(headers: &[(&str, &str)]) -> Options {
        let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Options { headers: Some(StringMap(headers)), ..options("bucket") }
    }

    fn elsewhere(bucket: &str) -> Options {
        Options { endpoint: Some("https://s3.example".into()), ..options(bucket) }
    }

    #[test]
    fn what_no_request_is_made_with() {
        let cases: Vec<(Options, &str)> = vec![
            (options("ab"), "`bucket`"),
            (options("Bucket"), "`bucket`"),
            (options("-bucket"), "`bucket`"),
            (options("bucket."), "`bucket`"),
            (options("buc..ket"), "`bucket`"),
            (options("buc/ket"), "`bucket`"),
            (options(&"b".repeat(64)), "`bucket`"),
            (Options { endpoint: Some("https://s3.us-east-1.amazonaws.com".into()), ..options("Bucket") }, "`bucket`"),
            (
                Options { endpoint: Some("https://s3.cn-north-1.amazonaws.com.cn:443/".into()), ..options("a_b_c") },
                "`bucket`",
            ),
            (elsewhere(""), "`bucket`"),
            (elsewhere(".."), "`bucket`"),
            (elsewhere("a/b"), "`bucket`"),
            (elsewhere("a b"), "`bucket`"),
            (elsewhere("a?b"), "`bucket`"),
            (elsewhere("a\nb"), "`bucket`"),
            (elsewhere("a%2fb"), "`bucket`"),
            (elsewhere("b\u{fc}cket"), "`bucket`"),
            (elsewhere(&"b".repeat(256)), "`bucket`"),
            (Options { force_path_style: Some(false), ..elsewhere("My_Bucket") }, "`forcePathStyle`"),
            (Options { region: String::new(), ..options("bucket") }, "`region`"),
            (Options { region: "a/b".into(), ..options("bucket") }, "`region`"),
            (Options { endpoints: Some(vec!["https://a.example".into(), "x".into()]), ..options("bucket") }, "\"x\""),
            (Options { part_size: Some((5 << 20) - 1), ..options("bucket") }, "`partSize`"),
            (Options { part_size: Some((5 << 30) + 1), ..options("bucket") }, "`partSize`"),
            (Options { multipart_threshold: Some((5 << 30) + 1), ..options("bucket") }, "`multipartThreshold`"),
            (with_headers(&[("Authorization", "x")]), "Authorization"),
            (with_headers(&[("x-amz-security-token", "x")]), "x-amz-security-token"),
            (with_headers(&[("x-amz-meta-", "x")]), "x-amz-meta-"),
            (with_headers(&[("x-amz-meta-a b", "x")]), "x-amz-meta-a b"),
            (with_headers(&[("x-amz-meta-a", "ü")]), "ASCII"),
            (with_headers(&[("x-amz-meta-a", "a\nb")]), "ASCII"),
            (with_headers(&[("x-amz-meta-a", "1"), ("X-Amz-Meta-A", "2")]), "twice"),
        ];
        for (given, expected) in cases {
            let error = given.checked("https://app.example", resolve).unwrap_err();
            assert!(error.message.contains(expected), "{} should name {expected}", error.message);
            assert!(error.code == Code::InvalidOptions && error.hint.is_some());
        }
    }

    #[test]
    fn the_first_of_several_endpoints_is_for_everything_but_parts() {
        let given = Options {
            endpoint: Some("https://unused.example".into()),
            endpoints: Some(vec!["https://a.example".into(), "https://b.example".into()]),
            ..options("bucket")
        };
        let target = given.checked("https://app.example", resolve).unwrap();
        let hosts: Vec<_> = target.endpoints.iter().map(Endpoint::host).collect();
        assert_eq!(hosts, ["bucket.a.example", "bucket.b.example"]);
    }

    #[test]
    fn parts_grow_where_ten_thousand_would_not_do() {
        let target = options("bucket").checked("https://app.example", resolve).unwrap();
        assert_eq!(target.part_size(1), 8 << 20);
        assert_eq!(target.part_size(10_000 * (8 << 20)), 8 << 20);
        assert_eq!(target.part_size(10_000 * (8 << 20) + 1), 9 << 20);
        let told =
            Options { part_size: Some(5 << 20), ..options("bucket") }.checked("https://app.example", resolve).unwrap();
        assert_eq!(told.part_size(1 << 30), 5 << 20);
    }

    #[test]
    fn headers_are_an_objects_own() {
        let given = [("Cache-Control", " max-age=1 "), ("X-Amz-Meta-Title", "x"), ("Content-Type", "a/b")];
        let mut target = with_headers(&given).checked("https://app.example", resolve).unwrap();
        target.if_none_match = true;
        assert_eq!(target.headers[0], ("cache-control".into(), "max-age=1".into()));
        assert_eq!(target.extra_headers(), ["cache-control", "if-none-match"]);
        assert!(target.etags_are_md5s());
        let kms = with_headers(&[("x-amz-server-side-encryption", "aws:kms")])
            .checked("https://app.example", resolve)
            .unwrap();
        assert!(!kms.etags_are_md5s());
    }

    #[test]
    fn keys_that_a_browser_would_change_are_refused() {
        assert!(check_key("a/b//c (1)+ü/.hidden/...").is_ok());
        assert!(check_key(&"k".repeat(1024)).is_ok());
        for bad in ["", "a/../b", "./a", "a/.", &"ü".repeat(513)] {
            assert!(check_key(bad).is_err(), "{bad}");
        }
    }
}
