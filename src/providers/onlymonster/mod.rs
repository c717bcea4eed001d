//! Onlymonster: `/api/v0/accounts/{account_id}/vault/medias/uploads`, presigned S3 and then an export into the OnlyFans vault.
//!
//! Sources: Onlymonster's guide "Vault Media Upload via Onlymonster API" and its OpenAPI records. Where neither says how a body
//! looks, the doc comment says "assumed".

mod record;
mod start;

use std::cell::{Cell, RefCell};

use self::record::{List, Record, is_about, is_of, judge, shown};
use self::start::{StartReply, session, unsendable};
use super::shared::api::{Access, Api, Vendor};
use super::shared::poll::Poll;
use super::shared::reply::{read, refusal};
use super::shared::store;
use super::{Setup, in_doubt, not_whole, presigned_put, with_words};
use crate::context::rate_limit::Rate;
use crate::context::retry::RetryLoop;
use crate::context::{Context, Idempotency};
use crate::engine::record::Resumed;
use crate::error::{Code, Result, Retry, Step, UploadError};
use crate::http::{Body, Method, Request, Response, encode_segment};
use crate::json::IdText;
use crate::json::{Made, decoded};
use crate::model::events::Outcome;
use crate::model::file::Accept;
use crate::model::plan::Part;
use crate::model::session::{Phase, Session};
use crate::platform::Platform;
use crate::provider::{Provider, Receipt};
use crate::util::text;

const VENDOR: Vendor = Vendor {
    origins: &["https://omapi.onlymonster.ai"],
    api_path: "/api/v0/",
    key_header: "x-om-auth-token",
    key_option: "token",
};

/// The guide: "5 GiB hard cap".
const MAX_BYTES: &[(&str, u64)] = &[("*/*", 5 << 30)];
/// The guide's limit for a token, in requests a second.
const PER_SECOND: f64 = 3.0;
/// The guide's cadence: from 2 seconds, doubling to 30.
const POLL_FIRST_MS: u64 = 2_000;
const POLL_CAP_MS: u64 = 30_000;
/// "Several minutes" are typical; the caller may say otherwise.
const POLL_BOUND_MS: u64 = 15 * 60_000;
/// "Far longer than expected"; the caller may say otherwise.
const STUCK_MS: u64 = 3 * 60_000;
/// The states that a retry helps out of, each nudged once.
const MAY_STICK: [&str; 2] = ["uploaded", "processed"];
/// Records asked for at once, and pages read at most. (The vendor publishes no bound.)
const PAGE: usize = 50;
const PAGES: usize = 100;
/// Records asked for at once where more were refused: what a sibling endpoint takes at most.
const SMALL_PAGE: usize = 10;

decoded! {
    struct Options {
        base_url: Option<String> = "baseUrl",
        account_id: String = "accountId",
        export_type: String = "exportType",
        export_fan_id: Option<String> = "exportFanId",
        fan_link: Option<String> = "fanLink",
        poll_timeout_ms: Option<u64> = "pollTimeoutMs",
        stuck_after_ms: Option<u64> = "stuckAfterMs",
        requests_per_second: Option<f64> = "requestsPerSecond",
        strip_etag_quotes: Option<bool> = "stripEtagQuotes",
        token: Option<String> = "token",
        dangerously_expose_secrets: Option<bool> = "dangerouslyExposeSecrets",
    }
}

decoded! {
    struct VerifyReply {
        fan_id: IdText = "fan_id",
    }
}

decoded! {
    struct FinishReply {
        e_tag: String = "e_tag",
    }
}

/// One upload's dialogue with Onlymonster.
///
/// Of a [`Session`] it uses `upload_id` (the store's, for finish), `key`, `record_id`, `get_url` and `multipart`.
#[derive(Debug)]
pub struct Onlymonster<P: Platform> {
    api: Api<P>,
    root: String,
    export_type: String,
    fan_link: Option<String>,
    fan_id: RefCell<Option<String>>,
    poll_timeout_ms: u64,
    stuck_after_ms: u64,
    strip_etag_quotes: bool,
    /// True once a presigned URL of this upload was found to have expired.
    lapsed: Cell<bool>,
    /// Where in the list the record stood last.
    found_at: Cell<usize>,
    /// Records asked for at once.
    page: Cell<usize>,
}

