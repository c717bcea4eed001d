//! One file's way: check, open, send, complete, settle.

use std::pin::pin;
use std::rc::Rc;

use crate::context::Context;
use crate::context::integrity;
use crate::engine::record::{self, Resumed};
use crate::engine::send::{file_changed, send_all};
use crate::error::{Code, Result, Retry, Step, UploadError};
use crate::model::events::{Outcome, Status, UploadResult};
use crate::model::session::{Phase, Session};
use crate::model::settings::Integrity;
use crate::platform::Platform;
use crate::provider::Provider;
use crate::sync::timeout::timeout;

/// How long a destination is given to hear that an upload was given up: the caller doesn't wait for a server that is away. (A
/// choice.)
const ABORT_MS: u64 = 10_000;

/// Takes one file all the way, from where a session that was kept had come, if there is one.
///
/// # Errors
/// Whatever ended it.
pub async fn run<P: Platform>(cx: &Context<P>, resumed: &mut Option<Resumed<P>>) -> Result<Box<UploadResult<P>>> {
    cx.wait_while_paused().await;
    cx.acquire_seat().await;
    cx.wait_while_paused().await;
    let started = cx.platform.now();
    cx.status(Status::Checking);
    // Where the destination has all of the bytes, nobody may have the file any more.
    let settling = resumed.as_ref().is_some_and(|resumed| resumed.phase == Phase::Settling);
    if !settling {
        check(cx)?;
        let sample = integrity::sample(cx).await.map_err(|error| error.at(Step::Check))?;
        cx.sample.set(sample.ok_or_else(unreadable)?);
    }
    let mut outcome = Outcome::default();
    outcome.already_there = resumed.is_none() && cx.provider.check(cx, &mut outcome).await?;
    let mut anew = false;
    let (parts, verified) = if outcome.already_there {
        cx.measure(true, |meter, now| {
            meter.begin(1, now);
            meter.started(1);
            meter.arrived(1, cx.file.size, now);
        });
        (0, cx.md5.get().is_some())
    } else {
        let mut former = None;
        loop {
            let kept = resumed.is_some();
            let sending = resumed.as_ref().is_some_and(|resumed| resumed.phase == Phase::Sending);
            outcome = Outcome::default();
            let error = match once_through(cx, resumed, former.take(), &mut outcome).await {
                Ok(done) => break done,
                Err(error) => error,
            };
            // Whether what was kept is refused for good, a new session tells.
            let spared = sending && cx.arrived() == 0 && refused(cx, &error);
            // A session that was kept for another day may well be gone by then: that counts for nothing.
            let gone = error.retry == Retry::Restart && (kept || !anew) && !settling;
            if !(spared || gone) {
                return Err(error);
            }
            anew = !kept;
            *resumed = None;
            cx.platform.warn(&text!("{}: {} The upload starts anew.", error.code.as_str(), error.message));
            let opened = cx.session.take();
            if broken!(StaleSession) {
                if kept {
                    return Err(error);
                }
                let stale = |session: &Rc<Session<P>>| Resumed {
                    session: (**session).clone(),
                    phase: Phase::Sending,
                    arrived: Vec::new(),
                };
                *resumed = opened.as_ref().map(stale);
                cx.session.set(opened);
                continue;
            }
            former = opened.map(|session| Former { session, error, spared });
        }
    };
    Ok(Box::new(UploadResult {
        provider: cx.provider.name(),
        outcome,
        bytes: cx.file.size,
        parts,
        attempts: cx.attempts(),
        elapsed_ms: cx.platform.now().saturating_sub(started),
        verified,
    }))
}

/// Tells the destination that nothing more comes of a session; false where it could not be told.
pub async fn give_up<P: Platform>(cx: &Context<P>, session: &Session<P>) -> bool {
    let mut deadline = cx.platform.sleep(ABORT_MS);
    let told = timeout(pin!(cx.provider.abort(cx, session)), deadline.as_mut()).await;
    told == Some(true)
}

