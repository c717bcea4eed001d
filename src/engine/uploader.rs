//! The shared engine: its options, its slots, its queue, and the uploads that are alive.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::{Rc, Weak};
use std::task::Poll;

use crate::context::shared::SharedState;
use crate::context::{Context, Notice};
use crate::engine::record::{self, Resumed, SavedSession};
use crate::engine::steps::{give_up, run};
use crate::error::{Code, Step, UploadError};
use crate::model::events::{Event, EventSink, Status};
use crate::model::file::SourceFile;
use crate::model::session::Phase;
use crate::model::settings::Settings;
use crate::platform::Platform;
use crate::provider::Provider;
use crate::providers::AnyProvider;
use crate::sync::pause::{EndReason, PauseToken};
use crate::sync::semaphore::Semaphore;

/// How an upload begins.
#[derive(Clone, Debug)]
pub enum Start<P: Platform> {
    /// From nothing.
    New,
    /// From a session that an earlier page kept; where that can't be read, from nothing.
    Saved(SavedSession<P>),
    /// Not at all: the destination is told that nothing more comes of a session that was kept, which is then forgotten.
    Discard(SavedSession<P>),
}

/// What all uploads of one uploader share.
#[derive(Debug)]
pub struct Uploader {
    settings: Rc<Settings>,
    slots: Semaphore,
    /// Uploads at work at once: no more than there are slots, so that a thousand files don't open a thousand sessions.
    admission: Semaphore,
    shared: SharedState,
    live: RefCell<Vec<PauseToken>>,
}

/// A handle to a running upload. Dropping it changes nothing.
pub struct Upload<P: Platform> {
    platform: P,
    token: PauseToken,
    cx: Weak<Context<P>>,
}

impl<P: Platform> Upload<P> {
    /// Aborts what is in flight, and waits.
    pub fn pause(&self) {
        self.token.pause();
    }

    /// Goes on.
    pub fn resume(&self) {
        self.token.resume();
    }

    /// Stops for good, and tells the server.
    pub fn cancel(&self) {
        self.token.end(EndReason::Cancel);
    }

    /// What it runs on.
    pub fn platform(&self) -> &P {
        &self.platform
    }

    /// Brings a status that was learnt elsewhere.
    pub fn notify(&self, notice: Notice) {
        if let Some(cx) = self.cx.upgrade() {
            cx.notify(notice);
        }
    }
}

impl Uploader {
    /// An uploader with those options; `paces` are the page's.
    pub fn new(settings: Settings, shared: SharedState) -> Self {
        let count = settings.concurrency.0;
        Self {
            settings: Rc::new(settings),
            slots: Semaphore::new(count),
            admission: Semaphore::new(count),
            shared,
            live: RefCell::default(),
        }
    }

    /// Its settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Starts an upload. Its events end with one `Complete` or one `Error`.
    ///
    /// `provider` is made from the options of this very file; where it couldn't be made, the upload ends with that error.
    pub fn start<P: Platform>(
        &self,
        platform: P,
        source: SourceFile<P>,
        provider: Result<AnyProvider<P>, UploadError>,
        sink: EventSink<P>,
        begin: Start<P>,
    ) -> Upload<P> {
        let provider = match provider {
            Ok(provider) => provider,
            Err(error) => {
                platform.spawn(Box::pin(async move {
                    sink(Event::Status(Status::Failed));
                    sink(Event::Error(error));
                }));
                return Upload { platform, token: PauseToken::default(), cx: Weak::new() };
            }
        };
        let slots = (self.slots.clone(), self.admission.clone());
        let (settings, shared) = (self.settings.clone(), self.shared.clone());
        let cx = Rc::new(Context::new(platform.clone(), settings, source, provider, slots, shared, sink));
        let token = cx.pause.clone();
        {
            let mut live = self.live.borrow_mut();
            live.retain(PauseToken::is_held);
            live.push(token.clone());
        }
        let upload = Upload { platform: platform.clone(), token, cx: Rc::downgrade(&cx) };
        platform.spawn(Box::pin(supervise(cx, begin)));
        upload
    }

    /// Semaphore and places that are taken: none, once every upload has ended.
    pub fn taken(&self) -> usize {
        self.slots.taken() + self.admission.taken()
    }

