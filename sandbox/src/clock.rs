//! The server's clock: real time, off by as much as a test wants.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A clock that can be set wrong (`skewMs`).
#[derive(Debug, Default)]
pub struct Clock {
    skew_ms: AtomicI64,
}

impl Clock {
    /// What the server believes the time to be, in milliseconds since the epoch.
    pub fn now(&self) -> u64 {
        self.right().saturating_add_signed(self.skew())
    }

    /// The right time.
    pub fn right(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    /// How far the clock is off, in milliseconds; positive is ahead.
    pub fn skew(&self) -> i64 {
        self.skew_ms.load(Ordering::Relaxed)
    }

    /// Sets the clock wrong.
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
        assert!(clock.now() < clock.right() - 3_590_000);
    }
}
