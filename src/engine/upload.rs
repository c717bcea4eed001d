//! One file's way: check, open, send, complete, settle.

use std::pin::pin;
use std::rc::Rc;

use super::events::{Outcome, Status, UploadResult};
use super::job::Job;
use super::race::unless;
use super::record::{self, Resumed};
use super::send::{file_changed, send_all};
use super::session::{Phase, Session};
use crate::error::{Code, Result, Retry, Step, UploadError};
use crate::integrity;
use crate::platform::Platform;
use crate::providers::Provider;
use crate::settings::Integrity;
use crate::text;

/// How long a destination is given to hear that an upload was given up: the caller doesn't wait for a server that is away. (A
/// choice.)
const ABORT_MS: u64 = 10_000;

/// Takes one file all the way, from where a session that was kept had come, if there is one.
///
/// # Errors
/// Whatever ended it.
pub async fn run<P: Platform>(job: &Job<P>, resumed: &mut Option<Resumed<P>>) -> Result<Box<UploadResult<P>>> {
    job.hold().await;
    job.admit().await;
    job.hold().await;
    let started = job.platform.now();
    job.status(Status::Checking);
    // Where the destination has all of the bytes, nobody may have the file any more.
    let settling = resumed.as_ref().is_some_and(|resumed| resumed.phase == Phase::Settling);
    if !settling {
        check(job)?;
        let sample = integrity::sample(job).await.map_err(|error| error.at(Step::Check))?;
        job.sample.set(sample.ok_or_else(unreadable)?);
    }
    let mut outcome = Outcome::default();
    outcome.already_there = resumed.is_none() && job.provider.check(job, &mut outcome).await?;
    let mut anew = false;
    let (parts, verified) = if outcome.already_there {
        job.measure(true, |meter, now| {
            meter.begin(1, now);
            meter.depart(1);
            meter.arrived(1, job.source.size, now);
        });
        (0, job.md5.get().is_some())
    } else {
        let mut former = None;
        loop {
            let kept = resumed.is_some();
            let sending = resumed.as_ref().is_some_and(|resumed| resumed.phase == Phase::Sending);
            outcome = Outcome::default();
            let error = match once_through(job, resumed, former.take(), &mut outcome).await {
                Ok(done) => break done,
                Err(error) => error,
            };
            // Whether what was kept is refused for good, a new session tells.
            let spared = sending && job.arrived() == 0 && refused(job, &error);
            // A session that was kept for another day may well be gone by then: that counts for nothing.
            let gone = error.retry == Retry::Anew && (kept || !anew) && !settling;
            if !(spared || gone) {
                return Err(error);
            }
            anew = !kept;
            *resumed = None;
            job.platform.warn(&text::fill("{}: {} The upload starts anew.", &[&error.code.as_str(), &error.message]));
            let opened = job.session.take();
            #[cfg(feature = "mutants")]
            if crate::mutants::is(crate::mutants::Mutant::StaleSession) {
                if kept {
                    return Err(error);
                }
                let stale = |session: &Rc<Session<P>>| Resumed {
                    session: (**session).clone(),
                    phase: Phase::Sending,
                    arrived: Vec::new(),
                };
                *resumed = opened.as_ref().map(stale);
                job.session.set(opened);
                continue;
            }
            former = opened.map(|session| Former { session, error, spared });
        }
    };
    Ok(Box::new(UploadResult {
        provider: job.provider.name(),
        outcome,
        bytes: job.source.size,
        parts,
        attempts: job.attempts(),
        elapsed_ms: job.platform.now().saturating_sub(started),
        verified,
    }))
}

/// Tells the destination that nothing more comes of a session; false where it could not be told.
pub async fn give_up<P: Platform>(job: &Job<P>, session: &Session<P>) -> bool {
    let mut deadline = job.platform.sleep(ABORT_MS);
    let told = unless(pin!(job.provider.abort(job, session)), deadline.as_mut()).await;
    told == Some(true)
}

/// True where a session that was kept is refused before it got any further, by whoever may take another one.
fn refused<P: Platform>(job: &Job<P>, error: &UploadError) -> bool {
    let refused = match error.code {
        Code::Unauthorized | Code::Forbidden => matches!(error.step, Some(Step::Part | Step::Sign)),
        Code::Application => error.retry == Retry::Anew,
        _ => false,
    };
    let session = job.session.take();
    // One that a part completes may have been completed before.
    let open = session.as_ref().is_some_and(|session| !job.provider.part_completes(session));
    job.session.set(session);
    refused && open && !error.answer_lost
}

/// A session in whose place another one is opened.
struct Former<P: Platform> {
    session: Rc<Session<P>>,
    /// Why.
    error: UploadError,
    /// It was only refused: what it stored is left alone.
    spared: bool,
}

/// Gives the former session up, once the new one is open: its parts would be billed for ever.
///
/// # Errors
/// The former one's error, where it may have stored the whole file and could not be given up: a new one would store it a second
/// time.
async fn make_way<P: Platform>(job: &Job<P>, former: Former<P>) -> Result<()> {
    let Former { session, error, spared } = former;
    let matters = !spared && !session.multipart && error.answer_lost;
    // Where it matters there is a second time: a machine that sleeps, or a network that is away, uses up the first.
    for _ in 0..=u32::from(matters) {
        job.wait_for_network(true).await;
        job.hold().await;
        if spared || give_up(job, &session).await {
            return Ok(());
        }
    }
    if !matters {
        return Ok(());
    }
    Err(error.retry(Retry::Never).hint(
        "The file may be stored, and `abort` failed, so it was not sent a second time. Check `abort`, then upload the file again.",
    ))
}

