//! OFAuth: `/v2/access/uploads`, into the OnlyFans vault.
//!
//! Each operation has a file of its name: `check`, `init`, `part`, `complete`. Sources: OFAuth's guide "Upload Media", its API
//! reference ("Create upload session", "Upload single-part media and finalize") and its published SDKs.

mod check;
mod complete;
mod init;
mod media;
mod options;
mod part;
mod session;
mod urls;
mod vendor;

use std::cell::Cell;
use std::rc::Rc;

use self::options::Options;
pub use self::session::OfauthSession;
use self::vendor::{MAX_BYTES, PART_SIZE, TOKEN_MS, TYPES, VENDOR, meaning};
use super::setup::Setup;
use super::shared::api::{Access, Api};
use super::shared::errors::incomplete_session;
use crate::context::Context;
use crate::error::{Code, Result, UploadError};
use crate::http::Response;
use crate::json::Json;
use crate::model::events::Outcome;
use crate::model::file::Accept;
use crate::model::plan::Part;
use crate::model::session::{Phase, Progressed, Receipt, Session};
use crate::platform::{Platform, RequestOf};
use crate::provider::{Capabilities, Provider};

/// The greatest clock error that is plausible: a session that ended longer before it began has an invalid expiry. (A choice.)
const YEAR_MS: u64 = 365 * 86_400_000;

/// The provider for one upload to OFAuth.
#[derive(Debug)]
pub struct Ofauth<P: Platform> {
    api: Api,
    /// `vaultUpload`, as the caller gave it.
    vault_upload: Option<P::Json>,
    skip_existing: bool,
    /// The size of this vendor's parts, as the last plan had it.
    part_size: Rc<Cell<Option<u64>>>,
    /// Whether an earlier page saved the session.
    restored: Cell<bool>,
    /// Whether an earlier page may have completed the upload without receiving the answer.
    completion_unknown: Cell<bool>,
}

impl<P: Platform> Ofauth<P> {
    /// Reads the options.
    ///
    /// # Errors
    /// `invalid-options`.
    pub fn new(options: &P::Json, setup: &Setup<'_, P>) -> Result<Self> {
        let vault_upload = options.member("vaultUpload");
        let options: Options = setup.options(options)?;
        let access = Access {
            base_url: options.base_url,
            key: options.api_key,
            exposed: options.dangerously_expose_secrets == Some(true),
        };
        let mut api = Api::new(setup, &VENDOR, access, meaning::<P::Json>)?;
        // The vendor counts by connection; the proxy may choose one if the page gives none.
        let connection = options.connection_id.as_deref().unwrap_or("");
        let name = text!("ofauth {} {}", api.origins.base.href, connection);
        let limiter = setup.shared.rate_limiters.of(&name, None);
        limiter.is_token_bucket(TOKEN_MS);
        api.rate_limiter = Some(limiter);
        if let Some(connection) = options.connection_id {
            api.add_header("x-connection-id".into(), connection);
        }
        Ok(Self {
            api,
            vault_upload,
            skip_existing: options.skip_existing != Some(false),
            part_size: setup.cache.ofauth_part_size.clone(),
            restored: Cell::default(),
            completion_unknown: Cell::default(),
        })
    }

    /// Whether every URL of a saved session may still be called: the options may have changed since.
    fn has_usable_urls(&self, cx: &Context<P>, session: &Session<OfauthSession>) -> bool {
        let platform = &cx.platform;
        let trusts = |url: &str| platform.resolve(url).is_some_and(|url| self.api.origins.trusts(&url));
        let may_go = |part| {
            urls::classify_part(&self.api, platform, part).is_ok_and(|(kind, url)| urls::may_go(platform, &kind, &url))
        };
        session.state.complete_url.as_deref().is_none_or(trusts) && session.plan.parts().iter().all(may_go)
    }
}

impl<P: Platform> Provider<P> for Ofauth<P> {
    type Session = OfauthSession;

    fn name(&self) -> &'static str {
        "ofauth"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            saves_urls: true,
            single_part_completes: true,
            calls_hosts_of_parts: true,
            ..Capabilities::DEFAULT
        }
    }

    fn accept(&self) -> Accept {
        Accept::of(TYPES, MAX_BYTES)
    }

    async fn check(&self, cx: &Context<P>) -> Result<Option<Outcome<P::Json>>> {
        if !self.skip_existing {
            return Ok(None);
        }
        check::check(&self.api, cx, self.part_size.get().unwrap_or(PART_SIZE)).await
    }

    async fn open(&self, cx: &Context<P>) -> Result<Session<OfauthSession>> {
        self.completion_unknown.set(false);
        self.restored.set(false);
        let session = init::init(&self.api, cx, self.vault_upload.as_ref()).await?;
        if let [first, _, ..] = session.plan.parts() {
            self.part_size.set(Some(first.range.len()));
        }
        Ok(session)
    }

    /// OFAuth can't be asked which parts it has, so the saved ones count.
    async fn restore(
        &self,
        cx: &Context<P>,
        session: &Session<OfauthSession>,
        saved: Progressed<P::Json>,
    ) -> Result<Progressed<P::Json>> {
        self.completion_unknown.set(saved.phase == Phase::Completing);
        self.restored.set(true);
        // Without a URL for completing, an upload in parts would end uncompleted.
        let is_sound = session.is_sound() && session.multipart == session.state.complete_url.is_some();
        // Where an earlier page may have completed the upload, only OFAuth can tell whether the session has expired.
        let is_incomplete = session.multipart && saved.phase == Phase::Sending;
        let has_expired = |at: u64| cx.is_past(at, session.began_at) || at.saturating_add(YEAR_MS) < session.began_at;
        let is_expired = is_incomplete && session.expires_at.is_some_and(has_expired);
        if is_expired || !is_sound || !self.has_usable_urls(cx, session) {
            return Err(incomplete_session());
        }
        Ok(saved)
    }

    async fn part_request(
        &self,
        cx: &Context<P>,
        session: &Session<OfauthSession>,
        part: &Part,
        _renew: bool,
    ) -> Result<RequestOf<P>> {
        part::request(&self.api, cx, session, part).await
    }

    fn receipt(
        &self,
        cx: &Context<P>,
        session: &Session<OfauthSession>,
        part: &Part,
        response: &Response,
    ) -> Result<Receipt<P::Json>> {
        part::receipt(&self.api, cx, session, part, response, self.restored.get())
    }

    /// A part of a completed upload is refused as a conflict (assumed).
    fn completed_before(&self, session: &Session<OfauthSession>, error: &UploadError) -> bool {
        let completed = session.multipart && error.code == Code::Conflict;
        self.completion_unknown.set(self.completion_unknown.get() || completed);
        completed
    }

    async fn complete(
        &self,
        cx: &Context<P>,
        session: &Session<OfauthSession>,
        parts: &[Receipt<P::Json>],
        _again: bool,
    ) -> Result<Outcome<P::Json>> {
        let OfauthSession { upload_id, complete_url } = &session.state;
        match complete_url {
            Some(url) => complete::complete(&self.api, cx, url, upload_id, self.completion_unknown.get()).await,
            // The answer to a single part is the upload's.
            None => {
                let reply = parts.first().and_then(|part| part.reply.as_ref());
                Ok(media::outcome(Some(upload_id.clone()), reply))
            }
        }
    }
}
