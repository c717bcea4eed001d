//! Calls that must not take effect twice.

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::super::case::{Case, Ended, Ending};
use super::broken;
use crate::destination::Destination;

/// The call that opens an upload. An upload that was opened and never filled stores nothing, so it may be opened again.
pub(super) async fn begin(case: Case<'_>) -> Result<Ending> {
    let route = match case.destination {
        Destination::Ofauth => "ofauth:init",
        Destination::Onlymonster => "onlymonster:start",
        Destination::S3 => "store:CreateMultipartUpload",
        _ => "plan:open",
    };
    let ended = lost(case, route).await?;
    if route == "plan:open" { of_the_page(&ended, route) } else { ended.arrived(0).await }
}

/// The call that assembles the parts.
pub(super) async fn finish(case: Case<'_>) -> Result<Ending> {
    let route = match case.destination {
        Destination::Ofauth => "ofauth:complete",
        Destination::Onlymonster => "onlymonster:finish",
        Destination::S3 => "store:CompleteMultipartUpload",
        _ => "plan:complete",
    };
    let ended = lost(case, route).await?;
    match case.destination {
        Destination::Plan => return of_the_page(&ended, route),
        Destination::Onlymonster => {
            ensure!(ended.effects(route) == 1, "{} effects of {route}", ended.effects(route));
            ensure!(!ended.log.of("onlymonster:list").is_empty(), "the list was not asked");
        }
        _ => {}
    }
    ended.arrived(0).await
}

/// Each call that takes effect costs money: it is never repeated before the first one's outcome is known.
pub(super) async fn paid(case: Case<'_>) -> Result<Ending> {
    if !case.destination.has_parts() {
        let ended = lost(case, case.destination.bytes_route()).await?;
        return broken::unknown(&ended);
    }
    let route = "onlymonster:export";
    let ended = lost(case, route).await?;
    ensure!(ended.effects(route) == 1, "{} effects of {route}", ended.effects(route));
    ensure!(!ended.log.of("onlymonster:list").is_empty(), "the list was not asked");
    ended.arrived(0).await
}

async fn lost<'a>(case: Case<'a>, route: &str) -> Result<Ended<'a>> {
    let fault = json!({ "route": route, "times": 1, "effect": { "kind": "reset", "when": "after" } });
    let ended = case.upload(json!([fault]), |_| {}).await?;
    ensure!(ended.log.of(route).iter().any(|one| one.status.is_none()), "no answer of {route} was lost");
    Ok(ended)
}

/// A function of the page's own that rejects is not called again, and the page is told what it threw.
fn of_the_page(ended: &Ended<'_>, route: &str) -> Result<Ending> {
    ensure!(ended.log.of(route).len() == 1, "{} calls of {route}", ended.log.of(route).len());
    let error = ended.report.failed("application")?;
    ensure!(error.cause.is_some(), "what was thrown is lost: {error:?}");
    ended.failed("application", 0)
}

/// A connection that was used before dies after the call took effect: some browsers repeat the call by themselves, a POST
/// too. Its `Idempotency-Key` lets the proxy drop the copy; a browser that doesn't repeat has lost the answer.
pub(super) async fn kept(case: Case<'_>) -> Result<Ending> {
    let route = match case.destination {
        Destination::Ofauth => "ofauth:complete",
        Destination::Onlymonster => "onlymonster:export",
        Destination::Apifansly | Destination::Form => case.destination.bytes_route(),
        Destination::S3 => "store:CompleteMultipartUpload",
        Destination::Plan => "plan:complete",
    };
    let (page, file) = case.page().await?;
    let fault = json!({ "route": route, "times": 1, "effect": { "kind": "reset", "when": "after" } });
    case.stage.sandbox.break_with(json!({ "seed": 7, "keepAlive": true, "faults": [fault] })).await?;
    page.script(
        "await Promise.all([1, 2, 3, 4, 5, 6].map(() => fetch('/config.json').then((it) => it.text())));",
        vec![],
    )
    .await?;
    let report = page.upload(json!({ "options": case.options()? })).await?;
    let ended = case.ended(report, file).await?;
    let all = ended.log.of(route);
    let first = all.first().with_context(|| format!("{route} was never called"))?;
    ensure!(first.status.is_none(), "the answer was not lost: {first:?}");
    // These have no key: the store itself knows an upload that it has completed, and so does a backend that saves its plans.
    match case.destination {
        Destination::S3 => return ended.arrived(0).await,
        // Only the browser repeats a request that the page's own function sent.
        Destination::Plan if all.len() == 1 => return of_the_page(&ended, route),
        Destination::Plan => return ended.arrived(0).await,
        _ => {}
    }
    ensure!(ended.effects(route) == 1, "{} effects of {route}", ended.effects(route));
    let keys: Vec<_> = all.iter().map(|one| &one.idempotency_key).collect();
    ensure!(keys.iter().all(|key| key.is_some() && *key == keys[0]), "the keys are {keys:?}");
    let repeated = all.iter().any(|one| one.copy);
    match case.destination {
        Destination::Apifansly | Destination::Form if !repeated => broken::unknown(&ended),
        Destination::Apifansly | Destination::Form => ended.arrived(ended.largest()).await,
        _ => ended.arrived(0).await,
    }
}
