//! An S3-compatible store, straight from the page with temporary credentials; every URL is signed here.
//!
//! Source: AWS S3 API Reference (PutObject, CreateMultipartUpload, UploadPart, CompleteMultipartUpload, AbortMultipartUpload,
//! ListParts, HeadObject).

mod checksum;
mod client;
mod completion;
pub mod credentials;
mod credentials_reply;
mod endpoint;
mod errors;
mod operations;
mod options;
pub mod session;
mod sigv4;
mod stored_object;

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;

use futures::FutureExt;

use self::checksum::Algorithm;
use self::client::S3Client;
use self::completion::{Completing, FEW_ATTEMPTS};
use self::credentials::SharedCredentials;
use self::errors::invalid_option;
use self::operations::{
    Completed, Completion, abort_multipart_upload, create_multipart_upload, has_parts, head_object, list_parts,
    put_object, upload_part,
};
use self::options::{MAX_PART_SIZE, Options, check_key};
use self::session::S3Session;
use super::setup::Setup;
use super::shared::errors::incomplete_session;
use super::shared::listed::{By, reconcile};
use crate::context::calls::Idempotency;
use crate::context::integrity::md5_of;
use crate::context::{Context, cors};
use crate::error::{Code, Result, Retry, Step, UploadError};
use crate::http::{Request, Response};
use crate::json::Decode;
use crate::model::events::Outcome;
use crate::model::plan::{Part, Plan};
use crate::model::session::{Phase, Progressed, Receipt, Session, UploadedPart};
use crate::platform::{Hook, Platform, RequestOf};
use crate::provider::{Capabilities, Provider};
use crate::util::hex::hex;
use crate::util::ordered::OrderedMap;

/// How often an upload is aborted while parts that were in flight are still stored in it. (A choice.)
const MAX_ABORTS: u32 = 3;
/// Milliseconds between two of these attempts. (A choice.)
const ABORT_PAUSE_MS: u64 = 500;
/// In place of the ETag of a part whose bytes aren't at hand: a list of parts needs one each. (A choice: no store gives it.)
const UNKNOWN_ETAG: &str = "\"unknown\"";

/// The provider for one upload to S3.
#[derive(Debug)]
pub struct S3<P: Platform> {
    client: S3Client,
    /// Cached: calling the application's `key()` twice may give different keys.
    key: RefCell<Option<String>>,
    /// The store's answer that the key exists, to a PUT that may have followed one whose answer was lost.
    exists: RefCell<Option<UploadError>>,
    /// Whether the store took the single PUT: sent once more, it replaces this upload's own object.
    taken: Cell<bool>,
    /// The checksums of parts that were about to be sent, where the store checks them.
    checksums: RefCell<OrderedMap<String>>,
    platform: PhantomData<P>,
}

impl<P: Platform> S3<P> {
    /// The provider with the caller's options.
    ///
    /// # Errors
    /// `invalid-options` for an endpoint that no request should go to.
    pub fn new(options: &P::Json, setup: &Setup<'_, P>) -> Result<Self> {
        let platform = setup.platform;
        let options: Options = setup.options(options)?;
        let target = options.checked(&platform.origin(), |url| platform.resolve(url))?;
        let credentials =
            if platform.shares_credentials() { setup.cache.credentials.clone() } else { SharedCredentials::default() };
        Ok(Self {
            client: S3Client::new(target, credentials),
            key: RefCell::default(),
            exists: RefCell::default(),
            taken: Cell::default(),
            checksums: RefCell::default(),
            platform: PhantomData,
        })
    }

    async fn key(&self, cx: &Context<P>) -> Result<String> {
        if let Some(key) = self.key.borrow().clone() {
            return Ok(key);
        }
        let info = cx.file_info(cx.file().known_type());
        let answer = cx.hook(Hook::Key, vec![info], Step::Init, Idempotency::Unsafe).await?;
        let read = String::decode(Some(&answer)).map_err(|mismatch| text!("{}.", mismatch.within("key").message()));
        let key = read.and_then(|key| check_key(&key).map(|()| key)).map_err(|why| {
            invalid_option(why, "Give a key of 1 to 1024 bytes of UTF-8, without the segments \".\" and \"..\".")
                .at(Step::Init)
        })?;
        self.key.replace(Some(key.clone()));
        Ok(key)
    }

