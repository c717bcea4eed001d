//! What a provider works with: one upload's file and settings, waiting, and the ways in which requests and calls are made.
//!
//! What a provider must not touch has no name here: the slots for requests, the pause and the saved session.

pub mod backoff;
pub mod calls;
pub mod clock;
pub mod connectivity;
mod contact;
pub mod cors;
pub mod deadline;
pub mod hook_history;
mod hooks;
pub mod hosts;
pub mod integrity;
mod network;
pub mod notices;
pub mod rate_limit;
pub mod reach;
pub(crate) mod reading;
pub mod reporter;
pub mod retry;
pub mod seat;
mod send;
pub mod shared;
pub mod slots;
pub mod source;
pub mod uplink;
pub mod watchdog;

use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use self::clock::ServerClock;
use self::hook_history::HookHistory;
use self::hosts::Hosts;
use self::integrity::digests::FileDigests;
use self::integrity::known::KnownEtags;
use self::notices::Notice;
use self::reporter::Reporter;
use self::seat::Seat;
use self::shared::SharedState;
use self::slots::{AutoSlots, Connections};
use self::source::Source;
use crate::model::events::Status;
use crate::model::file::SourceFile;
use crate::model::settings::Settings;
use crate::platform::{Hook, PageEvent, Platform};
use crate::sync::mailbox::Mailbox;
use crate::sync::pause::PauseToken;
use crate::sync::semaphore::Semaphore;

/// One upload, as its provider sees it.
pub struct Context<P: Platform> {
    /// What the engine runs on.
    pub platform: P,
    /// The uploader's options.
    pub settings: Rc<Settings>,
    /// The file.
    pub source: Source<P::Blob>,
    /// When the upload was asked for, in milliseconds since 1970.
    pub began_at: u64,
    /// The servers' clock.
    pub clock: ServerClock,
    /// Reports to the caller.
    pub reporter: Reporter<P::Json>,
    /// The file's digests.
    pub digests: FileDigests,
    /// Whether the store's ETags are MD5s.
    pub etags: KnownEtags,
    /// Statuses that the application learned elsewhere.
    pub notices: Mailbox<Notice>,
    /// What all uploads of the page share.
    shared: SharedState,
    pause: PauseToken,
    seat: Seat,
    slots: Semaphore,
    auto_slots: Option<AutoSlots>,
    hook_history: HookHistory,
    /// The CORS rule that the provider's bucket needs, if it doesn't follow from the request.
    cors_rule: Option<String>,
}

/// What a new [`Context`] is made of.
pub struct Surroundings<P: Platform> {
    /// What the engine runs on.
    pub platform: P,
    /// The uploader's options.
    pub settings: Rc<Settings>,
    /// The file that was picked.
    pub file: SourceFile<P::Blob>,
    /// Where events go.
    pub reporter: Reporter<P::Json>,
    /// What all uploads of the page share.
    pub shared: SharedState,
    /// Pauses the upload.
    pub pause: PauseToken,
    /// Slots for requests, over all uploads.
    pub slots: Semaphore,
    /// What sets their number; None where the caller does.
    pub auto_slots: Option<AutoSlots>,
    /// The upload's seat among the active ones.
    pub seat: Seat,
    /// What is known of the application's functions, for all uploads of the uploader.
    pub hook_history: HookHistory,
    /// The CORS rule that the provider's bucket needs.
    pub cors_rule: Option<String>,
}

impl<P: Platform> Context<P> {
    /// The context of a new upload.
    pub fn new(surroundings: Surroundings<P>) -> Self {
        let Surroundings {
            platform,
            settings,
            file,
            reporter,
            shared,
            pause,
            slots,
            auto_slots,
            seat,
            hook_history,
            cors_rule,
        } = surroundings;
        Self {
            began_at: platform.now(),
            source: Source::new(file, platform.has(Hook::Transform)),
            platform,
            settings,
            clock: ServerClock::default(),
            reporter,
            digests: FileDigests::default(),
            etags: KnownEtags::default(),
            notices: Mailbox::default(),
            shared,
            pause,
            seat,
            slots,
            auto_slots,
            hook_history,
            cors_rule,
        }
    }

    /// The file that is sent.
    pub fn file(&self) -> &SourceFile<P::Blob> {
        self.source.sent()
    }

