//! The most bytes a second that an uploader sends, kept by when its parts start: a body on its way can't be slowed down.

use std::cell::Cell;
use std::rc::Rc;

use crate::platform::Platform;
use crate::sync::rank::Rank;
use crate::sync::semaphore::Semaphore;

/// A part that starts so much later than it might have makes up for it: timers are late by some milliseconds, and small files follow each
/// other faster than that. (A choice: 2 % of the five seconds that the average is taken over.)
const LATE_MS: u64 = 100;

/// When the next part may start. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    /// Bytes a second.
    max_rate: Option<u64>,
    /// One part waits for its start at a time, so that the queue keeps its order.
    gate: Semaphore,
    /// From when on the next part may start, and how long the one before it takes at that rate.
    next: Rc<Cell<(u64, u64)>>,
}

impl Pace {
    pub(super) fn new(max_rate: Option<u64>) -> Self {
        Self { max_rate, gate: Semaphore::new(1), next: Rc::default() }
    }

    /// The pace as the parts of one upload keep it.
    pub(super) fn ranked(&self, rank: &Rank) -> Self {
        Self { gate: self.gate.ranked(rank), ..self.clone() }
    }

    /// Waits until a part of so many bytes may start.
    pub(super) async fn wait<P: Platform>(&self, platform: &P, bytes: u64) {
        let Some(max_rate) = self.max_rate else { return };
        let _first = self.gate.acquire().await;
        let (now, (at, took_ms)) = (platform.now(), self.next.get());
        // A clock that was set back doesn't make it longer.
        let wait_ms = at.saturating_sub(now).min(took_ms);
        if wait_ms > 0 {
            platform.sleep(wait_ms).await;
        }
        let start = now.saturating_sub(LATE_MS).max(at.min(now + wait_ms));
        let takes_ms = bytes.saturating_mul(1000).div_ceil(max_rate);
        self.next.set((start.saturating_add(takes_ms), takes_ms));
    }
}