    /// The headers of the object: on PutObject and on CreateMultipartUpload.
    fn object_headers(&self, cx: &Context<P>) -> Vec<(String, String)> {
        let mut headers = self.client.target.headers.clone();
        let content_type = cx.file().known_type();
        if !content_type.is_empty() && !headers.iter().any(|(name, _)| name == "content-type") {
            headers.push(("content-type".into(), content_type.into()));
        }
        headers
    }

    /// A part's checksum, where the store checks it.
    async fn own_checksum(&self, cx: &Context<P>, part: &Part) -> Result<Option<String>> {
        let Some(algorithm) = self.client.target.checksum else { return Ok(None) };
        let known = self.checksums.borrow().get(part.number).cloned();
        let value = match known {
            Some(value) => value,
            None => algorithm.of_range(cx, part.range).await?,
        };
        self.checksums.borrow_mut().insert(part.number, value.clone());
        Ok(Some(value))
    }

    /// The header with a part's checksum, where the store checks it.
    async fn checksum_header(&self, cx: &Context<P>, part: &Part) -> Result<Option<(String, String)>> {
        let value = self.own_checksum(cx, part).await?;
        Ok(self.client.target.checksum.zip(value).map(|(algorithm, value)| (algorithm.header().into(), value)))
    }

    /// The condition that the key is new, where the caller set it.
    fn condition(&self) -> Option<(String, String)> {
        let conditional = self.client.target.if_none_match && !self.taken.get();
        conditional.then(|| ("if-none-match".into(), "*".into()))
    }
}

impl<P: Platform> Provider<P> for S3<P> {
    type Session = S3Session;

