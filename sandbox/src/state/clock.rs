//! The server's clock: real time, plus a skew that tests set.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A clock with an adjustable skew (`skewMs`).
#[derive(Debug, Default)]
pub struct Clock {
    skew_ms: AtomicI64,
}

impl Clock {
    /// The skewed time, in milliseconds since the epoch.
    pub fn now(&self) -> u64 {
        self.real_time().saturating_add_signed(self.skew())
    }

    /// The real time, in milliseconds since the epoch.
    pub fn real_time(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    /// The skew in milliseconds; a positive one is ahead of real time.
    pub fn skew(&self) -> i64 {
        self.skew_ms.load(Ordering::Relaxed)
    }

    /// Sets the skew.
    pub fn set_skew(&self, skew_ms: i64) {
        self.skew_ms.store(skew_ms, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skewed_clock_is_off_by_the_skew() {
        let clock = Clock::default();
        clock.set_skew(-3_600_000);
        assert!(clock.now() < clock.real_time() - 3_590_000);
    }
}
