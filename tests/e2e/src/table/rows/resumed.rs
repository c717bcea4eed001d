//! A page that closes midway: it is reloaded, or its browser ends.

use anyhow::{Result, ensure};
use serde_json::json;

use super::super::case::{Case, Ended, Ending};
use super::underway::{self, AT_ONCE};
use crate::browser::Browser;
use crate::page::Report;

pub(super) async fn reloaded(case: Case<'_>) -> Result<Ending> {
    let (page, file) = case.page().await?;
    let (_, before) = underway::begin(case, &page, underway::what(case)?).await?;
    page.reload().await?;
    case.stage.sandbox.faults(json!([])).await?;
    page.pick(&[&file]).await?;
    let report = page.upload(underway::what(case)?).await?;
    let ended = case.ended(report, file).await?;
    gone_on(&ended, &before).await
}

/// The browser is killed, as by a power cut, and another process uses its profile.
pub(super) async fn killed(case: Case<'_>) -> Result<Ending> {
    crate::suites::quick(case.stage).await?;
    let file = case.file()?;
    let engine = case.stage.browser.engine;
    let first = Browser::start(engine).await?;
    let page = case.stage.page_in(&first).await?;
    page.pick(&[&file]).await?;
    let (_, before) = underway::begin(case, &page, underway::what(case)?).await?;
    let profile = first.kill().await?;
    case.stage.sandbox.faults(json!([])).await?;
    let second = Browser::start_in(engine, profile).await?;
    let page = case.stage.page_in(&second).await?;
    page.pick(&[&file]).await?;
    let report = page.upload(underway::what(case)?).await?;
    let noise = page.noise().await?;
    ensure!(noise.is_empty(), "the page has uncaught errors: {noise:?}");
    second.close().await;
    let ended = case.ended(report, file).await?;
    gone_on(&ended, &before).await
}

/// The same file resumes where it was; a form can't, and may have arrived.
async fn gone_on(ended: &Ended<'_>, before: &Report) -> Result<Ending> {
    if !ended.case.destination.has_parts() {
        return super::broken::unknown(ended);
    }
    ensure!(!before.parts.is_empty(), "nothing was behind it");
    kept_parts(ended, before)?;
    ended.arrived(AT_ONCE * ended.largest()).await
}

/// No part that the page had reported is sent again.
pub(super) fn kept_parts(ended: &Ended<'_>, before: &Report) -> Result<()> {
    let all = ended.log.of(ended.case.destination.bytes_route());
    for part in before.parts.iter().filter(|_| ended.case.destination.has_parts()) {
        let number = part.part_number.to_string();
        let sent = all.iter().filter(|one| one.piece().as_ref() == Some(&number)).count();
        ensure!(
            sent == 1,
            "part {number} was there, and was sent {sent} times: {}",
            crate::sandbox::summary(&ended.log)
        );
    }
    Ok(())
}
