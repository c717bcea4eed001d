//! Sends the parts of one file: as many at once as the slots allow, each until it is uploaded.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use super::attempt::{Answered, attempt_part};
use super::file_check::still_readable;
use super::record;
use super::run::Run;
use crate::context::integrity::{self, EtagCheck};
use crate::context::retry::RetryLoop;
use crate::error::{Code, Result, Retry};
use crate::model::events::{Event, SentPart, Status};
use crate::model::plan::Part;
use crate::model::session::{AnySession, Receipt, UploadedPart};
use crate::platform::Platform;
use crate::sync::in_flight::InFlight;
use crate::sync::semaphore::Permit;
use crate::util::ordered;

/// What happens next while parts are in flight.
enum Next<J> {
    /// The part with this number was uploaded, or failed for good.
    Completed(u32, Result<UploadedPart<J>>),
    /// A slot for the next part is free.
    Slot(Permit),
    /// A part takes much longer than the others did.
    Late,
    /// The upload was paused: the parts in flight are aborted.
    Paused,
}

/// Sends every part of a session's plan that isn't uploaded yet. The result is in the plan's order.
///
/// # Errors
/// The error of the first part that fails for good; the others are aborted.
pub(super) async fn send_all<P: Platform>(
    run: &Run<P>,
    session: &dyn AnySession<P::Json>,
    mut uploaded: Vec<UploadedPart<P::Json>>,
) -> Result<Vec<UploadedPart<P::Json>>> {
    let (cx, parts) = (&run.cx, session.plan().parts());
    run.adapt_slots(session);
    let now = cx.platform.now();
    cx.reporter.measure(|meter| {
        meter.begin(session.plan().size(), parts.len() as u32, now);
        uploaded.iter().for_each(|done| meter.completed(done.part.number, done.part.range.len(), now));
    });
    loop {
        ordered::sort(&mut uploaded, |done| done.part.number);
        let mut waiting = waiting_parts(parts, &uploaded);
        if waiting.is_empty() {
            return Ok(uploaded);
        }
        // Parts aborted by a pause are queued again; uploaded parts are kept.
        waiting.iter().for_each(|part| run.tail.ended(part.number));
        cx.reporter.measure(|meter| waiting.iter().for_each(|part| meter.failed(part.number)));
        if run.pause.is_paused() {
            run.save_late(session).await;
        }
        cx.wait_while_paused().await;
        cx.reporter.set_status(Status::Sending);
        let mut in_flight = InFlight::default();
        let mut slot = run.slots.acquire();
        let mut paused = pin!(run.pause.paused());
        while !(waiting.is_empty() && in_flight.is_empty()) {
            let mut late = run.until_late(session).filter(|_| waiting.is_empty()).map(|ms| cx.platform.sleep(ms));
            let next = poll_fn(|context| {
                if let Poll::Ready((number, part)) = in_flight.poll_completed(context) {
                    return Poll::Ready(Next::Completed(number, part));
                }
                if late.as_mut().is_some_and(|late| late.as_mut().poll(context).is_ready()) {
                    return Poll::Ready(Next::Late);
                }
                if !waiting.is_empty()
                    && let Poll::Ready(permit) = Pin::new(&mut slot).poll(context)
                {
                    return Poll::Ready(Next::Slot(permit));
                }
                // A request that must not be repeated and was sent to its end can't be aborted: a pause waits for its answer.
                if run.committed.get() {
                    return Poll::Pending;
                }
                paused.as_mut().poll(context).map(|()| Next::Paused)
            });
            match next.await {
                // Its copy is still under way.
                Next::Completed(number, Err(_)) if in_flight.contains(number) => {}
                Next::Completed(number, part) => {
                    let part = part?;
                    in_flight.remove(number);
                    report(run, session, &part);
                    uploaded.push(part);
                }
                Next::Slot(permit) => {
                    if let Some(part) = waiting.pop() {
                        in_flight.push(part.number, send_part(run, session, part, permit));
                    }
                    slot = run.slots.acquire();
                }
                Next::Late => {
                    if let Some(permit) = run.slots.try_acquire()
                        && let Some(part) = run.late_part(session)
                    {
                        in_flight.push(part.number, send_part(run, session, part, permit));
                    }
                }
                Next::Paused => break,
            }
        }
    }
}

/// The parts that aren't uploaded, in reverse order; `uploaded` is in order.
fn waiting_parts<'a, J>(parts: &'a [Part], uploaded: &[UploadedPart<J>]) -> Vec<&'a Part> {
    let mut rest = uploaded.len();
    let mut waiting = Vec::new();
    for part in parts.iter().rev() {
        if rest > 0 && uploaded[rest - 1].part.number == part.number {
            rest -= 1;
        } else {
            waiting.push(part);
        }
    }
    waiting
}

