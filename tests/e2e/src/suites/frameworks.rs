//! Apps that use the packed package's hooks, built by Vite: React in its StrictMode, Vue, Svelte.

use anyhow::{Context, Result, ensure};
use futures::FutureExt;
use serde::Deserialize;
use serde_json::Value;
use thirtyfour::prelude::*;
use tokio::process::Command;

use super::SEVERAL_PARTS;
use crate::check;
use crate::destination::Destination;
use crate::process::Process;
use crate::runner::Test;
use crate::stage::Stage;

pub(super) fn tests() -> Vec<Test> {
    let test = |name: &'static str| {
        Test::new(format!("hooks: an app of {name} shows an upload from start to end"), move |stage| {
            app(stage, name).boxed_local()
        })
    };
    vec![test("react19"), test("react18").rare(), test("vue").rare(), test("svelte").rare()]
}

/// What a component showed of a file, one after the other.
#[derive(Debug, Deserialize)]
struct Shown {
    fractions: Vec<f64>,
    statuses: Vec<String>,
}

async fn app(stage: &Stage, name: &'static str) -> Result<()> {
    let mut command = Command::new("node");
    command.arg(crate::root().join("tests/package/frameworks.mjs")).args([name, "0", &stage.sandbox.at.app]);
    let (_server, url) = Process::start("the app's server", &mut command, |line| {
        let ready: Value = serde_json::from_str(line).ok()?;
        Some(ready["url"].as_str()?.to_owned())
    })
    .await?;
    let driver = &stage.browser.driver;
    driver.goto(url).await?;
    let file = stage.file(&format!("hooks-{name}.mp4"), SEVERAL_PARTS)?;
    driver.query(By::Css("#files")).first().await?.send_keys(file.path.to_string_lossy()).await?;
    let result = check::done(driver, &file.name).await?;
    stage.arrived(Destination::S3, &result, &file).await?;

    let shown = stage.browser.execute("return window.shown[arguments[0]]", vec![file.name.clone().into()]).await?;
    let Shown { fractions, statuses } = serde_json::from_value(shown).context("the app showed nothing")?;
    ensure!(fractions.is_sorted(), "the progress went back: {fractions:?}");
    ensure!(fractions.iter().any(|fraction| (0.01..0.99).contains(fraction)), "no progress was shown: {fractions:?}");
    ensure!(fractions.last() == Some(&1.0), "the end wasn't shown: {fractions:?}");
    ensure!(statuses.iter().any(|status| status == "sending"), "{statuses:?}");
    let whole = stage.browser.execute("return document.querySelector('progress').value", vec![]).await?;
    ensure!(whole.as_f64() == Some(1.0), "the whole list is at {whole}");

    if let Some(wanted) = name.strip_prefix("react") {
        let [version, mounts] = ["framework", "mounts"].map(|what| format!("return window.{what}"));
        let version = stage.browser.execute(&version, vec![]).await?;
        ensure!(version.as_str().is_some_and(|version| version.starts_with(wanted)), "it is React {version}");
        // StrictMode runs each effect twice, in a build for development.
        let mounts = stage.browser.execute(&mounts, vec![]).await?;
        ensure!(mounts == 2, "effects ran {mounts} times");
    }

    driver.find(By::Css("#clear")).await?.click().await?;
    ensure!(driver.query(By::Css(".upload")).not_exists().await?, "cleared, and still shown");
    Ok(())
}
