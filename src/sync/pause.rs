//! Where an upload waits while it is paused, and learns that it was cancelled.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};

/// How an upload was told to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// By the caller, for good: the server is told.
    Cancel,
    /// By closing the uploader: everything here stops, the server hears nothing.
    Close,
}

/// A gate that is open, shut for a while, or shut for good. Clones are the same gate.
#[derive(Clone, Debug, Default)]
pub struct PauseToken(Rc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    paused: Cell<bool>,
    ended: Cell<Option<EndReason>>,
    waiting: RefCell<Vec<Waker>>,
}

impl PauseToken {
    /// Shuts the gate for a while.
    pub fn pause(&self) {
        self.0.paused.set(true);
        self.wake();
    }

    /// Opens it again.
    pub fn resume(&self) {
        self.0.paused.set(false);
        self.wake();
    }

    /// Shuts it for good; the first word counts.
    pub fn end(&self, how: EndReason) {
        if self.0.ended.get().is_none() {
            self.0.ended.set(Some(how));
            self.wake();
        }
    }

    /// True while it is shut for a while.
    pub fn is_paused(&self) -> bool {
        self.0.paused.get()
    }

    /// True where an upload still has the gate too.
    pub fn is_held(&self) -> bool {
        Rc::strong_count(&self.0) > 1
    }

    /// Resolves while it is open.
    pub fn open(&self) -> impl Future<Output = ()> {
        self.until(|gate| !gate.paused.get())
    }

    /// Resolves once it is shut for a while.
    pub fn paused(&self) -> impl Future<Output = ()> {
        self.until(|gate| gate.paused.get())
    }

    /// Resolves once it is shut for good.
    pub fn closed(&self) -> impl Future<Output = ()> {
        self.until(|gate| gate.ended.get().is_some())
    }

    /// How it was shut for good.
    pub fn end_reason(&self) -> Option<EndReason> {
        self.0.ended.get()
    }

    fn until(&self, state: fn(&Inner) -> bool) -> impl Future<Output = ()> {
        poll_fn(move |context| {
            if state(&self.0) {
                return Poll::Ready(());
            }
            let mut waiting = self.0.waiting.borrow_mut();
            if !waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                waiting.push(context.waker().clone());
            }
            Poll::Pending
        })
    }

    fn wake(&self) {
        let waiting = self.0.waiting.take();
        waiting.into_iter().for_each(Waker::wake);
    }
}
