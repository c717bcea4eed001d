//! The way of one file: check, open, send, complete, settle.

use std::pin::pin;

use super::file_check::file_changed;
use super::record::Resumed;
use super::run::Run;
use super::send::send_all;
use crate::context::integrity;
use crate::error::{Code, Result, Retry, Step, UploadError};
use crate::model::events::{Outcome, Status, UploadResult};
use crate::model::plan::Plan;
use crate::model::session::{AnySession, Phase, Progressed, UploadedPart};
use crate::model::settings::Integrity;
use crate::platform::Platform;
use crate::provider::SharedSession;
use crate::sync::timeout::timeout;

/// How long a destination is given to hear that an upload was given up: the caller doesn't wait for a server that is away. (A
/// choice.)
const ABORT_MS: u64 = 10_000;

/// What came of a file.
struct Uploaded<J> {
    outcome: Outcome<J>,
    /// How many parts it was sent in.
    parts: u32,
    /// Whether all of them were verified.
    verified: bool,
}

/// Takes one file all the way, from where a saved session had come, if there is one.
///
/// # Errors
/// Whatever ended it.
pub(super) async fn run_steps<P: Platform>(
    run: &Run<P>,
    resumed: Option<Resumed<P>>,
) -> Result<Box<UploadResult<P::Json>>> {
    let cx = &run.cx;
    cx.wait_while_paused().await;
    cx.acquire_seat().await;
    cx.wait_while_paused().await;
    let started = cx.platform.now();
    cx.reporter.set_status(Status::Checking);
    // Where the destination has all of the bytes, nobody may have the file any more.
    let settling = resumed.as_ref().is_some_and(|resumed| resumed.progressed.phase == Phase::Settling);
    if !settling {
        check(run).await?;
    }
    let stored = if resumed.is_none() { run.provider.check(cx).await? } else { None };
    let Uploaded { outcome, parts, verified } = match stored {
        Some(outcome) => already_there(run, outcome),
        None => upload(run, resumed, settling).await?,
    };
    Ok(Box::new(UploadResult {
        provider: run.provider.name(),
        outcome,
        bytes: cx.file.size,
        parts,
        attempts: cx.reporter.attempts(),
        elapsed_ms: cx.platform.now().saturating_sub(started),
        verified,
    }))
}

/// What can be said before anything is sent.
async fn check<P: Platform>(run: &Run<P>) -> Result<()> {
    let (cx, file) = (&run.cx, &run.cx.file);
    if file.size == 0 && !run.capabilities.takes_empty {
        return Err(UploadError::new(Code::FileRejected, "The file is empty; this destination needs at least 1 byte.")
            .at(Step::Check)
            .hint("Pick another file. Only S3 stores accept empty files."));
    }
    run.provider.accept().check(&cx.settings.accept, &file.name, file.known_type(), file.size)?;
    if cx.settings.integrity == Integrity::Require && !run.capabilities.etags_are_md5s {
        return Err(UploadError::new(
            Code::InvalidOptions,
            "`integrity` is \"require\", but this destination returns no ETags to verify parts with.",
        )
        .at(Step::Check)
        .hint("Set `integrity` to \"auto\" or \"off\"."));
    }
    let sample = integrity::sample(cx).await.map_err(|error| error.at(Step::Check))?;
    cx.digests.set_sample(sample.ok_or_else(|| {
        UploadError::new(Code::FileUnreadable, "The browser can't read the file.")
            .at(Step::Check)
            .hint("It may have been moved, or the browser may have no access to its folder. Pick the file again.")
    })?);
    Ok(())
}

/// The destination has the file already.
fn already_there<P: Platform>(run: &Run<P>, outcome: Outcome<P::Json>) -> Uploaded<P::Json> {
    let (cx, now) = (&run.cx, run.cx.platform.now());
    cx.reporter.measure(now, |meter| {
        meter.begin(1, now);
        meter.started(1);
        meter.completed(1, cx.file.size, now);
    });
    let outcome = Outcome { already_there: true, ..outcome };
    Uploaded { outcome, parts: 0, verified: cx.digests.whole().is_some() }
}

