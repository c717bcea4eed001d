//! Files that a story's user picks: real bytes, or only said to be there.

use std::cell::{Cell, OnceCell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};

use partway::model::file::SourceFile;
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
    reads: Cell<u32>,
    /// Reads that hang.
    waiting: RefCell<Vec<Waker>>,
}

impl Data {
    fn new(id: u64, size: u64, bytes: Option<Arc<[u8]>>) -> Self {
        let (readable, reads_left, reads) = (Cell::new(true), Cell::new(None), Cell::new(0));
        Self { id, size, bytes, readable, reads_left, reads, waiting: RefCell::default() }
    }
}

impl File {
    /// File number `id` of `size` bytes that nobody holds.
    pub fn symbolic(id: u64, name: &str, kind: &str, size: u64) -> Self {
        Self::new(name, kind, Data::new(id, size, None))
    }

    /// A file with these bytes.
    pub fn real(name: &str, kind: &str, bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = bytes.into();
        let size = bytes.len() as u64;
        Self::new(name, kind, Data::new(0, size, Some(bytes)))
    }

    fn new(name: &str, kind: &str, data: Data) -> Self {
        Self { name: name.into(), kind: kind.into(), data: Rc::new(data) }
    }

    /// A copy in memory, which nothing that becomes of the file reaches.
    pub(crate) fn copy(&self) -> Self {
        let Data { id, size, bytes, .. } = &*self.data;
        Self::new(&self.name, &self.kind, Data::new(*id, *size, bytes.clone()))
    }

    /// What a `transform` makes of it: other bytes for each `variant`, and so many more.
    pub(crate) fn transformed(&self, variant: u64, more: u64) -> Self {
        let Data { id, size, bytes, .. } = &*self.data;
        let size = size + more;
        let bytes: Option<Arc<[u8]>> = bytes.as_ref().map(|bytes| {
            let last = bytes.last().copied().unwrap_or_default();
            (0..size as usize).map(|at| !bytes.get(at).unwrap_or(&last) ^ variant as u8).collect()
        });
        Self::new(&self.name, &self.kind, Data::new(id | (variant + 1) << 32, size, bytes))
    }

    /// It, as the engine gets it.
    pub(crate) fn source(&self) -> SourceFile<Self> {
        SourceFile {
            name: self.name.clone(),
            size: self.size(),
            content_type: self.kind.clone(),
            blob: self.clone(),
            copy: OnceCell::new(),
        }
    }

    /// Whether another one is the same file.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.data, &other.data)
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

    /// After so many more reads none comes to an end, as with a file that a cloud drive hasn't downloaded; None: all do, the page's that
    /// hang by then too.
    pub fn hang_after(&self, reads: Option<u32>) {
        self.data.reads_left.set(reads);
        self.data.waiting.take().into_iter().for_each(Waker::wake);
    }

    /// Ends once what is read comes.
    pub(crate) async fn comes(&self) {
        poll_fn(|context| {
            if !self.hangs() {
                return Poll::Ready(());
            }
            self.data.waiting.borrow_mut().push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Whether what is read now never comes, which goes for bodies that are sent too.
    pub fn hangs(&self) -> bool {
        self.data.reads_left.get() == Some(0)
    }

    /// How often it was read by the page; bodies that are sent don't count.
    pub fn reads(&self) -> u32 {
        self.data.reads.get()
    }

    /// Counts a read; true where it never comes to an end.
    pub(crate) fn begin_read(&self) -> bool {
        let hangs = self.hangs();
        self.data.reads.set(self.data.reads.get() + 1);
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
