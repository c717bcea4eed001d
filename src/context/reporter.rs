//! What an upload reports to its caller: status, progress, events.

use std::cell::{Cell, RefCell};

use crate::model::events::{Event, EventSink, Status};
use crate::model::progress::Meter;

/// Byte progress is reported at most this often. (A choice: ten times a second looks continuous.)
const PROGRESS_MS: u64 = 100;

/// Reports an upload's status, progress and events to its caller.
pub struct Reporter<J> {
    sink: EventSink<J>,
    status: Cell<Status>,
    meter: RefCell<Meter>,
    reported_at: Cell<u64>,
    attempts: Cell<u32>,
    completed: Cell<u32>,
}

impl<J> Reporter<J> {
    /// Creates the reporter for a file of `size` bytes.
    pub fn new(size: u64, sink: EventSink<J>) -> Self {
        Self {
            sink,
            status: Cell::new(Status::Queued),
            meter: RefCell::new(Meter::new(size)),
            reported_at: Cell::default(),
            attempts: Cell::default(),
            completed: Cell::default(),
        }
    }

    /// Sends an event.
    pub fn emit(&self, event: Event<J>) {
        (self.sink)(event);
    }

    /// The status that was set last.
    pub fn status(&self) -> Status {
        self.status.get()
    }

    /// Sets the status, and reports it if it changed.
    pub fn set_status(&self, status: Status) {
        if self.status.replace(status) != status {
            self.emit(Event::Status(status));
        }
    }

    /// Ends the status `waiting`, if it is still set. Parts wait side by side: the first one that continues ends it.
    pub fn end_waiting(&self, before: Status) {
        if self.status.get() == Status::Waiting {
            self.set_status(if before == Status::Waiting { Status::Sending } else { before });
        }
    }

    /// Changes the meter, and reports the progress at once.
    pub fn measure(&self, now: u64, change: impl FnOnce(&mut Meter)) {
        change(&mut self.meter.borrow_mut());
        self.report(now);
    }

    /// Changes the meter, and reports the progress if the last report is 100 ms old.
    pub fn measure_quietly(&self, now: u64, change: impl FnOnce(&mut Meter)) {
        change(&mut self.meter.borrow_mut());
        if now.saturating_sub(self.reported_at.get()) >= PROGRESS_MS {
            self.report(now);
        }
    }

    fn report(&self, now: u64) {
        self.reported_at.set(now);
        let progress = self.meter.borrow_mut().progress(now);
        self.emit(Event::Progress(progress));
    }

    /// Whether no part is in flight.
    pub fn is_idle(&self) -> bool {
        self.meter.borrow().is_idle()
    }

    /// Counts a part request.
    pub fn count_attempt(&self) {
        self.attempts.set(self.attempts.get() + 1);
    }

    /// Part requests so far.
    pub fn attempts(&self) -> u32 {
        self.attempts.get()
    }

    /// Counts a part that was uploaded in this page.
    pub fn count_completed(&self) {
        self.completed.set(self.completed.get() + 1);
    }

    /// Parts that were uploaded in this page.
    pub fn completed(&self) -> u32 {
        self.completed.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    fn reporter() -> (Reporter<()>, Rc<RefCell<Vec<String>>>) {
        let reported: Rc<RefCell<Vec<String>>> = Rc::default();
        let log = reported.clone();
        let sink = Rc::new(move |event| {
            log.borrow_mut().push(match event {
                Event::Status(status) => status.as_str().into(),
                Event::Progress(progress) => progress.sent.to_string(),
                _ => "else".into(),
            });
        });
        (Reporter::new(100, sink), reported)
    }

    #[test]
    fn a_status_is_reported_when_it_changes() {
        let (reporter, reported) = reporter();
        for status in [Status::Queued, Status::Sending, Status::Sending, Status::Waiting] {
            reporter.set_status(status);
        }
        reporter.end_waiting(Status::Sending);
        reporter.end_waiting(Status::Opening);
        assert_eq!(*reported.borrow(), ["sending", "waiting", "sending"]);
    }

    #[test]
    fn byte_progress_is_throttled_and_a_parts_end_is_not() {
        let (reporter, reported) = reporter();
        reporter.measure(1_000, |meter| {
            meter.begin(1, 1_000);
            meter.started(1);
        });
        reporter.measure_quietly(1_050, |meter| meter.sent(1, 10, 1_050));
        reporter.measure_quietly(1_100, |meter| meter.sent(1, 20, 1_100));
        reporter.measure(1_101, |meter| meter.completed(1, 100, 1_101));
        assert_eq!(*reported.borrow(), ["0", "20", "100"]);
        assert!(reporter.is_idle());
    }
}
