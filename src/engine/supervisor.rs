//! Running an upload to its end, and what has to be done once it ended: a server is told, the saved session is kept or dropped.

use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use super::record::{self, Resumed};
use super::run::Run;
use super::start::Start;
use super::steps::{give_up, run_steps};
use crate::error::{Code, Step, UploadError};
use crate::model::events::{Event, Status};
use crate::model::session::Phase;
use crate::platform::Platform;
use crate::sync::pause::EndReason;

/// Runs an upload to its end and outlives it, so that a server can be told when it ends early.
pub(super) async fn supervise<P: Platform>(run: Rc<Run<P>>, start: Start<P::Json>) {
    let run = &*run;
    let cx = &run.cx;
    let resumed = load_session(run, start);
    let saved = resumed.is_some();
    let ended = {
        let (mut running, mut closed) = (pin!(run_steps(run, resumed)), pin!(run.pause.ended()));
        // An upload that was told to end does no more.
        poll_fn(|context| match closed.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => running.as_mut().poll(context).map(Some),
        })
        .await
    };
    cx.release_seat();
    let mut session = run.open_session.take();
    let (status, event, forgotten) = match ended {
        Some(Ok(result)) => {
            session = None;
            (Status::Done, Event::Complete(result), true)
        }
        Some(Err(error)) => {
            // Where not even a new session could be opened, nothing was signed, or a list was refused, the saved one was not.
            let elsewhere = matches!(error.step, Some(Step::Init | Step::Sign | Step::List));
            let stuck = saved && cx.reporter.completed() == 0 && !elsewhere;
            let resumes = run.capabilities.resumes || session.is_none();
            let stays = run.store.has_record() && resumes && worth_saving(&error, stuck);
            // What can't be continued would be billed for ever. What may have taken effect is left alone, and so is the work of
            // earlier pages where this one was only refused.
            let spared = error.code == Code::OutcomeUnknown || (saved && is_refusal(&error));
            session = session.filter(|_| !stays && !spared);
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

/// What an earlier page saved, where it can be continued.
fn load_session<P: Platform>(run: &Run<P>, start: Start<P::Json>) -> Option<Resumed<P>> {
    let (saved, discarded) = match start {
        Start::New => return None,
        Start::Saved(saved) => (saved, false),
        Start::Discard(saved) => (saved, true),
    };
    if discarded {
        run.pause.end(EndReason::Cancel);
    }
    let resumed = record::read(&*run.provider, run.cx.file.size, &saved)
        .filter(|resumed| resumed.progressed.phase != Phase::Settling || run.capabilities.processes);
    match &resumed {
        // Of no use to anybody: nothing of it may be taken for the session that starts now.
        None => run.store.forget(&run.cx.platform),
        Some(resumed) => {
            run.store.found();
            if resumed.progressed.phase != Phase::Settling {
                // Cancelling at once gives up what was opened then.
                run.open_session.replace(Some(resumed.session.clone()));
            }
        }
    }
    resumed
}

/// Whether a session may be continued after an error: what passes, and what the application or its user can put right. `stuck`: it was
/// saved before, and made no progress since; one that a server refuses twice is refused for good.
fn worth_saving(error: &UploadError, stuck: bool) -> bool {
    match error.code {
        Code::Network | Code::Stalled | Code::Server | Code::RateLimited | Code::ProcessingTimeout => true,
        // A cloud drive downloads the file in time, a share answers again.
        Code::FileUnreadable => true,
        _ => is_refusal(error) && !stuck,
    }
}

/// Whether the application or its user can put it right: nothing that was stored is lost by it.
fn is_refusal(error: &UploadError) -> bool {
    matches!(error.code, Code::Unauthorized | Code::Forbidden | Code::Application | Code::EtagNotExposed)
}
