//! Chromium and its WebDriver server.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::apt;
use crate::paths;

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
    apt::install("Chromium or its driver", &["chromium", "chromium-driver"])
}
