//! What one upload knows of its store's ETags.

use std::cell::{Cell, OnceCell};

use super::stores::{Etags, Store};

/// What one upload knows of its store's ETags.
#[derive(Debug, Default)]
pub struct KnownEtags {
    /// What they are: all parts of an upload are encrypted alike.
    pub(super) etags: Cell<Etags>,
    /// True where the last one was no MD5.
    pub(super) unlike: Cell<bool>,
    /// The store, as the first part's request has it.
    pub(super) store: OnceCell<Store>,
}

impl KnownEtags {
    /// What the ETags are, as far as this upload or another one to the same store found out.
    pub(crate) fn etags(&self) -> Etags {
        self.etags.get().or(if self.store.get().is_some_and(Store::is_opaque) { Etags::Opaque } else { Etags::Unknown })
    }

    /// What they are most likely, by other uploads too.
    pub(crate) fn likely(&self) -> Etags {
        self.etags().or(if self.store.get().is_some_and(Store::has_matched) { Etags::Md5s } else { Etags::Unknown })
    }

    /// An ETag of this upload was the MD5 of its bytes, or the same bytes got the same ETag twice.
    pub(crate) fn are_md5s(&self) {
        self.etags.set(Etags::Md5s);
    }

    /// True where hashing a part would be in vain.
    pub(crate) fn in_vain(&self) -> bool {
        self.unlike.get() || self.etags() == Etags::Opaque
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashing_is_in_vain_once_etags_are_opaque() {
        let known = KnownEtags::default();
        assert!(!known.in_vain() && known.likely() == Etags::Unknown);
        known.etags.set(Etags::Opaque);
        assert!(known.in_vain() && known.likely() == Etags::Opaque);
        known.are_md5s();
        assert!(!known.in_vain() && known.etags() == Etags::Md5s);
    }
}
