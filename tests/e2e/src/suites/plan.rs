//! Plans made by a backend: wrong ones are refused before a byte is sent, URLs that are missing are asked for.

use anyhow::{Result, ensure};
use futures::FutureExt;
use serde_json::{Value, json};

use super::{SEVERAL_PARTS, options, quick};
use crate::destination::Destination;
use crate::page::Report;
use crate::runner::Test;
use crate::stage::Stage;

pub(super) fn tests() -> Vec<Test> {
    let mut tests: Vec<Test> = ["gap", "overlap", "short", "long", "headless", "empty"]
        .into_iter()
        .map(|wrong| {
            Test::new(format!("plan: one with a fault ({wrong}) is refused before a byte is sent"), move |stage| {
                refused(stage, wrong).boxed_local()
            })
        })
        .collect();
    for function in ["open", "sign", "complete"] {
        tests.push(Test::new(format!("plan: {function}() of the page throws"), move |stage| {
            throws(stage, function).boxed_local()
        }));
    }
    tests.extend([
        Test::new("plan: no URL and no sign()", |stage| no_sign(stage).boxed_local()),
        Test::new("plan: sign() is asked in batches, ahead of need", |stage| batches(stage).boxed_local()),
        Test::new("plan: sign() that fails once is asked again", |stage| sign_fails(stage).boxed_local()),
    ]);
    tests
}

async fn upload(stage: &Stage, alter: Value) -> Result<(Report, crate::files::Picked)> {
    quick(stage).await?;
    let file = stage.file("planned.mp4", SEVERAL_PARTS)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let report = page.upload(json!({ "options": options(stage, Destination::Plan)?, "alter": alter })).await?;
    Ok((report, file))
}

async fn refused(stage: &Stage, wrong: &str) -> Result<()> {
    let (report, _) = upload(stage, json!({ "plan": wrong })).await?;
    let error = report.failed("plan-mismatch")?;
    ensure!(error.retryable == Some(false), "{error:?}");
    let log = stage.log().await?;
    ensure!(log.of("store:PutObject").is_empty() && log.of("store:UploadPart").is_empty(), "bytes were sent");
    ensure!(!log.of("plan:abort").is_empty(), "the backend was not told");
    Ok(())
}

async fn throws(stage: &Stage, function: &str) -> Result<()> {
    let (report, _) = upload(stage, json!({ "throws": function })).await?;
    let error = report.failed("application")?;
    let thrown = format!("{function} of the page threw");
    ensure!(error.cause.as_deref() == Some(thrown.as_str()), "the cause is lost: {error:?}");
    let asked = report.calls.iter().filter(|call| *call == function).count();
    // Safe calls are tried as often as an API call; one more is the call in advance.
    let wanted = if function == "sign" { 2..=9 } else { 1..=1 };
    ensure!(wanted.contains(&asked), "{function}() was called {asked} times");
    Ok(())
}

async fn no_sign(stage: &Stage) -> Result<()> {
    let (report, _) = upload(stage, json!({ "noSign": true })).await?;
    let error = report.failed("invalid-options")?;
    ensure!(
        error.message.contains("sign") || error.hint.as_ref().is_some_and(|hint| hint.contains("sign")),
        "{error:?}"
    );
    ensure!(stage.log().await?.of("store:*").is_empty(), "bytes were sent");
    Ok(())
}

async fn batches(stage: &Stage) -> Result<()> {
    let (report, file) = upload(stage, json!({})).await?;
    stage.arrived(Destination::Plan, report.done()?, &file).await?;
    let log = stage.log().await?;
    let (signs, parts) = (log.of("plan:sign").len(), log.of("store:UploadPart").len());
    ensure!(signs >= 1, "sign() was never needed");
    ensure!(signs < parts, "{signs} calls of sign() for {parts} parts");
    Ok(())
}

async fn sign_fails(stage: &Stage) -> Result<()> {
    let fault = json!({ "route": "plan:sign", "times": 1, "effect": { "kind": "status", "status": 503 } });
    stage.sandbox.faults(json!([fault])).await?;
    let (report, file) = upload(stage, json!({})).await?;
    stage.arrived(Destination::Plan, report.done()?, &file).await?;
    let log = stage.log().await?;
    ensure!(log.of("plan:sign").iter().any(|one| one.status == Some(503)), "no call of sign() failed");
    Ok(())
}
