//! The steps of one upload: check, open, send, complete, settle.

use std::pin::pin;
use std::rc::Rc;

use super::prepare::{check, prepare, with_the_same_bytes};
use super::record::Resumed;
use super::run::Run;
use super::send::send_all;
use crate::context::integrity::{self, Receipts};
use crate::context::reading::file_changed;
use crate::error::{Code, Result, Retry, Step, UploadError};
use crate::json::Json;
use crate::model::events::{Outcome, Status, UploadResult};
use crate::model::plan::Plan;
use crate::model::session::{AnySession, Phase, Progressed, UploadedPart};
use crate::model::settings::Integrity;
use crate::platform::Platform;
use crate::provider::SharedSession;
use crate::sync::timeout::timeout;
use crate::util::ordered::OrderedMap;

/// The timeout for aborting an upload at its destination: the caller doesn't wait for a server that can't be reached. (A choice.)
const ABORT_MS: u64 = 10_000;

/// The result of an upload.
struct Uploaded<J> {
    outcome: Outcome<J>,
    /// How many parts it was sent in.
    parts: u32,
    /// Whether all of them were verified.
    verified: bool,
}

/// Runs all steps of an upload; a saved session is continued where it stopped.
///
/// # Errors
/// The error that ended the upload.
pub(super) async fn run_steps<P: Platform>(
    run: &Rc<Run<P>>,
    resumed: Option<Resumed<P>>,
) -> Result<Box<UploadResult<P::Json>>> {
    let cx = &run.cx;
    cx.wait_while_paused().await;
    cx.acquire_seat().await;
    cx.wait_while_paused().await;
    let started = cx.platform.now();
    cx.reporter.set_status(Status::Checking);
    // If the destination has all bytes already, the file isn't needed, and may be gone.
    let settling = resumed.as_ref().is_some_and(|resumed| resumed.progressed.phase == Phase::Settling);
    if !settling {
        check(run)?;
        // What an earlier page sent is only made again once a part of it is missing.
        if resumed.is_none() || cx.source.is_at_hand() {
            prepare(run).await?;
        }
    }
    let stored = if resumed.is_none() { run.provider.check(cx).await? } else { None };
    let Uploaded { outcome, parts, verified } = match stored {
        Some(outcome) => already_there(run, outcome),
        None => upload(run, resumed, settling).await?,
    };
    Ok(Box::new(UploadResult {
        provider: run.provider.name(),
        outcome,
        bytes: cx.file().size,
        parts,
        attempts: cx.reporter.attempts(),
        elapsed_ms: cx.platform.now().saturating_sub(started),
        verified,
    }))
}

/// The result for a file that the destination already has.
fn already_there<P: Platform>(run: &Run<P>, outcome: Outcome<P::Json>) -> Uploaded<P::Json> {
    let (cx, now) = (&run.cx, run.cx.platform.now());
    cx.reporter.measure(|meter| {
        meter.begin(cx.file().size, 1, now);
        meter.started(1);
        meter.completed(1, cx.file().size, now);
    });
    let verified = outcome.proof.is_some();
    Uploaded { outcome: Outcome { already_there: true, ..outcome }, parts: 0, verified }
}

/// Uploads the file with one session, or restarts with another one if the first is gone.
async fn upload<P: Platform>(
    run: &Rc<Run<P>>,
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
        // Only a new session shows whether the refusal was about the saved session alone.
        let spared = sending && cx.reporter.completed() == 0 && is_session_refused(run, &error);
        // A restart because a URL may have expired says nothing about the destination, so it is counted separately.
        let count = if error.url_may_be_expired { &mut restarted_on_suspicion } else { &mut restarted };
        // Saved sessions expire: replacing one doesn't count as a restart.
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
    // If the only part completes the upload, an earlier page may have completed it.
    let open = run.open_session.borrow().as_ref().is_some_and(|session| !run.part_completes(&**session));
    refused && open && !error.answer_lost
}

/// A session that is replaced by another one.
struct Former<P: Platform> {
    session: SharedSession<P>,
    /// Why it is replaced.
    error: UploadError,
    /// Whether it was only refused: then it isn't aborted.
    spared: bool,
}

