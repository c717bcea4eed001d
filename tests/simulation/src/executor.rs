//! One thread, one queue, and a clock that jumps: tasks are polled in the order in which they were woken, and when none can go
//! on, time is that of the next timer.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use futures::future::LocalBoxFuture;

/// Polls before a story is taken for an endless loop.
const MOST_POLLS: u64 = 4_000_000;

/// Whose a task is: the world's own, or a page's. Pages count from 1.
pub type Page = u32;
/// The tasks that are no page's.
pub const WORLD: Page = 0;

/// Runs tasks in virtual time. Clones are the same one.
#[derive(Clone)]
pub struct Executor(Rc<Inner>);

struct Inner {
    now: Cell<u64>,
    timers: RefCell<BTreeMap<(u64, u64), Waker>>,
    sequence: Cell<u64>,
    tasks: RefCell<Vec<Task>>,
    /// Places of tasks that have ended.
    free: RefCell<Vec<usize>>,
    ready: Arc<Ready>,
    polls: Cell<u64>,
    most_polls: Cell<u64>,
}

struct Task {
    /// None while it is polled, and after its end.
    future: Option<LocalBoxFuture<'static, ()>>,
    waker: Waker,
    signal: Arc<TaskWaker>,
    page: Page,
}

#[derive(Default)]
struct Ready(Mutex<VecDeque<Arc<TaskWaker>>>);

impl Ready {
    fn pop(&self) -> Option<Arc<TaskWaker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

/// A task's place in the queue; it is in it once at most.
struct TaskWaker {
    task: usize,
    queued: AtomicBool,
    ended: AtomicBool,
    ready: Arc<Ready>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        if !self.queued.swap(true, Ordering::Relaxed) {
            let ready = self.ready.clone();
            ready.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(self);
        }
    }
}

impl Executor {
    /// With nothing to do, at `now` milliseconds since 1970.
    pub fn new(now: u64) -> Self {
        Self(Rc::new(Inner {
            now: Cell::new(now),
            timers: RefCell::default(),
            sequence: Cell::default(),
            tasks: RefCell::default(),
            free: RefCell::default(),
            ready: Arc::default(),
            polls: Cell::default(),
            most_polls: Cell::new(MOST_POLLS),
        }))
    }

    /// The virtual time, in milliseconds since 1970.
    pub fn now(&self) -> u64 {
        self.0.now.get()
    }

    /// Takes a story for an endless loop after so many polls.
    pub fn bound(&self, most_polls: u64) {
        self.0.most_polls.set(most_polls);
    }

    /// Adds a task of the world; it is polled in its turn.
    pub fn spawn(&self, task: LocalBoxFuture<'static, ()>) {
        self.spawn_for(WORLD, task);
    }

    /// Adds a task of a page.
    pub fn spawn_for(&self, page: Page, future: LocalBoxFuture<'static, ()>) {
        let inner = &self.0;
        let mut tasks = inner.tasks.borrow_mut();
        let index = inner.free.borrow_mut().pop().unwrap_or(tasks.len());
        let signal = Arc::new(TaskWaker {
            task: index,
            queued: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            ready: inner.ready.clone(),
        });
        let task = Task { future: Some(future), waker: Waker::from(signal.clone()), signal: signal.clone(), page };
        match tasks.get_mut(index) {
            Some(place) => *place = task,
            None => tasks.push(task),
        }
        signal.wake();
    }

    /// Drops all tasks of a page, as a crash does: nothing more of them runs. A task that is just being polled goes with its
    /// next word.
    pub fn end_page(&self, page: Page) {
        let count = self.0.tasks.borrow().len();
        for index in 0..count {
            let ended = {
                let mut tasks = self.0.tasks.borrow_mut();
                let task = &mut tasks[index];
                let mine = task.page == page && !task.signal.ended.load(Ordering::Relaxed);
                if mine { Some((task.future.take(), task.signal.clone())) } else { None }
            };
            let Some((future, signal)) = ended else { continue };
            signal.ended.store(true, Ordering::Relaxed);
            if future.is_some() {
                self.0.free.borrow_mut().push(index);
            }
            // Outside of every borrow: what a future holds may wake and spawn when it goes.
            drop(future);
        }
    }

    /// Drops every task.
    pub(crate) fn end_all(&self) {
        loop {
            let taken = std::mem::take(&mut *self.0.tasks.borrow_mut());
            if taken.is_empty() {
                return;
            }
            for task in &taken {
                task.signal.ended.store(true, Ordering::Relaxed);
            }
            self.0.free.borrow_mut().clear();
            drop(taken);
        }
    }

