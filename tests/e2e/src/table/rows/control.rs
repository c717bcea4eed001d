//! What a user does: pause, resume, cancel.

use anyhow::{Result, ensure};
use serde_json::json;

use super::super::case::{Case, Ending};
use super::underway::{self, AT_ONCE};
use crate::destination::Destination;
use crate::sandbox::Log;

/// Bytes in flight are lost, and nothing else.
pub(super) async fn paused(case: Case<'_>) -> Result<Ending> {
    let (page, file) = case.page().await?;
    let (upload, _) = underway::begin(case, &page, underway::what(case)?).await?;
    page.tell("pause", upload).await?;
    page.when(upload, "paused", |report| report.status.as_deref() == Some("paused")).await?;
    let route = case.destination.bytes_route();
    let paused = case.stage.log().await?;
    // Bytes in buffers still arrive, as slowly as the rest. An upload that continued would be idle only after its last part.
    let after = case.stage.log_at_rest(route).await?;
    let taken =
        |log: &Log| log.of(route).iter().filter(|one| one.status == Some(200) || one.status == Some(201)).count();
    ensure!(taken(&after) == taken(&paused), "what was in flight was not given up");
    let begun = after.of(route).len() - paused.of(route).len();
    ensure!(begun == 0, "{begun} requests began while it was paused");
    let before = page.report(upload).await?;
    ensure!(before.status.as_deref() == Some("paused"), "it is not paused any more");
    case.stage.sandbox.faults(json!([])).await?;
    page.tell("resume", upload).await?;
    let report = page.settled(upload).await?;
    let ended = case.ended(report, file).await?;
    super::resumed::kept_parts(&ended, &before)?;
    ended.arrived(AT_ONCE * ended.largest()).await
}

/// Nothing more is sent, and the server is told if the provider has a call for it.
pub(super) async fn cancelled(case: Case<'_>) -> Result<Ending> {
    let (page, file) = case.page().await?;
    let (upload, _) = underway::begin(case, &page, underway::what(case)?).await?;
    page.cancel(upload).await?;
    let report = page.settled(upload).await?;
    report.failed("cancelled")?;
    let log = case.stage.log().await?;
    let sent = log.of(case.destination.bytes_route()).len();
    let abort = match case.destination {
        Destination::S3 => Some("store:AbortMultipartUpload"),
        Destination::Plan => Some("plan:abort"),
        _ => None,
    };
    if let Some(route) = abort {
        let aborts = log.of(route);
        ensure!(!aborts.is_empty(), "the server was not told when `cancel()` settled");
        ensure!(aborts.iter().all(|one| one.status == Some(204)), "{aborts:?}");
        let key = log.of("store:UploadPart")[0].path.splitn(3, '/').nth(2).unwrap_or_default().replace("%2F", "/");
        ensure!(case.stage.sandbox.stored(case.destination.name(), &key).await?.is_none(), "{key} is stored");
    }
    case.stage.log_at_rest(case.destination.bytes_route()).await?;
    let ended = case.ended(report, file).await?;
    ensure!(ended.sends() == sent, "bytes were sent after the cancel");
    for route in [
        "ofauth:complete",
        "onlymonster:finish",
        "onlymonster:export",
        "plan:complete",
        "store:CompleteMultipartUpload",
    ] {
        ensure!(ended.log.of(route).is_empty(), "{route} was called for a cancelled upload");
    }
    ended.failed("cancelled", 0)
}
