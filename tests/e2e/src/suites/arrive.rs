//! Files arrive whole: large ones in parts side by side, many small ones under one limit, empty ones or not at all.

use anyhow::{Result, ensure};
use futures::FutureExt;
use serde_json::json;

use super::{SEVERAL_PARTS, options, quick};
use crate::destination::Destination;
use crate::page::Report;
use crate::runner::Test;
use crate::stage::{MIB, Stage};

const FILES: usize = 8;
const LIMIT: u64 = 3;

pub(super) fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for destination in Destination::ALL {
        let name = destination.name();
        tests.push(Test::new(format!("{name}: a large file arrives whole"), move |stage| {
            large(stage, destination).boxed_local()
        }));
        tests.push(Test::new(format!("{name}: many small files share the slots"), move |stage| {
            many_small(stage, destination).boxed_local()
        }));
        tests.push(Test::new(format!("{name}: an empty file"), move |stage| empty(stage, destination).boxed_local()));
        tests.push(Test::new(format!("{name}: by fetch, without a progress listener"), move |stage| {
            by_fetch(stage, destination).boxed_local()
        }));
    }
    tests.push(Test::new("parts and small files share the slots", |stage| mixed(stage).boxed_local()));
    tests.push(Test::new("a Blob with a name and a type of its own", |stage| blob(stage).boxed_local()));
    tests
}

async fn large(stage: &Stage, destination: Destination) -> Result<()> {
    quick(stage).await?;
    let route = destination.bytes_route();
    stage.sandbox.faults(json!([{ "route": route, "effect": { "kind": "latency", "ms": 150 } }])).await?;
    let file = stage.file("large.mp4", SEVERAL_PARTS)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let report = page.upload(json!({ "options": options(stage, destination)? })).await?;
    let result = report.done()?;
    stage.arrived(destination, result, &file).await?;
    ensure!(result["provider"] == destination.name(), "provider: {result}");
    ensure!(result["alreadyThere"] == false, "nothing was there: {result}");

    let log = stage.log().await?;
    let sent = log.of(route);
    ensure!(result["attempts"] == sent.len(), "{} requests, and the result is {result}", sent.len());
    let at_once = log.most_at_once(&[route]);
    let counted = log.max_in_flight.get(route).copied();
    ensure!(counted.is_some_and(|most| most <= 6), "the sandbox counted {counted:?} at once");
    if destination.has_parts() {
        ensure!(sent.len() > 2, "{} parts only", sent.len());
        ensure!((2..=6).contains(&at_once), "{at_once} parts at once");
        covers(&report, file.size)?;
        ensure!(result["parts"] == report.parts.len(), "{} parts reported, {result}", report.parts.len());
    }
    told(&report, file.size)
}

/// The parts reported tile the file.
fn covers(report: &Report, size: u64) -> Result<()> {
    let mut parts: Vec<(u32, u64, u64)> =
        report.parts.iter().map(|part| (part.part_number, part.start, part.end)).collect();
    parts.sort_unstable();
    let mut next = 0;
    for (index, (number, start, end)) in parts.iter().enumerate() {
        ensure!(*number as usize == index + 1 && *start == next && end >= start, "not in a row: {parts:?}");
        next = end + 1;
    }
    ensure!(next == size, "the parts end at {next}, the file at {size}");
    ensure!(report.parts.iter().all(|part| part.attempts >= 1), "a part without an attempt: {:?}", report.parts);
    Ok(())
}

/// The progress and events that the page received.
fn told(report: &Report, size: u64) -> Result<()> {
    let last = report.progress.last();
    ensure!(
        last.is_some_and(|last| last.sent == size as f64 && last.total == size as f64 && last.fraction == 1.0),
        "the last progress is {last:?}"
    );
    ensure!(
        report.last.as_ref().is_some_and(|last| last.parts.in_flight == 0 && last.parts.done == last.parts.total),
        "at the end: {:?}",
        report.last
    );
    ensure!(report.statuses.iter().any(|status| status == "sending"), "never sending: {:?}", report.statuses);
    for (event, wanted) in [("complete", 1), ("error", 0), ("status", report.statuses.len() as u32)] {
        let seen = report.events.get(event).copied().unwrap_or(0);
        ensure!(seen == wanted, "{seen} events of {event:?}, not {wanted}");
    }
    ensure!(
        report.events.get("progress").is_some_and(|seen| *seen as usize == report.progress.len()),
        "events: {:?}",
        report.events
    );
    Ok(())
}

