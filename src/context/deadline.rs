//! When one request times out.

use super::uplink::Transfer;

/// How long a server may work on a complete request before its answer begins: S3's complete and a vendor that forwards gigabytes take
/// minutes ("several minutes", AWS S3 API Reference, CompleteMultipartUpload).
pub const ANSWER_MS: u64 = 10 * 60_000;

/// After a change of networks, or after the machine slept, a byte has to be sent within this time, or the connection counts as dead.
/// (A choice: TCP finds it out after minutes.)
const PROBATION_MS: u64 = 5_000;

/// How long a request may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Milliseconds without progress.
    pub stall_ms: u64,
    /// Whether the server may work on the complete request for minutes.
    pub long_running: bool,
    /// How often the request timed out before: each time it gets longer.
    pub stalls: u32,
}

/// When a request times out.
///
/// While its bytes are being sent, and the transport reports them, it is `stall_ms` without progress on the uplink. If the transport
/// doesn't report, once all bytes are sent, or while other requests make progress and this one doesn't, it is `stall_ms`, and the time
/// that the uplink needs for everything that is pending.
#[derive(Debug)]
pub(super) struct Deadline {
    limits: Limits,
    size: u64,
    pub(super) transfer: Transfer,
    /// How many of its bytes are sent; None if the transport doesn't report it.
    sent: Option<u64>,
    /// A byte has to be sent before this, or the connection counts as dead.
    probation_ends_at: Option<u64>,
}

impl Deadline {
    pub(super) fn new(limits: Limits, size: u64, transfer: Transfer) -> Self {
        Self { limits, size, transfer, sent: None, probation_ends_at: None }
    }

    /// The longest time until the deadline is looked at again: progress may move it to an earlier time, too.
    pub(super) fn recheck_ms(&self) -> u64 {
        self.limits.stall_ms.max(1)
    }

    /// The transport reports that this many bytes are sent.
    pub(super) fn sent(&mut self, bytes: u64, now: u64) {
        let before = self.sent.replace(bytes);
        if before.is_none() || before < Some(bytes) {
            self.transfer.moved(bytes, now);
            if bytes > 0 {
                self.probation_ends_at = None;
            }
        }
    }

    /// Whether the transport reports that all bytes are sent.
    pub(super) fn is_all_sent(&self) -> bool {
        self.sent.is_some_and(|bytes| bytes >= self.size)
    }

    /// Puts the connection on probation. A request whose bytes are all sent is exempt: it has no byte to show, and its bytes may be in
    /// buffers that drain.
    pub(super) fn start_probation(&mut self, now: u64) {
        if !(self.is_all_sent() && (self.size > 0 || self.limits.long_running)) {
            self.probation_ends_at.get_or_insert(now + PROBATION_MS.min(self.limits.stall_ms));
        }
    }

    /// Milliseconds without progress: more after each timeout for a request with bytes of the file. One without any is answered, or
    /// hangs.
    fn stall_ms(&self) -> u64 {
        let times = if self.size > 0 { self.limits.stalls } else { 0 };
        self.limits.stall_ms.saturating_mul(u64::from(times) + 1)
    }

    /// When silence on the uplink ends the request; None if it doesn't, since the transport reports nothing or nothing is to be sent.
    fn silence_ends_at(&self) -> Option<u64> {
        let reported = self.sent.is_some() && self.transfer.uplink_reports_progress();
        let buffers_drained_at = || self.transfer.buffers_drained_at();
        (reported && !self.is_all_sent()).then(|| buffers_drained_at().saturating_add(self.stall_ms()))
    }

    /// Milliseconds that remain.
    pub(super) fn remaining_ms(&self, now: u64) -> u64 {
        let all_sent = self.is_all_sent();
        let drain_ms = self.transfer.drain_ms(all_sent);
        let stall_ms = self.stall_ms();
        let wait = match (self.limits.long_running, all_sent) {
            (false, _) => stall_ms.saturating_add(drain_ms),
            // The server may have the bytes already: it works while the buffers drain.
            (true, true) => stall_ms.saturating_add(drain_ms).max(ANSWER_MS),
            (true, false) => stall_ms.max(ANSWER_MS).saturating_add(drain_ms),
        };
        let at = self.transfer.moved_at().saturating_add(wait);
        let at = at.min(self.silence_ends_at().unwrap_or(u64::MAX));
        at.min(self.probation_ends_at.unwrap_or(u64::MAX)).saturating_sub(now)
    }

    /// Whether the request had the time that everything pending needs: the uplink is then slower than assumed.
    pub(super) fn is_uplink_slow(&self, now: u64) -> bool {
        let silent = self.silence_ends_at().is_some_and(|at| at <= now);
        let dead = self.probation_ends_at.is_some_and(|at| at <= now);
        !silent && !dead
    }

    /// Whether the server may have the whole body.
    pub(super) fn may_have_arrived(&self) -> bool {
        self.sent.is_none() || self.is_all_sent()
    }
}

#[cfg(test)]
mod tests {
    use super::super::uplink::{INITIAL_BANDWIDTH, Uplink};
    use super::*;

    const SIZE: u64 = 8 << 20;
    const DRAIN_MS: u64 = SIZE * 1000 / INITIAL_BANDWIDTH;

    fn on(uplink: &Uplink, long_running: bool, stalls: u32) -> Deadline {
        Deadline::new(Limits { stall_ms: 30_000, long_running, stalls }, SIZE, uplink.begin(SIZE, 1_000))
    }

    fn deadline(long_running: bool) -> Deadline {
        on(&Uplink::default(), long_running, 0)
    }

