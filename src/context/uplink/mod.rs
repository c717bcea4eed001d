//! The uplink that all uploads of the page share: which requests send over it, when bytes last moved, and how long a request may take.
//!
//! Bytes leave a browser at the speed of whatever stands next to it: socket buffers, or a proxy that accepts a body whole and forwards
//! it slowly. So bytes that were sent say nothing about the bandwidth. Bytes that were *answered* do.

mod bandwidth;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use self::bandwidth::{Bandwidth, Sample};

pub use self::bandwidth::INITIAL_BANDWIDTH;

/// The most bytes of one body that are buffered between the browser and the server after they were sent. (A choice: proxies buffer
/// uploads of megabytes; one that accepts gigabytes writes them to a disk, and has a fast uplink itself.)
const MAX_BUFFERED: u64 = 64 << 20;

/// The uplink of the page. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Uplink(Rc<State>);

#[derive(Debug, Default)]
struct State {
    bandwidth: Bandwidth,
    /// Requests with bytes of files that aren't answered yet, in the order in which they began.
    pending: RefCell<Vec<Pending>>,
    /// The number of the next request.
    next_number: Cell<u64>,
    /// When bytes were last sent, or an answer was received.
    moved_at: Cell<u64>,
    /// A transport reported bytes in the middle of a body, so that silence means something.
    reports_progress: Cell<bool>,
    /// Timeouts of requests before this one have reduced the bandwidth already.
    reduced_before: Cell<u64>,
}

#[derive(Debug)]
struct Pending {
    number: u64,
    size: u64,
    /// All of its bytes were sent, and are in buffers or at the server.
    all_sent: bool,
    checkpoint: Rc<Cell<Checkpoint>>,
}

impl Pending {
    /// Another request began. If none has ended since this one's checkpoint, the two share the uplink from there on, and the other
    /// counts even if it is answered first.
    fn share_with(&self, number: u64, size: u64) {
        let checkpoint = self.checkpoint.get();
        if checkpoint.none_ended {
            let ahead = checkpoint.ahead.saturating_add(size.min(fair_share(self.size)));
            self.checkpoint.set(Checkpoint { ahead, next: number + 1, ..checkpoint });
        }
    }

    /// Another request ended.
    fn note_end(&self) {
        self.checkpoint.set(Checkpoint { none_ended: false, ..self.checkpoint.get() });
    }
}

/// The most bytes of another request that count for one of that size: connections share the uplink, and each gets its turn.
fn fair_share(size: u64) -> u64 {
    size.max(MAX_BUFFERED)
}

/// When a request last moved, and what was ahead of it on the uplink then.
#[derive(Clone, Copy, Debug, Default)]
struct Checkpoint {
    at: u64,
    /// Bytes that weren't answered then, its own included.
    ahead: u64,
    /// Requests from this number on began later.
    next: u64,
    /// No request has ended since then.
    none_ended: bool,
}

impl Uplink {
    /// Adds a request with this many bytes of a file.
    pub fn begin(&self, size: u64, now: u64) -> Transfer {
        let number = self.0.next_number.get();
        self.0.next_number.set(number + 1);
        let transfer = Transfer { uplink: self.clone(), number, size, began: now, checkpoint: Rc::default() };
        if size > 0 {
            let mut pending = self.0.pending.borrow_mut();
            for request in pending.iter() {
                request.share_with(number, size);
            }
            pending.push(Pending { number, size, all_sent: false, checkpoint: transfer.checkpoint.clone() });
        }
        transfer.set_checkpoint(now);
        transfer
    }

    /// How many requests of that size may run at once, as far as the bandwidth is known.
    pub fn max_concurrency(&self, size: u64) -> usize {
        self.0.bandwidth.max_concurrency(size)
    }

    /// Bytes a second, as measured; None until something was answered.
    pub fn rate(&self) -> Option<u64> {
        self.0.bandwidth.rate()
    }

    /// Whether the line is too slow for so many requests of that size, as far as is known.
    pub fn is_slow(&self, size: u64, requests: usize) -> bool {
        self.0.bandwidth.is_slow(size, requests)
    }

    /// Whether requests with bytes of files are pending, and nothing has moved since that time. A small request that began then may
    /// have waited for one of their connections, of which browsers have six for a host (HTTP/1.1), or for an uplink that is stalled.
    pub fn is_stalled_since(&self, since: u64) -> bool {
        !self.0.pending.borrow().is_empty() && self.0.moved_at.get() < since
    }

