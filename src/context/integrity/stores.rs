//! What the page knows about its stores' ETags: whether they are MD5s, or only look like MD5s.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::http::Url;
use crate::platform::Platform;
use crate::sync::semaphore::{Acquire, Semaphore};
use crate::util::text;

/// What ETags that look like MD5s are.
///
/// Source: AWS S3 API Reference, "Object", `ETag`: an MD5 of the data if the object is stored in plain or with SSE-S3
/// (`AES256`), something else with SSE-KMS, DSSE-KMS or SSE-C.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Etags {
    /// Unknown.
    #[default]
    Unknown,
    /// MD5s of the bytes.
    Md5s,
    /// Something else: the store encrypts with a KMS key or a customer key.
    Opaque,
}

impl Etags {
    /// What the headers of a request or of an answer say; their names are in lower case. The page sees those of an answer only if the CORS
    /// rule exposes them.
    pub(crate) fn from_headers(headers: &[(String, String)]) -> Self {
        let mut etags = Self::Unknown;
        for (name, algorithm) in headers {
            match name.strip_prefix("x-amz-server-side-encryption") {
                Some("") if algorithm == "AES256" => etags = Self::Md5s,
                Some("") if algorithm.starts_with("aws:kms") => etags = Self::Opaque,
                Some("-customer-algorithm") => return Self::Opaque,
                _ => {}
            }
        }
        etags
    }

    /// This, or the `other` if this is unknown.
    pub(crate) fn or(self, other: Self) -> Self {
        if self == Self::Unknown { other } else { self }
    }
}

/// The page's stores. Clones are the same registry.
#[derive(Clone, Debug, Default)]
pub struct Stores(Rc<RefCell<Vec<Store>>>);

/// One store: an endpoint and its bucket. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Store(Rc<State>);

#[derive(Debug)]
struct State {
    location: String,
    opaque: Cell<bool>,
    /// It says no checksums by itself.
    no_checksums: Cell<bool>,
    warned: Cell<bool>,
    /// One of its ETags was the MD5 of the bytes.
    matched: Cell<bool>,
    resend: Semaphore,
}

impl Stores {
    /// The store that a request for a part goes to; `key` is the object's, if it is known.
    pub(crate) fn of(&self, url: &Url, key: Option<&str>) -> Store {
        let location = location(url, key);
        let mut stores = self.0.borrow_mut();
        if let Some(store) = stores.iter().find(|store| store.0.location == location) {
            return store.clone();
        }
        let store = Store(Rc::new(State {
            location,
            opaque: Cell::default(),
            no_checksums: Cell::default(),
            warned: Cell::default(),
            matched: Cell::default(),
            resend: Semaphore::new(1),
        }));
        stores.push(store.clone());
        store
    }
}

impl Store {
    /// Whether one of its ETags was an MD5. Those of other objects are then most likely MD5s too, but need not be.
    pub(crate) fn has_matched(&self) -> bool {
        self.0.matched.get()
    }

    /// Remembers that one of its ETags was an MD5.
    pub(crate) fn set_matched(&self) {
        self.0.matched.set(true);
    }

    /// Whether its ETags aren't MD5s.
    pub(crate) fn is_opaque(&self) -> bool {
        self.0.opaque.get()
    }

    /// Remembers that its ETags aren't MD5s.
    pub(crate) fn set_opaque(&self) {
        self.0.opaque.set(true);
    }

    /// Whether neither its answers to parts nor those to completing have checksums.
    pub(crate) fn has_no_checksums(&self) -> bool {
        self.0.no_checksums.get()
    }

    /// Remembers that its answers have no checksums.
    pub(crate) fn set_no_checksums(&self) {
        self.0.no_checksums.set(true);
    }

