//! The one way in which requests to the store are made: signed at the moment of sending, and, where they aren't parts, repeated
//! here, each time signed anew.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::credentials::{Credentials, SharedCredentials, Vault};
use super::options::Target;
use super::sigv4::{Signable, presign};
use super::xml;
use crate::context::Context;
use crate::context::retry::RetryLoop;
use crate::error::{Code, Result, Retry, Step, UploadError};
use crate::http::{Body, Method, Request, Response, StoreRequest};
use crate::model::settings::RetrySettings;
use crate::platform::Platform;
use crate::providers::shared::{cors, store};
use crate::util::ordered::OrderedMap;
use crate::util::text;
use crate::util::time::{parse_http, parse_iso};

/// For how long a URL is signed: it is used at once, and a body may queue behind others. (A choice.)
const EXPIRES_S: u64 = 3600;
/// A clock that is off by less is no reason for a refusal.
const SKEW_MS: u64 = 30_000;

/// A request before it is signed.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    pub(super) step: Step,
    pub(super) method: Method,
    pub(super) key: &'a str,
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) headers: &'a [(String, String)],
    /// The document that it carries, if it isn't empty.
    pub(super) xml: &'a str,
    /// What a 2xx answer must have to be one.
    pub(super) needs: Needs,
    /// Becomes true where a try may have taken effect without a usable answer.
    pub(super) lost: Cell<bool>,
}

impl<'a> Ask<'a> {
    /// A request for an object, with nothing but its query.
    pub(super) fn new(step: Step, method: Method, key: &'a str, query: &'a [(&'a str, &'a str)]) -> Self {
        Self { step, method, key, query, headers: &[], xml: "", needs: Needs::Nothing, lost: Cell::new(false) }
    }
}

/// What makes a 2xx answer one of a store's. The root's name isn't asked for: stores differ in it (moto's complete has
/// `CompleteMultipartUploadResponse`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// Anything but an error will do.
    Nothing,
    /// A document with this element right below its root, and a text in it.
    Child(&'static str),
    /// A whole document.
    List,
}

impl Needs {
    /// True where an answer has what is needed. AWS may send an `Error` with 200 (AWS S3 API Reference, CompleteMultipartUpload).
    fn are_met(self, response: &Response) -> bool {
        let has = match self {
            Needs::Nothing => true,
            Needs::Child(name) => xml::child(&response.body, name).is_some_and(|text| !text.is_empty()),
            Needs::List => xml::rows(&response.body, "Part", []).is_some(),
        };
        response.ok() && !is_error(response) && has
    }
}

/// Requests of a part so far.
#[derive(Debug, Default)]
struct Sent {
    count: u32,
    /// The set of credentials that the last one was signed with.
    set: u64,
}

/// What is between one upload and its store.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) target: Target,
    vault: Vault,
    /// The store's clock before this machine's, in milliseconds.
    ahead: Cell<i64>,
    /// What was sent of each part.
    sent: RefCell<OrderedMap<Sent>>,
    /// Credentials were asked for anew on the suspicion that they had expired.
    doubted: Cell<bool>,
}

impl Line {
    pub(super) fn new(target: Target, credentials: SharedCredentials) -> Self {
        Self {
            target,
            vault: Vault::new(credentials),
            ahead: Cell::default(),
            sent: RefCell::default(),
            doubted: Cell::default(),
        }
    }

    /// The object's address, without a query.
    pub(super) fn location(&self, key: &str) -> String {
        let address = &self.target.addresses[0];
        address.url(address.path(key), String::new()).href
    }

    /// The CORS rule that these options need.
    pub(super) fn cors_rule<P: Platform>(&self, platform: &P) -> String {
        cors::rule(&platform.origin(), cors::DIRECT, &self.target.extra_headers())
    }

    /// Signs the request for a part: for another host for each part, and for each try.
    pub(super) fn sign_part<P: Platform>(
        &self,
        platform: &P,
        credentials: &Credentials,
        number: u32,
        ask: &Ask<'_>,
        body: Body<P>,
    ) -> Result<StoreRequest<P>> {
        let mut sent = self.sent.borrow_mut();
        let sent = sent.entry(number);
        let turn = number.saturating_sub(1).wrapping_add(sent.count);
        sent.count = sent.count.wrapping_add(1);
        sent.set = credentials.set;
        self.sign(platform, credentials, turn as usize, ask, body)
    }

    /// What the store means by an answer to a part that isn't 2xx.
    pub(super) fn part_refused<P: Platform>(&self, platform: &P, number: u32, response: &Response) -> UploadError {
        let set = self.sent.borrow().get(number).map_or(0, |sent| sent.set);
        self.refused(platform, set, response).at(Step::Part)
    }

