//! Workers that compute digests beside the page, as long as they do.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use partway::model::plan::ByteRange;
use partway::platform::{Digests, Wanted};

use crate::core::Core;
use crate::file::File;

/// How the workers behave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HashWorkers {
    /// They compute whatever is asked for.
    #[default]
    Work,
    /// After so many jobs they end in the middle of one. 0: there are none.
    EndAfter(u32),
    /// After so many jobs they hang in the middle of one.
    HangAfter(u32),
}

/// The workers, and what they were asked for.
#[derive(Debug, Default)]
pub(crate) struct Hashing {
    pub(crate) workers: Cell<HashWorkers>,
    jobs: Cell<u32>,
    /// What was asked for so far.
    pub(crate) asked: RefCell<Vec<Wanted>>,
    /// Windows hashed so far.
    pub(crate) progress: Cell<u64>,
}

/// Bytes after which a worker reports. (A choice.)
const WINDOW: u64 = 64 << 20;
/// As fast as one worker is in V8, measured.
const BYTES_PER_MS: u64 = 1_000_000;

/// Digests of a range of a file; None if no worker can compute them.
pub(crate) async fn digest(core: Rc<Core>, file: File, range: ByteRange, wanted: Wanted) -> Option<Digests> {
    let (hashing, executor) = (&core.hashing, &core.executor);
    hashing.asked.borrow_mut().push(wanted);
    let before = hashing.jobs.replace(hashing.jobs.get().saturating_add(1));
    let (jobs, hangs) = match hashing.workers.get() {
        HashWorkers::Work => (u32::MAX, false),
        HashWorkers::EndAfter(jobs) => (jobs, false),
        HashWorkers::HangAfter(jobs) => (jobs, true),
    };
    let is_broken = before >= jobs;
    if jobs == 0 && !hangs {
        return None;
    }
    if file.begin_read() {
        return std::future::pending().await;
    }
    let len = if is_broken { range.len() / 2 } else { range.len() };
    let mut at = 0;
    loop {
        let window = WINDOW.min(len - at);
        executor.sleep_until(executor.now() + 1 + window / BYTES_PER_MS).await;
        hashing.progress.set(hashing.progress.get() + 1);
        at += window;
        if at == len {
            break;
        }
    }
    if is_broken && hangs {
        return std::future::pending().await;
    }
    if is_broken || !file.is_readable() {
        return None;
    }
    let content = file.content(range);
    Some(Digests {
        md5: wanted.md5.then_some(content.md5),
        crc64: if wanted.crc64 { content.crc64().ok() } else { None },
    })
}
