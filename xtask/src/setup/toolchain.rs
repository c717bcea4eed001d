//! Parts of the Rust toolchain beyond `cargo` and `rustc`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::paths;
use crate::process;

const WASM: &str = "wasm32-unknown-unknown";

/// The standard library for wasm.
pub(crate) fn wasm_target() -> Result<()> {
    let library = sysroot()?.join("lib/rustlib").join(WASM).join("lib");
    if library.is_dir() {
        return Ok(());
    }
    if paths::find_in_path("rustup").is_none() {
        bail!(
            "this Rust has no standard library for {WASM}, and rustup isn't there to add it: install Rust with rustup, or add your distribution's package for this target"
        );
    }
    process::run(Command::new("rustup").args(["target", "add", WASM])).with_context(|| {
        format!("the standard library for {WASM} is missing: `rustup target add {WASM}` has to work once")
    })
}

/// The sources of the standard library, so that it can be compiled along.
pub(crate) fn library_sources() -> Result<()> {
    const COMPONENT: &str = "rust-src";
    let sources = sysroot()?.join("lib/rustlib/src/rust/library/std/Cargo.toml");
    if sources.is_file() {
        return Ok(());
    }
    if paths::find_in_path("rustup").is_none() {
        bail!(
            "this Rust comes without the standard library's sources, and rustup isn't there to add them: install Rust with rustup, or add your distribution's package `{COMPONENT}`"
        );
    }
    process::run(Command::new("rustup").args(["component", "add", COMPONENT])).with_context(|| {
        format!("the standard library's sources are missing: `rustup component add {COMPONENT}` has to work once")
    })
}

/// The folder of the toolchain.
pub(crate) fn sysroot() -> Result<PathBuf> {
    process::read(Command::new("rustc").args(["--print", "sysroot"]).current_dir(paths::root()))
        .map(PathBuf::from)
        .context("`rustc --print sysroot` failed: install Rust with rustup")
}

/// `rustfmt` and `clippy`.
pub(crate) fn linters() -> Result<()> {
    for (subcommand, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        if process::read(process::cargo().args([subcommand, "--version"])).is_some() {
            continue;
        }
        if paths::find_in_path("rustup").is_none() {
            bail!("`cargo {subcommand}` is missing, and rustup isn't there to add it: install Rust with rustup");
        }
        process::run(Command::new("rustup").args(["component", "add", component]))
            .with_context(|| format!("`rustup component add {component}` has to work once"))?;
    }
    Ok(())
}
