//! A byte rate, of one connection or shared by several.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

/// Paces bytes: holds the time at which all bytes so far have passed.
#[derive(Debug)]
pub(crate) struct Rate(Mutex<Instant>);

impl Default for Rate {
    fn default() -> Self {
        Self(Mutex::new(Instant::now()))
    }
}

impl Rate {
    /// Adds `bytes`, and returns when they have passed at this rate. Callers queue up behind each other.
    pub(crate) fn reserve(&self, bytes: u64, bytes_per_second: u64) -> Instant {
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

    #[tokio::test(start_paused = true)]
    async fn callers_queue_up_behind_each_other() {
        let rate = Rate::default();
        let first = rate.reserve(500_000, 1_000_000);
        assert_eq!(first, Instant::now() + Duration::from_millis(500));
        assert_eq!(rate.reserve(250_000, 1_000_000), first + Duration::from_millis(250));
        assert_eq!(rate.reserve(1, 0), first + Duration::from_millis(1_250), "a rate of 0 counts as 1");
    }
}
