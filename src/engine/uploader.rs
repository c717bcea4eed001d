//! The shared engine: its options, its slots, its queue, and the uploads that are alive.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::{Rc, Weak};
use std::task::Poll;

use super::events::{Event, Sink, Status};
use super::gate::{End, Gate};
use super::job::{Job, Notice};
use super::pace::Paces;
use super::record::{self, Kept, Resumed};
use super::session::Phase;
use super::slots::Slots;
use super::upload::{give_up, run};
use crate::error::{Code, Step, UploadError};
use crate::platform::Platform;
use crate::providers::{AnyProvider, Provider};
use crate::settings::Settings;
use crate::source::Source;

/// How an upload begins.
#[derive(Clone, Debug)]
pub enum Begin<P: Platform> {
    /// From nothing.
    New,
    /// From a session that an earlier page kept; where that can't be read, from nothing.
    Kept(Kept<P>),
    /// Not at all: the destination is told that nothing more comes of a session that was kept, which is then forgotten.
    Discard(Kept<P>),
}

/// What all uploads of one uploader share.
#[derive(Debug)]
pub struct Uploader {
    settings: Rc<Settings>,
    slots: Slots,
    /// Uploads at work at once: no more than there are slots, so that a thousand files don't open a thousand sessions.
    admission: Slots,
    paces: Paces,
    live: RefCell<Vec<Gate>>,
}

/// A handle to a running upload. Dropping it changes nothing.
pub struct Upload<P: Platform> {
    platform: P,
    gate: Gate,
    job: Weak<Job<P>>,
}

impl<P: Platform> Upload<P> {
    /// Aborts what is in flight, and waits.
    pub fn pause(&self) {
        self.gate.pause();
    }

    /// Goes on.
    pub fn resume(&self) {
        self.gate.resume();
    }

    /// Stops for good, and tells the server.
    pub fn cancel(&self) {
        self.gate.end(End::Cancel);
    }

    /// What it runs on.
    pub fn platform(&self) -> &P {
        &self.platform
    }

    /// Brings a status that was learnt elsewhere.
    pub fn notify(&self, notice: Notice) {
        if let Some(job) = self.job.upgrade() {
            job.notify(notice);
        }
    }
}

impl Uploader {
    /// An uploader with those options; `paces` are the page's.
    pub fn new(settings: Settings, paces: Paces) -> Self {
        let count = settings.concurrency.0;
        Self {
            settings: Rc::new(settings),
            slots: Slots::new(count),
            admission: Slots::new(count),
            paces,
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
        source: Source<P>,
        provider: Result<AnyProvider<P>, UploadError>,
        sink: Sink<P>,
        begin: Begin<P>,
    ) -> Upload<P> {
        let provider = match provider {
            Ok(provider) => provider,
            Err(error) => {
                platform.spawn(Box::pin(async move {
                    sink(Event::Status(Status::Failed));
                    sink(Event::Error(error));
                }));
                return Upload { platform, gate: Gate::default(), job: Weak::new() };
            }
        };
        let slots = (self.slots.clone(), self.admission.clone());
        let (settings, paces) = (self.settings.clone(), self.paces.clone());
        let job = Rc::new(Job::new(platform.clone(), settings, source, provider, slots, paces, sink));
        let gate = job.gate.clone();
        {
            let mut live = self.live.borrow_mut();
            live.retain(Gate::is_held);
            live.push(gate.clone());
        }
        let upload = Upload { platform: platform.clone(), gate, job: Rc::downgrade(&job) };
        platform.spawn(Box::pin(supervise(job, begin)));
        upload
    }

    /// Slots and places that are taken: none, once every upload has ended.
    pub fn taken(&self) -> usize {
        self.slots.taken() + self.admission.taken()
    }

    /// Stops every upload here; no server is told.
    pub fn close(&self) {
        let live = self.live.take();
        live.iter().for_each(|gate| gate.end(End::Close));
    }
}

/// Runs an upload to its end and outlives it, so that a server can be told when it ends early.
async fn supervise<P: Platform>(job: Rc<Job<P>>, begin: Begin<P>) {
    let job = &*job;
    let mut resumed = take_up(job, begin);
    let kept = resumed.is_some();
    let ended = {
        let (mut running, mut closed) = (pin!(run(job, &mut resumed)), pin!(job.gate.closed()));
        // An upload that was told to end does no more.
        poll_fn(|context| match closed.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => running.as_mut().poll(context).map(Some),
        })
        .await
    };
    job.leave();
    let mut session = job.session.take();
    let (status, event, forgotten) = match ended {
        Some(Ok(result)) => {
            session = None;
            (Status::Done, Event::Complete(result), true)
        }
        Some(Err(error)) => {
            // Where not even a new session could be opened, nothing was signed, or a look was refused, the one that was kept was not.
            let elsewhere = matches!(error.step, Some(Step::Init | Step::Sign | Step::List));
            let stuck = kept && job.arrived() == 0 && !elsewhere;
            let resumes = job.provider.resumes() || session.is_none();
            let stays = job.keeper.holds() && resumes && worth_keeping(&error, stuck);
            // What can't be gone on with would be billed for ever. What may have taken effect is left alone, and so is the work
            // of earlier pages where this one was only refused.
            let spared = error.code == Code::OutcomeUnknown || (kept && is_refusal(&error));
            session = session.filter(|_| !stays && !spared);
            (Status::Failed, Event::Error(error), !stays)
        }
        None => {
            let cancelled = job.gate.how() == Some(End::Cancel);
            session = session.filter(|_| cancelled);
            let error = UploadError::new(Code::Cancelled, "The upload was cancelled.");
            (Status::Cancelled, Event::Error(error), cancelled)
        }
    };
    if let Some(session) = session {
        job.gate.resume();
        give_up(job, &session).await;
    }
    if forgotten {
        job.keeper.forget(&job.platform);
    }
    job.status(status);
    job.tell(event);
}

/// What an earlier page kept, where it can be gone on with.
fn take_up<P: Platform>(job: &Job<P>, begin: Begin<P>) -> Option<Resumed<P>> {
    let (kept, discarded) = match begin {
        Begin::New => return None,
        Begin::Kept(kept) => (kept, false),
        Begin::Discard(kept) => (kept, true),
    };
    if discarded {
        job.gate.end(End::Cancel);
    }
    let read = || {
        let resumed = record::read(&job.platform, job.provider.name(), job.source.size, &kept)?;
        (resumed.phase != Phase::Settling || job.provider.processes()).then_some(resumed)
    };
    let resumed = read();
    match &resumed {
        // Of no use to anybody: nothing of it may be taken for the session that begins now.
        None => job.keeper.forget(&job.platform),
        Some(resumed) => {
            job.keeper.found();
            if resumed.phase != Phase::Settling {
                // Whoever cancels at once gives up what was opened then. Read once more: code that copies a session weighs more.
                job.session.set(read().map(|again| Rc::new(again.session)));
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
