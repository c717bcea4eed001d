//! One form with the whole file, to a server of one's own or to a bucket by a POST policy; then, if the server says so, a job whose status
//! is polled.
//!
//! Sources: HTML Standard, "Multipart form data"; RFC 7578; AWS S3 API Reference, "POST Object".

mod job;
mod options;
mod reply;

use std::cell::{Cell, RefCell};

use self::options::Options;
use super::setup::Setup;
use super::shared::errors::outcome_unknown;
use super::shared::form::{self, FormSession};
use super::shared::job::Job;
use super::shared::outcome::merged;
use crate::context::Context;
use crate::context::calls::Idempotency;
use crate::context::integrity;
use crate::error::{Code, Result, Step, UploadError};
use crate::http::{Request, Response, StoreRequest};
use crate::json::{Decode, Json, StringMap};
use crate::model::events::Outcome;
use crate::model::plan::Part;
use crate::model::session::{Phase, Progressed, Receipt, Session};
use crate::model::settings::Integrity;
use crate::platform::{Hook, Platform, RequestOf};
use crate::provider::{Capabilities, Provider};
use crate::util::text;

/// The provider for one upload by a form. Its plan is one part, the form.
#[derive(Debug)]
pub struct Form {
    options: Options,
    /// Whether the server may name a job: until its answer to the form is read, and then whether it did.
    has_job: Cell<bool>,
    /// The policy of the form that was sent, where it went to a bucket.
    policy: RefCell<Option<Policy>>,
    /// The answer to the form.
    answer: RefCell<Option<Response>>,
}

impl Form {
    /// Reads the options.
    ///
    /// # Errors
    /// `invalid-options`.
    pub fn new<P: Platform>(options: &P::Json, setup: &Setup<'_, P>) -> Result<Self> {
        let options = Options::read(options, setup)?;
        Ok(Self { has_job: Cell::new(options.parses), options, policy: RefCell::default(), answer: RefCell::default() })
    }

    /// The fields beside the file. A function of the application's is called for each attempt: a policy may have expired since the last.
    async fn fields<P: Platform>(&self, cx: &Context<P>) -> Result<Vec<(String, String)>> {
        let fields = match &self.options.fields {
            Some(fields) => fields.clone(),
            None => {
                let info = cx.file_info(cx.file().known_type());
                let given = cx.hook(Hook::Fields, vec![info], Step::Sign, Idempotency::Safe).await?;
                let given: Option<StringMap> = Decode::decode(Some(&given)).map_err(|mismatch| {
                    let why = mismatch.within("fields").message();
                    UploadError::new(Code::Application, text!("What `fields` returned can't be sent: {}.", why))
                        .at(Step::Sign)
                        .hint("Return an object of strings, or a promise of it.")
                })?;
                given.unwrap_or_default().0
            }
        };
        if fields.iter().any(|(name, _)| *name == self.options.file_field) {
            return Err(UploadError::new(
                Code::InvalidOptions,
                text!("`fields` must not have the file's own field, \"{}\".", self.options.file_field),
            )
            .at(Step::Sign)
            .hint("Leave it out, or name the file's field by `fileField`."));
        }
        Ok(fields)
    }

    /// The address of a job, if it may be asked: it gets the headers of the form.
    fn job_url<P: Platform>(&self, cx: &Context<P>, address: &str) -> Result<String> {
        let origins = &self.options.api.origins;
        // A path is one of the server that the form went to.
        let address = match address.strip_prefix('/') {
            Some(path) if !path.starts_with('/') => text::concat(&[&origins.base.origin, "/", path]),
            _ => address.into(),
        };
        let url = cx.platform.resolve(&address).filter(|_| text::contains(&address, "://"));
        if let Some(url) = url.as_ref().filter(|url| origins.trusts(url)) {
            return Ok(url.href.clone());
        }
        let found = url.map_or("something else".into(), |url| text!("one of {}", url.origin));
        Err(UploadError::new(
            Code::Application,
            text!("`poll` must be an address of {}, but is {}.", origins.base.origin, found),
        )
        .at(Step::Status)
        .hint("The server has accepted the form. Name another origin in `trustedOrigins`: polls carry the form's `headers`."))
    }
}

/// A form that is for a bucket, since a policy allows it.
#[derive(Clone, Debug)]
struct Policy {
    /// The object's key, if the page can know it.
    key: Option<String>,
}

impl Policy {
    /// None for the fields of any other form. (AWS S3 API Reference, "POST Object": `policy` and `x-amz-signature`, or `signature` with
    /// version 2; Google Cloud Storage, "POST Object": `policy` and `x-goog-signature`.)
    fn of(fields: &[(String, String)]) -> Option<Self> {
        let find = |is: fn(&str) -> bool| fields.iter().find(|(name, _)| is(&name.to_ascii_lowercase()));
        find(|name| name == "policy").and(find(|name| name.ends_with("signature")))?;
        // The store replaces what is in braces.
        let key = find(|name| name == "key").filter(|(_, key)| !text::contains(key, "${"));
        Some(Self { key: key.map(|(_, key)| key.clone()) })
    }
}

