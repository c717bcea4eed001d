//! Plays many seeds on all cores, and sums up their outcomes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::{Outcome, excuses, panics, play};

/// How often the progress is reported.
const REPORT_EACH: Duration = Duration::from_secs(5);
/// One seed in so many is played twice.
const TWICE_EACH: u64 = 64;
/// So many of the seeds that need an excuse are kept.
const SEEDS_KEPT: usize = 3;

/// Which seeds, and how.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// The first one.
    pub from: u64,
    /// How many.
    pub count: u64,
    /// Whether files have real bytes.
    pub real: bool,
    /// Whether every story is reported, not only those that fail.
    pub verbose: bool,
    /// It ends after so many failures.
    pub most_failures: usize,
    /// Whether the seeds that are known to need a rare excuse are played too.
    pub rare: bool,
}

/// The outcome of all of them.
#[derive(Debug, Default)]
pub struct Summary {
    /// Seeds played.
    pub played: u64,
    /// Those that failed, by seed.
    pub failures: BTreeMap<u64, Outcome>,
    /// Requests in all.
    pub requests: u64,
    /// Uploads that succeeded, and uploads.
    pub uploads: (u64, u64),
    /// Pages that crashed.
    pub crashes: u64,
    /// Every excuse by its name: how many seeds needed it, and some of them.
    pub excuses: BTreeMap<&'static str, Needed>,
}

/// How often an excuse was needed.
#[derive(Clone, Debug, Default)]
pub struct Needed {
    /// By so many seeds.
    pub count: u64,
    /// The lowest of them.
    pub seeds: BTreeSet<u64>,
}

impl Needed {
    fn add(&mut self, seed: u64) {
        self.count += 1;
        self.seeds.insert(seed);
        if self.seeds.len() > SEEDS_KEPT {
            self.seeds.pop_last();
        }
    }
}

impl Summary {
    /// The excuses that no seed needed.
    pub fn unneeded(&self) -> impl Iterator<Item = &'static str> {
        self.excuses.iter().filter(|(_, needed)| needed.count == 0).map(|(name, _)| *name)
    }
}

/// Plays them on all cores. `report` gets each failure as it comes, and the progress.
pub fn run(run: Run, report: &(dyn Fn(&str) + Sync)) -> Summary {
    panics::keep();
    let excuses = excuses::names().map(|name| (name, Needed::default())).collect();
    let (next, sum) = (AtomicUsize::new(0), Mutex::new(Summary { excuses, ..Summary::default() }));
    let rare: Vec<u64> = if run.rare { excuses::rare_seeds().collect() } else { Vec::new() };
    let seed_at = |index: usize| match index as u64 {
        index if index < run.count => Some(run.from.saturating_add(index)),
        index => rare.get((index - run.count) as usize).copied(),
    };
    let begun = Instant::now();
    let work = || {
        loop {
            let enough = lock(&sum).failures.len() >= run.most_failures;
            let seed = seed_at(next.fetch_add(1, Ordering::Relaxed)).filter(|_| !enough);
            let Some(seed) = seed else { return };
            let mut outcome = play(seed, run.real, run.verbose);
            if seed % TWICE_EACH == 0 && outcome.failure.is_none() && play(seed, run.real, false).hash != outcome.hash {
                outcome.failure = Some(format!("seed {seed}: the same seed tells another story"));
                outcome.story = play(seed, run.real, true).story;
            }
            if let Some(story) = outcome.story.as_ref().filter(|_| run.verbose && outcome.failure.is_none()) {
                report(&format!("seed {seed}\n{story}"));
            }
            if let Some(failure) = &outcome.failure {
                report(&format!(
                    "{}\n{failure}\n  again: {}",
                    outcome.story.as_deref().unwrap_or(""),
                    again(seed, run.real)
                ));
            }
            let mut sum = lock(&sum);
            sum.played += 1;
            sum.requests += outcome.requests as u64;
            sum.uploads.0 += outcome.succeeded.0 as u64;
            sum.uploads.1 += outcome.succeeded.1 as u64;
            sum.crashes += u64::from(outcome.pages - 1);
            for excuse in &outcome.excuses {
                sum.excuses.entry(excuse).or_default().add(seed);
            }
            if outcome.failure.is_some() {
                sum.failures.insert(seed, outcome);
            }
        }
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..workers)
            .filter_map(|_| {
                thread::Builder::new().name(panics::THREAD.into()).stack_size(8 << 20).spawn_scoped(scope, work).ok()
            })
            .collect();
        let mut reported = Instant::now();
        while threads.iter().any(|thread| !thread.is_finished()) {
            thread::sleep(Duration::from_millis(20));
            if reported.elapsed() >= REPORT_EACH {
                reported = Instant::now();
                let played = lock(&sum).played;
                let rate = played as f64 / begun.elapsed().as_secs_f64();
                report(&format!("{played} of {} seeds, {rate:.0} a second", run.count));
            }
        }
    });
    sum.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn lock(sum: &Mutex<Summary>) -> std::sync::MutexGuard<'_, Summary> {
    sum.lock().unwrap_or_else(PoisonError::into_inner)
}

fn again(seed: u64, real: bool) -> String {
    format!("cargo xtask simulate --seeds 1 --from {seed}{}", if real { " --bytes" } else { "" })
}