/// Aborts a session at the destination; false where that failed or timed out.
pub(super) async fn give_up<P: Platform>(run: &Run<P>, session: &dyn AnySession<P::Json>) -> bool {
    let mut deadline = run.cx.platform.sleep(ABORT_MS);
    let aborted = timeout(pin!(run.provider.abort(&run.cx, session)), deadline.as_mut()).await;
    aborted == Some(true)
}

/// Aborts the former session, once the new one is open: the store would bill its parts until they are deleted.
///
/// # Errors
/// The former session's error, if it may have stored the whole file and could not be aborted: the new session would store the file
/// a second time.
async fn give_up_former<P: Platform>(run: &Rc<Run<P>>, former: Former<P>) -> Result<()> {
    let Former { session, error, spared } = former;
    // If it matters, a second attempt is made: sleep or a lost network may have used up the first.
    let matters = !session.is_multipart() && error.answer_lost;
    for _ in 0..=u32::from(matters) {
        run.cx.wait_for_network(true).await;
        run.cx.wait_while_paused().await;
        if spared {
            return Ok(());
        }
        if !matters {
            // A session that is gone may take its time to say so, and the new one doesn't wait for it.
            let shared = run.clone();
            run.cx.platform.spawn(Box::pin(async move {
                give_up(&shared, &*session).await;
            }));
            return Ok(());
        }
        if give_up(run, &*session).await {
            return Ok(());
        }
    }
    Err(error.retry(Retry::Never).hint(
        "The file may already be stored and `abort` failed, so it was not sent again. Fix `abort`, then upload the file again.",
    ))
}

