//! Requests to the store: signed at the moment of sending, and, where they carry nothing of the file, sent and repeated here, each time
//! with a new signature.

use std::cell::{Cell, RefCell};

use super::checksum::Algorithm;
use super::credentials::{CredentialCache, Credentials, SharedCredentials};
use super::endpoint::Endpoint;
use super::options::Target;
use super::sigv4::{Signable, presign};
use crate::context::integrity::checksum;
use crate::context::retry::RetryLoop;
use crate::context::{Context, cors};
use crate::error::{Code, Result, Retry, Step, UploadError};
use crate::http::{Body, Method, Request, Response, StoreRequest};
use crate::model::plan::Part;
use crate::model::settings::RetrySettings;
use crate::platform::{BodyOf, Platform, StoreRequestOf};
use crate::providers::shared::{store, xml};
use crate::util::ordered::OrderedMap;
use crate::util::text;
use crate::util::time::{parse_http, parse_iso};

/// For how long a URL is signed: it is used at once, and a body may queue behind others. (A choice.)
const EXPIRES_S: u64 = 3600;
/// A signing clock that is off by less is no reason for a refusal. (A choice: stores take up to 15 minutes, AWS S3 API Reference,
/// "Error responses", `RequestTimeTooSkewed`; `Date` has whole seconds, and an answer was on its way.)
const SKEW_MS: u64 = 30_000;

/// A request before it is signed.
#[derive(Debug)]
pub(crate) struct Operation<'a> {
    pub(crate) step: Step,
    pub(crate) method: Method,
    pub(crate) key: &'a str,
    pub(crate) query: &'a [(&'a str, &'a str)],
    pub(crate) headers: &'a [(String, String)],
    /// The document that it carries, if it isn't empty.
    pub(crate) xml: &'a str,
    /// What a 2xx answer must be.
    pub(crate) reply: Reply,
    /// Whether it completes the upload: the store may work on it for minutes, and it isn't repeated where it is unknown whether it took
    /// effect.
    pub(crate) completes: bool,
}

impl<'a> Operation<'a> {
    /// A request for an object, with only a query.
    pub(crate) fn new(step: Step, method: Method, key: &'a str, query: &'a [(&'a str, &'a str)]) -> Self {
        Self { step, method, key, query, headers: &[], xml: "", reply: Reply::Any, completes: false }
    }
}

/// What a 2xx answer of a store must be. The root's name isn't compared: stores differ in it (moto answers CompleteMultipartUpload with
/// a `CompleteMultipartUploadResponse`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Anything but an error.
    Any,
    /// A document with this element right below its root, and text in it.
    Element(&'static str),
    /// A whole document.
    PartList,
}

impl Reply {
    /// Whether an answer is one. AWS may send an `Error` with 200 (AWS S3 API Reference, CompleteMultipartUpload).
    fn is_in(self, response: &Response) -> bool {
        let fits = match self {
            Reply::Any => true,
            Reply::Element(name) => xml::child(&response.body, name).is_some_and(|text| !text.is_empty()),
            Reply::PartList => xml::rows(&response.body, "Part", []).is_some(),
        };
        response.ok() && !is_error(response) && fits
    }
}

/// The result of an operation.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) result: Result<Response>,
    /// Whether a try, the last one or one before, may have taken effect without a usable answer.
    pub(crate) maybe_effective: bool,
}

/// What a request was signed with.
#[derive(Clone, Copy, Debug, Default)]
struct Signed {
    /// The set of credentials.
    set: u64,
    /// How far the signature's clock was ahead of this machine's, in milliseconds.
    ahead_ms: i64,
    /// The endpoint that it went to.
    endpoint: usize,
}

/// One upload's client for its store.
#[derive(Debug)]
pub(crate) struct S3Client {
    pub(super) target: Target,
    credentials: CredentialCache,
    /// The last request of each part.
    sent: RefCell<OrderedMap<Signed>>,
    /// Whether new credentials were already requested on the suspicion that the old ones had expired.
    suspected: Cell<bool>,
}

impl S3Client {
    pub(super) fn new(target: Target, credentials: SharedCredentials) -> Self {
        Self {
            target,
            credentials: CredentialCache::new(credentials),
            sent: RefCell::default(),
            suspected: Cell::default(),
        }
    }

    /// The object's URL, without a query.
    pub(super) fn location(&self, key: &str) -> String {
        let endpoint = &self.target.endpoints[0];
        endpoint.url(endpoint.path(key), String::new()).href
    }

