//! An S3-compatible store, straight from the page with temporary credentials; every URL is signed here.
//!
//! SourceFile: AWS S3 API Reference (PutObject, CreateMultipartUpload, UploadPart, CompleteMultipartUpload, AbortMultipartUpload,
//! ListParts, HeadObject).

mod calls;
mod credentials;
mod given;
mod object;
mod options;
mod sigv4;
pub(crate) mod xml;

pub use credentials::SharedCredentials;

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;

use self::calls::{Ask, Line, Needs, in_doubt};
use self::object::{Found, Mine, Whose, combined, whose};
use self::options::{Options, check_key};
use super::shared::cors;
use super::shared::listed::{Listed, reconcile};
use super::{Setup, with_words};
use crate::context::integrity::{Etags, md5_of, strong};
use crate::context::retry::RetryLoop;
use crate::context::{Context, Idempotency};
use crate::engine::record::Resumed;
use crate::engine::send::UploadedPart;
use crate::error::{Code, Result, Retry, Step, UploadError};
use crate::http::foreign::says_html;
use crate::http::{Body, Method, Request, Response};
use crate::json;
use crate::model::events::Outcome;
use crate::model::plan::{MAX_PARTS, Part, Plan};
use crate::model::session::{Phase, Session};
use crate::model::settings::RetrySettings;
use crate::platform::{Hook, Platform};
use crate::provider::{Provider, Receipt};
use crate::util::hex::hex;
use crate::util::ordered::OrderedMap;
use crate::util::text;
use crate::util::time::parse_http;

/// How often the object is looked at where that isn't worth more. (A choice.)
const LOOKS: u32 = 2;
/// How often an upload is given up while parts still land in it. (A choice.)
const ABORTS: u32 = 3;
/// Pages of the list of parts: 10,000 parts, a hundred a page at the least.
const LIST_PAGES: u32 = 100;
/// The most bytes of an upload's name. (A choice: stores' have some hundreds, and it goes into each part's URL.)
const UPLOAD_ID: usize = 4096;
/// Between two tries to give an upload up.
const ABORT_PAUSE_MS: u64 = 500;

/// The dialect of S3.
///
/// Of a [`Session`] it uses `key`, `multipart` and `upload_id`.
#[derive(Debug)]
pub struct S3<P: Platform> {
    line: Line,
    /// The application's word, kept: asked again it might be another.
    key: RefCell<Option<String>>,
    /// The store said that the key exists, to a PUT that may have followed one whose answer was lost.
    exists: RefCell<Option<UploadError>>,
    /// The store took the single PUT: sent once more, it replaces this upload's own object.
    taken: Cell<bool>,
    platform: PhantomData<P>,
}

impl<P: Platform> S3<P> {
    /// The provider with the caller's options.
    ///
    /// # Errors
    /// `invalid-options`, for whatever no request should be made with.
    pub fn new(given: &P::Json, setup: &Setup<'_, P>) -> Result<Self> {
        let platform = setup.platform;
        let invalid = |message: &str, hint: &str| UploadError::new(Code::InvalidOptions, message).hint(hint);
        let mut options = Options::default();
        json::fill(platform, Some(given), &mut options).map_err(|why| {
            invalid(&text::concat(&["The options don't fit: ", &why]), "The provider's types name them all.")
        })?;
        let target = options
            .checked(&platform.origin(), |url| platform.resolve(url))
            .map_err(|(message, hint)| invalid(&message, hint))?;
        for (hook, hint) in [
            (Hook::Key, "Give the object's key, or a function of the file that gives it."),
            (Hook::Credentials, "Give a function that gets temporary credentials from your server."),
        ] {
            if !platform.has(hook) {
                return Err(invalid(&text::concat(&["`", hook.as_str(), "` is missing."]), hint));
            }
        }
        let credentials =
            if platform.has_usual_options() { setup.credentials.clone() } else { SharedCredentials::default() };
        Ok(Self {
            line: Line::new(target, credentials),
            key: RefCell::default(),
            exists: RefCell::default(),
            taken: Cell::default(),
            platform: PhantomData,
        })
    }