    /// Warns about something that the application should fix, once in a page.
    pub fn warn_once(&self, message: &'static str) {
        let mut warned = self.shared.warned.borrow_mut();
        if !warned.contains(&message) {
            warned.push(message);
            self.platform.warn(message);
        }
    }

    /// The servers' time, as far as it is known, in milliseconds since 1970.
    pub fn server_now(&self) -> u64 {
        self.clock.at(self.platform.now())
    }

    /// Whether a moment of the servers' clock has passed; see [`ServerClock::is_past`].
    pub fn is_past(&self, moment: u64, began_at: u64) -> bool {
        self.clock.is_past(moment, self.platform.now(), began_at)
    }

    /// The hosts of the page's stores.
    pub fn hosts(&self) -> &Hosts {
        &self.shared.hosts
    }

    /// How many parts of an upload may go at once to so many hosts.
    pub fn slots_for(&self, hosts: usize) -> usize {
        self.adapt_slots(hosts, false);
        self.slots.total()
    }

    /// Whether the line is too slow for so many requests of that size.
    pub(crate) fn is_line_slow(&self, size: u64, requests: usize) -> bool {
        self.shared.uplink.is_slow(size, requests)
    }

    /// Bytes a second that were measured for the page; None where nothing was sent yet.
    pub fn measured_rate(&self) -> Option<u64> {
        self.shared.uplink.rate()
    }

    /// Counts a part that was uploaded: by the rate there may be more or fewer slots, where their number isn't the caller's.
    pub(crate) fn count_part(&self, bytes: u64) {
        self.slots.count_success();
        if let Some(auto) = &self.auto_slots {
            auto.count(bytes, self.slots.total(), self.platform.now());
        }
    }

    /// Sets how many parts may go at once, where that isn't the caller's number: by the hosts that this upload's go to. Calls of another
    /// upload need a connection if `calls_go_there`.
    pub(crate) fn adapt_slots(&self, hosts: usize, calls_go_there: bool) {
        if let Some(auto) = &self.auto_slots {
            let have_calls = calls_go_there && self.seat.has_neighbours();
            auto.apply(&self.slots, Connections { hosts, have_calls });
        }
    }

    /// Waits for a seat among the active uploads.
    pub(crate) async fn acquire_seat(&self) {
        self.seat.acquire().await;
    }

    /// Frees the seat: the remaining steps need no bandwidth.
    pub(crate) fn release_seat(&self) {
        self.seat.release();
    }

    /// Runs a future, which is dropped once the upload is paused: then the result is None.
    pub async fn until_paused<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let (mut future, mut paused) = (pin!(future), pin!(self.pause.paused()));
        poll_fn(|context| match paused.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => future.as_mut().poll(context).map(Some),
        })
        .await
    }

    /// Waits while the upload is paused; its seat is free meanwhile.
    pub async fn wait_while_paused(&self) {
        if !self.pause.is_paused() {
            return;
        }
        let before = self.reporter.status();
        self.reporter.set_status(Status::Paused);
        while self.pause.is_paused() {
            self.seat.lend();
            self.pause.resumed().await;
            self.seat.take_back().await;
        }
        self.reporter.set_status(before);
    }

    /// Waits. `asked`: a server asked for it, so it is reported if no part is in flight, and nothing ends it early. Any other wait ends as
    /// soon as the network is back or the upload is paused.
    pub async fn wait(&self, ms: u64, asked: bool) {
        let before = self.reporter.status();
        if asked && ms >= 1_000 && self.reporter.is_idle() {
            self.reporter.set_status(Status::Waiting);
        }
        let (mut timer, mut paused) = (self.platform.sleep(ms), pin!(self.pause.paused()));
        let mut page_event = self.platform.next_page_event();
        poll_fn(|context| {
            if timer.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
            if asked {
                return Poll::Pending;
            }
            if paused.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
            while let Poll::Ready(event) = page_event.as_mut().poll(context) {
                if event == PageEvent::Online {
                    return Poll::Ready(());
                }
                page_event = self.platform.next_page_event();
            }
            Poll::Pending
        })
        .await;
        if asked {
            self.reporter.end_waiting(before);
        }
    }

    /// 128 random bits as hexadecimal digits.
    pub fn random_id(&self) -> String {
        let mut bits = [0; 16];
        for four in bits.chunks_exact_mut(4) {
            four.copy_from_slice(&((self.platform.random() * 4_294_967_296.0) as u32).to_be_bytes());
        }
        crate::util::hex::hex(&bits)
    }
}
