//! One file's way: check, open, send, complete, settle.

use std::rc::Rc;

use super::events::{Outcome, Status, UploadResult};
use super::job::Job;
use super::send::send_all;
use crate::error::{Code, Result, Retry, Step, UploadError};
use crate::plan::ByteRange;
use crate::platform::Platform;
use crate::providers::{AnyProvider, Provider};
use crate::settings::Integrity;
use crate::source::Accept;

/// Takes one file all the way.
///
/// # Errors
/// Whatever ended it.
pub async fn run<P: Platform>(job: &Job<P>, provider: &AnyProvider<P>) -> Result<UploadResult<P>> {
    job.hold().await;
    job.admit().await;
    job.hold().await;
    let started = job.platform.now();
    job.status(Status::Checking);
    check(job, provider).await?;
    if let Some(outcome) = provider.check(job).await? {
        job.measure(true, |meter, now| {
            meter.begin(1, now);
            meter.depart(1);
            meter.arrived(1, job.source.size, now);
        });
        let there = Outcome { already_there: true, ..outcome };
        return Ok(result(job, provider, there, (0, job.md5.get().is_some()), started));
    }
    let mut anew = false;
    let (outcome, parts) = loop {
        match once_through(job, provider).await {
            Err(error) if error.retry == Retry::Anew && !anew => {
                anew = true;
                job.platform.warn(&format!("{error} The upload starts anew."));
            }
            done => break done?,
        }
    };
    Ok(result(job, provider, outcome, parts, started))
}

/// The way with one session; gives what came of it, how many parts it took, and whether all were verified.
async fn once_through<P: Platform>(job: &Job<P>, provider: &AnyProvider<P>) -> Result<(Outcome<P>, (u32, bool))> {
    job.hold().await;
    job.status(Status::Opening);
    let session = Rc::new(provider.open(job).await?);
    job.session.replace(Some(session.clone()));

    job.hold().await;
    job.status(Status::Sending);
    let sent = send_all(job, provider, &session).await;
    let arrived = sent.map_err(|error| if provider.part_completes(&session) { error.or_unknown() } else { error })?;
    let verified = arrived.iter().all(|arrived| arrived.part.verified);
    let count = arrived.len() as u32;
    let receipts: Vec<_> = arrived.into_iter().map(|arrived| arrived.receipt).collect();

    job.hold().await;
    job.status(Status::Completing);
    let outcome = provider.complete(job, &session, &receipts).await?;
    // The destination has the file: from here on there is nothing to give up.
    job.session.replace(None);

    job.leave();
    job.hold().await;
    if provider.processes() {
        job.status(Status::Processing);
    }
    // The destination has the bytes: whatever happens now, sending them anew would be a second upload.
    let settled = provider.settle(job, &session, outcome).await;
    let outcome = settled.map_err(|error| error.retry(Retry::Never))?;
    Ok((outcome, (count, verified)))
}

/// What can be said before anything is sent.
async fn check<P: Platform>(job: &Job<P>, provider: &AnyProvider<P>) -> Result<()> {
    let source = &job.source;
    let reject =
        |message: &str, hint: &str| Err(UploadError::new(Code::FileRejected, message).at(Step::Check).hint(hint));
    if source.size == 0 && !provider.takes_empty() {
        return reject("The file is empty.", "Only an S3 store takes an empty file.");
    }
    let accept: Accept = provider.accept().with(&job.settings.accept);
    accept.check(&source.name, source.known_type(), source.size)?;
    if job.settings.integrity == Integrity::Require && !provider.etag_is_md5() {
        return Err(UploadError::new(
            Code::InvalidOptions,
            "`integrity` is \"require\", and this destination gives nothing to check against.",
        )
        .at(Step::Check)
        .hint("Use \"auto\" or \"off\"."));
    }
    if source.size > 0 && job.platform.read(&source.blob, ByteRange::new(0, 1)).await.is_none() {
        return Err(UploadError::new(Code::FileUnreadable, "The browser can't read the file.")
            .at(Step::Check)
            .hint("It may have been moved, or lie in a folder that the browser may not read. Pick it again."));
    }
    Ok(())
}

fn result<P: Platform>(
    job: &Job<P>,
    provider: &AnyProvider<P>,
    outcome: Outcome<P>,
    (parts, verified): (u32, bool),
    started: u64,
) -> UploadResult<P> {
    UploadResult {
        provider: provider.name(),
        outcome,
        bytes: job.source.size,
        parts,
        attempts: job.attempts(),
        elapsed_ms: job.platform.now().saturating_sub(started),
        verified,
    }
}
