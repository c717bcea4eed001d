//! The fault table: everything that can go wrong, at each destination, in each engine.
//!
//! A cell passes if the file's SHA-256 or the error is the expected one, and so is the number of bytes that were sent
//! twice. Cells that don't apply to an engine or a destination are named in `engines.json`, each with its reason.

mod case;
mod gaps;
mod print;
mod rows;

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures::{StreamExt, TryStreamExt, stream};

use self::case::{Case, Ending, Transport};
use self::gaps::Gaps;
use self::print::{Cell, Line, Printed};
use self::rows::Row;
use crate::browser::Engine;
use crate::destination::Destination;
use crate::runner;
use crate::stage::Stage;

/// How long a cell may take; browsers are started in some.
const PATIENCE: Duration = Duration::from_secs(150);

/// Engines that run side by side, each with a sandbox of its own.
const AT_ONCE: usize = 2;

/// What `partway-e2e table` takes.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// Every destination in every engine.
    pub(crate) full: bool,
    /// These engines only, or all.
    pub(crate) engines: Vec<Engine>,
    /// Cells whose names hold one of these, or all.
    pub(crate) words: Vec<String>,
}

impl Options {
    fn engines(&self) -> &[Engine] {
        if self.engines.is_empty() { &Engine::ALL } else { &self.engines }
    }

    /// In each engine but Chromium, one destination for each kind of request: to an API, to presigned URLs, a form.
    fn destinations(&self, engine: Engine, transport: Transport) -> &[Destination] {
        if self.full || (engine, transport) == (Engine::Chromium, Transport::Auto) {
            &Destination::ALL
        } else {
            &[Destination::Ofauth, Destination::Apifansly, Destination::S3]
        }
    }

    /// Each engine as pages have it, and Chromium once more by `fetch` alone: the transports agree.
    fn grounds(&self) -> Vec<(Engine, Transport)> {
        let mut grounds: Vec<_> = self.engines().iter().map(|engine| (*engine, Transport::Auto)).collect();
        if self.engines().contains(&Engine::Chromium) {
            grounds.push((Engine::Chromium, Transport::Fetch));
        }
        grounds
    }

    fn wants(&self, name: &str) -> bool {
        self.words.is_empty() || self.words.iter().any(|word| name.contains(word.as_str()))
    }
}

/// Runs it and prints it; returns whether every cell that ran passed.
pub(crate) async fn run(options: &Options) -> Result<bool> {
    let gaps = Gaps::read()?;
    let grounds = options.grounds().into_iter();
    let engines = grounds.map(|(engine, transport)| one_engine(engine, transport, options, &gaps));
    // A cell is mostly waiting: two engines share a machine well.
    let tables: Vec<Printed> = stream::iter(engines).buffered(AT_ONCE).try_collect().await?;
    let (passed, failed) = tables.iter().fold((0, 0), |(passed, failed), table: &Printed| {
        let (more_passed, more_failed) = table.counts();
        (passed + more_passed, failed + more_failed)
    });
    ensure!(passed + failed > 0, "no cell has {:?} in its name, such as \"firefox: cancelled: s3\"", options.words);
    for table in &tables {
        println!("\n{table}");
    }
    println!("{passed} passed, {failed} failed");
    Ok(failed == 0)
}

async fn one_engine(engine: Engine, transport: Transport, options: &Options, gaps: &Gaps) -> Result<Printed> {
    let destinations = options.destinations(engine, transport);
    let mut stage = Stage::set(engine).await?;
    let by = if transport == Transport::Fetch { " by fetch" } else { "" };
    let mut table = Printed::new(format!("{}{by}", stage.browser.title()), destinations);
    for row in rows::ALL {
        let mut cells = Vec::new();
        for destination in destinations {
            let name = format!("{}{by}: {}: {}", engine.name(), row.name, destination.name());
            let cell = match gaps.reason((engine, transport), row.name, *destination) {
                Some(reason) => Cell::NotThere(reason.to_owned()),
                None if !options.wants(&name) => Cell::NotAsked,
                None => cell(&mut stage, row, (*destination, transport), &name).await,
            };
            cells.push(cell);
        }
        table.add(Line { row: row.name, cells });
    }
    stage.clear().await;
    Ok(table)
}

async fn cell(stage: &mut Stage, row: &Row, way: (Destination, Transport), name: &str) -> Cell {
    let start = Instant::now();
    let ending = attempt(stage, row, way).await;
    let took = start.elapsed().as_secs_f64();
    match ending {
        Ok(ending) => {
            println!("ok {name}: {ending} ({took:.1} s)");
            Cell::Passed(ending)
        }
        Err(error) => {
            println!("FAILED {name}: {error:#} ({took:.1} s)");
            println!("{}", runner::surroundings(stage).await);
            Cell::Failed
        }
    }
}

async fn attempt(stage: &mut Stage, row: &Row, (destination, transport): (Destination, Transport)) -> Result<Ending> {
    stage.sweep().await?;
    let stage = &*stage;
    runner::watched(stage, PATIENCE, (row.run)(Case { stage, destination, transport })).await
}
