//! Measures how many bytes are sent, how fast, and how long the rest takes.

use crate::util::ordered::OrderedMap;

/// The progress at one time, as listeners get it.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Bytes that were sent; it never falls.
    pub sent: u64,
    /// The file's size in bytes.
    pub total: u64,
    /// `sent` of `total`, 0 to 1; 1 for an empty file that is uploaded.
    pub fraction: f64,
    /// Bytes a second over the last seconds.
    pub rate: Option<f64>,
    /// Seconds to go.
    pub eta: Option<f64>,
    /// Parts in all.
    pub parts_total: u32,
    /// Parts that the server has.
    pub parts_done: u32,
    /// Parts in flight.
    pub parts_in_flight: u32,
    /// The progress of the vendor's processing, after the bytes are uploaded, 0 to 1.
    pub processing: Option<f64>,
}

/// The span that the rate is taken over.
const WINDOW_MS: u64 = 5_000;
/// There is no rate before this time has passed: the first burst only fills the socket's buffer.
const SETTLED_MS: u64 = 500;

/// Counts the bytes of one upload.
#[derive(Debug, Default)]
pub struct Meter {
    total: u64,
    high: u64,
    done_bytes: u64,
    parts_total: u32,
    parts_done: u32,
    /// Bytes of the running attempt of each part.
    in_flight: OrderedMap<u64>,
    /// All bytes that were sent, repeated ones included.
    moved: u64,
    /// Times, and the value of `moved` then; oldest first.
    samples: Vec<(u64, u64)>,
    processing: Option<f64>,
}

impl Meter {
    /// A meter for a file of `total` bytes.
    pub fn new(total: u64) -> Self {
        Self { total, ..Self::default() }
    }

    /// Starts or restarts the count with a plan of this many parts of `total` bytes in all, none of them uploaded.
    pub fn begin(&mut self, total: u64, parts: u32, now: u64) {
        self.total = total;
        self.parts_total = parts;
        self.parts_done = 0;
        self.done_bytes = 0;
        self.in_flight.clear();
        self.sample(now);
    }

    /// Counts the start of an attempt at a part.
    pub fn started(&mut self, part: u32) {
        self.in_flight.insert(part, 0);
    }

    /// Sets the bytes of the running attempt that were sent.
    pub fn sent(&mut self, part: u32, bytes: u64, now: u64) {
        if let Some(before) = self.in_flight.get_mut(part) {
            self.moved += bytes.saturating_sub(*before);
            *before = bytes.max(*before);
            self.sample(now);
        }
    }

    /// Drops the bytes of a running attempt that failed.
    pub fn failed(&mut self, part: u32) {
        self.in_flight.remove(part);
    }

    /// Counts a part as uploaded.
    pub fn completed(&mut self, part: u32, len: u64, now: u64) {
        self.sent(part, len, now);
        self.in_flight.remove(part);
        self.parts_done += 1;
        self.done_bytes += len;
        self.sample(now);
    }

