//! What a developer of partway runs: `cargo xtask demo`, `test`, `simulate`, `soak`, `bench` and `package`.

mod bench;
mod build;
mod demo;
mod package;
mod paths;
mod process;
mod setup;
mod simulate;
mod soak;
mod test;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

/// Shows, tests and packs partway.
///
/// Each command puts first what it needs and can't find: the wasm target by rustup, Chromium, Firefox and WebKit
/// with their drivers by apt-get (as root) and Cargo, npm packages by their lock files. Where it can't, it says what to install.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Builds the package, starts the sandbox with the page, and prints the page's address; Ctrl-C ends it
    ///
    /// With --check nobody has to look: a 64 MiB file of random bytes goes through the page to each destination in a
    /// headless Chromium, and what is stored has to have the same SHA-256. One line for each destination; the exit
    /// code is 0 only where all are ok.
    ///
    /// The sandbox's own store is used unless --s3-endpoint names another one: Garage, MinIO, Ceph, AWS.
    Demo(demo::Options),

    /// Runs every suite: format, lints, docs, native tests, simulation, wasm in a browser, the package, end to end
    ///
    /// Ends with a table and, as the last line, `N passed, N failed` over all suites. The exit code is 0 only where
    /// nothing failed; a suite that could not run, or that ran no test, has failed.
    Test(test::Options),

    /// Plays uploads in virtual time, each from a seed, with whatever can go wrong; ends with `N seeds, N failed`
    ///
    /// All five providers against the sandbox's own models: lost requests and answers, refusals, stalls, lapsed URLs, clocks that
    /// are off, no network, a machine that sleeps, pauses, crashes and what was kept across them. A seed that fails prints
    /// its story and how to run it again; the exit code is 0 only where none did.
    Simulate(simulate::Options),

    /// Sends a large file by a browser that is killed at random moments and started again; prints what was sent twice
    ///
    /// The upload goes on each time where it was: in the end the file is there, SHA-256 compared, and what was sent again is
    /// no more than what was in flight at the kills. A run can be repeated by its seed, as far as moments go.
    Soak(soak::Options),

    /// Measures Partway against other uploaders in a headless Chromium, side by side; writes target/bench/bench.md and .json
    ///
    /// All send the same files from the disk to one local target, interleaved, each in a browser of its own. Times are ratios to
    /// a plain pool of fetch PUTs in the same round. On a machine that does something else they say little.
    Bench(bench::Options),

    /// Builds the npm package: wasm, glue, inline copy, tarball; prints the brotli sizes and holds them to the budget
    Package(PackageOptions),

    /// Runs one wasm test program in a headless browser; `cargo test` calls this, nobody else needs to
    #[command(hide = true, disable_help_flag = true)]
    WasmTestRunner {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

#[derive(Args)]
struct PackageOptions {
    /// Builds the package of the crash tests instead, into a folder of its own under target/: an upload of a file
    /// named "crash-panic", "crash-stack" or "crash-oom" crashes midway
    #[arg(long)]
    crash: bool,
}

fn main() -> ExitCode {
    match dispatch(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> Result<ExitCode> {
    match command {
        Command::Demo(options) => demo::run(&options),
        Command::Test(options) => test::run(&options),
        Command::Simulate(options) => simulate::run(&options),
        Command::Soak(options) => soak::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Package(options) => {
            setup::toolchain::wasm_target()?;
            let built = package::run(&package::Options { crash: options.crash, skip_pack: false, names: false })?;
            println!("{}", built.tarball.unwrap_or(built.folder).display());
            Ok(ExitCode::SUCCESS)
        }
        Command::WasmTestRunner { arguments } => {
            let program = OsString::from("wasm-bindgen-test-runner");
            wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(std::iter::once(program).chain(arguments))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
