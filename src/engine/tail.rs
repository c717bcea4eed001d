//! The tail of an upload: a part that takes much longer than the others, when nothing else is left to send, is sent a second time.
//!
//! Both requests carry the same bytes, and the store keeps those of either. That both answers then name the same part is sure only where
//! ETags are MD5s, so nothing else is sent twice.

use std::cell::{Cell, RefCell};

use super::run::Run;
use crate::context::integrity::Etags;
use crate::model::plan::Part;
use crate::model::session::AnySession;
use crate::platform::Platform;
use crate::util::ordered::OrderedMap;

/// A part is late once it takes this many times what the others took. (A choice: fewer would be chance.)
const LATE: u64 = 3;
/// No part is late before. (A choice: a second request costs a preflight and a round trip itself.)
const MIN_MS: u64 = 1_000;
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
    fn copied(&self, part: u32) {
        self.began.borrow_mut().insert(part, None);
    }

    /// Notes that a part was uploaded.
    pub(super) fn completed(&self, part: u32, verified: bool, now: u64) {
        let began = self.began.borrow_mut().remove(part).flatten();
        self.unproven.set(self.unproven.get() || !verified);
        if let Some(began) = began {
            self.parts.set(self.parts.get() + 1);
            self.ms.set(self.ms.get() + now.saturating_sub(began));
        }
    }

    /// The part that is late first, and when it is; None as long as too little is known.
    fn next(&self) -> Option<(u32, u64)> {
        let parts = self.parts.get();
        if parts < MIN_PARTS || self.unproven.get() {
            return None;
        }
        let late_ms = (LATE * self.ms.get() / parts).max(MIN_MS);
        let began = self.began.borrow();
        began.iter().filter_map(|(part, began)| Some((part, (*began)? + late_ms))).min_by_key(|(_, at)| *at)
    }
}

impl<P: Platform> Run<P> {
    /// Milliseconds after which a part is late, if it may be sent twice then.
    pub(super) fn until_late(&self, session: &dyn AnySession<P::Json>) -> Option<u64> {
        let useful = self.capabilities.repeats_late_parts && session.is_multipart() && self.wanted().md5;
        let (_, at) = self.tail.next().filter(|_| useful)?;
        // Where another reason stands against it, that may pass.
        Some(at.saturating_sub(self.cx.platform.now()).max(MIN_MS / 4))
    }

    /// The part that is late now and is to be sent a second time: never where ETags aren't proven MD5s, nor on a slow line, which a second
    /// copy would slow down further.
    pub(super) fn late_part<'a>(&self, session: &'a dyn AnySession<P::Json>) -> Option<&'a Part> {
        let (number, at) = self.tail.next()?;
        let part = session.plan().part(number)?;
        let proven = self.cx.etags.etags() == Etags::Md5s;
        let due = at <= self.cx.platform.now() && proven && self.cx.is_online();
        if !due || self.cx.is_line_slow(part.range.len(), self.slots.total()) {
            return None;
        }
        self.tail.copied(number);
        Some(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(durations: &[u64], verified: bool) -> Tail {
        let tail = Tail::default();
        for (part, ms) in (1..).zip(durations) {
            tail.began(part, 0);
            tail.completed(part, verified, *ms);
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
    fn a_part_that_waits_or_is_sent_twice_is_not_late() {
        let tail = after(&[4_000, 5_000, 6_000], true);
        tail.ended(91);
        assert_eq!(tail.next(), Some((90, 22_000)));
        tail.copied(90);
        tail.began(90, 8_000);
        assert_eq!(tail.next(), None);
        tail.completed(90, true, 60_000);
        tail.began(91, 30_000);
        assert_eq!(tail.next(), Some((91, 45_000)), "what was sent twice tells nothing");
    }
}