    /// Whether no part is in flight.
    pub fn is_idle(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// Sets the progress of the vendor's processing.
    pub fn processing(&mut self, fraction: f64) {
        let fraction = fraction.clamp(0.0, 1.0);
        self.processing = Some(self.processing.map_or(fraction, |before| before.max(fraction)));
    }

    fn sample(&mut self, now: u64) {
        while self.samples.len() > 1 && now.saturating_sub(self.samples[1].0) >= WINDOW_MS {
            self.samples.remove(0);
        }
        let crowded = self.samples.len() > 1;
        match self.samples.last_mut() {
            Some((at, moved)) if crowded && now.saturating_sub(*at) < 50 => *moved = self.moved,
            _ => self.samples.push((now, self.moved)),
        }
    }

    /// The progress at this moment.
    pub fn progress(&mut self, now: u64) -> Progress {
        let in_flight: u64 = self.in_flight.iter().map(|(_, bytes)| *bytes).sum();
        self.high = self.high.max((self.done_bytes + in_flight).min(self.total));
        if broken!(FallingProgress) {
            self.high = (self.done_bytes + in_flight).min(self.total);
        }
        let rate = self.samples.first().and_then(|(since, moved)| {
            let span = now.saturating_sub(*since);
            (span >= SETTLED_MS).then(|| (self.moved - moved) as f64 * 1000.0 / span as f64)
        });
        let left = self.total.saturating_sub(self.done_bytes + in_flight) as f64;
        let is_complete = self.parts_total > 0 && self.parts_done == self.parts_total;
        Progress {
            sent: self.high,
            total: self.total,
            fraction: if self.total > 0 {
                self.high as f64 / self.total as f64
            } else {
                f64::from(u8::from(is_complete))
            },
            rate: rate.filter(|_| !is_complete),
            eta: rate.filter(|rate| *rate > 0.0 && !is_complete).map(|rate| left / rate),
            parts_total: self.parts_total,
            parts_done: self.parts_done,
            parts_in_flight: self.in_flight.len() as u32,
            processing: self.processing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_part_sent_again_does_not_run_backwards_but_counts_for_the_rate() {
        let mut meter = Meter::new(100);
        meter.begin(100, 1, 0);
        meter.started(1);
        meter.sent(1, 80, 1_000);
        assert_eq!(meter.progress(1_000).sent, 80);
        meter.failed(1);
        meter.started(1);
        meter.sent(1, 20, 2_000);
        let progress = meter.progress(2_000);
        assert_eq!((progress.sent, progress.rate), (80, Some(50.0)));
        meter.completed(1, 100, 3_000);
        assert_eq!(meter.progress(3_000).fraction, 1.0);
    }

    #[test]
    fn the_rest_takes_as_long_as_its_bytes_at_the_measured_rate() {
        let mut meter = Meter::new(1_000);
        meter.begin(1_000, 2, 0);
        meter.started(1);
        meter.completed(1, 500, 2_000);
        meter.started(2);
        meter.sent(2, 100, 3_000);
        let progress = meter.progress(3_000);
        assert_eq!((progress.rate, progress.eta), (Some(200.0), Some(2.0)));
        meter.completed(2, 500, 5_000);
        let progress = meter.progress(5_000);
        assert_eq!((progress.rate, progress.eta), (None, None), "nothing is left");
    }

    #[test]
    fn an_empty_file_is_sent_once_its_part_is() {
        let mut meter = Meter::new(0);
        assert_eq!(meter.progress(0).fraction, 0.0);
        meter.begin(0, 1, 0);
        assert_eq!(meter.progress(0).fraction, 0.0);
        meter.completed(1, 0, 10);
        assert_eq!(meter.progress(10).fraction, 1.0);
    }

    #[test]
    fn samples_are_few_however_often_bytes_are_reported() {
        let mut meter = Meter::new(1_000_000);
        meter.begin(1_000_000, 1, 0);
        meter.started(1);
        (1..10_000).for_each(|at| meter.sent(1, at, at));
        assert!(meter.samples.len() as u64 <= WINDOW_MS / 50 + 2, "{}", meter.samples.len());
    }

    proptest! {
        #[test]
        fn never_falls_and_never_passes_the_total(moves in proptest::collection::vec((0u8..4, 1u32..5, 0u64..300), 0..200)) {
            let mut meter = Meter::new(1_000);
            meter.begin(1_000, 4, 0);
            let mut high = 0;
            for (at, (what, part, bytes)) in moves.into_iter().enumerate() {
                let now = at as u64 * 37;
                match what {
                    0 => meter.started(part),
                    1 => meter.sent(part, bytes, now),
                    2 => meter.failed(part),
                    _ => meter.begin(1_000, 4, now),
                }
                let progress = meter.progress(now);
                prop_assert!(progress.sent >= high && progress.sent <= 1_000);
                high = progress.sent;
            }
        }
    }
}
