//! One request under the watch of a clock: what stands still for too long, on a line that does, is given up.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{self, Poll, Waker, ready};

use futures::future::LocalBoxFuture;

use super::line::{Line, Place};
use crate::error::{Code, Result, Step, UploadError};
use crate::http::foreign::Foreign;
use crate::http::Response;
use crate::platform::{PageEvent, Platform, RequestOf, SendFailure};

/// How long a server may work on what it has whole, before its answer begins: S3's complete and a vendor that forwards
/// gigabytes take minutes ("several minutes", AWS S3 API Reference, CompleteMultipartUpload).
pub const ANSWER_MS: u64 = 10 * 60_000;

/// After a change of networks, or a sleep of the machine, a byte has to move within this, or the connection is taken for dead.
/// (A choice: TCP finds it out after minutes.)
const PROBATION_MS: u64 = 5_000;

/// A timer that rings so much too late tells that the machine slept. Browsers hold the timers of hidden pages back by a minute
/// (Chrome, "Heavy throttling of chained JS timers"); this is beyond.
pub const SLEPT_MS: u64 = 90_000;

/// How long a request is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Milliseconds without movement.
    pub stall_ms: u64,
    /// True where the server may work for minutes on what it has.
    pub patient: bool,
    /// How often it was given up before: each time it is waited for longer.
    pub stalls: u32,
}

/// What the transport tells of the bytes, for the one who waits.
#[derive(Debug, Default)]
struct Gauge {
    sent: Cell<Option<u64>>,
    waker: RefCell<Option<Waker>>,
}

/// Sends a request and waits for its answer, as long as it makes sense; `on_bytes` hears of the bytes that have gone out.
///
/// While bytes are to go out, and the transport tells of them, `stall_ms` without movement on the `line` gives the request up.
/// Where the transport doesn't tell, once all have left, and where other requests move and this one doesn't: `stall_ms`, and the
/// time that the line takes for what is on it.
///
/// # Errors
/// `network`, `stalled`, or what refused the request before it left. `answer_lost` says whether it may have taken effect.
pub fn send<'a, P: Platform>(
    platform: &'a P,
    request: RequestOf<P>,
    patience: Patience,
    line: &Line,
    on_bytes: Box<dyn FnMut(u64) + 'a>,
) -> Watch<'a, P> {
    let step = request.step();
    let size = request.body().file_len();
    let deadline = Deadline::new(patience, size, line.enter(size, platform.now()));
    let gauge: Rc<Gauge> = Rc::default();
    let told = gauge.clone();
    let answer = platform.send(
        request,
        Rc::new(move |bytes| {
            told.sent.set(Some(bytes));
            let waker = told.waker.take();
            waker.into_iter().for_each(Waker::wake);
        }),
    );
    Watch {
        platform,
        step,
        deadline,
        gauge,
        answer,
        on_bytes,
        next_page_event: platform.next_page_event(),
        rings_at: 0,
        timer: None,
        slow: false,
        slept: false,
    }
}

/// A request on its way, and the clock that watches it.
pub struct Watch<'a, P: Platform> {
    platform: &'a P,
    step: Step,
    deadline: Deadline,
    gauge: Rc<Gauge>,
    answer: LocalBoxFuture<'static, std::result::Result<Response, SendFailure>>,
    on_bytes: Box<dyn FnMut(u64) + 'a>,
    next_page_event: LocalBoxFuture<'static, PageEvent>,
    rings_at: u64,
    timer: Option<LocalBoxFuture<'static, ()>>,
    slow: bool,
    slept: bool,
}

impl<P: Platform> Future for Watch<'_, P> {
    type Output = Result<Response>;

    fn poll(mut self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<Result<Response>> {
        let error = match ready!(self.poll_end(context)) {
            Some(Ok(response)) => match Foreign::of(&response) {
                Some(_) if broken!(SignedIn) => return Poll::Ready(Ok(response)),
                Some(foreign) => foreign.error(),
                None => return Poll::Ready(Ok(response)),
            },
            Some(Err(SendFailure::Redirected(foreign))) => foreign.error(),
            Some(Err(SendFailure::Refused(error))) => error,
            Some(Err(SendFailure::Network { body_sent })) => UploadError::new(
                Code::Network,
                "The connection was lost, or the browser blocked the request.",
            )
            .hint("If it never works, check the address and the server's CORS rule.")
            .answer_lost(body_sent != Some(false))
            .no_readable_answer(),
            None => {
                let waited_ms = self.platform.now().saturating_sub(self.deadline.place.moved_at());
                let seconds = waited_ms.div_ceil(1000);
                UploadError::new(
                    Code::Stalled,
                    text!("The request was aborted: no bytes were transferred for {} s.", seconds),
                )
                .hint("Raise `stallMs` if the network or the server pauses for longer.")
                .answer_lost(self.deadline.may_have_arrived())
            }
        };
        Poll::Ready(Err(error.at(self.step)))
    }
}