    /// The CORS rule that the bucket needs for a page of that origin.
    pub(super) fn cors_rule(&self, page_origin: &str) -> String {
        let more: &[_] = if self.target.checksum == Some(Algorithm::Sha256) { &[checksum::SHA256] } else { &[] };
        cors::rule(page_origin, cors::DIRECT, &self.target.extra_headers(), more)
    }

    /// Gets the credentials ahead of a request.
    ///
    /// # Errors
    /// Those of [`CredentialCache::get`].
    pub(super) async fn authenticate<P: Platform>(&self, cx: &Context<P>) -> Result<()> {
        self.credentials.get(cx).await.map(drop)
    }

    /// The origins of the endpoints.
    pub(super) fn origins(&self) -> impl Iterator<Item = &str> {
        self.target.endpoints.iter().map(Endpoint::origin)
    }

    /// Whether an endpoint is left that neither fails nor refuses. If there is none, all are used again.
    pub(super) fn has_other_host<P: Platform>(&self, cx: &Context<P>) -> bool {
        if cx.hosts().count_good(self.origins()) > 0 {
            return self.target.endpoints.len() > 1;
        }
        cx.hosts().forgive(self.origins());
        false
    }

    /// Signs the request for a part: for the endpoint with the fewest parts under way, and for another one at each try.
    ///
    /// # Errors
    /// Those of [`CredentialCache::get`], and of [`StoreRequest::new`].
    pub(crate) async fn sign_part<P: Platform>(
        &self,
        cx: &Context<P>,
        operation: &Operation<'_>,
        part: &Part,
    ) -> Result<StoreRequestOf<P>> {
        let credentials = self.credentials.get(cx).await?;
        let last = self.sent.borrow().get(part.number).map(|last| last.endpoint);
        let origins: Vec<&str> = self.origins().collect();
        let endpoint = cx.hosts().pick(&origins, part.number as usize, last);
        self.sent.borrow_mut().insert(part.number, signed_now(cx, &credentials, endpoint));
        self.sign(cx, &credentials, endpoint, operation, Body::File(cx.file().body(part.range, None)))
    }

    /// The error for an answer to a part that isn't 2xx.
    pub(super) fn part_refusal<P: Platform>(&self, cx: &Context<P>, number: u32, response: &Response) -> UploadError {
        let last = self.sent.borrow().get(number).copied().unwrap_or_default();
        // A late part is sent twice: its last request may have gone elsewhere.
        let asked = |origin: &str| response.address.strip_prefix(origin).is_some_and(|path| path.starts_with('/'));
        let signed = Signed { endpoint: self.origins().position(asked).unwrap_or(last.endpoint), ..last };
        let error = not_a_store(self.refusal(cx, signed, response).at(Step::Part), response);
        self.note_refusal(cx, signed, &error);
        error
    }

    /// Notes that a host refuses (a policy may allow the addresses of one name, and not those of another).
    fn note_refusal<P: Platform>(&self, cx: &Context<P>, signed: Signed, error: &UploadError) {
        if error.code == Code::Forbidden && error.concerns_host() {
            cx.hosts().refused(self.target.endpoints[signed.endpoint].origin());
        }
    }

    /// Makes a request until it is answered, at most as often as `retry` says.
    ///
    /// # Errors
    /// The last attempt's.
    pub(crate) async fn call<P: Platform>(
        &self,
        cx: &Context<P>,
        operation: &Operation<'_>,
        retry: &RetrySettings,
    ) -> Result<Response> {
        self.execute(cx, operation, retry).await.result
    }

    /// Like [`Self::call`], and returns whether the request may have taken effect.
    pub(crate) async fn execute<P: Platform>(
        &self,
        cx: &Context<P>,
        operation: &Operation<'_>,
        retry: &RetrySettings,
    ) -> Answer {
        let mut retries = RetryLoop::default();
        let mut maybe_effective = false;
        loop {
            cx.wait_while_paused().await;
            let (request, signed) = match self.prepare(cx, operation).await {
                Ok(prepared) => prepared,
                Err(error) => return Answer { result: Err(error), maybe_effective },
            };
            let expires_at = request.url().expires_at();
            let answer = cx.send(Request::Store(request), operation.completes, retries.stalls(), |_| ()).await;
            let error = match answer {
                Ok(response) if operation.reply.is_in(&response) => {
                    return Answer { result: Ok(response), maybe_effective };
                }
                Ok(response) => self.error(cx, operation, signed, expires_at, &response),
                Err(error) => error,
            };
            maybe_effective |= error.answer_lost;
            let refused = error.concerns_host() && !cx.hosts().is_good(self.target.endpoints[signed.endpoint].origin());
            let error = if refused && self.has_other_host(cx) { error.retry(Retry::Later(None)) } else { error };
            if operation.completes && is_outcome_open(&error) {
                return Answer { result: Err(error), maybe_effective };
            }
            if let Err(error) = retries.backoff(cx, error, retry).await {
                return Answer { result: Err(error), maybe_effective };
            }
        }
    }

