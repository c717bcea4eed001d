//! Servers that refuse: for a while, or until something is corrected.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::super::case::{Case, Ended, Ending};
use super::broken;
use crate::destination::Destination;

/// No retry waits longer by itself (`capMs` of the tests' options): a longer wait follows the server's `Retry-After`.
const OWN_WAIT_MS: u64 = 500;

/// A 5xx to a form that may not be sent twice is a lost answer; a part is sent again, after the time in `Retry-After`.
pub(super) async fn unavailable(case: Case<'_>) -> Result<Ending> {
    let effect = json!({ "kind": "status", "status": 503, "headers": { "retry-after": "1" }, "body": "<Error><Code>SlowDown</Code></Error>" });
    let ended = refused(case, effect).await?;
    match case.destination {
        Destination::Apifansly | Destination::Form => broken::unknown(&ended),
        _ => waited(&ended, 503).await,
    }
}

pub(super) async fn too_many(case: Case<'_>) -> Result<Ending> {
    let effect = json!({ "kind": "status", "status": 429, "headers": { "retry-after": "1", "x-ratelimit-retry-after": "1" }, "body": "{}" });
    let ended = refused(case, effect).await?;
    waited(&ended, 429).await
}

async fn refused<'a>(case: Case<'a>, effect: Value) -> Result<Ended<'a>> {
    let fault = case.on_bytes(json!({ "skip": 1, "times": 1, "effect": effect }));
    case.upload(json!([fault]), |_| {}).await
}

async fn waited(ended: &Ended<'_>, status: u16) -> Result<Ending> {
    let refused = ended.refused(status)?;
    let again = ended.log.of(ended.case.destination.bytes_route()).into_iter();
    let again = again.filter(|one| one.piece() == refused.piece()).find(|one| one.started_ms > refused.started_ms);
    let again = again.with_context(|| format!("{} was not sent again", refused.path))?;
    let waited = again.started_ms - refused.ended_ms.unwrap_or(refused.started_ms);
    ensure!(waited > OWN_WAIT_MS, "sent again after {waited} ms, as if the server had not asked for a second");
    broken::repeated(ended).await
}

/// The URL is signed again where it can be, and the upload restarts where it can't; the store's refusal has no CORS headers.
pub(super) async fn expired(case: Case<'_>) -> Result<Ending> {
    let fault = match case.destination {
        // Every URL of the first start.
        Destination::Onlymonster => {
            json!({ "times": 5, "effect": { "kind": "status", "status": 403, "body": "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>" } })
        }
        _ => json!({ "skip": 1, "times": 1, "effect": { "kind": "expired" } }),
    };
    let ended = case.upload(json!([case.on_bytes(fault)]), |_| {}).await?;
    if case.destination == Destination::Onlymonster {
        ensure!(ended.log.of("onlymonster:start").len() == 2, "it did not restart once");
        ensure!(ended.log.of("onlymonster:export").len() == 1, "not exported once");
        // All of the first start's parts may have been on their way.
        return ended.arrived(ended.file.size).await;
    }
    let refused = ended.refused(403)?;
    let route = case.destination.bytes_route();
    let tries = ended.log.of(route).into_iter().filter(|one| one.piece() == refused.piece()).count();
    ensure!(tries == 2, "the part with the expired URL was sent {tries} times");
    ended.arrived(ended.largest()).await
}

pub(super) async fn hidden_etag(case: Case<'_>) -> Result<Ending> {
    let fault = case.on_bytes(json!({ "effect": { "kind": "hide-etag" } }));
    let ended = case.upload(json!([fault]), |_| {}).await?;
    let error = ended.report.failed("etag-not-exposed")?;
    ensure!(error.retryable == Some(false), "a rule is missing, a retry doesn't help: {error:?}");
    let hint = error.hint.as_deref().context("no hint")?;
    for word in ["ExposeHeaders", "ETag", "AllowedOrigins", case.stage.sandbox.at.app.as_str(), "PUT"] {
        ensure!(hint.contains(word), "{word} is not in the hint: {hint}");
    }
    let rule = hint.find('[').and_then(|start| Some(&hint[start..=hint.rfind(']')?])).context("no rule in the hint")?;
    serde_json::from_str::<Value>(rule).with_context(|| format!("the rule in the hint is no JSON: {rule}"))?;
    ended.failed("etag-not-exposed", 0)
}
