//! What Partway wants to reach, and whether it did.

use std::fmt::Write as _;

use crate::report::{Outcome, Report, mib};
use crate::run::Measured;

/// One thing to reach.
struct Bar {
    title: &'static str,
    case: &'static str,
    figure: Figure,
    /// Where the figure has to stay.
    limit: Limit,
}

enum Figure {
    /// A contestant's time as a ratio to another's in the same round.
    Time(&'static str, &'static str),
    /// The median of something measured of a contestant.
    Median(&'static str, fn(&Measured) -> f64),
    /// The largest of something measured of any of Partway's runs in all cases.
    Most(fn(&Measured) -> f64),
    /// How much more of something a contestant has than the plain pool, by their medians.
    Beyond(&'static str, fn(&Measured) -> f64),
}

enum Limit {
    AtMost(f64),
    Below(f64),
    AtLeast(f64),
}

use Figure::{Beyond, Median, Most, Time};
use Limit::{AtLeast, AtMost, Below};

const fn bar(title: &'static str, case: &'static str, figure: Figure, limit: Limit) -> Bar {
    Bar { title, case, figure, limit }
}

const BARS: &[Bar] = &[
    bar("gigabit line, as it comes, × plain", "gigabit", Time("partway", "plain"), AtMost(1.02)),
    bar("gigabit line, main thread busy, %", "gigabit", Median("partway", |run| 100.0 * run.main_thread), AtMost(10.0)),
    bar("unshaped 1 GiB, as it comes, × plain", "unshaped", Time("partway", "plain"), AtMost(1.45)),
    bar("unshaped 1 GiB, integrity off, × plain", "unshaped", Time("partway-unchecked", "plain"), AtMost(1.00)),
    bar(
        "a pool that hashes in a worker, × Partway as it comes",
        "unshaped",
        Time("plain-hashing", "partway"),
        AtLeast(1.5),
    ),
    bar("`s3`, part size by itself, × plain", "s3", Time("partway-s3", "plain"), AtMost(0.75)),
    bar("`s3`, part size by itself, shaped, × plain", "s3-shaped", Time("partway-s3", "plain"), AtMost(0.75)),
    bar("500 × 64 KiB, as it comes, × plain", "small-files", Time("partway", "plain"), AtMost(1.15)),
    bar("500 × 64 KiB, all off, × plain", "small-files", Time("partway-bare", "plain"), AtMost(1.00)),
    bar("1,000 × 64 KiB in a group, × one by one", "group", Time("partway-group", "partway"), AtMost(1.10)),
    bar("faults, as it comes, × plain", "faults", Time("partway", "plain"), AtMost(1.10)),
    bar(
        "faults, bytes wasted beyond plain's, MiB",
        "faults",
        Beyond("partway", |run| mib(run.wasted as f64)),
        AtMost(0.0),
    ),
    bar("one host, × two", "two-hosts", Time("partway-one", "partway"), AtLeast(1.8)),
    bar("memory, 1 GiB, as it comes, MiB", "unshaped", Median("partway", |run| mib(run.memory as f64)), AtMost(48.0)),
    bar("memory, 5 GiB, as it comes, MiB", "huge", Median("partway", |run| mib(run.memory as f64)), AtMost(48.0)),
    bar("longest task in all of Partway's runs, ms", "", Most(|run| run.longest_task), Below(50.0)),
];

/// The table of those that were measured; empty where none was, or with files so small that figures say nothing.
pub(crate) fn table(report: &Report) -> String {
    let mut text = String::new();
    if report.quick {
        return text;
    }
    for bar in BARS {
        if let Some(figure) = figure(bar, &report.outcomes) {
            let (limit, met) = match bar.limit {
                AtMost(limit) => (format!("≤ {limit}"), figure <= limit),
                Below(limit) => (format!("< {limit}"), figure < limit),
                AtLeast(limit) => (format!("≥ {limit}"), figure >= limit),
            };
            let _ = writeln!(text, "| {} | {figure:.2} | {limit} | {} |", bar.title, if met { "yes" } else { "no" });
        }
    }
    if let Some(figure) = hashing(report) {
        let met = if figure >= 3.0 { "yes" } else { "no" };
        let _ = writeln!(text, "| MD5 in one worker from memory, × hash-wasm | {figure:.2} | ≥ 3 | {met} |");
    }
    if text.is_empty() {
        return text;
    }
    format!("### To reach\n\n| | measured | bar | reached |\n| --- | --- | --- | --- |\n{text}")
}

fn figure(bar: &Bar, outcomes: &[Outcome]) -> Option<f64> {
    if let Most(figure) = bar.figure {
        let partway = |outcome: &Outcome| -> Vec<f64> {
            outcome
                .rows
                .iter()
                .filter(|row| row.contestant.starts_with("partway"))
                .filter_map(|row| row.most(figure))
                .collect()
        };
        return outcomes.iter().flat_map(partway).max_by(f64::total_cmp);
    }
    let outcome = outcomes.iter().find(|outcome| outcome.case == bar.case)?;
    match bar.figure {
        Time(one, other) => Some(outcome.ratio(outcome.row(one)?, outcome.row(other)?)?.median),
        Median(name, figure) => outcome.row(name)?.median(figure),
        Beyond(name, figure) => Some(outcome.row(name)?.median(figure)? - outcome.row("plain")?.median(figure)?),
        Most(_) => None,
    }
}

fn hashing(report: &Report) -> Option<f64> {
    let memory = |name: &str| report.hashing.iter().find(|speed| speed.name == name)?.memory;
    Some(memory("Partway")? / memory("hash-wasm")?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases;
    use crate::contestants::Contestant;

    #[test]
    fn every_bar_names_a_case_and_contestants_that_take_part_in_it() {
        let cases = cases::all(false);
        for bar in BARS {
            let names = match bar.figure {
                Time(one, other) => vec![one, other],
                Median(name, _) => vec![name],
                Beyond(name, _) => vec![name, "plain"],
                Most(_) => continue,
            };
            let case =
                cases.iter().find(|case| case.name == bar.case).unwrap_or_else(|| panic!("no case {}", bar.case));
            for name in names {
                assert!(
                    Contestant::named(name).is_some() && case.contestants.contains(&name),
                    "{name} in {}",
                    bar.case
                );
            }
        }
    }
}
