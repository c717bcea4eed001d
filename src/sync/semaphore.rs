//! How many requests may run at once, over all uploads: in the order of their ranks, and of those with the same, first come, first served.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{self, Poll, Waker};

use super::rank::Rank;

/// The most patience: a store that takes one request at once refuses one in seventeen. (A choice.)
const MAX_PATIENCE: usize = 16;

/// A semaphore whose number of permits adapts to what servers and the uplink accept. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Semaphore(Rc<Pool>, Rank);

#[derive(Debug)]
struct Pool {
    /// How many there are.
    total: Cell<usize>,
    taken: Cell<usize>,
    /// How many may be taken: halved when a server asks to slow down.
    limit: Cell<usize>,
    /// How many may be taken: what the uplink carries.
    cap: Cell<usize>,
    /// Requests that succeeded.
    succeeded: Cell<u32>,
    /// Those since the limit was raised or lowered.
    successes: Cell<usize>,
    /// The limit was raised, and it isn't known yet whether that holds.
    raised: Cell<bool>,
    /// So many times as many successes raise the limit as may run at once.
    patience: Cell<usize>,
    queue: RefCell<Vec<Rc<Waiter>>>,
    /// How often somebody was moved to the front.
    moves: Cell<u32>,
}

#[derive(Debug, Default)]
struct Waiter {
    rank: Rank,
    granted: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Semaphore {
    /// Creates a semaphore with `count` permits.
    pub fn new(count: usize) -> Self {
        let pool = Rc::new(Pool {
            total: Cell::new(count),
            taken: Cell::default(),
            limit: Cell::new(count),
            cap: Cell::new(usize::MAX),
            succeeded: Cell::default(),
            successes: Cell::default(),
            raised: Cell::default(),
            patience: Cell::new(1),
            queue: RefCell::default(),
            moves: Cell::default(),
        });
        Self(pool, Rank::default())
    }

    /// The same semaphore, whose permits are waited for in that rank.
    pub fn ranked(&self, rank: &Rank) -> Self {
        Self(self.0.clone(), rank.clone())
    }

    /// Moves what waits in this rank to the front, here and wherever it waits.
    pub fn prioritize(&self) {
        self.0.moves.set(self.0.moves.get() + 1);
        self.1.move_to_front(self.0.moves.get());
    }

    /// Waits for a permit.
    pub fn acquire(&self) -> Acquire {
        Acquire { pool: self.0.clone(), rank: self.1.clone(), waiter: None }
    }

    /// A permit, if one is free and nobody waits for it.
    pub fn try_acquire(&self) -> Option<Permit> {
        let pool = &self.0;
        let free = pool.taken.get() < pool.limit.get().min(pool.cap.get()) && pool.queue.borrow().is_empty();
        free.then(|| {
            pool.taken.set(pool.taken.get() + 1);
            Permit(pool.clone())
        })
    }

    /// Halves how many may run at once: a server is overloaded.
    pub fn halve(&self) {
        self.0.lower(self.0.limit.get() / 2);
    }

    /// Lets one less run at once than run now: a server refused one of them.
    pub fn ease(&self) {
        self.0.lower(self.0.limit.get().min(self.0.taken.get()).saturating_sub(1));
    }

    /// How many permits there are.
    pub fn total(&self) -> usize {
        self.0.total.get()
    }

    /// Changes how many permits there are, to at least one. Permits that are taken stay valid.
    pub fn set_total(&self, count: usize) {
        let (pool, count) = (&self.0, count.max(1));
        let whole = pool.limit.get() >= pool.total.replace(count);
        pool.limit.set(if whole { count } else { pool.limit.get().min(count) });
        pool.grant();
    }

    /// Sets how many may run at once, at least one, until it is set again. Permits that are taken stay valid.
    pub fn set_cap(&self, count: usize) {
        self.0.cap.set(count.max(1));
        self.0.grant();
    }

    /// Counts a success. After as many successes as may run at once, one more may, up to the total (additive increase, multiplicative
    /// decrease: RFC 5681). Where the one more was refused before, it takes twice as many the next time: a store with a limit of its own
    /// refuses each, after all of its bytes were sent.
    pub fn count_success(&self) {
        let pool = &self.0;
        let (limit, successes) = (pool.limit.get(), pool.successes.get() + 1);
        pool.successes.set(successes);
        pool.succeeded.set(pool.succeeded.get() + 1);
        if successes >= limit && pool.raised.replace(false) {
            pool.patience.set((pool.patience.get() / 2).max(1));
        }
        if limit < pool.total.get() && successes >= limit * pool.patience.get() {
            pool.limit.set(limit + 1);
            pool.successes.set(0);
            pool.raised.set(true);
            pool.grant();
        }
    }

    /// How many successes were counted.
    pub fn succeeded(&self) -> u32 {
        self.0.succeeded.get()
    }

    /// How many permits are taken.
    pub fn taken(&self) -> usize {
        self.0.taken.get()
    }
}

impl Pool {
    fn lower(&self, limit: usize) {
        if self.raised.replace(false) {
            self.patience.set((self.patience.get() * 2).min(MAX_PATIENCE));
        }
        self.limit.set(limit.max(1));
        self.successes.set(0);
    }

