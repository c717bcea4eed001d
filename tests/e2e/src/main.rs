//! Real files through a real browser to the sandbox, bytes compared.
//!
//! `partway-e2e check` does the main job once for each destination, through the page that people use.
//! `partway-e2e run` runs all tests, or those whose names contain one of the given words.

mod browser;
mod check;
mod destination;
mod files;
mod page;
mod process;
mod runner;
mod sandbox;
mod stage;
mod suites;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};
use lexopt::prelude::*;
use tokio::signal::unix::{SignalKind, signal};

const HELP: &str = "\
Real files through a real browser to the sandbox, bytes compared.

partway-e2e check [SANDBOX OPTIONS]   uploads a 64 MiB file to each destination through the demo page
partway-e2e run [WORD]...             runs all tests, or those whose names contain one of the words
partway-e2e list                      prints the names of all tests

It wants the package built (`cargo xtask package`), and chromedriver and chromium on the search path
or named by CHROMEDRIVER and CHROMIUM. `cargo xtask demo --check` and `cargo xtask test` see to all that.
";

enum Command {
    Help,
    Check(Vec<OsString>),
    Run(Vec<String>),
    List,
}

fn main() -> ExitCode {
    match parse().and_then(start) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn parse() -> Result<Command> {
    let mut parser = lexopt::Parser::from_env();
    Ok(match parser.next()? {
        None | Some(Long("help") | Short('h')) => Command::Help,
        Some(Value(word)) if word == "check" => Command::Check(parser.raw_args()?.collect()),
        Some(Value(word)) if word == "list" => Command::List,
        Some(Value(word)) if word == "run" => {
            let words = parser.raw_args()?.map(|word| word.string());
            Command::Run(words.collect::<Result<_, _>>()?)
        }
        Some(other) => bail!("{}\n\n{HELP}", other.unexpected()),
    })
}

fn start(command: Command) -> Result<bool> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // What was started ends when its owner is dropped, and that is when the other arm wins.
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            outcome = dispatch(command) => outcome,
            _ = tokio::signal::ctrl_c() => bail!("interrupted"),
            _ = terminate.recv() => bail!("told to end"),
        }
    })
}

async fn dispatch(command: Command) -> Result<bool> {
    match command {
        Command::Help => {
            print!("{HELP}");
            Ok(true)
        }
        Command::Check(arguments) => check::run(&arguments).await,
        Command::Run(words) => runner::run(suites::all(), &words).await,
        Command::List => {
            for test in suites::all() {
                println!("{}", test.name);
            }
            Ok(true)
        }
    }
}

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