    async fn key(&self, cx: &Context<P>) -> Result<String> {
        if let Some(key) = self.key.borrow().clone() {
            return Ok(key);
        }
        let info = cx.file_info(cx.file.known_type());
        let answer = cx.hook(Hook::Key, vec![info], Step::Init, Idempotency::Unsafe).await?;
        let mut key = String::new();
        let read = json::fill(&cx.platform, Some(&answer), &mut key).map_err(|_| "is no text");
        read.and_then(|()| check_key(&key)).map_err(|why| {
            UploadError::new(Code::InvalidOptions, text::concat(&["The object's `key` ", why, "."]))
                .at(Step::Init)
                .hint("A key has 1 to 1024 bytes of UTF-8.")
        })?;
        self.key.replace(Some(key.clone()));
        Ok(key)
    }

    /// What goes with the bytes of the object: on the single PUT and on create.
    fn object_headers(&self, cx: &Context<P>) -> Vec<(String, String)> {
        let mut headers = self.line.target.headers.clone();
        let content_type = cx.file.known_type();
        if !content_type.is_empty() && !headers.iter().any(|(name, _)| name == "content-type") {
            headers.push(("content-type".into(), content_type.into()));
        }
        headers
    }

    /// The headers with the condition that the key is new, where it was asked for.
    fn with_condition(&self, mut headers: Vec<(String, String)>) -> Vec<(String, String)> {
        if self.line.target.if_none_match && !self.taken.get() {
            headers.push(("if-none-match".into(), "*".into()));
        }
        headers
    }

    async fn create(&self, cx: &Context<P>, key: &str) -> Result<String> {
        let ask = Ask {
            headers: &self.object_headers(cx),
            needs: Needs::Child("UploadId"),
            ..Ask::new(Step::Init, Method::Post, key, &[("uploads", "")])
        };
        // Repeated freely: an upload that was opened and never named holds nothing.
        let response = self.line.call(cx, &ask, &cx.settings.retry).await?;
        xml::child(&response.body, "UploadId").filter(|id| id.len() <= UPLOAD_ID).ok_or_else(|| {
            UploadError::new(Code::Server, "The store's `UploadId` is longer than 4096 bytes.").at(Step::Init)
        })
    }

    /// The parts that the store has, over all pages of its list (AWS S3 API Reference, ListParts: 1,000 a page).
    async fn list(&self, cx: &Context<P>, key: &str, id: &str) -> Result<Vec<Listed>> {
        let mut marker = String::from("0");
        let mut listed = Vec::new();
        for _ in 0..LIST_PAGES {
            let query = [("part-number-marker", marker.as_str()), ("uploadId", id)];
            let ask = Ask { needs: Needs::List, ..Ask::new(Step::List, Method::Get, key, &query) };
            let response = self.line.call(cx, &ask, &cx.settings.retry).await?;
            let rows = xml::rows(&response.body, "Part", ["PartNumber", "Size", "ETag"]).unwrap_or_default();
            for [number, size, etag] in rows {
                if let (Ok(number), Ok(size)) = (number.parse(), size.parse()) {
                    listed.push(Listed { number, size, etag });
                }
            }
            if listed.len() as u64 > MAX_PARTS {
                break;
            }
            let next = xml::child(&response.body, "NextPartNumberMarker").filter(|next| *next != marker);
            let more = xml::child(&response.body, "IsTruncated").is_some_and(|more| more == "true");
            match next.filter(|_| more) {
                Some(next) => marker = next,
                None => break,
            }
        }
        Ok(listed)
    }

    /// CompleteMultipartUpload, repeated where it is open whether it took effect and the object isn't there; the object's ETag. `lost`
    /// becomes true where a try may have taken effect.
    async fn put_together(
        &self,
        cx: &Context<P>,
        session: &Session<P>,
        id: &str,
        parts: &[Receipt<P>],
        lost: &mut bool,
    ) -> Result<Option<String>> {
        let headers = self.with_condition(vec![("content-type".into(), "application/xml".into())]);
        let query = [("uploadId", id)];
        let ask = Ask {
            headers: &headers,
            xml: &complete_body(parts),
            needs: Needs::Child("ETag"),
            ..Ask::new(Step::Complete, Method::Post, session.key.as_deref().unwrap_or(""), &query)
        };
        let mut retries = RetryLoop::default();
        loop {
            let answer = self.line.call(cx, &ask, &cx.settings.retry).await;
            *lost = ask.lost.get();
            let error = match answer {
                Ok(response) => return Ok(xml::child(&response.body, "ETag")),
                Err(error) => error,
            };
            if !(matches!(error.retry, Retry::Later(_)) && in_doubt(&error)) {
                return Err(error);
            }
            if let (Whose::Ours, etag, _) = self.look(cx, session, parts, LOOKS, false).await {
                return Ok(etag);
            }
            retries.backoff(cx, error, &cx.settings.retry).await?;
        }
    }

