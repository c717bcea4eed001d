//! Onlymonster: `/api/v0/accounts/{account_id}/vault/medias/uploads`, presigned S3 and then an export into the OnlyFans vault.
//!
//! Sources: Onlymonster's guide "Vault Media Upload via Onlymonster API" and its OpenAPI records. Where neither says how a body
//! looks, the comment says "assumed". The guide's steps, and where they are:
//!
//! 1. List uploads: `list`, with its records in `record`
//! 2. Verify a fan: `verify_fan`
//! 3. Start: `start`, which opens the `session`
//! 4. PUT the bytes to S3: here
//! 5. Finish a multipart upload: `finish`
//! 6. Export: `export`; like finish, it goes through `call_once`
//! 7. Track the status, and 8. retry: `status`

mod call_once;
mod client;
mod export;
mod finish;
mod list;
mod options;
mod record;
mod session;
mod start;
mod status;
mod verify_fan;

use std::cell::RefCell;

use self::call_once::{OnceCall, call_once};
use self::client::Client;
use self::list::UploadList;
use self::options::Options;
use self::record::{Exported, Record};
pub use self::session::OnlymonsterSession;
use super::setup::Setup;
use super::shared::errors::{incomplete_session, outcome_unknown};
use super::shared::presigned::put_part;
use super::shared::store;
use crate::context::Context;
use crate::error::{Code, Result, Step, UploadError};
use crate::http::Response;
use crate::model::events::Outcome;
use crate::model::file::Accept;
use crate::model::plan::Part;
use crate::model::session::{Phase, Progressed, Receipt, Session};
use crate::platform::{Platform, RequestOf};
use crate::provider::{Capabilities, Provider};

/// The guide: "5 GiB hard cap".
const MAX_BYTES: &[(&str, u64)] = &[("*/*", 5 << 30)];

/// The provider for one upload to Onlymonster.
#[derive(Debug)]
pub struct Onlymonster {
    client: Client,
    list: UploadList,
    options: Options,
    /// The fan whom the export is for: the caller's id, or the one that the fan's link was resolved to.
    fan_id: RefCell<Option<String>>,
}

impl Onlymonster {
    /// Reads the options.
    ///
    /// # Errors
    /// `invalid-options`.
    pub fn new<P: Platform>(options: &P::Json, setup: &Setup<'_, P>) -> Result<Self> {
        let (options, access) = Options::read(options, setup)?;
        Ok(Self {
            client: Client::new(setup, &options, access)?,
            list: UploadList::new(),
            fan_id: RefCell::new(options.export_fan_id.clone()),
            options,
        })
    }

    /// Resolves the fan's link, if one was given.
    async fn verify_fan<P: Platform>(&self, cx: &Context<P>) -> Result<()> {
        if let Some(link) = &self.options.fan_link {
            let fan_id = verify_fan::verify_fan(&self.client, cx, link).await?;
            self.fan_id.replace(Some(fan_id));
        }
        Ok(())
    }

    /// The record of a session, if the list has one.
    async fn find<P: Platform>(
        &self,
        cx: &Context<P>,
        session: &Session<OnlymonsterSession>,
    ) -> Result<Option<Record>> {
        self.list.find_session(&self.client, cx, session).await
    }

    async fn call_once<P: Platform>(
        &self,
        cx: &Context<P>,
        session: &Session<OnlymonsterSession>,
        call: OnceCall<P::Json>,
        maybe_done: bool,
    ) -> Result<String> {
        call_once(&self.client, &self.list, cx, session, call, maybe_done).await
    }

    /// Finishes a multipart upload, and returns the object's ETag. `again`: an earlier page may have finished it.
    async fn finish<P: Platform>(
        &self,
        cx: &Context<P>,
        session: &Session<OnlymonsterSession>,
        parts: &[Receipt<P::Json>],
        again: bool,
    ) -> Result<String> {
        let upload_id = session.state.upload_id.as_deref().ok_or_else(incomplete_session)?;
        let mut etags = Vec::with_capacity(parts.len());
        for part in parts {
            let etag = part.etag.as_deref().ok_or_else(incomplete_session)?;
            etags.push((part.number, self.options.etag_for_api(etag)));
        }
        self.call_once(cx, session, finish::finish(&session.state.key, upload_id, &etags), again).await
    }

    /// Exports the stored object, and returns the record's id.
    async fn export<P: Platform>(
        &self,
        cx: &Context<P>,
        session: &Session<OnlymonsterSession>,
        etag: &str,
    ) -> Result<String> {
        let fan_id = self.fan_id.borrow().clone();
        let call = export::export(&session.state, etag, &self.options, fan_id.as_deref());
        self.call_once(cx, session, call, false).await
    }
}

impl<P: Platform> Provider<P> for Onlymonster {
    type Session = OnlymonsterSession;

