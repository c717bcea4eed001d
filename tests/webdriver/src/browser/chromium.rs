//! Chromium, by ChromeDriver.

use std::env;

use anyhow::Result;
use serde_json::json;
use thirtyfour::Capabilities;
use tokio::process::Command;

use super::{Launch, Profile};
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
    "--window-size=1280,900",
];

/// Below so many bytes of shared memory Chromium gets files in their place: a container has 64 MiB, and tabs crash where that is full.
/// Files are slower. (A choice.)
const ENOUGH_SHARED_MEMORY: u64 = 1 << 30;

fn has_shared_memory() -> bool {
    rustix::fs::statvfs("/dev/shm").is_ok_and(|fs| fs.f_bavail.saturating_mul(fs.f_frsize) >= ENOUGH_SHARED_MEMORY)
}

/// CHROMEDRIVER and CHROMIUM name the programs, where they aren't on the search path.
pub(super) async fn launch(profile: &Profile) -> Result<Launch> {
    let program = env::var_os("CHROMEDRIVER").unwrap_or_else(|| "chromedriver".into());
    let (driver, port) = Process::start("chromedriver", Command::new(program).arg("--port=0"), port).await?;
    let mut arguments: Vec<String> = FLAGS.iter().map(|flag| (*flag).to_owned()).collect();
    if !has_shared_memory() {
        arguments.push("--disable-dev-shm-usage".into());
    }
    arguments.push(format!("--user-data-dir={}", profile.path().display()));
    let mut options = json!({ "args": arguments });
    if let Some(chromium) = env::var_os("CHROMIUM") {
        options["binary"] = json!(chromium.to_string_lossy());
    }
    let mut capabilities = Capabilities::new();
    capabilities.set("browserName", "chrome")?;
    capabilities.set("goog:chromeOptions", options)?;
    capabilities.set("goog:loggingPrefs", json!({ "browser": "ALL" }))?;
    Ok(Launch { url: format!("http://127.0.0.1:{port}"), capabilities, processes: vec![driver] })
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