/// The way with one session; gives what came of it, how many parts it took, and whether all were verified.
async fn once_through<P: Platform>(
    job: &Job<P>,
    resumed: &mut Option<Resumed<P>>,
    former: Option<Former<P>>,
    outcome: &mut Outcome<P>,
) -> Result<(u32, bool)> {
    job.hold().await;
    job.status(Status::Opening);
    let fresh = resumed.is_none();
    if let Some(resumed) = resumed {
        job.provider.restore(job, resumed).await?;
        if resumed.arrived.iter().any(|arrived| arrived.part.verified) {
            job.etags.are_md5s();
        }
    }
    let Resumed { session, phase, arrived } = match resumed.take() {
        Some(resumed) => resumed,
        None => {
            let begun_at = job.platform.now();
            let opened = job.provider.open(job).await;
            if let (Err(_), Some(former)) = (&opened, &former) {
                job.session.set(Some(former.session.clone()));
            }
            let mut session = opened?;
            session.begun_at = begun_at;
            Resumed { session, phase: Phase::Sending, arrived: Vec::new() }
        }
    };
    let mut session = Rc::new(session);
    outcome.etag = session.etag.clone();
    outcome.key = session.key.clone();
    let count = session.plan.parts().len();
    let mut verified = true;
    if phase == Phase::Settling {
        verified = arrived.len() == count && arrived.iter().all(|arrived| arrived.part.verified);
        all_there(job, &session);
    } else {
        job.session.set(Some(session.clone()));
        if let Some(former) = former {
            make_way(job, former).await?;
        }
        if fresh {
            if job.keeper.holds() {
                // Nothing of the one before may be taken for this one.
                job.keeper.forget(&job.platform);
            }
            // What can't be taken up midway may have arrived from the first byte on.
            let begun = if job.provider.resumes() { Phase::Sending } else { Phase::Completing };
            keep(job, &session, begun).await;
        }
        job.hold().await;
        let sent = send_all(job, &session, arrived).await;
        let arrived = match sent {
            Err(error) if !fresh && job.provider.completed_before(&session, &error) => {
                all_there(job, &session);
                Vec::new()
            }
            Err(error) if job.provider.part_completes(&session) => return Err(error.or_unknown()),
            sent => sent?,
        };
        verified &= arrived.len() == count;
        let mut receipts = Vec::new();
        for arrived in arrived {
            verified &= arrived.part.verified;
            receipts.push(arrived.receipt);
        }
        // Not every browser fails where a file is rewritten while it is read: what went out may be of two files.
        let sample = integrity::sample(job).await.map_err(|error| error.at(Step::Part))?;
        if sample != Some(job.sample.get()) {
            return Err(file_changed());
        }

        job.hold().await;
        job.status(Status::Completing);
        if job.provider.goes_on_after(&session) {
            keep(job, &session, Phase::Completing).await;
        }
        job.provider.complete(job, &session, &receipts, !fresh, outcome).await?;
        // The destination has the file: from here on there is nothing to give up, and nobody else has the session.
        job.session.take();
        if let Some(session) = Rc::get_mut(&mut session) {
            if outcome.record_id.is_some() {
                session.record_id = outcome.record_id.clone();
            }
            session.etag = outcome.etag.clone();
        }
    }

    job.leave();
    if job.provider.processes() {
        keep(job, &session, Phase::Settling).await;
        job.hold().await;
        job.status(Status::Processing);
    }
    // The destination has the bytes: whatever happens now, sending them anew would be a second upload.
    let settled = job.provider.settle(job, &session, outcome).await;
    settled.map_err(|error| error.retry(Retry::Never))?;
    Ok((count as u32, verified))
}

/// Measures every part as one that the destination has.
fn all_there<P: Platform>(job: &Job<P>, session: &Session<P>) {
    let parts = session.plan.parts();
    job.measure(true, |meter, now| {
        meter.begin(parts.len() as u32, now);
        parts.iter().for_each(|part| meter.arrived(part.number, part.range.len(), now));
    });
}

fn keep<P: Platform>(job: &Job<P>, session: &Session<P>, phase: Phase) -> impl Future<Output = ()> {
    let record = record::write(&job.platform, job.provider.name(), session, phase, job.provider.keeps_urls());
    job.keeper.keep(&job.platform, record)
}

/// What can be said before anything is sent.
fn check<P: Platform>(job: &Job<P>) -> Result<()> {
    let source = &job.source;
    let reject =
        |message: &str, hint: &str| Err(UploadError::new(Code::FileRejected, message).at(Step::Check).hint(hint));
    if source.size == 0 && !job.provider.takes_empty() {
        return reject("The file is empty.", "Only an S3 store takes an empty file.");
    }
    job.provider.accept().check(&job.settings.accept, &source.name, source.known_type(), source.size)?;
    if job.settings.integrity == Integrity::Require && !job.provider.etag_is_md5() {
        return Err(UploadError::new(
            Code::InvalidOptions,
            "`integrity` is \"require\", and this destination gives nothing to check against.",
        )
        .at(Step::Check)
        .hint("Use \"auto\" or \"off\"."));
    }
    Ok(())
}

fn unreadable() -> UploadError {
    UploadError::new(Code::FileUnreadable, "The browser can't read the file.")
        .at(Step::Check)
        .hint("It may have been moved, or lie in a folder that the browser may not read. Pick it again.")
}
