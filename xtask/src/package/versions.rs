//! One version for all: the wasm says Cargo's, npm says the manifest's, and the face compares.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

const CARGO: &str = env!("CARGO_PKG_VERSION");

/// The version that `Cargo.toml`, `pkg/package.json` and `pkg/util/version.ts` agree on.
pub(super) fn agreed(package: &Path) -> Result<String> {
    let manifest: serde_json::Value =
        serde_json::from_str(&read(&package.join("package.json"))?).context("pkg/package.json")?;
    let npm = manifest["version"].as_str().context("pkg/package.json has no version")?;
    ensure!(npm == CARGO, "pkg/package.json says version {npm}, Cargo.toml says {CARGO}: write the same in both");
    let face = format!("export const version = \"{CARGO}\";");
    ensure!(
        read(&package.join("util/version.ts"))?.contains(&face),
        "pkg/util/version.ts must hold `{face}`, as Cargo.toml says"
    );
    Ok(npm.to_owned())
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))
}
