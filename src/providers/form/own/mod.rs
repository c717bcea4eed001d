//! A form to a server of one's own, or to a bucket by a POST policy. The application says what is in it and what its answers mean.
//!
//! Sources: HTML Standard, "Multipart form data"; RFC 7578; AWS S3 API Reference, "POST Object".

mod judge;
mod options;
mod policy;
mod reply;

use std::cell::{Cell, RefCell};

use futures::FutureExt;
use futures::future::LocalBoxFuture;

use self::options::Options;
use self::policy::Policy;
use super::dialect::{Accepted, Dialect, Target, no_answer};
use crate::context::Context;
use crate::context::calls::Idempotency;
use crate::context::integrity;
use crate::error::{Code, Result, Step, UploadError};
use crate::http::{Request, Response, StoreRequest};
use crate::json::{Decode, Json, StringMap};
use crate::model::events::Outcome;
use crate::model::plan::Part;
use crate::model::session::Receipt;
use crate::model::settings::Integrity;
use crate::platform::{BodyOf, Hook, Platform, RequestOf};
use crate::provider::Capabilities;
use crate::providers::setup::Setup;
use crate::providers::shared::outcome::merged;
use crate::util::text;

/// The dialect that the options describe.
#[derive(Debug)]
pub(crate) struct Own {
    options: Options,
    /// Whether the server may name a job: until its answer to the form is read, and then whether it did.
    has_job: Cell<bool>,
    /// The policy of the form that was sent, where it went to a bucket.
    policy: RefCell<Option<Policy>>,
    /// The answer to the form.
    answer: RefCell<Option<Response>>,
}

impl Own {
    /// Reads the options.
    ///
    /// # Errors
    /// `invalid-options`.
    pub(crate) fn new<P: Platform>(options: &P::Json, setup: &Setup<'_, P>) -> Result<Self> {
        let options = Options::read(options, setup)?;
        Ok(Self { has_job: Cell::new(options.parses), options, policy: RefCell::default(), answer: RefCell::default() })
    }

    /// The fields beside the file. A function of the application's is called for each attempt: a policy may have expired since the last.
    async fn checked_fields<P: Platform>(&self, cx: &Context<P>) -> Result<Vec<(String, String)>> {
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
        let file_field = &self.options.target.file_field;
        if fields.iter().any(|(name, _)| name == file_field) {
            return Err(UploadError::new(
                Code::InvalidOptions,
                text!("`fields` must not have the file's own field, \"{}\".", file_field),
            )
            .at(Step::Sign)
            .hint("Leave it out, or name the file's field by `fileField`."));
        }
        self.policy.replace(Policy::of(&fields));
        Ok(fields)
    }
}

impl<P: Platform> Dialect<P> for Own {
    fn name(&self) -> &'static str {
        "form"
    }

    fn target(&self) -> &Target {
        &self.options.target
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            takes_empty: true,
            // An expired policy is replaced by the next one.
            renews_urls: self.options.fields.is_none(),
            processes: self.has_job.get(),
            ..Capabilities::DEFAULT
        }
    }

    fn fields<'a>(&'a self, cx: &'a Context<P>) -> LocalBoxFuture<'a, Result<Vec<(String, String)>>> {
        self.checked_fields(cx).boxed_local()
    }

    fn request(&self, cx: &Context<P>, form: BodyOf<P>) -> Result<RequestOf<P>> {
        let target = &self.options.target;
        if self.policy.borrow().is_some() {
            // What is the page's own, `headers` among it, is not for a bucket: the policy is all that it needs.
            let (page, url) = (cx.platform.origin(), target.api.origins.base.clone());
            let request = StoreRequest::new(&page, Step::Part, target.method, url, Vec::new(), form)?;
            return Ok(Request::Store(request.once(!target.repeatable)));
        }
        if cx.settings.integrity == Integrity::Require {
            return Err(integrity::unprovable().at(Step::Check));
        }
        // Frameworks give the answer an ETag of its own, which may look like an MD5 (Rack::ETag).
        cx.etags.set_meaningless();
        Ok(target.request(cx, form))
    }

    fn receipt(&self, part: &Part, response: &Response, now: u64) -> Result<Receipt<P::Json>> {
        if !response.ok() {
            return Err(self.options.target.api.refusal(response, now).at(Step::Part));
        }
        self.answer.replace(Some(response.clone()));
        let etag = self.policy.borrow().is_some().then(|| reply::object::<P::Json>(response).etag);
        Ok(Receipt::new(part.number, etag.flatten()))
    }

    fn accepted<'a>(
        &'a self,
        cx: &'a Context<P>,
        form: &'a Receipt<P::Json>,
    ) -> LocalBoxFuture<'a, Result<Accepted<P::Json>>> {
        async move {
        let response = self.answer.take().ok_or_else(no_answer)?;
        let mut known = Outcome::default();
        if let Some(Policy { key }) = &*self.policy.borrow() {
            known = reply::object(&response);
            known.etag = form.etag.clone();
            known.key = known.key.or_else(|| key.clone());
        }
        known.status = Some(response.status);
        let value: P::Json = reply::value(&response);
        let warn = &|message: &str| cx.platform.warn(message);
        if !self.options.parses {
            return Ok(Accepted { outcome: merged(&value, known, "the server's reply", warn), job: None });
        }
        let arguments = vec![value, reply::head(&response)];
        let parsed = cx.hook(Hook::Parse, arguments, Step::Complete, Idempotency::Unsafe).await.map_err(|error| {
            error.hint("The server has accepted the form: look there before you send the file again. `cause` is the exception.")
        })?;
        let poll = parsed.member("poll");
        self.has_job.set(poll.is_some());
        let job = match poll {
            Some(poll) => Some(self.job_url(cx, &String::decode(Some(&poll)).unwrap_or_default())?),
            None => None,
        };
        Ok(Accepted { outcome: merged(&parsed, known, "what `parse` returned", warn), job })
        }
        .boxed_local()
    }

    /// The job's name is its address, which must be one that may get the headers of the form.
    fn job_url(&self, cx: &Context<P>, address: &str) -> Result<String> {
        let origins = &self.options.target.api.origins;
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

    fn judge<'a>(
        &'a self,
        cx: &'a Context<P>,
        _job: &'a str,
        status: &'a Response,
        known: &'a Outcome<P::Json>,
    ) -> LocalBoxFuture<'a, Result<Option<Outcome<P::Json>>>> {
        judge::judge(cx, status, self.options.judges, known).boxed_local()
    }
}
