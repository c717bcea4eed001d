//! Real files through a real browser to the sandbox, bytes compared.
//!
//! `partway-e2e check` does the main job once for each destination, through the page that people use.
//! `partway-e2e run` runs all tests, or those whose names contain one of the given words.

mod check;
mod destination;
mod files;
mod page;
mod runner;
mod sandbox;
mod soak;
mod stage;
mod suites;
mod table;
mod workers;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};
use lexopt::prelude::*;
use partway_webdriver::{browser, process};

use crate::browser::Engine;
use crate::destination::Destination;

const HELP: &str = "\
Real files through a real browser to the sandbox, bytes compared.

partway-e2e check [SANDBOX OPTIONS]   uploads a 64 MiB file to each destination through the demo page
partway-e2e run [--full] [WORD]...    runs all tests, or those whose names contain one of the words; slow
                                      ones that rarely break with --full
partway-e2e list                      prints the names of all tests
partway-e2e table [--full] [--engine NAME]... [WORD]...
                                      the fault table, in chromium, firefox and webkit, or those named:
                                      each fault at each destination; some destinations in the last two,
                                      all with --full; or the cells whose names contain one of the words
partway-e2e soak [--size MIB] [--kills N] [--seed S] [--destination NAME] [--engine NAME]
                                      a file of 1 GiB to s3, by chromium, killed 10 times

It wants the package built (`cargo xtask package`), and the browsers with their drivers on the search path
or named: CHROMIUM, CHROMEDRIVER; for the table and drop zones also FIREFOX, GECKODRIVER; MINIBROWSER, WEBKITWEBDRIVER, XVFB.
`cargo xtask demo --check` and `cargo xtask test` see to all that.
";

enum Command {
    Help,
    Check(Vec<OsString>),
    Run { words: Vec<String>, full: bool },
    List,
    Table(table::Options),
    Soak(soak::Options),
}

fn main() -> ExitCode {
    match parse().and_then(|command| process::run(dispatch(command))) {
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
            let words: Vec<String> = parser.raw_args()?.map(|word| word.string()).collect::<Result<_, _>>()?;
            let (options, words): (Vec<_>, Vec<_>) = words.into_iter().partition(|word| word == "--full");
            Command::Run { words, full: !options.is_empty() }
        }
        Some(Value(word)) if word == "table" => Command::Table(table_options(&mut parser)?),
        Some(Value(word)) if word == "soak" => Command::Soak(soak_options(&mut parser)?),
        Some(other) => bail!("{}\n\n{HELP}", other.unexpected()),
    })
}

fn table_options(parser: &mut lexopt::Parser) -> Result<table::Options> {
    let mut options = table::Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("full") => options.full = true,
            Long("engine") => options.engines.push(Engine::named(&parser.value()?.string()?)?),
            Value(word) => options.words.push(word.string()?),
            other => bail!("{}\n\n{HELP}", other.unexpected()),
        }
    }
    Ok(options)
}

fn soak_options(parser: &mut lexopt::Parser) -> Result<soak::Options> {
    let mut options = soak::Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("size") => options.size = parser.value()?.parse()?,
            Long("kills") => options.kills = parser.value()?.parse()?,
            Long("seed") => options.seed = Some(parser.value()?.parse()?),
            Long("destination") => options.destination = Destination::named(&parser.value()?.string()?)?,
            Long("engine") => options.engine = Engine::named(&parser.value()?.string()?)?,
            other => bail!("{}\n\n{HELP}", other.unexpected()),
        }
    }
    Ok(options)
}

async fn dispatch(command: Command) -> Result<bool> {
    match command {
        Command::Help => {
            print!("{HELP}");
            Ok(true)
        }
        Command::Check(arguments) => check::run(&arguments).await,
        Command::Run { words, full } => runner::run(suites::all(), &words, full).await,
        Command::Table(options) => table::run(&options).await,
        Command::Soak(options) => soak::run(&options).await,
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
