//! A panic, a stack overflow and an out-of-memory inside the wasm: every live upload is rejected, the next one works.

use anyhow::{Result, ensure};
use futures::FutureExt;
use serde_json::json;

use super::{SEVERAL_PARTS, options};
use crate::destination::Destination;
use crate::page::{Page, Upload};
use crate::runner::Test;
use crate::stage::{MIB, Stage};

pub(super) fn tests() -> Vec<Test> {
    ["panic", "stack", "oom"]
        .into_iter()
        .map(|kind| {
            Test::new(format!("crash: {kind} inside the wasm"), move |stage| crash(stage, kind).boxed_local())
                .patience(240)
        })
        .collect()
}

/// Parts of a file of [`SEVERAL_PARTS`] here. Two stalled files leave slots and connections free: a browser has six to a host.
const PARTS: u32 = 2;

async fn in_flight(page: &Page<'_>, upload: Upload) -> Result<()> {
    page.when(upload, "with all its parts in flight", |report| {
        report.last.as_ref().is_some_and(|last| last.parts.in_flight == PARTS)
    })
    .await
    .map(drop)
}

async fn crash(stage: &Stage, kind: &str) -> Result<()> {
    let fatal = stage.file(&format!("crash-{kind}"), SEVERAL_PARTS)?;
    let bystander = stage.file("bystander.bin", SEVERAL_PARTS)?;
    let after = stage.file("after.bin", SEVERAL_PARTS)?;
    let page = stage.crash_page().await?;
    page.pick(&[&fatal, &bystander, &after]).await?;
    let mut options = options(stage, Destination::S3)?;
    options["provider"]["partSize"] = json!(SEVERAL_PARTS.div_ceil(u64::from(PARTS)));
    // Two uploads that never end by themselves: they must not hang when another one crashes the wasm.
    let stall =
        json!({ "route": "store:UploadPart", "times": 2 * PARTS, "effect": { "kind": "stall", "when": "answer" } });
    stage.sandbox.faults(json!([stall])).await?;
    let lasting = page.start(json!({ "file": 1, "uploader": "shared", "options": options })).await?;
    in_flight(&page, lasting).await?;
    let other = page.start(json!({ "file": 1, "uploader": "of its own", "options": options })).await?;
    in_flight(&page, other).await?;
    let crashing = page.start(json!({ "file": 0, "uploader": "shared", "options": options })).await?;
    for upload in [crashing, lasting, other] {
        let report = page.settled(upload).await?;
        let error = report.failed("internal")?;
        ensure!(error.hint.is_some() && error.retryable == Some(true), "{error:?}");
    }
    stage.sandbox.faults(json!([])).await?;
    for uploader in ["shared", "of its own", "new"] {
        let report = page.upload(json!({ "file": 2, "uploader": uploader, "options": options })).await?;
        stage.arrived(Destination::S3, report.done()?, &after).await?;
    }
    // Again, so that the second crash is like the first: what the first one had sent is not resumed.
    let mut fresh = options.clone();
    fresh["resume"] = json!(false);
    let crashing = page.start(json!({ "file": 0, "uploader": "without sessions", "options": fresh })).await?;
    page.settled(crashing).await?.failed("internal")?;
    let small = json!({ "text": "x".repeat(MIB as usize / 8), "name": "last.bin" });
    let report = page.upload(json!({ "file": small, "uploader": "shared", "options": options })).await?;
    ensure!(report.done()?["bytes"] == MIB / 8, "{:?}", report.result);
    page.noise().await.map(drop)
}
