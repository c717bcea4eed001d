//! `cargo xtask soak`: a large upload whose browser is killed again and again.

use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result};
use clap::Args;

use crate::{build, package, paths, setup};

/// What `soak` takes.
#[derive(Args)]
pub(crate) struct Options {
    /// How large the file is
    #[arg(long, value_name = "MIB", default_value_t = 1024)]
    size: u64,

    /// How often the browser is killed
    #[arg(long, value_name = "N", default_value_t = 10)]
    kills: u32,

    /// Where the draws of the moments start; one is drawn and printed without it
    #[arg(long, value_name = "S")]
    seed: Option<u64>,

    /// Where the file goes: ofauth, onlymonster, s3 or plan
    #[arg(long, value_name = "NAME", default_value = "s3")]
    destination: String,

    /// The browser: chromium or firefox
    #[arg(long, value_name = "NAME", default_value = "chromium")]
    engine: String,
}

/// Builds what is needed and runs it. The exit code tells whether the file arrived, with no more sent again than was in flight.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    setup::toolchain::wasm_target()?;
    let browser = setup::browser::ensure()?;
    package::run(&package::Options { crash: false, skip_pack: true, names: false })?;
    build::servers()?;
    let mut command = Command::new(paths::program("partway-e2e")?);
    command
        .args(["soak", "--size", &options.size.to_string(), "--kills", &options.kills.to_string()])
        .args(["--destination", &options.destination, "--engine", &options.engine])
        .env("CHROMIUM", &browser.chromium)
        .env("CHROMEDRIVER", &browser.driver)
        .current_dir(paths::root())
        .stdin(Stdio::null());
    if let Some(seed) = options.seed {
        command.args(["--seed", &seed.to_string()]);
    }
    if options.engine == "firefox" {
        setup::engines::ensure()?.name_to(&mut command);
    }
    let status = command.status().context("could not start the soak")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
