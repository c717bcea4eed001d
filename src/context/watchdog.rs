//! Sends one request under a deadline: it is aborted when it makes no progress for too long.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{self, Poll, Waker, ready};

use futures::future::LocalBoxFuture;

use super::deadline::{Deadline, Limits};
use super::uplink::Uplink;
use crate::error::{Code, Result, Step, UploadError};
use crate::http::Response;
use crate::http::foreign::Foreign;
use crate::platform::{PageEvent, Platform, RequestOf, SendFailure};

/// A timer that fires this much too late shows that the machine slept. Browsers delay the timers of hidden pages by up to a minute
/// (Chrome, "Heavy throttling of chained JS timers"); this is longer.
pub const SLEPT_MS: u64 = 90_000;

/// The bytes that the transport reports as sent, for the future that waits.
#[derive(Debug, Default)]
struct SentBytes {
    count: Cell<Option<u64>>,
    waker: RefCell<Option<Waker>>,
}

/// Sends a request and waits for its answer until its `Deadline`; `on_bytes` is called with the bytes that have been sent.
///
/// # Errors
/// `network`, `stalled`, or the error that refused the request before it was sent. `answer_lost` says whether it may have taken effect.
pub fn send<'a, P: Platform>(
    platform: &'a P,
    request: RequestOf<P>,
    limits: Limits,
    uplink: &Uplink,
    on_bytes: Box<dyn FnMut(u64) + 'a>,
) -> WatchedRequest<'a, P> {
    let step = request.step();
    let size = request.body().file_len();
    let deadline = Deadline::new(limits, size, uplink.begin(size, platform.now()));
    let sent: Rc<SentBytes> = Rc::default();
    let reported = sent.clone();
    let answer = platform.send(
        request,
        Rc::new(move |bytes| {
            reported.count.set(Some(bytes));
            let waker = reported.waker.take();
            waker.into_iter().for_each(Waker::wake);
        }),
    );
    WatchedRequest {
        platform,
        step,
        deadline,
        sent,
        answer,
        on_bytes,
        next_page_event: platform.next_page_event(),
        timer_due_at: 0,
        timer: None,
        found_slow: false,
        slept: false,
    }
}

/// A request in flight, and its deadline.
pub struct WatchedRequest<'a, P: Platform> {
    platform: &'a P,
    step: Step,
    deadline: Deadline,
    sent: Rc<SentBytes>,
    answer: LocalBoxFuture<'static, std::result::Result<Response, SendFailure>>,
    on_bytes: Box<dyn FnMut(u64) + 'a>,
    next_page_event: LocalBoxFuture<'static, PageEvent>,
    timer_due_at: u64,
    timer: Option<LocalBoxFuture<'static, ()>>,
    found_slow: bool,
    slept: bool,
}

impl<P: Platform> Future for WatchedRequest<'_, P> {
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
            Some(Err(SendFailure::Network { body_sent })) => {
                UploadError::new(Code::Network, "The connection was lost, or the browser blocked the request.")
                    .hint("If it never works, check the address and the server's CORS rule.")
                    .answer_lost(body_sent != Some(false))
                    .no_readable_answer()
            }
            None => {
                let waited_ms = self.platform.now().saturating_sub(self.deadline.transfer.moved_at());
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

impl<P: Platform> WatchedRequest<'_, P> {
    /// Whether the request timed out because the uplink is slower than assumed, and that was not known yet.
    pub fn found_slow(&self) -> bool {
        self.found_slow
    }

    /// The answer or the failure; None when the deadline has passed.
    fn poll_end(
        &mut self,
        context: &mut task::Context<'_>,
    ) -> Poll<Option<std::result::Result<Response, SendFailure>>> {
        let answered = self.answer.as_mut().poll(context);
        // Polling the answer may be what makes the transport report.
        if let Some(bytes) = self.sent.count.take() {
            self.deadline.sent(bytes, self.platform.now());
            (self.on_bytes)(bytes);
        }
        if let Poll::Ready(answer) = answered {
            let now = self.platform.now();
            // A request that was in flight while the machine slept measures no bandwidth.
            let slept = self.slept || (self.timer.is_some() && now.saturating_sub(self.timer_due_at) > SLEPT_MS);
            match &answer {
                Ok(response) => self.deadline.transfer.answered(response.ok() && !slept, now),
                Err(_) => self.deadline.transfer.disconnected(now),
            }
            return Poll::Ready(Some(answer));
        }
        self.sent.waker.replace(Some(context.waker().clone()));
        while let Poll::Ready(event) = self.next_page_event.as_mut().poll(context) {
            if event == PageEvent::Online {
                self.deadline.start_probation(self.platform.now());
            }
            (self.timer, self.next_page_event) = (None, self.platform.next_page_event());
        }
        loop {
            let now = self.platform.now();
            if let Some(timer) = &mut self.timer {
                ready!(timer.as_mut().poll(context));
                if now.saturating_sub(self.timer_due_at) > SLEPT_MS {
                    self.slept = true;
                    self.deadline.start_probation(now);
                }
            }
            let remaining = self.deadline.remaining_ms(now);
            if remaining == 0 {
                let deadline = &self.deadline;
                let found_slow =
                    deadline.is_uplink_slow(now) && deadline.transfer.timed_out(deadline.is_all_sent(), now);
                self.found_slow = found_slow;
                return Poll::Ready(None);
            }
            let pause = remaining.min(self.deadline.recheck_ms());
            self.timer_due_at = now + pause;
            self.timer = Some(self.platform.sleep(pause));
        }
    }
}
