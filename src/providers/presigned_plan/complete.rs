//! `complete`: the application completes the upload, and may return an outcome.

use super::session::PlanSession;
use crate::context::Context;
use crate::context::calls::Idempotency;
use crate::error::{Result, Step};
use crate::json::{Json, JsonBuilder};
use crate::model::events::Outcome;
use crate::model::session::{Receipt, Session};
use crate::platform::{Hook, Platform};
use crate::providers::shared::outcome::{member, merged};

/// What an application's `complete` gave, in a warning.
const SOURCE: &str = "what `complete` returned";

/// Calls `complete`; the members that it returns override what is known without it.
///
/// # Errors
/// The error that it threw.
pub(super) async fn complete<P: Platform>(
    cx: &Context<P>,
    session: &Session<PlanSession<P::Json>>,
    parts: &[Receipt<P::Json>],
    known: Outcome<P::Json>,
) -> Result<Outcome<P::Json>> {
    let parts = parts
        .iter()
        .map(|part| JsonBuilder::Object(vec![("partNumber", part.number.into()), ("etag", part.etag.as_ref().into())]));
    let parts = P::Json::build(&JsonBuilder::List(parts.collect()));
    let arguments = vec![session.state.plan_json.clone(), parts];
    let json = cx.hook(Hook::Complete, arguments, Step::Complete, Idempotency::Unsafe).await?;
    let warn = &|message: &str| cx.platform.warn(message);
    let outcome = merged(&json, known, SOURCE, warn);
    let checksum = member(&json, "checksumCRC64NVME", SOURCE, warn);
    Ok(Outcome { checksum, ..outcome })
}
