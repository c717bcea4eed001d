//! The file's digests.

use std::cell::Cell;

/// The file's digests, as far as they were computed.
#[derive(Debug, Default)]
pub struct FileDigests {
    whole: Cell<Option<[u8; 16]>>,
    sample: Cell<Option<[u8; 16]>>,
}

impl FileDigests {
    /// The MD5 of the whole file, if a step computed it.
    pub fn whole(&self) -> Option<[u8; 16]> {
        self.whole.get()
    }

    /// Remembers the MD5 of the whole file.
    pub fn set_whole(&self, md5: [u8; 16]) {
        self.whole.set(Some(md5));
    }

    /// Remembers the MD5 of the file's head and tail when the upload began.
    pub fn set_sample(&self, sample: [u8; 16]) {
        self.sample.set(Some(sample));
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
        digests.set_sample([1; 16]);
        assert!(digests.has_sample(Some([1; 16])) && !digests.has_sample(Some([2; 16])) && !digests.has_sample(None));
    }
}