    /// Adds a waiter to the queue. If it is the first and a permit is free, it is granted at once.
    fn enqueue(&self, rank: &Rank) -> Rc<Waiter> {
        let waiter = Rc::new(Waiter { rank: rank.clone(), ..Waiter::default() });
        self.queue.borrow_mut().push(waiter.clone());
        self.grant();
        waiter
    }

    /// Grants free permits to the first in the queue.
    fn grant(&self) {
        while self.taken.get() < self.limit.get().min(self.cap.get()) && !self.queue.borrow().is_empty() {
            let waiter = self.next_in_queue();
            self.taken.set(self.taken.get() + 1);
            waiter.granted.set(true);
            let waker = waiter.waker.take();
            waker.into_iter().for_each(Waker::wake);
        }
    }

    /// Takes the one out of the queue, which isn't empty, whose turn it is.
    fn next_in_queue(&self) -> Rc<Waiter> {
        let mut queue = self.queue.borrow_mut();
        let mut first = 0;
        for (index, waiter) in queue.iter().enumerate() {
            if waiter.rank.precedes(&queue[first].rank) {
                first = index;
            }
        }
        queue.remove(first)
    }

    fn release(&self) {
        self.taken.set(self.taken.get().saturating_sub(1));
        self.grant();
    }
}

/// A permit. Dropping it releases it.
#[derive(Debug)]
#[must_use]
pub struct Permit(Rc<Pool>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.release();
    }
}

/// The wait for a permit. Dropping it leaves the queue.
#[derive(Debug)]
#[must_use]
pub struct Acquire {
    pool: Rc<Pool>,
    rank: Rank,
    waiter: Option<Rc<Waiter>>,
}

impl Future for Acquire {
    type Output = Permit;

