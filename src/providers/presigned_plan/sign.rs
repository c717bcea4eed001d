//! `sign`: URLs for parts, requested in batches.

use std::rc::Rc;

use futures::FutureExt;

use super::open_plan::{OpenPlan, mismatch, resolve};
use super::session::PlanSession;
use crate::context::Context;
use crate::context::calls::Idempotency;
use crate::error::{Result, Step};
use crate::json::{Json, JsonBuilder, StringMap, decode, decoded};
use crate::model::session::Session;
use crate::platform::{Hook, Platform};

decoded! {
    struct SignedUrl {
        part_number: u32 = "partNumber",
        upload_url: String = "uploadUrl",
        headers: Option<StringMap> = "headers",
    }
}

/// Makes sure that a part has a valid URL.
///
/// # Errors
/// The error that `sign` threw; `plan-mismatch` for an invalid result.
pub(super) async fn sign<P: Platform>(
    cx: &Context<P>,
    session: &Session<PlanSession<P::Json>>,
    plan: &OpenPlan,
    number: u32,
) -> Result<()> {
    let is_good = || plan.urls.borrow().is_good(number, cx.platform.now());
    if is_good() {
        return Ok(());
    }
    let _permit = plan.signing.acquire().await;
    if is_good() {
        return Ok(());
    }
    let mut asked = plan.urls.borrow_mut().batch(&session.plan, Some(number), cx.platform.now());
    while !asked.is_empty() {
        let arguments = arguments(session, &asked);
        let json = cx.hook(Hook::SignParts, arguments, Step::Sign, Idempotency::Safe).await?;
        asked = learn(&cx.platform, plan, &json, &asked)?;
    }
    Ok(())
}

/// Requests the next URLs while parts are sent to the current ones. If that fails, they are requested again when they are needed.
pub(super) fn sign_ahead<P: Platform>(cx: &Context<P>, session: &Session<PlanSession<P::Json>>, plan: &Rc<OpenPlan>) {
    let platform = &cx.platform;
    let asked = plan.urls.borrow_mut().ahead(&session.plan, platform.now());
    if asked.is_empty() {
        return;
    }
    let Some(permit) = plan.signing.acquire().now_or_never() else { return };
    let answer = cx.call_ahead(Hook::SignParts, arguments(session, &asked));
    let (own, plan) = (platform.clone(), Rc::downgrade(plan));
    platform.spawn(
        async move {
            if let (Some(json), Some(plan)) = (answer.await, plan.upgrade()) {
                let _ = learn(&own, &plan, &json, &asked);
            }
            drop(permit);
        }
        .boxed_local(),
    );
}

/// The arguments of `sign`: the plan as the application gave it, and the parts' numbers.
fn arguments<J: Json>(session: &Session<PlanSession<J>>, numbers: &[u32]) -> Vec<J> {
    let numbers = numbers.iter().map(|number| (*number).into()).collect();
    vec![session.state.plan_json.clone(), J::build(&JsonBuilder::List(numbers))]
}

/// Stores the URLs that `sign` returned for the requested parts; returns the numbers of those that it left out.
///
/// # Errors
/// `plan-mismatch` for a value that isn't a list of URLs, and for a part that was left out before.
fn learn<P: Platform>(platform: &P, plan: &OpenPlan, json: &P::Json, asked: &[u32]) -> Result<Vec<u32>> {
    let signed: Vec<SignedUrl> = decode(json).map_err(|why| {
        mismatch(text!("`sign` must return a list of URLs: {}.", why.message()))
            .hint("Let it return [{ partNumber, uploadUrl, headers? }].")
    })?;
    let now = platform.now();
    let mut missing = asked.to_vec();
    for part in signed {
        if asked.contains(&part.part_number) {
            let url = resolve(platform, Step::Sign, &part.upload_url, part.part_number)?;
            let headers = part.headers.map(|headers| headers.0);
            plan.urls.borrow_mut().learn(part.part_number, url, headers, None, now);
            missing.retain(|number| *number != part.part_number);
        }
    }
    for number in &missing {
        if plan.urls.borrow_mut().leave_out(*number) {
            return Err(mismatch(text!(
                "`sign` must return a URL for every part that it is asked for, but left out part {} twice.",
                number
            ))
            .part(*number)
            .hint("Let it return { partNumber, uploadUrl } for every number that it gets."));
        }
    }
    Ok(missing)
}
