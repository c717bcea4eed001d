//! What all connections of a page share: one line behind the buffers of each, and as many connections to a host as a browser opens.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use partway::sync::semaphore::{Acquire, Semaphore};

/// The line behind all connections, and the browser's queues before it.
#[derive(Debug, Default)]
pub(crate) struct Bottleneck {
    busy: Rc<Cell<u64>>,
    hosts: RefCell<BTreeMap<String, Semaphore>>,
}

impl Bottleneck {
    /// Counts a connection that has something to send.
    pub(crate) fn enter(&self) -> Busy {
        self.busy.set(self.busy.get() + 1);
        Busy(self.busy.clone())
    }

    /// A connection to a host; the first of a host says how many there are.
    pub(crate) fn connection(&self, origin: &str, most: usize) -> Acquire {
        self.hosts.borrow_mut().entry(origin.into()).or_insert_with(|| Semaphore::new(most)).acquire()
    }
}

/// A connection that shares the line until it is dropped.
#[derive(Debug)]
pub(crate) struct Busy(Rc<Cell<u64>>);

impl Busy {
    /// Its share of what the line carries.
    pub(crate) fn share(&self, bytes: u64) -> u64 {
        bytes / self.0.get()
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// A body behind its connection's buffer: what left the page, and what the line has carried.
#[derive(Debug)]
pub(crate) struct Buffered {
    size: u64,
    /// So much of it the line carries: all, or what comes before it breaks.
    end: u64,
    buffer: u64,
    /// Bytes that left the page.
    pub(crate) left: u64,
    passed: u64,
}

impl Buffered {
    pub(crate) fn new(size: u64, end: u64, buffer: u64) -> Self {
        Self { size, end, buffer, left: 0, passed: 0 }
    }

    /// A moment in which the page can give `given` bytes to the buffer, and the line carries `carried`. True once all is through.
    pub(crate) fn pass(&mut self, given: u64, carried: u64) -> bool {
        let room = self.passed + self.buffer.max(carried);
        self.left = (self.left + given).min(room).clamp(self.left, self.size);
        self.passed = (self.passed + carried).min(self.left);
        self.passed >= self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_fills_at_once_and_then_as_the_line_drains_it() {
        let mut body = Buffered::new(100, 100, 40);
        let left: Vec<_> = (0..10).map(|_| (body.pass(1_000, 10), body.left)).collect();
        assert_eq!(left[..4], [(false, 40), (false, 50), (false, 60), (false, 70)]);
        assert_eq!(left[6..], [(false, 100), (false, 100), (false, 100), (true, 100)]);
        let mut bare = Buffered::new(20, 20, 0);
        assert_eq!([bare.pass(1_000, 10), bare.pass(1_000, 10)], [false, true]);
        // Where the line breaks midway, the page finds out when the line gets there.
        let mut broken = Buffered::new(100, 20, 100);
        assert_eq!([broken.pass(1_000, 10), broken.pass(1_000, 10)], [false, true]);
        assert_eq!(broken.left, 100);
    }

    #[test]
    fn a_line_is_shared_by_those_who_have_something_to_send() {
        let line = Bottleneck::default();
        let first = line.enter();
        assert_eq!(first.share(100), 100);
        let second = line.enter();
        assert_eq!((first.share(100), second.share(100)), (50, 50));
        drop(first);
        assert_eq!(second.share(100), 100);
    }
}
