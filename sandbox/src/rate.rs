//! So many bytes a second, for one connection or for all that share a line.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

/// When the next byte may be taken.
#[derive(Debug)]
pub(crate) struct Rate(Mutex<Instant>);

impl Default for Rate {
    fn default() -> Self {
        Self(Mutex::new(Instant::now()))
    }
}

impl Rate {
    /// Takes so many bytes; says when they are through. Whoever shares the rate waits in turn.
    pub(crate) fn take(&self, bytes: u64, bytes_per_second: u64) -> Instant {
        let mut next = self.0.lock().expect("rate");
        let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(bytes_per_second.max(1));
        let pause = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        *next = (*next).max(Instant::now()) + pause.min(Duration::from_secs(3600));
        *next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_share_it_wait_in_turn() {
        let rate = Rate::default();
        let first = rate.take(500_000, 1_000_000);
        assert!(first > Instant::now());
        assert_eq!(rate.take(250_000, 1_000_000), first + Duration::from_millis(250));
        assert_eq!(rate.take(1, 0), first + Duration::from_millis(1_250), "no rate is none");
    }
}
