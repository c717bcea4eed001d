//! The parts of one file on their way: as many at once as the slots allow, each tried until it is there.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{self, Poll};

use crate::context::Context;
use crate::context::integrity::{self, Doubt, Proof};
use crate::context::retry::RetryLoop;
use crate::engine::record;
use crate::error::{Code, Result, Retry, Step, UploadError};
use crate::http::presigned::Expiry;
use crate::http::{Request, Response};
use crate::model::events::{Event, SentPart, Status};
use crate::model::plan::{ByteRange, Part};
use crate::model::session::Session;
use crate::model::settings::Integrity;
use crate::platform::Platform;
use crate::provider::{Provider, Receipt};
use crate::sync::in_flight::InFlight;
use crate::sync::semaphore::Permit;
use crate::util::ordered;

/// A part that arrived: what the caller is told, and what the provider needs of its answer.
#[derive(Debug)]
pub struct UploadedPart<P: Platform> {
    /// What the caller is told.
    pub part: SentPart,
    /// What the provider read from the answer.
    pub receipt: Receipt<P>,
}

/// Sends every part of a session's plan that hasn't `arrived` yet. The result is in the plan's order.
///
/// # Errors
/// The first part's that can't be sent; the others are aborted.
pub async fn send_all<P: Platform>(
    cx: &Context<P>,
    session: &Session<P>,
    mut arrived: Vec<UploadedPart<P>>,
) -> Result<Vec<UploadedPart<P>>> {
    let parts = session.plan.parts();
    cx.measure(true, |meter, now| {
        meter.begin(parts.len() as u32, now);
        arrived.iter().for_each(|there| meter.arrived(there.part.number, there.part.range.len(), now));
    });
    loop {
        ordered::sort(&mut arrived, |there| there.part.number);
        let mut there = arrived.len();
        let mut waiting = Vec::new();
        for part in parts.iter().rev() {
            if there > 0 && arrived[there - 1].part.number == part.number {
                there -= 1;
            } else {
                waiting.push(part);
            }
        }
        if waiting.is_empty() {
            return Ok(arrived);
        }
        // Whatever a pause cut off takes off again; what arrived is not sent again.
        cx.measure(true, |meter, _| waiting.iter().for_each(|part| meter.lost(part.number)));
        cx.wait_while_paused().await;
        cx.status(Status::Sending);
        let mut flying = InFlight::default();
        let mut next_slot = cx.slots.acquire();
        let mut paused = pin!(cx.pause.paused());
        // Lets waiting parts take off as slots come free; nothing more lands once all have, or the upload is paused.
        let mut landing = |context: &mut task::Context<'_>| {
            loop {
                if let Poll::Ready(landed) = flying.poll_completed(context) {
                    return Poll::Ready(Some(landed));
                }
                let Some(part) = waiting.last() else {
                    if flying.is_empty() {
                        return Poll::Ready(None);
                    }
                    break;
                };
                let Poll::Ready(slot) = Pin::new(&mut next_slot).poll(context) else { break };
                flying.push(send_one(cx, session, part, slot));
                waiting.pop();
                next_slot = cx.slots.acquire();
            }
            // What must not be sent twice and went out whole can't be called back: a pause waits for its answer.
            if cx.is_committed() { Poll::Pending } else { paused.as_mut().poll(context).map(|()| None) }
        };
        while let Some(landed) = poll_fn(&mut landing).await {
            let landed: UploadedPart<P> = landed?;
            let part = &landed.part;
            cx.count_arrival();
            if cx.provider.goes_on_after(session) {
                cx.keeper.part(&cx.platform, part.number, || record::write_part(&cx.platform, &landed));
            }
            cx.measure(true, |meter, now| meter.arrived(part.number, part.range.len(), now));
            cx.emit(Event::Part(part.clone()));
            arrived.push(landed);
        }
    }
}

/// Sends one part until it is there.
async fn send_one<P: Platform>(
    cx: &Context<P>,
    session: &Session<P>,
    part: &Part,
    slot: Permit,
) -> Result<UploadedPart<P>> {
    let mut slot = Some(slot);
    let mut retries = RetryLoop::default();
    let (mut attempts, mut renew, mut unsure, mut suspected) = (0, false, false, false);
    let mut doubt = Doubt::default();
    // What a try gave whose ETag is in doubt.
    let mut stored = Receipt { number: part.number, etag: None, reply: None };
    loop {
        attempts += 1;
        if slot.is_none() {
            slot = Some(cx.slots.acquire().await);
        }
        let attempt = attempt_part(cx, session, part, renew, retries.stalls()).await;
        let settled = match attempt {
            Ok((receipt, proof)) => {
                let verified = doubt.settle(cx, proof, receipt.etag.as_deref()).await;
                verified.map(|verified| (receipt, verified))
            }
            Err(error) if doubt.is_refused(&error) => integrity::unproven(cx).map(|()| (stored.clone(), Some(false))),
            Err(error) => Err(error),
        };
        let error = match settled {
            Ok((receipt, Some(verified))) => {
                let part =
                    SentPart { number: part.number, range: part.range, etag: receipt.etag.clone(), attempts, verified };
                return Ok(UploadedPart { part, receipt });
            }
            Ok((receipt, None)) => {
                stored = receipt;
                renew = false;
                cx.measure(false, |meter, _| meter.lost(part.number));
                continue;
            }
            Err(error) => {
                // A refusal after a lost answer may only say that the first request had worked.
                unsure |= error.answer_lost;
                error.part(part.number).answer_lost(unsure)
            }
        };
        if broken!(LostPart) && error.code == Code::Network {
            let part = SentPart { number: part.number, range: part.range, etag: None, attempts, verified: false };
            return Ok(UploadedPart { receipt: Receipt { number: part.number, etag: None, reply: None }, part });
        }
        cx.measure(false, |meter, _| meter.lost(part.number));
        if matches!(error.code, Code::Network | Code::Stalled) {
            // What may have arrived may have arrived, whatever became of the file since.
            still_readable(cx, part.range).await.map_err(|error| error.answer_lost(unsure))?;
        }
        renew = error.code == Code::UrlExpired;
        if broken!(SlotLeak) {
            std::mem::forget(slot.take());
        }
        // The one that finds out what ETags are keeps its slot: those that wait for it hold all others.
        if !doubt.is_asking() {
            drop(slot.take());
        }
        let over = error.url_over;
        if let Err(error) = retries.backoff(cx, error, &cx.settings.retry).await {
            // Whatever the clocks say: before it ends so, a URL that may be over is had anew, once.
            if !over || suspected {
                return Err(error);
            }
            if !cx.provider.can_renew() {
                return Err(error.retry(Retry::Restart));
            }
            (retries, renew, suspected) = (RetryLoop::default(), true, true);
        }
    }
}

