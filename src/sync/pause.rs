//! Pauses and ends an upload.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};

/// Why an upload was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// The caller cancelled it: the destination is told to abort it.
    Cancel,
    /// The uploader was closed: the destination isn't told, so that a later page can continue.
    Close,
}

/// Pauses and ends one upload. Clones share the state.
#[derive(Clone, Debug, Default)]
pub struct PauseToken(Rc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    paused: Cell<bool>,
    ended: Cell<Option<EndReason>>,
    waiting: RefCell<Vec<Waker>>,
}

impl PauseToken {
    /// Pauses the upload.
    pub fn pause(&self) {
        self.0.paused.set(true);
        self.wake();
    }

    /// Resumes the upload.
    pub fn resume(&self) {
        self.0.paused.set(false);
        self.wake();
    }

    /// Ends the upload; only the first call counts.
    pub fn end(&self, reason: EndReason) {
        if self.0.ended.get().is_none() {
            self.0.ended.set(Some(reason));
            self.wake();
        }
    }

    /// Whether the upload is paused.
    pub fn is_paused(&self) -> bool {
        self.0.paused.get()
    }

    /// Whether there are other clones.
    pub fn is_shared(&self) -> bool {
        Rc::strong_count(&self.0) > 1
    }

    /// Resolves when the upload isn't paused.
    pub fn resumed(&self) -> impl Future<Output = ()> {
        self.until(|token| !token.paused.get())
    }

    /// Resolves when the upload is paused.
    pub fn paused(&self) -> impl Future<Output = ()> {
        self.until(|token| token.paused.get())
    }

    /// Resolves when the upload is ended.
    pub fn ended(&self) -> impl Future<Output = ()> {
        self.until(|token| token.ended.get().is_some())
    }

    /// Why the upload was ended; None while it isn't.
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
