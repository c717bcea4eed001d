//! What a page saves beyond its end, as a browser's database does: writes happen in order, last only once they are done, and are
//! whole or missing after a crash, never half.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::LocalBoxFuture;
use serde_json::Value;

use crate::core::Core;
use crate::executor::Page;

/// What is kept of one session.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SavedSession {
    /// The record.
    pub record: Option<Value>,
    /// The parts, by number.
    pub parts: BTreeMap<u32, Value>,
}

impl SavedSession {
    /// The record's phase.
    pub fn phase(&self) -> Option<&str> {
        self.record.as_ref()?["phase"].as_str()
    }
}

/// How the database behaves.
#[derive(Clone, Copy, Debug)]
pub struct StorageBehavior {
    /// How long a write takes, in milliseconds, from and to.
    pub latency: (u64, u64),
    /// Writes from this one on fail, as over quota; counted over all sessions.
    pub full_after: Option<u64>,
    /// Every so many writes, one takes this many milliseconds.
    pub slow: Option<(u64, u64)>,
}

impl Default for StorageBehavior {
    fn default() -> Self {
        Self { latency: (1, 5), full_after: None, slow: None }
    }
}

/// The database.
#[derive(Debug, Default)]
pub(crate) struct Storage {
    pub(crate) behavior: Cell<StorageBehavior>,
    kept: RefCell<BTreeMap<u64, SavedSession>>,
    /// Writes asked for so far.
    count: Cell<u64>,
    /// Writes that a later one had to wait for, and what came of them.
    settled: RefCell<BTreeMap<u64, bool>>,
    /// When the last one that was asked for will be done.
    busy_until: Cell<u64>,
    /// What was asked for and isn't written yet, in order, by its number.
    pending: RefCell<BTreeMap<u64, Pending>>,
}

/// A write that is under way.
#[derive(Debug)]
struct Pending {
    page: Page,
    session: u64,
    write: Write,
    full: bool,
}

/// A write.
#[derive(Clone, Debug)]
pub(crate) enum Write {
    Record(Value),
    Part(u32, Value),
    Forget,
}

impl Storage {
    /// What is kept of a session; None where there is no record.
    pub(crate) fn kept(&self, session: u64) -> Option<SavedSession> {
        self.kept.borrow().get(&session).filter(|kept| kept.record.is_some()).cloned()
    }

    /// Writes asked for so far.
    pub(crate) fn writes(&self) -> u64 {
        self.count.get()
    }

    /// Puts something else in a record's place.
    pub(crate) fn change(&self, session: u64, change: impl FnOnce(&mut SavedSession)) {
        change(self.kept.borrow_mut().entry(session).or_default());
    }

    /// A page is gone; what it asked for and isn't written yet is written, or lost.
    pub(crate) fn crash(&self, page: Page, written: bool) {
        let theirs: Vec<u64> = self
            .pending
            .borrow()
            .iter()
            .filter(|(_, pending)| pending.page == page)
            .map(|(number, _)| *number)
            .collect();
        for number in theirs {
            if written {
                self.settle(number);
            } else {
                self.pending.borrow_mut().remove(&number);
            }
        }
        self.busy_until.set(0);
    }

    /// Does a write, after those before it, and tells whether it is saved now.
    fn settle_in_turn(&self, number: u64) -> bool {
        if let Some(kept) = self.settled.borrow_mut().remove(&number) {
            return kept;
        }
        let before: Vec<u64> = self.pending.borrow().range(..number).map(|(number, _)| *number).collect();
        for earlier in before {
            let kept = self.settle(earlier);
            self.settled.borrow_mut().insert(earlier, kept);
        }
        self.settle(number)
    }

    /// Does one pending write, and tells whether it is saved now.
    fn settle(&self, number: u64) -> bool {
        let pending = self.pending.borrow_mut().remove(&number);
        match pending {
            Some(pending) if !pending.full => {
                self.apply(pending.session, pending.write);
                true
            }
            _ => false,
        }
    }

    fn apply(&self, session: u64, write: Write) {
        let mut kept = self.kept.borrow_mut();
        match write {
            Write::Record(record) => kept.entry(session).or_default().record = Some(record),
            Write::Part(number, part) => {
                kept.entry(session).or_default().parts.insert(number, part);
            }
            Write::Forget => {
                kept.remove(&session);
            }
        }
    }
}

/// Writes, and resolves with whether it was saved. Dropping the future doesn't stop the write.
pub(crate) fn write(core: &Rc<Core>, page: Page, session: u64, write: Write) -> LocalBoxFuture<'static, bool> {
    let storage = &core.storage;
    let behavior = storage.behavior.get();
    let number = storage.count.get() + 1;
    storage.count.set(number);
    let mut takes = core.weather.between(behavior.latency.0, behavior.latency.1 + 1);
    if let Some((each, ms)) = behavior.slow
        && number.is_multiple_of(each.max(1))
    {
        takes += ms;
    }
    // One after the other, as transactions on the same stores are.
    let at = storage.busy_until.get().max(core.executor.now()) + takes;
    storage.busy_until.set(at);
    // What frees space is done on a full disk too.
    let full = behavior.full_after.is_some_and(|after| number > after) && !matches!(write, Write::Forget);
    storage.pending.borrow_mut().insert(number, Pending { page, session, write, full });
    let (tell, told) = oneshot::channel();
    let own = core.clone();
    core.executor.spawn(
        async move {
            own.executor.sleep_until(at).await;
            // A clock that jumped wakes the later one first, as it may be.
            let kept = own.storage.settle_in_turn(number);
            if kept {
                own.pass_milestone();
            }
            let _ = tell.send(kept);
        }
        .boxed_local(),
    );
    async move { told.await.unwrap_or(false) }.boxed_local()
}
