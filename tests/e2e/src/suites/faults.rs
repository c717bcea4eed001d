//! A network and servers that fail, at each destination, where its bytes go.

use anyhow::{Result, ensure};
use futures::FutureExt;
use serde_json::{Value, json};

use super::{SEVERAL_PARTS, options, quick};
use crate::destination::Destination;
use crate::page::Report;
use crate::runner::Test;
use crate::sandbox::Log;
use crate::stage::Stage;

pub(super) fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for destination in Destination::ALL {
        let mut add = |what: &str, fault: fn() -> Value, check: fn(Destination, &Report, &Log) -> Result<()>| {
            tests.push(Test::new(format!("{}: {what}", destination.name()), move |stage| {
                broken(stage, destination, fault(), check).boxed_local()
            }));
        };
        add("503 with Retry-After", unavailable, waited_for_unavailable);
        add("429", too_many, waited_for_too_many);
        add("connection reset before it took effect", || reset("before"), lost_answer);
        add("connection reset after it took effect", || reset("after"), lost_answer);
        add("connection reset midway in the body", || reset("body"), repeated);
        add("a slow network", slow, |_, _, _| Ok(()));
    }
    for destination in [Destination::Ofauth, Destination::Onlymonster, Destination::Apifansly, Destination::S3] {
        tests.push(Test::new(format!("{}: one call in four gets a 429", destination.name()), move |stage| {
            flaky(stage, destination).boxed_local()
        }));
    }
    tests.push(Test::new("a server that only fails ends the upload", |stage| hopeless(stage).boxed_local()));
    tests
}

fn unavailable() -> Value {
    json!({ "skip": 1, "times": 1, "effect": { "kind": "status", "status": 503, "headers": { "retry-after": "2" }, "body": "<Error><Code>SlowDown</Code></Error>" } })
}

fn too_many() -> Value {
    json!({ "times": 1, "effect": { "kind": "status", "status": 429, "headers": { "retry-after": "2", "x-ratelimit-retry-after": "2" }, "body": "{}" } })
}

fn reset(when: &str) -> Value {
    json!({ "times": 1, "effect": { "kind": "reset", "when": when } })
}

fn slow() -> Value {
    json!({ "effect": { "kind": "latency", "ms": 300 } })
}

async fn broken(
    stage: &Stage,
    destination: Destination,
    mut fault: Value,
    check: fn(Destination, &Report, &Log) -> Result<()>,
) -> Result<()> {
    quick(stage).await?;
    fault["route"] = json!(destination.bytes_route());
    // One request carries the whole file there.
    if !destination.has_parts() {
        fault["skip"] = json!(0);
    }
    stage.sandbox.faults(json!([fault])).await?;
    let file = stage.file("broken.mp4", SEVERAL_PARTS)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let report = page.upload(json!({ "options": options(stage, destination)? })).await?;
    let log = stage.log().await?;
    check(destination, &report, &log)?;
    match report.error {
        None => stage.arrived(destination, report.done()?, &file).await,
        Some(_) => Ok(()),
    }
}

/// A 5xx to a form that may not be sent twice is a lost answer; a part is sent again, not before the server wished.
fn waited_for_unavailable(destination: Destination, report: &Report, log: &Log) -> Result<()> {
    match destination {
        Destination::Apifansly => unknown(report, log),
        _ => waited(destination, report, log, 503),
    }
}

fn waited_for_too_many(destination: Destination, report: &Report, log: &Log) -> Result<()> {
    waited(destination, report, log, 429)
}

fn waited(destination: Destination, report: &Report, log: &Log, status: u16) -> Result<()> {
    let result = report.done()?;
    let sent = log.of(destination.bytes_route());
    let refused: Vec<_> = sent.iter().filter(|one| one.status == Some(status)).collect();
    ensure!(refused.len() == 1, "{} answers of {status}", refused.len());
    ensure!(result["attempts"] == sent.len(), "{} requests, and the result is {result}", sent.len());
    let refused = refused[0];
    let again = sent
        .iter()
        .filter(|one| one.path == refused.path && one.parameter("partNumber") == refused.parameter("partNumber"))
        .find(|one| one.started_ms > refused.started_ms);
    let Some(again) = again else {
        anyhow::bail!("{} was not sent again", refused.path);
    };
    let waited = again.started_ms - refused.ended_ms.unwrap_or(refused.started_ms);
    ensure!((1_950..10_000).contains(&waited), "sent again after {waited} ms, though the server wished for 2 s");
    Ok(())
}

