//! The packed package in an empty Vite app, in its dev server and built, from 5 to 8.

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

/// What the app imports, and where its uploads go.
struct Import {
    entry: &'static str,
    destinations: &'static [Destination],
}

const WHOLE: Import = Import { entry: "partway", destinations: &[Destination::S3, Destination::Ofauth] };

/// The entries for one destination each.
const ENTRIES: [Import; 5] = [
    Import { entry: "partway/ofauth", destinations: &[Destination::Ofauth] },
    Import { entry: "partway/onlymonster", destinations: &[Destination::Onlymonster] },
    Import { entry: "partway/apifansly", destinations: &[Destination::Apifansly] },
    Import { entry: "partway/s3", destinations: &[Destination::S3] },
    Import { entry: "partway/plan", destinations: &[Destination::Plan] },
];

pub(super) fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for version in [5, 6, 7, 8] {
        for mode in ["dev", "preview"] {
            tests.push(Test::new(format!("vite {version} {mode}: an app uploads with the tarball"), move |stage| {
                app(stage, version, mode, &WHOLE).boxed_local()
            }));
        }
    }
    let built = ENTRIES.iter().map(|import| (8, "preview", import));
    // Where the dev server doesn't have the wasm: the entry's own copy is loaded.
    for (version, mode, import) in built.chain([(5, "dev", &ENTRIES[0])]) {
        tests.push(Test::new(format!("vite {version} {mode}: an app uploads with {}", import.entry), move |stage| {
            app(stage, version, mode, import).boxed_local()
        }));
    }
    tests
}

async fn app(stage: &Stage, version: u32, mode: &str, import: &Import) -> Result<()> {
    quick(stage).await?;
    let mut command = Command::new("node");
    command.arg(crate::root().join("tests/package/serve.mjs")).args([
        &version.to_string(),
        mode,
        "0",
        &stage.sandbox.at.app,
        import.entry,
    ]);
    let (_server, url) = Process::start("the Vite server", &mut command, |line| {
        let ready: Value = serde_json::from_str(line).ok()?;
        Some(ready["url"].as_str()?.to_owned())
    })
    .await?;
    let driver = &stage.browser.driver;
    for &destination in import.destinations {
        let file = stage.file(&format!("vite-{}.mp4", destination.name()), SEVERAL_PARTS)?;
        driver.goto(format!("{url}?destination={}", destination.name())).await?;
        driver.find(By::Css("#files")).await?.send_keys(file.path.to_string_lossy()).await?;
        let result = check::done(driver, &file.name).await?;
        stage.arrived(destination, &result, &file).await?;
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
    let wanted = usize::from(mode == "dev" && version < 8);
    ensure!(inline == wanted, "the inline copy was loaded {inline} times: {loaded:?}");
    Ok(())
}
