//! Waiting for a vendor's processing: ever less often, cut short by what the application learns, and only so long.

use std::pin::pin;

use crate::context::Context;
use crate::context::notices::Notice;
use crate::error::{Code, Result, Step, UploadError};
use crate::platform::Platform;
use crate::sync::timeout::timeout;

/// A poll's rhythm.
#[derive(Debug)]
pub(crate) struct Poll {
    ends_at: u64,
    bound_ms: u64,
    delay_ms: u64,
    cap_ms: u64,
}

impl Poll {
    /// From `first_ms` doubling to `cap_ms`, for `bound_ms` in all.
    pub(crate) fn new<P: Platform>(cx: &Context<P>, first_ms: u64, cap_ms: u64, bound_ms: u64) -> Self {
        Self { ends_at: cx.platform.now().saturating_add(bound_ms), bound_ms, delay_ms: first_ms, cap_ms }
    }

    /// Waits for the next look: a quarter earlier or later than the rhythm has it, so that many pages don't ask in step; or for
    /// a status that the application brings.
    ///
    /// # Errors
    /// `processing-timeout`, once the bound has passed.
    pub(crate) async fn next<P: Platform>(&mut self, cx: &Context<P>) -> Result<Option<Notice>> {
        cx.wait_while_paused().await;
        let left = self.ends_at.saturating_sub(cx.platform.now());
        if left == 0 {
            return Err(UploadError::new(
                Code::ProcessingTimeout,
                text!("The vendor is still processing the file after {} seconds.", (self.bound_ms / 1000)),
            )
            .at(Step::Status)
            .hint("The file is there and may yet come through: look at the vendor's list before sending it again, or raise `pollTimeoutMs`."));
        }
        let delay = self.delay_ms * 3 / 4 + (cx.platform.random() * (self.delay_ms / 2) as f64) as u64;
        self.delay_ms = (self.delay_ms * 2).min(self.cap_ms);
        Ok(timeout(pin!(cx.notices.receive()), cx.platform.sleep(delay.min(left)).as_mut()).await)
    }
}
