//! Calls that must not take effect twice, though connections die and the browser repeats by itself.

use anyhow::{Result, ensure};
use futures::FutureExt;
use serde_json::json;

use super::{SEVERAL_PARTS, options, quick};
use crate::destination::Destination;
use crate::runner::Test;
use crate::sandbox::{Log, Logged};
use crate::stage::{MIB, Stage};

/// Calls that Chromium repeats by itself when a reused connection is reset. The fault table covers the last call of each upload.
const REPEATED: &[(Destination, &str)] = &[
    (Destination::Ofauth, "ofauth:init"),
    (Destination::Onlymonster, "onlymonster:start"),
    (Destination::Onlymonster, "onlymonster:finish"),
];

pub(super) fn tests() -> Vec<Test> {
    let repeated = REPEATED.iter().map(|&(destination, route)| {
        Test::new(format!("{route}: a kept connection dies after it took effect"), move |stage| {
            connection_dies(stage, destination, route).boxed_local()
        })
    });
    repeated
        .chain([
            Test::new("apifansly: a server error to the form is an unknown outcome", |stage| {
                form_refused(stage).boxed_local()
            }),
            Test::new("without idempotency keys none is sent", |stage| without_keys(stage).boxed_local()),
        ])
        .collect()
}

/// Requests that reached the vendor itself.
fn effects<'a>(log: &'a Log, route: &str) -> Vec<&'a Logged> {
    log.of(route).into_iter().filter(|one| !one.copy).collect()
}

async fn connection_dies(stage: &Stage, destination: Destination, route: &str) -> Result<()> {
    quick(stage).await?;
    let file = stage.file("kept.mp4", SEVERAL_PARTS)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let fault = json!({ "route": route, "times": 1, "effect": { "kind": "reset", "when": "after" } });
    stage.sandbox.break_with(json!({ "seed": 7, "keepAlive": true, "faults": [fault] })).await?;
    // The browser repeats a request only on a connection that was used before.
    page.script(
        "await Promise.all([1, 2, 3, 4, 5, 6].map(() => fetch('/config.json').then((it) => it.text())));",
        vec![],
    )
    .await?;
    let report = page.upload(json!({ "options": options(stage, destination)? })).await?;
    stage.arrived(destination, report.done()?, &file).await?;
    let log = stage.log().await?;
    let all = log.of(route);
    ensure!(all.iter().any(|one| one.copy), "the proxy got no copy of {route}: {}", crate::sandbox::summary(&log));
    ensure!(effects(&log, route).len() == 1, "{} effects of {route}", effects(&log, route).len());
    let keys: Vec<_> = all.iter().map(|one| &one.idempotency_key).collect();
    ensure!(keys.iter().all(|key| key.is_some() && *key == keys[0]), "the keys are {keys:?}");
    Ok(())
}

async fn form_refused(stage: &Stage) -> Result<()> {
    quick(stage).await?;
    let fault = json!({ "route": "apifansly:upload", "times": 1, "effect": { "kind": "status", "status": 502, "body": "bad gateway" } });
    stage.sandbox.faults(json!([fault])).await?;
    let file = stage.file("refused.mp4", MIB)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let report = page.upload(json!({ "options": options(stage, Destination::Apifansly)? })).await?;
    let error = report.failed("outcome-unknown")?;
    ensure!(error.status == Some(502) && error.retryable == Some(false), "{error:?}");
    ensure!(stage.log().await?.of("apifansly:upload").len() == 1, "the form was sent again");
    Ok(())
}

async fn without_keys(stage: &Stage) -> Result<()> {
    quick(stage).await?;
    let file = stage.file("keyless.mp4", MIB)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let mut options = options(stage, Destination::Ofauth)?;
    options["idempotencyKeys"] = json!(false);
    let report = page.upload(json!({ "options": options })).await?;
    stage.arrived(Destination::Ofauth, report.done()?, &file).await?;
    let log = stage.log().await?;
    ensure!(log.requests.iter().all(|one| one.idempotency_key.is_none()), "keys were sent");
    Ok(())
}
