//! How long to wait before another try.

use crate::error::{Code, Result, Retry, UploadError};
use crate::settings::RetrySettings;

/// The longest wait that a server's wish is granted; a longer one ends the upload as `rate-limited`.
pub const LONGEST_WISH_MS: u64 = 5 * 60_000;

/// Milliseconds before attempt `attempt + 1`, or the error itself where no further try is due.
///
/// Full jitter over a doubling bound (AWS Architecture Blog, "Exponential Backoff And Jitter"); a server's wish wins over it.
pub fn next_try(error: UploadError, attempt: u32, settings: &RetrySettings, random: f64) -> Result<u64> {
    let Retry::Later(wish) = error.retry else { return Err(error) };
    if attempt >= settings.attempts {
        return Err(error);
    }
    let bound = settings.base_ms.saturating_mul(1 << (attempt - 1).min(20)).min(settings.cap_ms);
    let jitter = (random * bound as f64) as u64;
    match wish {
        None => Ok(jitter),
        Some(wish) if wish > LONGEST_WISH_MS => Err(UploadError::new(
            Code::RateLimited,
            format!("The server wants to be left alone for {} seconds.", wish / 1000),
        )
        .hint("Try again after that time.")
        .status(error.status.unwrap_or(429))
        .retry(Retry::Never)),
        // Everybody was told the same moment: the jitter on top spreads them.
        Some(wish) => Ok(wish + (random * settings.base_ms as f64) as u64),
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
    fn the_servers_wish_wins_up_to_five_minutes() {
        let limited = |ms| UploadError::new(Code::RateLimited, "wait").retry(Retry::Later(Some(ms)));
        assert_eq!(wait(limited(2_000), 1).unwrap(), 2_250);
        let too_long = wait(limited(LONGEST_WISH_MS + 1), 1).unwrap_err();
        assert_eq!(too_long.code, Code::RateLimited);
    }

    #[test]
    fn what_would_fail_again_is_not_tried_again() {
        assert!(wait(UploadError::new(Code::Forbidden, "no"), 1).is_err());
    }
}