/// Uploads the file with one session, or with another one in its place where the first is gone.
async fn upload<P: Platform>(
    run: &Run<P>,
    mut resumed: Option<Resumed<P>>,
    settling: bool,
) -> Result<Uploaded<P::Json>> {
    let cx = &run.cx;
    let (mut former, mut restarted, mut restarted_on_suspicion) = (None, false, false);
    loop {
        let saved = resumed.is_some();
        let sending = resumed.as_ref().is_some_and(|resumed| resumed.progressed.phase == Phase::Sending);
        let error = match upload_once(run, resumed.take(), former.take()).await {
            Ok(uploaded) => return Ok(uploaded),
            Err(error) => error,
        };
        // Whether the saved session is refused for good, a new one tells.
        let spared = sending && cx.reporter.completed() == 0 && is_session_refused(run, &error);
        // Where a URL is only suspected to have expired, a restart tells nothing of the destination: it is counted by itself.
        let count = if error.url_may_be_expired { &mut restarted_on_suspicion } else { &mut restarted };
        // A saved session may well be gone by now: that doesn't count as a restart.
        let gone = error.retry == Retry::Restart && (saved || !*count) && !settling && !broken!(NoRestart);
        if !(spared || gone) {
            return Err(error);
        }
        *count = !saved;
        cx.platform.warn(&text!("{}: {} The upload starts again.", error.code.as_str(), error.message));
        former = run.open_session.take().map(|session| Former { session, error, spared });
    }
}

/// Whether a saved session is refused before it made progress, by a server that may accept another one.
fn is_session_refused<P: Platform>(run: &Run<P>, error: &UploadError) -> bool {
    let refused = match error.code {
        Code::Unauthorized | Code::Forbidden => matches!(error.step, Some(Step::Part | Step::Sign)),
        Code::Application => error.retry == Retry::Restart,
        _ => false,
    };
    // One that its only part completes may have been completed before.
    let open = run.open_session.borrow().as_ref().is_some_and(|session| !run.part_completes(&**session));
    refused && open && !error.answer_lost
}

/// A session in whose place another one is opened.
struct Former<P: Platform> {
    session: SharedSession<P>,
    /// Why.
    error: UploadError,
    /// It was only refused: what it stored is left alone.
    spared: bool,
}

/// Tells the destination that nothing more comes of a session; false where it could not be told.
pub(super) async fn give_up<P: Platform>(run: &Run<P>, session: &dyn AnySession<P::Json>) -> bool {
    let mut deadline = run.cx.platform.sleep(ABORT_MS);
    let told = timeout(pin!(run.provider.abort(&run.cx, session)), deadline.as_mut()).await;
    told == Some(true)
}

/// Gives the former session up, once the new one is open: its parts would be billed for ever.
///
/// # Errors
/// The former one's error, where it may have stored the whole file and could not be given up: a new one would store it a second
/// time.
async fn give_up_former<P: Platform>(run: &Run<P>, former: Former<P>) -> Result<()> {
    let Former { session, error, spared } = former;
    let matters = !spared && !session.is_multipart() && error.answer_lost;
    // Where it matters there is a second try: a machine that sleeps, or a network that is away, uses up the first.
    for _ in 0..=u32::from(matters) {
        run.cx.wait_for_network(true).await;
        run.cx.wait_while_paused().await;
        if spared || give_up(run, &*session).await {
            return Ok(());
        }
    }
    if !matters {
        return Ok(());
    }
    Err(error.retry(Retry::Never).hint(
        "The file may already be stored and `abort` failed, so it was not sent again. Fix `abort`, then upload the file again.",
    ))
}

/// Uploads the file with one session.
async fn upload_once<P: Platform>(
    run: &Run<P>,
    resumed: Option<Resumed<P>>,
    former: Option<Former<P>>,
) -> Result<Uploaded<P::Json>> {
    let cx = &run.cx;
    cx.wait_while_paused().await;
    cx.reporter.set_status(Status::Opening);
    let fresh = resumed.is_none();
    let Resumed { session, progressed: Progressed { phase, uploaded } } = match resumed {
        Some(resumed) => restore(run, resumed).await?,
        None => open(run, former.as_ref()).await?,
    };
    let parts = session.plan().parts().len() as u32;
    let (outcome, verified) = if phase == Phase::Settling {
        count_all(run, session.plan());
        (Outcome::default(), are_verified(session.plan(), &uploaded))
    } else {
        run.open_session.replace(Some(session.clone()));
        if let Some(former) = former {
            give_up_former(run, former).await?;
        }
        if fresh {
            save_fresh(run, &*session).await;
        }
        send_and_complete(run, &*session, uploaded, fresh).await?
    };
    // The destination has the file: from here on there is nothing to give up.
    run.open_session.take();
    cx.release_seat();
    if run.capabilities.processes {
        run.save(&*session, Phase::Settling).await;
        cx.wait_while_paused().await;
        cx.reporter.set_status(Status::Processing);
    }
    // The destination has the bytes: whatever happens now, sending them again would be a second upload.
    let settled = run.provider.settle(cx, &*session, outcome).await;
    let outcome = settled.map_err(|error| error.retry(Retry::Never))?;
    Ok(Uploaded { outcome, parts, verified })
}

