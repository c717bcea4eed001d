//! The workers that hash: one file that a worker runs, and one that a page loads when something is to be hashed, in two forms. All
//! entries share them.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use base64::Engine as _;

use super::glue;
use super::wasm::{self, Aim, Bound};
use super::{copy, copy_face, recreate, write};
use crate::process;

/// What a worker runs, glue and wasm included. It is also published by itself, for pages whose policy forbids workers from `blob:`.
pub(super) const WORKER: &str = "hash_worker.js";
/// What the face imports: the workers' queue, and what a worker runs as text.
pub(super) const PAGE: &str = "hashing.js";

/// The same for an entry that serves nothing: it knows of no worker's file.
pub(super) const INLINE: &str = "hashing_inline.js";

/// The module that differs between the two, and what it is where nothing is served.
const WORKER_FILE: (&str, &str) = ("hashing/worker-file.ts", include_str!("worker-file.none.ts"));

/// The declarations of what the sources in `pkg/hashing` import from `dist`.
const TEXT_TYPES: &str = "declare const text: string;\nexport default text;\n";

/// Makes the files of the compiled crate.
pub(super) fn put(face: &Path, compiled: &Path, scratch: &Path, tools: &Path, dist: &Path) -> Result<()> {
    let Bound { wasm, glue, types } = wasm::bind("hash", compiled, &scratch.join("bindgen"), false)?;
    let wasm = wasm::optimise(&wasm, Aim::Speed, &scratch.join("optimised"), tools, false)?;
    let folder = scratch.join("hashing");
    recreate(&folder)?;
    copy_face(face, &folder)?;
    let generated = folder.join("dist");
    recreate(&generated)?;
    write(&generated.join("hash.js"), glue)?;
    let text = base64::engine::general_purpose::STANDARD.encode(&wasm);
    write(&generated.join("hash_wasm.js"), format!("export default \"{text}\";\n"))?;
    minify(&folder, tools, "hashing/worker.ts", &dist.join(WORKER), &["--format=iife"])?;
    let source = serde_json::to_string(&fs::read_to_string(dist.join(WORKER))?)?;
    write(&generated.join("hash_source.js"), format!("export default {source};\n"))?;
    minify(&folder, tools, "hashing/page.ts", &dist.join(PAGE), &["--format=esm"])?;
    write(&folder.join(WORKER_FILE.0), WORKER_FILE.1)?;
    minify(&folder, tools, "hashing/page.ts", &dist.join(INLINE), &["--format=esm"])?;
    // What the compiler checks the sources against; not published.
    write(&dist.join("hash.d.ts"), glue::without_dispose(&types))?;
    for name in ["hash_wasm.d.ts", "hash_source.d.ts"] {
        write(&dist.join(name), TEXT_TYPES)?;
    }
    write(&dist.join("hashing.d.ts"), "export * from \"../hashing/page.ts\";\n")?;
    Ok(())
}

/// Copies all files.
pub(super) fn copy_to(dist: &Path, folder: &Path) -> Result<()> {
    [WORKER, PAGE, INLINE].iter().try_for_each(|name| copy(&dist.join(name), &folder.join(name)))
}

fn minify(folder: &Path, tools: &Path, source: &str, output: &Path, format: &[&str]) -> Result<()> {
    process::run(
        Command::new(tools.join("node_modules/.bin/esbuild"))
            .current_dir(folder)
            .args([source, "--bundle", "--minify", "--target=es2022", "--legal-comments=none", "--log-level=warning"])
            .args(format)
            .arg(format!("--outfile={}", output.display())),
    )
}
