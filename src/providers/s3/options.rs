//! The caller's options. The package's face has checked their shapes; here endpoints and keys are checked, before a byte is sent.

use super::checksum::Algorithm;
use super::endpoint::{Bucket, Endpoint};
use crate::error::Result;
use crate::http::Url;
use crate::json::{StringMap, decoded};
use crate::util::text;

/// The least bytes of a part but the last (AWS, "Amazon S3 multipart upload limits").
const MIN_PART_SIZE: u64 = 5 << 20;
/// The most bytes of a part (the same page).
pub(super) const MAX_PART_SIZE: u64 = 5 << 30;
/// The most parts (the same page).
const MAX_PARTS: u64 = 10_000;
/// The most bytes of a part as long as the page has measured no rate: each part has a preflight and a round trip, and a lost one takes
/// seconds on a usual uplink: 20 at 10 Mbit/s. (A choice.)
const UNMEASURED: u64 = 24 << 20;
/// A part that is lost costs its slot at most this time, in seconds, at the rate that was measured. (A choice.)
const LOST_S: u64 = 8;
/// Each slot gets this many parts at least, so that all of them have work until the end. (A choice.)
const WAVES: u64 = 4;
/// Files of this size or more are sent in parts by default. (A choice: three parts of the least size.)
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
        checksum: Option<Algorithm> = "checksum",
    }
}

/// The same, with what is derived from it.
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
    /// The algorithm of the checksum that each part is sent with.
    pub(super) checksum: Option<Algorithm>,
    /// As the caller gives it.
    part_size: Option<u64>,
}

impl Options {
    /// Checks the endpoints, for a page of the origin `page`; `resolve` parses a URL.
    ///
    /// # Errors
    /// `invalid-options` for an endpoint that no request should go to.
    pub(super) fn checked(self, page: &str, resolve: impl Fn(&str) -> Option<Url>) -> Result<Target> {
        let mut names = self.endpoints.unwrap_or_default();
        if names.is_empty() {
            let usual = || text::concat(&["https://s3.", &self.region, ".amazonaws.com"]);
            names.push(self.endpoint.unwrap_or_else(usual));
        }
        let bucket = Bucket { name: &self.bucket, force_path_style: self.force_path_style };
        let mut endpoints = Vec::with_capacity(names.len());
        for name in &names {
            endpoints.push(Endpoint::checked(page, name, resolve(name), bucket)?);
        }
        Ok(Target {
            endpoints,
            region: self.region,
            threshold: self.multipart_threshold.unwrap_or(DEFAULT_THRESHOLD),
            if_none_match: self.if_none_match == Some(true),
            headers: normalized(self.headers.unwrap_or_default().0),
            checksum: self.checksum,
            part_size: self.part_size,
        })
    }
}

impl Target {
    /// The part size for a file: as configured, else as few parts as that many slots can share evenly, of which each takes seconds at
    /// the measured rate in bytes a second; larger where the parts would be too many.
    pub(super) fn part_size(&self, size: u64, slots: usize, rate: Option<u64>) -> u64 {
        let least = size.div_ceil(MAX_PARTS).next_multiple_of(MIB).max(MIN_PART_SIZE);
        if let Some(part_size) = self.part_size {
            return part_size.max(least);
        }
        let slots = slots.max(1) as u64;
        let most = rate.map_or(UNMEASURED, |rate| rate.saturating_mul(LOST_S) / slots);
        let count = size.div_ceil(most.clamp(MIN_PART_SIZE, MAX_PART_SIZE)).max(WAVES * slots);
        size.div_ceil(count.next_multiple_of(slots)).max(least)
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

/// Headers as they are signed: names in lower case, values without spaces around them (AWS, "Create a signed AWS API request").
fn normalized(headers: Vec<(String, String)>) -> Vec<(String, String)> {
    let lower = |(name, value): (String, String)| (name.to_ascii_lowercase(), value.trim_ascii().into());
    headers.into_iter().map(lower).collect()
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

    #[test]
    fn every_endpoint_is_checked() {
        let endpoints = Some(vec!["https://a.example".into(), "x".into()]);
        let given = Options { endpoints, ..options("bucket") };
        let error = given.checked("https://app.example", resolve).unwrap_err();
        assert!(error.message.contains("\"x\""), "{}", error.message);
        assert!(error.code == Code::InvalidOptions && error.hint.is_some());
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
        let told =
            Options { part_size: Some(8 << 20), ..options("bucket") }.checked("https://app.example", resolve).unwrap();
        for (size, part_size) in [(1, 8), (10_000 * (8 << 20), 8), (10_000 * (8 << 20) + 1, 9)] {
            assert_eq!(told.part_size(size, 6, Some(1 << 30)), part_size << 20, "{size}");
        }
    }

    #[test]
    fn parts_are_few_and_cost_seconds() {
        let target = options("bucket").checked("https://app.example", resolve).unwrap();
        let parts = |size: u64, slots, rate| size.div_ceil(target.part_size(size, slots, rate));
        let (mib, gib) = (1 << 20, 1 << 30);
        for (size, slots, rate, expected) in [
            // As long as nothing is measured.
            (16 * mib, 6, None, 4),
            (256 * mib, 6, None, 24),
            (gib, 6, None, 48),
            (gib, 4, None, 44),
            // 10 Mbit/s, 100 Mbit/s and a gigabit.
            (gib, 6, Some(1_250_000), 205),
            (gib, 6, Some(12_500_000), 66),
            (gib, 6, Some(125_000_000), 24),
            (gib, 12, Some(125_000_000), 48),
            (100 * gib, 6, Some(125_000_000), 648),
            (100 * gib, 6, Some(1), 9_310),
        ] {
            assert_eq!(parts(size, slots, rate), expected, "{size} {slots} {rate:?}");
        }
        let largest = 10_000 * (5 << 30);
        assert_eq!(parts(largest, 6, None), 10_000);
    }

    proptest::proptest! {
        #[test]
        fn any_part_size_is_one_that_s3_takes(size in 1u64..=50_000 << 30, slots in 0usize..300, rate: Option<u64>) {
            let target = options("bucket").checked("https://app.example", resolve).unwrap();
            let part_size = target.part_size(size, slots, rate);
            proptest::prop_assert!((MIN_PART_SIZE..=MAX_PART_SIZE).contains(&part_size) && size.div_ceil(part_size) <= MAX_PARTS);
        }
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
