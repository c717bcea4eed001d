//! The store's endpoints, checked, and the URLs of objects below them.

use super::errors::invalid_option;
use super::sigv4::encode_path;
use crate::error::Result;
use crate::http::Url;
use crate::util::text;

/// An endpoint with its bucket: what comes before an object's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    origin: String,
    /// What comes before the key, encoded; ends with a slash.
    path: String,
}

/// How a bucket's endpoints are given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket<'a> {
    pub(super) name: &'a str,
    /// Whether its name goes into the path: true or false as the caller says, else as the endpoint takes it.
    pub(super) force_path_style: Option<bool>,
}

impl Endpoint {
    /// The endpoint that `text` names, for a page of the origin `page`; `url` is the same as the platform parsed it.
    ///
    /// # Errors
    /// `invalid-options` for one that no request should go to.
    pub(super) fn checked(page: &str, text: &str, url: Option<Url>, bucket: Bucket<'_>) -> Result<Self> {
        if let Some(url) = &url {
            check_no_bucket(text, url, bucket.name)?;
        }
        Self::new(page, text, url, bucket).ok_or_else(|| {
            invalid_option(
                text!("`endpoint` must be an https URL, but is \"{}\".", text::before(text, "?")),
                "Give scheme and host, and a plain path if there must be one: \"https://s3.example\".",
            )
        })
    }

