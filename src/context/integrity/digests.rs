//! The file's digests.

use std::cell::Cell;

use crate::platform::Digests;

/// The file's digests, as far as they were computed.
#[derive(Debug, Default)]
pub struct FileDigests {
    whole: Cell<Digests>,
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
    fn a_sample_that_cannot_be_read_is_different() {
        let digests = FileDigests::default();
        assert!(!digests.has_sample(None));
        digests.set_sample(Some([1; 16]));
        assert!(digests.has_sample(Some([1; 16])) && !digests.has_sample(Some([2; 16])) && !digests.has_sample(None));
    }
}