    /// Looks at the object under the key: whose it is, its ETag, and what the store's ETags are. `new`: the same bytes from before don't
    /// count.
    async fn look(
        &self,
        cx: &Context<P>,
        session: &Session<P>,
        parts: &[Receipt<P>],
        attempts: u32,
        new: bool,
    ) -> (Whose, Option<String>, Etags) {
        let retry = RetrySettings { attempts, ..cx.settings.retry };
        let ask = Ask::new(Step::Complete, Method::Head, session.key.as_deref().unwrap_or(""), &[]);
        match self.line.call(cx, &ask, &retry).await {
            Ok(response) => {
                let etags = Etags::told(&response.headers).or(cx.etags.likely());
                let (whose, etag) = self.whose(cx, session, parts, &response, new, etags);
                (whose, etag, etags)
            }
            Err(error) if error.status == Some(404) => (Whose::Other, None, Etags::Unknown),
            Err(_) => (Whose::Unclear, None, Etags::Unknown),
        }
    }

    /// Holds what didn't end well against what is stored: the ETag of the object under the key, where it is this upload's after
    /// all. `lost`: a try may have taken effect.
    async fn stored(
        &self,
        cx: &Context<P>,
        session: &Session<P>,
        parts: &[Receipt<P>],
        error: UploadError,
        lost: bool,
    ) -> Result<Option<String>> {
        let gone = session.upload_id.is_some() && error.code == Code::SessionExpired;
        let exists = error.status == Some(412);
        if !(gone || exists || lost) {
            return Err(error);
        }
        let attempts = if error.answer_lost { LOOKS } else { cx.settings.retry.attempts };
        let (whose, etag, etags) = self.look(cx, session, parts, attempts, exists).await;
        // It has the size, and was written meanwhile. Where nobody knows what its ETag is, that proves nothing against it.
        if whose == Whose::Unclear && etags == Etags::Unknown && etag.is_some() {
            return Err(unknown(&error));
        }
        match whose {
            Whose::Ours => Ok(etag),
            Whose::Unclear if gone || lost => Err(unknown(&error)),
            _ => Err(error),
        }
    }

    /// Whose the object is that the answer to a HEAD tells of, and its ETag. `new`: the same bytes from before don't count.
    fn whose(
        &self,
        cx: &Context<P>,
        session: &Session<P>,
        parts: &[Receipt<P>],
        response: &Response,
        new: bool,
        etags: Etags,
    ) -> (Whose, Option<String>) {
        let date = |name| response.header(name).and_then(parse_http);
        let now = date("date").unwrap_or_else(|| self.line.now(&cx.platform));
        let etag = response.header("etag");
        // The answer to a HEAD has no body by which a sign-in page could be known: one that may be a page's proves nothing.
        let page =
            etag.is_none() && says_html(response.header("content-type")) && !says_html(Some(cx.file.known_type()));
        let size = response.header("content-length").and_then(|text| text.trim_ascii().parse().ok());
        let found = Found {
            size: size.filter(|_| !page),
            etag: etag.map(strong),
            age: date("last-modified").map(|at| now.saturating_sub(at)),
        };
        let mine = Mine {
            size: cx.file.size,
            etag: match session.upload_id {
                Some(_) => combined(parts.iter().map(|part| part.etag.as_deref())),
                None => cx.md5.get().map(|md5| hex(&md5)),
            },
            etags: if self.etag_is_md5() { etags } else { Etags::Opaque },
            since: cx.platform.now().saturating_sub(session.begun_at),
            new,
        };
        (whose(&found, &mine), found.etag)
    }
}

impl<P: Platform> Provider<P> for S3<P> {
    fn takes_empty(&self) -> bool {
        true
    }

    fn etag_is_md5(&self) -> bool {
        self.line.target.etag_is_md5()
    }

