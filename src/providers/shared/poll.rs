//! Polls a vendor's processing with growing delays, until a time limit. A status from the application ends a wait early.

use std::pin::pin;

use crate::context::Context;
use crate::context::notices::Notice;
use crate::error::{Code, Result, Step, UploadError};
use crate::platform::Platform;
use crate::sync::timeout::timeout;

/// The delays of a poll.
#[derive(Debug)]
pub(crate) struct Poll {
    ends_at: u64,
    bound_ms: u64,
    delay_ms: u64,
    cap_ms: u64,
}

impl Poll {
    /// Delays that double from `first_ms` to `cap_ms`, for `bound_ms` in all.
    pub(crate) fn new<P: Platform>(cx: &Context<P>, first_ms: u64, cap_ms: u64, bound_ms: u64) -> Self {
        Self { ends_at: cx.platform.now().saturating_add(bound_ms), bound_ms, delay_ms: first_ms, cap_ms }
    }

    /// Waits until the next request is due, or the application passes a status, which is returned. Jitter of a quarter keeps many
    /// pages from polling in step.
    ///
    /// # Errors
    /// `processing-timeout`, once the time limit has passed.
    pub(crate) async fn next<P: Platform>(&mut self, cx: &Context<P>) -> Result<Option<Notice>> {
        cx.wait_while_paused().await;
        let left = self.ends_at.saturating_sub(cx.platform.now());
        if left == 0 {
            return Err(UploadError::new(
                Code::ProcessingTimeout,
                text!("The vendor is still processing the file after {} s, the limit of `pollTimeoutMs`.", (self.bound_ms / 1000)),
            )
            .at(Step::Status)
            .hint("The vendor has the file and may still finish: check the vendor's list before you upload it again, or raise `pollTimeoutMs`."));
        }
        let delay = self.delay_ms * 3 / 4 + (cx.platform.random() * (self.delay_ms / 2) as f64) as u64;
        self.delay_ms = (self.delay_ms * 2).min(self.cap_ms);
        Ok(timeout(pin!(cx.notices.receive()), cx.platform.sleep(delay.min(left)).as_mut()).await)
    }
}