    fn name(&self) -> &'static str {
        "onlymonster"
    }

    fn capabilities(&self) -> Capabilities {
        // A presigned URL that expired can't be replaced by another one.
        Capabilities { saves_urls: true, processes: true, answers_checksums: true, ..Capabilities::DEFAULT }
    }

    fn accept(&self) -> Accept {
        Accept::of(&[], MAX_BYTES)
    }

    async fn check(&self, cx: &Context<P>) -> Result<Option<Outcome<P::Json>>> {
        self.verify_fan(cx).await?;
        Ok(None)
    }

    async fn open(&self, cx: &Context<P>) -> Result<Session<OnlymonsterSession>> {
        start::start(&self.client, &self.list, cx).await
    }

    async fn restore(
        &self,
        cx: &Context<P>,
        session: &Session<OnlymonsterSession>,
        saved: Progressed<P::Json>,
    ) -> Result<Progressed<P::Json>> {
        let state = &session.state;
        if saved.phase == Phase::Settling {
            return match state.record_id() {
                Some(_) => Ok(saved),
                None => Err(no_record_id()),
            };
        }
        let sound = session.is_sound() && session.multipart == state.upload_id.is_some();
        if !sound || start::part_with_unsafe_url(&cx.platform, &session.plan).is_some() {
            return Err(incomplete_session());
        }
        self.verify_fan(cx).await?;
        // An earlier page may have made progress that it couldn't save: if the upload was exported, only its processing is awaited.
        let Some(record) = self.find(cx, session).await?.filter(Record::was_exported) else { return Ok(saved) };
        state.set_exported(record.id.0, record.metadata.and_then(|metadata| metadata.e_tag));
        Ok(Progressed { phase: Phase::Settling, ..saved })
    }

    async fn part_request(
        &self,
        cx: &Context<P>,
        session: &Session<OnlymonsterSession>,
        part: &Part,
        _renew: bool,
    ) -> Result<RequestOf<P>> {
        let Some(url) = part.url.as_deref().and_then(|url| cx.platform.resolve(url)) else {
            let message = text!("Part {} must have a URL, but has none that is valid.", part.number);
            return Err(UploadError::new(Code::PlanMismatch, message).at(Step::Part));
        };
        if url.expires_at().is_some_and(|at| cx.is_past(at, session.began_at)) {
            self.list.include_expired();
        }
        put_part(cx, part, url)
    }

    fn receipt(
        &self,
        cx: &Context<P>,
        _session: &Session<OnlymonsterSession>,
        part: &Part,
        response: &Response,
    ) -> Result<Receipt<P::Json>> {
        let receipt = store::receipt(part, response, &cx.platform.origin(), cx.platform.now(), true);
        if receipt.as_ref().is_err_and(|error| error.code == Code::UrlExpired) {
            self.list.include_expired();
        }
        receipt
    }

    async fn complete(
        &self,
        cx: &Context<P>,
        session: &Session<OnlymonsterSession>,
        parts: &[Receipt<P::Json>],
        again: bool,
    ) -> Result<Outcome<P::Json>> {
        let state = &session.state;
        // An earlier page may have made progress that it couldn't save: the list decides.
        let known = if again { self.find(cx, session).await? } else { None };
        let exported_id = known.as_ref().and_then(Record::exported_id);
        let finished_etag = known.as_ref().and_then(Record::finished_etag);
        let etag = match finished_etag {
            Some(etag) => Some(etag),
            None if !session.multipart => {
                let etag = parts.first().and_then(|part| part.etag.as_deref());
                etag.map(|etag| self.options.etag_for_api(etag).into())
            }
            None if exported_id.is_some() => None,
            None => Some(self.finish(cx, session, parts, again).await?),
        };
        let record_id = match exported_id {
            Some(id) => id,
            None => self.export(cx, session, etag.as_deref().ok_or_else(incomplete_session)?).await?,
        };
        let etag = etag.filter(|etag| !etag.is_empty());
        state.set_exported(record_id, etag.clone());
        Ok(Outcome { key: Some(state.key.clone()), etag, ..Outcome::default() })
    }

    async fn settle(
        &self,
        cx: &Context<P>,
        session: &Session<OnlymonsterSession>,
        outcome: Outcome<P::Json>,
    ) -> Result<Outcome<P::Json>> {
        let state = &session.state;
        let record_id = state.record_id().ok_or_else(no_record_id)?;
        let exported = status::wait_until_exported(&self.client, &self.list, cx, &self.options, record_id).await?;
        let Exported { media_id, key, etag } = exported;
        Ok(Outcome {
            media_id: Some(media_id),
            // The record's values are the final ones; the session has what is known without it.
            key: key.or_else(|| Some(state.key.clone())),
            etag: etag.or_else(|| state.etag()),
            ..outcome
        })
    }
}

/// The error when the export was accepted, but its record is unknown.
fn no_record_id() -> UploadError {
    outcome_unknown(Step::Status, "The saved session must have the record's id in `recordId`, but has none.")
}
