//! From Rust to a small wasm file and the JavaScript that calls it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use wasm_bindgen_cli_support::Bindgen;

use super::names::{self, Renamed};
use super::{recreate, write};
use crate::{paths, process, setup};

const TARGET: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "wasm";
const HASH_PROFILE: &str = "wasm-hash";

/// What rustc turns on for wasm32 since 1.87 (rustc book, "wasm32-unknown-unknown"), told to wasm-opt, and no more: each feature is a browser that can't.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Compiles the standard library too, with its own choice of smaller algorithms (Cargo's unstable features, "build-std").
const BUILD_STD: [&str; 2] = ["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"];

/// A panic traps where it happens, and formats neither its message nor its place: nobody here could read them, and the guard
/// around the glue sees the trap (rustc's unstable book, "Immediate abort" and "location-detail").
const IMMEDIATE_ABORT: [&str; 3] = ["-Zunstable-options", "-Cpanic=immediate-abort", "-Zlocation-detail=none"];

/// What LLVM is told: structs are copied by one instruction, not word by word (2.3 % of the whole after compression, measured).
const LLVM: [&str; 2] = ["-max-store-memcpy=1", "-max-store-memmove=1"];

/// A wasm module and its glue.
pub(super) struct Bound {
    pub(super) wasm: Vec<u8>,
    pub(super) glue: String,
    /// The glue's declarations.
    pub(super) types: String,
}

/// The standard library that the wasm was linked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Library {
    /// Compiled along with the crate, for size, and without a word for a panic to say.
    ForSize,
    /// The one that the toolchain brings.
    Shipped,
}

/// Which engine.
#[derive(Clone, Copy, Debug)]
pub(super) enum Engine {
    /// With all destinations.
    Whole,
    /// The same, and uploads whose name asks for it crash.
    Crash,
    /// With this destination alone.
    Only(&'static str),
}

impl Engine {
    /// What tells its file from the others': Cargo calls them all the same.
    const fn suffix(self) -> Option<&'static str> {
        match self {
            Self::Whole => None,
            Self::Crash => Some("crash-test"),
            Self::Only(name) => Some(name),
        }
    }

    fn features(self) -> Vec<&'static str> {
        match self {
            Self::Whole => vec![],
            Self::Crash => vec!["--features", "crash-test"],
            Self::Only(name) => vec!["--no-default-features", "--features", name],
        }
    }
}

/// Compiles the crate, and gives the wasm's path with the library that is in it.
///
/// Where the standard library can't be compiled along, it says so and takes the one that the toolchain brings: the same engine, in
/// more bytes.
pub(super) fn build(target: &Path, engine: Engine) -> Result<(PathBuf, Library)> {
    let for_size = setup::toolchain::library_sources().and_then(|()| compile(target, engine, Library::ForSize));
    match for_size {
        Ok(wasm) => Ok((wasm, Library::ForSize)),
        Err(error) => {
            eprintln!(
                "warning: the standard library can't be compiled for size, so the wasm becomes larger: {error:#}"
            );
            Ok((compile(target, engine, Library::Shipped)?, Library::Shipped))
        }
    }
}

/// Compiles the crate with that library, and gives the wasm's path.
pub(super) fn compile(target: &Path, engine: Engine, library: Library) -> Result<PathBuf> {
    let mut flags = rust_flags()?;
    let mut command = cargo_rustc("partway", PROFILE, target);
    command.args(engine.features());
    if library == Library::ForSize {
        command.env("RUSTC_BOOTSTRAP", "1").args(BUILD_STD);
        flags.extend(IMMEDIATE_ABORT.map(String::from));
        flags.extend(LLVM.map(|flag| format!("-Cllvm-args={flag}")));
    }
    command.args(["--config", &format!("target.{TARGET}.rustflags={flags:?}")]);
    let folder = target.join(TARGET).join(PROFILE);
    let Some(suffix) = engine.suffix() else {
        process::run(&mut command)?;
        return Ok(folder.join("partway.wasm"));
    };
    command.args(["--", &format!("-Cextra-filename=-{suffix}")]);
    process::run(&mut command)?;
    Ok(folder.join(format!("deps/partway-{suffix}.wasm")))
}

