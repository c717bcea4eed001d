//! Partway and its rivals side by side, in a real Chromium against one local target.

mod bars;
mod cases;
mod contestants;
mod hashing;
mod machine;
mod processes;
mod profile;
mod report;
mod run;
mod statistics;
mod target;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use lexopt::prelude::*;
use partway_webdriver::browser::{Browser, Engine};
use partway_webdriver::process;

use crate::cases::Case;
use crate::contestants::Contestant;
use crate::machine::Machine;
use crate::report::{Outcome, Report};
use crate::run::Ground;
use crate::target::{Content, Pages, Target};

const HELP: &str = "\
Partway and its rivals side by side, in a real Chromium against one local target.

partway-bench [--quick] [--case NAME]... [--contestant NAME]... [--rounds N] [--profile] [--no-hashing]

It wants the package and the bundles built: `cargo xtask bench` sees to that, and takes the same options.
Tables and data are written to target/bench/.
";

/// Where the draws of the block and the faults start. (A choice: any number.)
const SEED: u64 = 20_261_128;

#[derive(Debug, Default)]
struct Options {
    quick: bool,
    cases: Vec<String>,
    contestants: Vec<String>,
    rounds: Option<usize>,
    profile: bool,
    no_hashing: bool,
}

fn main() -> ExitCode {
    match parse().and_then(|options| process::run(bench(options))) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn parse() -> Result<Options> {
    let (mut parser, mut options) = (lexopt::Parser::from_env(), Options::default());
    while let Some(argument) = parser.next()? {
        match argument {
            Long("quick") => options.quick = true,
            Long("case") => options.cases.push(parser.value()?.string()?),
            Long("contestant") => options.contestants.push(parser.value()?.string()?),
            Long("rounds") => options.rounds = Some(parser.value()?.parse()?),
            Long("profile") => options.profile = true,
            Long("no-hashing") => options.no_hashing = true,
            other => bail!("{}\n\n{HELP}", other.unexpected()),
        }
    }
    Ok(options)
}

/// True where nobody failed.
async fn bench(options: Options) -> Result<bool> {
    let cases = chosen(&options)?;
    let folder = root().join("target/bench");
    let files = folder.join("files");
    fs::create_dir_all(&files).with_context(|| format!("could not make {}", files.display()))?;
    let page = root().join("tests/bench/page");
    let pages =
        Pages::new(vec![("/pkg/", root().join("pkg")), ("/bundles/", folder.join("bundles")), ("/", page.clone())]);
    let content = Arc::new(Content::new(SEED));
    let stores = cases.iter().map(|case| case.hosts).max().unwrap_or(1);
    let (target, addresses) = Target::start(content.clone(), pages, stores)?;
    let rounds = options.rounds.unwrap_or(if options.quick { 1 } else { 5 });

    let mut outcomes = Vec::new();
    for case in &cases {
        let files = write(case, &content, &files)?;
        let ground = Ground { case, target: &target, addresses: &addresses, files: &files, seed: SEED };
        if options.profile {
            profile(&ground, &folder.join("profiles")).await?;
            continue;
        }
        let outcome = one(&ground, rounds).await?;
        println!("{}", outcome.table());
        outcomes.push(outcome);
    }
    if options.profile {
        return Ok(true);
    }
    let hashing = if options.no_hashing {
        Vec::new()
    } else {
        let size = if options.quick { 16 << 20 } else { 512 << 20 };
        let file = files.join(format!("hashing-{size}"));
        content.write(&file, size)?;
        hashing::measure(&addresses.page, &file, rounds).await?
    };
    let machine = Machine::new(browser_title().await?, &page)?;
    let report = Report { machine, rounds, quick: options.quick, outcomes, hashing };
    let summary = format!("{}\n{}", report.summary(), bars::table(&report));
    println!("{summary}");
    let tables: Vec<String> = std::iter::once(summary).chain(report.outcomes.iter().map(Outcome::table)).collect();
    put(&folder.join("bench.md"), &tables.join("\n"))?;
    put(&folder.join("bench.json"), &serde_json::to_string_pretty(&report)?)?;
    Ok(report.outcomes.iter().all(|outcome| outcome.rows.iter().all(|row| row.runs.iter().all(Result::is_ok))))
}

fn chosen(options: &Options) -> Result<Vec<Case>> {
    let mut cases = cases::all(options.quick);
    for name in &options.cases {
        let names: Vec<&str> = cases.iter().map(|case| case.name).collect();
        ensure!(names.contains(&name.as_str()), "no case is called {name:?}: there are {}", names.join(", "));
    }
    for name in &options.contestants {
        let names: Vec<&str> = contestants::ALL.iter().map(|one| one.name).collect();
        ensure!(names.contains(&name.as_str()), "no contestant is called {name:?}: there are {}", names.join(", "));
    }
    cases.retain(|case| options.cases.is_empty() || options.cases.iter().any(|name| name == case.name));
    Ok(cases.into_iter().map(|case| Case { only: options.contestants.clone(), ..case }).collect())
}

/// Each contestant once a round, in an order that moves on by one each round, so that nobody is always after the same one.
async fn one(ground: &Ground<'_>, rounds: usize) -> Result<Outcome> {
    let mut outcome = Outcome::new(ground.case);
    let count = outcome.rows.len();
    for round in 0..rounds {
        for index in 0..count {
            let row = &mut outcome.rows[(round + index) % count];
            let contestant = Contestant::named(row.contestant).context("a row of nobody's")?;
            let run = ground.run(contestant).await.map_err(|error| format!("{error:#}"));
            let told = match &run {
                Ok(run) => format!("{:.2} s", run.seconds),
                Err(error) => format!("failed: {error}"),
            };
            eprintln!("{} {}/{rounds} {:<18} {told}", ground.case.name, round + 1, row.contestant);
            row.runs.push(run);
        }
    }
    Ok(outcome)
}

/// Each contestant once, with the functions that take most of the main thread's time.
async fn profile(ground: &Ground<'_>, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("could not make {}", folder.display()))?;
    for contestant in ground.case.taking_part() {
        let path = folder.join(format!("{}-{}.cpuprofile", ground.case.name, contestant.name));
        println!("{} {}\n{}", ground.case.name, contestant.name, ground.profile(contestant, &path).await?);
    }
    Ok(())
}

/// The case's files, which stay for the next time; the target knows the MD5s of their parts beforehand.
fn write(case: &Case, content: &Content, folder: &Path) -> Result<Vec<PathBuf>> {
    let paths: Vec<PathBuf> =
        (0..case.files).map(|number| folder.join(format!("{}-{number}.bin", case.size))).collect();
    for path in &paths {
        content.write(path, case.size)?;
        // Into the page cache.
        std::io::copy(&mut fs::File::open(path)?, &mut std::io::sink())?;
    }
    content.md5(0, case.part_size.min(case.size));
    Ok(paths)
}

async fn browser_title() -> Result<String> {
    let browser = Browser::start(Engine::Chromium).await?;
    let title = browser.title();
    browser.close().await;
    Ok(title)
}

fn put(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("could not write {}", path.display()))
}

/// The root of the repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the crate is two folders down")
}