impl<P: Platform> Onlymonster<P> {
    /// Reads the options.
    ///
    /// # Errors
    /// `invalid-options`.
    pub fn new(given: &P::Json, setup: &Setup<'_, P>) -> Result<Self> {
        let mut options = Options::default();
        setup.options(given, &mut options)?;
        let invalid = |message: &str, hint: &str| Err(UploadError::new(Code::InvalidOptions, message).hint(hint));
        let id = &options.account_id;
        let whole = !id.is_empty() && id.len() <= 19 && id.bytes().all(|byte| byte.is_ascii_digit());
        if !whole || (id.len() > 1 && id.starts_with('0')) {
            return invalid(
                "`accountId` is no account id.",
                "Onlymonster's are whole numbers of at most 19 digits, as text.",
            );
        }
        if !["post", "message"].contains(&options.export_type.as_str()) {
            return invalid("`exportType` is neither \"post\" nor \"message\".", "Say where the media is for.");
        }
        let rate = Rate::per_second(options.requests_per_second.unwrap_or(PER_SECOND));
        if rate.is_none() {
            return invalid(
                "`requestsPerSecond` must be a number above 0.",
                "Onlymonster takes 3 a second for each token; 0.5 is one in two seconds.",
            );
        }
        let access = Access {
            base_url: options.base_url,
            key: options.token.clone(),
            exposed: options.dangerously_expose_secrets == Some(true),
        };
        let mut api = Api::new(setup, &VENDOR, access, refusal)?;
        // The limit is the token's; behind a proxy the page can't tell tokens apart, so the proxy stands for its one.
        let pace = text!("onlymonster {} {}", api.origins.base.href, options.token.as_deref().unwrap_or(""));
        api.pace = Some(setup.shared.rate_limiters.of(&pace, rate));
        Ok(Self {
            api,
            root: text!("/api/v0/accounts/{}/vault/medias/uploads", id),
            export_type: options.export_type,
            fan_link: options.fan_link,
            fan_id: RefCell::new(options.export_fan_id),
            poll_timeout_ms: options.poll_timeout_ms.unwrap_or(POLL_BOUND_MS),
            stuck_after_ms: options.stuck_after_ms.unwrap_or(STUCK_MS),
            strip_etag_quotes: options.strip_etag_quotes == Some(true),
            lapsed: Cell::default(),
            found_at: Cell::default(),
            page: Cell::new(PAGE),
        })
    }

    fn post(&self, step: Step, path: &str, body: P::Json) -> crate::http::ApiRequest<P> {
        let mut request = self.api.request(step, Method::Post, &text!("{}{}", self.root, path), "");
        request.body = Body::Json(body);
        request
    }

    /// The record that fits, from the pages of the list; lapsed ones too where URLs of this upload have expired.
    ///
    /// A page with fewer records than were asked for isn't the last one: the server may give less at once. The last one is empty,
    /// or has what the one before it had, from a server that doesn't page. Three requests a second are for everything: so the list
    /// is read from the page on which the record was found last, and only then what comes before it.
    async fn find(&self, cx: &Context<P>, fits: &dyn Fn(&Record) -> bool) -> Result<Option<Record>> {
        let expired = if self.lapsed.get() { "&expired=true" } else { "" };
        let from = self.found_at.get();
        let (mut offset, mut until, mut before): (_, _, Vec<Record>) = (from, usize::MAX, Vec::new());
        for _ in 0..PAGES {
            let limit = self.page.get();
            let query = text!("offset={}&limit={}{}", offset, limit, expired);
            let request = self.api.request(Step::List, Method::Get, &self.root, &query);
            let response = match self.api.call(cx, request, Idempotency::Safe).await {
                Err(error) if error.status == Some(400) && limit > SMALL_PAGE => {
                    self.page.set(SMALL_PAGE);
                    continue;
                }
                answer => answer?,
            };
            let mut list = List::default();
            read(&cx.platform, Step::List, &response, &mut list)?;
            let mut items = list.items;
            if let Some(at) = items.iter().position(fits) {
                self.found_at.set(offset);
                return Ok(Some(items.swap_remove(at)));
            }
            let news = items.iter().any(|record| !before.iter().any(|other| other.id == record.id));
            offset += items.len();
            // Who gives more than was asked for doesn't page either.
            if news && items.len() <= limit && offset < until {
                before = items;
            } else if from > 0 && until > from {
                (offset, until, before) = (0, from, Vec::new());
            } else {
                break;
            }
        }
        Ok(None)
    }

