//! The npm package: wasm, glue, the copy for odd hosting, sizes, tarball.

mod bundle;
mod entries;
mod glue;
mod hashing;
mod names;
mod sizes;
mod versions;
mod views;
mod wasm;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use base64::Engine as _;

use crate::paths;
use crate::setup;
use entries::{Entry, NARROW, WHOLE};
use wasm::{Aim, Bound, Engine};

/// The declarations of the wasm as a script.
const INLINE_TYPES: &str = "declare const text: string;\nexport default text;\n";

/// What to build.
pub(crate) struct Options {
    /// Builds with the feature `crash-test` into a folder of its own, and packs nothing.
    pub(crate) crash: bool,
    /// Leaves out what only publishing needs: the small bundles, the entries for one destination, the sizes, the tarball.
    pub(crate) skip_pack: bool,
    /// Keeps the names of the wasm's functions, which makes it twice as large: for profiles.
    pub(crate) names: bool,
}

/// What was built.
#[derive(Debug)]
pub(crate) struct Built {
    /// A folder with the package's files as a page without a bundler imports them: `index.js` and what it needs.
    pub(crate) folder: PathBuf,
    /// The tarball that npm would publish.
    pub(crate) tarball: Option<PathBuf>,
}

/// Builds the package in `pkg/`, and packs it.
pub(crate) fn run(options: &Options) -> Result<Built> {
    let package = paths::root().join("pkg");
    let version = versions::agreed(&package)?;
    let tools = paths::root().join("xtask/tools");
    setup::npm::ensure(&tools)?;

    let target = target_folder()?;
    let scratch = target.join("package");
    let folder = if options.crash {
        let folder = paths::root().join("target/pkg-crash-test");
        recreate(&folder)?;
        folder
    } else {
        package.clone()
    };

    let engine = if options.crash { Engine::Crash } else { Engine::Whole };
    let (compiled, library) = wasm::build(&target, engine)?;
    let dist = folder.join("dist");
    recreate(&dist)?;
    put_engine(&WHOLE, &compiled, &scratch, &tools, &dist, options.names)?;
    hashing::put(&package, &wasm::compile_hash(&target, library)?, &scratch, &tools, &dist)?;
    views::put(&package, &scratch, &tools, &dist)?;
    bundle::readable(&WHOLE, &package, &folder, &scratch, &tools)?;
    if options.crash || options.skip_pack {
        return Ok(Built { folder, tarball: None });
    }

    let stage = scratch.join("stage");
    recreate(&stage)?;
    recreate(&stage.join("dist"))?;
    bundle::entry(&WHOLE, &package, [&dist, &dist], &scratch, &stage, &tools)?;
    for entry in &NARROW {
        let compiled = wasm::compile(&target, Engine::Only(entry.engine), library)?;
        let own = scratch.join("entry");
        recreate(&own)?;
        put_engine(entry, &compiled, &scratch, &tools, &own, options.names)?;
        bundle::entry(entry, &package, [&own, &dist], &scratch, &stage, &tools)?;
        write(&stage.join(format!("{}.d.ts", entry.script)), entry.types())?;
        write(&stage.join(format!("{}.d.cts", entry.script)), entry.required_types())?;
    }
    hashing::copy_to(&dist, &stage.join("dist"))?;
    views::entries(&package, &dist, &scratch, &stage, &tools)?;
    bundle::rest(&package, &stage)?;
    let tarball = bundle::pack(&stage, &package, &version)?;
    sizes::report(&stage, &tarball, library, &scratch, &tools)?;
    Ok(Built { folder, tarball: Some(tarball) })
}

/// Makes an engine's files of a compiled crate: wasm, glue, and the wasm as text.
fn put_engine(entry: &Entry, compiled: &Path, scratch: &Path, tools: &Path, dist: &Path, names: bool) -> Result<()> {
    let Bound { wasm, glue, types } = wasm::bind(entry.engine, compiled, &scratch.join("bindgen"), names)?;
    let optimised = wasm::optimise(&wasm, Aim::Size, &scratch.join("optimised"), tools, names)?;
    write(&dist.join(entry.glue()), glue::patch(&glue)?)?;
    // What the compiler holds the face's own types of the engine against; not published.
    write(&dist.join(entry.glue_types()), glue::patch_types(&types))?;
    write(&dist.join(entry.inline_types()), INLINE_TYPES)?;
    let text = base64::engine::general_purpose::STANDARD.encode(&optimised);
    // The face imports it only where the wasm's URL gives something else.
    write(&dist.join(entry.inline()), format!("export default \"{text}\";\n"))?;
    write(&dist.join(entry.required()), format!("module.exports = \"{text}\";\n"))?;
    write(&dist.join(entry.wasm()), optimised)
}

/// Where Cargo builds: this program is in `<target>/debug`.
pub(crate) fn target_folder() -> Result<PathBuf> {
    let programs = paths::programs()?;
    Ok(programs.parent().context("this program isn't in Cargo's target folder")?.to_owned())
}

/// The face's sources: TypeScript in all folders but `dist`, and the manifests.
fn copy_face(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let name = path.file_name().context("an entry without a name")?;
        if path.is_dir() {
            if name != "dist" {
                copy_face(&path, &to.join(name))?;
            }
        } else if path.extension().is_some_and(|extension| extension == "ts" || extension == "json") {
            copy(&path, &to.join(name))?;
        }
    }
    Ok(())
}

fn recreate(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("could not empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("could not make {}", folder.display()))
}

fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<()> {
    fs::write(path, content).with_context(|| format!("could not write {}", path.display()))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("could not copy {} to {}", from.display(), to.display()))?;
    Ok(())
}