/// A part is sent again; a form that may have taken effect is not.
fn lost_answer(destination: Destination, report: &Report, log: &Log) -> Result<()> {
    match destination {
        Destination::Apifansly => unknown(report, log),
        _ => repeated(destination, report, log),
    }
}

fn unknown(report: &Report, log: &Log) -> Result<()> {
    let error = report.failed("outcome-unknown")?;
    ensure!(error.retryable == Some(false), "an unknown outcome is not worth a retry: {error:?}");
    ensure!(error.hint.is_some(), "no hint: {error:?}");
    let sent = log.of("apifansly:upload").len();
    ensure!(sent == 1, "the form was sent {sent} times");
    Ok(())
}

fn repeated(destination: Destination, report: &Report, log: &Log) -> Result<()> {
    let result = report.done()?;
    let sent = log.of(destination.bytes_route()).len();
    let parts = if destination.has_parts() { report.parts.len() } else { 1 };
    ensure!(sent == parts + 1, "{sent} requests for {parts} parts, one of them lost");
    ensure!(result["attempts"] == sent, "{sent} requests, and the result is {result}");
    if destination.has_parts() {
        let again: Vec<u32> = report.parts.iter().map(|part| part.attempts).filter(|attempts| *attempts > 1).collect();
        ensure!(again == [2], "attempts of the parts sent again: {again:?}");
    }
    Ok(())
}

async fn flaky(stage: &Stage, destination: Destination) -> Result<()> {
    quick(stage).await?;
    let refuse = |route: &str, more: Value| {
        let mut fault = json!({ "route": route, "effect": { "kind": "status", "status": 429, "headers": { "retry-after": "0" }, "body": "{}" } });
        for (name, value) in more.as_object().into_iter().flatten() {
            fault[name] = value.clone();
        }
        fault
    };
    let mut faults = vec![refuse(destination.bytes_route(), json!({ "times": 1 }))];
    if destination != Destination::S3 {
        faults.push(refuse(&format!("{}:*", destination.name()), json!({ "probability": 0.25 })));
    }
    if matches!(destination, Destination::S3 | Destination::Onlymonster) {
        faults.push(refuse("store:*", json!({ "probability": 0.25 })));
    }
    stage.sandbox.faults(json!(faults)).await?;
    let file = stage.file("flaky.mp4", SEVERAL_PARTS)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let report = page.upload(json!({ "options": options(stage, destination)? })).await?;
    stage.arrived(destination, report.done()?, &file).await?;
    let refused = stage.log().await?.requests.iter().filter(|one| one.status == Some(429)).count();
    ensure!(refused > 0, "nothing was refused");
    Ok(())
}

async fn hopeless(stage: &Stage) -> Result<()> {
    let fault = json!({ "route": "store:UploadPart", "effect": { "kind": "status", "status": 500, "headers": { "x-amz-request-id": "R1" }, "body": "<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>" } });
    stage.sandbox.faults(json!([fault])).await?;
    let file = stage.file("hopeless.mp4", SEVERAL_PARTS)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let mut options = options(stage, Destination::S3)?;
    options["retry"] = json!({ "attempts": 3, "baseMs": 10, "capMs": 50 });
    let report = page.upload(json!({ "options": options })).await?;
    let error = report.failed("server")?;
    ensure!(error.status == Some(500) && error.step.as_deref() == Some("part"), "{error:?}");
    ensure!(error.part_number.is_some() && error.retryable == Some(true), "{error:?}");
    let code = error.vendor.as_ref().map(|vendor| vendor["code"].clone());
    ensure!(code == Some(json!("InternalError")), "the store's own code is lost: {error:?}");
    let log = stage.log().await?;
    let number = error.part_number.map(|number| number.to_string());
    let tries =
        log.of("store:UploadPart").iter().filter(|one| one.parameter("partNumber") == number.as_deref()).count();
    ensure!(tries == 3, "{tries} tries of part {number:?}, not 3");
    Ok(())
}