    /// The signed request, and what it was signed with.
    async fn prepare<P: Platform>(
        &self,
        cx: &Context<P>,
        operation: &Operation<'_>,
    ) -> Result<(StoreRequestOf<P>, Signed)> {
        let credentials = self.credentials.get(cx).await?;
        let body = if operation.xml.is_empty() { Body::Empty } else { Body::Xml(operation.xml.into()) };
        let endpoint = self.origins().position(|origin| cx.hosts().is_good(origin)).unwrap_or_default();
        Ok((self.sign(cx, &credentials, endpoint, operation, body)?, signed_now(cx, &credentials, endpoint)))
    }

    /// Signs a request for an endpoint.
    fn sign<P: Platform>(
        &self,
        cx: &Context<P>,
        credentials: &Credentials,
        endpoint: usize,
        operation: &Operation<'_>,
        body: BodyOf<P>,
    ) -> Result<StoreRequestOf<P>> {
        let now = cx.server_now();
        // A URL ends with the credentials that signed it (AWS, "Download and upload objects with presigned URLs").
        let left = credentials.expires_at.map_or(EXPIRES_S, |at| at.saturating_sub(now) / 1000);
        let endpoint = &self.target.endpoints[endpoint];
        let path = endpoint.path(operation.key);
        let signable = Signable {
            method: operation.method.as_str(),
            host: endpoint.host(),
            path: &path,
            query: operation.query,
            headers: operation.headers,
        };
        let query = presign(&credentials.key, &self.target.region, now, left.clamp(1, EXPIRES_S), signable);
        let url = endpoint.url(path, query);
        let headers = operation.headers.to_vec();
        StoreRequest::new(&cx.platform.origin(), operation.step, operation.method, url, headers, body)
    }

    /// The error for an answer that isn't the reply to an operation.
    fn error<P: Platform>(
        &self,
        cx: &Context<P>,
        operation: &Operation<'_>,
        signed: Signed,
        expires_at: Option<u64>,
        response: &Response,
    ) -> UploadError {
        let error = self.refusal(cx, signed, response).at(operation.step);
        // The refusal of a HEAD has no body that could say that the URL or the credentials have expired.
        let head = operation.method == Method::Head;
        if head && expires_at.is_some_and(|at| at <= cx.server_now()) {
            return error.retry(Retry::Later(None));
        }
        if head && response.status == 400 && !self.suspected.replace(true) {
            self.credentials.reject(signed.set);
            return error.retry(Retry::Later(None));
        }
        let error = if head { error } else { not_a_store(error, response) };
        if operation.step == Step::Init {
            self.note_refusal(cx, signed, &error);
        }
        if response.ok() && !is_error(response) {
            return unusable(error, operation.reply, response);
        }
        if operation.completes
            && error.vendor.as_ref().is_some_and(|vendor| vendor.code.as_deref() == Some("BadDigest"))
        {
            // The parts are what they are: the same request would meet the same refusal.
            return error.retry(Retry::Never);
        }
        if operation.completes && conflicts(&error) {
            // AWS S3 API Reference, CompleteMultipartUpload, "If-None-Match": begin the upload again.
            return error.retry(Retry::Restart);
        }
        error
    }

    /// What the store means by an answer that isn't 2xx, and what follows: expired credentials are replaced, the clock is set, an expired
    /// URL is signed again.
    fn refusal<P: Platform>(&self, cx: &Context<P>, signed: Signed, response: &Response) -> UploadError {
        let error = store::refusal(response, cx.platform.now());
        let code = error.vendor.as_ref().and_then(|vendor| vendor.code.as_deref()).unwrap_or("");
        if matches!(code, "ExpiredToken" | "TokenRefreshRequired") {
            self.credentials.reject(signed.set);
            return error
                .renamed(Code::Unauthorized, "The store says that the credentials have expired.")
                .hint("`getCredentials` must return new credentials each time it is called.")
                .retry(Retry::Later(None));
        }
        let early = code == "AccessDenied" && text::contains(&error.message, "not yet valid");
        if code == "RequestTimeTooSkewed" || early {
            let differed = learn_clock(cx, signed, response);
            let error = error.hint(
                "The clock of this machine is wrong, and the store's answer doesn't tell the time. Set the machine's clock, or \
                 expose `Date` by the bucket's CORS rule.",
            );
            return if differed { error.retry(Retry::Later(None)) } else { error };
        }
        if error.code == Code::UrlExpired {
            learn_clock(cx, signed, response);
            return error.retry(Retry::Later(None));
        }
        error
    }
}

