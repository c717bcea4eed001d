//! The parts of one file in flight: as many at once as the slots allow, each tried until it is uploaded.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use super::attempt::attempt_part;
use super::file_check::still_readable;
use super::record;
use super::run::Run;
use crate::context::integrity::{self, Doubt};
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
    /// A part came to its end.
    Completed(Result<UploadedPart<J>>),
    /// A slot for the next part is free.
    Slot(Permit),
    /// The upload was paused: what is in flight is aborted.
    Paused,
}

/// Sends every part of a session's plan that isn't uploaded yet. The result is in the plan's order.
///
/// # Errors
/// The first part's that can't be sent; the others are aborted.
pub(super) async fn send_all<P: Platform>(
    run: &Run<P>,
    session: &dyn AnySession<P::Json>,
    mut uploaded: Vec<UploadedPart<P::Json>>,
) -> Result<Vec<UploadedPart<P::Json>>> {
    let (cx, parts) = (&run.cx, session.plan().parts());
    let now = cx.platform.now();
    cx.reporter.measure(now, |meter| {
        meter.begin(parts.len() as u32, now);
        uploaded.iter().for_each(|sent| meter.completed(sent.part.number, sent.part.range.len(), now));
    });
    loop {
        ordered::sort(&mut uploaded, |sent| sent.part.number);
        let mut waiting = waiting_parts(parts, &uploaded);
        if waiting.is_empty() {
            return Ok(uploaded);
        }
        // Parts aborted by a pause are queued again; uploaded parts are kept.
        cx.reporter.measure(cx.platform.now(), |meter| waiting.iter().for_each(|part| meter.failed(part.number)));
        cx.wait_while_paused().await;
        cx.reporter.set_status(Status::Sending);
        let mut in_flight = InFlight::default();
        let mut slot = run.slots.acquire();
        let mut paused = pin!(run.pause.paused());
        while !(waiting.is_empty() && in_flight.is_empty()) {
            let next = poll_fn(|context| {
                if let Poll::Ready(part) = in_flight.poll_completed(context) {
                    return Poll::Ready(Next::Completed(part));
                }
                if !waiting.is_empty()
                    && let Poll::Ready(permit) = Pin::new(&mut slot).poll(context)
                {
                    return Poll::Ready(Next::Slot(permit));
                }
                // What must not be sent twice and was sent whole can't be called back: a pause waits for its answer.
                if run.committed.get() {
                    return Poll::Pending;
                }
                paused.as_mut().poll(context).map(|()| Next::Paused)
            });
            match next.await {
                Next::Completed(part) => {
                    let part = part?;
                    report(run, session, &part);
                    uploaded.push(part);
                }
                Next::Slot(permit) => {
                    if let Some(part) = waiting.pop() {
                        in_flight.push(send_part(run, session, part, permit));
                    }
                    slot = run.slots.acquire();
                }
                Next::Paused => break,
            }
        }
    }
}

/// The parts that aren't uploaded, the first one last; `uploaded` is in order.
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

/// Reports a part that was uploaded, and saves it where a later page could need it.
fn report<P: Platform>(run: &Run<P>, session: &dyn AnySession<P::Json>, uploaded: &UploadedPart<P::Json>) {
    let (cx, part) = (&run.cx, &uploaded.part);
    cx.reporter.count_completed();
    run.slots.went_well();
    if run.continues_after(session) {
        run.store.save_part(&cx.platform, part.number, || record::write_part(uploaded));
    }
    let now = cx.platform.now();
    cx.reporter.measure(now, |meter| meter.completed(part.number, part.range.len(), now));
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
    let (mut attempts, mut renew, mut unsure, mut renewed_on_suspicion) = (0, false, false, false);
    let mut doubt = Doubt::default();
    // What a try gave whose ETag is in doubt.
    let mut stored = Receipt { number: part.number, etag: None, reply: None };
    let sent = |receipt: Receipt<P::Json>, attempts, verified| UploadedPart {
        part: SentPart { number: part.number, range: part.range, etag: receipt.etag.clone(), attempts, verified },
        receipt,
    };
    loop {
        attempts += 1;
        if permit.is_none() {
            permit = Some(run.slots.acquire().await);
        }
        let attempt = attempt_part(run, session, part, renew, retries.stalls()).await;
        let settled = match attempt {
            Ok((receipt, proof)) => {
                let verified = doubt.settle(cx, proof, receipt.etag.as_deref()).await;
                verified.map(|verified| (receipt, verified))
            }
            Err(error) if doubt.is_refused(&error) => integrity::unproven(cx).map(|()| (stored.clone(), Some(false))),
            Err(error) => Err(error),
        };
        let error = match settled {
            Ok((receipt, Some(verified))) => return Ok(sent(receipt, attempts, verified)),
            Ok((receipt, None)) => {
                stored = receipt;
                renew = false;
                cx.reporter.measure_quietly(cx.platform.now(), |meter| meter.failed(part.number));
                continue;
            }
            Err(error) => {
                // A refusal after a lost answer may only say that the first request took effect.
                unsure |= error.answer_lost;
                error.part(part.number).answer_lost(unsure)
            }
        };
        if broken!(LostPart) && error.code == Code::Network {
            return Ok(sent(Receipt { number: part.number, etag: None, reply: None }, attempts, false));
        }
        cx.reporter.measure_quietly(cx.platform.now(), |meter| meter.failed(part.number));
        if matches!(error.code, Code::Network | Code::Stalled) {
            // Whether the part arrived stays open, whatever became of the file since.
            still_readable(cx, part.range).await.map_err(|error| error.answer_lost(unsure))?;
        }
        renew = error.code == Code::UrlExpired;
        if broken!(SlotLeak) {
            std::mem::forget(permit.take());
        }
        // The part that finds out what the ETags are keeps its slot: those that wait for it hold all others.
        if !doubt.is_asking() {
            drop(permit.take());
        }
        let may_be_expired = error.url_may_be_expired;
        if let Err(error) = retries.backoff(cx, error, &cx.settings.retry).await {
            // Whatever the clocks say: before the upload fails, a URL that may have expired is renewed once.
            if !may_be_expired || renewed_on_suspicion {
                return Err(error);
            }
            if !run.capabilities.renews_urls {
                return Err(error.retry(Retry::Restart));
            }
            (retries, renew, renewed_on_suspicion) = (RetryLoop::default(), true, true);
        }
    }
}
