//! Several files as one, the application's own data on each, and trying again.

use anyhow::{Context, Result, ensure};
use futures::FutureExt;
use serde_json::{Value, json};

use super::{SEVERAL_PARTS, options, quick};
use crate::destination::Destination;
use crate::files::Picked;
use crate::runner::Test;
use crate::stage::{MIB, Stage};

pub(super) fn tests() -> Vec<Test> {
    let mut tests = vec![
        Test::new("a group: folders become keys, and credentials are asked for once", |stage| {
            folders(stage).boxed_local()
        }),
        Test::new("a group: what is refused or fails leaves the others alone", |stage| limits(stage).boxed_local()),
        Test::new("a plan's functions and beforeRequest get the file", |stage| functions(stage).boxed_local()),
    ];
    for destination in [Destination::S3, Destination::Plan, Destination::Ofauth] {
        let name = format!("{}: retry() goes on where it stopped, and a reload keeps meta", destination.name());
        tests.push(Test::new(name, move |stage| retried(stage, destination).boxed_local()));
    }
    for destination in [Destination::S3, Destination::Plan] {
        for output in ["inverted", "salted"] {
            let name = format!("{}: transform ({output}): what a reload goes on with", destination.name());
            tests.push(Test::new(name, move |stage| transformed(stage, destination, output).boxed_local()));
        }
    }
    tests
}

fn list(value: &Value) -> Result<&Vec<Value>> {
    value.as_array().with_context(|| format!("no list: {value}"))
}

async fn folders(stage: &Stage) -> Result<()> {
    let files = (0..6).map(|n| stage.file(&format!("{n}.bin"), MIB / 4 + n)).collect::<Result<Vec<_>>>()?;
    let page = stage.page().await?;
    page.pick(&files.iter().collect::<Vec<_>>()).await?;
    let what = json!({
        "options": options(stage, Destination::S3)?,
        "alter": { "folders": "e2e" },
        "own": { "5": { "meta": { "index": 5 }, "provider": { "key": "e2e/its own" } } },
    });
    let ended = page.script("return await window.e2e.group(args[0])", vec![what]).await?;
    ensure!(list(&ended["errors"])?.is_empty(), "{ended}");
    let results = list(&ended["results"])?;
    ensure!(results.len() == files.len(), "{ended}");
    for (n, (result, file)) in results.iter().zip(&files).enumerate() {
        let key = if n == 5 { "e2e/its own".into() } else { format!("e2e/{n}/album/{n}.bin") };
        ensure!(result["key"] == json!(key) && result["meta"] == json!({ "index": n }), "{result}");
        ensure!(result["relativePath"] == json!(format!("album/{n}.bin")), "{result}");
        stage.arrived(Destination::S3, result, file).await?;
    }
    let asked = stage.log().await?.of("credentials").len();
    ensure!(asked == 1, "credentials were asked for {asked} times");
    let last = list(&ended["events"])?.last().context("no progress")?;
    let total: u64 = files.iter().map(|file| file.size).sum();
    ensure!(last["sent"] == json!(total) && last["total"] == json!(total) && last["fraction"] == json!(1), "{last}");
    ensure!(
        last["files"]["done"] == json!(6) && last["parts"] == json!({ "total": 6, "done": 6, "inFlight": 0 }),
        "{last}"
    );
    Ok(())
}

async fn limits(stage: &Stage) -> Result<()> {
    let files = [MIB, 2 * MIB, 1000, 1001].into_iter().enumerate();
    let files = files.map(|(n, size)| stage.file(&format!("{n}.bin"), size)).collect::<Result<Vec<_>>>()?;
    // The first file that is sent fails at the store.
    let fault = json!({ "route": "store:PutObject", "times": 1, "effect": { "kind": "status", "status": 500 } });
    stage.sandbox.faults(json!([fault])).await?;
    let page = stage.page().await?;
    page.pick(&files.iter().collect::<Vec<_>>()).await?;
    let mut options = options(stage, Destination::S3)?;
    options["concurrency"] = json!(1);
    options["retry"] = json!({ "attempts": 1 });
    let what = json!({ "options": options, "group": { "maxTotalBytes": MIB + 3000, "maxFiles": 2 } });
    let ended = page.script("return await window.e2e.group(args[0])", vec![what]).await?;
    let errors: Vec<_> = list(&ended["errors"])?.iter().map(|error| (&error[0], &error[1]["code"])).collect();
    let expected = [(0, "server"), (1, "file-rejected"), (3, "file-rejected")];
    let same = expected.iter().zip(&errors).all(|((n, code), (at, is))| **at == *n && **is == *code);
    ensure!(same && errors.len() == expected.len(), "{errors:?}");
    let results = list(&ended["results"])?;
    ensure!(results.len() == 1, "{ended}");
    stage.arrived(Destination::S3, &results[0], &files[2]).await
}

