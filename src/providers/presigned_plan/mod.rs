//! A plan that the application's own server makes: any vendor, any presigner. The page sends the bytes and keeps no key.
//!
//! Each function of the application has a file of its name (`sign`, `list`, `complete`), but for `open`, whose plan is checked in
//! `open_plan`, and `abort`, which returns nothing.

mod complete;
mod list;
mod open_plan;
mod session;
mod sign;
mod upload_plan;
mod urls;

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::Rc;

use futures::FutureExt;

use self::list::ListFailure;
use self::open_plan::OpenPlan;
pub use self::session::PlanSession;
use super::setup::Setup;
use super::shared::errors::outcome_unknown;
use super::shared::listed::{By, reconcile};
use super::shared::store;
use crate::context::Context;
use crate::context::calls::Idempotency;
use crate::error::{Code, Result, Retry, Step, UploadError};
use crate::http::{Request, Response};
use crate::json::Json;
use crate::model::events::Outcome;
use crate::model::plan::Part;
use crate::model::session::{Phase, Progressed, Receipt, Session};
use crate::platform::{Hook, Platform, RequestOf};
use crate::provider::{Capabilities, Provider};
use crate::sync::timeout::timeout;
use crate::util::text;

/// The timeout for the application's `abort` when a plan can't be used. (A choice: the upload has failed, and its caller waits for the
/// error.)
const ABORT_MS: u64 = 10_000;

/// What the console says where nobody may complete the upload.
const NEVER_COMPLETED: &str = "partway: the plan has an `uploadId`, but the provider has no `complete`: a store makes an object of the parts only when the upload is completed. If your server does that by itself, give a `complete` that returns nothing.";

const CAPABILITIES: Capabilities = Capabilities {
    repeats_single_parts: true,
    repeats_late_parts: true,
    answers_checksums: true,
    ..Capabilities::DEFAULT
};

/// The provider for one upload by the application's own functions.
#[derive(Debug)]
pub struct PresignedPlan {
    /// Whether the application has a `sign`.
    signs: bool,
    /// Whether it has a `complete`.
    completes: bool,
    /// The plan that is being sent, once there is one.
    plan: RefCell<Option<Rc<OpenPlan>>>,
    /// Whether `list` failed for a saved plan, so that the plan may be gone.
    list_failed: Cell<bool>,
}

impl PresignedPlan {
    /// The provider with the caller's functions.
    pub fn new<P: Platform>(setup: &Setup<'_, P>) -> Self {
        Self {
            signs: setup.platform.has(Hook::SignParts),
            completes: setup.platform.has(Hook::Complete),
            plan: RefCell::default(),
            list_failed: Cell::default(),
        }
    }

    /// The plan that is being sent.
    fn plan(&self) -> Result<Rc<OpenPlan>> {
        self.plan
            .borrow()
            .clone()
            .ok_or_else(|| UploadError::new(Code::Internal, "A part was sent before a plan was open."))
    }

    /// Aborts a plan that can't be used, if the application has an `abort`.
    async fn abort_unusable<P: Platform>(&self, cx: &Context<P>, plan_json: P::Json) {
        if cx.platform.has(Hook::Abort) {
            // The error is the same whether it succeeds or not.
            let call = pin!(cx.hook(Hook::Abort, vec![plan_json], Step::Abort, Idempotency::Unsafe));
            let _ = timeout(call, cx.platform.sleep(ABORT_MS).as_mut()).await;
        }
    }

    /// Takes over the plan of a saved session, which was adopted again.
    fn reopen<J>(
        &self,
        session: &Session<PlanSession<J>>,
        adopted: Result<open_plan::Adopted<J>>,
    ) -> Result<Rc<OpenPlan>> {
        let PlanSession { upload_id, key, saves_urls, .. } = &session.state;
        let (opened, plan) =
            adopted.map_err(|error| gone(&text!("The saved plan can't be used any more. {}", error.message)))?;
        let is_same = opened.plan.has_same_parts(&session.plan)
            && opened.multipart == session.multipart
            && opened.state.upload_id == *upload_id
            && opened.state.key == *key;
        if !is_same {
            return Err(gone("The saved plan must have the session's parts, upload id and key, but has others."));
        }
        saves_urls.set(!self.signs);
        let plan = Rc::new(plan);
        self.plan.replace(Some(plan.clone()));
        Ok(plan)
    }

