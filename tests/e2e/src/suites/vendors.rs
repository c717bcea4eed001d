//! What is particular to each vendor.

use anyhow::{Result, ensure};
use futures::FutureExt;
use serde_json::json;

use super::{SEVERAL_PARTS, options, quick};
use crate::destination::Destination;
use crate::runner::Test;
use crate::stage::{MIB, Stage};

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::new("ofauth: a file that the vault has isn't sent again", |stage| there_already(stage).boxed_local()),
        Test::new("ofauth: the older layout, in headers", |stage| layout_in_headers(stage).boxed_local()),
        Test::new("ofauth: without a media object, the reference is single use", |stage| no_media(stage).boxed_local()),
        Test::new("ofauth: the vendor's rate is minded", |stage| rate(stage).boxed_local()),
        Test::new("onlymonster: the fan's link is verified before a byte is sent", |stage| fan(stage).boxed_local()),
        Test::new("onlymonster: a pace of three a second", |stage| pace(stage).boxed_local()),
        Test::new("onlymonster: one PUT, where start says so", |stage| one_put(stage).boxed_local()),
        Test::new("onlymonster: stuck, nudged, exported", |stage| stuck(stage).boxed_local()),
        Test::new("onlymonster: failed and unprocessable", |stage| bad_ends(stage).boxed_local()),
        Test::new("onlymonster: a bound on the polling", |stage| too_long(stage).boxed_local()),
        Test::new("apifansly: ids are text, links have an end", |stage| fansly_result(stage).boxed_local()),
        Test::new("apifansly: a job that fails", |stage| fansly_fails(stage).boxed_local()),
        Test::new("vendors: polls go to the server, whatever the browser's cache keeps", |stage| {
            cached_polls(stage).boxed_local()
        }),
    ]
}

async fn there_already(stage: &Stage) -> Result<()> {
    quick(stage).await?;
    let file = stage.file("twice.mp4", MIB)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let options = options(stage, Destination::Ofauth)?;
    let first = page.upload(json!({ "options": options })).await?;
    stage.arrived(Destination::Ofauth, first.done()?, &file).await?;
    let second = page.upload(json!({ "options": options })).await?;
    let result = second.done()?;
    ensure!(result["alreadyThere"] == true && result["attempts"] == 0, "{result}");
    ensure!(result["mediaId"] == first.done()?["mediaId"], "{result}");
    let log = stage.log().await?;
    ensure!(log.of("ofauth:init").len() == 1 && log.of("ofauth:single").len() == 1, "it was sent again");
    let mut unchecked = options;
    unchecked["provider"]["skipExisting"] = json!(false);
    let third = page.upload(json!({ "options": unchecked })).await?;
    ensure!(third.done()?["alreadyThere"] == false, "{:?}", third.result);
    let log = stage.log().await?;
    ensure!(log.of("ofauth:check").len() == 2, "it was asked though it must not be");
    Ok(())
}

async fn layout_in_headers(stage: &Stage) -> Result<()> {
    quick(stage).await?;
    stage.sandbox.vendors(json!({ "ofauth": { "layout": "headers" } })).await?;
    let (large, small) = (stage.file("old.mp4", SEVERAL_PARTS)?, stage.file("old-small.mp4", MIB)?);
    let page = stage.page().await?;
    page.pick(&[&large, &small]).await?;
    for (number, file) in [&large, &small].into_iter().enumerate() {
        let report = page.upload(json!({ "file": number, "options": options(stage, Destination::Ofauth)? })).await?;
        stage.arrived(Destination::Ofauth, report.done()?, file).await?;
    }
    Ok(())
}

async fn no_media(stage: &Stage) -> Result<()> {
    quick(stage).await?;
    let file = stage.file("media.mp4", MIB)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let mut options = options(stage, Destination::Ofauth)?;
    options["provider"]["skipExisting"] = json!(false);
    for media in [true, false] {
        stage.sandbox.vendors(json!({ "ofauth": { "media": media } })).await?;
        let report = page.upload(json!({ "options": options })).await?;
        let result = report.done()?;
        ensure!(result["reusable"] == media, "{result}");
        let item = if media { &result["mediaId"] } else { &result["mediaUploadId"] };
        ensure!(item.is_string() && result["mediaItem"] == *item, "{result}");
    }
    Ok(())
}

