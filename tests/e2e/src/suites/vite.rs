//! The packed package in an empty app: of Vite's, in its dev server and built, from 5 to 8, and built by other bundlers.

use anyhow::{Context, Result, ensure};
use futures::FutureExt;
use serde_json::Value;
use thirtyfour::prelude::*;
use tokio::process::Command;

use super::{SEVERAL_PARTS, quick};
use crate::check;
use crate::destination::Destination;
use crate::process::Process;
use crate::runner::Test;
use crate::stage::Stage;
use crate::workers;

pub(super) fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for version in ["5", "6", "7", "8"] {
        for mode in ["dev", "preview"] {
            tests.push(Test::new(format!("vite {version} {mode}: an app uploads with the tarball"), move |stage| {
                app(stage, version, mode, None).boxed_local()
            }));
        }
    }
    for bundler in ["esbuild", "rollup", "webpack"] {
        tests.push(Test::new(format!("{bundler}: an app uploads with the tarball"), move |stage| {
            app(stage, bundler, "preview", None).boxed_local()
        }));
    }
    let built = Destination::ALL.map(|destination| ("8", "preview", destination));
    // Where the dev server doesn't have the wasm: the entry's own copy is loaded.
    for (version, mode, only) in built.into_iter().chain([("5", "dev", Destination::Ofauth)]) {
        tests.push(Test::new(
            format!("vite {version} {mode}: an app uploads with {}", entry(Some(only))),
            move |stage| app(stage, version, mode, Some(only)).boxed_local(),
        ));
    }
    tests
}

/// What the app imports: all of the package, or the entry for one destination.
fn entry(only: Option<Destination>) -> String {
    only.map_or("partway".into(), |destination| format!("partway/{}", destination.name()))
}

async fn app(stage: &Stage, tool: &str, mode: &str, only: Option<Destination>) -> Result<()> {
    quick(stage).await?;
    let mut command = Command::new("node");
    command.arg(crate::root().join("tests/package/serve.mjs")).args([
        tool,
        mode,
        "0",
        &stage.sandbox.at.app,
        &entry(only),
    ]);
    let (_server, url) = Process::start("the Vite server", &mut command, |line| {
        let ready: Value = serde_json::from_str(line).ok()?;
        Some(ready["url"].as_str()?.to_owned())
    })
    .await?;
    let driver = &stage.browser.driver;
    for destination in only.map_or(vec![Destination::S3, Destination::Ofauth], |only| vec![only]) {
        let file = stage.file(&format!("vite-{}.mp4", destination.name()), SEVERAL_PARTS)?;
        driver.goto(format!("{url}?destination={}", destination.name())).await?;
        workers::watch(&stage.browser).await?;
        driver.find(By::Css("#files")).await?.send_keys(file.path.to_string_lossy()).await?;
        let result = check::done(driver, &file.name).await?;
        stage.arrived(destination, &result, &file).await?;
        // The vendor that takes a form says nothing of its bytes; one that is asked for the file first gets a digest of it too.
        let parts = if destination.has_parts() { result["parts"].as_u64() } else { Some(0) };
        let seen = workers::seen(&stage.browser).await?;
        let digests = seen.digests(|url| url.starts_with("blob:"));
        let all = parts.is_some_and(|parts| digests as u64 >= parts) && seen.fallbacks() == 0;
        ensure!(all, "{digests} digests of {parts:?} parts: {seen:?}");
    }
    let loaded = stage
        .browser
        .execute("return performance.getEntriesByType('resource').map((entry) => entry.name)", vec![])
        .await?;
    let loaded: Vec<String> = serde_json::from_value(loaded).context("no list of what was loaded")?;
    let wasm = loaded.iter().filter(|name| name.contains(".wasm")).count();
    let inline = loaded.iter().filter(|name| name.contains("inline")).count();
    ensure!(wasm == 1, "the wasm was loaded {wasm} times: {loaded:?}");
    // Only the dev server up to 7 doesn't have the wasm where the module looks for it.
    let wanted = usize::from(mode == "dev" && tool != "8");
    ensure!(inline == wanted, "the inline copy was loaded {inline} times: {loaded:?}");
    Ok(())
}
