//! The tables, and the data behind them.

use std::fmt::Write as _;

use serde::Serialize;

use crate::cases::Case;
use crate::contestants::{Contestant, PLAIN};
use crate::hashing::Speed;
use crate::machine::Machine;
use crate::run::Measured;
use crate::statistics::Spread;

/// What one contestant did in one case: a run of each round, or why there is none.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) contestant: &'static str,
    pub(crate) runs: Vec<Result<Measured, String>>,
}

/// A case and its rows.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    pub(crate) case: &'static str,
    pub(crate) title: &'static str,
    pub(crate) rows: Vec<Row>,
}

/// Everything.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) rounds: usize,
    pub(crate) quick: bool,
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) hashing: Vec<Speed>,
}

impl Row {
    fn measured(&self) -> impl Iterator<Item = &Measured> {
        self.runs.iter().filter_map(|run| run.as_ref().ok())
    }

    fn failures(&self) -> impl Iterator<Item = &str> {
        self.runs.iter().filter_map(|run| run.as_ref().err().map(String::as_str))
    }

    /// The median of one figure.
    pub(crate) fn median(&self, figure: impl Fn(&Measured) -> f64) -> Option<f64> {
        Some(Spread::of(self.measured().map(figure))?.median)
    }

    /// The largest of one figure.
    pub(crate) fn most(&self, figure: impl Fn(&Measured) -> f64) -> Option<f64> {
        Some(Spread::of(self.measured().map(figure))?.most)
    }
}

impl Outcome {
    pub(crate) fn new(case: &Case) -> Self {
        let rows = case.taking_part().map(|one| Row { contestant: one.name, runs: Vec::new() });
        Self { case: case.name, title: case.title, rows: rows.collect() }
    }

    /// A contestant's row.
    pub(crate) fn row(&self, contestant: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.contestant == contestant)
    }

    /// One's times as ratios to another's in the same rounds.
    pub(crate) fn ratio(&self, one: &Row, other: &Row) -> Option<Spread> {
        let both = one.runs.iter().zip(&other.runs);
        Spread::of(both.filter_map(|(one, other)| Some(one.as_ref().ok()?.seconds / other.as_ref().ok()?.seconds)))
    }

    fn to_plain(&self, row: &Row) -> Option<Spread> {
        self.ratio(row, self.row(PLAIN)?)
    }

    /// The table of this case.
    pub(crate) fn table(&self) -> String {
        let mut text = format!("### {}\n\n", self.title);
        text.push_str(
            "| | × plain (least to most) | seconds | main thread | longest task, ms | CPU, s: renderer, network, browser | memory, MiB | wasted, MiB | requests |\n",
        );
        text.push_str("| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
        for row in &self.rows {
            let title = Contestant::named(row.contestant).map_or(row.contestant, |one| one.title);
            let _ = writeln!(text, "| {title} | {} |", self.cells(row).join(" | "));
        }
        for row in &self.rows {
            if let Some(why) = row.failures().next() {
                let count = row.failures().count();
                let _ = writeln!(text, "\n{} failed in {count} of {} runs: {why}", row.contestant, row.runs.len());
            }
        }
        text
    }

    fn cells(&self, row: &Row) -> Vec<String> {
        let number =
            |value: Option<f64>, digits: usize| value.map_or("–".to_owned(), |value| format!("{value:.digits$}"));
        let cpu = |figure: fn(&Measured) -> f64| number(row.median(figure), 1);
        let longest = match row.most(|run| run.longest_task) {
            Some(longest) if longest < 50.0 => "< 50".to_owned(),
            longest => number(longest, 0),
        };
        vec![
            self.to_plain(row).map_or_else(
                || "failed".to_owned(),
                |ratio| format!("{:.2} ({:.2} to {:.2})", ratio.median, ratio.least, ratio.most),
            ),
            number(row.median(|run| run.seconds), 2),
            row.median(|run| run.main_thread).map_or("–".to_owned(), |share| format!("{:.0} %", 100.0 * share)),
            longest,
            [cpu(|run| run.cpu.renderer), cpu(|run| run.cpu.network), cpu(|run| run.cpu.browser)].join(", "),
            number(row.median(|run| mib(run.memory as f64)), 0),
            number(row.median(|run| mib(run.wasted as f64)), 1),
            number(row.median(|run| run.counts.requests as f64), 0),
        ]
    }
}

