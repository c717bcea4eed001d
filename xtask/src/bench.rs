//! `cargo xtask bench`: Partway and its rivals side by side.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result};
use clap::Args;

use crate::setup::browser::Browser;
use crate::{build, package, paths, process, setup};

/// What `bench` takes.
#[derive(Args)]
pub(crate) struct Options {
    /// Files of a sixteenth, each contestant once: shows whether all works, and measures little
    #[arg(long)]
    quick: bool,

    /// Runs this case only; may be given several times
    #[arg(long, value_name = "NAME")]
    case: Vec<String>,

    /// Runs this contestant only, and the plain pool; may be given several times
    #[arg(long, value_name = "NAME")]
    contestant: Vec<String>,

    /// How often each contestant runs [default: 5, and 1 with --quick]
    #[arg(long, value_name = "N")]
    rounds: Option<usize>,

    /// Measures nothing: runs each contestant once, prints the functions that take most of the main thread's time, and writes
    /// profiles for DevTools to target/bench/profiles/
    #[arg(long)]
    profile: bool,

    /// Leaves out how fast MD5s are hashed
    #[arg(long)]
    no_hashing: bool,

    /// Leaves out what the engine costs a part, natively
    #[arg(long)]
    no_engine: bool,
}

/// Builds what is needed and runs it. The exit code tells whether every contestant sent everything.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    setup::toolchain::wasm_target()?;
    let browser = setup::browser::ensure()?;
    package::run(&package::Options { crash: false, skip_pack: true, names: options.profile })?;
    bundle_all()?;
    build::bench()?;
    if !options.no_engine && !options.profile {
        process::run(process::cargo().args(["bench", "--package", "partway-simulation", "--bench", "engine"]))?;
    }
    let mut command = program(&browser)?;
    command
        .args(options.quick.then_some("--quick"))
        .args(options.profile.then_some("--profile"))
        .args(options.no_hashing.then_some("--no-hashing"))
        .args(options.case.iter().flat_map(|name| ["--case", name]))
        .args(options.contestant.iter().flat_map(|name| ["--contestant", name]))
        .args(options.rounds.into_iter().flat_map(|rounds| ["--rounds".to_owned(), rounds.to_string()]))
        .stdin(Stdio::null());
    let status = command.status().context("could not start the bench")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs a few cases with small files and Partway alone, which needs nothing of the rivals: whether the bench still works, and whether
/// everything arrives. The package is there.
pub(crate) fn check(browser: &Browser) -> Result<bool> {
    let own = ["plain", "partway"].map(|name| page().join("contestants").join(format!("{name}.js")));
    bundle(&own)?;
    build::bench()?;
    let mut command = program(browser)?;
    command.args(["--quick", "--no-hashing"]);
    command.args(["unshaped", "small-files", "faults", "s3"].iter().flat_map(|case| ["--case", case]));
    command.args(["partway", "partway-bare", "partway-s3"].iter().flat_map(|name| ["--contestant", name]));
    Ok(process::tee(&mut command)?.success)
}

fn program(browser: &Browser) -> Result<Command> {
    let mut command = Command::new(paths::program("partway-bench")?);
    command.env("CHROMIUM", &browser.chromium).env("CHROMEDRIVER", &browser.driver).current_dir(paths::root());
    Ok(command)
}

fn page() -> PathBuf {
    paths::root().join("tests/bench/page")
}

/// Makes one script of each contestant, with what it takes from npm.
fn bundle_all() -> Result<()> {
    setup::npm::ensure(&page())?;
    let mut scripts = Vec::new();
    for folder in ["contestants", "uppy-5", "uppy-6"] {
        for entry in fs::read_dir(page().join(folder))? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "js") {
                scripts.push(path);
            }
        }
    }
    scripts.sort();
    bundle(&scripts)
}

/// Bundles scripts; the package itself is served as it is.
fn bundle(scripts: &[PathBuf]) -> Result<()> {
    let tools = paths::root().join("xtask/tools");
    // Where the packaging leaves the engine of the hashing workers as a module.
    let hash = package::target_folder()?.join("package/hashing/dist");
    process::run(
        Command::new(tools.join("node_modules/.bin/esbuild"))
            .args(scripts)
            .args(["--bundle", "--format=esm", "--platform=browser", "--target=es2022", "--log-level=warning"])
            .args(["--external:/pkg/*", "--entry-names=[name]", "--define:global=globalThis"])
            .arg(format!("--alias:partway-hash={}", hash.display()))
            .arg(format!("--outdir={}", paths::root().join("target/bench/bundles").display()))
            .current_dir(page()),
    )
}
