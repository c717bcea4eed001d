//! The face and the glue as one file for each entry, so that a page has two requests to make, this and the wasm: readable for the
//! pages of this repository; small, and once more as a CommonJS module for test runners and servers, for npm.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::entries::Entry;
use super::views::{SESSIONS, VIEW};
use super::{copy, copy_face, hashing, recreate, write};
use crate::{paths, process};

/// The sources of one entry, in a folder of their own: source maps name files by their way from there, which is then the same on
/// every machine.
struct Sources<'a> {
    folder: PathBuf,
    tools: &'a Path,
}

impl<'a> Sources<'a> {
    fn new(entry: &Entry, face: &Path, dist: &Path, shared: &Path, scratch: &Path, tools: &'a Path) -> Result<Self> {
        let folder = scratch.join("src");
        recreate(&folder)?;
        copy_face(face, &folder)?;
        entry.narrow(face, &folder)?;
        recreate(&folder.join("dist"))?;
        copy(&dist.join(entry.glue()), &folder.join("dist").join(entry.glue()))?;
        copy(&shared.join(VIEW), &folder.join("dist").join(VIEW))?;
        Ok(Self { folder, tools })
    }

    fn tool(&self, name: &str) -> Command {
        let mut command = Command::new(self.tools.join("node_modules/.bin").join(name));
        command.current_dir(&self.folder);
        command
    }

    /// Runs esbuild, and gives the path of what it wrote. `external` are the files in `dist` that stay files.
    fn bundle(&self, output: &str, external: &[&str], arguments: &[&str]) -> Result<PathBuf> {
        process::run(
            self.tool("esbuild")
                .args(["index.ts", "--bundle", "--target=es2022", "--legal-comments=none", "--log-level=warning"])
                .args(arguments)
                .args(external.iter().map(|name| format!("--external:./dist/{name}")))
                .arg(format!("--outfile={output}")),
        )?;
        Ok(self.folder.join(output))
    }

    /// Runs terser: 5 % less after compression than esbuild leaves.
    fn shorten(&self, input: &str, output: &Path, map: bool) -> Result<()> {
        let mut terser = self.tool("terser");
        terser.arg(input).args(["--module", "--ecma", "2022", "--compress", "passes=3", "--mangle"]);
        if map {
            let name = output.file_name().context("a script without a name")?.to_string_lossy();
            let options = format!("content='{input}.map',filename='{name}',url='{name}.map',includeSources");
            terser.args(["--source-map", &options]);
        }
        process::run(terser.arg("--output").arg(output))
    }
}

/// Puts the entry's script into `folder`, for a page without a bundler: readable, with its sources in it.
pub(super) fn readable(entry: &Entry, face: &Path, folder: &Path, scratch: &Path, tools: &Path) -> Result<()> {
    let dist = folder.join("dist");
    let sources = Sources::new(entry, face, &dist, &dist, scratch, tools)?;
    let files = [&entry.inline(), hashing::PAGE, hashing::INLINE, SESSIONS, VIEW];
    let script = sources.bundle("bundle.js", &files, &["--format=esm", "--sourcemap=inline"])?;
    copy(&script, &folder.join(format!("{}.js", entry.script)))
}

/// Puts one of the package's entries into `stage`: its script, and the engine in `dist` that it loads. What all entries share is in
/// `shared`.
pub(super) fn entry(
    entry: &Entry,
    face: &Path,
    [dist, shared]: [&Path; 2],
    scratch: &Path,
    stage: &Path,
    tools: &Path,
) -> Result<()> {
    let sources = Sources::new(entry, face, dist, shared, scratch, tools)?;
    let files = [&entry.inline(), hashing::PAGE, hashing::INLINE, SESSIONS, VIEW];
    sources.bundle("bundle.js", &files, &["--format=esm", "--minify", "--sourcemap"])?;
    sources.shorten("bundle.js", &stage.join(format!("{}.js", entry.script)), true)?;
    entry.for_inline(face, &sources.folder)?;
    sources.bundle("inline.js", &files, &["--format=esm", "--minify"])?;
    sources.shorten("inline.js", &stage.join(format!("{}.js", entry.self_contained())), false)?;
    write(&stage.join(format!("{}.d.ts", entry.self_contained())), entry.self_contained_types())?;
    entry.for_require(face, &sources.folder)?;
    // "node" has the exports listed in a way that `import` of Node's finds; nothing of Node's is used.
    let required =
        sources.bundle("bundle.cjs", &[&entry.required()], &["--format=cjs", "--platform=node", "--minify"])?;
    copy(&required, &stage.join(format!("{}.cjs", entry.script)))?;
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