async fn rate(stage: &Stage) -> Result<()> {
    // Six calls and then one every 250 ms: init, five parts, complete.
    stage.sandbox.vendors(json!({ "ofauth": { "ratePerMinute": 240, "burst": 4 } })).await?;
    let file = stage.file("rated.mp4", SEVERAL_PARTS)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let report = page.upload(json!({ "options": options(stage, Destination::Ofauth)? })).await?;
    stage.arrived(Destination::Ofauth, report.done()?, &file).await?;
    let refused = stage.log().await?.of("ofauth:*").iter().filter(|one| one.status == Some(429)).count();
    ensure!(refused <= 3, "{refused} calls were refused, though every answer told the rate");
    Ok(())
}

/// The first poll's answer may be cached for an hour, as a proxy's header may say: the next poll must be sent all the same.
async fn cached_polls(stage: &Stage) -> Result<()> {
    quick(stage).await?;
    let file = stage.file("polled.mp4", MIB)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let waiting = json!({ "statusCode": 200, "data": { "success": true, "state": "waiting", "progress": 0 } });
    for (destination, route, body) in [
        (Destination::Apifansly, "apifansly:status", waiting),
        (Destination::Onlymonster, "onlymonster:list", json!({ "items": [] })),
    ] {
        for transport in ["xhr", "fetch", "auto"] {
            let headers = json!({ "content-type": "application/json", "cache-control": "max-age=3600" });
            let effect = json!({ "kind": "status", "status": 200, "headers": headers, "body": body.to_string() });
            stage.sandbox.faults(json!([{ "route": route, "times": 1, "effect": effect }])).await?;
            let mut options = options(stage, destination)?;
            options["transport"] = json!(transport);
            options["provider"]["pollTimeoutMs"] = json!(60_000);
            if destination == Destination::Apifansly {
                options["provider"]["pollIntervalMs"] = json!(100);
            }
            let report = page.upload(json!({ "options": options })).await?;
            stage.arrived(destination, report.done()?, &file).await?;
        }
    }
    Ok(())
}

async fn fan(stage: &Stage) -> Result<()> {
    quick(stage).await?;
    let file = stage.file("fan.mp4", MIB)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let mut options = options(stage, Destination::Onlymonster)?;
    options["provider"]["exportType"] = json!("message");
    options["provider"]["fanLink"] = json!("https://onlyfans.com/u12345");
    let report = page.upload(json!({ "options": options })).await?;
    stage.arrived(Destination::Onlymonster, report.done()?, &file).await?;
    let log = stage.log().await?;
    let routes: Vec<&str> = log.of("onlymonster:*").iter().map(|one| one.route.as_str()).collect();
    ensure!(routes.first() == Some(&"onlymonster:verify-fan"), "the calls were {routes:?}");
    Ok(())
}

async fn pace(stage: &Stage) -> Result<()> {
    quick(stage).await?;
    let files = (0..4).map(|n| stage.file(&format!("paced-{n}.mp4"), 100_000)).collect::<Result<Vec<_>>>()?;
    let page = stage.page().await?;
    page.pick(&files.iter().collect::<Vec<_>>()).await?;
    let options = options(stage, Destination::Onlymonster)?;
    let mut uploads = Vec::new();
    for number in 0..files.len() {
        // Two uploaders: the rate limit is the token's, not theirs.
        let uploader = if number % 2 == 0 { "one" } else { "other" };
        uploads.push(page.start(json!({ "file": number, "uploader": uploader, "options": options })).await?);
    }
    for (upload, file) in uploads.into_iter().zip(&files) {
        let report = page.settled(upload).await?;
        stage.arrived(Destination::Onlymonster, report.done()?, file).await?;
    }
    let log = stage.log().await?;
    let calls = log.of("onlymonster:*");
    ensure!(calls.iter().all(|call| call.status != Some(429)), "the vendor refused calls");
    ensure!(calls.len() > 8, "{} calls need no rate limit", calls.len());
    Ok(())
}