async fn functions(stage: &Stage) -> Result<()> {
    quick(stage).await?;
    let file = stage.file("seen.mp4", SEVERAL_PARTS)?;
    let page = stage.page().await?;
    for (destination, names) in
        [(Destination::Plan, &["open", "sign", "complete"][..]), (Destination::Ofauth, &["beforeRequest"][..])]
    {
        page.pick(&[&file]).await?;
        let alter = json!({ "beforeRequest": {} });
        let what = json!({ "options": options(stage, destination)?, "alter": alter });
        let ended = page.script("return await window.e2e.group(args[0])", vec![what]).await?;
        stage.arrived(destination, &ended["results"][0], &file).await?;
        let seen = list(&ended["files"])?;
        for name in names {
            let one = seen.iter().find(|one| one[0] == *name).with_context(|| format!("{name} is not in {ended}"))?;
            ensure!(one[1] == json!({ "index": 0 }) && one[2] == "album/seen.mp4", "{one}");
        }
        page.reload().await?;
    }
    Ok(())
}

/// A part that fails ends it, after two parts have arrived. What is kept is the same after a reload.
async fn retried(stage: &Stage, destination: Destination) -> Result<()> {
    quick(stage).await?;
    let route = destination.bytes_route();
    let fault = json!({ "route": route, "skip": 2, "times": 1, "effect": { "kind": "status", "status": 500 } });
    stage.sandbox.faults(json!([fault])).await?;
    let file = stage.file("again.mp4", SEVERAL_PARTS)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let mut options = options(stage, destination)?;
    options["concurrency"] = json!(1);
    options["retry"] = json!({ "attempts": 1 });
    let upload = json!({ "meta": { "album": "summer" }, "relativePath": "album/again.mp4" });
    let started = page.start(json!({ "options": options, "upload": upload })).await?;
    let failed = page.settled(started).await?;
    ensure!(failed.errors.len() == 1, "{failed:?}");
    let left = page.script("return await window.e2e.unfinished(args[0])", vec![options]).await?;
    let kept = json!({ "name": "again.mp4", "meta": { "album": "summer" }, "relativePath": "album/again.mp4" });
    // Other tests may have left some.
    ensure!(list(&left)?.contains(&kept), "{left}");

    let before = stage.log().await?.of(route).iter().filter(|part| part.status == Some(200)).count();
    ensure!(before == 2, "{before} parts arrived");
    let result = page.script("return await window.e2e.retry(args[0])", vec![json!(0)]).await?;
    stage.arrived(destination, &result, &file).await?;
    ensure!(result["meta"] == json!({ "album": "summer" }), "{result}");
    let sent = stage.log().await?.of(route).iter().filter(|part| part.status == Some(200)).count();
    ensure!(json!(sent) == result["parts"], "{sent} parts were sent for {result}");
    Ok(())
}

/// What `transform` makes of a file is sent; a page that was reloaded sends the rest of it, or all of it where it came out otherwise.
async fn transformed(stage: &Stage, destination: Destination, output: &str) -> Result<()> {
    quick(stage).await?;
    let route = destination.bytes_route();
    let fault = json!({ "route": route, "skip": 2, "times": 1, "effect": { "kind": "status", "status": 500 } });
    stage.sandbox.faults(json!([fault])).await?;
    let file = stage.file("plain.mp4", SEVERAL_PARTS)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let mut options = options(stage, destination)?;
    options["concurrency"] = json!(1);
    options["retry"] = json!({ "attempts": 1 });
    let what = json!({ "options": options, "alter": { "transform": output } });
    let started = page.start(what.clone()).await?;
    page.settled(started).await?.failed("server")?;
    page.reload().await?;
    page.pick(&[&file]).await?;
    let upload = page.start(what).await?;
    let report = page.settled(upload).await?;
    let result = report.done()?;
    let outputs = page.script("return window.e2e.outputs(args[0])", vec![json!(0)]).await?;
    let salt = if output == "salted" { 16 } else { 0 };
    let sha256 = outputs[0].as_str().context("no output")?.to_owned();
    let sent = Picked { size: file.size + salt, sha256, ..file };
    stage.arrived(destination, result, &sent).await?;
    let parts = stage.log().await?.of(route).iter().filter(|part| part.status == Some(200)).count() as u64;
    let again = if output == "salted" { 2 } else { 0 };
    ensure!(
        json!(parts) == json!(result["parts"].as_u64().unwrap_or(0) + again),
        "{parts} parts were sent for {result}"
    );
    Ok(())
}
