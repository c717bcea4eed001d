//! One thread, one queue, and a clock that jumps: tasks are polled in the order in which they were woken, and when none can go
//! on, time is that of the next timer.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use futures::future::LocalBoxFuture;

/// Polls before a story is taken for an endless loop.
const MOST_POLLS: u64 = 4_000_000;

/// Runs tasks in virtual time. Clones are the same one.
#[derive(Clone)]
pub struct Executor(Rc<Inner>);

struct Inner {
    now: Cell<u64>,
    timers: RefCell<BTreeMap<(u64, u64), Waker>>,
    sequence: Cell<u64>,
    tasks: RefCell<Vec<Option<LocalBoxFuture<'static, ()>>>>,
    ready: Arc<Ready>,
    polls: Cell<u64>,
}

#[derive(Default)]
struct Ready(Mutex<VecDeque<usize>>);

impl Ready {
    fn push(&self, task: usize) {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !queue.contains(&task) {
            queue.push_back(task);
        }
    }

    fn pop(&self) -> Option<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

struct TaskWaker {
    task: usize,
    ready: Arc<Ready>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.ready.push(self.task);
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
            ready: Arc::default(),
            polls: Cell::default(),
        }))
    }

    /// The virtual time, in milliseconds since 1970.
    pub fn now(&self) -> u64 {
        self.0.now.get()
    }

    /// Adds a task; it is polled in its turn.
    pub fn spawn(&self, task: LocalBoxFuture<'static, ()>) {
        let mut tasks = self.0.tasks.borrow_mut();
        tasks.push(Some(task));
        self.0.ready.push(tasks.len() - 1);
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
            while let Some(task) = self.0.ready.pop() {
                self.poll(task);
            }
            let next = self.0.timers.borrow().keys().next().copied();
            let Some(key) = next else { return true };
            if until.is_some_and(|until| key.0 > until) {
                return false;
            }
            let waker = self.0.timers.borrow_mut().remove(&key);
            self.0.now.set(self.now().max(key.0));
            waker.into_iter().for_each(Waker::wake);
        }
    }

    /// Moves the clock on to that time.
    pub fn pass(&self, until: u64) {
        self.0.now.set(self.now().max(until));
    }

    fn poll(&self, index: usize) {
        self.0.polls.set(self.0.polls.get() + 1);
        assert!(self.0.polls.get() < MOST_POLLS, "the story goes on for ever");
        let taken = self.0.tasks.borrow_mut()[index].take();
        let Some(mut task) = taken else { return };
        let waker = Waker::from(Arc::new(TaskWaker { task: index, ready: self.0.ready.clone() }));
        if task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            self.0.tasks.borrow_mut()[index] = Some(task);
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
    fn a_dropped_wait_moves_no_clock() {
        let executor = Executor::new(0);
        let mut sleep = Box::pin(executor.sleep_until(1_000));
        assert!((&mut sleep).now_or_never().is_none());
        drop(sleep);
        executor.run(None);
        assert_eq!(executor.now(), 0);
    }
}
