//! The workers that a page starts, and what they hash.

use anyhow::{Result, ensure};
use serde::Deserialize;

use crate::browser::Browser;

/// Notes the workers of the page it runs in, and what the console warns of.
pub(crate) const WATCH: &str = include_str!("../../package/fixtures/shared/watch.js");

/// A worker that the page started.
#[derive(Debug, Deserialize)]
pub(crate) struct Started {
    pub(crate) url: String,
    digests: usize,
}

/// What was seen since the page is watched.
#[derive(Debug, Deserialize)]
pub(crate) struct Seen {
    pub(crate) workers: Vec<Started>,
    warned: Vec<String>,
}

impl Seen {
    /// How many digests came from the workers whose address fits.
    pub(crate) fn digests(&self, fits: impl Fn(&str) -> bool) -> usize {
        self.workers.iter().filter(|worker| fits(&worker.url)).map(|worker| worker.digests).sum()
    }

    /// Each part was hashed once, by the workers whose address fits.
    pub(crate) fn is_hashed_by(&self, fits: impl Fn(&str) -> bool, parts: usize) -> Result<()> {
        let digests = self.digests(fits);
        ensure!(digests == parts && self.fallbacks() == 0, "{digests} digests of {parts} parts: {self:?}");
        Ok(())
    }

    /// How often the console said that the page hashes.
    pub(crate) fn fallbacks(&self) -> usize {
        self.warned.iter().filter(|line| line.contains("hashed on the page itself")).count()
    }
}

/// Watches the page that is open.
pub(crate) async fn watch(browser: &Browser) -> Result<()> {
    browser.execute(WATCH, vec![]).await.map(drop)
}

/// What was seen in the page that is open.
pub(crate) async fn seen(browser: &Browser) -> Result<Seen> {
    Ok(serde_json::from_value(browser.execute("return seen", vec![]).await?)?)
}