    fn new(page: &str, text: &str, url: Option<Url>, bucket: Bucket<'_>) -> Option<Self> {
        let Bucket { name: bucket, force_path_style } = bucket;
        // Without a scheme it would be resolved to a path of the page's own server.
        let whole = text::contains(text, "://") && !text.bytes().any(|byte| byte == b'#' || byte == b'@');
        let url = url.filter(|url| whole && url.is_safe_from(page) && url.query.is_empty())?;
        // The page's own origin by plain http: a bucket before its name would be another one.
        let own = !url.is_safe();
        if own && force_path_style == Some(false) {
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
        // A bucket's name before an IP address or a bare host name doesn't resolve, and no certificate covers a name with dots.
        let by_path =
            own || numeric || !text::contains(name, ".") || text::contains(bucket, ".") || !fits_host_name(bucket);
        if force_path_style.unwrap_or(by_path) {
            path.push_str(bucket);
            path.push('/');
            return Some(Self { origin: url.origin, path });
        }
        Some(Self { origin: text::concat(&[scheme, "://", bucket, ".", host]), path })
    }

    /// Scheme and host.
    pub(super) fn origin(&self) -> &str {
        &self.origin
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

/// Whether a bucket's name can be part of a host name: it is the same in lower case, without underscores.
fn fits_host_name(bucket: &str) -> bool {
    !bucket.bytes().any(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

/// Refuses an endpoint that has the bucket in it already: the object would be stored under `bucket/key` in the bucket. A host that
/// is given with its port is taken as it is.
fn check_no_bucket(endpoint: &str, url: &Url, bucket: &str) -> Result<()> {
    let refuse = |right: &str| {
        Err(invalid_option(
            text!(
                "`endpoint` must not have the bucket in it, but is \"{}\": write \"{}\".",
                text::before(endpoint, "?"),
                right
            ),
            "Give the URL of the store alone; Partway adds the bucket. Where the store itself is at a host whose name begins \
             with the bucket's, give its port too: \"https://store.example:443\".",
        ))
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const PAGE: &str = "https://app.example";

    /// A URL, as the platform's parser gives it.
    pub(in crate::providers::s3) fn resolve(text: &str) -> Option<Url> {
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

    fn checked(page: &str, endpoint: &str, name: &str, force_path_style: Option<bool>) -> Result<Endpoint> {
        Endpoint::checked(page, endpoint, resolve(endpoint), Bucket { name, force_path_style })
    }

    #[test]
    fn a_store_on_the_pages_own_origin_by_plain_http() {
        const OWN: &str = "http://intranet.example";
        let at = |endpoint: &str, force| {
            checked(OWN, endpoint, "bucket", force).ok().map(|endpoint| endpoint.origin.clone() + &endpoint.path)
        };
        let own = Some("http://intranet.example/s3/bucket/".into());
        assert_eq!(at("http://intranet.example/s3", None), own);
        assert_eq!(at("http://intranet.example/s3", Some(true)), own);
        assert_eq!(at("http://intranet.example/s3", Some(false)), None, "the bucket's name before the host's");
        assert_eq!(at("http://store.example", None), None);
        assert!(checked("https://intranet.example", OWN, "bucket", None).is_err());
    }

    #[test]
    fn where_a_bucket_is() {
        for (bucket, endpoint, force, expected) in [
            ("bucket", "https://s3.eu-west-1.amazonaws.com", None, "https://bucket.s3.eu-west-1.amazonaws.com/a%20b/c"),
            (
                "my.bucket",
                "https://s3.eu-west-1.amazonaws.com",
                None,
                "https://s3.eu-west-1.amazonaws.com/my.bucket/a%20b/c",
            ),
            (
                "bucket",
                "https://s3.eu-west-1.amazonaws.com",
                Some(true),
                "https://s3.eu-west-1.amazonaws.com/bucket/a%20b/c",
            ),
            ("bucket", "https://s3.example:9000/", None, "https://bucket.s3.example:9000/a%20b/c"),
            ("bucket", "https://s3.example/store/", Some(true), "https://s3.example/store/bucket/a%20b/c"),
            ("My_Bucket", "https://s3.example", None, "https://s3.example/My_Bucket/a%20b/c"),
            ("x", "https://notamazonaws.com", None, "https://x.notamazonaws.com/a%20b/c"),
            ("bucket", "https://s3.example/buckets", None, "https://bucket.s3.example/buckets/a%20b/c"),
            ("s3", "https://s3.example:443", Some(true), "https://s3.example:443/s3/a%20b/c"),
            ("s3", "https://s3.example:9000", Some(true), "https://s3.example:9000/s3/a%20b/c"),
            ("bucket", "http://bucket.localhost:9000", Some(true), "http://bucket.localhost:9000/bucket/a%20b/c"),
            ("bucket", "http://127.0.0.1:9000", None, "http://127.0.0.1:9000/bucket/a%20b/c"),
            ("bucket", "http://[::1]:9000", None, "http://[::1]:9000/bucket/a%20b/c"),
            ("bucket", "http://localhost:9000", None, "http://localhost:9000/bucket/a%20b/c"),
            ("bucket", "http://localhost:9000", Some(false), "http://bucket.localhost:9000/a%20b/c"),
        ] {
            let endpoint = checked(PAGE, endpoint, bucket, force).unwrap();
            let url = endpoint.url(endpoint.path("a b/c"), String::new());
            assert_eq!(url.href, expected);
            assert_eq!(url.without_query(), expected);
            assert!(expected.contains(endpoint.host()), "{expected} {}", endpoint.host());
        }
    }

    #[test]
    fn endpoints_that_no_request_goes_to() {
        for (endpoint, force, expected) in [
            ("https://s3.example/bucket", None, "write \"https://s3.example\""),
            ("https://s3.example/bucket/", None, "write \"https://s3.example\""),
            ("https://s3.example/store/bucket", None, "write \"https://s3.example/store\""),
            ("https://bucket.s3.example", None, "write \"https://s3.example\""),
            ("https://bucket.nyc3.store.example/", Some(true), "write \"https://nyc3.store.example\""),
            ("http://s3.example", None, "an https URL"),
            ("s3.example", None, "an https URL"),
            ("https://s3.example?x=1", None, "but is \"https://s3.example\""),
            ("https://s3.example/a(b)", None, "an https URL"),
        ] {
            let error = checked(PAGE, endpoint, "bucket", force).unwrap_err();
            assert!(error.message.contains(expected), "{} should say {expected}", error.message);
            assert!(error.hint.is_some());
        }
    }
}
