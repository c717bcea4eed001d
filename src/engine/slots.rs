//! How many requests may run at once, over all uploads: first come, first served.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// A pool of slots. Clones are the same pool.
#[derive(Clone, Debug)]
pub struct Slots(Rc<Pool>);

#[derive(Debug)]
struct Pool {
    free: Cell<usize>,
    queue: RefCell<VecDeque<Rc<Ticket>>>,
}

#[derive(Debug, Default)]
struct Ticket {
    granted: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Slots {
    /// A pool of `count` slots.
    pub fn new(count: usize) -> Self {
        Self(Rc::new(Pool { free: Cell::new(count), queue: RefCell::default() }))
    }

    /// Waits for a slot.
    pub fn acquire(&self) -> Acquire {
        Acquire { pool: self.0.clone(), ticket: None }
    }
}

impl Pool {
    /// Hands a slot to whoever waits longest, or puts it back.
    fn release(&self) {
        let next = self.queue.borrow_mut().pop_front();
        match next {
            Some(ticket) => {
                ticket.granted.set(true);
                let waker = ticket.waker.take();
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
            None => self.free.set(self.free.get() + 1),
        }
    }
}

/// A slot; free again when it is dropped.
#[derive(Debug)]
#[must_use]
pub struct Slot(Rc<Pool>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.release();
    }
}

/// The wait for a slot. Dropped, it leaves the queue.
#[derive(Debug)]
#[must_use]
pub struct Acquire {
    pool: Rc<Pool>,
    ticket: Option<Rc<Ticket>>,
}

impl Future for Acquire {
    type Output = Slot;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Slot> {
        if let Some(ticket) = &self.ticket {
            if ticket.granted.get() {
                self.ticket = None;
                return Poll::Ready(Slot(self.pool.clone()));
            }
            ticket.waker.replace(Some(context.waker().clone()));
            return Poll::Pending;
        }
        if self.pool.free.get() > 0 {
            self.pool.free.set(self.pool.free.get() - 1);
            return Poll::Ready(Slot(self.pool.clone()));
        }
        let ticket = Rc::new(Ticket::default());
        ticket.waker.replace(Some(context.waker().clone()));
        self.pool.queue.borrow_mut().push_back(ticket.clone());
        self.ticket = Some(ticket);
        Poll::Pending
    }
}

impl Drop for Acquire {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket.take() else { return };
        if ticket.granted.get() {
            self.pool.release();
        } else {
            self.pool.queue.borrow_mut().retain(|other| !Rc::ptr_eq(other, &ticket));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[test]
    fn a_freed_slot_goes_to_whoever_waits_longest() {
        let slots = Slots::new(1);
        let held = slots.acquire().now_or_never().unwrap();
        let (mut first, mut second) = (slots.acquire(), slots.acquire());
        assert!((&mut first).now_or_never().is_none());
        assert!((&mut second).now_or_never().is_none());
        drop(held);
        assert!((&mut second).now_or_never().is_none());
        assert!((&mut first).now_or_never().is_some());
        assert!((&mut second).now_or_never().is_some());
    }

    #[test]
    fn a_wait_that_is_dropped_loses_no_slot() {
        let slots = Slots::new(1);
        let held = slots.acquire().now_or_never().unwrap();
        let mut granted = slots.acquire();
        assert!((&mut granted).now_or_never().is_none());
        drop(held);
        drop(granted);
        assert!(slots.acquire().now_or_never().is_some());
    }
}
