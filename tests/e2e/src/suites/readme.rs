//! The samples of the package's README, as they stand there, with the sandbox's store in the place of AWS.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures::FutureExt;
use serde_json::Value;
use thirtyfour::prelude::*;
use tokio::process::Command;
use tokio::time::sleep;

use super::SEVERAL_PARTS;
use crate::destination::Destination;
use crate::process::Process;
use crate::runner::Test;
use crate::stage::Stage;

const PATIENCE: Duration = Duration::from_secs(120);

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::new("README: S3 with its page, its credentials endpoint", |stage| {
            sample(stage, "/s3", Destination::S3).boxed_local()
        }),
        Test::new("README: a plan with its page and its backend", |stage| {
            sample(stage, "/plan", Destination::Plan).boxed_local()
        }),
        Test::new("README: what its recipes make of a file", |stage| recipes(stage).boxed_local()),
    ]
}

async fn serve(stage: &Stage) -> Result<(Process, String)> {
    let mut command = Command::new("node");
    command.arg(crate::root().join("tests/readme/serve.mjs")).arg(&stage.sandbox.at.app);
    // The SDK's warning about the version of Node.js doesn't matter here.
    command.env("NODE_NO_WARNINGS", "1");
    Process::start("the README's server", &mut command, |line| {
        let ready: Value = serde_json::from_str(line).ok()?;
        Some(ready["url"].as_str()?.to_owned())
    })
    .await
}

async fn recipes(stage: &Stage) -> Result<()> {
    let (_server, url) = serve(stage).await?;
    let driver = &stage.browser.driver;
    driver.goto(format!("{url}/recipes")).await?;
    let said = state(driver).await?;
    let expected =
        "log.txt.gz application/gzip true; log.txt application/octet-stream true; dot.dot.jpg image/jpeg 150 100";
    ensure!(said == expected, "the page says: {said}");
    Ok(())
}

async fn sample(stage: &Stage, path: &str, destination: Destination) -> Result<()> {
    let (_server, url) = serve(stage).await?;
    let file = stage.file("readme.mp4", SEVERAL_PARTS)?;
    let driver = &stage.browser.driver;
    driver.goto(format!("{url}{path}")).await?;
    driver.find(By::Css("#file")).await?.send_keys(file.path.to_string_lossy()).await?;
    let said = state(driver).await?;
    let key = said.strip_prefix("Stored as ").with_context(|| format!("the page says: {said}"))?;
    stage.sandbox.holds(destination, key, &file).await
}

/// What the page says, once it says something.
async fn state(driver: &WebDriver) -> Result<String> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let said = driver.find(By::Css("#state")).await?.text().await?;
        if !said.is_empty() {
            return Ok(said);
        }
        ensure!(Instant::now() < deadline, "the page says nothing after {} s", PATIENCE.as_secs());
        sleep(Duration::from_millis(100)).await;
    }
}
