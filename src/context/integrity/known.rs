//! What one upload knows of its store's ETags.

use std::cell::{Cell, OnceCell};

use super::stores::{Etags, Store};
use crate::platform::Wanted;

/// What one upload knows of its store's ETags.
#[derive(Debug, Default)]
pub struct KnownEtags {
    /// Whether they are MD5s: all parts of an upload are encrypted alike.
    pub(super) etags: Cell<Etags>,
    /// The last one didn't look like an MD5.
    pub(super) last_was_no_md5: Cell<bool>,
    /// The last answer had no checksum.
    pub(super) last_had_no_checksum: Cell<bool>,
    /// Completing may give the store's checksum of the whole.
    checksum_follows: Cell<bool>,
    /// The store, by the first part's request.
    pub(super) store: OnceCell<Store>,
}

impl KnownEtags {
    /// Whether the ETags are MD5s, as far as this upload or another one to the same store found out.
    pub(crate) fn etags(&self) -> Etags {
        self.etags.get().or(if self.store.get().is_some_and(Store::is_opaque) { Etags::Opaque } else { Etags::Unknown })
    }

    /// Whether the ETags are MD5s, assuming that they are like those of other uploads to the same store.
    pub(crate) fn likely(&self) -> Etags {
        self.etags().or(if self.store.get().is_some_and(Store::has_matched) { Etags::Md5s } else { Etags::Unknown })
    }

    /// Notes that an ETag of this upload was the MD5 of its bytes, or that the same bytes got the same ETag twice.
    pub(crate) fn set_md5s(&self) {
        self.etags.set(Etags::Md5s);
    }

    /// Notes that the ETags of this upload's answers say nothing of its bytes.
    pub(crate) fn set_meaningless(&self) {
        self.etags.set(Etags::Opaque);
    }

    /// The store, once a part was sent to it.
    pub(crate) fn store(&self) -> Option<&Store> {
        self.store.get()
    }

    /// Notes whether completing may give the store's checksum of the whole.
    pub(crate) fn set_checksum_follows(&self, follows: bool) {
        self.checksum_follows.set(follows);
    }

    /// Whether completing may give the store's checksum of the whole, as far as the page knows the store.
    pub(crate) fn checksum_follows(&self) -> bool {
        self.checksum_follows.get() && !self.store.get().is_some_and(Store::has_no_checksums)
    }

    /// Notes that completing gave no checksum, though it may: neither will other uploads to a store that says none of parts.
    pub(super) fn no_checksum_came(&self) {
        let says_none = self.checksum_follows.get() && self.last_had_no_checksum.get();
        if let Some(store) = self.store.get().filter(|_| says_none) {
            store.set_no_checksums();
        }
    }

    /// Which digests of a part may prove something: both while nothing is known, one as soon as it is enough.
    pub(crate) fn wanted(&self) -> Wanted {
        let says_none = self.last_had_no_checksum.get() || self.store.get().is_some_and(Store::has_no_checksums);
        Wanted {
            md5: !self.last_was_no_md5.get() && self.etags() != Etags::Opaque,
            crc64: self.likely() != Etags::Md5s && (!says_none || self.checksum_follows()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::stores::Stores;
    use super::*;
    use crate::http::Url;

    const BOTH: Wanted = Wanted { md5: true, crc64: true };
    const CRC64: Wanted = Wanted { md5: false, crc64: true };

    #[test]
    fn one_digest_is_enough_once_it_is_known_which() {
        let known = KnownEtags::default();
        assert_eq!((known.wanted(), known.likely()), (BOTH, Etags::Unknown));
        known.etags.set(Etags::Opaque);
        assert_eq!((known.wanted(), known.likely()), (CRC64, Etags::Opaque));
        known.set_md5s();
        assert_eq!((known.wanted(), known.etags()), (Wanted::MD5, Etags::Md5s));
    }

    #[test]
    fn a_store_that_says_no_checksum_of_parts_may_say_one_of_the_whole() {
        let known = KnownEtags::default();
        known.etags.set(Etags::Opaque);
        known.last_had_no_checksum.set(true);
        assert_eq!(known.wanted(), Wanted::default());
        known.set_checksum_follows(true);
        assert_eq!(known.wanted(), CRC64);
    }

    #[test]
    fn a_store_whose_etags_were_md5s_most_likely_has_md5s_again() {
        let url = Url { href: String::new(), origin: String::new(), path: "/a".into(), query: String::new() };
        let store = Stores::default().of(&url, None);
        let known = KnownEtags::default();
        known.store.set(store.clone()).unwrap();
        assert_eq!((known.wanted(), known.likely()), (BOTH, Etags::Unknown));
        store.set_matched();
        assert_eq!((known.wanted(), known.likely()), (Wanted::MD5, Etags::Md5s));
        assert_eq!(known.etags(), Etags::Unknown, "that isn't sure");
    }

    #[test]
    fn a_store_is_known_to_have_no_checksums_once_neither_parts_nor_completing_gave_one() {
        for (part_had_none, may_follow, has_none) in
            [(false, false, false), (false, true, false), (true, false, false), (true, true, true)]
        {
            let url = Url { href: String::new(), origin: String::new(), path: "/a".into(), query: String::new() };
            let store = Stores::default().of(&url, None);
            let [known, next] = [(); 2].map(|()| {
                let known = KnownEtags::default();
                known.store.set(store.clone()).unwrap();
                known.set_checksum_follows(may_follow);
                known
            });
            known.last_had_no_checksum.set(part_had_none);
            known.no_checksum_came();
            assert_eq!(store.has_no_checksums(), has_none, "{part_had_none} {may_follow}");
            assert_eq!(next.wanted().crc64, !has_none, "what the next upload computes");
        }
    }
}