impl<P: Platform> Watch<'_, P> {
    /// True once it was given up because the line is slower than thought, where that is news.
    pub fn found_slow(&self) -> bool {
        self.slow
    }

    /// What came of it; None where it isn't waited for any longer.
    fn poll_end(
        &mut self,
        context: &mut task::Context<'_>,
    ) -> Poll<Option<std::result::Result<Response, SendFailure>>> {
        let answered = self.answer.as_mut().poll(context);
        // After the answer was asked for, which may be when the transport tells.
        if let Some(bytes) = self.gauge.sent.take() {
            self.deadline.moved(bytes, self.platform.now());
            (self.on_bytes)(bytes);
        }
        if let Poll::Ready(answer) = answered {
            let now = self.platform.now();
            // What was under way while the machine slept took longer than the line did.
            let slept = self.slept || (self.timer.is_some() && now.saturating_sub(self.rings_at) > SLEPT_MS);
            match &answer {
                Ok(response) => self.deadline.place.answered(response.ok() && !slept, now),
                Err(_) => self.deadline.place.lost(now),
            }
            return Poll::Ready(Some(answer));
        }
        self.gauge.waker.replace(Some(context.waker().clone()));
        while let Poll::Ready(stir) = self.next_page_event.as_mut().poll(context) {
            if stir == PageEvent::Online {
                self.deadline.prove(self.platform.now());
            }
            (self.timer, self.next_page_event) = (None, self.platform.next_page_event());
        }
        loop {
            let now = self.platform.now();
            if let Some(timer) = &mut self.timer {
                ready!(timer.as_mut().poll(context));
                if now.saturating_sub(self.rings_at) > SLEPT_MS {
                    self.slept = true;
                    self.deadline.prove(now);
                }
            }
            let left = self.deadline.remaining(now);
            if left == 0 {
                self.slow = self.deadline.was_slow(now) && self.deadline.place.failed(self.deadline.is_whole(), now);
                return Poll::Ready(None);
            }
            // Progress moves the deadline either way, so look again at least once in a stall's time.
            let pause = left.min(self.deadline.patience.stall_ms.max(1));
            self.rings_at = now + pause;
            self.timer = Some(self.platform.sleep(pause));
        }
    }
}

/// When a request is given up.
#[derive(Debug)]
struct Deadline {
    patience: Patience,
    size: u64,
    place: Place,
    /// How many of its bytes have left; None where the transport doesn't tell.
    left: Option<u64>,
    /// By then the connection has to show that it lives.
    proof_by: Option<u64>,
}

impl Deadline {
    fn new(patience: Patience, size: u64, place: Place) -> Self {
        Self { patience, size, place, left: None, proof_by: None }
    }

    /// The transport tells that so many bytes have left.
    fn moved(&mut self, bytes: u64, now: u64) {
        let before = self.left.replace(bytes);
        if before.is_none() || before < Some(bytes) {
            self.place.moved(bytes, now);
            if bytes > 0 {
                self.proof_by = None;
            }
        }
    }

    /// True where the transport tells, and all bytes have left.
    fn is_whole(&self) -> bool {
        self.left.is_some_and(|bytes| bytes >= self.size)
    }

    /// Asks for a proof that the connection lives. One whose bytes have all left can't give any, and isn't asked: they may lie in
    /// buffers that drain.
    fn prove(&mut self, now: u64) {
        if !(self.is_whole() && (self.size > 0 || self.patience.patient)) {
            self.proof_by.get_or_insert(now + PROBATION_MS.min(self.patience.stall_ms));
        }
    }

    /// Milliseconds without movement: more each time, for bytes that take their time. What has none is answered or hangs.
    fn stall_ms(&self) -> u64 {
        let times = if self.size > 0 { self.patience.stalls } else { 0 };
        self.patience.stall_ms.saturating_mul(u64::from(times) + 1)
    }

    /// When a line on which nothing moves ends the request; None where it doesn't, since nothing is told or nothing is to go out.
    fn silence_ends_at(&self) -> Option<u64> {
        let told = self.left.is_some_and(|bytes| bytes > 0 || self.place.line_tells());
        (told && !self.is_whole()).then(|| self.place.silent_until().saturating_add(self.stall_ms()))
    }

    /// Milliseconds that remain.
    fn remaining(&self, now: u64) -> u64 {
        let whole = self.is_whole();
        let drain_ms = self.place.drain_ms(whole);
        let stall_ms = self.stall_ms();
        let wait = match (self.patience.patient, whole) {
            (false, _) => stall_ms.saturating_add(drain_ms),
            // It has the bytes, as far as anybody can tell: the line's time and the server's are one.
            (true, true) => stall_ms.saturating_add(drain_ms).max(ANSWER_MS),
            (true, false) => stall_ms.max(ANSWER_MS).saturating_add(drain_ms),
        };
        let at = self.place.moved_at().saturating_add(wait);
        let at = at.min(self.silence_ends_at().unwrap_or(u64::MAX));
        at.min(self.proof_by.unwrap_or(u64::MAX)).saturating_sub(now)
    }

    /// True where the line had more time than all that is on it takes: it is slower than thought.
    fn was_slow(&self, now: u64) -> bool {
        let silent = self.silence_ends_at().is_some_and(|at| at <= now);
        let proven = self.proof_by.is_some_and(|at| at <= now);
        !silent && !proven
    }

