//! Packages of a Debian system.

use std::process::Command;

use anyhow::{Result, bail};

use crate::{paths, process};

/// Installs packages, where this is a Debian system and root runs this.
pub(crate) fn install(what: &str, packages: &[&str]) -> Result<()> {
    if paths::find_in_path("apt-get").is_none() {
        bail!("{what} is missing, and this system has no apt-get to install it");
    }
    if process::read(Command::new("id").arg("-u")).as_deref() != Some("0") {
        bail!("{what} is missing, and only root can install it");
    }
    process::run(Command::new("apt-get").args(["update", "--quiet"]))?;
    process::run(
        Command::new("apt-get")
            .args(["install", "--yes", "--quiet", "--no-install-recommends"])
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
}
