//! Runs an upload to its end and cleans up after it: aborts it at the server, keeps or drops the saved session.

use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use super::record::{self, Replacement, Resumed};
use super::run::Run;
use super::start::Start;
use super::steps::{give_up, run_steps};
use crate::context::Context;
use crate::error::{Code, Step, UploadError};
use crate::model::events::{Event, Status};
use crate::model::session::Phase;
use crate::platform::Platform;
use crate::sync::pause::EndReason;

/// The hint where only the last step is missing.
const PARTS_KEPT: &str = "The parts are kept: `retry()` completes the upload without sending them again. `cause` is the exception that `complete` threw.";

/// Runs an upload to its end and outlives it, so that one that ends early can be aborted at the server.
pub(super) async fn supervise<P: Platform>(run: Rc<Run<P>>, start: Start<P::Json>) {
    let run = &run;
    let cx = &run.cx;
    let resumed = load_session(run, start).await;
    let saved = resumed.is_some();
    let ended = {
        let (mut running, mut closed) = (pin!(run_steps(run, resumed)), pin!(run.pause.ended()));
        let mut reporting = pin!(report_progress(cx));
        // Cancelling or closing has precedence: the upload makes no more progress.
        poll_fn(|context| match closed.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => {
                let ended = running.as_mut().poll(context);
                let _ = reporting.as_mut().poll(context);
                ended.map(Some)
            }
        })
        .await
    };
    cx.reporter.report(cx.platform.now());
    cx.release_seat();
    let mut session = run.open_session.take();
    let (status, event, forgotten) = match ended {
        Some(Ok(result)) => {
            session = None;
            (Status::Done, Event::Complete(result), true)
        }
        Some(Err(error)) => {
            // An error in checking, opening a session, signing or listing isn't a refusal of the saved session.
            let elsewhere = matches!(error.step, Some(Step::Check | Step::Init | Step::Sign | Step::List));
            let stuck = saved && cx.reporter.completed() == 0 && !elsewhere;
            let resumes = run.capabilities.resumes || session.is_none();
            let stays = run.store.has_record() && resumes && worth_saving(&error, stuck);
            // A session that can't be continued is aborted, since its parts would be billed for ever. It isn't if the upload may have
            // taken effect, or if a saved session was only refused: that would lose the work of earlier pages.
            let spared = error.code == Code::OutcomeUnknown || (saved && is_refusal(&error));
            session = session.filter(|_| !stays && !spared);
            let completes = stays && error.code == Code::Application && error.step == Some(Step::Complete);
            let error = if completes { error.hint(PARTS_KEPT) } else { error };
            (Status::Failed, Event::Error(error), !stays)
        }
        None => {
            let cancelled = run.pause.end_reason() == Some(EndReason::Cancel);
            session = session.filter(|_| cancelled);
            let error = UploadError::new(Code::Cancelled, "The upload was cancelled.");
            (Status::Cancelled, Event::Error(error), cancelled)
        }
    };
    if let Some(session) = session {
        run.pause.resume();
        give_up(run, &*session).await;
    }
    if forgotten {
        run.store.forget(&cx.platform);
    }
    cx.reporter.set_status(status);
    cx.reporter.emit(event);
}

/// Reports the progress at most once a frame. It is polled whenever the upload was, so that it needs no waking.
async fn report_progress<P: Platform>(cx: &Context<P>) {
    loop {
        poll_fn(|_| if cx.reporter.is_changed() { Poll::Ready(()) } else { Poll::Pending }).await;
        cx.platform.next_frame().await;
        cx.reporter.report(cx.platform.now());
    }
}

/// The session that an earlier page saved, if it can be continued.
async fn load_session<P: Platform>(run: &Run<P>, start: Start<P::Json>) -> Option<Resumed<P>> {
    let (saved, discarded) = match start {
        Start::New => return None,
        Start::Saved(saved) => (saved, false),
        Start::Discard(saved) => (saved, true),
    };
    if discarded {
        run.pause.end(EndReason::Cancel);
    }
    let found = record::read(&run.cx.platform, &*run.provider, run.cx.source.picked().size, &saved)
        .await
        .filter(|(resumed, _)| resumed.progressed.phase != Phase::Settling || run.capabilities.processes);
    run.store.found();
    let Some((resumed, replacement)) = found else {
        // An unusable record is dropped, so that its parts aren't mistaken for the new session's.
        run.store.forget(&run.cx.platform);
        return None;
    };
    if let Some(Replacement { name, content_type }) = replacement {
        run.cx.source.describe(name, resumed.session.plan().size(), content_type);
    }
    if resumed.progressed.phase != Phase::Settling {
        // From now on, cancelling aborts the saved session.
        run.open_session.replace(Some(resumed.session.clone()));
    }
    Some(resumed)
}

/// Whether a session may be continued after an error: one that is temporary, or that the application or its user can fix. `stuck`: the
/// session was saved by an earlier page, and has made no progress since. If a server refuses such a session, it will refuse it again.
fn worth_saving(error: &UploadError, stuck: bool) -> bool {
    match error.code {
        Code::Network | Code::Stalled | Code::Server | Code::RateLimited | Code::ProcessingTimeout => true,
        // The file may become readable: a cloud drive downloads it, or a network share answers again.
        Code::FileUnreadable => true,
        _ => is_refusal(error) && !stuck,
    }
}

/// Whether the application or its user can fix the error, and the stored parts stay valid.
fn is_refusal(error: &UploadError) -> bool {
    matches!(error.code, Code::Unauthorized | Code::Forbidden | Code::Application | Code::EtagNotExposed)
}
