//! A running upload: its context, its provider, and the state that is private to the engine.

use std::cell::{Cell, RefCell};

use super::pace::Pace;
use super::record;
use super::store::SessionStore;
use super::tail::Tail;
use crate::context::Context;
use crate::model::session::{AnySession, Phase};
use crate::model::settings::Integrity;
use crate::platform::{Platform, Wanted};
use crate::provider::{Capabilities, DynProvider, SharedSession};
use crate::sync::pause::PauseToken;
use crate::sync::semaphore::Semaphore;

/// A running upload.
pub(super) struct Run<P: Platform> {
    /// The context, which its provider sees.
    pub(super) cx: Context<P>,
    /// Its destination.
    pub(super) provider: Box<dyn DynProvider<P>>,
    /// What the destination can do.
    pub(super) capabilities: Capabilities,
    /// Slots for requests, over all uploads.
    pub(super) slots: Semaphore,
    /// When the next part may start.
    pub(super) pace: Pace,
    /// Pauses it, and ends it.
    pub(super) pause: PauseToken,
    /// Saves the session for a later page.
    pub(super) store: SessionStore,
    /// The session that must be aborted if the upload ends early.
    pub(super) open_session: RefCell<Option<SharedSession<P>>>,
    /// How long its parts take.
    pub(super) tail: Tail,
    /// Whether a request that must not be repeated was sent to its end, and its answer is awaited or verified.
    pub(super) committed: Cell<bool>,
}

impl<P: Platform> Run<P> {
    /// An upload that is about to begin.
    pub(super) fn new(
        cx: Context<P>,
        provider: Box<dyn DynProvider<P>>,
        slots: Semaphore,
        pace: Pace,
        pause: PauseToken,
    ) -> Self {
        Self {
            cx,
            capabilities: provider.capabilities(),
            provider,
            slots,
            pace,
            pause,
            store: SessionStore::default(),
            open_session: RefCell::default(),
            tail: Tail::default(),
            committed: Cell::default(),
        }
    }

    /// Which digests of a part are compared with the store's answer. A part that is sent with its checksum needs none.
    pub(super) fn wanted(&self) -> Wanted {
        let Capabilities { etags_are_md5s, answers_checksums, sends_checksums, .. } = self.capabilities;
        let compares = self.cx.settings.integrity != Integrity::Off && !sends_checksums;
        let Wanted { md5, crc64 } = self.cx.etags.wanted();
        Wanted { md5: compares && etags_are_md5s && md5, crc64: compares && answers_checksums && crc64 }
    }

    /// Whether the answer to the session's only part completes the upload.
    pub(super) fn part_completes(&self, session: &dyn AnySession<P::Json>) -> bool {
        self.capabilities.single_part_completes && !session.is_multipart()
    }

    /// Whether a step follows once all parts are uploaded: completing, or the vendor's processing.
    pub(super) fn continues_after(&self, session: &dyn AnySession<P::Json>) -> bool {
        session.is_multipart() || self.capabilities.completes_single_parts || self.capabilities.processes
    }

    /// Whether a later page does as well by sending the file again as by continuing the session, which then isn't saved until its upload
    /// takes longer than that: a small file is sent by one request, which may be repeated.
    pub(super) fn is_sent_again(&self, session: &dyn AnySession<P::Json>) -> bool {
        let alone = !session.is_multipart() && session.plan().parts().len() == 1;
        let repeats = self.capabilities.repeats_single_parts || broken!(UnsavedForm);
        alone && repeats && self.cx.is_small()
    }

    /// Whether a small file is sent as it is, and hashed beside that: a request that finds it changed or gone may be repeated, and needs
    /// no checksum of it.
    pub(super) fn repeats_small(&self) -> bool {
        self.capabilities.repeats_single_parts && !self.capabilities.sends_checksums
    }

    /// Saves a session that wasn't worth it at first: its request failed, or the upload is paused.
    pub(super) async fn save_late(&self, session: &dyn AnySession<P::Json>) {
        if !self.store.has_record() && self.is_sent_again(session) {
            self.save(session, Phase::Sending).await;
        }
    }

    /// Adapts the number of slots.
    pub(super) fn adapt_slots(&self, session: &dyn AnySession<P::Json>) {
        let calls_go_there = self.capabilities.calls_hosts_of_parts && self.continues_after(session);
        self.cx.adapt_slots(self.provider.hosts(&self.cx), calls_go_there);
    }

    /// Saves the session, and waits until it is saved.
    pub(super) fn save(&self, session: &dyn AnySession<P::Json>, phase: Phase) -> impl Future<Output = ()> {
        let replacement = self.cx.source.replacement();
        let record = record::write(self.provider.name(), session, phase, self.capabilities.saves_urls, replacement);
        self.store.save(&self.cx.platform, record)
    }

    /// Whether a part is saved with its MD5: a later page finds out by it whether `transform` makes the same bytes.
    pub(super) fn saves_md5s(&self, session: &dyn AnySession<P::Json>) -> bool {
        self.cx.source.replacement().is_some() && self.store.has_record() && session.is_multipart()
    }
}