/// True where a session that was kept is refused before it got any further, by whoever may take another one.
fn refused<P: Platform>(cx: &Context<P>, error: &UploadError) -> bool {
    let refused = match error.code {
        Code::Unauthorized | Code::Forbidden => matches!(error.step, Some(Step::Part | Step::Sign)),
        Code::Application => error.retry == Retry::Restart,
        _ => false,
    };
    let session = cx.session.take();
    // One that a part completes may have been completed before.
    let open = session.as_ref().is_some_and(|session| !cx.provider.part_completes(session));
    cx.session.set(session);
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
async fn make_way<P: Platform>(cx: &Context<P>, former: Former<P>) -> Result<()> {
    let Former { session, error, spared } = former;
    let matters = !spared && !session.multipart && error.answer_lost;
    // Where it matters there is a second time: a machine that sleeps, or a network that is away, uses up the first.
    for _ in 0..=u32::from(matters) {
        cx.wait_for_network(true).await;
        cx.wait_while_paused().await;
        if spared || give_up(cx, &session).await {
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
    cx: &Context<P>,
    resumed: &mut Option<Resumed<P>>,
    former: Option<Former<P>>,
    outcome: &mut Outcome<P>,
) -> Result<(u32, bool)> {
    cx.wait_while_paused().await;
    cx.status(Status::Opening);
    let fresh = resumed.is_none();
    if let Some(resumed) = resumed {
        cx.provider.restore(cx, resumed).await?;
        if resumed.arrived.iter().any(|arrived| arrived.part.verified) {
            cx.etags.are_md5s();
        }
    }
    let Resumed { session, phase, arrived } = match resumed.take() {
        Some(resumed) => resumed,
        None => {
            let begun_at = cx.platform.now();
            let opened = cx.provider.open(cx).await;
            if let (Err(_), Some(former)) = (&opened, &former) {
                cx.session.set(Some(former.session.clone()));
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
        all_there(cx, &session);
    } else {
        cx.session.set(Some(session.clone()));
        if let Some(former) = former {
            make_way(cx, former).await?;
        }
        if fresh {
            if cx.keeper.holds() {
                // Nothing of the one before may be taken for this one.
                cx.keeper.forget(&cx.platform);
            }
            // What can't be taken up midway may have arrived from the first byte on.
            let begun = if cx.provider.resumes() { Phase::Sending } else { Phase::Completing };
            keep(cx, &session, begun).await;
        }
        cx.wait_while_paused().await;
        let sent = send_all(cx, &session, arrived).await;
        let arrived = match sent {
            Err(error) if !fresh && cx.provider.completed_before(&session, &error) => {
                all_there(cx, &session);
                Vec::new()
            }
            Err(error) if cx.provider.part_completes(&session) => return Err(error.or_unknown()),
            sent => sent?,
        };
        verified &= arrived.len() == count;
        let mut receipts = Vec::new();
        for arrived in arrived {
            verified &= arrived.part.verified;
            receipts.push(arrived.receipt);
        }
        // Not every browser fails where a file is rewritten while it is read: what went out may be of two files.
        let sample = integrity::sample(cx).await.map_err(|error| error.at(Step::Part))?;
        if sample != Some(cx.sample.get()) {
            return Err(file_changed());
        }

        cx.wait_while_paused().await;
        cx.status(Status::Completing);
        if cx.provider.goes_on_after(&session) {
            keep(cx, &session, Phase::Completing).await;
        }
        cx.provider.complete(cx, &session, &receipts, !fresh, outcome).await?;
        // The destination has the file: from here on there is nothing to give up, and nobody else has the session.
        cx.session.take();
        if let Some(session) = Rc::get_mut(&mut session) {
            if outcome.record_id.is_some() {
                session.record_id = outcome.record_id.clone();
            }
            session.etag = outcome.etag.clone();
        }
    }

    cx.release_seat();
    if cx.provider.processes() {
        keep(cx, &session, Phase::Settling).await;
        cx.wait_while_paused().await;
        cx.status(Status::Processing);
    }
    // The destination has the bytes: whatever happens now, sending them anew would be a second upload.
    let settled = cx.provider.settle(cx, &session, outcome).await;
    settled.map_err(|error| error.retry(Retry::Never))?;
    Ok((count as u32, verified))
}

/// Measures every part as one that the destination has.
fn all_there<P: Platform>(cx: &Context<P>, session: &Session<P>) {
    let parts = session.plan.parts();
    cx.measure(true, |meter, now| {
        meter.begin(parts.len() as u32, now);
        parts.iter().for_each(|part| meter.arrived(part.number, part.range.len(), now));
    });
}

fn keep<P: Platform>(cx: &Context<P>, session: &Session<P>, phase: Phase) -> impl Future<Output = ()> {
    let record = record::write(&cx.platform, cx.provider.name(), session, phase, cx.provider.keeps_urls());
    cx.keeper.keep(&cx.platform, record)
}

/// What can be said before anything is sent.
fn check<P: Platform>(cx: &Context<P>) -> Result<()> {
    let source = &cx.file;
    let reject =
        |message: &str, hint: &str| Err(UploadError::new(Code::FileRejected, message).at(Step::Check).hint(hint));
    if source.size == 0 && !cx.provider.takes_empty() {
        return reject("The file is empty.", "Only an S3 store takes an empty file.");
    }
    cx.provider.accept().check(&cx.settings.accept, &source.name, source.known_type(), source.size)?;
    if cx.settings.integrity == Integrity::Require && !cx.provider.etag_is_md5() {
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