impl Report {
    /// What it was measured with, the times of all, and how fast MD5 goes.
    pub(crate) fn summary(&self) -> String {
        let mut text = format!("{}\n\n{}", self.about(), self.times());
        if !self.hashing.is_empty() {
            text.push('\n');
            text.push_str(&Speed::table(&self.hashing));
        }
        text
    }

    fn about(&self) -> String {
        let Machine { date, processor, cores, browser, rivals } = &self.machine;
        let rivals: Vec<String> = rivals.iter().map(|(name, version)| format!("{name} {version}")).collect();
        let rounds = self.rounds;
        let quick = if self.quick { " Quick: small files, which say little." } else { "" };
        format!(
            "{date}, {processor}, {cores} cores, {browser}; {}. Medians of {rounds} rounds, each contestant once a round, in a browser of its own; files from the page cache.{quick}",
            rivals.join(", ")
        )
    }

    /// One line for each case, one column for each contestant.
    fn times(&self) -> String {
        let columns: Vec<&str> = crate::contestants::ALL
            .iter()
            .map(|one| one.name)
            .filter(|name| self.outcomes.iter().any(|outcome| outcome.rows.iter().any(|row| row.contestant == *name)))
            .collect();
        let titles = columns.iter().filter_map(|name| Contestant::named(name)).map(|one| one.title);
        let mut text = format!("| time, × plain | {} |\n", titles.collect::<Vec<_>>().join(" | "));
        let _ = writeln!(text, "| --- |{}", " --- |".repeat(columns.len()));
        for outcome in &self.outcomes {
            let cell = |name: &&str| match outcome.rows.iter().find(|row| row.contestant == *name) {
                None => "–".to_owned(),
                Some(row) => {
                    outcome.to_plain(row).map_or_else(|| "failed".to_owned(), |ratio| format!("{:.2}", ratio.median))
                }
            };
            let cells: Vec<String> = columns.iter().map(cell).collect();
            let _ = writeln!(text, "| {} | {} |", outcome.title, cells.join(" | "));
        }
        text
    }
}

/// Bytes in mebibytes.
pub(crate) fn mib(bytes: f64) -> f64 {
    bytes / f64::from(1 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases;
    use crate::processes::Cpu;
    use crate::target::Counts;

    fn measured(seconds: f64) -> Measured {
        Measured {
            seconds,
            main_thread: 0.25,
            longest_task: 0.0,
            cpu: Cpu::default(),
            memory: 3 << 20,
            wasted: 0,
            counts: Counts { requests: 12, ..Counts::default() },
        }
    }

    #[test]
    fn times_are_ratios_within_a_round_and_a_failure_is_told() {
        let case = &cases::all(false)[0];
        let mut outcome = Outcome::new(case);
        outcome.rows[0].runs = vec![Ok(measured(1.0)), Ok(measured(2.0)), Ok(measured(4.0))];
        outcome.rows[1].runs = vec![Ok(measured(1.5)), Ok(measured(2.0)), Err("it broke".to_owned())];
        let spread = outcome.to_plain(&outcome.rows[1]).expect("measured");
        assert_eq!((spread.least, spread.median, spread.most), (1.0, 1.25, 1.5));
        let table = outcome.table();
        assert!(
            table.contains("| 1.25 (1.00 to 1.50) | 1.75 | 25 % | < 50 | 0.0, 0.0, 0.0 | 3 | 0.0 | 12 |"),
            "{table}"
        );
        assert!(table.contains("plain-hashing failed in 1 of 3 runs: it broke"), "{table}");
        assert!(table.contains("| failed | – |"), "one without a run: {table}");
    }
}
