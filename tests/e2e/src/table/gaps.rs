//! `engines.json`: the cells that aren't run, and why.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::case::Transport;
use super::rows;
use crate::browser::Engine;
use crate::destination::Destination;

/// The file's content.
pub(super) struct Gaps(Vec<Gap>);

/// Cells that aren't run. A member that isn't given matches everything.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Gap {
    #[serde(default)]
    engines: Vec<String>,
    /// Whether it applies to `fetch` alone.
    #[serde(default)]
    by_fetch: bool,
    #[serde(default)]
    rows: Vec<String>,
    #[serde(default)]
    destinations: Vec<String>,
    reason: String,
}

impl Gap {
    fn covers(&self, (engine, transport): (Engine, Transport), row: &str, destination: Destination) -> bool {
        let holds = |names: &[String], name: &str| names.is_empty() || names.iter().any(|one| one == name);
        let transport = !self.by_fetch || transport == Transport::Fetch;
        transport
            && holds(&self.engines, engine.name())
            && holds(&self.rows, row)
            && holds(&self.destinations, destination.name())
    }
}

impl Gaps {
    /// Reads the file.
    pub(super) fn read() -> Result<Self> {
        Self::of(include_str!("../../engines.json"))
    }

    fn of(text: &str) -> Result<Self> {
        let gaps: Vec<Gap> = serde_json::from_str(text).context("engines.json")?;
        for gap in &gaps {
            for engine in &gap.engines {
                Engine::named(engine).context("engines.json")?;
            }
            for row in &gap.rows {
                ensure!(rows::ALL.iter().any(|one| one.name == row), "engines.json: no row is called {row:?}");
            }
            for destination in &gap.destinations {
                Destination::named(destination).context("engines.json")?;
            }
            ensure!(!gap.reason.trim().is_empty(), "engines.json: a gap without a reason");
        }
        Ok(Self(gaps))
    }

    /// Why this cell isn't run, if it isn't.
    pub(super) fn reason(&self, ground: (Engine, Transport), row: &str, destination: Destination) -> Option<&str> {
        self.0.iter().find(|gap| gap.covers(ground, row, destination)).map(|gap| gap.reason.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells() -> impl Iterator<Item = ((Engine, Transport), &'static str, Destination)> {
        let by_fetch = (Engine::Chromium, Transport::Fetch);
        Engine::ALL.into_iter().map(|engine| (engine, Transport::Auto)).chain([by_fetch]).flat_map(|ground| {
            rows::ALL.iter().flat_map(move |row| {
                Destination::ALL.into_iter().map(move |destination| (ground, row.name, destination))
            })
        })
    }

    #[test]
    fn every_reason_belongs_to_a_cell_and_no_row_or_engine_is_all_reasons() {
        let gaps = Gaps::read().expect("engines.json");
        for (index, gap) in gaps.0.iter().enumerate() {
            let first = cells().any(|(ground, row, destination)| {
                gaps.0.iter().position(|one| one.covers(ground, row, destination)) == Some(index)
            });
            assert!(first, "no cell needs {:?}", gap.reason);
        }
        for row in rows::ALL {
            let runs =
                |(ground, name, destination)| name == row.name && gaps.reason(ground, name, destination).is_none();
            assert!(cells().any(runs), "{} is run nowhere", row.name);
        }
        let run = cells().filter(|(ground, row, destination)| gaps.reason(*ground, row, *destination).is_none());
        assert!(run.count() > 200);
    }

    #[test]
    fn names_that_mean_nothing_are_errors() {
        for text in [
            r#"[{ "engines": ["opera"], "reason": "r" }]"#,
            r#"[{ "rows": ["no such row"], "reason": "r" }]"#,
            r#"[{ "destinations": ["ftp"], "reason": "r" }]"#,
            r#"[{ "row": "reset", "reason": "r" }]"#,
            r#"[{ "reason": " " }]"#,
        ] {
            assert!(Gaps::of(text).is_err(), "{text}");
        }
    }
}