/// Says where an answer of a web server comes from that knows no S3: a store's refusals are XML.
fn not_a_store(error: UploadError, response: &Response) -> UploadError {
    if error.code == Code::BadRequest && xml::root(&response.body) != Some("Error") {
        return error.hint("Check `endpoint`: what answers there may not be an S3 store.");
    }
    error
}

/// What a request to that endpoint is signed with now.
fn signed_now<P: Platform>(cx: &Context<P>, credentials: &Credentials, endpoint: usize) -> Signed {
    Signed { endpoint, set: credentials.set, ahead_ms: cx.server_now() as i64 - cx.platform.now() as i64 }
}

/// Sets the servers' clock to the store's time: the `Date` of its answer, or what AWS puts into the error. Whether the signature's clock
/// differed from it. (The clock itself may have learnt the `Date` already.)
fn learn_clock<P: Platform>(cx: &Context<P>, signed: Signed, response: &Response) -> bool {
    let date = response.header("date").and_then(parse_http);
    let in_error = || parse_iso(&xml::child(&response.body, "ServerTime")?);
    let Some(theirs) = date.or_else(in_error) else { return false };
    let now = cx.platform.now();
    cx.clock.set(theirs, now);
    theirs.abs_diff(now.saturating_add_signed(signed.ahead_ms)) > SKEW_MS
}

/// Whether a request that completes an upload may have taken effect, and no refusal says that it didn't.
pub(super) fn is_outcome_open(error: &UploadError) -> bool {
    error.answer_lost && error.status.is_none_or(|status| status < 300)
}

fn is_error(response: &Response) -> bool {
    xml::root(&response.body) == Some("Error")
}

/// Whether another request wrote the same key at the same time, so that this one may be made again.
fn conflicts(error: &UploadError) -> bool {
    let code = error.vendor.as_ref().and_then(|vendor| vendor.code.as_deref());
    code == Some("ConditionalRequestConflict")
}

/// The error for a 2xx answer that isn't the reply.
fn unusable(error: UploadError, expected: Reply, response: &Response) -> UploadError {
    let root = xml::root(&response.body);
    let (expected, flaw) = match expected {
        Reply::Element(name) => (text!("a document with `{}`", name), "without it"),
        Reply::PartList => ("a list of parts".into(), "that is cut short"),
        Reply::Any => ("anything but an error".into(), "with one"),
    };
    let found = root.map_or_else(|| "no XML document".into(), |root| text!("a document `{}` {}", root, flaw));
    let message = text!("The store's answer must be {}, but is {}.{}", expected, found, response.attribution());
    error
        .renamed(Code::Server, message)
        .hint("Check `endpoint`: a server that is no S3 store may have answered.")
        .answer_lost(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Response {
        Response { status, body: body.into(), ..Response::default() }
    }

    #[test]
    fn a_2xx_answer_without_the_reply_is_none() {
        let upload = "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>";
        let list = "<ListPartsResult></ListPartsResult>";
        let error = "<Error><Code>InternalError</Code></Error>";
        let id = Reply::Element("UploadId");
        for (reply, status, body, fits) in [
            (id, 200, upload, true),
            (id, 500, upload, false),
            (id, 200, "<A><UploadId/></A>", false),
            (id, 200, list, false),
            (Reply::PartList, 200, list, true),
            (Reply::PartList, 200, &list[..list.len() - 3], false),
            (Reply::PartList, 200, "", false),
            (Reply::Any, 204, "", true),
            (Reply::Any, 200, error, false),
        ] {
            assert_eq!(reply.is_in(&answer(status, body)), fits, "{reply:?} in {status} {body}");
        }
    }

    #[test]
    fn the_error_says_what_was_expected_and_found() {
        for (reply, body, words) in [
            (Reply::Element("ETag"), "<html><p>x</p></html>", "with `ETag`, but is a document `html` without it."),
            (Reply::Element("ETag"), "{}", "must be a document with `ETag`, but is no XML document."),
            (Reply::PartList, "<List><Part>", "a list of parts, but is a document `List` that is cut short."),
        ] {
            let error = unusable(UploadError::new(Code::Server, "x").status(200), reply, &answer(200, body));
            assert!(error.message.contains(words), "{}", error.message);
            assert!(error.answer_lost && is_outcome_open(&error));
        }
    }
}