    /// How many tasks of a page haven't ended.
    pub fn alive(&self, page: Page) -> usize {
        let tasks = self.0.tasks.borrow();
        tasks.iter().filter(|task| task.page == page && !task.signal.ended.load(Ordering::Relaxed)).count()
    }

    /// Resolves at that time, or at once where it has passed.
    pub fn sleep_until(&self, at: u64) -> Sleep {
        Sleep { executor: self.clone(), at, key: None }
    }

    /// Runs until nothing can go on any more, or until that time; gives true for the former. The clock stays where the last
    /// wake-up was.
    ///
    /// # Panics
    /// Where the tasks go on for ever without time passing.
    pub fn run(&self, until: Option<u64>) -> bool {
        loop {
            while let Some(signal) = self.0.ready.pop() {
                signal.queued.store(false, Ordering::Relaxed);
                if !signal.ended.load(Ordering::Relaxed) {
                    self.poll(&signal);
                }
            }
            let waker = {
                let mut timers = self.0.timers.borrow_mut();
                let Some(next) = timers.first_entry() else { return true };
                let at = next.key().0;
                if until.is_some_and(|until| at > until) {
                    return false;
                }
                self.0.now.set(self.now().max(at));
                next.remove()
            };
            waker.wake();
        }
    }

    /// Moves the clock on to that time.
    pub fn pass(&self, until: u64) {
        self.0.now.set(self.now().max(until));
    }

    fn poll(&self, signal: &Arc<TaskWaker>) {
        let inner = &self.0;
        inner.polls.set(inner.polls.get() + 1);
        assert!(inner.polls.get() < inner.most_polls.get(), "the story goes on for ever");
        let index = signal.task;
        let (taken, waker) = {
            let mut tasks = inner.tasks.borrow_mut();
            let task = &mut tasks[index];
            (task.future.take(), task.waker.clone())
        };
        let Some(mut future) = taken else { return };
        let pending = future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending();
        if pending && !signal.ended.load(Ordering::Relaxed) {
            inner.tasks.borrow_mut()[index].future = Some(future);
        } else {
            signal.ended.store(true, Ordering::Relaxed);
            drop(future);
            inner.free.borrow_mut().push(index);
        }
    }
}

/// A wait. Dropped, its timer is gone.
pub struct Sleep {
    executor: Executor,
    at: u64,
    key: Option<(u64, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let inner = self.executor.0.clone();
        if inner.now.get() >= self.at {
            return Poll::Ready(());
        }
        let key = self.key.unwrap_or_else(|| {
            inner.sequence.set(inner.sequence.get() + 1);
            (self.at, inner.sequence.get())
        });
        self.key = Some(key);
        inner.timers.borrow_mut().insert(key, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.executor.0.timers.borrow_mut().remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[test]
    fn time_jumps_from_wake_up_to_wake_up_and_ties_keep_their_order() {
        let executor = Executor::new(100);
        let story: Rc<RefCell<Vec<(u64, char)>>> = Rc::default();
        for (name, ms) in [('a', 50), ('b', 20), ('c', 50), ('d', 0)] {
            let (executor_, story) = (executor.clone(), story.clone());
            executor.spawn(
                async move {
                    executor_.sleep_until(100 + ms).await;
                    story.borrow_mut().push((executor_.now(), name));
                }
                .boxed_local(),
            );
        }
        assert!(!executor.run(Some(120)));
        assert_eq!(*story.borrow(), [(100, 'd'), (120, 'b')]);
        assert!(executor.run(None));
        assert_eq!(story.borrow()[2..], [(150, 'a'), (150, 'c')]);
    }

    #[test]
    fn a_page_that_ends_runs_no_further() {
        let executor = Executor::new(0);
        let told: Rc<Cell<u32>> = Rc::default();
        for page in [WORLD, 1, 2] {
            let (executor_, told) = (executor.clone(), told.clone());
            executor.spawn_for(
                page,
                async move {
                    executor_.sleep_until(10).await;
                    told.set(told.get() + 1 + page);
                }
                .boxed_local(),
            );
        }
        executor.run(Some(5));
        assert_eq!((executor.alive(1), executor.alive(2)), (1, 1));
        executor.end_page(2);
        assert!(executor.run(None));
        assert_eq!((told.get(), executor.alive(1), executor.alive(2)), (3, 0, 0));
    }

    #[test]
    fn a_dropped_wait_moves_no_clock() {
        let executor = Executor::new(0);
        let mut sleep = Box::pin(executor.sleep_until(1_000));
        assert!((&mut sleep).now_or_never().is_none());
        drop(sleep);
        executor.run(None);
        assert_eq!(executor.now(), 0);
    }
}
