//! `cargo xtask test`: all suites, one table, one line.

mod counts;
mod layers;
mod report;
mod suites;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use clap::Args;
use clap::builder::PossibleValuesParser;

use self::report::Row;
use self::suites::{Ground, Outcome, SUITES, Suite};

/// What `test` takes.
#[derive(Args)]
pub(crate) struct Options {
    /// Runs this suite only; may be given several times
    #[arg(long, value_name = "SUITE", value_parser = suite_names())]
    only: Vec<String>,

    /// Every cell of the fault table: all destinations in Firefox and WebKit too, not one of each kind of transport; and tests that are
    /// slow and rarely break
    #[arg(long)]
    full: bool,

    /// Says what each suite is, and ends
    #[arg(long)]
    list: bool,

    /// With one --only: given on to its runner, such as a part of a test's name
    #[arg(last = true, value_name = "ARGUMENTS", requires = "only")]
    arguments: Vec<String>,
}

fn suite_names() -> PossibleValuesParser {
    PossibleValuesParser::new(SUITES.iter().map(|suite| suite.name))
}

/// Runs them. The exit code tells whether nothing failed.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    if options.list {
        for suite in SUITES {
            println!("{:<12} {}", suite.name, suite.about);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let chosen: Vec<&Suite> =
        SUITES.iter().filter(|suite| options.only.is_empty() || options.only.iter().any(|n| n == suite.name)).collect();
    if chosen.len() > 1 && !options.arguments.is_empty() {
        anyhow::bail!("arguments after -- belong to one suite: give one --only");
    }
    let ground = Ground::new(options.arguments.clone(), options.full);
    let rows: Vec<Row> = chosen.iter().map(|suite| row(suite, &ground)).collect();
    print!("{}", report::table(&rows));
    Ok(if rows.iter().all(|row| row.counts.failed == 0) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn row(suite: &Suite, ground: &Ground) -> Row {
    println!("\n== {}: {}", suite.name, suite.about);
    let start = Instant::now();
    let (counts, why) = judged((suite.run)(ground));
    if let Some(why) = &why {
        println!("{}: {why}", suite.name);
    }
    Row { suite: suite.name, counts, took: start.elapsed(), why }
}

/// A suite that could not run, ended badly with no test to blame, or ran nothing counts as one that failed.
fn judged(outcome: Result<Outcome>) -> (counts::Counts, Option<String>) {
    let failure = counts::Counts::one(false);
    match outcome {
        Err(error) => (failure, Some(format!("could not run: {error:#}"))),
        Ok(outcome) if !outcome.counts.any() && outcome.success => (failure, Some("ran no test".to_owned())),
        Ok(outcome) if outcome.counts.failed == 0 && !outcome.success => {
            (outcome.counts + failure, Some("ended with an error outside its tests".to_owned()))
        }
        Ok(outcome) => (outcome.counts, None),
    }
}

#[cfg(test)]
mod tests {
    use super::counts::Counts;
    use super::*;

    fn outcome(passed: u32, failed: u32, success: bool) -> Result<Outcome> {
        Ok(Outcome { counts: Counts { passed, failed }, success })
    }

    #[test]
    fn a_suite_that_ran_no_test_failed() {
        let (counts, why) = judged(outcome(0, 0, true));
        assert_eq!(counts.failed, 1);
        assert_eq!(why.as_deref(), Some("ran no test"));
    }

    #[test]
    fn a_suite_that_ended_badly_failed_whatever_it_counted() {
        let (counts, why) = judged(outcome(7, 0, false));
        assert_eq!(counts, Counts { passed: 7, failed: 1 });
        assert!(why.is_some());
        assert_eq!(judged(outcome(0, 0, false)).0.failed, 1);
    }

    #[test]
    fn failed_tests_count_once() {
        let (counts, why) = judged(outcome(7, 2, false));
        assert_eq!(counts, Counts { passed: 7, failed: 2 });
        assert_eq!(why, None);
    }

    #[test]
    fn a_suite_that_could_not_run_failed() {
        let (counts, why) = judged(Err(anyhow::anyhow!("no browser")));
        assert_eq!(counts.failed, 1);
        assert!(why.is_some_and(|why| why.contains("no browser")));
    }
}