async fn many_small(stage: &Stage, destination: Destination) -> Result<()> {
    quick(stage).await?;
    let route = destination.small_route();
    stage.sandbox.faults(json!([{ "route": route, "effect": { "kind": "latency", "ms": 250 } }])).await?;
    let files = (0..FILES)
        .map(|number| stage.file(&format!("small-{number}.mp4"), 200_000 + number as u64))
        .collect::<Result<Vec<_>>>()?;
    let page = stage.page().await?;
    page.pick(&files.iter().collect::<Vec<_>>()).await?;
    let mut options = options(stage, destination)?;
    options["concurrency"] = json!(LIMIT);
    // The rate limit is tested elsewhere; here it would leave slots empty.
    if destination == Destination::Onlymonster {
        options["provider"]["requestsPerSecond"] = json!(1000);
        stage.sandbox.vendors(json!({ "onlymonster": { "requestsPerSecond": 1000 } })).await?;
    }
    let mut uploads = Vec::new();
    for number in 0..FILES {
        uploads.push(page.start(json!({ "file": number, "uploader": "shared", "options": options })).await?);
    }
    for (upload, file) in uploads.into_iter().zip(&files) {
        let report = page.settled(upload).await?;
        stage.arrived(destination, report.done()?, file).await?;
    }
    let at_once = stage.log().await?.most_at_once(&[route]);
    ensure!((2..=LIMIT as usize).contains(&at_once), "{at_once} files at once, with {LIMIT} slots");
    Ok(())
}

async fn empty(stage: &Stage, destination: Destination) -> Result<()> {
    let file = stage.file("empty.mp4", 0)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let report = page.upload(json!({ "options": options(stage, destination)? })).await?;
    if matches!(destination, Destination::S3 | Destination::Form) {
        return stage.arrived(destination, report.done()?, &file).await;
    }
    report.failed("file-rejected")?;
    let requests = stage.log().await?.requests;
    ensure!(requests.is_empty(), "requests for a file that can't be sent: {requests:?}");
    Ok(())
}

async fn by_fetch(stage: &Stage, destination: Destination) -> Result<()> {
    quick(stage).await?;
    let file = stage.file("fetched.mp4", SEVERAL_PARTS)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let mut options = options(stage, destination)?;
    options["transport"] = json!("fetch");
    let report = page.upload(json!({ "options": options, "listeners": { "noProgress": true } })).await?;
    stage.arrived(destination, report.done()?, &file).await?;
    ensure!(report.progress.is_empty(), "progress without a listener");
    Ok(())
}

async fn mixed(stage: &Stage) -> Result<()> {
    stage.sandbox.faults(json!([{ "route": "store:*", "effect": { "kind": "latency", "ms": 100 } }])).await?;
    let mut files = vec![stage.file("large.bin", SEVERAL_PARTS)?];
    for number in 0..4 {
        files.push(stage.file(&format!("small-{number}.bin"), 50_000)?);
    }
    let page = stage.page().await?;
    page.pick(&files.iter().collect::<Vec<_>>()).await?;
    let mut options = options(stage, Destination::S3)?;
    options["concurrency"] = json!(2);
    let mut uploads = Vec::new();
    for number in 0..files.len() {
        uploads.push(page.start(json!({ "file": number, "uploader": "shared", "options": options })).await?);
    }
    for (upload, file) in uploads.into_iter().zip(&files) {
        let report = page.settled(upload).await?;
        stage.arrived(Destination::S3, report.done()?, file).await?;
    }
    let at_once = stage.log().await?.most_at_once(&["store:UploadPart", "store:PutObject"]);
    ensure!(at_once == 2, "{at_once} requests with bytes at once, with 2 slots");
    Ok(())
}

async fn blob(stage: &Stage) -> Result<()> {
    let text = "x".repeat(MIB as usize / 4);
    let page = stage.page().await?;
    let report = page
        .upload(json!({
            "file": { "text": text },
            "options": options(stage, Destination::S3)?,
            "upload": { "filename": "named later.txt", "contentType": "text/plain" },
        }))
        .await?;
    let result = report.done()?;
    let key = Destination::S3.id(result)?;
    ensure!(key.ends_with("-named later.txt"), "the key is {key}");
    let log = stage.log().await?;
    let put = log.of("store:PutObject");
    ensure!(put.len() == 1, "{} PUTs", put.len());
    let content_type = put[0].headers.get("content-type");
    ensure!(content_type.is_some_and(|value| value == "text/plain"), "the content type is {content_type:?}");
    Ok(())
}