    fn poll(mut self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<Permit> {
        let Self { pool, rank, waiter } = &mut *self;
        let queued = waiter.get_or_insert_with(|| pool.enqueue(rank));
        if !queued.granted.get() {
            queued.waker.replace(Some(context.waker().clone()));
            return Poll::Pending;
        }
        *waiter = None;
        Poll::Ready(Permit(pool.clone()))
    }
}

impl Drop for Acquire {
    fn drop(&mut self) {
        let Some(waiter) = self.waiter.take() else { return };
        if waiter.granted.get() {
            self.pool.release();
        } else {
            self.pool.queue.borrow_mut().retain(|other| !Rc::ptr_eq(other, &waiter));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[test]
    fn a_released_permit_goes_to_the_longest_waiter() {
        let semaphore = Semaphore::new(1);
        let permit = semaphore.acquire().now_or_never().unwrap();
        let (mut first, mut second) = (semaphore.acquire(), semaphore.acquire());
        assert!((&mut first).now_or_never().is_none());
        assert!((&mut second).now_or_never().is_none());
        drop(permit);
        assert!((&mut second).now_or_never().is_none());
        assert!((&mut first).now_or_never().is_some());
        assert!((&mut second).now_or_never().is_some());
    }

    #[test]
    fn the_highest_rank_is_first_and_who_was_moved_last_before_all() {
        let semaphore = Semaphore::new(1);
        let permit = semaphore.acquire().now_or_never().unwrap();
        let queues = [0.0, -1.0, 2.0, 0.0, 2.0].map(|priority| semaphore.ranked(&Rank::new(priority)));
        let mut waiting = queues.each_ref().map(Semaphore::acquire);
        waiting.iter_mut().for_each(|wait| assert!(wait.now_or_never().is_none()));
        queues[1].prioritize();
        queues[3].prioritize();
        drop(permit);
        let mut order = Vec::new();
        while order.len() < queues.len() {
            let next = (0..queues.len())
                .find(|index| !order.contains(index) && (&mut waiting[*index]).now_or_never().is_some());
            order.push(next.expect("one has the permit"));
        }
        assert_eq!(order, [3, 1, 2, 4, 0]);
    }

    #[test]
    fn halving_is_undone_slowly_by_successes() {
        let semaphore = Semaphore::new(4);
        let mut permits: Vec<_> = (0..4).map(|_| semaphore.acquire().now_or_never().unwrap()).collect();
        semaphore.halve();
        permits.pop();
        permits.pop();
        let mut waiting = semaphore.acquire();
        assert!((&mut waiting).now_or_never().is_none(), "two of two are taken");
        semaphore.count_success();
        assert!((&mut waiting).now_or_never().is_none());
        semaphore.count_success();
        permits.push((&mut waiting).now_or_never().unwrap());
        (0..20).for_each(|_| semaphore.count_success());
        permits.push(semaphore.acquire().now_or_never().unwrap());
        assert!(semaphore.acquire().now_or_never().is_none());
        drop(permits);
        assert_eq!(semaphore.taken(), 0);
    }

    #[test]
    fn one_more_is_tried_ever_more_rarely_while_it_is_refused() {
        let semaphore = Semaphore::new(6);
        let _permit = semaphore.acquire().now_or_never();
        semaphore.ease();
        // How many requests succeed before the limit is raised.
        let until_raised = || {
            let limit = semaphore.0.limit.get();
            (1..1_000).find(|_| {
                semaphore.count_success();
                semaphore.0.limit.get() > limit
            })
        };
        let refused = [1, 2, 4, 8, 16, 16].map(|expected| {
            let found = until_raised();
            semaphore.ease();
            found == Some(expected)
        });
        assert_eq!(refused, [true; 6]);
        // The store takes more: as much as may run at once has to succeed each time, soon.
        assert_eq!([0; 5].map(|_| until_raised()), [Some(16), Some(16), Some(12), Some(8), Some(5)]);
    }

    #[test]
    fn a_refusal_leaves_as_many_as_run_beside_it() {
        let semaphore = Semaphore::new(6);
        let permits = [0; 3].map(|_| semaphore.acquire().now_or_never().unwrap());
        semaphore.ease();
        let [refused, ..] = permits;
        drop(refused);
        assert_eq!((semaphore.taken(), semaphore.0.limit.get()), (2, 2));
    }

    #[test]
    fn a_cap_limits_later_permits_to_at_least_one() {
        let semaphore = Semaphore::new(3);
        let mut permits: Vec<_> = (0..3).map(|_| semaphore.acquire().now_or_never().unwrap()).collect();
        semaphore.set_cap(0);
        let mut waiting = semaphore.acquire();
        permits.truncate(1);
        assert!((&mut waiting).now_or_never().is_none(), "one of one is taken");
        permits.clear();
        let one = (&mut waiting).now_or_never();
        assert!(one.is_some());
        let mut waiting = semaphore.acquire();
        assert!((&mut waiting).now_or_never().is_none());
        semaphore.set_cap(usize::MAX);
        assert!((&mut waiting).now_or_never().is_some());
    }

    #[test]
    fn the_number_of_permits_may_change() {
        let semaphore = Semaphore::new(2);
        let mut permits: Vec<_> = (0..2).map(|_| semaphore.acquire().now_or_never().unwrap()).collect();
        let mut waiting = semaphore.acquire();
        assert!((&mut waiting).now_or_never().is_none());
        semaphore.set_total(3);
        permits.extend((&mut waiting).now_or_never());
        assert_eq!(semaphore.taken(), 3);
        semaphore.set_total(1);
        permits.truncate(1);
        assert!(semaphore.acquire().now_or_never().is_none());
        permits.clear();
        // One that was lowered grows by successes, not at once.
        semaphore.set_total(4);
        semaphore.halve();
        semaphore.set_total(8);
        permits.extend((0..2).filter_map(|_| semaphore.acquire().now_or_never()));
        assert!(permits.len() == 2 && semaphore.acquire().now_or_never().is_none());
    }

    #[test]
    fn a_free_permit_is_nobodys_that_waits() {
        let semaphore = Semaphore::new(1);
        let permit = semaphore.try_acquire();
        assert!(permit.is_some() && semaphore.try_acquire().is_none());
        drop(permit);
        assert_eq!(semaphore.taken(), 0);
    }

    #[test]
    fn dropping_a_wait_loses_no_permit() {
        let semaphore = Semaphore::new(1);
        let permit = semaphore.acquire().now_or_never().unwrap();
        let mut granted = semaphore.acquire();
        assert!((&mut granted).now_or_never().is_none());
        drop(permit);
        drop(granted);
        assert!(semaphore.acquire().now_or_never().is_some());
    }
}
