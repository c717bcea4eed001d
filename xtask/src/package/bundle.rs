//! What npm publishes: for each entry the face and the glue as one small file, so that a page has two requests to make, this and
//! the wasm; and once more as a CommonJS module, for test runners and servers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::entries::Entry;
use super::{copy, copy_face, recreate};
use crate::{paths, process};

/// Puts one of the package's entries into `stage`: its script, and the engine in `dist` that it loads.
pub(super) fn entry(entry: &Entry, face: &Path, dist: &Path, scratch: &Path, stage: &Path, tools: &Path) -> Result<()> {
    // A copy beside the result: the source map names files by their way from there, which is then the same on every machine.
    let sources = scratch.join("src");
    recreate(&sources)?;
    copy_face(face, &sources)?;
    entry.narrow(&sources)?;
    recreate(&sources.join("dist"))?;
    copy(&dist.join(entry.glue()), &sources.join("dist").join(entry.glue()))?;
    process::run(
        Command::new(tools.join("node_modules/.bin/esbuild"))
            .arg("index.js")
            .args([
                "--bundle",
                "--format=esm",
                "--minify",
                "--target=es2022",
                "--sourcemap",
                "--legal-comments=none",
                "--log-level=warning",
            ])
            .arg(format!("--external:./dist/{}", entry.inline()))
            .arg("--outfile=bundle.js")
            .current_dir(&sources),
    )?;
    // 5 % less after compression than esbuild leaves.
    let script = format!("{}.js", entry.script);
    process::run(
        Command::new(tools.join("node_modules/.bin/terser"))
            .arg("bundle.js")
            .args(["--module", "--ecma", "2022", "--compress", "passes=3", "--mangle"])
            .arg("--source-map")
            .arg(format!("content='bundle.js.map',filename='{script}',url='{script}.map',includeSources"))
            .arg("--output")
            .arg(stage.join(&script))
            .current_dir(&sources),
    )?;
    entry.for_require(&sources)?;
    process::run(
        Command::new(tools.join("node_modules/.bin/esbuild"))
            .arg("index.js")
            // "node" has the exports listed in a way that `import` of Node's finds; nothing of Node's is used.
            .args(["--bundle", "--format=cjs", "--platform=node", "--minify", "--target=es2022"])
            .args(["--legal-comments=none", "--log-level=warning"])
            .arg(format!("--external:./dist/{}", entry.required()))
            .arg("--outfile=bundle.cjs")
            .current_dir(&sources),
    )?;
    copy(&sources.join("bundle.cjs"), &stage.join(format!("{}.cjs", entry.script)))?;
    for file in [entry.wasm(), entry.inline(), entry.required()] {
        copy(&dist.join(&file), &stage.join("dist").join(&file))?;
    }
    Ok(())
}

/// Puts the files into `stage` that aren't built.
pub(super) fn rest(face: &Path, stage: &Path) -> Result<()> {
    for name in ["index.d.ts", "package.json", "README.md"] {
        copy(&face.join(name), &stage.join(name))?;
    }
    copy(&face.join("index.d.ts"), &stage.join("index.d.cts"))?;
    for entry in fs::read_dir(paths::root())? {
        let path = entry?.path();
        let name = path.file_name().context("an entry without a name")?;
        if name.to_string_lossy().starts_with("LICENSE-") {
            copy(&path, &stage.join(name))?;
        }
    }
    Ok(())
}

/// Runs `npm pack`, and gives the tarball's path.
pub(super) fn pack(stage: &Path, destination: &Path, version: &str) -> Result<PathBuf> {
    process::run(
        Command::new("npm").args(["pack", "--silent", "--pack-destination"]).arg(destination).current_dir(stage),
    )?;
    let tarball = destination.join(format!("partway-{version}.tgz"));
    fs::metadata(&tarball).with_context(|| format!("npm pack wrote no {}", tarball.display()))?;
    Ok(tarball)
}
