//! What an upload reports to its caller: status, progress, events.

use std::cell::{Cell, RefCell};

use crate::model::events::{Event, EventSink, Status};
use crate::model::progress::Meter;

/// Reports an upload's status, progress and events to its caller.
pub struct Reporter<J> {
    sink: EventSink<J>,
    status: Cell<Status>,
    meter: RefCell<Meter>,
    /// Whether the meter has changed since the progress was reported.
    changed: Cell<bool>,
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
            changed: Cell::default(),
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

    /// Changes the meter; the progress is reported at the next frame.
    pub fn measure(&self, change: impl FnOnce(&mut Meter)) {
        change(&mut self.meter.borrow_mut());
        self.changed.set(true);
    }

    /// Whether there is progress to report.
    pub fn is_changed(&self) -> bool {
        self.changed.get()
    }

    /// Reports the progress, if there is any.
    pub fn report(&self, now: u64) {
        if self.changed.take() {
            let progress = self.meter.borrow_mut().progress(now);
            self.emit(Event::Progress(progress));
        }
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
        // A part that began to wait while another did knows no other status.
        reporter.set_status(Status::Waiting);
        reporter.end_waiting(Status::Waiting);
        assert_eq!(reporter.status(), Status::Sending);
    }

    #[test]
    fn progress_is_reported_once_for_all_changes() {
        let (reporter, reported) = reporter();
        reporter.report(1_000);
        reporter.measure(|meter| {
            meter.begin(100, 1, 1_000);
            meter.started(1);
        });
        assert!(!reporter.is_idle());
        reporter.measure(|meter| meter.sent(1, 20, 1_100));
        reporter.report(1_100);
        reporter.report(1_101);
        reporter.measure(|meter| meter.completed(1, 100, 1_101));
        reporter.report(1_101);
        assert_eq!(*reported.borrow(), ["20", "100"]);
        assert!(reporter.is_idle());
    }
}