    /// The record of a session, if the list has one.
    async fn find_session(&self, cx: &Context<P>, session: &Session<P>) -> Result<Option<Record>> {
        let fits = |record: &Record| is_of(record, session);
        let hidden = !self.get_url_lapsed(cx, session);
        let found = self.find(cx, &fits).await?;
        if found.is_none() && hidden && self.get_url_lapsed(cx, session) {
            // It lapsed while the list was waited for, which hides it unless asked.
            return self.find(cx, &fits).await;
        }
        Ok(found)
    }

    /// Resolves the fan's link, if one was given.
    async fn verify_fan(&self, cx: &Context<P>) -> Result<()> {
        let Some(link) = &self.fan_link else { return Ok(()) };
        let body = cx.platform.encode(&Made::Object(vec![("link", link.into())]));
        let request = self.post(Step::VerifyFan, "/fans/verify", body);
        let response = self.api.call(cx, request, Idempotency::Safe).await.map_err(|error| match error.code {
            Code::BadRequest => error.hint("Check `fanLink`: Onlymonster doesn't know this fan."),
            _ => error,
        })?;
        let mut reply = VerifyReply::default();
        read(&cx.platform, Step::VerifyFan, &response, &mut reply)?;
        self.fan_id.replace(Some(reply.fan_id.0));
        Ok(())
    }

    /// What finish is told.
    fn finish_body(&self, cx: &Context<P>, session: &Session<P>, parts: &[Receipt<P>]) -> P::Json {
        let parts = parts.iter().map(|part| {
            Made::Object(vec![("part", part.number.into()), ("e_tag", self.etag(part.etag.as_deref()).into())])
        });
        // Assumed: that key and upload id go along.
        cx.platform.encode(&Made::Object(vec![
            ("key", session.key.as_deref().unwrap_or_default().into()),
            ("upload_id", session.upload_id.as_deref().unwrap_or_default().into()),
            ("parts", Made::List(parts.collect())),
        ]))
    }

    /// What export is told.
    fn export_body(&self, cx: &Context<P>, session: &Session<P>, e_tag: &str) -> P::Json {
        let fan_id = self.fan_id.borrow();
        // Assumed: that the key goes along.
        let mut body = vec![
            ("key", session.key.as_deref().unwrap_or_default().into()),
            ("e_tag", e_tag.into()),
            ("get_url", session.get_url.as_deref().unwrap_or_default().into()),
            ("export_type", (&self.export_type).into()),
        ];
        if let Some(fan_id) = fan_id.as_ref() {
            body.push(("export_fan_id", fan_id.into()));
        }
        cx.platform.encode(&Made::Object(body))
    }

    /// Finishes or exports, which must not take effect twice: where the answer was lost the list is read, and the call is made
    /// again only if the session's record doesn't show what it was to do. Gives the object's ETag, or the record's id.
    /// `unsure`: an earlier page may have made the call.
    async fn conclude(
        &self,
        cx: &Context<P>,
        session: &Session<P>,
        step: Step,
        body: P::Json,
        mut unsure: bool,
    ) -> Result<String> {
        let path = if step == Step::Export { "/export" } else { "/finish" };
        let mut retries = RetryLoop::default();
        loop {
            let answer = self.api.call(cx, self.post(step, path, body.clone()), Idempotency::Unsafe).await;
            let error = match answer.and_then(|response| concluded(&cx.platform, step, &response)) {
                Err(error) if error.answer_lost => error,
                Err(error) if error.code == Code::BadRequest && self.get_url_lapsed(cx, session) => {
                    return Err(lapsed(step, &error));
                }
                // A refusal after a lost answer may only say that the first call had worked. What was never exported made no
                // vault entry, so a new upload is right either way.
                Err(error) if unsure && step == Step::Complete => return Err(error.retry(Retry::Restart)),
                done => return done,
            };
            if step == Step::Export && broken!(SecondExport) {
                continue;
            }
            unsure = true;
            let record = self.find_session(cx, session).await.map_err(|error| error.answer_lost(true).or_unknown())?;
            if let Some(shown) = record.and_then(|record| shown(&record, step)) {
                return Ok(shown);
            }
            retries.backoff(cx, error, &cx.settings.retry).await.map_err(UploadError::or_unknown)?;
        }
    }