/// Uploads the file with one session.
async fn upload_once<P: Platform>(
    run: &Rc<Run<P>>,
    resumed: Option<Resumed<P>>,
    former: Option<Former<P>>,
) -> Result<Uploaded<P::Json>> {
    let cx = &run.cx;
    cx.wait_while_paused().await;
    cx.reporter.set_status(Status::Opening);
    let fresh = resumed.is_none();
    let Resumed { session, progressed: Progressed { phase, uploaded } } = match resumed {
        Some(resumed) => {
            let restored = restore(run, resumed).await?;
            with_the_same_bytes(run, restored).await?
        }
        None => open(run, former.as_ref()).await?,
    };
    let parts = session.plan().parts().len() as u32;
    let settling = phase == Phase::Settling;
    cx.etags.set_checksum_follows(run.capabilities.completes_with_checksum && session.is_multipart());
    let (outcome, mut receipts) = if settling {
        count_all(run, session.plan());
        (Outcome::default(), receipts(&*session, uploaded))
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
    // The destination has the file: there is nothing left to abort.
    run.open_session.take();
    cx.release_seat();
    let proof = integrity::prove(cx, &mut receipts, &outcome).await.map_err(|error| error.retry(Retry::Never))?;
    let verified = receipts.verified || proof.is_some();
    match (cx.settings.integrity, cx.etags.store()) {
        // The page that completed it required a proof too.
        (Integrity::Require, _) if !verified && !settling => return Err(integrity::unproven()),
        (Integrity::Auto, Some(store)) if !verified => store.warn_unverified(&cx.platform),
        _ => {}
    }
    let outcome = Outcome { proof, ..outcome };
    // A provider may know by now that nothing is processed.
    if run.provider.capabilities().processes {
        run.save(&*session, Phase::Settling).await;
        cx.wait_while_paused().await;
        cx.reporter.set_status(Status::Processing);
    }
    // The destination has the bytes: sending them again would be a second upload, so no error restarts it.
    let settled = run.provider.settle(cx, &*session, outcome).await;
    let outcome = settled.map_err(|error| error.retry(Retry::Never))?;
    Ok(Uploaded { outcome, parts, verified })
}

/// Continues a saved session.
async fn restore<P: Platform>(run: &Run<P>, resumed: Resumed<P>) -> Result<Resumed<P>> {
    let Resumed { session, progressed } = resumed;
    let mut md5s = OrderedMap::default();
    for saved in &progressed.uploaded {
        if let Some(md5) = &saved.md5 {
            md5s.insert(saved.part.number, md5.clone());
        }
    }
    let mut progressed = run.provider.restore(&run.cx, &*session, progressed).await?;
    for uploaded in &mut progressed.uploaded {
        uploaded.md5 = md5s.get(uploaded.part.number).cloned();
    }
    // Those that a checksum verified say nothing of ETags.
    if progressed.uploaded.iter().any(|uploaded| uploaded.part.verified && uploaded.receipt.checksum.is_none()) {
        run.cx.etags.set_md5s();
    }
    Ok(Resumed { session, progressed })
}

/// Opens a new session. If that fails, the former one is still open.
async fn open<P: Platform>(run: &Run<P>, former: Option<&Former<P>>) -> Result<Resumed<P>> {
    let opened = match prepare(run).await {
        Ok(()) => run.provider.open(&run.cx).await,
        Err(error) => Err(error),
    };
    if let (Err(_), Some(former)) = (&opened, former) {
        run.open_session.replace(Some(former.session.clone()));
    }
    Ok(Resumed { session: opened?, progressed: Progressed { phase: Phase::Sending, uploaded: Vec::new() } })
}

/// Saves a session that was just opened, before a byte is sent.
async fn save_fresh<P: Platform>(run: &Run<P>, session: &dyn AnySession<P::Json>) {
    let replaces = run.store.has_record();
    if replaces {
        // Parts of the former session must not be mistaken for this one's.
        run.store.forget(&run.cx.platform);
    }
    // A page that dies before the former record is gone would leave the next one to continue from that.
    if run.is_sent_again(session) && !replaces {
        return;
    }
    // If parts can't be continued later, the upload may take effect at any byte: a later page must treat it as completing.
    let phase = if run.capabilities.resumes { Phase::Sending } else { Phase::Completing };
    run.save(session, phase).await;
}

/// Sends the parts that aren't uploaded, and completes the upload. Returns the outcome, and the parts' receipts.
async fn send_and_complete<'a, P: Platform>(
    run: &Run<P>,
    session: &'a dyn AnySession<P::Json>,
    uploaded: Vec<UploadedPart<P::Json>>,
    fresh: bool,
) -> Result<(Outcome<P::Json>, Receipts<'a, P::Json>)> {
    let cx = &run.cx;
    cx.wait_while_paused().await;
    let one_part = session.plan().parts().len() == 1;
    // A request reads a small file in a moment. Between the parts of one, it could change.
    if cx.is_small() && !one_part && cx.file().copy.get().is_none() && cx.source.is_at_hand() {
        let readable = cx.copy().await.map_err(|error| error.at(Step::Part))?;
        if !readable {
            return Err(file_changed());
        }
    }
    let uploaded = match send_all(run, session, uploaded).await {
        Err(error) if !fresh && run.provider.completed_before(session, &error) => {
            count_all(run, session.plan());
            Vec::new()
        }
        Err(error) if run.part_completes(session) => return Err(error.or_unknown()),
        sent => sent?,
    };
    let receipts = receipts(session, uploaded);
    // Not every browser reports a file that is rewritten while it is read: the parts may be of two versions. A copy is of one, and so
    // is a single part whose bytes are the ones that were hashed.
    let of_one_version = cx.is_small() || (receipts.verified && one_part) || !cx.source.is_at_hand();
    if !of_one_version {
        let sample = integrity::sample(cx).await.map_err(|error| error.at(Step::Part))?;
        if !cx.digests.has_sample(sample) {
            return Err(file_changed());
        }
    }
    cx.wait_while_paused().await;
    cx.reporter.set_status(Status::Completing);
    if run.continues_after(session) {
        run.save(session, Phase::Completing).await;
    }
    let outcome = run.provider.complete(cx, session, &receipts.parts, !fresh).await?;
    Ok((outcome, receipts))
}

/// The receipts of the uploaded parts.
fn receipts<J: Json>(session: &dyn AnySession<J>, uploaded: Vec<UploadedPart<J>>) -> Receipts<'_, J> {
    let plan = session.plan();
    let verified = uploaded.len() == plan.parts().len() && uploaded.iter().all(|uploaded| uploaded.part.verified);
    let parts = uploaded.into_iter().map(|uploaded| uploaded.receipt).collect();
    Receipts { plan, multipart: session.is_multipart(), parts, verified }
}

/// Counts every part as uploaded in the progress.
fn count_all<P: Platform>(run: &Run<P>, plan: &Plan) {
    let (parts, now) = (plan.parts(), run.cx.platform.now());
    run.cx.reporter.measure(|meter| {
        meter.begin(plan.size(), parts.len() as u32, now);
        parts.iter().for_each(|part| meter.completed(part.number, part.range.len(), now));
    });
}
