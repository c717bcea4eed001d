//! One request under the watch of a clock: what moves no byte for too long is given up.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use crate::error::{Code, Result, UploadError};
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
pub async fn send<P: Platform>(
    platform: &P,
    request: Request<P>,
    patience: Patience,
    mut on_bytes: Box<dyn FnMut(u64) + '_>,
) -> Result<Response> {
    let step = request.step();
    let mut deadline = Deadline::new(patience, request.body().file_len(), platform.now());
    let gauge: Rc<Gauge> = Rc::default();
    let told = gauge.clone();
    let mut answer = platform.send(
        request,
        Rc::new(move |bytes| {
            told.sent.set(Some(bytes));
            let waker = told.waker.take();
            waker.into_iter().for_each(Waker::wake);
        }),
    );
    let mut stirred = platform.stirred();
    let (mut rings_at, mut timer) = (0, None);
    let ended = poll_fn(|context| {
        let answered = answer.as_mut().poll(context);
        // After the answer was asked for, which may be when the transport tells.
        if let Some(bytes) = gauge.sent.take() {
            deadline.moved(bytes, platform.now());
            on_bytes(bytes);
        }
        if let Poll::Ready(answer) = answered {
            return Poll::Ready(Some(answer));
        }
        gauge.waker.replace(Some(context.waker().clone()));
        while let Poll::Ready(stir) = stirred.as_mut().poll(context) {
            if stir == Stir::Online {
                deadline.prove(platform.now());
            }
            (timer, stirred) = (None, platform.stirred());
        }
        loop {
            let now = platform.now();
            if let Some(timer) = &mut timer {
                let timer: &mut futures::future::LocalBoxFuture<'static, ()> = timer;
                if timer.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                if now.saturating_sub(rings_at) > SLEPT_MS {
                    deadline.prove(now);
                }
            }
            let left = deadline.left(now);
            if left == 0 {
                return Poll::Ready(None);
            }
            // Progress moves the deadline either way, so look again at least once in a stall's time.
            let pause = left.min(patience.stall_ms.max(1));
            rings_at = now + pause;
            timer = Some(platform.sleep(pause));
        }
    })
    .await;
    let error = match ended {
        Some(Ok(response)) => return Ok(response),
        Some(Err(SendFailure::Refused(error))) => error,
        Some(Err(SendFailure::Network { body_sent })) => UploadError::new(
            Code::Network,
            "The connection was lost, or the browser was not allowed to make the request.",
        )
        .hint("Where it never works: check the address and the server's CORS rule.")
        .answer_lost(body_sent != Some(false)),
        None => UploadError::new(Code::Stalled, "The connection stood still and was given up.")
            .answer_lost(deadline.may_have_arrived()),
    };
    Err(error.at(step))
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
