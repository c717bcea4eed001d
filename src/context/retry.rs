//! Whether a request is tried again, and after how long a wait. What an answer means, a provider says (`providers/shared/store.rs` for
//! stores); the wait that all uploads to a store share is in [`backoff`](super::backoff).

use super::Context;
use super::backoff::MAX_RETRY_AFTER_MS;
use crate::error::{Code, Result, Retry, UploadError};
use crate::model::settings::RetrySettings;
use crate::platform::Platform;

/// The attempts at one request. Everything that is repeated goes through here.
#[derive(Debug, Default)]
pub struct RetryLoop {
    attempt: u32,
    /// Attempts that failed because the URL or the credentials had expired.
    expired: u32,
    /// Attempts that a server refused for its load.
    limited: u32,
    /// Parts that were uploaded at the last failure: of this upload, and of all of its uploader.
    completed: u32,
    completed_by_all: u32,
    /// Attempts that timed out without progress.
    stalls: u32,
}

impl RetryLoop {
    /// How many attempts timed out without progress: the next one gets more time.
    pub fn stalls(&self) -> u32 {
        self.stalls
    }

    /// Waits for the next attempt after a failure, as long as the error, the server and the network require.
    ///
    /// While the browser reports no network, and was never wrong, failures cost no attempt. Neither do requests that were queued behind
    /// stalled ones, which end by their own deadlines. A part of this upload that was uploaded since the last failure shows that the network
    /// works, and one of any upload that a busy server takes some: the attempts are counted from 0 again. Expired URLs and credentials, and
    /// refusals of a busy server, are counted separately, since they say nothing about the network.
    ///
    /// # Errors
    /// The error itself, if no attempts are left or the error is final.
    pub async fn backoff<P: Platform>(
        &mut self,
        cx: &Context<P>,
        error: UploadError,
        retry: &RetrySettings,
    ) -> Result<()> {
        let by_network = matches!(error.code, Code::Network | Code::Stalled);
        self.stalls += u32::from(error.code == Code::Stalled);
        if by_network && matches!(error.retry, Retry::Later(_)) && cx.wait_for_network(false).await {
            return Ok(());
        }
        let (completed, completed_by_all) = (cx.reporter.completed(), cx.slots.succeeded());
        if by_network && self.completed != completed {
            self.attempt = 0;
        }
        // Uploads compete for a server's limit: those that succeed show that the others will.
        if self.completed_by_all != completed_by_all {
            self.limited = 0;
        }
        (self.completed, self.completed_by_all) = (completed, completed_by_all);
        let attempt = match error.code {
            Code::UrlExpired | Code::Unauthorized => &mut self.expired,
            Code::RateLimited => &mut self.limited,
            _ => &mut self.attempt,
        };
        *attempt += u32::from(!error.queued_behind_stalled || *attempt == 0);
        let asked = matches!(error.retry, Retry::Later(Some(ms)) if ms > 0);
        let wait = wait_ms(error, *attempt, retry, cx.platform.random())?;
        cx.wait(wait, asked).await;
        Ok(())
    }
}

/// Milliseconds before attempt `attempt + 1`, or the error itself if there is none.
///
/// Full jitter over a doubling bound, equal jitter from the third attempt on (AWS Architecture Blog, "Exponential Backoff And Jitter"), added to the wait that the server asked
/// for: "Retry-After: 0" doesn't shorten the wait, and all clients were told the same moment.
fn wait_ms(error: UploadError, attempt: u32, settings: &RetrySettings, random: f64) -> Result<u64> {
    let Retry::Later(asked) = error.retry else { return Err(error) };
    if attempt >= settings.attempts {
        return Err(error);
    }
    let bound = settings.base_ms.saturating_mul(1 << (attempt - 1).min(20)).min(settings.cap_ms);
    // Most faults are over at once; those that aren't may last, and eight attempts outlast half a minute.
    let least = if attempt > 2 { bound / 2 } else { 0 };
    let jitter = least + (random * (bound - least) as f64) as u64;
    match asked.unwrap_or(0) {
        asked if asked > MAX_RETRY_AFTER_MS => Err(UploadError::new(
            Code::RateLimited,
            text!(
                "The server asked to wait {} s, longer than the limit of {} s.",
                (asked / 1000),
                (MAX_RETRY_AFTER_MS / 1000)
            ),
        )
        .hint("Start the upload again after that time.")
        .status(error.status.unwrap_or(429))
        .retry(Retry::Never)),
        asked => Ok(asked + jitter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: RetrySettings = RetrySettings { attempts: 4, base_ms: 500, cap_ms: 1_500 };

    fn wait(error: UploadError, attempt: u32) -> Result<u64> {
        wait_ms(error, attempt, &SETTINGS, 0.5)
    }

    #[test]
    fn doubles_to_the_cap_and_ends() {
        let network = || UploadError::new(Code::Network, "lost");
        assert_eq!([1, 2, 3].map(|attempt| wait(network(), attempt).unwrap()), [250, 500, 1_125]);
        assert_eq!(wait(network(), 4).unwrap_err().code, Code::Network);
    }

    #[test]
    fn retry_after_is_the_minimum_up_to_five_minutes() {
        let limited = |ms| UploadError::new(Code::RateLimited, "wait").retry(Retry::Later(Some(ms)));
        assert_eq!([1, 2, 3].map(|attempt| wait(limited(2_000), attempt).unwrap()), [2_250, 2_500, 3_125]);
        assert_eq!([1, 2, 3].map(|attempt| wait(limited(0), attempt).unwrap()), [250, 500, 1_125]);
        let too_long = wait(limited(MAX_RETRY_AFTER_MS + 1), 1).unwrap_err();
        assert_eq!(too_long.code, Code::RateLimited);
        assert_eq!(wait(limited(MAX_RETRY_AFTER_MS), 1).unwrap(), MAX_RETRY_AFTER_MS + 250);
    }

    #[test]
    fn final_errors_are_not_retried() {
        assert!(wait(UploadError::new(Code::Forbidden, "no"), 1).is_err());
    }
}