    /// Stops every upload here; no server is told.
    pub fn close(&self) {
        let live = self.live.take();
        live.iter().for_each(|token| token.end(EndReason::Close));
    }
}

/// Runs an upload to its end and outlives it, so that a server can be told when it ends early.
async fn supervise<P: Platform>(cx: Rc<Context<P>>, begin: Start<P>) {
    let cx = &*cx;
    let mut resumed = take_up(cx, begin);
    let kept = resumed.is_some();
    let ended = {
        let (mut running, mut closed) = (pin!(run(cx, &mut resumed)), pin!(cx.pause.closed()));
        // An upload that was told to end does no more.
        poll_fn(|context| match closed.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => running.as_mut().poll(context).map(Some),
        })
        .await
    };
    cx.release_seat();
    let mut session = cx.session.take();
    let (status, event, forgotten) = match ended {
        Some(Ok(result)) => {
            session = None;
            (Status::Done, Event::Complete(result), true)
        }
        Some(Err(error)) => {
            // Where not even a new session could be opened, nothing was signed, or a look was refused, the one that was kept was not.
            let elsewhere = matches!(error.step, Some(Step::Init | Step::Sign | Step::List));
            let stuck = kept && cx.arrived() == 0 && !elsewhere;
            let resumes = cx.provider.resumes() || session.is_none();
            let stays = cx.keeper.holds() && resumes && worth_keeping(&error, stuck);
            // What can't be gone on with would be billed for ever. What may have taken effect is left alone, and so is the work
            // of earlier pages where this one was only refused.
            let spared = error.code == Code::OutcomeUnknown || (kept && is_refusal(&error));
            session = session.filter(|_| !stays && !spared);
            (Status::Failed, Event::Error(error), !stays)
        }
        None => {
            let cancelled = cx.pause.end_reason() == Some(EndReason::Cancel);
            session = session.filter(|_| cancelled);
            let error = UploadError::new(Code::Cancelled, "The upload was cancelled.");
            (Status::Cancelled, Event::Error(error), cancelled)
        }
    };
    if let Some(session) = session {
        cx.pause.resume();
        give_up(cx, &session).await;
    }
    if forgotten {
        cx.keeper.forget(&cx.platform);
    }
    cx.status(status);
    cx.emit(event);
}

/// What an earlier page kept, where it can be gone on with.
fn take_up<P: Platform>(cx: &Context<P>, begin: Start<P>) -> Option<Resumed<P>> {
    let (kept, discarded) = match begin {
        Start::New => return None,
        Start::Saved(kept) => (kept, false),
        Start::Discard(kept) => (kept, true),
    };
    if discarded {
        cx.pause.end(EndReason::Cancel);
    }
    let read = || {
        let resumed = record::read(&cx.platform, cx.provider.name(), cx.file.size, &kept)?;
        (resumed.phase != Phase::Settling || cx.provider.processes()).then_some(resumed)
    };
    let resumed = read();
    match &resumed {
        // Of no use to anybody: nothing of it may be taken for the session that begins now.
        None => cx.keeper.forget(&cx.platform),
        Some(resumed) => {
            cx.keeper.found();
            if resumed.phase != Phase::Settling {
                // Whoever cancels at once gives up what was opened then. Read once more: code that copies a session weighs more.
                cx.session.set(read().map(|again| Rc::new(again.session)));
            }
        }
    }
    resumed
}

/// True where a session may be gone on with after an error: what passes, and what the application or its user can put right.
/// `stuck`: it was kept before, and came no further since; one that a server refuses twice is refused for good.
fn worth_keeping(error: &UploadError, stuck: bool) -> bool {
    match error.code {
        Code::Network | Code::Stalled | Code::Server | Code::RateLimited | Code::ProcessingTimeout => true,
        // A cloud drive downloads the file in time, a share answers again.
        Code::FileUnreadable => true,
        _ => is_refusal(error) && !stuck,
    }
}

/// True for what the application or its user can put right: nothing that was stored is lost by it.
fn is_refusal(error: &UploadError) -> bool {
    matches!(error.code, Code::Unauthorized | Code::Forbidden | Code::Application | Code::EtagNotExposed)
}