    /// True where the URL that the export wants back has expired, which the vendor answers by refusing it.
    fn get_url_lapsed(&self, cx: &Context<P>, session: &Session<P>) -> bool {
        let url = session.get_url.as_deref().and_then(|url| cx.platform.resolve(url));
        let lapsed = url.is_some_and(|url| {
            // By the URL's own span too, whatever the clocks say.
            let lives = url.query_value("X-Amz-Expires").and_then(|seconds| seconds.parse::<u64>().ok());
            let age = cx.platform.now().saturating_sub(session.begun_at);
            lives.is_some_and(|seconds| age >= seconds.saturating_mul(1000))
                || url.expires_at().is_some_and(|at| cx.is_past(at, session.begun_at))
        });
        if lapsed {
            self.lapsed.set(true);
        }
        lapsed
    }

    fn etag<'a>(&self, etag: Option<&'a str>) -> &'a str {
        let etag = etag.unwrap_or_default();
        if self.strip_etag_quotes { text::trim_matches(etag, b'"') } else { etag }
    }
}

/// What the answer to finish or export gives: the object's ETag, or the record's id.
fn concluded<P: Platform>(platform: &P, step: Step, response: &Response) -> Result<String> {
    if step == Step::Export {
        let mut record = Record::default();
        read(platform, step, response, &mut record)?;
        return Ok(record.id.0);
    }
    let mut reply = FinishReply::default();
    read(platform, step, response, &mut reply)?;
    Ok(reply.e_tag)
}

/// What was never exported made no vault entry: once its URLs have lapsed, a new upload is right.
fn lapsed(step: Step, error: &UploadError) -> UploadError {
    let lapsed = UploadError::new(Code::UrlExpired, "Onlymonster's URLs expired before the export.").at(step);
    with_words(lapsed, error)
}

impl<P: Platform> Provider<P> for Onlymonster<P> {
    fn accept(&self) -> Accept {
        Accept::of(&[], MAX_BYTES)
    }

    fn processes(&self) -> bool {
        true
    }

    async fn check(&self, cx: &Context<P>, _outcome: &mut Outcome<P>) -> Result<bool> {
        self.verify_fan(cx).await?;
        Ok(false)
    }

    /// A presigned URL that expired can't be had again.
    fn keeps_urls(&self) -> bool {
        true
    }

    async fn restore(&self, cx: &Context<P>, resumed: &mut Resumed<P>) -> Result<()> {
        let session = &resumed.session;
        if resumed.phase == Phase::Settling {
            return match session.record_id {
                Some(_) => Ok(()),
                None => Err(in_doubt(Step::Status, "Which record the upload became was not kept.")),
            };
        }
        let named = session.key.is_some() && session.get_url.is_some();
        let sound = session.is_sound() && session.multipart == session.upload_id.is_some();
        if !(named && sound) || unsendable(&cx.platform, &session.plan).is_some() {
            return Err(not_whole());
        }
        self.verify_fan(cx).await?;
        // An earlier page may have come further than it could keep: what was exported is only waited for.
        let known = self.find_session(cx, session).await?;
        if let Some(record) = known.filter(Record::was_exported) {
            resumed.session.etag = record.metadata.and_then(|metadata| metadata.e_tag);
            resumed.session.record_id = Some(record.id.0);
            resumed.phase = Phase::Settling;
        }
        Ok(())
    }

    async fn open(&self, cx: &Context<P>) -> Result<Session<P>> {
        // Assumed from a record's metadata.
        let body = cx.platform.encode(&Made::Object(vec![
            ("name", (&cx.file.name).into()),
            ("size", cx.file.size.into()),
            ("content_type", cx.file.known_type().into()),
        ]));
        let mut retries = RetryLoop::default();
        loop {
            let request = self.post(Step::Init, "/start", body.clone());
            let answer = self.api.call(cx, request, Idempotency::Unsafe).await;
            let mut reply = StartReply::default();
            let error = match answer.and_then(|response| read(&cx.platform, Step::Init, &response, &mut reply)) {
                Ok(_) => return session(cx, reply),
                Err(error) if error.answer_lost && matches!(error.retry, Retry::Later(_)) => error,
                Err(error) => return Err(error),
            };
            // The list can't give the URLs of a start whose answer was lost, and what is never exported makes no vault entry: so a
            // new start is right whatever it shows. Reading it tells at least whether the API is there again.
            let listed = self.find(cx, &|_| true).await;
            retries.backoff(cx, listed.err().unwrap_or(error), &cx.settings.retry).await?;
        }
    }

