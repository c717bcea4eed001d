//! The file's digests.

use std::cell::{Cell, RefCell};

use crate::model::plan::ByteRange;
use crate::platform::Digests;

/// The file's digests, as far as they were computed.
#[derive(Debug, Default)]
pub struct FileDigests {
    whole: Cell<Digests>,
    /// Those of parts that were hashed before they were sent.
    parts: RefCell<Vec<(ByteRange, Digests)>>,
    sample: Cell<Option<[u8; 16]>>,
}

impl FileDigests {
    /// Those of the whole file that a step computed.
    pub fn whole(&self) -> Digests {
        self.whole.get()
    }

    /// Remembers those of the whole file.
    pub fn set_whole(&self, digests: Digests) {
        self.whole.set(digests);
    }

    /// Remembers those of a part for when it is sent.
    pub fn set_part(&self, range: ByteRange, digests: Digests) {
        self.parts.borrow_mut().push((range, digests));
    }

    /// Takes those of a part, once: for another attempt it is read again, as it then is.
    pub fn take_part(&self, range: ByteRange) -> Digests {
        let mut parts = self.parts.borrow_mut();
        let at = parts.iter().position(|(known, _)| *known == range);
        at.map_or_else(Digests::default, |at| parts.swap_remove(at).1)
    }

    /// Remembers the MD5 of the file's head and tail when the upload began.
    pub fn set_sample(&self, sample: Option<[u8; 16]>) {
        self.sample.set(sample);
    }

    /// Whether head and tail are unchanged.
    pub fn has_sample(&self, sample: Option<[u8; 16]>) -> bool {
        sample.is_some() && self.sample.get() == sample
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parts_digests_are_good_for_one_attempt() {
        let (digests, range) = (FileDigests::default(), ByteRange::new(5, 9));
        let known = Digests { md5: Some([1; 16]), crc64: None };
        digests.set_part(range, known);
        assert_eq!(digests.take_part(ByteRange::new(5, 8)), Digests::default());
        assert_eq!([digests.take_part(range), digests.take_part(range)], [known, Digests::default()]);
    }

    #[test]
    fn a_sample_that_cannot_be_read_is_different() {
        let digests = FileDigests::default();
        assert!(!digests.has_sample(None));
        digests.set_sample(Some([1; 16]));
        assert!(digests.has_sample(Some([1; 16])) && !digests.has_sample(Some([2; 16])) && !digests.has_sample(None));
    }
}
