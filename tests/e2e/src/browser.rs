//! Chromium, driven over WebDriver.

use std::env;

use anyhow::{Context, Result};
use serde_json::Value;
use tempfile::TempDir;
use thirtyfour::LoggingPrefsLogLevel;
use thirtyfour::prelude::*;
use tokio::process::Command;

use crate::process::Process;

/// No window, no network of its own.
const FLAGS: &[&str] = &[
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1280,900",
];

/// A running browser with one tab.
pub(crate) struct Browser {
    /// The session.
    pub(crate) driver: WebDriver,
    process: Process,
    _profile: TempDir,
}

impl Browser {
    /// Starts ChromeDriver on a free port, and Chromium with a new profile.
    ///
    /// CHROMEDRIVER and CHROMIUM name the programs, where they aren't on the search path.
    pub(crate) async fn start() -> Result<Self> {
        let profile = tempfile::tempdir().context("no folder for the browser's profile")?;
        let program = env::var_os("CHROMEDRIVER").unwrap_or_else(|| "chromedriver".into());
        let (process, port) = Process::start("chromedriver", Command::new(program).arg("--port=0"), port).await?;
        let mut wanted = DesiredCapabilities::chrome();
        for flag in FLAGS {
            wanted.add_arg(flag)?;
        }
        wanted.add_arg(&format!("--user-data-dir={}", profile.path().display()))?;
        wanted.set_browser_log_level(LoggingPrefsLogLevel::All)?;
        if let Some(chromium) = env::var_os("CHROMIUM") {
            wanted.set_binary(&chromium.to_string_lossy())?;
        }
        let driver =
            WebDriver::new(format!("http://127.0.0.1:{port}"), wanted).await.context("Chromium did not start")?;
        Ok(Self { driver, process, _profile: profile })
    }

    /// Ends the session, the browser and its driver.
    pub(crate) async fn close(self) {
        if let Err(error) = self.driver.quit().await {
            eprintln!("the browser did not quit: {error}");
        }
        // The driver has nothing to finish.
        drop(self.process);
    }

    /// Runs a function body in the page and gives back what it returns.
    pub(crate) async fn execute(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        Ok(self.driver.execute(script, arguments).await?.json().clone())
    }

    /// Runs an async function body in the page and gives back what its promise resolves with.
    pub(crate) async fn execute_async(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        let wrapped = format!(
            "const given = Array.from(arguments); const done = given.pop();
             (async (...args) => {{ {script} }})(...given).then(
                 (value) => done({{ value: value === undefined ? null : value }}),
                 (error) => done({{ error: String(error && error.stack || error) }}),
             );"
        );
        let answer = self.driver.execute_async(&wrapped, arguments).await?.json().clone();
        match answer.get("error").and_then(Value::as_str) {
            Some(error) => anyhow::bail!("in the page: {error}"),
            None => Ok(answer.get("value").cloned().unwrap_or(Value::Null)),
        }
    }
}

/// In "ChromeDriver was started successfully on port 40001."
fn port(line: &str) -> Option<u16> {
    let (_, after) = line.split_once("started successfully on port ")?;
    after.trim_end().trim_end_matches('.').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::port;

    #[test]
    fn reads_the_port_of_the_driver() {
        let line = "ChromeDriver was started successfully on port 40001.";
        assert_eq!(port(line), Some(40001));
        assert_eq!(port("Starting ChromeDriver 156.0.8078.79"), None);
    }
}
