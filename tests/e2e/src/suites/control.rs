//! Signals, calls before the wasm is loaded, `close()`, and the status from a webhook.

use anyhow::{Result, ensure};
use futures::FutureExt;
use serde_json::json;

use super::{SEVERAL_PARTS, meanwhile, options, quick};
use crate::destination::Destination;
use crate::page::{Page, Upload};
use crate::runner::Test;
use crate::stage::Stage;

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::new("a signal cancels", |stage| signalled(stage).boxed_local()),
        Test::new("a signal that was aborted before sends nothing", |stage| aborted_before(stage).boxed_local()),
        Test::new("cancelled before the wasm is there", |stage| cancelled_at_once(stage).boxed_local()),
        Test::new("paused before the wasm is there", |stage| paused_at_once(stage).boxed_local()),
        Test::new("offline before the wasm is there", |stage| offline_at_once(stage).boxed_local()),
        Test::new("keepAwake holds the screen while it sends", |stage| kept_awake(stage).boxed_local()),
        Test::new("close() ends what is on its way", |stage| closed(stage).boxed_local()),
        Test::new("reloaded while the vendor processes it", |stage| processed_meanwhile(stage).boxed_local()),
        Test::new("onlymonster: a webhook's status ends the polling", |stage| notified(stage).boxed_local()),
    ]
}

/// A page with an upload to S3 that has sent a part and has others in flight.
async fn underway(stage: &Stage) -> Result<(Page<'_>, Upload)> {
    let slow = json!({ "kind": "bandwidth", "bytesPerSecond": 1_500_000 });
    stage.sandbox.faults(json!([{ "route": "store:UploadPart", "skip": 1, "effect": slow }])).await?;
    let file = stage.file("underway.mp4", SEVERAL_PARTS)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let mut options = options(stage, Destination::S3)?;
    options["concurrency"] = json!(2);
    let upload = page.start(json!({ "options": options, "signal": true })).await?;
    page.when(upload, "with a part sent and another in flight", |report| {
        report.last.as_ref().is_some_and(|last| last.parts.done >= 1 && last.parts.in_flight >= 1)
    })
    .await?;
    Ok((page, upload))
}

async fn kept_awake(stage: &Stage) -> Result<()> {
    let slow = json!({ "kind": "bandwidth", "bytesPerSecond": 1_500_000 });
    stage.sandbox.faults(json!([{ "route": "store:UploadPart", "skip": 1, "effect": slow }])).await?;
    let file = stage.file("awake.mp4", SEVERAL_PARTS)?;
    let page = stage.page().await?;
    // The browser's own may refuse, as it does without a screen.
    page.script(
        "window.locks = [];
         Object.defineProperty(navigator, 'wakeLock', { value: { request: async (kind) => {
           const lock = { kind, held: true, release: async () => void (lock.held = false) };
           locks.push(lock);
           return lock;
         } } });",
        vec![],
    )
    .await?;
    page.pick(&[&file]).await?;
    let mut options = options(stage, Destination::S3)?;
    options["keepAwake"] = json!(true);
    let upload = page.start(json!({ "options": options })).await?;
    page.when(upload, "with a part sent", |report| report.last.as_ref().is_some_and(|last| last.parts.done >= 1))
        .await?;
    let holding = page.script("return locks.map(({ kind, held }) => [kind, held])", vec![]).await?;
    ensure!(holding == json!([["screen", true]]), "while it sends: {holding}");
    page.script("document.dispatchEvent(new Event('visibilitychange'))", vec![]).await?;
    let again = page.script("return locks.length", vec![]).await?;
    ensure!(again == 2, "shown again: {again} locks were taken");
    page.settled(upload).await?.done()?;
    let held = page.script("return locks.at(-1).held", vec![]).await?;
    ensure!(held == false, "it is held after the end");
    Ok(())
}

async fn signalled(stage: &Stage) -> Result<()> {
    let (page, upload) = underway(stage).await?;
    page.tell("abort", upload).await?;
    let report = page.settled(upload).await?;
    report.failed("cancelled")?;
    ensure!(!stage.log().await?.of("store:AbortMultipartUpload").is_empty(), "the store was not told");
    Ok(())
}

async fn aborted_before(stage: &Stage) -> Result<()> {
    let page = stage.page().await?;
    let options = options(stage, Destination::S3)?;
    let code = page
        .script(
            "const { Uploader } = await import('partway');
             const uploader = new Uploader({ ...args[0], provider: { ...args[0].provider, key: 'k', getCredentials: () => { throw new Error('asked'); } } });
             return uploader.upload(new File(['abc'], 'a.txt'), { signal: AbortSignal.abort() }).done.then(() => 'done', (error) => error.code);",
            vec![options],
        )
        .await?;
    ensure!(code == "cancelled", "it ended with {code}");
    ensure!(stage.log().await?.requests.is_empty(), "something was sent");
    Ok(())
}

async fn cancelled_at_once(stage: &Stage) -> Result<()> {
    let page = stage.page().await?;
    let options = options(stage, Destination::Ofauth)?;
    let ended = page
        .script(
            "const { Uploader } = await import('partway');
             const upload = new Uploader(args[0]).upload(new File(['abc'], 'a.mp4', { type: 'video/mp4' }));
             const before = upload.status;
             await upload.cancel();
             return [before, upload.status, await upload.done.then(() => 'done', (error) => error.code)];",
            vec![options],
        )
        .await?;
    ensure!(ended == json!(["queued", "cancelled", "cancelled"]), "it went {ended}");
    ensure!(stage.log().await?.requests.is_empty(), "something was sent");
    Ok(())
}

