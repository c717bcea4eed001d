//! How many parts go at once where `concurrency` is "auto".
//!
//! Browsers open six connections to a host over HTTP/1.1; what is more waits in their queue, in which a call would wait too. Over HTTP/2
//! and HTTP/3 requests share a connection, so that there may be more as long as the rate grows.

use std::cell::Cell;
use std::rc::Rc;

use crate::model::settings::CONCURRENCY;
use crate::sync::semaphore::Semaphore;

/// The most requests at once over a connection that they share. (A choice: what the AWS SDKs and CLI use is 4 to 10; servers allow 100
/// streams or more, RFC 9113, 6.5.2, but each holds a part that may have to be sent again.)
pub const MOST: usize = 16;
/// So many answers may be without a word of their protocol: then it stays unknown. (A choice: the first may come before the browser's
/// entry for it.)
const ASKS: u32 = 4;

/// The slots of one uploader whose number is its own. Clones are the same ones.
#[derive(Clone, Debug, Default)]
pub struct AutoSlots(Rc<State>);

#[derive(Debug, Default)]
struct State {
    /// Requests share a connection.
    multiplexed: Cell<bool>,
    /// Answers whose protocol was asked for.
    asked: Cell<u32>,
    growth: Cell<Growth>,
}

/// What connections there are for parts.
#[derive(Clone, Copy, Debug)]
pub struct Connections {
    /// How many hosts the parts go to.
    pub hosts: usize,
    /// Whether calls that may come meanwhile go there too.
    pub have_calls: bool,
}

impl AutoSlots {
    /// Whether the protocol of the next answer should be looked up.
    pub fn wants_protocol(&self) -> bool {
        !self.0.multiplexed.get() && self.0.asked.get() < ASKS
    }

    /// Whether an answer came over a connection that requests share.
    pub fn learn_protocol(&self, multiplexed: bool) {
        self.0.asked.set(self.0.asked.get() + 1);
        self.0.multiplexed.set(multiplexed);
    }

    /// Sets how many parts may go at once.
    pub fn apply(&self, slots: &Semaphore, connections: Connections) {
        // The connection that is left is for calls.
        let own = connections.hosts * (CONCURRENCY - usize::from(connections.have_calls));
        let grown = if self.0.multiplexed.get() { CONCURRENCY + self.0.growth.get().more } else { 0 };
        slots.set_total(own.max(grown));
    }

    /// Counts a part that was uploaded: after as many as go at once, there are more or fewer by what that did to the rate.
    pub fn count(&self, bytes: u64, at_once: usize, now: u64) {
        if self.0.multiplexed.get() {
            self.0.growth.set(self.0.growth.get().counted(bytes, at_once, now));
        }
    }
}

/// Grows the number of slots while the total rate grows.
#[derive(Clone, Copy, Debug, Default)]
struct Growth {
    /// Slots beyond the usual number.
    more: usize,
    /// When this round began; 0 before the first.
    since: u64,
    bytes: u64,
    parts: usize,
    /// Bytes a second in the round before; while one more slot is tried, before that.
    rate: u64,
    /// Whether this round tries one more slot.
    tries: bool,
}

impl Growth {
    fn counted(self, bytes: u64, at_once: usize, now: u64) -> Self {
        let (bytes, parts) = (self.bytes + bytes, self.parts + 1);
        if self.since > 0 && parts < at_once {
            return Self { bytes, parts, ..self };
        }
        let round = Self { since: now, bytes: 0, parts: 0, ..self };
        if self.since == 0 {
            return round;
        }
        let rate = bytes.saturating_mul(1000) / now.saturating_sub(self.since).max(1);
        // Additive increase while it pays, by a twentieth at least. One more slot that doesn't pay only makes each part take longer: a step
        // back, and the rate without it stays what counts. (Choices.)
        let pays = rate * 20 >= self.rate * 21;
        let more = match pays {
            true => (self.more + 1).min(MOST - CONCURRENCY),
            false if self.tries || rate * 20 < self.rate * 19 => self.more.saturating_sub(1),
            false => self.more,
        };
        let rate = if self.tries && !pays { self.rate } else { rate };
        Self { more, rate, tries: more > self.more, ..round }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(auto: &AutoSlots, hosts: usize, have_calls: bool) -> usize {
        let slots = Semaphore::new(CONCURRENCY);
        auto.apply(&slots, Connections { hosts, have_calls });
        slots.total()
    }

    #[test]
    fn six_a_host_less_one_for_calls() {
        let auto = AutoSlots::default();
        let totals = [(1, false), (1, true), (2, false), (2, true)].map(|(count, calls)| total(&auto, count, calls));
        assert_eq!(totals, [6, 5, 12, 10]);
        for _ in 0..ASKS {
            assert!(auto.wants_protocol());
            auto.learn_protocol(false);
        }
        assert!(!auto.wants_protocol(), "it stays unknown");
    }

    /// Slots after rounds of parts that take so many milliseconds, by the number of slots.
    fn after(rounds: usize, ms: impl Fn(u64) -> u64) -> usize {
        let auto = AutoSlots::default();
        auto.learn_protocol(true);
        let mut now = 1_000;
        for _ in 0..rounds {
            let at_once = total(&auto, 1, false);
            now += ms(at_once as u64);
            (0..at_once).for_each(|_| auto.count(1 << 20, at_once, now));
        }
        total(&auto, 1, false)
    }

    #[test]
    fn more_go_over_a_shared_connection_while_that_pays() {
        assert_eq!(after(40, |_| 500), MOST, "each brings its own rate");
        for rounds in 30..40 {
            assert_eq!(after(rounds, |slots| 100 * slots), 6, "the line is full");
            assert_eq!(after(rounds, |slots| if slots <= 10 { 500 } else { 70 * slots }), 10, "it is full with ten");
        }
    }

    /// Slots beyond the usual number after parts, each given by when it was uploaded and its bytes.
    fn more(at_once: usize, parts: &[(u64, u64)]) -> usize {
        parts.iter().fold(Growth::default(), |growth, (now, bytes)| growth.counted(*bytes, at_once, *now)).more
    }

    #[test]
    fn a_round_begins_at_the_first_answer_and_has_as_many_parts_as_go_at_once() {
        let parts = [(1_000, 10), (2_000, 10), (3_000, 10), (4_000, 10)];
        assert_eq!([3, 4].map(|count| more(3, &parts[..count])), [0, 1]);
    }

    #[test]
    fn a_twentieth_more_or_less_decides() {
        let tried = |rate| more(1, &[(1_000, 0), (2_000, 10_000), (3_000, 20_000), (4_000, rate)]);
        assert_eq!([21_000, 20_999, 5].map(tried), [3, 1, 1]);
        let settled = |rate| more(1, &[(1_000, 0), (2_000, 10_000), (3_000, 20_000), (4_000, 20_000), (5_000, rate)]);
        assert_eq!([21_000, 20_999, 19_000, 18_999].map(settled), [2, 1, 1, 0]);
    }
}
