//! Plays seeds, and ends with `N seeds, N failed`.

use std::process::ExitCode;
use std::time::Instant;

use partway_simulation::seeds::runner::{Run, run};

const HELP: &str = "\
Plays uploads in virtual time, each from a seed, and checks what must hold in any story

Usage: partway-simulate --seeds N [--from S] [--bytes] [--verbose] [--failures N] [--every-excuse]

  --seeds N    how many seeds
  --from S     the first one [default: 1]
  --bytes      files of real bytes, which is slower; without it they are symbolic
  --failures N ends after so many failures [default: 20]
  --verbose    tells every story, not only those that fail
  --every-excuse
               plays the known seeds of rare excuses too, and fails where an excuse is needed by no seed
  --help       this text
";

fn main() -> ExitCode {
    let run_of = match options(std::env::args().skip(1)) {
        Ok(Some(run)) => run,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(why) => {
            eprintln!("error: {why}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    let begun = Instant::now();
    let sum = run(run_of, &|line| println!("{line}"));
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{} uploads ({} of them succeeded at last), {} crashes, {} requests in {seconds:.1} s, {:.0} seeds a second",
        sum.uploads.1,
        sum.uploads.0,
        sum.crashes,
        sum.requests,
        sum.played as f64 / seconds,
    );
    println!("excuses, and how many seeds need each:");
    for (name, needed) in &sum.excuses {
        let seeds: Vec<String> = needed.seeds.iter().map(u64::to_string).collect();
        println!("  {:>8}  {name} ({})", needed.count, seeds.join(", "));
    }
    for told in sum.failures.values() {
        println!("{}", told.failure.as_deref().unwrap_or(""));
    }
    let dead: Vec<&str> = if run_of.rare { sum.unneeded().collect() } else { Vec::new() };
    for name in &dead {
        println!(
            "no seed needs the excuse {name:?}: find one among more seeds and add it to `RARE` (seeds/excuses/mod.rs), or remove \
             the excuse"
        );
    }
    println!("{} seeds, {} failed", sum.played, sum.failures.len());
    if sum.failures.is_empty() && dead.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The options; None where help was asked for.
fn options(mut words: impl Iterator<Item = String>) -> Result<Option<Run>, String> {
    let mut run = Run { from: 1, count: 0, real: false, verbose: false, most_failures: 20, rare: false };
    while let Some(word) = words.next() {
        let mut number = || {
            let text = words.next().ok_or_else(|| format!("{word} needs a number"))?;
            text.replace('_', "").parse::<u64>().map_err(|_| format!("{word} needs a number, not {text:?}"))
        };
        match word.as_str() {
            "--seeds" => run.count = number()?,
            "--from" => run.from = number()?,
            "--failures" => run.most_failures = usize::try_from(number()?).unwrap_or(usize::MAX),
            "--bytes" => run.real = true,
            "--verbose" => run.verbose = true,
            "--every-excuse" => run.rare = true,
            "--help" | "-h" => return Ok(None),
            other => return Err(format!("{other:?} is no option")),
        }
    }
    match run.count {
        0 => Err("--seeds says how many".into()),
        _ => Ok(Some(run)),
    }
}
