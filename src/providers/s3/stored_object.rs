//! Whether the object that is stored under the key is this upload's: asked where an answer was lost, or where the store doesn't know
//! the upload any more.

use crate::context::integrity::{Etags, is_of_md5s, same};

/// What is stored under the key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct StoredObject {
    pub(super) size: Option<u64>,
    pub(super) etag: Option<String>,
    /// How long ago it was written, in milliseconds.
    pub(super) age_ms: Option<u64>,
}

/// What this upload's object would be.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub(super) size: u64,
    /// Its ETag, if ETags are made of MD5s.
    pub(super) etag: Option<String>,
    /// What the store's ETags are: an opaque one proves nothing, any other one that differs proves that it is another object.
    pub(super) etags: Etags,
    /// How long ago this upload began, in milliseconds.
    pub(super) began_ms_ago: u64,
    /// Whether an object with the same bytes that was written before this upload doesn't match.
    pub(super) must_be_new: bool,
}

/// Whether a stored object is this upload's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// It is, or it has the very same bytes.
    Ours,
    /// It is another one.
    Other,
    /// It is unknown.
    Unknown,
}

/// Stores tell times in whole seconds.
const SECOND: u64 = 1000;

impl StoredObject {
    /// Compares it with what this upload's object would be: by its size, by its ETag as far as that proves anything, and by whether it
    /// was written since this upload began.
    pub(super) fn compare(&self, expected: &Expected) -> Match {
        match self.size {
            Some(size) if size != expected.size => return Match::Other,
            Some(_) => (),
            None => return Match::Unknown,
        }
        let fresh = self.age_ms.map(|age| age <= expected.began_ms_ago + SECOND);
        let etag = self.etag.as_deref().filter(|etag| is_of_md5s(etag));
        let same = expected.etag.as_deref().zip(etag).map(|(expected, etag)| same(expected, etag));
        match (same.filter(|same| *same || expected.etags != Etags::Opaque), fresh) {
            (Some(true), Some(false)) if expected.must_be_new => Match::Other,
            (Some(true), _) | (None, Some(true)) => Match::Ours,
            (Some(false), Some(true)) | (None, None) => Match::Unknown,
            (Some(false), _) | (None, Some(false)) => Match::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MD5: &str = "\"d41d8cd98f00b204e9800998ecf8427e\"";

    proptest! {
        #[test]
        fn an_object_of_another_size_is_never_ours(
            size: u64,
            stored in proptest::option::of(any::<u64>()),
            etag in proptest::option::of("(\"?[0-9a-fA-F]{32}(-[0-9]{1,5})?\"?|\\PC{0,40})"),
            expected in proptest::option::of("\"?[0-9a-f]{32}\"?"),
            age_ms in proptest::option::of(any::<u64>()),
            (etags, must_be_new) in (prop_oneof![Just(Etags::Unknown), Just(Etags::Md5s), Just(Etags::Opaque)], any::<bool>()),
            began_ms_ago in 0u64..1 << 53,
        ) {
            let stored = StoredObject { size: stored, etag, age_ms };
            let expected = Expected { size, etag: expected, etags, began_ms_ago, must_be_new };
            prop_assert!(stored.size == Some(size) || stored.compare(&expected) != Match::Ours);
        }
    }

    #[test]
    fn an_object_is_known_by_its_size_its_etag_and_its_age() {
        let other = "\"ffffffffffffffffffffffffffffffff\"";
        let expected = |must_be_new| Expected {
            size: 10,
            etag: Some(MD5.into()),
            etags: Etags::Md5s,
            began_ms_ago: 5_000,
            must_be_new,
        };
        let stored = |size, etag: Option<&str>, age| StoredObject {
            size: Some(size),
            etag: etag.map(Into::into),
            age_ms: Some(age),
        };
        for (stored, must_be_new, verdict) in [
            (stored(9, Some(MD5), 0), false, Match::Other),
            (StoredObject { size: None, ..stored(9, Some(MD5), 0) }, false, Match::Unknown),
            (stored(10, Some(MD5), 0), false, Match::Ours),
            (stored(10, Some(MD5), 90_000), false, Match::Ours),
            (stored(10, Some(MD5), 90_000), true, Match::Other),
            (stored(10, Some(MD5), 1_000), true, Match::Ours),
            (stored(10, Some(other), 0), false, Match::Unknown),
            (stored(10, Some(other), 90_000), false, Match::Other),
            (stored(10, Some("\"opaque\""), 0), false, Match::Ours),
            (stored(10, None, 5_900), false, Match::Ours),
            (stored(10, None, 6_100), false, Match::Other),
            (StoredObject { age_ms: None, ..stored(10, None, 0) }, false, Match::Unknown),
        ] {
            assert_eq!(stored.compare(&expected(must_be_new)), verdict, "{stored:?} {must_be_new}");
        }
        let opaque = Expected { etags: Etags::Opaque, ..expected(false) };
        assert_eq!(stored(10, Some(other), 0).compare(&opaque), Match::Ours);
        assert_eq!(stored(10, Some(other), 90_000).compare(&opaque), Match::Other);
        let unknown = Expected { etags: Etags::Unknown, ..expected(false) };
        assert_eq!(stored(10, Some(other), 0).compare(&unknown), Match::Unknown);
        assert_eq!(stored(10, Some(&format!("W/{MD5}")), 90_000).compare(&unknown), Match::Ours);
    }
}