/// The error when the server may have the file, and what it answered is unknown.
fn no_answer() -> UploadError {
    outcome_unknown(Step::Part, "The page was closed before the server's answer to the form was read.")
}

impl<P: Platform> Provider<P> for Form {
    type Session = FormSession;

    const NAME: &'static str = "form";

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            takes_empty: true,
            // An expired policy is replaced by the next one.
            renews_urls: self.options.fields.is_none(),
            processes: self.has_job.get(),
            // A form can't be continued midway; one that may arrive twice is sent again.
            resumes: self.options.repeatable,
            repeats_single_parts: self.options.repeatable,
            calls_hosts_of_parts: true,
            ..Capabilities::DEFAULT
        }
    }

    async fn open(&self, cx: &Context<P>) -> Result<Session<FormSession>> {
        form::open(cx)
    }

    async fn restore(
        &self,
        _cx: &Context<P>,
        session: &Session<FormSession>,
        saved: Progressed<P::Json>,
    ) -> Result<Progressed<P::Json>> {
        match saved.phase {
            Phase::Settling if session.state.job.get().is_some() => Ok(saved),
            // The answer isn't saved, so neither is what it says of a job.
            Phase::Sending | Phase::Completing if self.options.repeatable => {
                Ok(Progressed { phase: Phase::Sending, uploaded: Vec::new() })
            }
            _ => Err(no_answer()),
        }
    }

    async fn part_request(
        &self,
        cx: &Context<P>,
        _session: &Session<FormSession>,
        part: &Part,
        _renew: bool,
    ) -> Result<RequestOf<P>> {
        let Options { api, method, file_field, repeatable, .. } = &self.options;
        let fields = self.fields(cx).await?;
        let policy = Policy::of(&fields);
        self.policy.replace(policy.clone());
        let body = form::body(cx, part, fields, file_field.clone());
        let url = &api.origins.base;
        if policy.is_some() {
            // What is the page's own, `headers` among it, is not for a bucket: the policy is all that it needs.
            let request = StoreRequest::new(&cx.platform.origin(), Step::Part, *method, url.clone(), Vec::new(), body)?;
            return Ok(Request::Store(request.once(!repeatable)));
        }
        if cx.settings.integrity == Integrity::Require {
            return Err(integrity::unprovable().at(Step::Check));
        }
        // Frameworks give the answer an ETag of its own, which may look like an MD5 (Rack::ETag).
        cx.etags.set_meaningless();
        Ok(Request::Api(form::request(api, cx, *method, url.href.clone(), body, !repeatable)))
    }

    fn receipt(
        &self,
        cx: &Context<P>,
        _session: &Session<FormSession>,
        part: &Part,
        response: &Response,
    ) -> Result<Receipt<P::Json>> {
        self.options.api.answered(cx, response);
        if !response.ok() {
            return Err(self.options.api.refusal(response, cx.platform.now()).at(Step::Part));
        }
        self.answer.replace(Some(response.clone()));
        let etag = self.policy.borrow().is_some().then(|| reply::object::<P::Json>(response).etag);
        Ok(Receipt::new(part.number, etag.flatten()))
    }

    async fn complete(
        &self,
        cx: &Context<P>,
        session: &Session<FormSession>,
        parts: &[Receipt<P::Json>],
        _again: bool,
    ) -> Result<Outcome<P::Json>> {
        let response = self.answer.take().ok_or_else(no_answer)?;
        let known = match &*self.policy.borrow() {
            Some(Policy { key }) => {
                let object = reply::object(&response);
                let etag = parts.first().and_then(|part| part.etag.clone());
                Outcome { etag, key: object.key.or_else(|| key.clone()), ..object }
            }
            None => Outcome::default(),
        };
        let known = Outcome { status: Some(response.status), ..known };
        let value: P::Json = reply::value(&response);
        let warn = &|message: &str| cx.platform.warn(message);
        if !self.options.parses {
            return Ok(merged(&value, known, "the server's reply", warn));
        }
        let arguments = vec![value, reply::head(&response)];
        let parsed = cx.hook(Hook::Parse, arguments, Step::Complete, Idempotency::Unsafe).await.map_err(|error| {
            error.hint("The server has accepted the form: look there before you send the file again. `cause` is the exception.")
        })?;
        let poll = parsed.member("poll");
        self.has_job.set(poll.is_some());
        if let Some(poll) = poll {
            let address = String::decode(Some(&poll)).unwrap_or_default();
            let url = self.job_url(cx, &address)?;
            session.state.job.get_or_init(|| url);
        }
        Ok(merged(&parsed, known, "what `parse` returned", warn))
    }

    async fn settle(
        &self,
        cx: &Context<P>,
        session: &Session<FormSession>,
        outcome: Outcome<P::Json>,
    ) -> Result<Outcome<P::Json>> {
        let Some(job) = session.state.job.get() else { return Ok(outcome) };
        let url = self.job_url(cx, job)?;
        let mut job = Job::new(cx, &self.options.api, url, self.options.cadence);
        loop {
            let response = job.next(cx).await?;
            let judged = job::judge(cx, reply::value(&response), self.options.judges, &outcome).await?;
            if let Some(outcome) = judged {
                return Ok(outcome);
            }
        }
    }
}
