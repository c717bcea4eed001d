//! Runs tests one after the other and says how each one went.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use tokio::time::timeout;

use crate::browser::Engine;
use crate::page;
use crate::sandbox;
use crate::stage::Stage;

type Run = dyn for<'a> Fn(&'a Stage) -> LocalBoxFuture<'a, Result<()>>;

/// One test.
pub(crate) struct Test {
    pub(crate) name: String,
    patience: Duration,
    /// Whether it is slow, and rarely breaks.
    is_rare: bool,
    run: Box<Run>,
}

impl Test {
    pub(crate) fn new(
        name: impl Into<String>,
        run: impl for<'a> Fn(&'a Stage) -> LocalBoxFuture<'a, Result<()>> + 'static,
    ) -> Self {
        Self { name: name.into(), patience: Duration::from_secs(150), is_rare: false, run: Box::new(run) }
    }

    /// Runs only with `--full`, or if it is named.
    pub(crate) fn rare(self) -> Self {
        Self { is_rare: true, ..self }
    }

    /// Sets a longer time limit.
    pub(crate) fn patience(self, seconds: u64) -> Self {
        Self { patience: Duration::from_secs(seconds), ..self }
    }
}

/// Runs the tests whose names contain one of `words`, or all, and rare ones with `full`; returns whether all passed.
pub(crate) async fn run(tests: Vec<Test>, words: &[String], full: bool) -> Result<bool> {
    let chosen: Vec<Test> = tests
        .into_iter()
        .filter(|test| match words {
            [] => full || !test.is_rare,
            _ => words.iter().any(|word| test.name.contains(word.as_str())),
        })
        .collect();
    ensure!(!chosen.is_empty(), "no test has {words:?} in its name: `partway-e2e list` prints the names");
    let mut stage = Stage::set(Engine::Chromium).await?;
    let (mut passed, mut failed) = (0, Vec::new());
    for test in &chosen {
        let start = Instant::now();
        let outcome = one(test, &mut stage).await;
        let took = start.elapsed().as_secs_f64();
        match outcome {
            Ok(()) => {
                passed += 1;
                println!("ok {} ({took:.1} s)", test.name);
            }
            Err(error) => {
                println!("FAILED {}: {error:#} ({took:.1} s)", test.name);
                println!("{}", surroundings(&stage).await);
                failed.push(test.name.as_str());
            }
        }
    }
    stage.clear().await;
    for name in &failed {
        println!("failed: {name}");
    }
    println!("{passed} passed, {} failed", failed.len());
    Ok(failed.is_empty())
}

async fn one(test: &Test, stage: &mut Stage) -> Result<()> {
    stage.sweep().await?;
    watched(stage, test.patience, (test.run)(stage)).await
}

/// Runs a test to its end, even if it hangs, panics, or leaves an uncaught error in the page.
pub(crate) async fn watched<T>(stage: &Stage, patience: Duration, run: impl Future<Output = Result<T>>) -> Result<T> {
    let outcome = match timeout(patience, AssertUnwindSafe(run).catch_unwind()).await {
        Err(_) => bail!("it did not end within {} s", patience.as_secs()),
        Ok(Err(_)) => bail!("it panicked"),
        Ok(Ok(outcome)) => outcome?,
    };
    let noise = page::noise(&stage.browser).await?;
    ensure!(noise.is_empty(), "the page has uncaught errors: {noise:?}");
    Ok(outcome)
}

/// The page's console and the last requests, for a failed test's message.
pub(crate) async fn surroundings(stage: &Stage) -> String {
    let console = page::console(&stage.browser).await;
    let requests = match stage.log().await {
        Ok(log) => sandbox::summary(&log),
        Err(error) => format!("no log: {error:#}"),
    };
    format!("{console}{requests}")
}