    /// How far a saved session has come, by what the application says. Its URLs expire at `expires_at`, where that is known.
    ///
    /// # Errors
    /// `session-expired` where the plan is gone, `outcome-unknown` where an earlier page may have completed it.
    async fn progress<P: Platform>(
        &self,
        cx: &Context<P>,
        session: &Session<PlanSession<P::Json>>,
        expires_at: Option<u64>,
        saved: Progressed<P::Json>,
    ) -> Result<Progressed<P::Json>> {
        let completing = saved.phase == Phase::Completing && cx.platform.has(Hook::Complete);
        let expired = expires_at.is_some_and(|at| cx.is_past(at, session.began_at));
        if expired && !self.signs && !completing {
            return Err(gone("The plan's URLs have expired, and there is no `sign` to renew them."));
        }
        // An upload by a single PUT has no parts to be listed.
        if !session.multipart || !cx.platform.has(Hook::ListParts) {
            return if completing { Err(completion_unknown()) } else { Ok(saved) };
        }
        let count = session.plan.parts().len();
        let listed = match list::list(cx, &session.state.plan_json).await {
            Ok(listed) => listed,
            // The application's server says that there is no such upload any more, or that it can't tell.
            Err(_) if completing => return Err(completion_unknown()),
            // A refused call says nothing about the upload: the saved parts count.
            Err(ListFailure::Call(error)) if error.code == Code::Application => {
                if saved.uploaded.len() == count {
                    // No part is left whose answer could show that the upload is gone.
                    return Err(error.retry(Retry::Restart));
                }
                self.list_failed.set(true);
                warn_unlisted(cx, &error.message);
                return Ok(saved);
            }
            Err(ListFailure::Call(error)) if error.code == Code::SessionExpired => {
                return Err(error.retry(Retry::Restart));
            }
            Err(ListFailure::Call(error)) => return Err(error),
            Err(ListFailure::Value(why)) => {
                warn_unlisted(cx, &why);
                return Ok(saved);
            }
        };
        let Progressed { phase, uploaded } = saved;
        let uploaded =
            reconcile(cx, &session.plan, uploaded, listed, By::Etags { md5s: CAPABILITIES.etags_are_md5s }).await?;
        // If the store still has all parts, the upload wasn't completed.
        if completing && uploaded.len() < count {
            return Err(completion_unknown());
        }
        Ok(Progressed { phase, uploaded })
    }
}

/// A plan that is being checked. Dropped with its upload, it is given up: nobody else knows of it.
struct Unopened<'a, P: Platform> {
    platform: &'a P,
    plan_json: Option<P::Json>,
}

impl<P: Platform> Drop for Unopened<'_, P> {
    fn drop(&mut self) {
        let plan_json = self.plan_json.take().filter(is_plan);
        if let Some(plan_json) = plan_json.filter(|_| self.platform.has(Hook::Abort)) {
            let call = self.platform.call(Hook::Abort, vec![plan_json]);
            self.platform.spawn(call.map(drop).boxed_local());
        }
    }
}

/// Whether what `open` returned names anything that could be aborted.
fn is_plan<J: Json>(json: &J) -> bool {
    ["uploadId", "key", "parts"].iter().any(|member| json.member(member).is_some())
}

/// The error for a saved session that can't be continued.
fn gone(why: &str) -> UploadError {
    UploadError::new(Code::SessionExpired, why).at(Step::List)
}

/// The error when an earlier page called `complete`, and it is unknown whether that succeeded.
fn completion_unknown() -> UploadError {
    outcome_unknown(Step::Complete, "The page was left while `complete` ran, so the file may be stored or not.")
}

impl<P: Platform> Provider<P> for PresignedPlan {
    type Session = PlanSession<P::Json>;

