//! The tail of an upload: a part that takes much longer than the others, when nothing else is left to send, is sent a second time.
//!
//! Both requests carry the same bytes, and the store keeps those of either. That both answers then name the same part is sure only where
//! ETags are MD5s, so nothing else is sent twice.

use std::cell::{Cell, RefCell};

use crate::util::ordered::OrderedMap;

/// A part is late once it takes this many times what the others took. (A choice: fewer would be chance.)
const LATE: u64 = 3;
/// No part is late before. (A choice: a second request costs a preflight and a round trip itself.)
pub(super) const MIN_MS: u64 = 1_000;
/// So many parts tell how long one takes. (A choice.)
const MIN_PARTS: u64 = 3;

/// How long the parts of one upload take.
#[derive(Debug, Default)]
pub(super) struct Tail {
    /// When the running attempts began, by part; None for a part that was sent twice.
    began: RefCell<OrderedMap<Option<u64>>>,
    /// Parts that were uploaded, and the milliseconds that their last attempts took.
    parts: Cell<u64>,
    ms: Cell<u64>,
    /// A part couldn't be verified.
    unproven: Cell<bool>,
}

impl Tail {
    /// Notes the beginning of an attempt at a part.
    pub(super) fn began(&self, part: u32, now: u64) {
        let mut running = self.began.borrow_mut();
        if running.get(part) != Some(&None) {
            running.insert(part, Some(now));
        }
    }

    /// Notes the end of an attempt that failed: the part waits to be sent again.
    pub(super) fn ended(&self, part: u32) {
        let mut running = self.began.borrow_mut();
        if running.get(part) != Some(&None) {
            running.remove(part);
        }
    }

    /// Notes that a part is sent a second time: it isn't late again.
    pub(super) fn copied(&self, part: u32) {
        self.began.borrow_mut().insert(part, None);
    }

    /// Notes the answer to an attempt at a part: what follows, as its hashing, makes it no later. Of a part that was sent twice it
    /// tells nothing.
    pub(super) fn answered(&self, part: u32, now: u64) {
        let mut running = self.began.borrow_mut();
        let Some(began) = running.get(part).copied().flatten() else { return };
        running.remove(part);
        self.parts.set(self.parts.get() + 1);
        self.ms.set(self.ms.get() + now.saturating_sub(began));
    }

    /// Notes that a part was uploaded.
    pub(super) fn completed(&self, part: u32, verified: bool) {
        self.began.borrow_mut().remove(part);
        self.unproven.set(self.unproven.get() || !verified);
    }

    /// The part that is late first, and when it is; None as long as too little is known.
    pub(super) fn next(&self) -> Option<(u32, u64)> {
        let parts = self.parts.get();
        if parts < MIN_PARTS || self.unproven.get() {
            return None;
        }
        let late_ms = (LATE * self.ms.get() / parts).max(MIN_MS);
        let began = self.began.borrow();
        began.iter().filter_map(|(part, began)| Some((part, (*began)? + late_ms))).min_by_key(|(_, at)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(durations: &[u64], verified: bool) -> Tail {
        let tail = Tail::default();
        for (part, ms) in (1..).zip(durations) {
            tail.began(part, 0);
            tail.answered(part, *ms);
            tail.completed(part, verified);
        }
        tail.began(90, 7_000);
        tail.began(91, 6_000);
        tail
    }

    #[test]
    fn a_part_is_late_at_three_times_what_the_others_took() {
        assert_eq!(after(&[4_000, 5_000, 6_000], true).next(), Some((91, 6_000 + 15_000)));
        assert_eq!(after(&[10, 10, 10], true).next(), Some((91, 6_000 + MIN_MS)));
        assert_eq!(after(&[4_000, 5_000], true).next(), None, "too few");
        assert_eq!(after(&[4_000, 5_000, 6_000], false).next(), None, "not verified");
    }

    #[test]
    fn a_part_that_was_answered_is_not_late_while_it_is_hashed() {
        let tail = after(&[4_000, 5_000, 6_000], true);
        tail.answered(91, 21_000);
        assert_eq!(tail.next().map(|(part, _)| part), Some(90));
    }

    #[test]
    fn a_part_that_waits_or_is_sent_twice_is_not_late() {
        let tail = after(&[4_000, 5_000, 6_000], true);
        tail.ended(91);
        assert_eq!(tail.next(), Some((90, 22_000)));
        tail.copied(90);
        tail.began(90, 8_000);
        assert_eq!(tail.next(), None);
        tail.answered(90, 60_000);
        assert_eq!(tail.next(), None, "still marked as sent twice");
        tail.completed(90, true);
        tail.began(91, 30_000);
        assert_eq!(tail.next(), Some((91, 45_000)), "what was sent twice tells nothing");
    }
}
