//! URLs.

use crate::util::hex::hex;
use crate::util::text;

/// An absolute, normalised URL, as the platform's own parser gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// The whole URL.
    pub href: String,
    /// Scheme, host and port: `https://api.example`.
    pub origin: String,
    /// The path, percent-encoded, dot segments resolved.
    pub path: String,
    /// The query without its `?`, percent-encoded; empty if there is none.
    pub query: String,
}

impl Url {
    /// The URL without its query, for messages: a presigned URL's query is a secret.
    pub fn without_query(&self) -> String {
        text!("{}{}", self.origin, self.path)
    }

    /// Whether the URL is https, or plain http on this machine.
    pub fn is_safe(&self) -> bool {
        let Some(host) = self.origin.strip_prefix("http://") else {
            return self.origin.starts_with("https://");
        };
        let name = match text::rfind(host, b':') {
            Some(colon) if !host.ends_with(']') => &host[..colon],
            _ => host,
        };
        name == "localhost"
            || name == "[::1]"
            || name.ends_with(".localhost")
            || name.strip_prefix("127.").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
    }

    /// Whether a page of that origin may send to it: a safe URL, or one of the page's own origin if the page itself was loaded over plain
    /// http (an intranet). A page that was loaded over https never sends over http.
    pub fn is_safe_from(&self, page: &str) -> bool {
        self.is_safe() || (page.starts_with("http://") && self.origin == page)
    }

    /// Whether browsers block a request to it, since the page of that origin was loaded over https (W3C, "Mixed Content").
    pub fn is_mixed_content(&self, page: &str) -> bool {
        page.starts_with("https:") && self.origin.starts_with("http:") && !self.is_safe()
    }

    /// The decoded value of a query parameter, its name compared without regard to case; None for one that isn't ASCII.
    pub fn query_value(&self, name: &str) -> Option<String> {
        percent_decode(self.encoded_value(name)?)
    }

    fn encoded_value(&self, name: &str) -> Option<&str> {
        for pair in text::split(&self.query, "&") {
            let (key, value) = text::split_once(pair, "=").unwrap_or((pair, ""));
            if key.eq_ignore_ascii_case(name) {
                return Some(value);
            }
        }
        None
    }

    /// The header names that a SigV4 URL signed, lower case, without `host`; None where it isn't such a URL.
    ///
    /// Source: AWS, "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)".
    pub fn signed_headers(&self) -> Option<Vec<String>> {
        let encoded = self.encoded_value("X-Amz-SignedHeaders")?;
        // A list that can't be decoded has no valid header name, so no value can be given for it.
        let list = percent_decode(encoded).unwrap_or_else(|| encoded.into());
        let mut names = Vec::new();
        for name in text::split(&list, ";") {
            if name != "host" {
                names.push(name.to_ascii_lowercase());
            }
        }
        Some(names)
    }
}

/// Percent-encodes a path segment: all but the unreserved characters (RFC 3986, 2.3).
///
/// ```
/// assert_eq!(partway::http::encode_segment("upload:a/b"), "upload%3Aa%2Fb");
/// ```
pub fn encode_segment(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&hex(&[byte]).to_ascii_uppercase());
        }
    }
    encoded
}

/// Decodes a percent-encoded text; None if it isn't ASCII, as everything is that a presigner writes.
fn percent_decode(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut decoded = String::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let byte = match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                at += 2;
                (high * 16 + low) as u8
            }
            (b'+', ..) => b' ',
            _ => byte,
        };
        at += 1;
        decoded.push(byte.is_ascii().then(|| char::from(byte))?);
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::util::time;
    use proptest::prelude::*;

    fn url(query: String) -> Url {
        Url { href: String::new(), origin: "https://s3.example".into(), path: "/".into(), query }
    }

    #[test]
    fn signed_names_that_no_header_has_are_names_all_the_same() {
        let names = |query: &str| url(query.into()).signed_headers();
        for (query, signed) in [
            ("X-Amz-SignedHeaders=host", Some(vec![])),
            ("x-amz-signedheaders=host%3BContent-Type", Some(vec!["content-type"])),
            ("X-Amz-SignedHeaders=%EF%BF%BChost", Some(vec!["%ef%bf%bchost"])),
            ("X-Amz-Date=1", None),
        ] {
            assert_eq!(names(query), signed.map(|names| names.into_iter().map(String::from).collect()), "{query}");
        }
    }

    #[test]
    fn only_https_and_this_machine_are_safe() {
        for (origin, safe) in [
            ("https://s3.example", true),
            ("http://localhost:9000", true),
            ("http://a.localhost", true),
            ("http://127.0.0.1:1", true),
            ("http://[::1]:9000", true),
            ("http://s3.example", false),
            ("http://127.0.0.1.evil.example", false),
            ("http://localhost.evil.example", false),
            ("http://notlocalhost", false),
            ("http://[::2]", false),
            ("ftp://localhost", false),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(Url { origin: origin.into(), ..url(String::new()) }.is_safe(), safe, "{origin}");
        }
    }

    #[test]
    fn a_page_by_plain_http_may_send_to_its_own_origin() {
        let own = Url { origin: "http://intranet.example:8080".into(), ..url(String::new()) };
        for (page, safe) in [
            ("http://intranet.example:8080", true),
            ("http://intranet.example", false),
            ("https://intranet.example:8080", false),
            ("http://evil.example", false),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(own.is_safe_from(page), safe, "{page}");
        }
        assert!(url(String::new()).is_safe_from("http://intranet.example"));
        for origin in ["null", "", "ftp://a.example"] {
            assert!(!Url { origin: origin.into(), ..url(String::new()) }.is_safe_from(origin), "{origin}");
        }
    }

    #[test]
    fn plain_http_is_blocked_on_a_page_that_came_by_https() {
        let to = |origin: &str| Url { origin: origin.into(), ..url(String::new()) };
        for (origin, page, blocked) in [
            ("http://store.example", "https://app.example", true),
            ("http://store.example", "http://app.example", false),
            ("https://store.example", "https://app.example", false),
            // Browsers let this machine's own addresses pass, Safari aside.
            ("http://127.0.0.1:9000", "https://app.example", false),
        ] {
            assert_eq!(to(origin).is_mixed_content(page), blocked, "{origin} on {page}");
        }
    }

    proptest! {
        #[test]
        fn any_query_can_be_asked(query in "[a-zA-Z0-9%&=+;:X\\-\u{e9}]{0,80}", name in "\\PC{0,10}") {
            let url = url(query);
            let _ = (url.query_value(&name), url.signed_headers(), url.expires_at());
        }

        #[test]
        fn what_is_encoded_comes_back(name in "[a-zA-Z-]{1,10}", value in "([ -~]{0,30}|\\PC{0,30})") {
            let url = url(format!("a=1&{name}={}&b", encode_segment(&value)));
            prop_assume!(!matches!(name.to_ascii_lowercase().as_str(), "a" | "b"));
            prop_assert_eq!(url.query_value(&name.to_ascii_uppercase()), value.is_ascii().then_some(value));
        }

        #[test]
        fn an_expiry_is_after_what_it_counts_from(date in "(20[0-9]{6}T[0-9]{6}Z|\\PC{0,20})", seconds in "[0-9]{0,25}") {
            let url = url(format!("X-Amz-Date={}&X-Amz-Expires={seconds}", encode_segment(&date)));
            if let Some(at) = url.expires_at() {
                prop_assert!(at >= time::parse_amz(&date).unwrap());
            }
        }
    }
}