    fn name(&self) -> &'static str {
        "s3"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            takes_empty: true,
            etags_are_md5s: self.client.target.etags_are_md5s(),
            answers_checksums: true,
            completes_with_checksum: true,
            sends_checksums: self.client.target.checksum.is_some(),
            renews_urls: true,
            // With the condition, the object of the page before would be taken for somebody else's.
            repeats_single_parts: !self.client.target.if_none_match,
            calls_hosts_of_parts: true,
            repeats_late_parts: true,
            ..Capabilities::DEFAULT
        }
    }

    fn cors_rule(&self, page_origin: &str) -> Option<String> {
        Some(self.client.cors_rule(page_origin))
    }

    fn hosts(&self, cx: &Context<P>) -> usize {
        cx.hosts().count_good(self.client.origins()).max(1)
    }

    fn has_other_host(&self, cx: &Context<P>) -> bool {
        self.client.has_other_host(cx)
    }

    /// Finds a key that exists before the first byte is sent, where the credentials may read it. In the end the condition decides.
    async fn check(&self, cx: &Context<P>) -> Result<Option<Outcome<P::Json>>> {
        if !self.client.target.if_none_match {
            return Ok(None);
        }
        let key = self.key(cx).await?;
        match head_object(&self.client, cx, &key, Step::Check, FEW_ATTEMPTS, None).await {
            Ok(_) => Err(UploadError::new(Code::Conflict, "The key must be new (`ifNoneMatch`), but exists already.")
                .at(Step::Check)
                .hint("Use another key, or leave `ifNoneMatch` out to replace the object.")),
            // No request was made.
            Err(error) if error.step == Some(Step::Sign) => Err(error),
            // 404 says that the key is free; a refusal says nothing.
            Err(_) => Ok(None),
        }
    }

    async fn open(&self, cx: &Context<P>) -> Result<Session<S3Session>> {
        let key = self.key(cx).await?;
        // The parts of another session may be cut differently.
        self.checksums.take();
        let (size, target) = (cx.file().size, &self.client.target);
        let multipart = size > 0 && size >= target.threshold;
        let part_size = if multipart {
            target.part_size(size, cx.slots_for(Provider::<P>::hosts(self, cx)), cx.measured_rate())
        } else {
            size.max(1)
        };
        if part_size > MAX_PART_SIZE {
            let message = text!("A file must have at most 10,000 parts of 5 GiB, but this one has {} bytes.", size);
            return Err(UploadError::new(Code::FileRejected, message)
                .at(Step::Check)
                .hint("Split the file: S3 takes no larger object."));
        }
        let plan = Plan::equal(size, part_size).map_err(|why| UploadError::new(Code::PlanMismatch, why))?;
        let upload_id = if multipart {
            let mut headers = self.object_headers(cx);
            headers.extend(target.checksum.into_iter().flat_map(Algorithm::of_upload));
            Some(create_multipart_upload(&self.client, cx, &key, &headers).await?)
        } else {
            // The part would ask for them, when the upload is said to send.
            self.client.authenticate(cx).await?;
            None
        };
        Ok(Session::new(plan, multipart, S3Session { key, upload_id }))
    }

    async fn restore(
        &self,
        cx: &Context<P>,
        session: &Session<S3Session>,
        saved: Progressed<P::Json>,
    ) -> Result<Progressed<P::Json>> {
        let S3Session { key, upload_id } = &session.state;
        // Several parts without an upload would each be the whole object.
        if !session.is_sound() || session.multipart != upload_id.is_some() {
            return Err(incomplete_session());
        }
        let Some(upload_id) = upload_id else {
            if saved.uploaded.is_empty() {
                self.client.authenticate(cx).await?;
            }
            return Ok(saved);
        };
        let Progressed { phase, uploaded } = saved;
        let uploaded = match list_parts(&self.client, cx, key, upload_id).await {
            Ok(listed) => {
                let own = |part| self.own_checksum(cx, part).boxed_local();
                let by = match self.client.target.checksum {
                    Some(_) => By::Checksums(&own),
                    None => By::Etags { md5s: self.client.target.etags_are_md5s() },
                };
                reconcile(cx, &session.plan, uploaded, listed, by).await?
            }
            // Gone: completed by an earlier page, which completing it again finds out, or aborted.
            Err(error) if error.code == Code::SessionExpired && may_be_complete(phase, &uploaded, &session.plan) => {
                assume_uploaded(cx, &session.plan, uploaded, self.client.target.checksum).await?
            }
            // A refusal says nothing of the upload (the credentials may be allowed to put and not to list), and neither does an answer
            // that is no list: what was saved counts.
            Err(error) if error.status.is_some_and(|status| status < 300 || error.retry == Retry::Never) => uploaded,
            Err(error) => return Err(error),
        };
        Ok(Progressed { phase, uploaded })
    }

    async fn part_request(
        &self,
        cx: &Context<P>,
        session: &Session<S3Session>,
        part: &Part,
        _renew: bool,
    ) -> Result<RequestOf<P>> {
        let S3Session { key, upload_id } = &session.state;
        let checksum = self.checksum_header(cx, part).await?;
        let request = match upload_id {
            Some(id) => upload_part(&self.client, cx, key, id, checksum.as_slice(), part).await,
            None => {
                let mut headers = self.object_headers(cx);
                headers.extend(checksum);
                headers.extend(self.condition());
                put_object(&self.client, cx, key, &headers, part).await
            }
        };
        request.map(Request::Store)
    }

    fn receipt(
        &self,
        cx: &Context<P>,
        session: &Session<S3Session>,
        part: &Part,
        response: &Response,
    ) -> Result<Receipt<P::Json>> {
        let etag = response.header("etag").filter(|etag| !etag.is_empty()).map(String::from);
        if !response.ok() {
            let error = self.client.part_refusal(cx, part.number, response);
            // A copy of this PUT may have made the object: one whose answer was lost, or one that the browser sent by itself.
            if session.multipart || response.status != 412 {
                return Err(error);
            }
            self.exists.replace(Some(error));
        } else if session.multipart && etag.is_none() {
            return Err(cors::hidden(&self.client.cors_rule(&cx.platform.origin())));
        } else {
            self.taken.set(!session.multipart);
        }
        let checksum = self.checksums.borrow().get(part.number).cloned();
        Ok(Receipt { checksum, ..Receipt::new(part.number, etag) })
    }

    async fn complete(
        &self,
        cx: &Context<P>,
        session: &Session<S3Session>,
        parts: &[Receipt<P::Json>],
        _again: bool,
    ) -> Result<Outcome<P::Json>> {
        let S3Session { key, upload_id } = &session.state;
        let completing = Completing { client: &self.client, cx, session, parts };
        let algorithm = self.client.target.checksum;
        let own = algorithm.and_then(|algorithm| algorithm.of_object(&session.plan, session.multipart, parts));
        let completion = match upload_id {
            Some(id) => {
                let mut headers: Vec<_> = self.condition().into_iter().collect();
                // The store compares it before the object exists.
                let whole = own.clone().filter(|_| algorithm == Some(Algorithm::Crc64Nvme));
                headers.extend(whole.map(|value| (Algorithm::Crc64Nvme.header().into(), value)));
                completing.complete_multipart_upload(id, &headers).await
            }
            // The single PUT was the completion.
            None => {
                let etag = || parts.first().and_then(|part| part.etag.clone());
                let stored = || Ok(Completed { etag: etag(), checksum: None });
                Completion { result: self.exists.take().map_or_else(stored, Err), maybe_effective: false }
            }
        };
        let Completed { etag, checksum } = completing.confirm_stored(completion).await?;
        let location = Some(self.client.location(key));
        let own_checksum = own.filter(|_| algorithm == Some(Algorithm::Sha256));
        Ok(Outcome { etag, key: Some(key.clone()), location, checksum, own_checksum, ..Outcome::default() })
    }

    async fn abort(&self, cx: &Context<P>, session: &Session<S3Session>) -> bool {
        let S3Session { key, upload_id } = &session.state;
        let Some(upload_id) = upload_id else { return true };
        for _ in 0..MAX_ABORTS {
            if let Err(error) = abort_multipart_upload(&self.client, cx, key, upload_id).await {
                return error.code == Code::SessionExpired;
            }
            // A part that was in flight may have been stored after all (AWS S3 API Reference, AbortMultipartUpload).
            if !matches!(has_parts(&self.client, cx, key, upload_id).await, Ok(true)) {
                return true;
            }
            cx.platform.sleep(ABORT_PAUSE_MS).await;
        }
        false
    }
}

