//! What each request carries: keys and sessions go to the vendor's side only, signed headers and nothing else to the store.

use anyhow::{Context, Result, ensure};
use futures::FutureExt;
use serde_json::{Value, json};

use super::{SEVERAL_PARTS, options, quick};
use crate::destination::Destination;
use crate::runner::Test;
use crate::sandbox::Logged;
use crate::stage::{MIB, Stage};

/// Names that no request to a presigned URL may carry.
const NEVER: &[&str] = &[
    "authorization",
    "cookie",
    "apikey",
    "x-connection-id",
    "x-om-auth-token",
    "x-api-key",
    "idempotency-key",
    "x-trace",
];

pub(super) fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for destination in [Destination::Onlymonster, Destination::S3, Destination::Plan] {
        let name = destination.name();
        tests.push(Test::new(format!("{name}: the store gets what was signed and nothing else"), move |stage| {
            signed_only(stage, destination).boxed_local()
        }));
    }
    for destination in [Destination::Ofauth, Destination::Onlymonster, Destination::Apifansly] {
        let name = destination.name();
        tests.push(Test::new(format!("{name}: no vendor key leaves the page"), move |stage| {
            no_key(stage, destination).boxed_local()
        }));
        tests.push(Test::new(format!("{name}: straight to the vendor, with a key in the page"), move |stage| {
            straight(stage, destination).boxed_local()
        }));
    }
    for (destination, route) in [
        (Destination::Ofauth, "ofauth:init"),
        (Destination::Ofauth, "ofauth:single"),
        (Destination::Onlymonster, "onlymonster:start"),
        (Destination::Apifansly, "apifansly:upload"),
    ] {
        tests.push(Test::new(format!("{route}: a key in the page follows no redirect"), move |stage| {
            kept_key(stage, destination, route).boxed_local()
        }));
    }
    tests.push(Test::new("beforeRequest has the last word", |stage| before_request(stage).boxed_local()));
    tests
}

fn check_signed(request: &Logged) -> Result<()> {
    let signed = request.parameter("X-Amz-SignedHeaders").with_context(|| format!("not presigned: {request:?}"))?;
    let signed: Vec<&str> = signed.split("%3B").flat_map(|names| names.split(';')).collect();
    for name in request.headers.keys() {
        let name = name.as_str();
        ensure!(!NEVER.contains(&name), "{name} went to the store: {request:?}");
        let must_be_signed = name.starts_with("x-amz-") || name == "content-md5";
        ensure!(!must_be_signed || signed.contains(&name), "{name} was sent, and signed are {signed:?}");
    }
    for name in &signed {
        ensure!(request.headers.contains_key(*name), "{name} was signed, and sent were {:?}", request.headers.keys());
    }
    // A whole file names its type where the signature leaves that free; a part of a file has none of its own.
    if request.route == "store:UploadPart" && request.bytes != MIB {
        let sent = request.headers.contains_key("content-type");
        ensure!(sent == signed.contains(&"content-type"), "content-type sent: {sent}, signed are {signed:?}");
    }
    if let Some(referrer) = request.headers.get("referer") {
        ensure!(!referrer.contains("index.html"), "the page's address went to the store: {referrer}");
    }
    Ok(())
}

async fn signed_only(stage: &Stage, destination: Destination) -> Result<()> {
    quick(stage).await?;
    let (large, small) = (stage.file("signed.mp4", SEVERAL_PARTS)?, stage.file("signed-small.mp4", MIB)?);
    let page = stage.page().await?;
    page.script("document.cookie = 'session=secret; path=/'", vec![]).await?;
    page.pick(&[&large, &small]).await?;
    for (number, file) in [&large, &small].into_iter().enumerate() {
        let mut options = options(stage, destination)?;
        options["credentials"] = json!("include");
        let alter = json!({ "beforeRequest": { "headers": { "x-trace": "t" } } });
        let report = page.upload(json!({ "file": number, "options": options, "alter": alter })).await?;
        stage.arrived(destination, report.done()?, file).await?;
    }
    let log = stage.log().await?;
    let requests = log.of("store:*");
    ensure!(requests.len() >= 3, "{} requests to the store", requests.len());
    requests.into_iter().try_for_each(check_signed)?;
    page.script("document.cookie = 'session=; path=/; max-age=0'", vec![]).await.map(drop)
}