    /// Milliseconds that all pending requests may take before a small one has its turn.
    pub fn drain_ms(&self) -> u64 {
        self.0.bandwidth.time_ms(self.pending_bytes(MAX_BUFFERED, 0, false))
    }

    /// Bytes of the pending requests from that number on, each counted up to `max`; with `all_sent`, only of those that were sent to
    /// the end.
    #[inline(never)] // It has four callers.
    fn pending_bytes(&self, max: u64, from: u64, all_sent: bool) -> u64 {
        let pending = self.0.pending.borrow();
        let mut bytes: u64 = 0;
        for request in pending.iter().filter(|request| request.number >= from && (request.all_sent || !all_sent)) {
            bytes = bytes.saturating_add(request.size.min(max));
        }
        bytes
    }
}

/// A request on the uplink. Dropping it removes the request.
#[derive(Debug)]
pub struct Transfer {
    uplink: Uplink,
    number: u64,
    size: u64,
    began: u64,
    checkpoint: Rc<Cell<Checkpoint>>,
}

impl Transfer {
    /// This many bytes of the request have been sent.
    pub fn moved(&self, bytes: u64, now: u64) {
        let all_sent = bytes >= self.size;
        if bytes > 0 {
            self.uplink.0.moved_at.set(now);
        }
        if bytes > 0 && !all_sent {
            self.uplink.0.reports_progress.set(true);
        }
        for request in self.uplink.0.pending.borrow_mut().iter_mut().filter(|request| request.number == self.number) {
            request.all_sent = all_sent;
        }
        self.set_checkpoint(now);
    }

    fn set_checkpoint(&self, now: u64) {
        let ahead = self.uplink.pending_bytes(fair_share(self.size), 0, false);
        self.checkpoint.set(Checkpoint { at: now, ahead, next: self.uplink.0.next_number.get(), none_ended: true });
    }

    /// When this request last moved, or began.
    pub fn moved_at(&self) -> u64 {
        self.checkpoint.get().at
    }

    /// Whether a transport of this page has reported bytes in the middle of a body. One that only reports the beginning may be a
    /// service worker's, which reports no progress.
    pub fn uplink_reports_progress(&self) -> bool {
        self.uplink.0.reports_progress.get()
    }

    /// Until when silence on the uplink is explained by buffers that drain, which no transport reports. It counts from when anything
    /// last moved, the beginning of this request included.
    pub fn buffers_drained_at(&self) -> u64 {
        let draining = self.uplink.pending_bytes(MAX_BUFFERED, 0, true);
        self.moved_at().max(self.uplink.0.moved_at.get()).saturating_add(self.uplink.0.bandwidth.time_ms(draining))
    }

    /// Milliseconds, from when this request last moved, that the uplink may take for everything that was ahead of it then and that
    /// began since. `all_sent`: its bytes are all sent, and are in buffers.
    pub fn drain_ms(&self, all_sent: bool) -> u64 {
        self.uplink.0.bandwidth.time_ms(self.bytes_to_answer(all_sent))
    }

    /// Bytes that the uplink has to carry until this request is answered, from when it last moved.
    fn bytes_to_answer(&self, all_sent: bool) -> u64 {
        if broken!(AloneOnTheLine) {
            return self.size;
        }
        let checkpoint = self.checkpoint.get();
        let max = if all_sent { MAX_BUFFERED } else { fair_share(self.size) };
        let beyond_buffers = if all_sent { self.size.saturating_sub(MAX_BUFFERED) } else { 0 };
        let later = self.uplink.pending_bytes(max, checkpoint.next, false);
        checkpoint.ahead.saturating_sub(beyond_buffers).saturating_add(later)
    }

    /// The request was answered. `measures`: the server accepted the bytes, and nothing but the uplink determined how long it took.
    pub fn answered(&self, measures: bool, now: u64) {
        if self.size == 0 {
            return;
        }
        self.uplink.0.moved_at.set(now);
        if measures {
            self.uplink.0.bandwidth.measure(Sample { began: self.began, ended: now, size: self.size });
        }
    }

    /// The connection was lost, so that another one is free for a request in the browser's queue.
    pub fn disconnected(&self, now: u64) {
        if self.size > 0 {
            self.uplink.0.moved_at.set(now);
        }
    }