async fn paused_at_once(stage: &Stage) -> Result<()> {
    quick(stage).await?;
    let file = stage.file("waits.mp4", 300_000)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let upload = page.start(json!({ "options": options(stage, Destination::Ofauth)? })).await?;
    page.tell("pause", upload).await?;
    meanwhile(stage, &page, Destination::Ofauth).await?;
    ensure!(stage.log().await?.of("ofauth:*").is_empty(), "something was sent though it was paused");
    page.tell("resume", upload).await?;
    let report = page.settled(upload).await?;
    stage.arrived(Destination::Ofauth, report.done()?, &file).await
}

async fn offline_at_once(stage: &Stage) -> Result<()> {
    quick(stage).await?;
    let file = stage.file("offline.mp4", 300_000)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let cancelled = json!({ "file": { "text": "abc", "name": "a.mp4" }, "options": options(stage, Destination::S3)? });
    stage.network(&page, false).await?;
    let upload = page.start(json!({ "options": options(stage, Destination::S3)? })).await?;
    page.when(upload, "waiting", |report| report.status.as_deref() == Some("waiting")).await?;
    let other = page.start(cancelled).await?;
    page.cancel(other).await?;
    page.settled(other).await?.failed("cancelled")?;
    stage.network(&page, true).await?;
    let report = page.settled(upload).await?;
    stage.arrived(Destination::S3, report.done()?, &file).await?;
    let loaded =
        page.script("return performance.getEntriesByType('resource').map((entry) => entry.name)", vec![]).await?;
    ensure!(!loaded.to_string().contains("inline"), "the copy was asked for: {loaded}");
    // Not every Chromium would try again.
    let asked = loaded
        .as_array()
        .map_or(0, |names| names.iter().filter(|name| name.to_string().contains("sessions.js")).count());
    ensure!(asked == 1, "what keeps sessions was asked for {asked} times, without a network too: {loaded}");
    Ok(())
}

async fn closed(stage: &Stage) -> Result<()> {
    let (page, upload) = underway(stage).await?;
    page.script("window.e2e.close('alone-0')", vec![]).await?;
    let report = page.settled(upload).await?;
    report.failed("cancelled")?;
    let sent = stage.log().await?.of("store:UploadPart").len();
    // An upload that continued would be idle only after its last part.
    let log = stage.log_at_rest("store:UploadPart").await?;
    ensure!(log.of("store:UploadPart").len() == sent, "parts were sent after close()");
    ensure!(log.of("store:AbortMultipartUpload").is_empty(), "close() cancels nothing on the server");
    Ok(())
}

async fn notified(stage: &Stage) -> Result<()> {
    quick(stage).await?;
    stage.sandbox.vendors(json!({ "onlymonster": { "processingMs": 600_000 } })).await?;
    let file = stage.file("webhook.mp4", 300_000)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let upload = page.start(json!({ "options": options(stage, Destination::Onlymonster)? })).await?;
    page.when(upload, "processing", |report| report.status.as_deref() == Some("processing")).await?;
    let provider = stage.provider(Destination::Onlymonster)?;
    let records = page
        .script(
            "const response = await fetch(`${args[0].baseUrl}/api/v0/accounts/${args[0].accountId}/vault/medias/uploads?offset=0&limit=50`);
             return response.json();",
            vec![provider],
        )
        .await?;
    let id = &records["items"][0]["id"];
    ensure!(!id.is_null(), "the list is {records}");
    page.notify(upload, json!({ "media_upload_id": "somebody-else", "status": "failed" })).await?;
    // Had it been received first, it would have failed the upload.
    ensure!(!page.report(upload).await?.settled, "another upload's status ended this one");
    page.notify(upload, json!({ "media_upload_id": id, "status": "exported", "media_id": "777" })).await?;
    // Polling would take far longer than this test waits.
    let report = page.settled(upload).await?;
    let result = report.done()?;
    ensure!(result["mediaId"] == "777", "{result}");
    Ok(())
}

/// An upload whose bytes the vendor has is resumed without its file, and nothing is sent or requested twice.
async fn processed_meanwhile(stage: &Stage) -> Result<()> {
    for (destination, knobs) in [
        (Destination::Onlymonster, json!({ "onlymonster": { "processingMs": 3_000 } })),
        (Destination::Apifansly, json!({ "apifansly": { "processingMs": 3_000 } })),
    ] {
        quick(stage).await?;
        stage.sandbox.vendors(knobs).await?;
        let file = stage.file("processed.mp4", 300_000)?;
        let page = stage.page().await?;
        page.pick(&[&file]).await?;
        let what = json!({ "options": options(stage, destination)? });
        let upload = page.start(what.clone()).await?;
        page.when(upload, "processing", |report| report.status.as_deref() == Some("processing")).await?;
        page.reload().await?;
        let upload = page.go_on(what).await?;
        let report = page.settled(upload).await?;
        stage.arrived(destination, report.done()?, &file).await?;
        ensure!(report.parts.is_empty(), "{}: bytes were sent again: {:?}", destination.name(), report.parts);
        let exports = stage.log().await?.of("onlymonster:export").len();
        ensure!(exports <= 1, "it was exported {exports} times");
    }
    Ok(())
}
