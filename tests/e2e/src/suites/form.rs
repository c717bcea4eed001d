//! A form to a server of one's own, and to a bucket by a policy.

use anyhow::{Context, Result, ensure};
use futures::FutureExt;
use serde_json::json;

use super::{SEVERAL_PARTS, options, quick};
use crate::destination::Destination;
use crate::runner::Test;
use crate::stage::{MIB, Stage};

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::new("form: fields, the file, and its bytes as they go", |stage| fields_and_progress(stage).boxed_local()),
        Test::new("form: parse and job of the page, and a job that is polled", |stage| job(stage).boxed_local()),
        Test::new("form: a header is the server's own, and no redirect gets it", |stage| headers(stage).boxed_local()),
        Test::new("form: a reply that is text, and one that is nothing", |stage| other_replies(stage).boxed_local()),
        Test::new("form: a bucket by a policy, which proves the file by its ETag", |stage| policy(stage).boxed_local()),
        Test::new("form: a bucket gets nothing of the page", |stage| nothing_of_the_page(stage).boxed_local()),
    ]
}

async fn fields_and_progress(stage: &Stage) -> Result<()> {
    quick(stage).await?;
    let file = stage.file("a form é.mp4", SEVERAL_PARTS)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let mut options = options(stage, Destination::Form)?;
    options["provider"]["fields"] = json!({ "album": "7", "title": "é\r\n\"quoted\"" });
    stage
        .sandbox
        .faults(json!([{ "route": "form:upload", "effect": { "kind": "bandwidth", "bytesPerSecond": 20 * MIB } }]))
        .await?;
    let report = page.upload(json!({ "options": options })).await?;
    let result = report.done()?;
    stage.arrived(Destination::Form, result, &file).await?;
    ensure!(result["status"] == 201 && result["verified"] == false && result["proof"].is_null(), "{result}");
    let midway = report.progress.iter().filter(|step| step.sent > 0.0 && step.sent < file.size as f64).count();
    ensure!(midway > 0, "no bytes were told while they went: {:?}", report.progress.len());
    let log = stage.log().await?;
    let form = log.of("form:upload");
    ensure!(form.len() == 1, "{} forms", form.len());
    let kind = form[0].headers.get("content-type").cloned().unwrap_or_default();
    ensure!(kind.starts_with("multipart/form-data; boundary="), "{kind}");
    Ok(())
}

async fn job(stage: &Stage) -> Result<()> {
    stage.sandbox.vendors(json!({ "form": { "reply": "job", "processingMs": 300 } })).await?;
    let file = stage.file("job.mp4", MIB)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let mut options = options(stage, Destination::Form)?;
    options["provider"]["pollIntervalMs"] = json!(100);
    let report = page.upload(json!({ "options": options, "alter": { "form": "job" } })).await?;
    let result = report.done()?;
    stage.arrived(Destination::Form, result, &file).await?;
    ensure!(report.calls == ["parse:202:application/json"], "{:?}", report.calls);
    ensure!(result["media"]["at"] == result["key"] && result["status"] == 202, "{result}");
    ensure!(stage.log().await?.of("form:status").len() >= 2, "it was not polled");
    Ok(())
}

/// What the redirect leads to asks whether the page may send it there: by then the request was on its way, or not.
async fn headers(stage: &Stage) -> Result<()> {
    quick(stage).await?;
    let file = stage.file("headers.mp4", MIB)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let portal = &stage.sandbox.at.apifansly;
    for (headers, code, followed) in [
        (json!({ "x-csrf-token": "a secret" }), "outcome-unknown", false),
        (json!({ "Accept": "application/json", "X-Requested-With": "XMLHttpRequest" }), "network", true),
    ] {
        let mut options = options(stage, Destination::Form)?;
        options["provider"]["headers"] = headers;
        let report = page.upload(json!({ "options": options })).await?;
        stage.arrived(Destination::Form, report.done()?, &file).await?;
        stage.sandbox.reset().await?;
        let location = json!({ "location": format!("{portal}/elsewhere") });
        let redirect = json!({ "kind": "status", "status": 307, "headers": location });
        stage.sandbox.faults(json!([{ "route": "form:upload", "effect": redirect }])).await?;
        page.upload(json!({ "options": options })).await?.failed(code)?;
        let log = stage.log().await?;
        let elsewhere = log.requests.iter().filter(|one| one.route.starts_with("apifansly:")).count();
        ensure!((elsewhere > 0) == followed, "{elsewhere} requests came elsewhere");
        stage.sandbox.reset().await?;
    }
    Ok(())
}

async fn other_replies(stage: &Stage) -> Result<()> {
    let file = stage.file("replies.mp4", MIB)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    for (reply, status) in [("text", 200), ("nothing", 204)] {
        stage.sandbox.vendors(json!({ "form": { "reply": reply } })).await?;
        let report = page.upload(json!({ "options": options(stage, Destination::Form)? })).await?;
        let result = report.done()?;
        ensure!(result["status"] == status && result["mediaId"].is_null(), "{result}");
    }
    Ok(())
}

async fn policy(stage: &Stage) -> Result<()> {
    for size in [0, MIB, SEVERAL_PARTS] {
        let file = stage.file("policy.mp4", size)?;
        let page = stage.page().await?;
        page.pick(&[&file]).await?;
        let mut options = options(stage, Destination::Form)?;
        options["provider"] = json!({ "name": "form", "url": bucket(stage), "repeatable": true });
        let report = page.upload(json!({ "options": options, "alter": { "form": "policy" } })).await?;
        let result = report.done()?;
        let key = result["key"].as_str().with_context(|| format!("no key: {result}"))?;
        stage.sandbox.holds(Destination::Form, key, &file).await?;
        ensure!(result["verified"] == true && result["proof"]["by"] == "etag-md5", "{result}");
        ensure!(result["status"] == 201 && result["location"].is_string(), "{result}");
        ensure!(report.calls == ["fields"], "{:?}", report.calls);
    }
    Ok(())
}

async fn nothing_of_the_page(stage: &Stage) -> Result<()> {
    let file = stage.file("bucket.mp4", MIB)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let mut options = options(stage, Destination::Form)?;
    options["credentials"] = json!("include");
    options["provider"] =
        json!({ "name": "form", "url": bucket(stage), "repeatable": true, "headers": { "x-csrf-token": "a secret" } });
    let alter = json!({ "form": "policy", "beforeRequest": { "headers": { "authorization": "Bearer secret" } } });
    let report = page.upload(json!({ "options": options, "alter": alter })).await?;
    report.done()?;
    let log = stage.log().await?;
    let form = log.of("store:PostObject");
    ensure!(form.len() == 1, "{} forms", form.len());
    for name in ["authorization", "x-csrf-token", "cookie", "idempotency-key"] {
        ensure!(!form[0].headers.contains_key(name), "the bucket got {name}");
    }
    ensure!(report.calls == ["fields"], "{:?}", report.calls);
    Ok(())
}

fn bucket(stage: &Stage) -> String {
    format!("{}/media", stage.sandbox.at.store)
}
