//! The file's digests.

use std::cell::{Cell, RefCell};

use crate::model::plan::ByteRange;
use crate::platform::Digests;

/// The file's digests, as far as they were computed.
#[derive(Debug, Default)]
pub struct FileDigests {
    /// Those of ranges, in order.
    ranges: RefCell<Vec<(ByteRange, Digests)>>,
    sample: Cell<Option<[u8; 16]>>,
}

impl FileDigests {
    fn at(ranges: &[(ByteRange, Digests)], range: ByteRange) -> Result<usize, usize> {
        ranges.binary_search_by(|(known, _)| known.start.cmp(&range.start))
    }

    /// Those of a range.
    pub fn of(&self, range: ByteRange) -> Digests {
        let ranges = self.ranges.borrow();
        let found = Self::at(&ranges, range).ok().map(|at| ranges[at]);
        found.filter(|(known, _)| *known == range).map(|(_, digests)| digests).unwrap_or_default()
    }

    /// Remembers those of a range, so that it is hashed once, however often it is sent.
    pub fn set(&self, range: ByteRange, digests: Digests) {
        let mut ranges = self.ranges.borrow_mut();
        match Self::at(&ranges, range) {
            Ok(at) => ranges[at] = (range, digests),
            Err(at) => ranges.insert(at, (range, digests)),
        }
    }

    /// Forgets those of a range: an answer proved them, or contradicted them, and then the range is read again, as it now is.
    pub fn forget(&self, range: ByteRange) {
        let mut ranges = self.ranges.borrow_mut();
        if let Ok(at) = Self::at(&ranges, range) {
            ranges.remove(at);
        }
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
    fn digests_are_those_of_their_range_until_they_are_forgotten() {
        let (digests, range) = (FileDigests::default(), ByteRange::new(5, 9));
        let known = Digests { md5: Some([1; 16]), crc64: None };
        digests.set(ByteRange::new(9, 12), Digests::default());
        digests.set(range, known);
        assert_eq!([digests.of(ByteRange::new(5, 8)), digests.of(ByteRange::new(6, 9))], [Digests::default(); 2]);
        assert_eq!([digests.of(range), digests.of(range)], [known; 2]);
        digests.forget(ByteRange::new(9, 12));
        assert_eq!(digests.of(range), known);
        digests.forget(range);
        assert_eq!(digests.of(range), Digests::default());
    }

    #[test]
    fn a_sample_that_cannot_be_read_is_different() {
        let digests = FileDigests::default();
        assert!(!digests.has_sample(None));
        digests.set_sample(Some([1; 16]));
        assert!(digests.has_sample(Some([1; 16])) && !digests.has_sample(Some([2; 16])) && !digests.has_sample(None));
    }
}
