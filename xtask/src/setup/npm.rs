//! Node.js and what lock files ask for.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::paths;
use crate::process;

const OLDEST_NODE: u32 = 20;

/// Installs exactly what the lock file in `folder` names, unless that was done before.
pub(crate) fn ensure(folder: &Path) -> Result<()> {
    node()?;
    let lock_file = folder.join("package-lock.json");
    let lock = fs::read(&lock_file).with_context(|| format!("could not read {}", lock_file.display()))?;
    let stamp = folder.join("node_modules/.installed-lock.json");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    // Not `npm ci`: it fails where a registry has the bundlers' binaries for this platform only. This takes the lock file's versions
    // too, and leaves the file as it is.
    process::run(Command::new("npm").args(["install", "--no-save", "--no-audit", "--no-fund"]).current_dir(folder))
        .with_context(|| format!("`npm install` has to work once in {}", folder.display()))?;
    fs::write(&stamp, lock).with_context(|| format!("could not write {}", stamp.display()))
}

/// A Node.js that is new enough, with npm.
pub(crate) fn node() -> Result<()> {
    let version = process::read(Command::new("node").arg("--version"))
        .context("Node.js is missing: install version 20 or later, with npm")?;
    let major: u32 = version
        .trim_start_matches('v')
        .split('.')
        .next()
        .and_then(|major| major.parse().ok())
        .with_context(|| format!("`node --version` said {version:?}"))?;
    if major < OLDEST_NODE {
        bail!("Node.js {version} is too old: install version {OLDEST_NODE} or later");
    }
    if paths::find_in_path("npm").is_none() {
        bail!("npm is missing: it comes with Node.js {OLDEST_NODE} and later, or as a package of its own");
    }
    Ok(())
}
