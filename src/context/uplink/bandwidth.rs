//! How many bytes a second the uplink carries, measured by answers.

use std::cell::{Cell, RefCell};

/// The bandwidth that is assumed until something was answered, in bytes a second: 256 kbit/s, the uplink of early ADSL. (A choice.)
pub const INITIAL_BANDWIDTH: u64 = 32 * 1024;

/// The uplink may become slower than measured by this factor before requests time out. (A choice: other programs use it too, and
/// connections don't share it evenly.)
const SAFETY_FACTOR: u64 = 2;

/// Smaller bodies measure latency, not bandwidth. (A choice.)
pub(super) const MIN_SAMPLE: u64 = 256 * 1024;

/// The bandwidth is measured over the latest answers, this many. (A choice: more than the six requests that run at once by default,
/// so that a burst of first answers is compared with the time that all of them took; few, so that a change is noticed.)
const MAX_SAMPLES: usize = 8;

/// As many requests run at once as a measured uplink completes in about this time. (A choice: the most that a lost connection costs.)
const ROUND_MS: u64 = 120_000;

/// At least this many requests run at once, however slow the uplink: one sends while the other waits for its answer. (A choice.)
const MIN_CONCURRENCY: usize = 2;

/// Timeouts never lower the assumed bandwidth below this, in bytes a second: what isn't answered at this rate hangs. 64 kbit/s, one
/// channel of ISDN. (A choice.)
pub(super) const MIN_BANDWIDTH: u64 = 8 * 1024;

/// The measured bandwidth of the uplink.
#[derive(Debug, Default)]
pub(super) struct Bandwidth {
    samples: RefCell<Vec<Sample>>,
    /// Bytes a second, as of the last answer; None until there was one.
    rate: Cell<Option<u64>>,
    /// Bytes a second that deadlines count on after a timeout; None while they follow from the rate.
    reduced: Cell<Option<u64>>,
}

/// A request that was answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) began: u64,
    pub(super) ended: u64,
    pub(super) size: u64,
}

impl Bandwidth {
    /// Bytes a second, as measured.
    pub(super) fn rate(&self) -> Option<u64> {
        self.rate.get()
    }

    /// Bytes a second that deadlines count on.
    pub(super) fn assumed(&self) -> u64 {
        let from_rate = || self.rate.get().map_or(INITIAL_BANDWIDTH, |rate| rate / SAFETY_FACTOR);
        self.reduced.get().unwrap_or_else(from_rate).max(1)
    }

    /// Whether a request timed out since the last answer, or the line was found too slow for so many requests of that size.
    pub(super) fn is_slow(&self, size: u64, requests: usize) -> bool {
        self.reduced.get().is_some() || self.max_concurrency(size) < requests
    }

    /// Milliseconds that deadlines allow for this many bytes.
    pub(super) fn time_ms(&self, bytes: u64) -> u64 {
        bytes.saturating_mul(1000) / self.assumed()
    }

    /// How many requests of that size may run at once.
    pub(super) fn max_concurrency(&self, size: u64) -> usize {
        let Some(rate) = self.rate.get() else { return usize::MAX };
        let count = rate.saturating_mul(ROUND_MS / 1000) / size.max(1);
        usize::try_from(count).unwrap_or(usize::MAX).max(MIN_CONCURRENCY)
    }

    /// Measures the rate at an answer: the bytes of the latest answers, divided by the time during which any of them was under way.
    ///
    /// All of these bytes were sent in that time, and maybe others too, so the uplink carries at least as much. Time between
    /// requests doesn't count. Nothing but an answer changes the rate: if it fell while nothing is answered, deadlines would recede
    /// for ever.
    pub(super) fn measure(&self, sample: Sample) {
        if sample.size < MIN_SAMPLE || sample.ended < sample.began {
            return;
        }
        let mut samples = self.samples.borrow_mut();
        if samples.len() == MAX_SAMPLES {
            samples.remove(0);
        }
        samples.push(sample);
        let bytes: u64 = samples.iter().map(|sample| sample.size).sum();
        self.rate.set(Some(bytes.saturating_mul(1000) / busy_ms(&samples).max(1)));
        self.reduced.set(None);
    }

    /// Halves what deadlines count on, after a request timed out that had time for `observed` bytes a second. It holds until the next
    /// answer.
    pub(super) fn reduce(&self, observed: u64) {
        let assumed = self.assumed();
        // A measured bandwidth below the minimum is real.
        self.reduced.set(Some((assumed.min(observed) / 2).max(assumed.min(MIN_BANDWIDTH))));
        // The bandwidth has changed: earlier samples say nothing.
        self.samples.take();
    }
}

/// Milliseconds during which at least one of the requests was under way.
fn busy_ms(samples: &[Sample]) -> u64 {
    let mut total = 0;
    // Few enough to look for the next one each time.
    let mut until = 0;
    loop {
        let next = samples.iter().filter(|sample| sample.ended > until).min_by_key(|sample| sample.began.max(until));
        let Some(next) = next else { return total };
        total += next.ended - next.began.max(until);
        until = next.ended;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    /// Requests of 5 MiB that began together, and were answered one by one.
    fn burst(bandwidth: &Bandwidth, began: u64, answers: &[u64]) {
        for ended in answers {
            bandwidth.measure(Sample { began, ended: *ended, size: 5 * MIB });
        }
    }

    fn rate(bandwidth: &Bandwidth) -> u64 {
        bandwidth.rate().unwrap()
    }

    #[test]
    fn a_burst_of_answers_counts_the_time_that_all_of_them_took() {
        let bandwidth = Bandwidth::default();
        burst(&bandwidth, 1_000, &[252_000, 252_010, 252_020, 252_030, 252_040, 252_050]);
        assert!((120_000..=130_000).contains(&rate(&bandwidth)), "{}", rate(&bandwidth));
        let concurrency = [5 * MIB, MIB, 1 << 40].map(|size| bandwidth.max_concurrency(size));
        assert_eq!(concurrency, [2, 14, MIN_CONCURRENCY]);
    }

    #[test]
    fn a_line_is_slow_for_more_requests_than_it_completes_in_time() {
        let bandwidth = Bandwidth::default();
        let is_slow = |requests| bandwidth.is_slow(5 * MIB, requests);
        assert!(!is_slow(6), "nothing is known yet");
        burst(&bandwidth, 0, &[20_000]);
        assert_eq!(bandwidth.max_concurrency(5 * MIB), 6);
        assert_eq!([5, 6, 7].map(is_slow), [false, false, true]);
        bandwidth.reduce(INITIAL_BANDWIDTH);
        assert!(is_slow(1), "a request timed out");
    }

    #[test]
    fn time_between_requests_does_not_count() {
        let bandwidth = Bandwidth::default();
        burst(&bandwidth, 0, &[10_000]);
        burst(&bandwidth, 3_600_000, &[3_610_000]);
        assert_eq!(rate(&bandwidth), 5 * MIB / 10);
        // Nor does it count twice where requests overlap.
        burst(&bandwidth, 3_605_000, &[3_620_000]);
        assert_eq!(rate(&bandwidth), 15 * MIB / 30);
    }

    #[test]
    fn the_rate_follows_a_change() {
        let bandwidth = Bandwidth::default();
        for round in 0..10 {
            burst(&bandwidth, round * 1_000, &[round * 1_000 + 1_000]);
        }
        assert_eq!(rate(&bandwidth), 5 * MIB);
        for round in 1..9 {
            burst(&bandwidth, round * 100_000, &[round * 100_000 + 50_000]);
        }
        assert_eq!(rate(&bandwidth), 5 * MIB / 50);
    }
}
