//! Files that a story's user picks: real bytes, or only said to be there.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use partway::model::plan::ByteRange;
use partway_models::content::Content;
use partway_models::symbolic::symbolic_window;

/// A picked file. Clones are the same file.
#[derive(Clone, Debug)]
pub struct File {
    /// Its name.
    pub name: String,
    /// Its media type, as the browser says.
    pub kind: String,
    data: Rc<Data>,
}

#[derive(Debug)]
struct Data {
    id: u64,
    size: u64,
    bytes: Option<Arc<[u8]>>,
    readable: Cell<bool>,
    /// So many reads are answered; None: all of them.
    reads_left: Cell<Option<u32>>,
}

impl File {
    /// File number `id` of `size` bytes that nobody holds.
    pub fn symbolic(id: u64, name: &str, kind: &str, size: u64) -> Self {
        Self::new(name, kind, Data { id, size, bytes: None, readable: Cell::new(true), reads_left: Cell::new(None) })
    }

    /// A file with these bytes.
    pub fn real(name: &str, kind: &str, bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = bytes.into();
        let size = bytes.len() as u64;
        Self::new(
            name,
            kind,
            Data { id: 0, size, bytes: Some(bytes), readable: Cell::new(true), reads_left: Cell::new(None) },
        )
    }

    fn new(name: &str, kind: &str, data: Data) -> Self {
        Self { name: name.into(), kind: kind.into(), data: Rc::new(data) }
    }

    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        self.data.size
    }

    /// Its number, where it is symbolic.
    pub fn id(&self) -> Option<u64> {
        self.data.bytes.is_none().then_some(self.data.id)
    }

    /// Its bytes, where it has any.
    pub fn bytes(&self) -> Option<&[u8]> {
        self.data.bytes.as_deref()
    }

    /// From now on it can't be read: it was moved, removed or written to.
    pub fn spoil(&self) {
        self.data.readable.set(false);
    }

    /// Whether it can be read.
    pub fn is_readable(&self) -> bool {
        self.data.readable.get()
    }

    /// After so many more reads none comes to an end, as with a file that a cloud drive hasn't downloaded; None: all do.
    pub fn hang_after(&self, reads: Option<u32>) {
        self.data.reads_left.set(reads);
    }

    /// Whether what is read now never comes, which goes for bodies that are sent too.
    pub fn hangs(&self) -> bool {
        self.data.reads_left.get() == Some(0)
    }

    /// Counts a read; true where it never comes to an end.
    pub(crate) fn begin_read(&self) -> bool {
        let hangs = self.hangs();
        self.data.reads_left.set(self.data.reads_left.get().map(|left| left.saturating_sub(1)));
        hangs
    }

    /// A range of it, as it goes over the wire.
    ///
    /// # Panics
    /// Where the range leaves the file: an engine that slices there is wrong.
    pub fn content(&self, range: ByteRange) -> Content {
        assert!(range.start <= range.end && range.end <= self.data.size, "{range:?} of {} bytes", self.data.size);
        match &self.data.bytes {
            None => Content::symbolic(self.data.id, range.start, range.len()),
            Some(bytes) => Content::bytes(&bytes[range.start as usize..range.end as usize]),
        }
    }

    /// What a page reads of it: of a symbolic file a few bytes for each range, from which its MD5 follows.
    pub fn read(&self, range: ByteRange) -> Option<Vec<u8>> {
        if !self.is_readable() || range.end > self.data.size {
            return None;
        }
        Some(match &self.data.bytes {
            Some(bytes) => bytes.get(range.start as usize..range.end as usize)?.to_vec(),
            None => symbolic_window(self.data.id, range.start, range.len()).to_vec(),
        })
    }
}
