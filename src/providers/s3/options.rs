//! The caller's options, checked before a byte is sent, and where they lead.

use super::sigv4::encode_path;
use crate::http::Url;
use crate::json::{Pairs, decoded};
use crate::util::text::{self, Display};

/// The least and the most bytes of a part, and the most of a single PUT; the last part may be smaller (AWS, "Amazon S3
/// multipart upload limits").
pub(super) const PART: std::ops::RangeInclusive<u64> = 5 << 20..=5 << 30;
/// The most parts (the same page).
const PARTS: u64 = 10_000;
/// The part size, unless told: a few seconds on a usual uplink, so little is lost with one. (A choice.)
const USUAL_PART: u64 = 8 << 20;
/// From this size on in parts, unless told: two of the usual ones. (A choice.)
const USUAL_THRESHOLD: u64 = 16 << 20;
/// Part sizes that had to grow are whole multiples of this.
const MIB: u64 = 1 << 20;
/// The most bytes of a key (AWS, "Naming Amazon S3 objects").
const KEY: usize = 1024;

decoded! {
    /// As the caller gives them. `key` and `getCredentials` are asked for by call.
    pub(super) struct Options {
        bucket: String = "bucket",
        region: String = "region",
        endpoint: Option<String> = "endpoint",
        endpoints: Option<Vec<String>> = "endpoints",
        force_path_style: Option<bool> = "forcePathStyle",
        part_size: Option<u64> = "partSize",
        multipart_threshold: Option<u64> = "multipartThreshold",
        headers: Option<Pairs> = "headers",
        if_none_match: Option<bool> = "ifNoneMatch",
    }
}

/// The same, checked.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) region: String,
    /// At least one; the first is for all that isn't a part.
    pub(super) addresses: Vec<Address>,
    pub(super) threshold: u64,
    pub(super) if_none_match: bool,
    /// Of the object; names in lower case.
    pub(super) headers: Vec<(String, String)>,
    part_size: u64,
}

/// Where a bucket is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    origin: String,
    /// What comes before the key, encoded; ends with a slash.
    path: String,
}