    fn can_renew(&self) -> bool {
        true
    }

    fn cors_rule(&self, platform: &P) -> Option<String> {
        Some(self.line.cors_rule(platform))
    }

    /// Finds a key that exists before the first byte, where it may look. The condition on what is stored decides in the end.
    async fn check(&self, cx: &Context<P>, _outcome: &mut Outcome<P>) -> Result<bool> {
        if !self.line.target.if_none_match {
            return Ok(false);
        }
        let key = self.key(cx).await?;
        let retry = RetrySettings { attempts: LOOKS, ..cx.settings.retry };
        match self.line.call(cx, &Ask::new(Step::Check, Method::Head, &key, &[]), &retry).await {
            Ok(_) => Err(UploadError::new(Code::Conflict, "The key exists already, and `ifNoneMatch` is set.")
                .at(Step::Check)
                .hint("Use another key, or leave `ifNoneMatch` out to replace the object.")),
            // Nothing was asked of the store.
            Err(error) if error.step == Some(Step::Sign) => Err(error),
            // 404 says that the key is free; a refusal says nothing.
            Err(_) => Ok(false),
        }
    }

    async fn open(&self, cx: &Context<P>) -> Result<Session<P>> {
        let key = self.key(cx).await?;
        let (size, target) = (cx.file.size, &self.line.target);
        let multipart = size > 0 && size >= target.threshold;
        let part_size = if multipart { target.part_size(size) } else { size.max(1) };
        if part_size > *options::PART.end() {
            return Err(UploadError::new(Code::FileRejected, "The file is larger than 10,000 parts of 5 GiB.")
                .at(Step::Check)
                .hint("S3 takes nothing of this size."));
        }
        let plan = Plan::equal(size, part_size).map_err(|why| UploadError::new(Code::PlanMismatch, why))?;
        let mut session = Session::new(plan, multipart);
        if multipart {
            session.upload_id = Some(self.create(cx, &key).await?);
        }
        session.key = Some(key);
        Ok(session)
    }

    async fn part_request(
        &self,
        cx: &Context<P>,
        session: &Session<P>,
        part: &Part,
        _renew: bool,
    ) -> Result<Request<P>> {
        let credentials = self.line.credentials(cx).await?;
        let number = text::number(part.number.into());
        let (named, headers);
        let mut ask = Ask::new(Step::Part, Method::Put, session.key.as_deref().unwrap_or(""), &[]);
        match &session.upload_id {
            Some(id) => {
                named = [("partNumber", number.as_str()), ("uploadId", id)];
                ask.query = &named;
            }
            None => {
                headers = self.with_condition(self.object_headers(cx));
                ask.headers = &headers;
            }
        }
        let body = Body::File(cx.file.body(part.range, None));
        self.line.sign_part(&cx.platform, &credentials, part.number, &ask, body).map(Request::Store)
    }

    fn receipt(&self, cx: &Context<P>, session: &Session<P>, part: &Part, response: &Response) -> Result<Receipt<P>> {
        let etag = response.header("etag").filter(|etag| !etag.is_empty()).map(String::from);
        if !response.ok() {
            let error = self.line.part_refused(&cx.platform, part.number, response);
            // A copy of this PUT may have made the object: one whose answer was lost, or one that the browser sent by itself.
            if session.multipart || response.status != 412 {
                return Err(error);
            }
            self.exists.replace(Some(error));
        } else if session.multipart && etag.is_none() {
            return Err(cors::hidden(&self.line.cors_rule(&cx.platform)));
        } else {
            self.taken.set(!session.multipart);
        }
        Ok(Receipt { number: part.number, etag, reply: None })
    }

