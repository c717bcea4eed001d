//! What one upload knows of its store's ETags.

use std::cell::{Cell, OnceCell};

use super::stores::{Etags, Store};

/// What one upload knows of its store's ETags.
#[derive(Debug, Default)]
pub struct KnownEtags {
    /// Whether they are MD5s: all parts of an upload are encrypted alike.
    pub(super) etags: Cell<Etags>,
    /// The last one didn't look like an MD5.
    pub(super) last_was_no_md5: Cell<bool>,
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

    /// Whether hashing a part would be useless.
    pub(crate) fn hashing_is_useless(&self) -> bool {
        self.last_was_no_md5.get() || self.etags() == Etags::Opaque
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashing_is_useless_once_etags_are_opaque() {
        let known = KnownEtags::default();
        assert!(!known.hashing_is_useless() && known.likely() == Etags::Unknown);
        known.etags.set(Etags::Opaque);
        assert!(known.hashing_is_useless() && known.likely() == Etags::Opaque);
        known.set_md5s();
        assert!(!known.hashing_is_useless() && known.etags() == Etags::Md5s);
    }
}
