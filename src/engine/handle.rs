//! A handle to a running upload.

use std::rc::Weak;

use super::run::Run;
use crate::context::notices::Notice;
use crate::platform::Platform;
use crate::sync::pause::{EndReason, PauseToken};
use crate::sync::semaphore::Semaphore;

/// A handle to a running upload. Dropping it changes nothing.
pub struct Upload<P: Platform> {
    platform: P,
    token: PauseToken,
    queue: Semaphore,
    run: Weak<Run<P>>,
}

impl<P: Platform> Upload<P> {
    pub(super) fn new(platform: P, token: PauseToken, queue: Semaphore, run: Weak<Run<P>>) -> Self {
        Self { platform, token, queue, run }
    }

    /// Pauses: aborts the requests in flight, and sends no more until [`resume`](Self::resume).
    pub fn pause(&self) {
        self.token.pause();
    }

    /// Continues after a pause.
    pub fn resume(&self) {
        self.token.resume();
    }

    /// Cancels the upload, and aborts it at the server.
    pub fn cancel(&self) {
        self.token.end(EndReason::Cancel);
    }

    /// Moves it to the front of the queue: among uploads that wait for their turn, and its parts among those that wait for a slot.
    pub fn prioritize(&self) {
        self.queue.prioritize();
    }

    /// The platform it runs on.
    pub fn platform(&self) -> &P {
        &self.platform
    }

    /// Passes on a status that the application learned elsewhere, such as from a webhook.
    pub fn notify(&self, notice: Notice) {
        if let Some(run) = self.run.upgrade() {
            run.cx.notices.send(notice);
        }
    }
}