    #[test]
    fn progress_moves_the_deadline_and_silence_does_not() {
        let mut deadline = deadline(false);
        deadline.sent(10, 5_000);
        assert_eq!(deadline.remaining_ms(5_000), 30_000);
        deadline.sent(10, 20_000);
        assert_eq!(deadline.remaining_ms(20_000), 15_000);
        deadline.sent(20, 20_000);
        assert_eq!(deadline.remaining_ms(20_000), 30_000);
        assert_eq!(deadline.remaining_ms(60_000), 0);
        assert!(!deadline.may_have_arrived() && !deadline.is_uplink_slow(60_000), "that is silence");
    }

    #[test]
    fn without_reports_every_request_has_the_time_that_all_of_them_need() {
        let uplink = Uplink::default();
        let (first, second) = (on(&uplink, false, 0), on(&uplink, false, 0));
        let remaining = (first.remaining_ms(1_000), second.remaining_ms(1_000));
        assert_eq!(remaining, (30_000 + 2 * DRAIN_MS, 30_000 + 2 * DRAIN_MS));
        assert!(first.may_have_arrived() && first.is_uplink_slow(600_000));
        // At 4 MiB a second, of which half is counted on.
        second.transfer.answered(true, 3_000);
        assert_eq!(first.remaining_ms(1_000), 30_000 + 8_000);
    }

    #[test]
    fn a_request_in_the_browsers_queue_waits_while_the_uplink_makes_progress() {
        let uplink = Uplink::default();
        let (mut first, mut second) = (on(&uplink, false, 0), on(&uplink, false, 0));
        first.sent(0, 1_000);
        second.sent(0, 1_000);
        assert_eq!(second.remaining_ms(1_000), 30_000 + 2 * DRAIN_MS, "a service worker reports no more than this");
        first.sent(1, 1_000);
        assert_eq!(second.remaining_ms(1_000), 30_000);
        for at in 1..20 {
            first.sent(at * 1_000, at * 25_000);
            assert_eq!(second.remaining_ms(at * 25_000), 30_000);
        }
        let end = 1_000 + 30_000 + 2 * DRAIN_MS;
        first.sent(SIZE - 1, end);
        assert_eq!((second.remaining_ms(end - 1), second.remaining_ms(end)), (1, 0), "but not for ever");
        assert!(second.is_uplink_slow(end));
    }

    #[test]
    fn only_a_byte_that_is_sent_ends_a_probation() {
        let mut deadline = deadline(false);
        deadline.start_probation(2_000);
        deadline.sent(0, 3_000);
        assert_eq!(deadline.remaining_ms(3_000), PROBATION_MS - 1_000);
        deadline.sent(1, 3_000);
        assert_eq!(deadline.remaining_ms(3_000), 30_000);
    }

    #[test]
    fn after_the_last_byte_the_buffers_drain() {
        let uplink = Uplink::default();
        let (mut first, second) = (on(&uplink, false, 0), on(&uplink, false, 0));
        first.sent(SIZE, 2_000);
        assert_eq!(first.remaining_ms(2_000), 30_000 + 2 * DRAIN_MS);
        drop(second);
        assert_eq!(first.remaining_ms(2_000), 30_000 + 2 * DRAIN_MS, "what was ahead of it took its time");
        assert!(first.may_have_arrived());
    }

    #[test]
    fn each_attempt_has_more_time_than_the_one_before() {
        let uplink = Uplink::default();
        let waits: Vec<u64> = (0..6).map(|stalls| on(&uplink, false, stalls).remaining_ms(1_000)).collect();
        assert_eq!(waits[..3], [30_000 + DRAIN_MS, 60_000 + DRAIN_MS, 90_000 + DRAIN_MS]);
        assert!(waits.windows(2).all(|pair| pair[0] < pair[1]), "{waits:?}");
        assert!(on(&uplink, false, 0).transfer.timed_out(false, waits[0] + 1_000));
        let again = on(&uplink, false, 1).remaining_ms(1_000);
        assert!(again > 2 * waits[0], "the uplink is slower than assumed: {again}");
    }

    #[test]
    fn a_server_may_work_on_a_complete_request() {
        let mut deadline = deadline(true);
        deadline.sent(SIZE, 1_000);
        deadline.start_probation(2_000);
        assert_eq!(deadline.remaining_ms(1_000), ANSWER_MS);
    }

    #[test]
    fn a_short_call_on_probation_has_to_be_answered_soon() {
        let uplink = Uplink::default();
        let call = |long_running| {
            let limits = Limits { stall_ms: 30_000, long_running, stalls: 0 };
            let mut deadline = Deadline::new(limits, 0, uplink.begin(0, 1_000));
            deadline.sent(0, 1_000);
            deadline.start_probation(2_000);
            deadline.remaining_ms(2_000)
        };
        assert_eq!(call(false), PROBATION_MS);
        assert_eq!(call(true), ANSWER_MS - 1_000, "a server that works has nothing to show");
    }

    #[test]
    fn a_connection_on_probation_has_to_send_a_byte_soon() {
        let mut deadline = deadline(false);
        deadline.sent(10, 5_000);
        deadline.start_probation(6_000);
        assert_eq!(deadline.remaining_ms(6_000), PROBATION_MS);
        deadline.start_probation(8_000);
        assert_eq!(deadline.remaining_ms(8_000), PROBATION_MS - 2_000);
        assert!(!deadline.is_uplink_slow(11_000));
        deadline.sent(11, 9_000);
        assert_eq!(deadline.remaining_ms(9_000), 30_000);
        deadline.sent(SIZE, 10_000);
        deadline.start_probation(11_000);
        assert_eq!(deadline.remaining_ms(10_000), 30_000 + DRAIN_MS, "buffers that drain have no byte to show");
    }
}
