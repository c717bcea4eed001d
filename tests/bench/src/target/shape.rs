//! What a line does to a request: how fast its bytes go, how long an answer takes, and what goes wrong.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::random::SplitMix;

/// A line.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Shape {
    /// Bytes a second of one connection.
    pub(crate) per_connection: Option<u64>,
    /// Bytes a second of all connections together.
    pub(crate) in_all: Option<u64>,
    /// Milliseconds by which every answer, and the first byte of a connection, come later.
    pub(crate) latency_ms: u64,
    /// Whether requests with bytes of a file fail now and then.
    pub(crate) faults: bool,
}

impl Shape {
    /// Whether bytes have a rate.
    pub(crate) fn is_slow(&self) -> bool {
        self.per_connection.is_some() || self.in_all.is_some()
    }
}

/// Paces bytes.
#[derive(Debug)]
pub(crate) struct Rate(Mutex<Instant>);

impl Rate {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Instant::now()))
    }

    /// When these bytes have passed. Callers queue behind each other; time in which nobody called is lost.
    pub(crate) fn passed(&self, bytes: u64, bytes_per_second: u64, now: Instant) -> Instant {
        let mut next = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *next = (*next).max(now) + Duration::from_secs_f64(bytes as f64 / bytes_per_second.max(1) as f64);
        *next
    }
}

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// 503 with `Retry-After: 1`, after the body.
    Busy,
    /// The connection is reset after this share of the body.
    Reset(f64),
}

/// The share of requests that are refused, and of those whose connection is reset.
const BUSY: f64 = 0.05;
const RESET: f64 = 0.02;

/// Which requests fail: drawn from the seed, what the request carries, and how often that was tried, so that the same requests fail
/// whoever sends them, and in whatever order.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    seed: u64,
    tried: Mutex<HashMap<String, u64>>,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, tried: Mutex::default() }
    }

    /// What happens to this attempt to send `piece`.
    pub(crate) fn next(&self, piece: &str) -> Option<Fault> {
        let attempt = {
            let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
            let attempt = tried.entry(piece.to_owned()).or_default();
            *attempt += 1;
            *attempt
        };
        let mut hasher = DefaultHasher::new();
        (self.seed, piece, attempt).hash(&mut hasher);
        let mut random = SplitMix::new(hasher.finish());
        match random.fraction() {
            drawn if drawn < BUSY => Some(Fault::Busy),
            drawn if drawn < BUSY + RESET => Some(Fault::Reset(random.fraction())),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_pass_one_after_the_other_at_their_rate() {
        let rate = Rate::new();
        let now = Instant::now() + Duration::from_secs(1);
        assert_eq!(rate.passed(500_000, 1_000_000, now), now + Duration::from_millis(500));
        assert_eq!(rate.passed(250_000, 1_000_000, now), now + Duration::from_millis(750));
        let later = now + Duration::from_secs(5);
        assert_eq!(rate.passed(1_000_000, 1_000_000, later), later + Duration::from_secs(1), "nothing is saved up");
    }

    #[test]
    fn the_same_pieces_fail_in_any_order_and_an_attempt_more_is_another_draw() {
        let pieces: Vec<String> = (0..2000).map(|number| number.to_string()).collect();
        let drawn = |seed: u64, reversed: bool| -> HashMap<String, [Option<Fault>; 2]> {
            let faults = Faults::new(seed);
            let mut order = pieces.clone();
            if reversed {
                order.reverse();
            }
            let draw = |piece: String| {
                let both = [faults.next(&piece), faults.next(&piece)];
                (piece, both)
            };
            order.into_iter().map(draw).collect()
        };
        assert_eq!(drawn(1, false), drawn(1, true));
        assert_ne!(drawn(1, false), drawn(2, false));
        assert!(drawn(1, false).values().any(|[first, second]| first.is_some() && second.is_none()));
    }

    #[test]
    fn one_in_twenty_is_refused_and_one_in_fifty_reset() {
        let faults = Faults::new(1);
        let drawn: Vec<Option<Fault>> = (0..20_000).map(|number| faults.next(&number.to_string())).collect();
        let share = |count: usize| count as f64 / drawn.len() as f64;
        let busy = share(drawn.iter().filter(|fault| **fault == Some(Fault::Busy)).count());
        let reset = share(drawn.iter().filter(|fault| matches!(fault, Some(Fault::Reset(_)))).count());
        assert!((0.045..0.055).contains(&busy), "{busy}");
        assert!((0.017..0.023).contains(&reset), "{reset}");
    }
}
