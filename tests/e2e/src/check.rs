//! One upload to each destination, as a user does it: through the page, with a file from the disk.

use std::ffi::OsString;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use thirtyfour::prelude::*;
use tokio::time::sleep;

use crate::browser::{Browser, Engine};
use crate::destination::Destination;
use crate::files::{self, Picked};
use crate::sandbox::Sandbox;

const SIZE: u64 = 64 << 20;
const PATIENCE: Duration = Duration::from_secs(300);

/// Runs it; returns whether every destination has the file, byte for byte. `arguments` go to the sandbox.
pub(crate) async fn run(arguments: &[OsString]) -> Result<bool> {
    let folder = tempfile::tempdir()?;
    let file = files::random(folder.path(), "partway-check.mp4", SIZE)?;
    let sandbox = Sandbox::start(None, arguments).await?;
    let browser = Browser::start(Engine::Chromium).await?;
    let mut all = true;
    for destination in Destination::ALL {
        match one(destination, &file, &sandbox, &browser).await {
            Ok(line) => println!("{} ok {line}", destination.name()),
            Err(error) => {
                all = false;
                println!("{} FAILED {error:#}", destination.name());
            }
        }
    }
    browser.close().await;
    sandbox.close().await;
    Ok(all)
}

async fn one(destination: Destination, file: &Picked, sandbox: &Sandbox, browser: &Browser) -> Result<String> {
    let driver = &browser.driver;
    driver.goto(format!("{}/", sandbox.at.app)).await?;
    choose(browser, destination).await?;
    let start = Instant::now();
    driver.find(By::Css("input#files[type=file]")).await?.send_keys(file.path.to_string_lossy()).await?;
    let result = done(driver, &file.name).await?;
    let took = start.elapsed();
    let id = destination.id(&result)?;
    sandbox.holds(destination, id, file).await?;
    let (parts, attempts) = (&result["parts"], &result["attempts"]);
    ensure!(parts == attempts, "{attempts} tries for {parts} parts");
    Ok(format!("{id}, {} bytes, {parts} parts, {:.1} s, SHA-256 {}", file.size, took.as_secs_f64(), &file.sha256[..16]))
}

/// Picks the destination in the page's list, once the page has filled it.
pub(crate) async fn choose(browser: &Browser, destination: Destination) -> Result<()> {
    let option = format!("select#destination option[value={}]", destination.name());
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Ok(option) = browser.driver.find(By::Css(&*option)).await {
            option.click().await?;
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "the page shows no {option} after 20 s");
        sleep(Duration::from_millis(100)).await;
    }
}

/// The result of the upload called `name`, when the page has it.
pub(crate) async fn done(driver: &WebDriver, name: &str) -> Result<Value> {
    let deadline = Instant::now() + PATIENCE;
    let mut status = "not shown".to_owned();
    while Instant::now() < deadline {
        if let Ok(upload) = driver.find(By::Css(format!(".upload[data-name=\"{name}\"]"))).await {
            status = upload.attr("data-status").await?.unwrap_or_default();
            if status == "done" {
                let result = upload.attr("data-result").await?.context("no data-result")?;
                return serde_json::from_str(&result).context("data-result is no JSON");
            }
            if status == "failed" || status == "cancelled" {
                let error = upload.attr("data-error").await?.unwrap_or_default();
                bail!("the upload {status}: {error}");
            }
        }
        sleep(Duration::from_millis(50)).await;
    }
    bail!("the upload is {status} after {} s", PATIENCE.as_secs())
}
