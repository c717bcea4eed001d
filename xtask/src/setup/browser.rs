//! Chromium and its WebDriver server.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::paths;
use crate::process;

/// Where the browser and its driver are.
pub(crate) struct Browser {
    pub(crate) chromium: PathBuf,
    pub(crate) driver: PathBuf,
}

const BY_HAND: &str = "Install Chromium and the ChromeDriver of the same version (Debian, as root: `apt-get update && apt-get install chromium chromium-driver`), or name them: CHROMIUM=/path/to/chromium CHROMEDRIVER=/path/to/chromedriver";

/// Finds both; on a Debian system, as root, installs what isn't there.
pub(crate) fn ensure() -> Result<Browser> {
    if let Some(browser) = find() {
        return Ok(browser);
    }
    install().context(BY_HAND)?;
    find().context(BY_HAND)
}

fn find() -> Option<Browser> {
    Some(Browser {
        chromium: named("CHROMIUM", &["chromium", "chromium-browser", "google-chrome"])?,
        driver: named("CHROMEDRIVER", &["chromedriver"])?,
    })
}

fn named(variable: &str, programs: &[&str]) -> Option<PathBuf> {
    match std::env::var_os(variable) {
        Some(path) => Some(PathBuf::from(path)),
        None => programs.iter().find_map(|name| paths::find_in_path(name)),
    }
}

fn install() -> Result<()> {
    if paths::find_in_path("apt-get").is_none() {
        bail!("Chromium or its driver is missing, and this system has no apt-get to install them");
    }
    if process::read(Command::new("id").arg("-u")).as_deref() != Some("0") {
        bail!("Chromium or its driver is missing, and only root can install them");
    }
    process::run(Command::new("apt-get").args(["update", "--quiet"]))?;
    process::run(
        Command::new("apt-get")
            .args(["install", "--yes", "--quiet", "--no-install-recommends"])
            .args(["chromium", "chromium-driver"])
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
}
