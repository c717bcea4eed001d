//! What all uploads of one uploader share: its options, its slots, its queue, and the list of running uploads.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use super::handle::Upload;
use super::pace::Pace;
use super::run::Run;
use super::start::Start;
use super::supervisor::supervise;
use crate::context::hook_history::HookHistory;
use crate::context::reporter::Reporter;
use crate::context::seat::Seat;
use crate::context::shared::SharedState;
use crate::context::slots::AutoSlots;
use crate::context::{Context, Surroundings};
use crate::error::Result;
use crate::model::events::{Event, EventSink, Status};
use crate::model::file::SourceFile;
use crate::model::settings::{Concurrency, Settings};
use crate::platform::Platform;
use crate::provider::DynProvider;
use crate::sync::pause::{EndReason, PauseToken};
use crate::sync::rank::Rank;
use crate::sync::semaphore::Semaphore;

/// What all uploads of one uploader share.
#[derive(Debug)]
pub struct Uploader {
    settings: Rc<Settings>,
    slots: Semaphore,
    /// Sets the number of slots; None where the caller does.
    auto_slots: Option<AutoSlots>,
    /// Limits the uploads that run at once to the number of slots, so that a thousand files don't open a thousand sessions.
    seats: Semaphore,
    pace: Pace,
    hook_history: HookHistory,
    shared: SharedState,
    live: RefCell<Vec<PauseToken>>,
}

impl Uploader {
    /// An uploader with those options; `shared` is the page's.
    pub fn new(settings: Settings, shared: SharedState) -> Self {
        let count = settings.concurrency.initial();
        Self {
            pace: Pace::new(settings.max_rate),
            slots: Semaphore::new(count),
            auto_slots: (settings.concurrency == Concurrency::Auto).then(AutoSlots::default),
            seats: Semaphore::new(count),
            settings: Rc::new(settings),
            hook_history: HookHistory::default(),
            shared,
            live: RefCell::default(),
        }
    }

    /// Its settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Starts an upload. Its last event is one `Complete` or one `Error`.
    ///
    /// `provider` is built from the options for this file. If that failed, the upload ends with its error. Of those that wait for their turn,
    /// the one of the highest `priority` is first.
    pub fn start<P: Platform>(
        &self,
        platform: P,
        file: SourceFile<P::Blob>,
        provider: Result<Box<dyn DynProvider<P>>>,
        sink: EventSink<P::Json>,
        start: Start<P::Json>,
        priority: f64,
    ) -> Upload<P> {
        let (token, rank) = (PauseToken::default(), Rank::new(priority));
        let [slots, seats] = [&self.slots, &self.seats].map(|queue| queue.ranked(&rank));
        let provider = match provider {
            Ok(provider) => provider,
            Err(error) => {
                platform.spawn(Box::pin(async move {
                    sink(Event::Status(Status::Failed));
                    sink(Event::Error(error));
                }));
                return Upload::new(platform, token, seats, Weak::new());
            }
        };
        let cx = Context::new(Surroundings {
            settings: self.settings.clone(),
            reporter: Reporter::new(file.size, sink),
            shared: self.shared.clone(),
            pause: token.clone(),
            slots: slots.clone(),
            auto_slots: self.auto_slots.clone(),
            seat: Seat::new(seats.clone()),
            hook_history: self.hook_history.clone(),
            cors_rule: provider.cors_rule(&platform.origin()),
            platform: platform.clone(),
            file,
        });
        let run = Rc::new(Run::new(cx, provider, slots, self.pace.ranked(&rank), token.clone()));
        {
            let mut live = self.live.borrow_mut();
            live.retain(PauseToken::is_shared);
            live.push(token.clone());
        }
        let upload = Upload::new(platform.clone(), token, seats, Rc::downgrade(&run));
        platform.spawn(Box::pin(supervise(run, start)));
        upload
    }

    /// The number of slots and seats that are taken: 0 once every upload has ended.
    pub fn taken(&self) -> usize {
        self.slots.taken() + self.seats.taken()
    }

    /// Stops every upload here, and aborts none at a server, so that a later page can continue.
    pub fn close(&self) {
        let live = self.live.take();
        live.iter().for_each(|token| token.end(EndReason::Close));
    }
}