/// One attempt: ask for the request, send it, read the answer, hold the bytes against the ETag.
async fn attempt_part<P: Platform>(
    cx: &Context<P>,
    session: &Session<P>,
    part: &Part,
    renew: bool,
    stalls: u32,
) -> Result<(Receipt<P>, Proof)> {
    let request = cx.provider.part_request(cx, session, part, renew).await?;
    let asked = integrity::asked(cx, session, &request);
    let once = request.once();
    let once = once && !broken!(SecondForm);
    let expiry = match &request {
        Request::Store(request) => request.url().expiry().or(session.expires_at.filter(|_| !cx.provider.can_renew())),
        Request::Api(_) => Expiry::default(),
    };
    cx.count_attempt();
    cx.measure(true, |meter, _| meter.started(part.number));
    let patient = once || cx.provider.part_completes(session);
    let sending = cx.send(request, patient, stalls, |sent| {
        cx.commit(once && sent >= part.range.len());
        cx.measure(false, |meter, now| meter.sent(part.number, sent, now));
    });
    let hashing = async {
        let in_vain = cx.settings.integrity == Integrity::Auto && cx.etags.in_vain();
        if in_vain || !hashes(cx) {
            return Ok(None);
        }
        integrity::md5_of(cx, part.range).await
    };
    let (mut sending, mut hashing) = (pin!(sending), pin!(hashing));
    let mut hashed = None;
    let answer = poll_fn(|context| {
        let answer = sending.as_mut().poll(context);
        if answer.is_pending()
            && hashed.is_none()
            && let Poll::Ready(md5) = hashing.as_mut().poll(context)
        {
            hashed = Some(md5);
        }
        answer
    })
    .await;
    cx.commit(false);
    // What a provider takes for an arrival though the answer is none is settled by it later.
    let plain = answer.as_ref().is_ok_and(Response::ok);
    let answer = answer.map_err(|error| {
        // A store may refuse an expired URL without CORS headers, which looks like a lost connection. One that had expired
        // before it came only tells that this machine's clock is off.
        let lapsed = expiry.at.is_some_and(|at| cx.is_past(at, session.begun_at));
        if error.code == Code::Network && lapsed && cx.is_online() {
            let lost = error.answer_lost;
            UploadError::new(Code::UrlExpired, "The presigned URL has expired.").at(Step::Part).answer_lost(lost)
        } else {
            error
        }
    });
    if hashes(cx)
        && let Ok(response) = &answer
    {
        asked.answered(cx, response);
    }
    let receipt = answer.and_then(|response| cx.provider.receipt(cx, session, part, &response));
    let receipt = receipt.map_err(|error| match error.code {
        Code::UrlExpired if cx.provider.can_renew() => error.retry(Retry::Later(None)),
        _ if once => error.or_unknown(),
        Code::Network | Code::Forbidden => {
            let over = [cx.platform.now(), cx.server_now()].map(|now| expiry.may_be_over(now, session.begun_at));
            error.url_over(over[0] || over[1])
        }
        _ => error,
    })?;
    let receipt = Receipt { etag: receipt.etag.as_deref().map(integrity::strong), ..receipt };
    let checkable = receipt.etag.as_deref().is_some_and(integrity::is_md5);
    let md5 = match hashed {
        Some(md5) => md5,
        None if checkable => hashing.await,
        None => Ok(None),
    };
    // A read that never ended matters where there is something to be checked.
    let md5 = if checkable { md5.map_err(|error| error.at(Step::Part))? } else { None };
    if checkable && md5.is_none() && hashes(cx) {
        // It was to be hashed, and couldn't be read.
        still_readable(cx, part.range).await?;
    }
    let proof = integrity::judge(cx, receipt.etag.as_deref(), md5, plain)?;
    Ok((receipt, proof))
}

/// True where parts are held against their ETags, as far as these allow it.
fn hashes<P: Platform>(cx: &Context<P>) -> bool {
    cx.settings.integrity != Integrity::Off && cx.provider.etag_is_md5()
}

/// A file that was changed or removed makes a request fail like a lost connection; one byte tells them apart.
async fn still_readable<P: Platform>(cx: &Context<P>, range: ByteRange) -> Result<()> {
    if range.is_empty() {
        return Ok(());
    }
    let first = ByteRange::new(range.start, range.start + 1);
    match cx.read(first).await.map_err(|error| error.at(Step::Part))? {
        Some(_) => Ok(()),
        None => Err(file_changed()),
    }
}

/// The file isn't the one that was picked any more.
pub fn file_changed() -> UploadError {
    UploadError::new(Code::FileChanged, "The file was changed, moved or removed while it was uploaded.")
        .at(Step::Part)
        .hint("Pick the file again.")
}
