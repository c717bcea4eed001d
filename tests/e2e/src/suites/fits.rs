//! The packed package in every place that it must fit: pages without a bundler, under policies, in workers, and apps of frameworks.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures::FutureExt;
use serde::Deserialize;
use serde_json::Value;
use thirtyfour::prelude::*;
use tokio::process::Command;
use tokio::time::sleep;

use super::{SEVERAL_PARTS, quick};
use crate::check;
use crate::destination::Destination;
use crate::process::Process;
use crate::runner::Test;
use crate::stage::Stage;
use crate::workers::{self, Seen};

/// Installing a framework's tools once, and building an app with them, on a machine that has other things to do.
const PATIENCE: u64 = 900;

/// How often a place is tried.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Run {
    Always,
    /// It takes a while, and rarely breaks: with `--full` only.
    Rarely,
}

/// Where parts are hashed.
#[derive(Clone, Copy)]
enum Hashing {
    Worker(fn(&str) -> bool),
    Page,
}

const TEXT: Hashing = Hashing::Worker(|url| url.starts_with("blob:"));
const OWN: Hashing = Hashing::Worker(|url| url == "/own-worker.js");

/// The places, as `tests/package/fits/places.mjs` has them, how many wasm files a page of theirs fetches, and where it hashes.
const PLACES: [(&str, Run, usize, Hashing); 13] = [
    ("import map", Run::Always, 1, TEXT),
    ("module worker", Run::Always, 1, TEXT),
    ("strict policy", Run::Always, 1, OWN),
    ("policy without workers", Run::Always, 1, Hashing::Page),
    ("other origin", Run::Always, 1, TEXT),
    ("vite worker", Run::Always, 1, TEXT),
    ("vite worker in dev", Run::Rarely, 1, TEXT),
    ("one file", Run::Always, 0, TEXT),
    ("parcel", Run::Always, 1, TEXT),
    ("sveltekit", Run::Always, 1, TEXT),
    ("sveltekit dev", Run::Rarely, 1, TEXT),
    ("next", Run::Always, 1, TEXT),
    ("next dev", Run::Rarely, 1, TEXT),
];

pub(super) fn tests() -> Vec<Test> {
    PLACES
        .into_iter()
        .map(|(place, run, wasms, hashing)| {
            let test =
                Test::new(format!("fits: {place}"), move |stage| uploads(stage, place, wasms, hashing).boxed_local());
            let test = test.patience(PATIENCE);
            if run == Run::Rarely { test.rare() } else { test }
        })
        .collect()
}

/// What `tests/package/fits.mjs` says when it is ready.
#[derive(Deserialize)]
struct Place {
    url: String,
    /// How many wasm files a build has.
    emitted: Option<usize>,
}

async fn uploads(stage: &Stage, place: &str, wasms: usize, hashing: Hashing) -> Result<()> {
    quick(stage).await?;
    let mut command = Command::new("node");
    command.arg(crate::root().join("tests/package/fits.mjs")).args([place, &stage.sandbox.at.app]);
    let patience = Duration::from_secs(PATIENCE);
    let ready = |line: &str| serde_json::from_str::<Place>(line).ok();
    let (_server, at) = Process::start_within(patience, "the app's server", &mut command, ready).await?;
    ensure!(at.emitted.is_none_or(|emitted| emitted == wasms), "the build has {:?} wasm files", at.emitted);

    let driver = &stage.browser.driver;
    driver.goto(&at.url).await?;
    hydrated(driver).await?;
    workers::watch(&stage.browser).await?;
    let file = stage.file("fits.mp4", SEVERAL_PARTS)?;
    driver.find(By::Css("#files")).await?.send_keys(file.path.to_string_lossy()).await?;
    let result = check::done(driver, &file.name).await?;
    stage.arrived(Destination::S3, &result, &file).await?;
    let parts = usize::try_from(result["parts"].as_u64().context("the result says no number of parts")?)?;
    ensure!(parts > 1 && result["verified"] == true, "nothing proved {parts} parts: {result}");

    let seen = workers::seen(&stage.browser).await?;
    match hashing {
        Hashing::Worker(fits) => seen.is_hashed_by(fits, parts)?,
        Hashing::Page => is_hashed_on_the_page(&seen)?,
    }
    let fetched = reqwest::get(format!("{}-/requests", origin(&at.url)?)).await?.json::<Vec<String>>().await?;
    let found = fetched.iter().filter(|path| path.contains(".wasm")).count();
    ensure!(found == wasms, "{found} wasm files were fetched: {fetched:?}");
    let copies: Vec<&String> = fetched.iter().filter(|path| path.contains("inline")).collect();
    ensure!(copies.is_empty(), "the copy was fetched: {copies:?}");
    // A page without an engine's file is all in one.
    ensure!(wasms > 0 || fetched == ["/"], "more than the page was fetched: {fetched:?}");
    Ok(())
}

fn is_hashed_on_the_page(seen: &Seen) -> Result<()> {
    ensure!(seen.digests(|_| true) == 0 && seen.fallbacks() == 1, "{seen:?}");
    Ok(())
}

/// The address up to the path.
fn origin(url: &str) -> Result<&str> {
    Ok(url.split_once('?').map_or(url, |(before, _)| before))
}

/// Waits until the page's script listens to its input.
async fn hydrated(driver: &WebDriver) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        let ready = driver.execute("return document.documentElement.dataset.ready", Vec::<Value>::new()).await?;
        if ready.json() == "yes" {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "the page's script didn't run within 120 s");
        sleep(Duration::from_millis(50)).await;
    }
}
