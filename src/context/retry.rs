//! Whether, and after how long a wait, something is tried again.

use super::Context;
use super::backoff::LONGEST_WISH_MS;
use crate::error::{Code, Result, Retry, UploadError};
use crate::model::settings::RetrySettings;
use crate::platform::Platform;

/// The tries of one request. The one loop that repeats anything goes through here.
#[derive(Debug, Default)]
pub struct RetryLoop {
    attempt: u32,
    /// Those that only found out that what signed the request had expired.
    expired: u32,
    /// Parts that had arrived at the last failure.
    completed: u32,
    /// Those that were given up because nothing moved for too long.
    stalls: u32,
}

impl RetryLoop {
    /// How often it was given up because nothing moved for too long: the next one is waited for longer.
    pub fn stalls(&self) -> u32 {
        self.stalls
    }

    /// Waits for the next try after a failure, as long as the error, the server's wish and the network have it.
    ///
    /// While the browser says that there is no network, and nothing has proved it wrong, failures cost no attempt. Neither do stalls
    /// behind requests that hang, which end by their own deadlines. A part that arrived since the last failure shows that the network
    /// carries: the patience with it begins anew. Expired URLs and credentials are counted apart, since they tell nothing of what the
    /// request is up against.
    ///
    /// # Errors
    /// The error itself, where no further try is due.
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
        // Parts that compete for what a server allows lose in turn; those that win show that it goes on.
        let in_turn = by_network || error.code == Code::RateLimited;
        if in_turn && self.completed != cx.reporter.completed() {
            self.attempt = 0;
        }
        self.completed = cx.reporter.completed();
        let expired = matches!(error.code, Code::UrlExpired | Code::Unauthorized);
        let attempt = if expired { &mut self.expired } else { &mut self.attempt };
        *attempt += u32::from(!error.queued_behind_stalled || *attempt == 0);
        let wished = matches!(error.retry, Retry::Later(Some(wish)) if wish > 0);
        let wait = next_try(error, *attempt, retry, cx.platform.random())?;
        cx.wait(wait, wished).await;
        Ok(())
    }
}

/// Milliseconds before attempt `attempt + 1`, or the error itself where no further try is due.
///
/// Full jitter over a doubling bound (AWS Architecture Blog, "Exponential Backoff And Jitter"), after what the server wished: that is a
/// floor. "Retry-After: 0" is no reason to hurry, and everybody was told the same moment.
fn next_try(error: UploadError, attempt: u32, settings: &RetrySettings, random: f64) -> Result<u64> {
    let Retry::Later(wish) = error.retry else { return Err(error) };
    if attempt >= settings.attempts {
        return Err(error);
    }
    let bound = settings.base_ms.saturating_mul(1 << (attempt - 1).min(20)).min(settings.cap_ms);
    let jitter = (random * bound as f64) as u64;
    match wish.unwrap_or(0) {
        wish if wish > LONGEST_WISH_MS => Err(UploadError::new(
            Code::RateLimited,
            text!(
                "The server asked to wait {} s, longer than the limit of {} s.",
                (wish / 1000),
                (LONGEST_WISH_MS / 1000)
            ),
        )
        .hint("Start the upload again after that time.")
        .status(error.status.unwrap_or(429))
        .retry(Retry::Never)),
        wish => Ok(wish + jitter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: RetrySettings = RetrySettings { attempts: 4, base_ms: 500, cap_ms: 1_500 };

    fn wait(error: UploadError, attempt: u32) -> Result<u64> {
        next_try(error, attempt, &SETTINGS, 0.5)
    }

    #[test]
    fn doubles_to_the_cap_and_ends() {
        let network = || UploadError::new(Code::Network, "lost");
        assert_eq!([1, 2, 3].map(|attempt| wait(network(), attempt).unwrap()), [250, 500, 750]);
        assert_eq!(wait(network(), 4).unwrap_err().code, Code::Network);
    }

    #[test]
    fn the_servers_wish_is_a_floor_up_to_five_minutes() {
        let limited = |ms| UploadError::new(Code::RateLimited, "wait").retry(Retry::Later(Some(ms)));
        assert_eq!([1, 2, 3].map(|attempt| wait(limited(2_000), attempt).unwrap()), [2_250, 2_500, 2_750]);
        assert_eq!([1, 2, 3].map(|attempt| wait(limited(0), attempt).unwrap()), [250, 500, 750]);
        let too_long = wait(limited(LONGEST_WISH_MS + 1), 1).unwrap_err();
        assert_eq!(too_long.code, Code::RateLimited);
    }

    #[test]
    fn what_would_fail_again_is_not_tried_again() {
        assert!(wait(UploadError::new(Code::Forbidden, "no"), 1).is_err());
    }
}