/// Compiles the crate of the workers that hash, and gives the wasm's path. Panics are formatted by nothing in either library.
pub(super) fn compile_hash(target: &Path, library: Library) -> Result<PathBuf> {
    let mut flags = rust_flags()?;
    flags.push("-Ctarget-feature=+simd128".into());
    let mut command = cargo_rustc("partway-hash", HASH_PROFILE, target);
    if library == Library::ForSize {
        command.env("RUSTC_BOOTSTRAP", "1").arg(BUILD_STD[0]);
        flags.extend(IMMEDIATE_ABORT.map(String::from));
    }
    command.args(["--config", &format!("target.{TARGET}.rustflags={flags:?}")]);
    process::run(&mut command)?;
    Ok(target.join(TARGET).join(HASH_PROFILE).join("partway_hash.wasm"))
}

/// Without the rlib beside it: what that would offer to other crates stays in the wasm (1.6 % of the whole, measured).
fn cargo_rustc(package: &str, profile: &str, target: &Path) -> Command {
    let mut command = process::cargo();
    command
        .args(["rustc", "--package", package, "--lib", "--crate-type", "cdylib"])
        .args(["--profile", profile, "--target", TARGET, "--target-dir"])
        .arg(target);
    command
}

/// Flags that make the wasm smaller with any toolchain.
fn rust_flags() -> Result<Vec<String>> {
    // Panic messages name source files: without the folders of this machine they are shorter, and the same everywhere.
    let mut folders = vec![paths::root().to_owned()];
    // Where the standard library's sources are installed, they are named in place of the ones that it was built from.
    folders.push(setup::toolchain::sysroot()?.join("lib/rustlib/src/rust"));
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

/// Runs wasm-bindgen; the files that it writes are called `name`.
pub(super) fn bind(name: &str, input: &Path, folder: &Path, names: bool) -> Result<Bound> {
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(input)
        .out_name(name)
        .web(true)?
        .typescript(true)
        // The face says where the wasm is. A second `new URL` in the glue would have bundlers emit it twice.
        .omit_default_module_path(true)
        .reset_state_function(true)
        .remove_name_section(!names)
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
    let glue = fs::read_to_string(folder.join(format!("{name}.js")))?;
    let types = fs::read_to_string(folder.join(format!("{name}.d.ts")))?;
    Ok(Bound {
        wasm: fs::read(folder.join(format!("{name}_bg.wasm")))?,
        glue: names::apply(&glue, &imports, &exports)?,
        types,
    })
}

/// What wasm-opt makes it good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aim {
    /// Few bytes.
    Size,
    /// Speed, with SIMD.
    Speed,
}

/// Runs wasm-opt of the npm package binaryen.
pub(super) fn optimise(wasm: &[u8], aim: Aim, folder: &Path, tools: &Path, names: bool) -> Result<Vec<u8>> {
    recreate(folder)?;
    let (input, output) = (folder.join("in.wasm"), folder.join("out.wasm"));
    write(&input, wasm)?;
    process::run(
        Command::new("node")
            .arg(tools.join("node_modules/binaryen/bin/wasm-opt"))
            .args(FEATURES)
            .args(if aim == Aim::Size { &["-Oz"][..] } else { &["--enable-simd", "-O3"] })
            .args(["--strip-producers", "--strip-target-features"])
            .arg(if names { "--debuginfo" } else { "--strip-debug" })
            .arg(&input)
            .arg("-o")
            .arg(&output),
    )?;
    fs::read(&output).with_context(|| format!("wasm-opt wrote no {}", output.display()))
}
