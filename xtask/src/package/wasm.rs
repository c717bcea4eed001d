//! From Rust to a small wasm file and the JavaScript that calls it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use wasm_bindgen_cli_support::Bindgen;

use super::names::{self, Renamed};
use super::{recreate, write};
use crate::{paths, process};

const TARGET: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "wasm";

/// What rustc turns on for wasm32 since 1.87 (rustc book, "wasm32-unknown-unknown"), told to wasm-opt, and no more: each feature is a browser that can't.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// For the size after compression, which is what a page waits for: a function that is called once and stays by itself resembles
/// others, and costs less than its bytes (7 % of the whole, measured).
const OPTIMISATIONS: [&str; 2] = ["-Oz", "--one-caller-inline-max-function-size=0"];

/// A wasm module and its glue.
pub(super) struct Bound {
    pub(super) wasm: Vec<u8>,
    pub(super) glue: String,
}

/// Compiles the crate, and gives the path of the wasm.
pub(super) fn build(target: &Path, crash: bool) -> Result<PathBuf> {
    let mut command = process::cargo();
    command
        .args(["build", "--package", "partway", "--lib", "--profile", PROFILE, "--target", TARGET, "--target-dir"])
        .arg(target)
        .args(["--config", &format!("target.{TARGET}.rustflags={:?}", rust_flags()?)]);
    if crash {
        command.args(["--features", "crash-test"]);
    }
    process::run(&mut command)?;
    Ok(target.join(TARGET).join(PROFILE).join("partway.wasm"))
}

/// Flags that make the wasm smaller.
fn rust_flags() -> Result<Vec<String>> {
    // Panic messages name source files: without the folders of this machine they are shorter, and the same everywhere.
    let mut folders = vec![paths::root().to_owned()];
    // Where the standard library's sources are installed, they are named in place of the ones that it was built from.
    let sysroot = process::read(Command::new("rustc").args(["--print", "sysroot"]).current_dir(paths::root()))
        .context("`rustc --print sysroot` failed")?;
    folders.push(Path::new(&sysroot).join("lib/rustlib/src/rust"));
    let registry = cargo_home()?.join("registry/src");
    if registry.is_dir() {
        for entry in fs::read_dir(&registry)? {
            folders.push(entry?.path());
        }
    }
    let mut flags: Vec<_> = folders.iter().map(|folder| format!("--remap-path-prefix={}=", folder.display())).collect();
    // SHA-256 signs URLs here and hashes no files: a loop does (sha2, "Backends").
    flags.push("--cfg=sha2_backend_soft=\"compact\"".into());
    Ok(flags)
}

fn cargo_home() -> Result<PathBuf> {
    if let Some(home) = env::var_os("CARGO_HOME") {
        return Ok(home.into());
    }
    Ok(env::home_dir().context("no home folder")?.join(".cargo"))
}

/// Runs wasm-bindgen.
pub(super) fn bind(input: &Path, folder: &Path) -> Result<Bound> {
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(input)
        .web(true)?
        .typescript(false)
        // The face says where the wasm is. A second `new URL` in the glue would have bundlers emit it twice.
        .omit_default_module_path(true)
        .reset_state_function(true)
        .remove_name_section(true)
        .remove_producers_section(true);
    let mut output = bindgen.generate_output().context("wasm-bindgen")?;
    ensure!(
        output.snippets().values().all(Vec::is_empty) && output.local_modules().is_empty(),
        "the crate brings JavaScript of its own, which belongs into pkg/"
    );

    let (mut imports, mut exports) = (Renamed::new(), Renamed::new());
    let module = output.wasm_mut();
    for (index, import) in module.imports.iter_mut().enumerate() {
        let new = names::short(index);
        imports.insert(std::mem::replace(&mut import.name, new.clone()), new);
    }
    for (index, export) in module.exports.iter_mut().enumerate() {
        let new = names::short(index);
        exports.insert(std::mem::replace(&mut export.name, new.clone()), new);
    }
    recreate(folder)?;
    output.emit(folder).context("wasm-bindgen")?;
    let glue = fs::read_to_string(folder.join(super::GLUE))?;
    Ok(Bound { wasm: fs::read(folder.join(super::WASM))?, glue: names::apply(&glue, &imports, &exports)? })
}

/// Runs wasm-opt of the npm package binaryen.
pub(super) fn optimise(wasm: &[u8], folder: &Path, tools: &Path) -> Result<Vec<u8>> {
    recreate(folder)?;
    let (input, output) = (folder.join("in.wasm"), folder.join("out.wasm"));
    write(&input, wasm)?;
    process::run(
        Command::new("node")
            .arg(tools.join("node_modules/binaryen/bin/wasm-opt"))
            .args(FEATURES)
            .args(OPTIMISATIONS)
            .args(["--strip-debug", "--strip-producers", "--strip-target-features"])
            .arg(&input)
            .arg("-o")
            .arg(&output),
    )?;
    fs::read(&output).with_context(|| format!("wasm-opt wrote no {}", output.display()))
}
