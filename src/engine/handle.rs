//! A handle to a running upload.

use std::rc::Weak;

use super::run::Run;
use crate::context::notices::Notice;
use crate::platform::Platform;
use crate::sync::pause::{EndReason, PauseToken};

/// A handle to a running upload. Dropping it changes nothing.
pub struct Upload<P: Platform> {
    platform: P,
    token: PauseToken,
    run: Weak<Run<P>>,
}

impl<P: Platform> Upload<P> {
    pub(super) fn new(platform: P, token: PauseToken, run: Weak<Run<P>>) -> Self {
        Self { platform, token, run }
    }

    /// Aborts the requests in flight, and waits.
    pub fn pause(&self) {
        self.token.pause();
    }

    /// Continues.
    pub fn resume(&self) {
        self.token.resume();
    }

    /// Ends the upload, and tells the server.
    pub fn cancel(&self) {
        self.token.end(EndReason::Cancel);
    }

    /// What it runs on.
    pub fn platform(&self) -> &P {
        &self.platform
    }

    /// Passes on a status that the application learned elsewhere.
    pub fn notify(&self, notice: Notice) {
        if let Some(run) = self.run.upgrade() {
            run.cx.notices.send(notice);
        }
    }
}
