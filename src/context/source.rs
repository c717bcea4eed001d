//! The file of an upload: the one that was picked, or what the application's `transform` made of it.

use std::cell::OnceCell;

use crate::model::file::SourceFile;

/// The file of an upload.
#[derive(Debug)]
pub struct Source<B> {
    picked: SourceFile<B>,
    /// Whether the application has a `transform`.
    transforms: bool,
    /// What an earlier page sent in the picked file's place. Its bytes aren't at hand.
    described: OnceCell<SourceFile<B>>,
    /// What this page sends in the picked file's place, once that is known; None inside: the picked file.
    output: OnceCell<Option<SourceFile<B>>>,
}

impl<B: Clone> Source<B> {
    /// The picked file; `transforms`: something else may be sent in its place.
    pub fn new(picked: SourceFile<B>, transforms: bool) -> Self {
        Self { picked, transforms, described: OnceCell::new(), output: OnceCell::new() }
    }

    /// The file that was picked.
    pub fn picked(&self) -> &SourceFile<B> {
        &self.picked
    }

    /// The file that is sent, as far as it is known.
    pub fn sent(&self) -> &SourceFile<B> {
        self.replacement().unwrap_or(&self.picked)
    }

    /// What is sent in the picked file's place; None if it is the picked file, or if that isn't known yet.
    pub fn replacement(&self) -> Option<&SourceFile<B>> {
        self.output.get().map_or_else(|| self.described.get(), Option::as_ref)
    }

    /// Whether the picked file itself is sent, by this page as by those before it.
    pub fn is_picked(&self) -> bool {
        matches!(self.output.get(), Some(None)) && self.described.get().is_none()
    }

    /// Whether the application has a `transform` that hasn't run yet.
    pub fn is_untransformed(&self) -> bool {
        self.transforms && !self.is_prepared()
    }

    /// Whether it is known what this page sends.
    pub fn is_prepared(&self) -> bool {
        self.output.get().is_some()
    }

    /// Whether the bytes that are sent can be read; if not, `transform` has to make them.
    pub fn is_at_hand(&self) -> bool {
        self.is_prepared() || !(self.transforms || self.described.get().is_some())
    }

    /// Sets what this page sends in the picked file's place; None: the picked file.
    pub fn set_output(&self, output: Option<SourceFile<B>>) {
        let _ = self.output.set(output);
    }

    /// Remembers what an earlier page sent in the picked file's place.
    pub fn describe(&self, name: String, size: u64, content_type: String) {
        let described = SourceFile { name, size, content_type, blob: self.picked.blob.clone(), copy: OnceCell::new() };
        let _ = self.described.set(described);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, size: u64) -> SourceFile<u8> {
        SourceFile { name: name.into(), size, content_type: String::new(), blob: 1, copy: OnceCell::new() }
    }

    #[test]
    fn without_a_transform_the_picked_file_is_sent() {
        let source = Source::new(file("clip.mp4", 5), false);
        assert!(source.is_at_hand() && !source.is_untransformed() && source.replacement().is_none());
        assert_eq!(source.sent().size, 5);
    }

    #[test]
    fn bytes_that_an_earlier_page_made_have_to_be_made_again() {
        for transforms in [false, true] {
            let source = Source::new(file("clip.mp4", 5), transforms);
            source.describe("clip.gz".into(), 3, String::new());
            assert_eq!((source.sent().size, source.picked().size, source.is_at_hand()), (3, 5, false));
            source.set_output(Some(file("clip.gz", 4)));
            assert_eq!((source.sent().size, source.is_at_hand(), source.is_untransformed()), (4, true, false));
        }
    }

    #[test]
    fn a_transform_may_leave_a_file_as_it_is() {
        let source = Source::new(file("clip.mp4", 5), true);
        assert!(!source.is_at_hand());
        source.describe("clip.gz".into(), 3, String::new());
        source.set_output(None);
        assert_eq!((source.sent().size, source.is_at_hand(), source.replacement().is_none()), (5, true, true));
    }
}