    /// Makes a request until it is answered, at most as often as `retry` says.
    pub(super) async fn call<P: Platform>(
        &self,
        cx: &Context<P>,
        ask: &Ask<'_>,
        retry: &RetrySettings,
    ) -> Result<Response> {
        let mut retries = RetryLoop::default();
        loop {
            cx.wait_while_paused().await;
            let credentials = self.credentials(cx).await?;
            let body = if ask.xml.is_empty() { Body::Empty } else { Body::Xml(ask.xml.into()) };
            let request = self.sign(&cx.platform, &credentials, 0, ask, body)?;
            let (set, lapses_at) = (credentials.set, request.url().expires_at());
            drop(credentials);
            // The looks at the object belong to this step too.
            let completes = ask.step == Step::Complete && ask.method == Method::Post;
            let error = match cx.send(Request::Store(request), completes, retries.stalls(), |_| ()).await {
                Ok(response) if ask.needs.are_met(&response) => return Ok(response),
                Ok(response) => {
                    let error = self.refused(&cx.platform, set, &response).at(ask.step);
                    // The refusal of a HEAD has no body that could say that the URL or the credentials have expired.
                    let head = ask.method == Method::Head;
                    let lapsed = lapses_at.is_some_and(|at| at <= self.now(&cx.platform));
                    if head && lapsed {
                        error.retry(Retry::Later(None))
                    } else if head && response.status == 400 && !self.doubted.replace(true) {
                        self.vault.reject(set);
                        error.retry(Retry::Later(None))
                    } else if response.ok() && !is_error(&response) {
                        unusable(error, ask.needs, &response)
                    } else if completes && conflicts(&error) {
                        // AWS S3 API Reference, CompleteMultipartUpload, "If-None-Match": begin the upload again.
                        error.retry(Retry::Restart)
                    } else {
                        error
                    }
                }
                Err(error) => error,
            };
            ask.lost.set(ask.lost.get() || error.answer_lost);
            if completes && in_doubt(&error) {
                return Err(error);
            }
            retries.backoff(cx, error, retry).await?;
        }
    }

    /// What a request may be signed with now.
    pub(super) fn credentials<P: Platform>(&self, cx: &Context<P>) -> impl Future<Output = Result<Rc<Credentials>>> {
        self.vault.get(cx, self.now(&cx.platform))
    }

    /// Signs a request for the host whose `turn` it is.
    fn sign<P: Platform>(
        &self,
        platform: &P,
        credentials: &Credentials,
        turn: usize,
        ask: &Ask<'_>,
        body: Body<P>,
    ) -> Result<StoreRequest<P>> {
        let now = self.now(platform);
        // A URL ends with the credentials that signed it (AWS, "Download and upload objects with presigned URLs").
        let left = credentials.expires_at.map_or(EXPIRES_S, |at| at.saturating_sub(now) / 1000);
        let addresses = &self.target.addresses;
        let address = &addresses[turn % addresses.len()];
        let path = address.path(ask.key);
        let signable = Signable {
            method: ask.method.as_str(),
            host: address.host(),
            path: &path,
            query: ask.query,
            headers: ask.headers,
        };
        let query = presign(&credentials.key, &self.target.region, now, left.clamp(1, EXPIRES_S), signable);
        let url = address.url(path, query);
        StoreRequest::new(&platform.origin(), ask.step, ask.method, url, ask.headers.to_vec(), body)
    }

    /// What the store means, and what is done about it: credentials that expired are asked for anew, a clock that is off is
    /// put right, an expired URL is signed again.
    fn refused<P: Platform>(&self, platform: &P, set: u64, response: &Response) -> UploadError {
        let error = store::refusal(response, platform.now());
        let code = error.vendor.as_ref().and_then(|vendor| vendor.code.as_deref()).unwrap_or("");
        if matches!(code, "ExpiredToken" | "TokenRefreshRequired") {
            self.vault.reject(set);
            return error
                .renamed(Code::Unauthorized, "The store says that the credentials have expired.")
                .hint("`getCredentials` has to give new ones each time it is called.")
                .retry(Retry::Later(None));
        }
        let early = code == "AccessDenied" && text::contains(&error.message, "not yet valid");
        if code == "RequestTimeTooSkewed" || early {
            let learnt = self.learn_clock(platform, response);
            let error = error.hint("The clock of this machine is off, and the store doesn't tell what its own says.");
            return if learnt { error.retry(Retry::Later(None)) } else { error };
        }
        if error.code == Code::UrlExpired {
            self.learn_clock(platform, response);
            return error.retry(Retry::Later(None));
        }
        error
    }

    /// Takes the store's time from its answer: the Date header, or what AWS puts into the error. True where that is news.
    fn learn_clock<P: Platform>(&self, platform: &P, response: &Response) -> bool {
        let header = response.header("date").and_then(parse_http);
        let told = || parse_iso(&xml::child(&response.body, "ServerTime")?);
        let Some(theirs) = header.or_else(told) else { return false };
        let news = theirs.abs_diff(self.now(platform)) > SKEW_MS;
        if news {
            self.ahead.set(theirs as i64 - platform.now() as i64);
        }
        news
    }

    /// The store's time, as far as it is known.
    pub(super) fn now<P: Platform>(&self, platform: &P) -> u64 {
        platform.now().saturating_add_signed(self.ahead.get())
    }
}

/// True where a complete may have taken effect, and no refusal says that it didn't: the object is looked at before the next try.
pub(super) fn in_doubt(error: &UploadError) -> bool {
    error.answer_lost && error.status.is_none_or(|status| status < 300)
}

fn is_error(response: &Response) -> bool {
    xml::root(&response.body) == Some("Error")
}

/// True where another writer of the same key was at work: the request may be made again.
fn conflicts(error: &UploadError) -> bool {
    let code = error.vendor.as_ref().and_then(|vendor| vendor.code.as_deref());
    code == Some("ConditionalRequestConflict")
}

/// The error for a 2xx answer without what is needed.
fn unusable(error: UploadError, needs: Needs, response: &Response) -> UploadError {
    let what = match needs {
        Needs::Child(name) => text::concat(&["no `", name, "`"]),
        _ => "no list of parts".into(),
    };
    let found = match xml::root(&response.body) {
        Some(root) => text::concat(&["It is a document `", root, "`."]),
        None => String::from("It is no XML document."),
    };
    let status = text::number(response.status.into());
    let message = text!("The answer has status {} and {}, so it is not an S3 store's. {}", status, what, found);
    error
        .renamed(Code::Server, message)
        .hint("Check `endpoint`: something else may have answered in place of the store.")
        .answer_lost(true)
}
