//! What tells one API that takes a form from another.

use futures::future::LocalBoxFuture;

use super::job::Cadence;
use crate::context::Context;
use crate::error::{Result, Step, UploadError};
use crate::http::{Method, Request, Response};
use crate::model::events::Outcome;
use crate::model::plan::Part;
use crate::model::session::Receipt;
use crate::platform::{ApiRequestOf, BodyOf, Platform, RequestOf};
use crate::provider::Capabilities;
use crate::providers::shared::api::Api;
use crate::providers::shared::errors::outcome_unknown;

/// Where a form goes, and what is known of it before any answer.
#[derive(Debug)]
pub(crate) struct Target {
    /// The server, with the headers that only it gets, and what its refusals mean.
    pub(crate) api: Api,
    pub(crate) method: Method,
    /// The address of the form.
    pub(crate) url: String,
    /// The name of the file's field.
    pub(crate) file_field: String,
    /// Whether the form may arrive twice.
    pub(crate) repeatable: bool,
    /// How its job is polled.
    pub(crate) cadence: Cadence,
}

impl Target {
    /// The request that sends the form to the API, with its headers.
    pub(crate) fn request<P: Platform>(&self, cx: &Context<P>, form: BodyOf<P>) -> RequestOf<P> {
        let mut request: ApiRequestOf<P> = self.api.request_to(Step::Part, self.method, self.url.clone());
        (request.body, request.must_not_repeat) = (form, !self.repeatable);
        self.api.add_key(cx, &mut request);
        Request::Api(request)
    }
}

/// What the server made of a form.
pub(crate) struct Accepted<J> {
    /// What is known of the file by now.
    pub(crate) outcome: Outcome<J>,
    /// What the server calls the job that the form became, if it did: its id, or its address.
    pub(crate) job: Option<String>,
}

/// One API that takes a form: what it wants in it, and what its answers mean.
pub(crate) trait Dialect<P: Platform> {
    /// The provider's name.
    fn name(&self) -> &'static str;

    /// Where the form goes.
    fn target(&self) -> &Target;

    /// What the API can do, beside what follows from [`Target::repeatable`].
    fn capabilities(&self) -> Capabilities;

    /// The form's fields beside the file, for one attempt.
    fn fields<'a>(&'a self, cx: &'a Context<P>) -> LocalBoxFuture<'a, Result<Vec<(String, String)>>>;

    /// The request that sends the form with these fields.
    fn request(&self, cx: &Context<P>, form: BodyOf<P>) -> Result<RequestOf<P>> {
        Ok(self.target().request(cx, form))
    }

    /// Reads the answer to the form, whatever its status. What a later page needs of it is the receipt's `reply`.
    fn receipt(&self, part: &Part, response: &Response, now: u64) -> Result<Receipt<P::Json>>;

    /// What the answer to the form means.
    fn accepted<'a>(
        &'a self,
        cx: &'a Context<P>,
        form: &'a Receipt<P::Json>,
    ) -> LocalBoxFuture<'a, Result<Accepted<P::Json>>>;

    /// The address of a job's status.
    fn job_url(&self, cx: &Context<P>, job: &str) -> Result<String>;

    /// Reads a job's status: the outcome, with what the job adds to `known`; None while it isn't done.
    fn judge<'a>(
        &'a self,
        cx: &'a Context<P>,
        job: &'a str,
        status: &'a Response,
        known: &'a Outcome<P::Json>,
    ) -> LocalBoxFuture<'a, Result<Option<Outcome<P::Json>>>>;
}

/// The error when the server may have the file, and what it answered is unknown.
pub(crate) fn no_answer() -> UploadError {
    outcome_unknown(Step::Part, "The page was closed before the server's answer to the form was read.")
}
