//! One form with the whole file; then, if the server made a job of it, the polls of its status. Each API that takes a form is a `Dialect`.

pub(crate) mod dialect;
pub(crate) mod job;
#[cfg(feature = "form")]
pub(crate) mod own;
mod session;

use self::dialect::{Accepted, Dialect, no_answer};
use self::job::Job;
use self::session::FormSession;
use crate::context::Context;
use crate::error::{Code, Result, UploadError};
use crate::http::{Body, Response};
use crate::model::events::Outcome;
use crate::model::plan::{ByteRange, Part, Plan};
use crate::model::session::{Phase, Progressed, Receipt, Session};
use crate::platform::{Platform, RequestOf};
use crate::provider::{Capabilities, Provider};

/// The provider for one upload by a form. Its plan is one part, the form.
///
/// (An enum of the dialects would save the boxes, but made the whole download no smaller, measured.)
pub(crate) struct Form<P: Platform>(pub(crate) Box<dyn Dialect<P>>);

impl<P: Platform> Provider<P> for Form<P> {
    type Session = FormSession;

    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn capabilities(&self) -> Capabilities {
        let (target, capabilities) = (self.0.target(), self.0.capabilities());
        Capabilities {
            // A form can't be continued midway; one that may arrive twice is sent again.
            resumes: target.repeatable,
            repeats_single_parts: target.repeatable,
            calls_hosts_of_parts: true,
            ..capabilities
        }
    }

    /// Nothing is sent for it.
    async fn open(&self, cx: &Context<P>) -> Result<Session<FormSession>> {
        let size = cx.file().size;
        let form = Part { number: 1, range: ByteRange::new(0, size), url: None };
        let plan = Plan::checked(size, vec![form]).map_err(|why| UploadError::new(Code::PlanMismatch, why))?;
        Ok(Session::new(plan, false, FormSession::default()))
    }

    async fn restore(
        &self,
        _cx: &Context<P>,
        session: &Session<FormSession>,
        saved: Progressed<P::Json>,
    ) -> Result<Progressed<P::Json>> {
        let has_answer = match saved.phase {
            Phase::Settling => session.state.job.get().is_some(),
            // Where the form may be sent again, its answer isn't saved.
            _ if self.0.target().repeatable => return Ok(Progressed { phase: Phase::Sending, uploaded: Vec::new() }),
            _ => saved.uploaded.first().is_some_and(|form| form.receipt.reply.is_some()),
        };
        if has_answer { Ok(saved) } else { Err(no_answer()) }
    }

    async fn part_request(
        &self,
        cx: &Context<P>,
        _session: &Session<FormSession>,
        part: &Part,
        _renew: bool,
    ) -> Result<RequestOf<P>> {
        let target = self.0.target();
        target.api.wait_for_rate_limit(cx).await;
        let fields = self.0.fields(cx).await?;
        let file = cx.file().body(part.range, Some(cx.file().known_type()));
        let (file_field, filename) = (target.file_field.clone(), cx.file().name.clone());
        self.0.request(cx, Body::Form { fields, file_field, file, filename })
    }

    fn receipt(
        &self,
        cx: &Context<P>,
        _session: &Session<FormSession>,
        part: &Part,
        response: &Response,
    ) -> Result<Receipt<P::Json>> {
        self.0.target().api.answered(cx, response);
        self.0.receipt(part, response, cx.platform.now())
    }

    async fn complete(
        &self,
        cx: &Context<P>,
        session: &Session<FormSession>,
        parts: &[Receipt<P::Json>],
        _again: bool,
    ) -> Result<Outcome<P::Json>> {
        let form = parts.first().ok_or_else(no_answer)?;
        let Accepted { outcome, job } = self.0.accepted(cx, form).await?;
        if let Some(job) = job {
            session.state.job.get_or_init(|| job);
        }
        Ok(outcome)
    }

    async fn settle(
        &self,
        cx: &Context<P>,
        session: &Session<FormSession>,
        outcome: Outcome<P::Json>,
    ) -> Result<Outcome<P::Json>> {
        let Some(name) = session.state.job.get() else { return Ok(outcome) };
        let (target, url) = (self.0.target(), self.0.job_url(cx, name)?);
        let mut job = Job::new(cx, &target.api, url, &target.cadence);
        loop {
            // A notice from the application is a reason to poll at once.
            let status = job.next(cx).await?;
            if let Some(outcome) = self.0.judge(cx, name, &status, &outcome).await? {
                return Ok(outcome);
            }
        }
    }
}