/// What is wrong with an option, and what to do.
type Misfit = (String, &'static str);

/// An option that no request should be made with: what is wrong with what was `found`, and what to do.
fn misfit<T>(wrong: &str, found: &dyn Display, hint: &'static str) -> Result<T, Misfit> {
    Err((text::fill(wrong, &[found]), hint))
}

impl Options {
    /// Checks everything, for a page of the origin `page`; `resolve` parses a URL.
    ///
    /// # Errors
    /// What is wrong, and what to do.
    pub(super) fn checked(self, page: &str, resolve: impl Fn(&str) -> Option<Url>) -> Result<Target, Misfit> {
        let bucket = &self.bucket;
        if self.region.is_empty() || !is_plain(&self.region) {
            return misfit("`region` (\"{}\") is none.", &self.region, "Name it as your store does: \"us-east-1\".");
        }
        let mut endpoints = self.endpoints.unwrap_or_default();
        if endpoints.is_empty() {
            let usual = || text::concat(&["https://s3.", &self.region, ".amazonaws.com"]);
            endpoints.push(self.endpoint.unwrap_or_else(usual));
        }
        check_bucket(bucket, endpoints.iter().any(|endpoint| is_aws(endpoint)))?;
        let as_host = self.force_path_style == Some(false);
        if as_host && !names_a_host(bucket) {
            return misfit(
                "The bucket \"{}\" can't be part of a host name, and `forcePathStyle` is false.",
                bucket,
                "Set `forcePathStyle: true`, or leave it out.",
            );
        }
        let part_size = self.part_size.unwrap_or(USUAL_PART);
        if !PART.contains(&part_size) {
            return misfit("`partSize` is {} bytes.", &part_size, "S3 takes parts of 5 MiB to 5 GiB.");
        }
        let threshold = self.multipart_threshold.unwrap_or(USUAL_THRESHOLD);
        if threshold > *PART.end() {
            return misfit("`multipartThreshold` is {} bytes.", &threshold, "S3 takes at most 5 GiB in one request.");
        }
        let mut addresses = Vec::with_capacity(endpoints.len());
        for endpoint in &endpoints {
            let url = resolve(endpoint);
            if let Some(url) = &url {
                check_no_bucket(endpoint, url, bucket)?;
            }
            let Some(address) = Address::new(page, endpoint, url, bucket, self.force_path_style) else {
                return misfit(
                    "The endpoint \"{}\" is no https address.",
                    &text::before(endpoint, "?"),
                    "Give scheme and host, and a plain path if there must be one: \"https://s3.example\".",
                );
            };
            addresses.push(address);
        }
        Ok(Target {
            addresses,
            region: self.region,
            threshold,
            if_none_match: self.if_none_match == Some(true),
            headers: check_headers(self.headers.unwrap_or_default().0)?,
            part_size,
        })
    }
}

impl Target {
    /// The part size for a file: as told, larger where the parts would be too many.
    pub(super) fn part_size(&self, size: u64) -> u64 {
        self.part_size.max(size.div_ceil(PARTS).next_multiple_of(MIB))
    }

    /// False where the store encrypts with a key that makes ETags no MD5s (AWS S3 API Reference, "Object", `ETag`).
    pub(super) fn etag_is_md5(&self) -> bool {
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

impl Address {
    fn new(page: &str, endpoint: &str, url: Option<Url>, bucket: &str, force_path: Option<bool>) -> Option<Self> {
        // Without a scheme it would be a path of the page's own server.
        let whole = text::contains(endpoint, "://") && !endpoint.bytes().any(|byte| byte == b'#' || byte == b'@');
        let url = url.filter(|url| whole && url.is_safe_from(page) && url.query.is_empty())?;
        // The page's own origin by plain http: a bucket before its name would be another one.
        let own = !url.is_safe();
        if own && force_path == Some(false) {
            return None;
        }
        // What was normalised here, and signed, must be what the store reads.
        if encode_path(&url.path) != url.path {
            return None;
        }
        let (scheme, host) = text::split_once(&url.origin, "://")?;
        let name = text::rfind(host, b':').map_or(host, |at| &host[..at]);
        let numeric = name.ends_with(']') || name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let mut path = String::from(text::trim_end_matches(&url.path, b'/'));
        path.push('/');
        // A name before an IP address or a bare host name leads nowhere, and no certificate covers a name with dots.
        let by_path =
            own || numeric || !text::contains(name, ".") || text::contains(bucket, ".") || !names_a_host(bucket);
        if force_path.unwrap_or(by_path) {
            path.push_str(bucket);
            path.push('/');
            return Some(Self { origin: url.origin, path });
        }
        Some(Self { origin: text::concat(&[scheme, "://", bucket, ".", host]), path })
    }

    /// As in the `Host` header.
    pub(super) fn host(&self) -> &str {
        text::split_once(&self.origin, "://").map_or("", |(_, host)| host)
    }

    /// The path of an object, encoded.
    pub(super) fn path(&self, key: &str) -> String {
        text::concat(&[self.path.as_str(), &encode_path(key)])
    }

    /// A URL whose parts are encoded already.
    pub(super) fn url(&self, path: String, query: String) -> Url {
        let mark = if query.is_empty() { "" } else { "?" };
        Url {
            href: text::concat(&[self.origin.as_str(), &path, mark, &query]),
            origin: self.origin.clone(),
            path,
            query,
        }
    }
}

/// True for an endpoint of AWS's own.
fn is_aws(endpoint: &str) -> bool {
    let host =
        text::split_once(endpoint, "://").map_or(endpoint, |(_, rest)| text::before(text::before(rest, "/"), ":"));
    let host = host.to_ascii_lowercase();
    ["amazonaws.com", "amazonaws.com.cn"]
        .iter()
        .any(|domain| host.strip_suffix(domain).is_some_and(|before| before.is_empty() || before.ends_with('.')))
}

/// True for a bucket's name that a host name may have: it is the same in lower case, without underscores.
fn names_a_host(bucket: &str) -> bool {
    !bucket.bytes().any(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

/// Refuses an endpoint that has the bucket in it already: the object would be stored under `bucket/key` in the bucket. A host that
/// is given with its port is taken as it is.
fn check_no_bucket(endpoint: &str, url: &Url, bucket: &str) -> Result<(), Misfit> {
    const HINT: &str = "Give the address of the store alone; Partway adds the bucket. Where the store itself is at a host whose name \
        begins with the bucket's, give its port too: \"https://store.example:443\".";
    let refuse = |right: &str| {
        let what = "The endpoint \"{}\" has the bucket in it: write \"{}\".";
        Err((text::fill(what, &[&text::before(endpoint, "?"), &right]), HINT))
    };
    let path = text::trim_end_matches(&url.path, b'/');
    if let Some(before) = path.strip_suffix(bucket).and_then(|before| before.strip_suffix('/')) {
        return refuse(&text::concat(&[url.origin.as_str(), before]));
    }
    let Some((scheme, host)) = text::split_once(&url.origin, "://") else { return Ok(()) };
    let written = text::split_once(endpoint, "://").map_or("", |(_, rest)| text::before(rest, "/"));
    let rest = host.strip_prefix(bucket).and_then(|rest| rest.strip_prefix('.'));
    match rest.filter(|rest| text::contains(rest, ".") && !text::contains(written, ":")) {
        Some(rest) => refuse(&text::concat(&[scheme, "://", rest, path])),
        None => Ok(()),
    }
}

/// AWS: "General purpose bucket naming rules". Another store may take more: what a URL can hold.
fn check_bucket(bucket: &str, aws: bool) -> Result<(), Misfit> {
    if !aws {
        let fits = (1..=255).contains(&bucket.len()) && is_plain(bucket) && bucket.bytes().any(|byte| byte != b'.');
        if fits {
            return Ok(());
        }
        return misfit(
            "`bucket` (\"{}\") is no bucket's name.",
            &bucket,
            "It has at most 255 letters, digits, dots, hyphens and underscores, without a path.",
        );
    }
    let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let inner = |byte: u8| edge(Some(byte)) || byte == b'-' || byte == b'.';
    let fits = (3..=63).contains(&bucket.len())
        && bucket.bytes().all(inner)
        && edge(bucket.bytes().next())
        && edge(bucket.bytes().last())
        && !text::contains(bucket, "..");
    if fits {
        return Ok(());
    }
    misfit(
        "`bucket` (\"{}\") is no bucket's name.",
        &bucket,
        "It has 3 to 63 lower-case letters, digits, dots and hyphens, and begins and ends with a letter or digit.",
    )
}

/// True for a text of ASCII letters, digits, hyphens, underscores and dots.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// Passes headers that belong to an object (AWS S3 API Reference, PutObject and CreateMultipartUpload), in lower case.
fn check_headers(headers: Vec<(String, String)>) -> Result<Vec<(String, String)>, Misfit> {
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
            return misfit(
                "`headers` has \"{}\", which isn't an object's.",
                &name,
                "Taken are the content headers, cache-control, expires, and x-amz-meta-*, -acl, -grant-*, -tagging, \
                 -storage-class, -object-lock-*, -server-side-encryption.",
            );
        }
        if checked.iter().any(|(other, _)| *other == lower) {
            return misfit("`headers` has {} twice.", &lower, "Give each header once.");
        }
        if !value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return misfit(
                "The value of the header {} has letters beyond ASCII.",
                &lower,
                "Encode it, with encodeURIComponent() for instance.",
            );
        }
        checked.push((lower, value.trim_ascii().into()));
    }
    Ok(checked)
}

/// Passes a key that S3 takes and that a browser's URL leaves as it is.
///
/// # Errors
/// What is wrong.
pub(super) fn check_key(key: &str) -> Result<(), &'static str> {
    if key.is_empty() {
        return Err("is empty");
    }
    if key.len() > KEY {
        return Err("has more than 1024 bytes");
    }
    if text::split(key, "/").iter().any(|segment| *segment == "." || *segment == "..") {
        return Err("has a segment \".\" or \"..\", which browsers take out of an address");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(text: &str) -> Option<Url> {
        let (scheme, rest) = text.split_once("://")?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        Some(Url {
            href: text.into(),
            origin: format!("{scheme}://{host}"),
            path: format!("/{path}"),
            query: query.into(),
        })
    }

    fn options(bucket: &str) -> Options {
        Options { bucket: bucket.into(), region: "eu-west-1".into(), ..Options::default() }
    }

    fn with_headers(headers: &[(&str, &str)]) -> Options {
        let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Options { headers: Some(Pairs(headers)), ..options("bucket") }
    }

    fn elsewhere(bucket: &str) -> Options {
        Options { endpoint: Some("https://s3.example".into()), ..options(bucket) }
    }

    fn at(endpoint: &str) -> Options {
        Options { endpoint: Some(endpoint.into()), ..options("bucket") }
    }

    #[test]
    fn a_store_on_the_pages_own_origin_by_plain_http() {
        const PAGE: &str = "http://intranet.example";
        let at = |endpoint: &str, force| {
            let given = Options { endpoint: Some(endpoint.into()), force_path_style: force, ..options("bucket") };
            given
                .checked(PAGE, resolve)
                .ok()
                .map(|target| target.addresses[0].origin.clone() + &target.addresses[0].path)
        };
        let own = Some("http://intranet.example/s3/bucket/".into());
        assert_eq!(at("http://intranet.example/s3", None), own);
        assert_eq!(at("http://intranet.example/s3", Some(true)), own);
        assert_eq!(at("http://intranet.example/s3", Some(false)), None, "the bucket's name before the host's");
        assert_eq!(at("http://store.example", None), None);
        let from_https = Options { endpoint: Some("http://intranet.example".into()), ..options("bucket") };
        assert!(from_https.checked("https://intranet.example", resolve).is_err());
    }

    #[test]
    fn where_a_bucket_is() {
        for (bucket, endpoint, force, expected) in [
            ("bucket", None, None, "https://bucket.s3.eu-west-1.amazonaws.com/a%20b/c"),
            ("my.bucket", None, None, "https://s3.eu-west-1.amazonaws.com/my.bucket/a%20b/c"),
            ("bucket", None, Some(true), "https://s3.eu-west-1.amazonaws.com/bucket/a%20b/c"),
            ("bucket", Some("https://s3.example:9000/"), None, "https://bucket.s3.example:9000/a%20b/c"),
            ("bucket", Some("https://s3.example/store/"), Some(true), "https://s3.example/store/bucket/a%20b/c"),
            ("My_Bucket", Some("https://s3.example"), None, "https://s3.example/My_Bucket/a%20b/c"),
            ("x", Some("https://notamazonaws.com"), None, "https://x.notamazonaws.com/a%20b/c"),
            ("bucket", Some("https://s3.example/buckets"), None, "https://bucket.s3.example/buckets/a%20b/c"),
            ("s3", Some("https://s3.example:443"), Some(true), "https://s3.example:443/s3/a%20b/c"),
            ("s3", Some("https://s3.example:9000"), Some(true), "https://s3.example:9000/s3/a%20b/c"),
            ("bucket", Some("http://bucket.localhost:9000"), Some(true), "http://bucket.localhost:9000/bucket/a%20b/c"),
            ("bucket", Some("http://127.0.0.1:9000"), None, "http://127.0.0.1:9000/bucket/a%20b/c"),
            ("bucket", Some("http://[::1]:9000"), None, "http://[::1]:9000/bucket/a%20b/c"),
            ("bucket", Some("http://localhost:9000"), None, "http://localhost:9000/bucket/a%20b/c"),
            ("bucket", Some("http://localhost:9000"), Some(false), "http://bucket.localhost:9000/a%20b/c"),
        ] {
            let given = Options { endpoint: endpoint.map(Into::into), force_path_style: force, ..options(bucket) };
            let target = given.checked("https://app.example", resolve).unwrap();
            let address = &target.addresses[0];
            let url = address.url(address.path("a b/c"), String::new());
            assert_eq!(url.href, expected);
            assert_eq!(url.without_query(), expected);
            assert!(expected.contains(address.host()), "{expected} {}", address.host());
        }
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
            (at("https://s3.example/bucket"), "write \"https://s3.example\""),
            (at("https://s3.example/bucket/"), "write \"https://s3.example\""),
            (at("https://s3.example/store/bucket"), "write \"https://s3.example/store\""),
            (at("https://bucket.s3.example"), "write \"https://s3.example\""),
            (
                Options { force_path_style: Some(true), ..at("https://bucket.nyc3.store.example/") },
                "write \"https://nyc3.store.example\"",
            ),
            (Options { region: String::new(), ..options("bucket") }, "`region`"),
            (Options { region: "a/b".into(), ..options("bucket") }, "`region`"),
            (Options { endpoint: Some("http://s3.example".into()), ..options("bucket") }, "no https address"),
            (Options { endpoint: Some("s3.example".into()), ..options("bucket") }, "no https address"),
            (Options { endpoint: Some("https://s3.example?x=1".into()), ..options("bucket") }, "no https address"),
            (Options { endpoint: Some("https://s3.example/a(b)".into()), ..options("bucket") }, "no https address"),
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
            let (message, hint) = given.checked("https://app.example", resolve).unwrap_err();
            assert!(message.contains(expected), "{message} should name {expected}");
            assert!(!hint.is_empty());
        }
    }

    #[test]
    fn the_first_of_several_endpoints_is_the_one_for_control() {
        let given = Options {
            endpoint: Some("https://unused.example".into()),
            endpoints: Some(vec!["https://a.example".into(), "https://b.example".into()]),
            ..options("bucket")
        };
        let target = given.checked("https://app.example", resolve).unwrap();
        let hosts: Vec<_> = target.addresses.iter().map(Address::host).collect();
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
        assert!(target.etag_is_md5());
        let kms = with_headers(&[("x-amz-server-side-encryption", "aws:kms")])
            .checked("https://app.example", resolve)
            .unwrap();
        assert!(!kms.etag_is_md5());
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