    fn name(&self) -> &'static str {
        "plan"
    }

    /// The parts' URLs are in the plan's JSON, which the session saves by itself.
    fn capabilities(&self) -> Capabilities {
        Capabilities { renews_urls: self.signs, completes_single_parts: self.completes, ..CAPABILITIES }
    }

    fn hosts(&self, _cx: &Context<P>) -> usize {
        self.plan.borrow().as_ref().map_or(0, |plan| plan.urls.borrow().hosts()).max(1)
    }

    async fn open(&self, cx: &Context<P>) -> Result<Session<PlanSession<P::Json>>> {
        self.list_failed.set(false);
        let info = cx.file_info(cx.file().known_type());
        let plan_json = cx.hook(Hook::Open, vec![info], Step::Init, Idempotency::Unsafe).await?;
        let mut unopened = Unopened { platform: &cx.platform, plan_json: Some(plan_json.clone()) };
        let adopted = open_plan::adopt(cx, plan_json.clone(), self.signs).await;
        unopened.plan_json.take();
        match adopted {
            Ok((session, plan)) => {
                if session.multipart && !self.completes {
                    cx.warn_once(NEVER_COMPLETED);
                }
                self.plan.replace(Some(Rc::new(plan)));
                Ok(session)
            }
            Err(error) => {
                if is_plan(&plan_json) {
                    self.abort_unusable(cx, plan_json).await;
                }
                Err(error)
            }
        }
    }

    async fn restore(
        &self,
        cx: &Context<P>,
        session: &Session<PlanSession<P::Json>>,
        saved: Progressed<P::Json>,
    ) -> Result<Progressed<P::Json>> {
        let adopted = open_plan::adopt(cx, session.state.plan_json.clone(), self.signs).await;
        let plan = self.reopen(session, adopted)?;
        let progressed = self.progress(cx, session, plan.options.expires_at, saved).await?;
        plan.take_uploaded(&progressed.uploaded);
        Ok(progressed)
    }

    async fn part_request(
        &self,
        cx: &Context<P>,
        session: &Session<PlanSession<P::Json>>,
        part: &Part,
        renew: bool,
    ) -> Result<RequestOf<P>> {
        let plan = self.plan()?;
        if self.signs {
            if renew {
                plan.urls.borrow_mut().forget(part.number);
            }
            sign::sign(cx, session, &plan, part.number).await.map_err(|error| {
                // Neither function knows the plan, so it counts as gone.
                let gone = self.list_failed.get() && error.code == Code::Application;
                if gone { error.retry(Retry::Restart) } else { error }
            })?;
        }
        {
            let mut urls = plan.urls.borrow_mut();
            urls.take(part.number);
            urls.pass_taken(&session.plan);
        }
        if self.signs {
            sign::sign_ahead(cx, session, &plan);
        }
        plan.request(cx, part).map(Request::Store)
    }

    fn receipt(
        &self,
        cx: &Context<P>,
        _session: &Session<PlanSession<P::Json>>,
        part: &Part,
        response: &Response,
    ) -> Result<Receipt<P::Json>> {
        let required = self.plan()?.options.etags_required;
        store::receipt(part, response, &cx.platform.origin(), cx.platform.now(), required)
    }

    async fn complete(
        &self,
        cx: &Context<P>,
        session: &Session<PlanSession<P::Json>>,
        parts: &[Receipt<P::Json>],
        _again: bool,
    ) -> Result<Outcome<P::Json>> {
        let mut outcome = Outcome { key: session.state.key.clone(), ..Outcome::default() };
        if let ([part], false) = (parts, session.multipart) {
            outcome.etag = part.etag.clone();
            outcome.location = self.plan()?.urls.borrow().known(part.number).map(|known| known.url.without_query());
        }
        if !cx.platform.has(Hook::Complete) {
            return Ok(outcome);
        }
        complete::complete(cx, session, parts, outcome).await
    }

    async fn abort(&self, cx: &Context<P>, session: &Session<PlanSession<P::Json>>) -> bool {
        if !cx.platform.has(Hook::Abort) {
            return true;
        }
        let arguments = vec![session.state.plan_json.clone()];
        cx.hook(Hook::Abort, arguments, Step::Abort, Idempotency::Safe).await.is_ok()
    }
}

/// Reports that `list` returned no usable list of parts.
fn warn_unlisted<P: Platform>(cx: &Context<P>, why: &str) {
    cx.platform.warn(&text::concat(&[why, " The parts that this browser saved count."]));
}