    async fn part_request(
        &self,
        cx: &Context<P>,
        session: &Session<P>,
        part: &Part,
        _renew: bool,
    ) -> Result<Request<P>> {
        let url = part.url.as_deref().and_then(|url| cx.platform.resolve(url));
        let Some(url) = url else {
            return Err(UploadError::new(Code::PlanMismatch, "The part has no address.").at(Step::Part));
        };
        if url.expires_at().is_some_and(|at| cx.is_past(at, session.begun_at)) {
            self.lapsed.set(true);
        }
        presigned_put(cx, part, url)
    }

    fn receipt(&self, cx: &Context<P>, _session: &Session<P>, part: &Part, response: &Response) -> Result<Receipt<P>> {
        let receipt = store::receipt(&cx.platform, part, response, true);
        if receipt.as_ref().is_err_and(|error| error.code == Code::UrlExpired) {
            self.lapsed.set(true);
        }
        receipt
    }

    async fn complete(
        &self,
        cx: &Context<P>,
        session: &Session<P>,
        parts: &[Receipt<P>],
        again: bool,
        outcome: &mut Outcome<P>,
    ) -> Result<()> {
        // An earlier page may have come further than it could tell: the list decides.
        let known = if again { self.find_session(cx, session).await? } else { None };
        let exported = known.as_ref().and_then(|record| shown(record, Step::Export));
        let finished = known.as_ref().and_then(|record| shown(record, Step::Complete));
        let etag = match finished {
            Some(etag) => etag,
            None if session.multipart && exported.is_none() => {
                let body = self.finish_body(cx, session, parts);
                self.conclude(cx, session, Step::Complete, body, again).await?
            }
            None => {
                self.etag(parts.first().and_then(|part| part.etag.as_deref()).filter(|_| !session.multipart)).into()
            }
        };
        let record_id = match exported {
            Some(id) => id,
            None => {
                let body = self.export_body(cx, session, &etag);
                self.conclude(cx, session, Step::Export, body, false).await?
            }
        };
        outcome.etag = Some(etag).filter(|etag| !etag.is_empty());
        outcome.record_id = Some(record_id);
        Ok(())
    }

    async fn settle(&self, cx: &Context<P>, session: &Session<P>, outcome: &mut Outcome<P>) -> Result<()> {
        let id = IdText(session.record_id.clone().unwrap_or_default());
        let mut record = Record { id, status: None, media_id: None, metadata: None };
        let mut poll = Poll::new(cx, POLL_FIRST_MS, POLL_CAP_MS, self.poll_timeout_ms);
        let (mut since, mut nudged) = (cx.platform.now(), [false; MAY_STICK.len()]);
        loop {
            if judge(&record, outcome)? {
                return Ok(());
            }
            let state = MAY_STICK.iter().position(|state| record.status.as_deref() == Some(state));
            if let Some(state) =
                state.filter(|state| !nudged[*state] && cx.platform.now().saturating_sub(since) >= self.stuck_after_ms)
            {
                nudged[state] = true;
                let path = text!("{}/{}/retry", self.root, encode_segment(&record.id.0));
                let request = self.api.request(Step::Retry, Method::Post, &path, "");
                // A refusal says that the status has moved on, which the next look shows.
                let _ = self.api.call(cx, request, Idempotency::Safe).await;
            }
            let before = record.status.clone();
            match poll.next(cx).await? {
                Some(notice) if !is_about(&notice, &record) => continue,
                Some(notice) if notice.status != "exported" || notice.media_id.is_some() => {
                    record.status = Some(notice.status);
                    record.media_id = notice.media_id;
                }
                _ => match self.find(cx, &|other| other.id == record.id).await {
                    Ok(Some(seen)) => record = seen,
                    Ok(None) => (),
                    // The export was taken: a list that can't be read for a while ends nothing.
                    Err(error) if matches!(error.retry, Retry::Later(_)) => (),
                    Err(error) => return Err(error),
                },
            }
            if record.status != before {
                since = cx.platform.now();
            }
        }
    }
}
