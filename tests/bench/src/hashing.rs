//! How fast MD5 goes in one worker: from memory, and from a file.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use partway_webdriver::browser::{Browser, Engine};
use serde::{Deserialize, Serialize};
use serde_json::json;
use thirtyfour::prelude::*;
use tokio::process::Command;

use crate::run;
use crate::statistics::Spread;

/// Megabytes (10^6) a second.
#[derive(Debug, Serialize)]
pub(crate) struct Speed {
    pub(crate) name: String,
    pub(crate) memory: Option<f64>,
    pub(crate) file: Option<f64>,
}

#[derive(Deserialize)]
struct Told {
    name: String,
    /// Nothing where a file is only read.
    memory: Option<f64>,
    file: f64,
}

/// Measures each hasher in a worker of its own, `rounds` times, and `md5sum` on the same file.
pub(crate) async fn measure(page: &str, file: &Path, rounds: usize) -> Result<Vec<Speed>> {
    let browser = Browser::start(Engine::Chromium).await?;
    let told = in_page(&browser, page, file, rounds).await;
    browser.close().await;
    let mut told = told?;
    told.push(Speed { name: "`md5sum`, natively".to_owned(), memory: None, file: Some(natively(file, rounds).await?) });
    Ok(told)
}

async fn in_page(browser: &Browser, page: &str, file: &Path, rounds: usize) -> Result<Vec<Speed>> {
    run::open(browser, page).await?;
    browser.driver.find(By::Css("input#files")).await?.send_keys(file.display().to_string()).await?;
    let script = "const { measure } = await import('/bundles/hashing.js'); return await measure(document.querySelector('#files').files[0], args[0]);";
    let told = run::call(browser, script, vec![json!(rounds)]).await?;
    let told: Vec<Told> = serde_json::from_value(told).context("what the page tells of hashing")?;
    Ok(told.into_iter().map(|one| Speed { name: one.name, memory: one.memory, file: Some(one.file) }).collect())
}

async fn natively(file: &Path, rounds: usize) -> Result<f64> {
    let size = std::fs::metadata(file)?.len() as f64;
    let mut speeds = Vec::new();
    for _ in 0..rounds {
        let start = Instant::now();
        let output = Command::new("md5sum").arg(file).output().await.context("md5sum")?;
        ensure!(output.status.success(), "md5sum failed");
        speeds.push(size / start.elapsed().as_secs_f64() / 1e6);
    }
    Ok(Spread::of(speeds).context("no round")?.median)
}

impl Speed {
    pub(crate) fn table(speeds: &[Self]) -> String {
        let mut text =
            "### MD5 in one worker, MB/s\n\n| | from memory | from a file |\n| --- | --- | --- |\n".to_owned();
        let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.0}"));
        for speed in speeds {
            let _ = writeln!(text, "| {} | {} | {} |", speed.name, number(speed.memory), number(speed.file));
        }
        text
    }
}
