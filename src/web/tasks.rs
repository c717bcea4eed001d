//! Runs tasks: each once something woke it, as soon as no other JavaScript is at work.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Wake, Waker};

use futures::future::LocalBoxFuture;
use wasm_bindgen::prelude::*;

use super::js::Handler;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = queueMicrotask)]
    fn queue_microtask(handler: &JsValue);
}

thread_local! {
    static TASKS: RefCell<Vec<Task>> = const { RefCell::new(Vec::new()) };
    static RUN: Handler = Handler::new(|_| run());
    /// True while the browser has yet to call [`RUN`].
    static CALLED: Cell<bool> = const { Cell::new(false) };
}

struct Task {
    future: LocalBoxFuture<'static, ()>,
    bell: Arc<Bell>,
}

/// What wakes a task: it has rung since the task last ran.
struct Bell(AtomicBool);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
        if !CALLED.replace(true) {
            RUN.with(|run| queue_microtask(run.as_ref()));
        }
    }
}

impl Task {
    /// Goes on with the task, where something woke it. True while there is more to do.
    fn go_on(&mut self) -> bool {
        let waker = Waker::from(self.bell.clone());
        !self.bell.0.swap(false, Relaxed) || self.future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending()
    }
}

/// Runs a task to its end.
pub(super) fn spawn(future: LocalBoxFuture<'static, ()>) {
    let bell = Arc::new(Bell(AtomicBool::new(false)));
    bell.clone().wake();
    keep(Task { future, bell });
}

fn keep(task: Task) {
    TASKS.with_borrow_mut(|tasks| tasks.push(task));
}

fn run() {
    CALLED.set(false);
    // Tasks spawn tasks: the list is free for them.
    for mut task in TASKS.take() {
        if task.go_on() {
            keep(task);
        }
    }
}
