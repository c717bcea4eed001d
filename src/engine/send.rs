//! The parts of one file on their way: as many at once as the slots allow, each tried until it is there.

use std::rc::Rc;

use futures::future::{Either, select};
use futures::stream::{FuturesUnordered, StreamExt};
use futures::{FutureExt, pin_mut, select_biased};

use super::events::{Event, SentPart};
use super::job::Job;
use super::retry::next_try;
use super::session::Session;
use super::slots::Slot;
use super::watch;
use crate::error::{Code, Result, Retry, Step, UploadError};
use crate::http::Request;
use crate::integrity::{self, Verdict};
use crate::numbered::{self, Numbered};
use crate::plan::{ByteRange, Part};
use crate::platform::Platform;
use crate::providers::{AnyProvider, Provider, Receipt};
use crate::settings::Integrity;

/// A part that arrived: what the caller is told, and what the provider needs of its answer.
#[derive(Debug)]
pub struct Arrived<P: Platform> {
    /// What the caller is told.
    pub part: SentPart,
    /// What the provider read from the answer.
    pub receipt: Receipt<P>,
}

/// Sends every part of a session's plan. The result is in the plan's order.
///
/// # Errors
/// The first part's that can't be sent; the others are aborted.
pub async fn send_all<P: Platform>(
    job: &Job<P>,
    provider: &AnyProvider<P>,
    session: &Session<P>,
) -> Result<Vec<Arrived<P>>> {
    let parts = session.plan.parts();
    let mut arrived: Vec<Arrived<P>> = Vec::with_capacity(parts.len());
    job.measure(true, |meter, now| meter.begin(parts.len() as u32, now));
    while arrived.len() < parts.len() {
        let mut there = Numbered::default();
        arrived.iter().for_each(|arrived| there.insert(arrived.part.number, ()));
        let waiting: Vec<&Part> = parts.iter().filter(|part| there.get(part.number).is_none()).rev().collect();
        // Whatever a pause cut off takes off again; what arrived is not sent again.
        job.measure(true, |meter, _| waiting.iter().for_each(|part| meter.lost(part.number)));
        job.hold().await;
        let (flying, paused) = (fly(job, provider, session, waiting, &mut arrived), job.gate.paused());
        pin_mut!(flying, paused);
        if let Either::Left((result, _)) = select(flying, paused).await {
            result?;
        }
    }
    numbered::sort(&mut arrived, |part| part.part.number);
    Ok(arrived)
}

/// Lets waiting parts take off as slots come free, until all have arrived or one can't.
async fn fly<P: Platform>(
    job: &Job<P>,
    provider: &AnyProvider<P>,
    session: &Session<P>,
    mut waiting: Vec<&Part>,
    arrived: &mut Vec<Arrived<P>>,
) -> Result<()> {
    let mut flying = FuturesUnordered::new();
    let mut next_slot = job.slots.acquire().fuse();
    loop {
        select_biased! {
            landed = flying.select_next_some() => {
                let landed: Arrived<P> = landed?;
                job.measure(true, |meter, now| meter.arrived(landed.part.number, landed.part.range.len(), now));
                job.tell(Event::Part(landed.part.clone()));
                arrived.push(landed);
            }
            slot = next_slot => {
                if let Some(part) = waiting.pop() {
                    flying.push(send_one(job, provider, session, part, slot));
                }
                if !waiting.is_empty() {
                    next_slot = job.slots.acquire().fuse();
                }
            }
            complete => return Ok(()),
        }
    }
}

/// Sends one part until it is there.
async fn send_one<P: Platform>(
    job: &Job<P>,
    provider: &AnyProvider<P>,
    session: &Session<P>,
    part: &Part,
    slot: Slot,
) -> Result<Arrived<P>> {
    let mut slot = Some(slot);
    let mut attempt = 0;
    let mut renew = false;
    let mut unsure = false;
    loop {
        attempt += 1;
        if slot.is_none() {
            slot = Some(job.slots.acquire().await);
        }
        let tried = attempt_part(job, provider, session, part, renew).await;
        let error = match tried {
            Ok((receipt, verified)) => {
                let part = SentPart {
                    number: part.number,
                    range: part.range,
                    etag: receipt.etag.clone(),
                    attempts: attempt,
                    verified,
                };
                return Ok(Arrived { part, receipt });
            }
            Err(error) => {
                // A refusal after a lost answer may only say that the first request had worked.
                unsure |= error.answer_lost;
                error.part(part.number).answer_lost(unsure)
            }
        };
        job.measure(false, |meter, _| meter.lost(part.number));
        if error.code == Code::Network {
            still_readable(job, part.range).await?;
        }
        renew = error.code == Code::UrlExpired;
        let wished = matches!(error.retry, Retry::Later(Some(_)));
        let wait = next_try(error, attempt, &job.settings.retry, job.platform.random())?;
        drop(slot.take());
        job.wait(wait, wished && job.is_idle()).await;
    }
}

