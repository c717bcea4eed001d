//! A network that is lost for a while.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use tokio::time::sleep;

use super::super::case::{Case, Ended, Ending};
use super::underway::{self, AT_ONCE};
use crate::page::Report;

const SPELL: Duration = Duration::from_millis(1_500);

/// Open connections are reset, and nothing gets through for a while; the browser reports nothing.
pub(super) async fn silent(case: Case<'_>) -> Result<Ending> {
    let (page, file) = case.page().await?;
    let mut what = underway::what(case)?;
    what["options"]["retry"] = json!({ "baseMs": 300, "capMs": 2_000 });
    let (upload, before) = underway::begin(case, &page, what).await?;
    case.stage.sandbox.offline(SPELL).await?;
    case.stage.sandbox.faults(json!([])).await?;
    let report = page.settled(upload).await?;
    let ended = case.ended(report, file).await?;
    gone_on(&ended, &before).await
}

/// The browser says that there is no network: the upload waits for it, however long that takes, without using an attempt.
pub(super) async fn told(case: Case<'_>) -> Result<Ending> {
    let (page, file) = case.page().await?;
    let mut what = underway::what(case)?;
    what["options"]["retry"] = json!({ "attempts": 2, "baseMs": 50, "capMs": 100 });
    let (upload, before) = underway::begin(case, &page, what).await?;
    case.stage.network(&page, false).await?;
    if !case.may_repeat() {
        // The form was cut midway, and the browser doesn't say where: it can't be repeated.
        let report = page.settled(upload).await?;
        return super::broken::unknown(&case.ended(report, file).await?);
    }
    page.when(upload, "waiting", |report| report.status.as_deref() == Some("waiting")).await?;
    case.stage.sandbox.faults(json!([])).await?;
    sleep(SPELL).await;
    let waiting = page.report(upload).await?;
    ensure!(waiting.status.as_deref() == Some("waiting"), "it is {:?} while there is no network", waiting.status);
    case.stage.network(&page, true).await?;
    let report = page.settled(upload).await?;
    let ended = case.ended(report, file).await?;
    gone_on(&ended, &before).await
}

async fn gone_on(ended: &Ended<'_>, before: &Report) -> Result<Ending> {
    if !ended.case.may_repeat() {
        return super::broken::unknown(ended);
    }
    super::resumed::kept_parts(ended, before)?;
    ended.arrived(AT_ONCE * ended.largest()).await
}
