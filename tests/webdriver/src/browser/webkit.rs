//! WebKitGTK's test browser, by WebKitWebDriver, on a virtual screen.

use std::env;
use std::ffi::OsString;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use thirtyfour::Capabilities;
use tokio::process::Command;
use tokio::time::sleep;

use super::Launch;
use crate::process::Process;

/// Where Debian and its like have the test browser, which is on no search path.
const PLACES: &[&str] = &[
    "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser",
    "/usr/lib/aarch64-linux-gnu/webkit2gtk-4.1/MiniBrowser",
    "/usr/libexec/webkit2gtk-4.1/MiniBrowser",
    "/usr/lib/webkit2gtk-4.1/MiniBrowser",
];

/// WEBKITWEBDRIVER, MINIBROWSER and XVFB name the programs, where they aren't in their usual places.
pub(super) async fn launch() -> Result<Launch> {
    let program = |variable: &str, usual: &str| env::var_os(variable).unwrap_or_else(|| usual.into());
    let browser = mini_browser()?;
    let mut command = Command::new(program("XVFB", "Xvfb"));
    command.args(["-displayfd", "1", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"]).stderr(Stdio::null());
    let (screen, display) = Process::start("Xvfb", &mut command, |line| line.trim().parse::<u32>().ok()).await?;
    let port = free_port()?;
    let mut command = Command::new(program("WEBKITWEBDRIVER", "WebKitWebDriver"));
    command.arg(format!("--port={port}")).env("DISPLAY", format!(":{display}")).stderr(Stdio::null());
    let driver = Process::spawn("WebKitWebDriver", &mut command)?;
    let url = format!("http://127.0.0.1:{port}");
    answers(&url).await?;
    let mut capabilities = Capabilities::new();
    capabilities.set("browserName", "MiniBrowser")?;
    capabilities.set("webkitgtk:browserOptions", json!({ "binary": browser, "args": ["--automation"] }))?;
    Ok(Launch { url, capabilities, processes: vec![driver, screen] })
}

fn mini_browser() -> Result<PathBuf> {
    let named: Option<OsString> = env::var_os("MINIBROWSER");
    let place = match named {
        Some(path) => Some(PathBuf::from(path)),
        None => PLACES.iter().map(PathBuf::from).find(|path| path.is_file()),
    };
    place.filter(|path: &PathBuf| Path::is_file(path)).context("no MiniBrowser of WebKitGTK: name it with MINIBROWSER")
}

/// A free port: the driver can't choose one and report it.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

async fn answers(url: &str) -> Result<()> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let deadline = Instant::now() + Duration::from_secs(20);
    while client.get(format!("{url}/status")).send().await.is_err() {
        ensure!(Instant::now() < deadline, "WebKitWebDriver does not answer after 20 s");
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