async fn no_key(stage: &Stage, destination: Destination) -> Result<()> {
    quick(stage).await?;
    let file = stage.file("keyless.mp4", MIB)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let report = page.upload(json!({ "options": options(stage, destination)? })).await?;
    stage.arrived(destination, report.done()?, &file).await?;
    let log = stage.log().await?;
    let calls = log.of(&format!("{}:*", destination.name()));
    ensure!(!calls.is_empty(), "no call to the vendor");
    for call in calls {
        for name in ["apikey", "x-om-auth-token", "x-api-key", "authorization"] {
            ensure!(!call.headers.contains_key(name), "{name} came out of the page: {call:?}");
        }
    }
    Ok(())
}

async fn straight(stage: &Stage, destination: Destination) -> Result<()> {
    quick(stage).await?;
    let (large, small) = (stage.file("straight.mp4", SEVERAL_PARTS)?, stage.file("straight-small.mp4", MIB)?);
    let page = stage.page().await?;
    page.script("document.cookie = 'session=secret; path=/'", vec![]).await?;
    page.pick(&[&large, &small]).await?;
    for (number, file) in [&large, &small].into_iter().enumerate() {
        let report = page.upload(json!({ "file": number, "options": keyed(stage, destination).await? })).await?;
        stage.arrived(destination, report.done()?, file).await?;
    }
    page.script("document.cookie = 'session=; path=/; max-age=0'", vec![]).await?;
    let log = stage.log().await?;
    for call in log.of(&format!("{}:*", destination.name())) {
        ensure!(!call.headers.contains_key("cookie"), "a cookie went to the vendor's origin: {call:?}");
        ensure!(call.idempotency_key.is_none(), "an Idempotency-Key went to another origin: {call:?}");
    }
    log.of("store:*").into_iter().try_for_each(check_signed)
}

/// `XMLHttpRequest` follows redirects, so it sends no key, even where `transport` asks for it.
async fn kept_key(stage: &Stage, destination: Destination, route: &str) -> Result<()> {
    let at = &stage.sandbox.at;
    let elsewhere = if destination == Destination::Ofauth { &at.apifansly } else { &at.ofauth };
    let elsewhere = format!("{elsewhere}/elsewhere");
    let effect = json!({ "kind": "status", "status": 307, "headers": { "location": elsewhere } });
    stage.sandbox.faults(json!([{ "route": route, "effect": effect }])).await?;
    let file = stage.file("kept-key.mp4", MIB)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let mut options = keyed(stage, destination).await?;
    options["transport"] = json!("xhr");
    options["retry"] = json!({ "attempts": 2, "baseMs": 10 });
    let report = page.upload(json!({ "options": options })).await?;
    ensure!(report.error.is_some(), "the upload did not fail: {:?}", report.result);
    let log = stage.log().await?;
    ensure!(log.of(route).iter().any(|one| one.status == Some(307)), "nothing was redirected");
    ensure!(log.requests.iter().all(|one| !one.path.contains("elsewhere")), "a key went elsewhere");
    Ok(())
}

/// Options that send the vendor's key from the page.
async fn keyed(stage: &Stage, destination: Destination) -> Result<Value> {
    let at = &stage.sandbox.at;
    let (base, key, others) = match destination {
        Destination::Ofauth => (&at.ofauth, "apiKey", json!({ "connectionId": "conn_sandbox" })),
        Destination::Onlymonster => (&at.onlymonster, "token", json!({})),
        _ => (&at.apifansly, "apiKey", json!({})),
    };
    stage.sandbox.vendors(json!({ (destination.name()): { (key): "key-of-this-test" } })).await?;
    let mut options = options(stage, destination)?;
    options["provider"]["baseUrl"] = json!(base);
    options["provider"]["dangerouslyExposeSecrets"] = json!(true);
    options["provider"][key] = json!("key-of-this-test");
    for (name, value) in others.as_object().into_iter().flatten() {
        options["provider"][name] = value.clone();
    }
    Ok(options)
}

async fn before_request(stage: &Stage) -> Result<()> {
    quick(stage).await?;
    let file = stage.file("traced.mp4", SEVERAL_PARTS)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let what = json!({
        "options": options(stage, Destination::Onlymonster)?,
        "alter": { "beforeRequest": { "headers": { "x-trace": "t-1", "authorization": "Bearer app" } } },
    });
    let report = page.upload(what).await?;
    stage.arrived(Destination::Onlymonster, report.done()?, &file).await?;
    let log = stage.log().await?;
    for call in log.of("onlymonster:*") {
        ensure!(call.headers.get("x-trace").is_some_and(|value| value == "t-1"), "no header of the page: {call:?}");
    }
    log.of("store:*").into_iter().try_for_each(check_signed)?;
    let calls = log.of("onlymonster:*").len();
    let asked = report.calls.iter().filter(|call| call.starts_with("beforeRequest:")).count();
    ensure!(asked == calls, "{calls} calls, and beforeRequest was asked {asked} times");
    Ok(())
}