    /// The request timed out because the uplink is slower than assumed: pending requests get twice the time that this one had, until
    /// one is answered. Returns whether that is new; requests that were under way together find it out together.
    pub fn timed_out(&self, all_sent: bool, now: u64) -> bool {
        let state = &self.uplink.0;
        let is_new = self.size > 0 && self.number >= state.reduced_before.get();
        if is_new {
            state.reduced_before.set(state.next_number.get());
            let observed =
                self.bytes_to_answer(all_sent).saturating_mul(1000) / now.saturating_sub(self.moved_at()).max(1);
            state.bandwidth.reduce(observed);
        }
        is_new
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        let mut pending = self.uplink.0.pending.borrow_mut();
        pending.retain(|request| request.number != self.number);
        pending.iter().for_each(Pending::note_end);
    }
}

#[cfg(test)]
mod tests {
    use super::bandwidth::{MIN_BANDWIDTH, MIN_SAMPLE};
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn small_bodies_and_refusals_measure_nothing() {
        let uplink = Uplink::default();
        let (small, refused, back) = (uplink.begin(MIN_SAMPLE - 1, 0), uplink.begin(MIB, 0), uplink.begin(MIB, 9_000));
        small.answered(true, 5_000);
        refused.answered(false, 5_000);
        // The clock was set back.
        back.answered(true, 5_000);
        assert_eq!((uplink.0.bandwidth.rate(), uplink.0.moved_at.get()), (None, 5_000));
        assert_eq!(uplink.max_concurrency(8 * MIB), usize::MAX);
        uplink.begin(MIN_SAMPLE, 0).answered(true, 1_000);
        assert_eq!(uplink.rate(), Some(MIN_SAMPLE), "the smallest that does");
    }

    #[test]
    fn every_request_has_the_time_that_all_of_them_need() {
        let uplink = Uplink::default();
        let transfers: Vec<_> = (0..6).map(|_| uplink.begin(MIB, 0)).collect();
        assert_eq!(transfers[5].drain_ms(false), 6 * MIB * 1000 / INITIAL_BANDWIDTH);
        // One that began later shares the uplink too; one that was answered was ahead all the same.
        let late = uplink.begin(2 * MIB, 0);
        assert_eq!(transfers[0].drain_ms(false), 8 * MIB * 1000 / INITIAL_BANDWIDTH);
        drop(late);
        assert_eq!(transfers[0].drain_ms(false), 8 * MIB * 1000 / INITIAL_BANDWIDTH);
        // One that began after an answer doesn't: else a request that hangs would have time as long as others come and go.
        drop(uplink.begin(2 * MIB, 0));
        assert_eq!(transfers[0].drain_ms(false), 8 * MIB * 1000 / INITIAL_BANDWIDTH);
        drop(transfers);
        assert_eq!(uplink.drain_ms(), 0);
        assert_eq!(uplink.begin(0, 0).drain_ms(false), 0);
    }

    #[test]
    fn progress_restarts_the_count() {
        let uplink = Uplink::default();
        let (first, second) = (uplink.begin(MIB, 0), uplink.begin(MIB, 0));
        drop(first);
        second.moved(1, 40_000);
        assert_eq!((second.moved_at(), second.drain_ms(false)), (40_000, MIB * 1000 / INITIAL_BANDWIDTH));
        let third = uplink.begin(MIB, 50_000);
        third.moved(1, 60_000);
        assert_eq!((second.moved_at(), second.buffers_drained_at()), (40_000, 60_000));
        // Bytes that were sent drain, and no transport reports that.
        third.moved(MIB, 61_000);
        assert_eq!(second.buffers_drained_at(), 61_000 + MIB * 1000 / INITIAL_BANDWIDTH);
        drop(third);
        assert_eq!(second.buffers_drained_at(), 61_000);
    }

    #[test]
    fn waiting_for_a_connection_is_no_stall() {
        let uplink = Uplink::default();
        let (first, queued, call) = (uplink.begin(MIB, 0), uplink.begin(MIB, 0), uplink.begin(0, 0));
        queued.moved(0, 10);
        assert_eq!(first.buffers_drained_at(), 0, "no byte moved");
        first.disconnected(400_000);
        drop(first);
        assert_eq!(queued.buffers_drained_at(), 400_000);
        call.disconnected(500_000);
        assert_eq!(queued.buffers_drained_at(), 400_000);
    }