    /// Warns once on the console that uploads to a store whose ETags aren't MD5s aren't verified.
    pub(crate) fn warn_unverified<P: Platform>(&self, platform: &P) {
        if self.is_opaque() && !self.0.warned.replace(true) {
            platform.warn(&text!("partway: {} encrypts with KMS or customer keys (SSE-KMS, SSE-C), so its ETags aren't MD5s, and the page can read \
                 no checksum of its own: uploads to it are not verified. Expose x-amz-checksum-crc64nvme and \
                 x-amz-server-side-encryption by the bucket's CORS rule, or set `integrity` to \"off\".", self.0.location));
        }
    }

    /// Waits for the permit to send a part once more: one part at a time does so.
    pub(crate) fn resend_permit(&self) -> Acquire {
        self.0.resend.acquire()
    }
}

/// The URL of a bucket, by the URL of an object or part: what is before the key. If the key isn't known, it is the host if that begins
/// with the bucket (AWS, "Virtual hosting of buckets"), else the host and the first segment of the path: the bucket in path style,
/// otherwise a folder, which then counts as a store of its own.
fn location(url: &Url, key: Option<&str>) -> String {
    let segments = text::split(&url.path, "/");
    let kept = match key.filter(|key| !key.is_empty()) {
        Some(key) => segments.len().saturating_sub(text::split(key, "/").len()),
        None if text::contains(&url.origin, ".s3.") || text::contains(&url.origin, ".s3-") => 1,
        None => 2.min(segments.len() - 1),
    };
    text::concat(&[&url.origin, &text::join(&segments[..kept], "/")])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(href: &str, key: Option<&str>) -> String {
        let (origin, path) = href.split_at(href[8..].find('/').map_or(href.len(), |at| at + 8));
        location(&Url { href: href.into(), origin: origin.into(), path: path.into(), query: String::new() }, key)
    }

    #[test]
    fn a_store_is_known_by_its_endpoint_and_bucket() {
        for (href, key, expected) in [
            ("https://store.example/media/a/b.mp4", Some("a/b.mp4"), "https://store.example/media"),
            ("https://store.example/x/media/b.mp4", Some("b.mp4"), "https://store.example/x/media"),
            ("https://media.store.example/a/b.mp4", Some("a/b.mp4"), "https://media.store.example"),
            ("https://store.example/media/a%20b/c", Some("a b/c"), "https://store.example/media"),
            ("https://store.example/media/a/b.mp4", None, "https://store.example/media"),
            ("https://media.s3.eu-west-1.amazonaws.com/a/b.mp4", None, "https://media.s3.eu-west-1.amazonaws.com"),
            ("https://s3.eu-west-1.amazonaws.com/media/a/b.mp4", None, "https://s3.eu-west-1.amazonaws.com/media"),
            ("https://media.store.example/a.mp4", None, "https://media.store.example"),
            ("https://store.example/", None, "https://store.example"),
            ("https://store.example/", Some("a/b/c/d"), "https://store.example"),
        ] {
            assert_eq!(of(href, key), expected, "{href} {key:?}");
        }
    }

    #[test]
    fn headers_name_the_encryption() {
        let etags =
            |name: &str, value: &str| Etags::from_headers(&[("etag".into(), "x".into()), (name.into(), value.into())]);
        assert_eq!(etags("x-amz-server-side-encryption", "AES256"), Etags::Md5s);
        assert_eq!(etags("x-amz-server-side-encryption", "aws:kms"), Etags::Opaque);
        assert_eq!(etags("x-amz-server-side-encryption", "aws:kms:dsse"), Etags::Opaque);
        assert_eq!(etags("x-amz-server-side-encryption", "aws:new"), Etags::Unknown);
        assert_eq!(etags("x-amz-server-side-encryption-customer-algorithm", "AES256"), Etags::Opaque);
        assert_eq!(etags("etag", "AES256"), Etags::Unknown);
        assert_eq!(Etags::Unknown.or(Etags::Md5s), Etags::Md5s);
        assert_eq!(Etags::Opaque.or(Etags::Md5s), Etags::Opaque);
    }
}
