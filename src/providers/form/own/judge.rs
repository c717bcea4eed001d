//! What a job's status means.

use super::reply::value;
use crate::context::Context;
use crate::context::calls::Idempotency;
use crate::error::{Code, Result, Step, UploadError, Vendor};
use crate::http::Response;
use crate::json::{Json, decode, decoded};
use crate::model::events::Outcome;
use crate::platform::{Hook, Platform};
use crate::providers::form::job::failed;
use crate::providers::shared::outcome::merged;

/// The states of a job, in their order.
const STATES: [&str; 4] = ["waiting", "active", "completed", "failed"];

decoded! {
    struct Judgement {
        state: String = "state",
        progress: Option<f64> = "progress",
        error: Option<String> = "error",
    }
}

/// Judges the reply to a poll by the application's `job`, or by what it says itself where there is none (`judges`).
///
/// Returns the outcome, with what the job adds to `known`; None while the job isn't done.
///
/// # Errors
/// `processing-failed`, `application` where `job` threw, and for a judgement that can't be used.
pub(super) async fn judge<P: Platform>(
    cx: &Context<P>,
    status: &Response,
    judges: bool,
    known: &Outcome<P::Json>,
) -> Result<Option<Outcome<P::Json>>> {
    let reply: P::Json = value(status);
    let (json, source, code) = if judges {
        let judged = cx.hook(Hook::Job, vec![reply], Step::Status, Idempotency::Unsafe).await?;
        (judged, "what `job` returned", Code::Application)
    } else {
        (reply, "the reply to the poll", Code::Server)
    };
    let unusable = |why: &str| {
        UploadError::new(code, text!("{} can't be used: {}.", source, why)).at(Step::Status).hint(
            "It must be an object with `state`: \"waiting\", \"active\", \"completed\" or \"failed\". Give `job` where your server says it otherwise.",
        )
    };
    let said: Judgement = decode(&json).map_err(|mismatch| unusable(&mismatch.message()))?;
    if let Some(progress) = said.progress {
        cx.reporter.measure(|meter| meter.processing(progress));
    }
    match STATES.iter().position(|state| *state == said.state) {
        Some(0 | 1) => Ok(None),
        Some(2) => {
            let known = known.clone();
            Ok(Some(match json.member("result") {
                Some(result) => merged(&result, known, source, &|message| cx.platform.warn(message)),
                None => known,
            }))
        }
        Some(_) => Err(failed("The server", Vendor { message: said.error, ..Vendor::default() })),
        None => Err(unusable("`state` is another text")),
    }
}