async fn one_put(stage: &Stage) -> Result<()> {
    quick(stage).await?;
    stage.sandbox.vendors(json!({ "onlymonster": { "multipartThreshold": 100 * MIB } })).await?;
    let file = stage.file("single.mp4", SEVERAL_PARTS)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let report = page.upload(json!({ "options": options(stage, Destination::Onlymonster)? })).await?;
    stage.arrived(Destination::Onlymonster, report.done()?, &file).await?;
    let log = stage.log().await?;
    ensure!(log.of("store:PutObject").len() == 1 && log.of("onlymonster:finish").is_empty(), "not one PUT");
    Ok(())
}

async fn stuck(stage: &Stage) -> Result<()> {
    quick(stage).await?;
    for state in ["uploaded", "processed"] {
        stage.sandbox.vendors(json!({ "onlymonster": { "stuckIn": state } })).await?;
        let file = stage.file(&format!("stuck-{state}.mp4"), MIB)?;
        let page = stage.page().await?;
        page.pick(&[&file]).await?;
        let mut options = options(stage, Destination::Onlymonster)?;
        options["provider"]["stuckAfterMs"] = json!(1_000);
        let report = page.upload(json!({ "options": options })).await?;
        stage.arrived(Destination::Onlymonster, report.done()?, &file).await?;
    }
    let nudges = stage.log().await?.of("onlymonster:retry").len();
    ensure!(nudges == 2, "nudged {nudges} times, stuck twice");
    Ok(())
}

async fn bad_ends(stage: &Stage) -> Result<()> {
    quick(stage).await?;
    for (end, code, retryable) in [("failed", "processing-failed", true), ("unprocessable", "unprocessable", false)] {
        stage.sandbox.vendors(json!({ "onlymonster": { "end": end } })).await?;
        let file = stage.file(&format!("{end}.mp4"), MIB)?;
        let page = stage.page().await?;
        page.pick(&[&file]).await?;
        let report = page.upload(json!({ "options": options(stage, Destination::Onlymonster)? })).await?;
        let error = report.failed(code)?;
        ensure!(error.retryable == Some(retryable), "{error:?}");
    }
    ensure!(stage.log().await?.of("onlymonster:start").len() == 2, "it did not restart by itself, once");
    Ok(())
}

async fn too_long(stage: &Stage) -> Result<()> {
    quick(stage).await?;
    stage.sandbox.vendors(json!({ "onlymonster": { "processingMs": 600_000 } })).await?;
    let file = stage.file("long.mp4", MIB)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let mut options = options(stage, Destination::Onlymonster)?;
    options["provider"]["pollTimeoutMs"] = json!(3_000);
    let report = page.upload(json!({ "options": options })).await?;
    report.failed("processing-timeout").map(drop)
}

async fn fansly_result(stage: &Stage) -> Result<()> {
    quick(stage).await?;
    let file = stage.file("fansly.mp4", MIB)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let mut options = options(stage, Destination::Apifansly)?;
    options["provider"]["formInputs"] = json!([{ "type": 1, "value": "título" }]);
    let report = page.upload(json!({ "options": options })).await?;
    let result = report.done()?;
    stage.arrived(Destination::Apifansly, result, &file).await?;
    let id = Destination::Apifansly.id(result)?;
    ensure!(id.len() >= 17 && id.bytes().all(|byte| byte.is_ascii_digit()), "an id beyond 2^53 was wanted: {id}");
    ensure!(result["media"]["mediaId"] == id, "{result}");
    let until = result["linksExpireAt"].as_str().unwrap_or_default();
    ensure!(until.len() >= 20 && until.ends_with('Z'), "links expire at {until:?}");
    let log = stage.log().await?;
    let form = log.of("apifansly:upload")[0].headers.get("content-type").cloned().unwrap_or_default();
    ensure!(form.starts_with("multipart/form-data; boundary="), "the content type is {form:?}");
    Ok(())
}

async fn fansly_fails(stage: &Stage) -> Result<()> {
    quick(stage).await?;
    stage.sandbox.vendors(json!({ "apifansly": { "end": "failed" } })).await?;
    let file = stage.file("fails.mp4", MIB)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let report = page.upload(json!({ "options": options(stage, Destination::Apifansly)? })).await?;
    let error = report.failed("processing-failed")?;
    ensure!(error.vendor.as_ref().is_some_and(|vendor| vendor["message"].is_string()), "{error:?}");
    ensure!(stage.log().await?.of("apifansly:upload").len() == 1, "the form was sent again");
    Ok(())
}