/// Reports a part that was uploaded, and saves it if a later page could need it.
fn report<P: Platform>(run: &Run<P>, session: &dyn AnySession<P::Json>, uploaded: &UploadedPart<P::Json>) {
    let (cx, part) = (&run.cx, &uploaded.part);
    cx.reporter.count_completed();
    cx.count_part(part.range.len());
    run.adapt_slots(session);
    run.tail.completed(part.number, part.verified);
    if run.continues_after(session) {
        run.store.save_part(&cx.platform, part.number, || record::write_part(uploaded));
    }
    let now = cx.platform.now();
    cx.reporter.measure(|meter| meter.completed(part.number, part.range.len(), now));
    cx.reporter.emit(Event::Part(part.clone()));
}

/// Sends one part until it is uploaded.
async fn send_part<P: Platform>(
    run: &Run<P>,
    session: &dyn AnySession<P::Json>,
    part: &Part,
    permit: Permit,
) -> Result<UploadedPart<P::Json>> {
    let cx = &run.cx;
    let mut permit = Some(permit);
    let mut retries = RetryLoop::default();
    let (mut attempts, mut renew, mut answer_lost, mut renewed_on_suspicion) = (0, false, false, false);
    let mut etag_check = EtagCheck::default();
    // The receipt of the first attempt, while the part is sent once more to check its ETag.
    let mut first_receipt = Receipt::new(part.number, None);
    let mut md5 = None;
    let uploaded = |receipt: Receipt<P::Json>, attempts, verified, md5| UploadedPart {
        part: SentPart { number: part.number, range: part.range, etag: receipt.etag.clone(), attempts, verified },
        receipt,
        md5,
    };
    loop {
        attempts += 1;
        if permit.is_none() {
            permit = Some(run.slots.acquire().await);
        }
        let attempt = attempt_part(run, session, part, renew, retries.stalls()).await;
        run.committed.set(false);
        let checked = match attempt {
            Ok(Answered { receipt, verification, md5: sent }) => {
                md5 = sent;
                let verified = etag_check.resolve(cx, verification, receipt.etag.as_deref()).await;
                verified.map(|verified| (receipt, verified))
            }
            Err(error) if etag_check.is_resend_refused(&error) => {
                integrity::unverified(cx).map(|()| (first_receipt.clone(), Some(false)))
            }
            Err(error) => Err(error),
        };
        let error = match checked {
            Ok((receipt, Some(verified))) => return Ok(uploaded(receipt, attempts, verified, md5)),
            Ok((receipt, None)) => {
                first_receipt = receipt;
                renew = false;
                cx.reporter.measure(|meter| meter.failed(part.number));
                continue;
            }
            Err(error) => {
                // A refusal after a lost answer may mean that the first request took effect.
                answer_lost |= error.answer_lost;
                let error = error.part(part.number).answer_lost(answer_lost);
                let elsewhere = error.concerns_host() && run.provider.has_other_host(cx);
                if elsewhere { error.retry(Retry::Later(None)) } else { error }
            }
        };
        if broken!(LostPart) && error.code == Code::Network {
            return Ok(uploaded(Receipt::new(part.number, None), attempts, false, None));
        }
        run.tail.ended(part.number);
        cx.reporter.measure(|meter| meter.failed(part.number));
        if matches!(error.code, Code::Network | Code::Stalled) {
            // A changed file doesn't settle whether the part was uploaded.
            still_readable(cx, part.range).await.map_err(|error| error.answer_lost(answer_lost))?;
        }
        renew = error.code == Code::UrlExpired;
        if broken!(SlotLeak) {
            std::mem::forget(permit.take());
        }
        // The part that is sent once more keeps its slot: the parts that wait for its result hold all others.
        if !etag_check.is_resending() {
            drop(permit.take());
        }
        run.save_late(session).await;
        let url_may_be_expired = error.url_may_be_expired;
        if let Err(error) = retries.backoff(cx, error, &cx.settings.retry).await {
            // Clocks may be wrong: before the upload fails, a URL that may have expired is renewed once.
            if !url_may_be_expired || renewed_on_suspicion {
                return Err(error);
            }
            if !run.capabilities.renews_urls {
                return Err(error.retry(Retry::Restart));
            }
            (retries, renew, renewed_on_suspicion) = (RetryLoop::default(), true, true);
        }
    }
}
