//! `cargo xtask simulate`: stories from seeds, in a release build, on all cores.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use clap::Args;

use crate::process;

/// What `simulate` takes.
#[derive(Args)]
pub(crate) struct Options {
    /// How many seeds
    #[arg(long, value_name = "N")]
    seeds: u64,

    /// The first one
    #[arg(long, value_name = "S", default_value_t = 1)]
    from: u64,

    /// With files of real bytes, which is slower; without it bodies are symbolic
    #[arg(long)]
    bytes: bool,

    /// Tells every story, not only those that fail
    #[arg(long)]
    verbose: bool,

    /// Ends after so many failures
    #[arg(long, value_name = "N", default_value_t = 20)]
    failures: u64,
}

/// Builds the simulation and plays the seeds. The exit code tells whether none failed.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let mut command = program();
    command.args(["--seeds", &options.seeds.to_string(), "--from", &options.from.to_string()]);
    command.args(["--failures", &options.failures.to_string()]);
    command.args(options.bytes.then_some("--bytes")).args(options.verbose.then_some("--verbose"));
    let status = command.status().with_context(|| format!("could not start `{}`", process::shown(&command)))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The simulation's program, built first where it isn't; its arguments are still to come.
pub(crate) fn program() -> Command {
    let mut command = process::cargo();
    command.args(["run", "--release", "--quiet", "--package", "partway-simulation", "--bin", "partway-simulate", "--"]);
    command
}