/// Whether an earlier page may have completed the upload: it was about to, or all parts were uploaded, and its last record was lost.
fn may_be_complete<J>(phase: Phase, uploaded: &[UploadedPart<J>], plan: &Plan) -> bool {
    phase == Phase::Completing || uploaded.len() == plan.parts().len()
}

/// Adds every part that wasn't saved as uploaded: without them the upload couldn't have been completed. Their MD5s stand for their ETags,
/// so that the object can be known by them; where the store checks parts, each has its checksum.
async fn assume_uploaded<P: Platform>(
    cx: &Context<P>,
    plan: &Plan,
    mut uploaded: Vec<UploadedPart<P::Json>>,
    algorithm: Option<Algorithm>,
) -> Result<Vec<UploadedPart<P::Json>>> {
    let mut saved = OrderedMap::default();
    uploaded.iter().for_each(|uploaded| saved.insert(uploaded.part.number, ()));
    for part in plan.parts() {
        if saved.get(part.number).is_none() {
            let md5 = md5_of(cx, part.range).await.map_err(|error| error.at(Step::Check))?;
            let etag = md5.map_or_else(|| UNKNOWN_ETAG.into(), |md5| hex(&md5));
            let mut assumed = UploadedPart::from_saved(part, Some(etag), false, None);
            if let Some(algorithm) = algorithm.filter(|_| cx.source.is_at_hand()) {
                assumed.receipt.checksum = Some(algorithm.of_range(cx, part.range).await?);
            }
            uploaded.push(assumed);
        }
    }
    Ok(uploaded)
}
