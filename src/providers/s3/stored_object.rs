//! What is stored under the key, where an answer was lost or the store no longer knows the upload: is it this file?

use md5::{Digest, Md5};

use crate::context::integrity::{Etags, bare, is_md5, is_of_md5s, same};
use crate::util::hex::hex;
use crate::util::text;

/// What a HEAD says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) size: Option<u64>,
    pub(super) etag: Option<String>,
    /// How long ago it was written, in milliseconds.
    pub(super) age: Option<u64>,
}

/// Whose object it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// This upload's, or one with the very same bytes.
    Ours,
    /// Another's.
    Other,
    /// Nobody can tell.
    Unclear,
}

/// What an object would be that is this upload's.
#[derive(Clone, Debug)]
pub(super) struct Mine {
    pub(super) size: u64,
    /// Its ETag, if it is made of MD5s.
    pub(super) etag: Option<String>,
    /// What the store's ETags are: one that is no MD5 tells nothing, and else another one is another's.
    pub(super) etags: Etags,
    /// How long ago this upload began, in milliseconds.
    pub(super) since: u64,
    /// True where the same bytes from before don't count.
    pub(super) new: bool,
}

/// Times are told in whole seconds.
const SECOND: u64 = 1000;

/// Tells whose an object is: by its size, by its ETag as far as that says anything, and by whether it was written since this
/// upload began.
pub(super) fn whose(found: &Found, mine: &Mine) -> Whose {
    match found.size {
        Some(size) if size != mine.size => return Whose::Other,
        Some(_) => (),
        None => return Whose::Unclear,
    }
    let fresh = found.age.map(|age| age <= mine.since + SECOND);
    let there = found.etag.as_deref().filter(|etag| is_of_md5s(etag));
    let same = mine.etag.as_deref().zip(there).map(|(mine, there)| same(mine, there));
    match (same.filter(|same| *same || mine.etags != Etags::Opaque), fresh) {
        (Some(true), Some(false)) if mine.new => Whose::Other,
        (Some(true), _) | (None, Some(true)) => Whose::Ours,
        (Some(false), Some(true)) | (None, None) => Whose::Unclear,
        (Some(false), _) | (None, Some(false)) => Whose::Other,
    }
}

/// The ETag of an object made of parts: the MD5 of their MD5s, and how many they are; None where a part's ETag is no MD5.
/// (AWS S3 User Guide, "Checking object integrity", multipart.)
pub(super) fn combined<'a>(etags: impl Iterator<Item = Option<&'a str>>) -> Option<String> {
    let (mut hash, mut count) = (Md5::new(), 0_u32);
    for etag in etags {
        let etag = bare(etag.filter(|etag| is_md5(etag))?);
        for pair in etag.as_bytes().chunks_exact(2) {
            let digit = |at: usize| char::from(pair[at]).to_digit(16);
            hash.update([(digit(0)? * 16 + digit(1)?) as u8]);
        }
        count += 1;
    }
    Some(text::concat(&[hex(&hash.finalize()).as_str(), "-", &text::number(count.into())]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MD5: &str = "\"d41d8cd98f00b204e9800998ecf8427e\"";

    #[test]
    fn parts_make_the_objects_etag() {
        let etag = combined([Some(MD5), Some("D41D8CD98F00B204E9800998ECF8427E")].into_iter());
        assert_eq!(etag.as_deref(), Some("5873dd45edd01f09c1ef2e7819369e8e-2"));
        assert_eq!(combined([Some(MD5), None].into_iter()), None);
        assert_eq!(combined([Some("\"opaque\"")].into_iter()), None);
        let altered = ["W/\"d41d8cd98f00b204e9800998ecf8427e\"", "\"d41d8cd98f00b204e9800998ecf8427e-gzip\""];
        assert_eq!(combined(altered.map(Some).into_iter()), etag);
    }

    proptest! {
        #[test]
        fn an_object_of_another_size_is_never_ours(
            size: u64,
            found in proptest::option::of(any::<u64>()),
            etag in proptest::option::of("(\"?[0-9a-fA-F]{32}(-[0-9]{1,5})?\"?|\\PC{0,40})"),
            mine in proptest::option::of("\"?[0-9a-f]{32}\"?"),
            age in proptest::option::of(any::<u64>()),
            (etags, new) in (prop_oneof![Just(Etags::Unknown), Just(Etags::Md5s), Just(Etags::Opaque)], any::<bool>()),
            since in 0u64..1 << 53,
        ) {
            let whose = whose(&Found { size: found, etag: etag.clone(), age }, &Mine { size, etag: mine, etags, since, new });
            prop_assert!(found == Some(size) || whose != Whose::Ours);
            prop_assert_eq!(combined([etag.as_deref()].into_iter()).is_some(), etag.is_some_and(|etag| is_md5(&etag)));
        }
    }

    #[test]
    fn whose_an_object_is() {
        let other = "\"ffffffffffffffffffffffffffffffff\"";
        let mine = |new| Mine { size: 10, etag: Some(MD5.into()), etags: Etags::Md5s, since: 5_000, new };
        let found =
            |size, etag: Option<&str>, age| Found { size: Some(size), etag: etag.map(Into::into), age: Some(age) };
        for (found, new, expected) in [
            (found(9, Some(MD5), 0), false, Whose::Other),
            (Found { size: None, ..found(9, Some(MD5), 0) }, false, Whose::Unclear),
            (found(10, Some(MD5), 0), false, Whose::Ours),
            (found(10, Some(MD5), 90_000), false, Whose::Ours),
            (found(10, Some(MD5), 90_000), true, Whose::Other),
            (found(10, Some(MD5), 1_000), true, Whose::Ours),
            (found(10, Some(other), 0), false, Whose::Unclear),
            (found(10, Some(other), 90_000), false, Whose::Other),
            (found(10, Some("\"opaque\""), 0), false, Whose::Ours),
            (found(10, None, 5_900), false, Whose::Ours),
            (found(10, None, 6_100), false, Whose::Other),
            (Found { age: None, ..found(10, None, 0) }, false, Whose::Unclear),
        ] {
            assert_eq!(whose(&found, &mine(new)), expected, "{found:?} {new}");
        }
        let opaque = Mine { etags: Etags::Opaque, ..mine(false) };
        assert_eq!(whose(&found(10, Some(other), 0), &opaque), Whose::Ours);
        assert_eq!(whose(&found(10, Some(other), 90_000), &opaque), Whose::Other);
        let unknown = Mine { etags: Etags::Unknown, ..mine(false) };
        assert_eq!(whose(&found(10, Some(other), 0), &unknown), Whose::Unclear);
        assert_eq!(whose(&found(10, Some(&format!("W/{MD5}")), 90_000), &unknown), Whose::Ours);
    }
}
