//! Servers between the page and the destination: redirects to a sign-in page, servers that answer and can't be read, and what the
//! page's own policy forbids.

use anyhow::{Context, Result, ensure};
use futures::FutureExt;
use serde_json::json;

use super::{SEVERAL_PARTS, options, quick};
use crate::destination::Destination;
use crate::page::Report;
use crate::runner::Test;
use crate::stage::{MIB, Stage};

const TRANSPORTS: [&str; 2] = ["fetch", "xhr"];

pub(super) fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for destination in Destination::ALL {
        for transport in TRANSPORTS {
            let name = format!("{}: {transport}: a redirect to a sign-in page is no answer", destination.name());
            tests.push(Test::new(name, move |stage| signed_in(stage, destination, transport).boxed_local()));
        }
    }
    tests.push(Test::new("a 502 without CORS headers that passes ends nothing", |stage| passing(stage).boxed_local()));
    tests.push(Test::new("a proxy of another origin that lets no page in", |stage| closed_proxy(stage).boxed_local()));
    tests.push(Test::new("who listens to progress later hears of bytes", |stage| listened_late(stage).boxed_local()));
    tests
}

/// The redirect is real, and so is its target: it answers 200 to a PUT, a POST, or what the redirect makes of them.
async fn signed_in(stage: &Stage, destination: Destination, transport: &str) -> Result<()> {
    let at = &stage.sandbox.at;
    let (portal, portal_route) = match destination {
        Destination::Apifansly => (&at.ofauth, "ofauth:*"),
        _ => (&at.apifansly, "apifansly:*"),
    };
    let page = json!({ "kind": "status", "status": 200, "headers": { "content-type": "text/html" }, "body": "<html>Sign in</html>" });
    for (route, size) in [(destination.bytes_route(), SEVERAL_PARTS), (destination.small_route(), MIB)] {
        for status in [302, 303, 307] {
            // A vendor counts the calls within a second over all pages.
            stage.sandbox.reset().await?;
            quick(stage).await?;
            let headers = json!({ "location": format!("{portal}/sign-in?from=secret") });
            let redirect = json!({ "kind": "status", "status": status, "headers": headers });
            stage
                .sandbox
                .faults(json!([
                    { "route": route, "effect": redirect },
                    { "route": portal_route, "effect": page },
                ]))
                .await?;
            let file = stage.file("between.mp4", size)?;
            let page = stage.page().await?;
            page.pick(&[&file]).await?;
            let mut options = options(stage, destination)?;
            options["transport"] = json!(transport);
            options["retry"] = json!({ "attempts": 2, "baseMs": 10 });
            options["resume"] = json!(false);
            let report = page.upload(json!({ "options": options })).await?;
            // A request that stores a file by itself may have arrived; a part may be sent again.
            let final_call = matches!(route, "apifansly:upload" | "form:upload" | "ofauth:single");
            let code = if final_call { "outcome-unknown" } else { "network" };
            let error = report.failed(code).with_context(|| format!("{status} at {route}"))?;
            ensure!(error.retryable == Some(!final_call), "{status} at {route}: {error:?}");
            let followed =
                stage.log().await?.requests.iter().any(|one| one.path.contains("sign-in") && one.method != "OPTIONS");
            ensure!(followed == (transport == "xhr"), "{status} at {route}: followed: {followed}");
            let said = match followed {
                true => format!("status 200, an HTML page, redirected to {portal}."),
                false => "a redirect, which Partway does not follow".into(),
            };
            ensure!(error.message.contains(&said), "{status} at {route}: {said:?} is not in {error:?}");
            ensure!(!error.message.contains("secret"), "the address is told whole: {error:?}");
        }
    }
    Ok(())
}

/// A server that restarts behind its proxy, at the very first contact.
async fn passing(stage: &Stage) -> Result<()> {
    quick(stage).await?;
    for destination in [Destination::S3, Destination::Plan] {
        let effect = json!({ "kind": "status", "status": 502, "cors": false });
        stage.sandbox.faults(json!([{ "route": "store:*", "times": 2, "effect": effect }])).await?;
        let file = stage.file("passing.mp4", MIB)?;
        let page = stage.page().await?;
        page.pick(&[&file]).await?;
        let report = page.upload(json!({ "options": options(stage, destination)? })).await?;
        stage.arrived(destination, report.done()?, &file).await?;
        let bad = stage.log().await?.requests.iter().filter(|one| one.status == Some(502)).count();
        ensure!(bad >= 2, "{bad} answers of 502");
        stage.sandbox.reset().await?;
        quick(stage).await?;
    }
    Ok(())
}

async fn closed_proxy(stage: &Stage) -> Result<()> {
    quick(stage).await?;
    let at = &stage.sandbox.at;
    stage.sandbox.faults(json!([{ "route": "ofauth:*", "effect": { "kind": "no-cors" } }])).await?;
    let file = stage.file("closed.mp4", MIB)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let mut options = options(stage, Destination::Ofauth)?;
    options["provider"]["baseUrl"] = json!(at.ofauth);
    options["provider"]["skipExisting"] = json!(false);
    let report = page.upload(json!({ "options": options })).await?;
    let error = report.failed("network")?;
    let hint = error.hint.as_deref().context("no hint")?;
    let allow = format!("Access-Control-Allow-Origin: {}", at.app);
    for word in [at.ofauth.as_str(), allow.as_str(), "Access-Control-Allow-Headers: content-type", "POST, PUT"] {
        ensure!(hint.contains(word), "{word:?} is not in {hint:?}");
    }
    // The browser may have cached a preflight of an earlier test.
    let log = stage.log().await?;
    let asked =
        log.requests.iter().filter(|one| ["ofauth:preflight", "ofauth:init"].contains(&one.route.as_str())).count();
    ensure!(asked == 3, "{asked} requests: {}", crate::sandbox::summary(&log));
    Ok(())
}

/// The page adds its progress listener after the upload began, and before its bytes are sent.
async fn listened_late(stage: &Stage) -> Result<()> {
    quick(stage).await?;
    let slow = json!({ "kind": "bandwidth", "bytesPerSecond": 8_000_000 });
    for destination in [Destination::S3, Destination::Apifansly, Destination::Ofauth] {
        stage.sandbox.faults(json!([{ "route": destination.bytes_route(), "effect": slow }])).await?;
        let file = stage.file("late.mp4", SEVERAL_PARTS)?;
        let page = stage.page().await?;
        page.pick(&[&file]).await?;
        let mut options = options(stage, destination)?;
        options["concurrency"] = json!(1);
        let what = json!({ "options": options, "listeners": { "noProgress": true, "late": "sending" } });
        let report: Report = page.upload(what).await?;
        stage.arrived(destination, report.done()?, &file).await?;
        let within = told_within(&report);
        ensure!(within > 2, "{}: told {within} times within parts: {:?}", destination.name(), report.progress);
    }
    Ok(())
}

/// How often progress was reported that isn't a number of whole parts.
fn told_within(report: &Report) -> usize {
    let ends: Vec<f64> = report.parts.iter().map(|part| (part.end + 1) as f64).collect();
    report.progress.iter().filter(|moment| moment.sent > 0.0 && !ends.contains(&moment.sent)).count()
}