/// Continues a saved session.
async fn restore<P: Platform>(run: &Run<P>, resumed: Resumed<P>) -> Result<Resumed<P>> {
    let Resumed { session, progressed } = resumed;
    let progressed = run.provider.restore(&run.cx, &*session, progressed).await?;
    if progressed.uploaded.iter().any(|uploaded| uploaded.part.verified) {
        run.cx.etags.set_md5s();
    }
    Ok(Resumed { session, progressed })
}

/// Opens a new session. Where that fails, the former one is open still.
async fn open<P: Platform>(run: &Run<P>, former: Option<&Former<P>>) -> Result<Resumed<P>> {
    let opened = run.provider.open(&run.cx).await;
    if let (Err(_), Some(former)) = (&opened, former) {
        run.open_session.replace(Some(former.session.clone()));
    }
    Ok(Resumed { session: opened?, progressed: Progressed { phase: Phase::Sending, uploaded: Vec::new() } })
}

/// Saves a session that was just opened, before a byte is sent.
async fn save_fresh<P: Platform>(run: &Run<P>, session: &dyn AnySession<P::Json>) {
    if run.store.has_record() {
        // Nothing of the former session may be taken for this one.
        run.store.forget(&run.cx.platform);
    }
    // What can't be continued midway may have taken effect from the first byte on.
    let phase = if run.capabilities.resumes { Phase::Sending } else { Phase::Completing };
    run.save(session, phase).await;
}

/// Sends the parts that aren't uploaded, and has them put together. What came of it, and whether all parts were verified.
async fn send_and_complete<P: Platform>(
    run: &Run<P>,
    session: &dyn AnySession<P::Json>,
    uploaded: Vec<UploadedPart<P::Json>>,
    fresh: bool,
) -> Result<(Outcome<P::Json>, bool)> {
    let cx = &run.cx;
    cx.wait_while_paused().await;
    let uploaded = match send_all(run, session, uploaded).await {
        Err(error) if !fresh && run.provider.completed_before(session, &error) => {
            count_all(run, session.plan());
            Vec::new()
        }
        Err(error) if run.part_completes(session) => return Err(error.or_unknown()),
        sent => sent?,
    };
    let verified = are_verified(session.plan(), &uploaded);
    let receipts: Vec<_> = uploaded.into_iter().map(|uploaded| uploaded.receipt).collect();
    // Not every browser fails where a file is rewritten while it is read: what was sent may be of two files.
    let sample = integrity::sample(cx).await.map_err(|error| error.at(Step::Part))?;
    if !cx.digests.has_sample(sample) {
        return Err(file_changed());
    }
    cx.wait_while_paused().await;
    cx.reporter.set_status(Status::Completing);
    if run.continues_after(session) {
        run.save(session, Phase::Completing).await;
    }
    let outcome = run.provider.complete(cx, session, &receipts, !fresh).await?;
    Ok((outcome, verified))
}

/// Whether every part was verified.
fn are_verified<J>(plan: &Plan, uploaded: &[UploadedPart<J>]) -> bool {
    uploaded.len() == plan.parts().len() && uploaded.iter().all(|uploaded| uploaded.part.verified)
}

/// Counts every part as one that the destination has.
fn count_all<P: Platform>(run: &Run<P>, plan: &Plan) {
    let (parts, now) = (plan.parts(), run.cx.platform.now());
    run.cx.reporter.measure(now, |meter| {
        meter.begin(parts.len() as u32, now);
        parts.iter().for_each(|part| meter.completed(part.number, part.range.len(), now));
    });
}