    /// True where the server may have the whole body.
    fn may_have_arrived(&self) -> bool {
        self.left.is_none() || self.is_whole()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::line::SLOWEST_LINE;

    const SIZE: u64 = 8 << 20;
    const DRAIN_MS: u64 = SIZE * 1000 / SLOWEST_LINE;

    fn on(line: &Line, patient: bool, stalls: u32) -> Deadline {
        Deadline::new(Patience { stall_ms: 30_000, patient, stalls }, SIZE, line.enter(SIZE, 1_000))
    }

    fn deadline(patient: bool) -> Deadline {
        on(&Line::default(), patient, 0)
    }

    #[test]
    fn a_byte_moves_it_and_none_lets_it_pass() {
        let mut deadline = deadline(false);
        deadline.moved(10, 5_000);
        assert_eq!(deadline.remaining(5_000), 30_000);
        deadline.moved(10, 20_000);
        assert_eq!(deadline.remaining(20_000), 15_000);
        deadline.moved(20, 20_000);
        assert_eq!(deadline.remaining(20_000), 30_000);
        assert_eq!(deadline.remaining(60_000), 0);
        assert!(!deadline.may_have_arrived() && !deadline.was_slow(60_000), "that is silence");
    }

    #[test]
    fn where_nothing_is_told_all_that_is_on_the_line_has_its_time() {
        let line = Line::default();
        let (first, second) = (on(&line, false, 0), on(&line, false, 0));
        assert_eq!((first.remaining(1_000), second.remaining(1_000)), (30_000 + 2 * DRAIN_MS, 30_000 + 2 * DRAIN_MS));
        assert!(first.may_have_arrived() && first.was_slow(600_000));
        // At 4 MiB a second, of which half is counted on.
        second.place.answered(true, 3_000);
        assert_eq!(first.remaining(1_000), 30_000 + 8_000);
    }

    #[test]
    fn what_waits_in_the_browser_waits_as_long_as_the_line_moves() {
        let line = Line::default();
        let (mut first, mut second) = (on(&line, false, 0), on(&line, false, 0));
        first.moved(0, 1_000);
        second.moved(0, 1_000);
        assert_eq!(second.remaining(1_000), 30_000 + 2 * DRAIN_MS, "a service worker tells no more than this");
        first.moved(1, 1_000);
        assert_eq!(second.remaining(1_000), 30_000);
        for at in 1..20 {
            first.moved(at * 1_000, at * 25_000);
            assert_eq!(second.remaining(at * 25_000), 30_000);
        }
        let end = 1_000 + 30_000 + 2 * DRAIN_MS;
        first.moved(SIZE - 1, end);
        assert_eq!((second.remaining(end - 1), second.remaining(end)), (1, 0), "but not for ever");
        assert!(second.was_slow(end));
    }

    #[test]
    fn after_the_last_byte_the_buffers_drain() {
        let line = Line::default();
        let (mut first, second) = (on(&line, false, 0), on(&line, false, 0));
        first.moved(SIZE, 2_000);
        assert_eq!(first.remaining(2_000), 30_000 + 2 * DRAIN_MS);
        drop(second);
        assert_eq!(first.remaining(2_000), 30_000 + 2 * DRAIN_MS, "what was before it took its time");
        assert!(first.may_have_arrived());
    }

    #[test]
    fn no_attempt_has_the_time_of_the_one_before() {
        let line = Line::default();
        let waits: Vec<u64> = (0..6).map(|stalls| on(&line, false, stalls).remaining(1_000)).collect();
        assert_eq!(waits[..3], [30_000 + DRAIN_MS, 60_000 + DRAIN_MS, 90_000 + DRAIN_MS]);
        assert!(waits.windows(2).all(|pair| pair[0] < pair[1]), "{waits:?}");
        assert!(on(&line, false, 0).place.failed(false, waits[0] + 1_000));
        let again = on(&line, false, 1).remaining(1_000);
        assert!(again > 2 * waits[0], "the line is slower than thought: {again}");
    }

    #[test]
    fn a_server_may_work_on_what_it_has() {
        let mut deadline = deadline(true);
        deadline.moved(SIZE, 1_000);
        deadline.prove(2_000);
        assert_eq!(deadline.remaining(1_000), ANSWER_MS);
    }

    #[test]
    fn after_a_change_of_networks_a_byte_is_due_soon() {
        let mut deadline = deadline(false);
        deadline.moved(10, 5_000);
        deadline.prove(6_000);
        assert_eq!(deadline.remaining(6_000), PROBATION_MS);
        deadline.prove(8_000);
        assert_eq!(deadline.remaining(8_000), PROBATION_MS - 2_000);
        assert!(!deadline.was_slow(11_000));
        deadline.moved(11, 9_000);
        assert_eq!(deadline.remaining(9_000), 30_000);
        deadline.moved(SIZE, 10_000);
        deadline.prove(11_000);
        assert_eq!(deadline.remaining(10_000), 30_000 + DRAIN_MS, "what drains has no byte to show");
    }
}
