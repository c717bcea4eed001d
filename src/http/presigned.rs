//! Reads presigned URLs: when they expire, and whether they were signed for an empty body.

use crate::http::Url;
use crate::util::time;

/// When a presigned URL expires, as far as it says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expiry {
    /// The time, in milliseconds since 1970 by the signer's clock.
    pub at: Option<u64>,
    /// Its lifetime in milliseconds.
    pub span: Option<u64>,
}

impl Expiry {
    /// The same, with `at` as the time if the URL has none.
    pub fn or(self, at: Option<u64>) -> Self {
        Self { at: self.at.or(at), ..self }
    }

    /// Whether the URL may have expired: by this machine's clock, or because it was received at `since` and its lifetime is over.
    /// Clocks may be off, so the caller must not rely on the answer.
    pub fn may_be_expired(&self, now: u64, since: u64) -> bool {
        let outlived = |span| now.saturating_sub(since) >= span;
        self.at.is_some_and(|at| at <= now) || self.span.is_some_and(outlived)
    }
}

/// The checksums of an empty body, in the query of a URL that was signed for one.
/// (Newer AWS SDKs presign so by default: AWS SDKs and Tools Reference Guide, "Data integrity protections".)
const EMPTY_CHECKSUMS: [(&str, &str); 5] = [
    ("x-amz-checksum-crc32", "AAAAAA=="),
    ("x-amz-checksum-crc32c", "AAAAAA=="),
    ("x-amz-checksum-crc64nvme", "AAAAAAAAAAA="),
    ("x-amz-checksum-sha1", "2jmj7l5rSw0yVb/vlWAYkK/YBwk="),
    ("x-amz-checksum-sha256", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
];

impl Url {
    /// Reads when the URL expires.
    ///
    /// Sources: AWS, "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)" (`X-Amz-Date`, `X-Amz-Expires`);
    /// Google Cloud Storage, "Signed URLs" (`X-Goog-Date`, `X-Goog-Expires`; before V4 `Expires` in epoch seconds, as AWS's
    /// Signature Version 2 has it); Azure, "Create a service SAS" (`se`, ISO 8601, beside `sig`).
    pub fn expiry(&self) -> Expiry {
        for (date, expires) in [("X-Amz-Date", "X-Amz-Expires"), ("X-Goog-Date", "X-Goog-Expires")] {
            let seconds = self.query_value(expires).and_then(|seconds| seconds.parse::<u64>().ok());
            if let Some(seconds) = seconds {
                let span = seconds.saturating_mul(1000);
                let signed = self.query_value(date).and_then(|date| time::parse_amz(&date));
                return Expiry { at: signed.map(|signed| signed.saturating_add(span)), span: Some(span) };
            }
        }
        let beside = |mark: &str, name: &str| self.query_value(mark).and_then(|_| self.query_value(name));
        let epoch = || beside("Signature", "Expires")?.parse::<u64>().ok().map(|seconds| seconds.saturating_mul(1000));
        let azure = || time::parse_iso_short(&beside("sig", "se")?);
        Expiry { at: epoch().or_else(azure), span: None }
    }

    /// When it expires, in milliseconds since 1970; None if it doesn't say.
    pub fn expires_at(&self) -> Option<u64> {
        self.expiry().at
    }

    /// The name of the parameter that has the checksum of an empty body, if there is one.
    pub fn signed_for_empty_body(&self) -> Option<&'static str> {
        // A plus sign that wasn't encoded reads as a space.
        let same = |value: String, checksum: &str| {
            value.bytes().map(|byte| if byte == b' ' { b'+' } else { byte }).eq(checksum.bytes())
        };
        for (name, checksum) in EMPTY_CHECKSUMS {
            if self.query_value(name).is_some_and(|value| same(value, checksum)) {
                return Some(name);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn url(query: &str) -> Url {
        Url { href: String::new(), origin: "https://s3.example".into(), path: "/".into(), query: query.into() }
    }

    const NEW_YEAR: u64 = 1_767_225_600_000;

    #[test]
    fn each_style_says_when_it_expires() {
        for (query, at, span) in [
            ("X-Amz-Date=20260101T000000Z&X-Amz-Expires=60", Some(NEW_YEAR + 60_000), Some(60_000)),
            ("x-amz-expires=60&x-amz-date=20260101T000000Z", Some(NEW_YEAR + 60_000), Some(60_000)),
            ("X-Amz-Expires=60", None, Some(60_000)),
            ("X-Amz-Date=20260101T000000Z", None, None),
            (
                "X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Date=20260101T000000Z&X-Goog-Expires=900",
                Some(NEW_YEAR + 900_000),
                Some(900_000),
            ),
            ("AWSAccessKeyId=AKIA&Expires=1767225600&Signature=a%2Bb", Some(NEW_YEAR), None),
            ("GoogleAccessId=a%40b.example&Expires=1767225600&Signature=a", Some(NEW_YEAR), None),
            ("Expires=1767225600&Signature=a&Key-Pair-Id=K", Some(NEW_YEAR), None),
            ("Expires=1767225600", None, None),
            ("Expires=soon&Signature=a", None, None),
            ("Expires=99999999999999999999&Signature=a", None, None),
            ("sv=2024-11-04&se=2026-01-01T00%3A00%3A00Z&sr=b&sp=w&sig=a%3D", Some(NEW_YEAR), None),
            ("se=2026-01-01T00:00Z&sig=a", Some(NEW_YEAR), None),
            ("se=2026-01-01&sig=a", Some(NEW_YEAR), None),
            ("se=2026-01-01T00:00:00Z", None, None),
            ("se=later&sig=a", None, None),
            ("", None, None),
        ] {
            assert_eq!(url(query).expiry(), Expiry { at, span }, "{query}");
        }
    }

    #[test]
    fn a_url_may_be_expired_by_its_moment_or_by_its_span() {
        let both = Expiry { at: Some(10_000), span: Some(3_000) };
        for (now, since, over) in
            [(9_999, 9_999, false), (10_000, 9_999, true), (5_000, 2_001, false), (5_000, 2_000, true)]
        {
            assert_eq!(both.may_be_expired(now, since), over, "{now} {since}");
        }
        assert!(!Expiry::default().may_be_expired(u64::MAX, 0));
    }

    #[test]
    fn checksums_of_nothing_are_known() {
        for (query, name) in [
            ("x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32", Some("x-amz-checksum-crc32")),
            ("X-Amz-Checksum-Crc32C=AAAAAA==", Some("x-amz-checksum-crc32c")),
            ("x-amz-checksum-crc64nvme=AAAAAAAAAAA%3D", Some("x-amz-checksum-crc64nvme")),
            ("x-amz-checksum-sha1=2jmj7l5rSw0yVb%2FvlWAYkK%2FYBwk%3D", Some("x-amz-checksum-sha1")),
            (
                "x-amz-checksum-sha256=47DEQpj8HBSa%2B%2FTImW%2B5JCeuQeRkm5NMpJWZG3hSuFU%3D",
                Some("x-amz-checksum-sha256"),
            ),
            ("x-amz-checksum-sha256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", Some("x-amz-checksum-sha256")),
            ("x-amz-checksum-crc32=DUoRhQ%3D%3D", None),
            ("x-amz-sdk-checksum-algorithm=CRC32", None),
            ("x-amz-checksum-algorithm=CRC32&x-amz-checksum-type=FULL_OBJECT", None),
        ] {
            assert_eq!(url(query).signed_for_empty_body(), name, "{query}");
        }
    }

    proptest! {
        #[test]
        fn any_query_can_be_asked(query in "[a-zA-Z0-9%&=+;:X\\-]{0,80}", now: u64, since: u64) {
            let url = url(&query);
            let _ = (url.expiry().may_be_expired(now, since), url.signed_for_empty_body());
        }
    }
}
