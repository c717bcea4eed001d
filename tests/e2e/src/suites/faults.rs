//! A network and servers that fail more than once; what each single failure does is the fault table's.

use anyhow::{Result, ensure};
use futures::FutureExt;
use serde_json::{Value, json};

use super::{SEVERAL_PARTS, options, quick};
use crate::destination::Destination;
use crate::runner::Test;
use crate::stage::Stage;

pub(super) fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for destination in Destination::ALL {
        tests.push(Test::new(format!("{}: a slow network", destination.name()), move |stage| {
            slow(stage, destination).boxed_local()
        }));
    }
    for destination in [Destination::Ofauth, Destination::Onlymonster, Destination::Apifansly, Destination::S3] {
        tests.push(Test::new(format!("{}: one call in four gets a 429", destination.name()), move |stage| {
            flaky(stage, destination).boxed_local()
        }));
    }
    for (destination, route) in [
        (Destination::Ofauth, "ofauth:init"),
        (Destination::Onlymonster, "onlymonster:start"),
        (Destination::S3, "store:UploadPart"),
    ] {
        tests.push(Test::new(format!("{}: a redirect is not followed", destination.name()), move |stage| {
            redirected(stage, destination, route).boxed_local()
        }));
    }
    tests.push(Test::new("a server that only fails ends the upload", |stage| hopeless(stage).boxed_local()));
    for transport in ["fetch", "xhr"] {
        tests.push(Test::new(format!("{transport}: an answer without end is not waited for"), move |stage| {
            endless(stage, transport).boxed_local()
        }));
        tests.push(Test::new(format!("{transport}: what a relay passes on slowly is sent once"), move |stage| {
            relayed(stage, transport).boxed_local()
        }));
    }
    tests
}

async fn slow(stage: &Stage, destination: Destination) -> Result<()> {
    quick(stage).await?;
    let fault = json!({ "route": destination.bytes_route(), "effect": { "kind": "latency", "ms": 300 } });
    stage.sandbox.faults(json!([fault])).await?;
    let file = stage.file("slow.mp4", SEVERAL_PARTS)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let report = page.upload(json!({ "options": options(stage, destination)? })).await?;
    stage.arrived(destination, report.done()?, &file).await
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

/// Headers and bytes stay with the origin that they were meant for.
async fn redirected(stage: &Stage, destination: Destination, route: &str) -> Result<()> {
    let elsewhere = format!("{}/elsewhere", stage.sandbox.at.apifansly);
    let effect = json!({ "kind": "status", "status": 307, "headers": { "location": elsewhere } });
    stage.sandbox.faults(json!([{ "route": route, "effect": effect }])).await?;
    let file = stage.file("redirected.mp4", SEVERAL_PARTS)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let mut options = options(stage, destination)?;
    options["transport"] = json!("fetch");
    options["retry"] = json!({ "attempts": 2, "baseMs": 10 });
    let report = page.upload(json!({ "options": options })).await?;
    report.failed("network")?;
    let log = stage.log().await?;
    ensure!(log.of(route).iter().any(|one| one.status == Some(307)), "nothing was redirected");
    ensure!(log.requests.iter().all(|one| !one.path.contains("elsewhere")), "a redirect was followed");
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

/// Its end isn't waited for and its bytes aren't kept: the status suffices, and the part is sent again.
async fn endless(stage: &Stage, transport: &str) -> Result<()> {
    let effect = json!({ "kind": "status", "status": 500, "body": "<Error>", "endless": true });
    stage.sandbox.faults(json!([{ "route": "store:UploadPart", "times": 2, "effect": effect }])).await?;
    let file = stage.file("endless.mp4", SEVERAL_PARTS)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let mut options = options(stage, Destination::S3)?;
    options["transport"] = json!(transport);
    options["retry"] = json!({ "baseMs": 10 });
    // A request that hangs does so for longer than any test may take.
    options["stallMs"] = json!(3_600_000);
    let report = page.upload(json!({ "options": options })).await?;
    stage.arrived(Destination::S3, report.done()?, &file).await?;
    let hit = stage.log().await?.requests.iter().filter(|one| one.status == Some(500)).count();
    ensure!(hit == 2, "{hit} answers had no end");
    Ok(())
}

/// All bytes leave at once, and take many times `stallMs` to arrive.
async fn relayed(stage: &Stage, transport: &str) -> Result<()> {
    let line = json!({ "kind": "bandwidth", "bytesPerSecond": 3_000_000, "shared": true, "bufferBytes": 64 << 20 });
    stage.sandbox.faults(json!([{ "route": "store:UploadPart", "effect": line }])).await?;
    let file = stage.file("relayed.mp4", SEVERAL_PARTS)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let mut options = options(stage, Destination::S3)?;
    options["transport"] = json!(transport);
    options["stallMs"] = json!(500);
    let report = page.upload(json!({ "options": options })).await?;
    let result = report.done()?;
    stage.arrived(Destination::S3, result, &file).await?;
    let log = stage.log().await?;
    let sent = log.of("store:UploadPart");
    let mut parts: Vec<_> = sent.iter().filter_map(|one| one.parameter("partNumber")).collect();
    parts.sort_unstable();
    parts.dedup();
    ensure!(parts.len() > 1 && sent.len() == parts.len(), "{} requests for {} parts", sent.len(), parts.len());
    Ok(())
}