/// One attempt: ask for the request, send it, read the answer, hold the bytes against the ETag.
async fn attempt_part<P: Platform>(
    job: &Job<P>,
    provider: &AnyProvider<P>,
    session: &Session<P>,
    part: &Part,
    renew: bool,
) -> Result<(Receipt<P>, bool)> {
    let request = provider.part_request(job, session, part, renew).await?;
    let once = request.once();
    let lapses_at = match &request {
        Request::Store(request) => request.url().expires_at(),
        Request::Api(_) => None,
    };
    job.count_attempt();
    job.measure(true, |meter, _| meter.depart(part.number));
    let sending = async {
        // The callback may outlive neither the job nor this attempt: the platform drops it with the request.
        let (send, mut bytes) = futures::channel::mpsc::unbounded();
        let on_sent = Rc::new(move |sent| {
            let _ = send.unbounded_send(sent);
        });
        let answer = watch::send(&job.platform, request, job.settings.stall_ms, true, on_sent).fuse();
        pin_mut!(answer);
        loop {
            select_biased! {
                sent = bytes.select_next_some() => job.measure(false, |meter, now| meter.sent(part.number, sent, now)),
                answer = answer => break answer,
            }
        }
    }
    .fuse();
    let hashing = async {
        let in_vain = job.settings.integrity == Integrity::Auto && job.opaque_etags.get();
        if in_vain || job.settings.integrity == Integrity::Off || !provider.etag_is_md5() {
            return None;
        }
        integrity::md5_of(job, part.range).await
    }
    .fuse();
    pin_mut!(sending, hashing);
    let mut hashed = None;
    let answer = loop {
        select_biased! {
            answer = sending => break answer,
            md5 = hashing => hashed = Some(md5),
        }
    };
    let response = answer.map_err(|error| {
        // A store may refuse an expired URL without CORS headers, which looks like a lost connection.
        let lapsed = lapses_at.is_some_and(|at| at <= job.platform.now());
        match error.code {
            Code::Network if lapsed => {
                UploadError::new(Code::UrlExpired, "The presigned URL has expired.").at(Step::Part)
            }
            _ if once => error.or_unknown(),
            _ => error,
        }
    });
    let receipt = match response.and_then(|response| provider.receipt(job, session, part, &response)) {
        Ok(receipt) => receipt,
        Err(error) if error.code == Code::UrlExpired && provider.can_renew() => {
            return Err(error.retry(Retry::Later(None)));
        }
        Err(error) if once => return Err(error.or_unknown()),
        Err(error) => return Err(error),
    };
    let checkable = receipt.etag.as_deref().is_some_and(integrity::is_md5);
    job.opaque_etags.set(!checkable);
    let md5 = match hashed {
        Some(md5) => md5,
        None if checkable => hashing.await,
        None => None,
    };
    let verified = match integrity::verdict(receipt.etag.as_deref(), md5) {
        Verdict::Same => true,
        Verdict::Differs => {
            return Err(UploadError::new(
                Code::IntegrityMismatch,
                "The store's ETag isn't the MD5 of the bytes that were to be sent.",
            )
            .at(Step::Part)
            .hint("Where the store encrypts with its own keys its ETags are no MD5s: set `integrity` to \"off\"."));
        }
        Verdict::Unknown if job.settings.integrity == Integrity::Require => {
            return Err(UploadError::new(
                Code::IntegrityMismatch,
                "The part can't be checked: its ETag is hidden, or is no MD5.",
            )
            .at(Step::Part)
            .retry(Retry::Never)
            .retryable(false)
            .hint("Use `integrity: \"auto\"` for stores whose ETags are no MD5s."));
        }
        Verdict::Unknown => false,
    };
    Ok((receipt, verified))
}

/// A file that was changed or removed makes a request fail like a lost connection; one byte tells them apart.
async fn still_readable<P: Platform>(job: &Job<P>, range: ByteRange) -> Result<()> {
    if range.is_empty() {
        return Ok(());
    }
    let first = ByteRange::new(range.start, range.start + 1);
    match job.platform.read(&job.source.blob, first).await {
        Some(_) => Ok(()),
        None => {
            Err(UploadError::new(Code::FileChanged, "The file was changed, moved or removed while it was uploaded.")
                .at(Step::Part)
                .hint("Pick the file again."))
        }
    }
}
