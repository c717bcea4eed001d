//! How many requests may run at once, over all uploads: first come, first served.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{self, Poll, Waker};

/// A pool of slots. Clones are the same pool.
#[derive(Clone, Debug)]
pub struct Semaphore(Rc<Pool>);

#[derive(Debug)]
struct Pool {
    total: usize,
    taken: Cell<usize>,
    /// So many may be taken for now.
    limit: Cell<usize>,
    /// No more than the line carries at once.
    cap: Cell<usize>,
    /// Requests that went well since the limit last rose.
    went_well: Cell<usize>,
    queue: RefCell<Vec<Rc<Waiter>>>,
}

#[derive(Debug, Default)]
struct Waiter {
    granted: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Semaphore {
    /// A pool of `count` slots.
    pub fn new(count: usize) -> Self {
        Self(Rc::new(Pool {
            total: count,
            taken: Cell::default(),
            limit: Cell::new(count),
            cap: Cell::new(count),
            went_well: Cell::default(),
            queue: RefCell::default(),
        }))
    }

    /// Waits for a slot.
    pub fn acquire(&self) -> Acquire {
        Acquire { pool: self.0.clone(), ticket: None }
    }

    /// Halves what may run at once: a server asked for less.
    pub fn ease_off(&self) {
        self.0.limit.set((self.0.limit.get() / 2).max(1));
        self.0.went_well.set(0);
    }

    /// Lets no more than so many run at once, but one, until told otherwise. What runs already goes on.
    pub fn cap(&self, count: usize) {
        self.0.cap.set(count.max(1));
        self.0.grant();
    }

    /// Lets one more run at once after as many as that went well, up to the whole pool (additive increase, multiplicative
    /// decrease: RFC 5681).
    pub fn went_well(&self) {
        let pool = &self.0;
        let (limit, well) = (pool.limit.get(), pool.went_well.get() + 1);
        if limit == pool.total {
            return;
        }
        pool.went_well.set(well % limit);
        if well >= limit {
            pool.limit.set(limit + 1);
            pool.grant();
        }
    }

    /// Semaphore that are taken.
    pub fn taken(&self) -> usize {
        self.0.taken.get()
    }
}

impl Pool {
    /// A ticket at the end of the queue, which is granted at once where there is none before it and a slot is free.
    fn line_up(&self) -> Rc<Waiter> {
        let ticket = Rc::new(Waiter::default());
        self.queue.borrow_mut().push(ticket.clone());
        self.grant();
        ticket
    }

    /// Hands free slots to those who wait longest.
    fn grant(&self) {
        while self.taken.get() < self.limit.get().min(self.cap.get()) && !self.queue.borrow().is_empty() {
            let ticket = self.queue.borrow_mut().remove(0);
            self.taken.set(self.taken.get() + 1);
            ticket.granted.set(true);
            let waker = ticket.waker.take();
            waker.into_iter().for_each(Waker::wake);
        }
    }

    fn release(&self) {
        self.taken.set(self.taken.get().saturating_sub(1));
        self.grant();
    }
}

/// A slot; free again when it is dropped.
#[derive(Debug)]
#[must_use]
pub struct Permit(Rc<Pool>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.release();
    }
}

/// The wait for a slot. Dropped, it leaves the queue.
#[derive(Debug)]
#[must_use]
pub struct Acquire {
    pool: Rc<Pool>,
    ticket: Option<Rc<Waiter>>,
}

impl Future for Acquire {
    type Output = Permit;

    fn poll(mut self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<Permit> {
        let Self { pool, ticket } = &mut *self;
        let held = ticket.get_or_insert_with(|| pool.line_up());
        if !held.granted.get() {
            held.waker.replace(Some(context.waker().clone()));
            return Poll::Pending;
        }
        *ticket = None;
        Poll::Ready(Permit(pool.clone()))
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
        let slots = Semaphore::new(1);
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
    fn a_server_that_asks_for_less_gets_half_and_then_slowly_more() {
        let slots = Semaphore::new(4);
        let mut held: Vec<_> = (0..4).map(|_| slots.acquire().now_or_never().unwrap()).collect();
        slots.ease_off();
        held.pop();
        held.pop();
        let mut waiting = slots.acquire();
        assert!((&mut waiting).now_or_never().is_none(), "two of two are taken");
        slots.went_well();
        assert!((&mut waiting).now_or_never().is_none());
        slots.went_well();
        held.push((&mut waiting).now_or_never().unwrap());
        (0..20).for_each(|_| slots.went_well());
        held.push(slots.acquire().now_or_never().unwrap());
        assert!(slots.acquire().now_or_never().is_none());
        drop(held);
        assert_eq!(slots.taken(), 0);
    }

    #[test]
    fn a_cap_holds_back_what_is_to_come_and_never_all() {
        let slots = Semaphore::new(3);
        let mut held: Vec<_> = (0..3).map(|_| slots.acquire().now_or_never().unwrap()).collect();
        slots.cap(0);
        let mut waiting = slots.acquire();
        held.truncate(1);
        assert!((&mut waiting).now_or_never().is_none(), "one of one is taken");
        held.clear();
        let one = (&mut waiting).now_or_never();
        assert!(one.is_some());
        let mut waiting = slots.acquire();
        assert!((&mut waiting).now_or_never().is_none());
        slots.cap(usize::MAX);
        assert!((&mut waiting).now_or_never().is_some());
    }

    #[test]
    fn a_wait_that_is_dropped_loses_no_slot() {
        let slots = Semaphore::new(1);
        let held = slots.acquire().now_or_never().unwrap();
        let mut granted = slots.acquire();
        assert!((&mut granted).now_or_never().is_none());
        drop(held);
        drop(granted);
        assert!(slots.acquire().now_or_never().is_some());
    }
}