    async fn restore(&self, cx: &Context<P>, resumed: &mut Resumed<P>) -> Result<()> {
        let session = &resumed.session;
        // Several parts without an upload would each be the whole object.
        let sound = session.is_sound() && session.multipart == session.upload_id.is_some();
        let Some(key) = session.key.as_deref().filter(|_| sound) else {
            return Err(UploadError::new(Code::SessionExpired, "The upload's name was not kept.").at(Step::Init));
        };
        let Some(id) = &session.upload_id else { return Ok(()) };
        match self.list(cx, key, id).await {
            Ok(listed) => reconcile(cx, resumed, listed, self.etag_is_md5()).await?,
            // Gone: put together by an earlier page, which the repeated complete finds out, or given up.
            Err(error) if error.code == Code::SessionExpired && may_be_complete(resumed) => {
                presume(cx, resumed).await?
            }
            // A refused look tells nothing of the upload (keys may be allowed to put and not to list), and neither does an answer that
            // is no list: what was kept counts.
            Err(error) if error.status.is_some_and(|status| status < 300 || error.retry == Retry::Never) => (),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn complete(
        &self,
        cx: &Context<P>,
        session: &Session<P>,
        parts: &[Receipt<P>],
        _again: bool,
        outcome: &mut Outcome<P>,
    ) -> Result<()> {
        let mut lost = false;
        let put = match &session.upload_id {
            Some(id) => self.put_together(cx, session, id, parts, &mut lost).await,
            None => match self.exists.take() {
                Some(error) => Err(error),
                None => Ok(parts.first().and_then(|part| part.etag.clone())),
            },
        };
        let stored = match put {
            Ok(etag) => Ok(etag),
            Err(error) => self.stored(cx, session, parts, error, lost).await,
        };
        outcome.etag = stored?;
        outcome.location = Some(self.line.location(session.key.as_deref().unwrap_or("")));
        Ok(())
    }

    async fn abort(&self, cx: &Context<P>, session: &Session<P>) -> bool {
        let (Some(id), Some(key)) = (&session.upload_id, &session.key) else { return true };
        let query = [("max-parts", "1"), ("uploadId", id.as_str())];
        let delete = Ask::new(Step::Abort, Method::Delete, key, &query[1..]);
        let list = Ask { needs: Needs::List, ..Ask::new(Step::List, Method::Get, key, &query) };
        for _ in 0..ABORTS {
            let retry = &cx.settings.retry;
            if let Err(error) = self.line.call(cx, &delete, retry).await {
                return error.code == Code::SessionExpired;
            }
            // A part that was on its way may have landed after all (AWS S3 API Reference, AbortMultipartUpload).
            match self.line.call(cx, &list, retry).await {
                Ok(response) if xml::child(&response.body, "Part").is_some() => (),
                _ => return true,
            }
            cx.platform.sleep(ABORT_PAUSE_MS).await;
        }
        false
    }
}

/// True where an earlier page may have put the parts together: it was about to, or it had them all, and its last word was lost.
fn may_be_complete<P: Platform>(resumed: &Resumed<P>) -> bool {
    resumed.phase == Phase::Completing || resumed.arrived.len() == resumed.session.plan.parts().len()
}

/// Takes every part for arrived that wasn't kept as such: without them nothing would have been put together. Their MD5s stand for
/// their ETags, so that the object can be known by them.
async fn presume<P: Platform>(cx: &Context<P>, resumed: &mut Resumed<P>) -> Result<()> {
    let mut known = OrderedMap::default();
    resumed.arrived.iter().for_each(|arrived| known.insert(arrived.part.number, ()));
    for part in resumed.session.plan.parts() {
        if known.get(part.number).is_none() {
            let md5 = md5_of(cx, part.range).await.map_err(|error| error.at(Step::Check))?;
            let etag = md5.map(|md5| hex(&md5));
            resumed.arrived.push(UploadedPart::before(part, etag, false, None));
        }
    }
    Ok(())
}

/// The body of CompleteMultipartUpload.
fn complete_body<P: Platform>(parts: &[Receipt<P>]) -> String {
    let mut body = String::from("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for part in parts {
        body.push_str("<Part><PartNumber>");
        body.push_str(&text::number(part.number.into()));
        body.push_str("</PartNumber><ETag>");
        xml::escape(part.etag.as_deref().unwrap_or(""), &mut body);
        body.push_str("</ETag></Part>");
    }
    body.push_str("</CompleteMultipartUpload>");
    body
}

/// The object may be there, and nobody can tell.
fn unknown(error: &UploadError) -> UploadError {
    let unknown = UploadError::new(Code::OutcomeUnknown, text::concat(&["The object may be stored: ", &error.message]))
        .at(Step::Complete)
        .hint("Look under the key before sending the file again. Credentials that may read the object let Partway look itself.");
    let unknown = with_words(unknown, error);
    match error.status {
        Some(status) => unknown.status(status),
        None => unknown,
    }
}
