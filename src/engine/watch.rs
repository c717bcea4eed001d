//! One request under the watch of a clock: what moves no byte for too long is given up.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use futures::future::LocalBoxFuture;

use crate::error::{Code, Result, Step, UploadError};
use crate::foreign::Foreign;
use crate::http::{Request, Response};
use crate::platform::{Platform, SendFailure, Stir};

/// The slowest line that a request is granted time for, while nothing is known of the line: bytes a second. 256 kbit/s, the uplink
/// of early ADSL. (A choice.)
const SLOWEST_LINE: u64 = 32 * 1024;

/// A request may take so many times as long as those before it took for as many bytes. (A choice: a line that is shared, or
/// that fades, is slower for a while.)
const SLOWER: u64 = 4;

/// How long a server may work on what it has whole, before its answer begins: S3's complete and a vendor that forwards
/// gigabytes take minutes ("several minutes", AWS S3 API Reference, CompleteMultipartUpload).
pub const ANSWER_MS: u64 = 10 * 60_000;

/// After a change of networks, or a sleep of the machine, a byte has to move within this, or the connection is taken for dead.
/// (A choice: TCP finds it out after minutes.)
const PROBATION_MS: u64 = 5_000;

/// A timer that rings so much too late tells that the machine slept. Browsers hold the timers of hidden pages back by a minute
/// (Chrome, "Heavy throttling of chained JS timers"); this is beyond.
const SLEPT_MS: u64 = 90_000;

/// How long a request is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Milliseconds without a byte of progress.
    pub stall_ms: u64,
    /// True where the server may work for minutes on what it has.
    pub patient: bool,
    /// Bytes a second that earlier requests of this kind reached, each by itself; None while unknown.
    pub rate: Option<u64>,
}

/// What the transport tells of the bytes, for the one who waits.
#[derive(Debug, Default)]
struct Gauge {
    sent: Cell<Option<u64>>,
    waker: RefCell<Option<Waker>>,
}

/// Sends a request and waits for its answer, as long as it makes sense; `on_bytes` hears of the bytes that have gone out.
///
/// Where the transport tells of bytes going out, `stall_ms` without one gives the request up; where it doesn't, the time that
/// its size takes on this line is granted on top.
///
/// # Errors
/// `network`, `stalled`, or what refused the request before it left. `answer_lost` says whether it may have taken effect.
pub fn send<'a, P: Platform>(
    platform: &'a P,
    request: Request<P>,
    patience: Patience,
    on_bytes: Box<dyn FnMut(u64) + 'a>,
) -> Watch<'a, P> {
    let step = request.step();
    let deadline = Deadline::new(patience, request.body().file_len(), platform.now());
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
    Watch { platform, step, deadline, gauge, answer, on_bytes, stirred: platform.stirred(), rings_at: 0, timer: None }
}

/// A request on its way, and the clock that watches it.
pub struct Watch<'a, P: Platform> {
    platform: &'a P,
    step: Step,
    deadline: Deadline,
    gauge: Rc<Gauge>,
    answer: LocalBoxFuture<'static, std::result::Result<Response, SendFailure>>,
    on_bytes: Box<dyn FnMut(u64) + 'a>,
    stirred: LocalBoxFuture<'static, Stir>,
    rings_at: u64,
    timer: Option<LocalBoxFuture<'static, ()>>,
}

impl<P: Platform> Future for Watch<'_, P> {
    type Output = Result<Response>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<Response>> {
        let error = match ready!(self.poll_end(context)) {
            Some(Ok(response)) => match Foreign::of(&response) {
                #[cfg(feature = "mutants")]
                Some(_) if crate::mutants::is(crate::mutants::Mutant::SignedIn) => return Poll::Ready(Ok(response)),
                Some(foreign) => foreign.error(),
                None => return Poll::Ready(Ok(response)),
            },
            Some(Err(SendFailure::Redirected(foreign))) => foreign.error(),
            Some(Err(SendFailure::Refused(error))) => error,
            Some(Err(SendFailure::Network { body_sent })) => UploadError::new(
                Code::Network,
                "The connection was lost, or the browser was not allowed to make the request.",
            )
            .hint("Where it never works: check the address and the server's CORS rule.")
            .answer_lost(body_sent != Some(false))
            .unanswered(),
            None => UploadError::new(Code::Stalled, "The connection stood still and was given up.")
                .answer_lost(self.deadline.may_have_arrived()),
        };
        Poll::Ready(Err(error.at(self.step)))
    }
}

