//! Connections that are reset while bytes are sent.

use anyhow::{Result, ensure};
use serde_json::json;

use super::super::case::{Case, Ended, Ending};

pub(super) async fn reset_before(case: Case<'_>) -> Result<Ending> {
    let ended = reset(case, "before").await?;
    lost_answer(&ended).await
}

pub(super) async fn reset_after(case: Case<'_>) -> Result<Ending> {
    let ended = reset(case, "after").await?;
    lost_answer(&ended).await
}

/// The server got no whole body: the request is sent again if the browser reports that not all of it was sent.
pub(super) async fn reset_midway(case: Case<'_>) -> Result<Ending> {
    let ended = reset(case, "body").await?;
    if case.may_repeat() { repeated(&ended).await } else { unknown(&ended) }
}

async fn reset<'a>(case: Case<'a>, when: &str) -> Result<Ended<'a>> {
    let fault = case.on_bytes(json!({ "skip": 1, "times": 1, "effect": { "kind": "reset", "when": when } }));
    case.upload(json!([fault]), |_| {}).await
}

/// A part is sent again; a form that may have taken effect is not.
pub(super) async fn lost_answer(ended: &Ended<'_>) -> Result<Ending> {
    if ended.case.destination.has_parts() { repeated(ended).await } else { unknown(ended) }
}

/// A request that may have taken effect and costs money is never repeated automatically.
pub(super) fn unknown(ended: &Ended<'_>) -> Result<Ending> {
    let error = ended.report.failed("outcome-unknown")?;
    ensure!(error.retryable == Some(false), "an unknown outcome is not worth a retry: {error:?}");
    ensure!(error.hint.is_some(), "no hint: {error:?}");
    ensure!(ended.sends() == 1, "the form was sent {} times", ended.sends());
    ended.failed("outcome-unknown", 0)
}

/// One request failed, and its part of the file was sent in another.
pub(super) async fn repeated(ended: &Ended<'_>) -> Result<Ending> {
    let result = ended.report.done()?;
    let pieces = if ended.case.destination.has_parts() { ended.report.parts.len() } else { 1 };
    ensure!(ended.sends() == pieces + 1, "{} requests for {pieces} pieces, one of them lost", ended.sends());
    ensure!(result["attempts"] == ended.sends(), "{} requests, and the result is {result}", ended.sends());
    if ended.case.destination.has_parts() {
        let again: Vec<u32> =
            ended.report.parts.iter().map(|part| part.attempts).filter(|attempts| *attempts > 1).collect();
        // A part that stalls may be sent a second time beside the first, before the watchdog ends that.
        let copied = ended.stalled() && ended.case.destination.repeats_late_parts() && again.is_empty();
        ensure!(again == [2] || copied, "attempts of the parts sent again: {again:?}");
    }
    ended.arrived(ended.largest()).await
}