    #[test]
    fn a_call_waits_in_vain_while_parts_are_pending_and_none_of_their_bytes_move() {
        let uplink = Uplink::default();
        let _call = uplink.begin(0, 0);
        assert!(!uplink.is_stalled_since(1_000), "a call stalls no other call");
        let part = uplink.begin(MIB, 0);
        assert!(uplink.is_stalled_since(1_000));
        part.moved(1, 2_000);
        assert!(!uplink.is_stalled_since(1_000) && !uplink.is_stalled_since(2_000) && uplink.is_stalled_since(2_001));
        drop(part);
        assert!(!uplink.is_stalled_since(3_000), "nothing is pending");
    }

    #[test]
    fn a_call_waited_in_vain_only_for_bytes_that_were_pending_all_the_while() {
        let uplink = Uplink::default();
        assert!(!uplink.is_stalled_since(1_000), "nothing is pending");
        let part = uplink.begin(MIB, 500);
        assert!(uplink.is_stalled_since(1_000));
        part.moved(10, 1_000);
        assert!(!uplink.is_stalled_since(1_000) && uplink.is_stalled_since(1_001));
        assert_eq!(uplink.drain_ms(), uplink.0.bandwidth.time_ms(MIB));
        drop(part);
        assert_eq!((uplink.is_stalled_since(1_001), uplink.drain_ms()), (false, 0));
    }

    #[test]
    fn a_call_that_times_out_says_nothing_about_the_bandwidth() {
        let uplink = Uplink::default();
        assert!(!uplink.begin(0, 0).timed_out(false, 100_000));
        assert_eq!(uplink.0.bandwidth.assumed(), INITIAL_BANDWIDTH);
        assert!(uplink.begin(MIB, 0).timed_out(false, 100_000), "a part's timeout after it is still new");
    }

    #[test]
    fn no_buffer_holds_gigabytes() {
        let uplink = Uplink::default();
        let large = uplink.begin(3 << 30, 0);
        assert_eq!(large.drain_ms(false), (3 << 30) * 1000 / INITIAL_BANDWIDTH);
        assert_eq!(large.drain_ms(true), MAX_BUFFERED * 1000 / INITIAL_BANDWIDTH);
        // A small one beside it waits for its turn, not for all of it.
        let small = uplink.begin(MIB, 0);
        assert_eq!(small.drain_ms(true), (MAX_BUFFERED + MIB) * 1000 / INITIAL_BANDWIDTH);
    }

    #[test]
    fn a_timeout_gives_all_requests_more_time_until_the_next_answer() {
        let uplink = Uplink::default();
        uplink.begin(5 * MIB, 0).answered(true, 1_000);
        let (first, second) = (uplink.begin(5 * MIB, 2_000), uplink.begin(5 * MIB, 2_000));
        assert_eq!(first.drain_ms(false), 4_000);
        // Both had half a minute on top.
        assert_eq!(
            (first.timed_out(false, 36_000), second.timed_out(false, 36_000)),
            (true, false),
            "found out together"
        );
        assert_eq!(second.drain_ms(false), 68_000);
        drop(first);
        let again = uplink.begin(5 * MIB, 36_000);
        assert!(again.timed_out(false, 164_000) && !second.timed_out(false, 164_000));
        assert_eq!(again.drain_ms(false), 256_000);
        // The next answer is measured by itself.
        again.answered(true, 136_000);
        let bandwidth = &uplink.0.bandwidth;
        assert_eq!((bandwidth.rate(), bandwidth.assumed()), (Some(5 * MIB / 100), 5 * MIB / 200));
    }

    #[test]
    fn timeouts_stop_at_the_minimum_and_measurements_do_not() {
        let uplink = Uplink::default();
        let bandwidth = &uplink.0.bandwidth;
        for wait in [190_000, 400_000, 1_000_000, 2_000_000] {
            assert!(uplink.begin(5 * MIB, 0).timed_out(false, wait));
        }
        assert_eq!(bandwidth.assumed(), MIN_BANDWIDTH);
        uplink.begin(MIB, 0).answered(true, 1_048_576);
        assert_eq!(bandwidth.assumed(), 500);
        assert!(uplink.begin(MIB, 0).timed_out(false, 5_000_000));
        assert_eq!(bandwidth.assumed(), 500);
    }
}