impl<P: Platform> Watch<'_, P> {
    /// What came of it; None where it isn't waited for any longer.
    fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<Option<std::result::Result<Response, SendFailure>>> {
        let answered = self.answer.as_mut().poll(context);
        // After the answer was asked for, which may be when the transport tells.
        if let Some(bytes) = self.gauge.sent.take() {
            self.deadline.moved(bytes, self.platform.now());
            (self.on_bytes)(bytes);
        }
        if let Poll::Ready(answer) = answered {
            return Poll::Ready(Some(answer));
        }
        self.gauge.waker.replace(Some(context.waker().clone()));
        while let Poll::Ready(stir) = self.stirred.as_mut().poll(context) {
            if stir == Stir::Online {
                self.deadline.prove(self.platform.now());
            }
            (self.timer, self.stirred) = (None, self.platform.stirred());
        }
        loop {
            let now = self.platform.now();
            if let Some(timer) = &mut self.timer {
                ready!(timer.as_mut().poll(context));
                if now.saturating_sub(self.rings_at) > SLEPT_MS {
                    self.deadline.prove(now);
                }
            }
            let left = self.deadline.left(now);
            if left == 0 {
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
    started: u64,
    /// When the last byte moved, and how many had by then; None until the transport told of any.
    moved: Option<(u64, u64)>,
    /// By then the connection has to show that it lives.
    proof_by: Option<u64>,
}

impl Deadline {
    fn new(patience: Patience, size: u64, started: u64) -> Self {
        Self { patience, size, started, moved: None, proof_by: None }
    }

    fn moved(&mut self, bytes: u64, now: u64) {
        if self.moved.is_none_or(|(_, before)| bytes > before) {
            self.moved = Some((now, bytes));
            self.proof_by = None;
        }
    }

    /// Asks for a proof that the connection lives. One that waits for the answer to a whole body can't give any, and isn't asked.
    fn prove(&mut self, now: u64) {
        let waits = self.moved.is_some_and(|(_, bytes)| bytes >= self.size) && self.patience.patient;
        if !waits {
            self.proof_by.get_or_insert(now + PROBATION_MS.min(self.patience.stall_ms));
        }
    }

    /// Milliseconds that are left.
    fn left(&self, now: u64) -> u64 {
        let Patience { stall_ms, patient, rate } = self.patience;
        let answer_ms = if patient { stall_ms.max(ANSWER_MS) } else { stall_ms };
        let at = match self.moved {
            Some((at, bytes)) if bytes < self.size => at.saturating_add(stall_ms),
            Some((at, _)) => at.saturating_add(answer_ms),
            None => {
                let rate = rate.map_or(SLOWEST_LINE, |rate| (rate / SLOWER).max(1));
                self.started.saturating_add(answer_ms).saturating_add(self.size.saturating_mul(1000) / rate)
            }
        };
        at.min(self.proof_by.unwrap_or(u64::MAX)).saturating_sub(now)
    }

    /// True where the server may have the whole body.
    fn may_have_arrived(&self) -> bool {
        self.moved.is_none_or(|(_, bytes)| bytes >= self.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: u64 = 8 << 20;

    fn deadline(patient: bool, rate: Option<u64>) -> Deadline {
        Deadline::new(Patience { stall_ms: 30_000, patient, rate }, SIZE, 1_000)
    }

    #[test]
    fn a_byte_moves_it_and_none_lets_it_pass() {
        let mut deadline = deadline(false, None);
        deadline.moved(10, 5_000);
        assert_eq!(deadline.left(5_000), 30_000);
        deadline.moved(10, 20_000);
        assert_eq!(deadline.left(20_000), 15_000);
        deadline.moved(20, 20_000);
        assert_eq!(deadline.left(20_000), 30_000);
        assert_eq!(deadline.left(60_000), 0);
        assert!(!deadline.may_have_arrived());
    }

    #[test]
    fn without_progress_the_size_and_the_rate_so_far_decide() {
        assert_eq!(deadline(false, None).left(1_000), 30_000 + SIZE * 1000 / SLOWEST_LINE);
        assert_eq!(deadline(false, Some(4 << 20)).left(1_000), 30_000 + 8_000);
    }

    #[test]
    fn a_server_may_work_on_what_it_has() {
        let mut deadline = deadline(true, None);
        deadline.moved(SIZE, 1_000);
        deadline.prove(2_000);
        assert_eq!(deadline.left(1_000), ANSWER_MS);
    }

    #[test]
    fn after_a_change_of_networks_a_byte_is_due_soon() {
        let mut deadline = deadline(false, None);
        deadline.moved(10, 5_000);
        deadline.prove(6_000);
        assert_eq!(deadline.left(6_000), PROBATION_MS);
        deadline.prove(8_000);
        assert_eq!(deadline.left(8_000), PROBATION_MS - 2_000);
        deadline.moved(11, 9_000);
        assert_eq!(deadline.left(9_000), 30_000);
    }
}
