//! The environment of one cell: a destination, and what every row does there.

use std::fmt;
use std::fs::File;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::destination::Destination;
use crate::files::Picked;
use crate::page::{Page, Report};
use crate::sandbox::Log;
use crate::stage::{MIB, Stage};
use crate::suites;

/// The transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    /// The package's own choice.
    Auto,
    /// `fetch`, which reports no progress.
    Fetch,
}

/// A cell, before it runs.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) stage: &'a Stage,
    pub(super) destination: Destination,
    pub(super) transport: Transport,
}

/// How a cell that passed ended.
#[derive(Debug)]
pub(super) struct Ending {
    /// "arrived", or the error's code.
    pub(super) said: String,
    /// Bytes that arrived twice.
    pub(super) twice: u64,
}

impl fmt::Display for Ending {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.twice == 0 {
            return write!(out, "{} +0", self.said);
        }
        // Never rounded down to zero.
        write!(out, "{} +{:.1}", self.said, (self.twice as f64 / MIB as f64).max(0.1))
    }
}

/// An upload that has settled, with all that is known of it.
pub(super) struct Ended<'a> {
    pub(super) case: Case<'a>,
    pub(super) report: Report,
    pub(super) log: Log,
    pub(super) file: Picked,
}

impl<'a> Case<'a> {
    /// The uploader's options, with small parts and short waits.
    pub(super) fn options(self) -> Result<Value> {
        let mut options = suites::options(self.stage, self.destination)?;
        if self.transport == Transport::Fetch {
            options["transport"] = json!("fetch");
        }
        Ok(options)
    }

    /// Whether a request that was cut midway may be sent again: a part always, a form if the browser reports that not all of it was sent.
    pub(super) fn may_repeat(self) -> bool {
        let tells = self.transport == Transport::Auto && self.stage.browser.engine.tells_what_went_out();
        self.destination.has_parts() || tells
    }

    /// A file that is sent in several parts, if the destination has parts.
    ///
    /// It is an hour old, as files are that people pick: WebKit knows their times to the second.
    pub(super) fn file(self) -> Result<Picked> {
        let file = self.stage.file("cell.mp4", suites::SEVERAL_PARTS)?;
        File::options().write(true).open(&file.path)?.set_modified(SystemTime::now() - Duration::from_secs(3_600))?;
        Ok(file)
    }

    /// A page with a file picked, and vendors that process at once.
    pub(super) async fn page(self) -> Result<(Page<'a>, Picked)> {
        suites::quick(self.stage).await?;
        let file = self.file()?;
        let page = self.stage.page().await?;
        page.pick(&[&file]).await?;
        Ok((page, file))
    }

    /// Faults on the requests that carry bytes. Faults that let a part pass first don't where there is only one request.
    pub(super) fn on_bytes(self, mut fault: Value) -> Value {
        fault["route"] = json!(self.destination.bytes_route());
        if !self.destination.has_parts() {
            fault["skip"] = json!(0);
        }
        fault
    }

    /// Runs an upload with these faults and changed options.
    pub(super) async fn upload(self, faults: Value, change: impl FnOnce(&mut Value)) -> Result<Ended<'a>> {
        let (page, file) = self.page().await?;
        self.stage.sandbox.faults(faults).await?;
        let mut options = self.options()?;
        change(&mut options);
        let report = page.upload(json!({ "options": options })).await?;
        self.ended(report, file).await
    }

    /// What is known now of an upload that has settled.
    pub(super) async fn ended(self, report: Report, file: Picked) -> Result<Ended<'a>> {
        let log = self.stage.log().await?;
        Ok(Ended { case: self, report, log, file })
    }
}

impl Ended<'_> {
    /// The file is stored, byte for byte, and at most `most` bytes of it were sent twice.
    pub(super) async fn arrived(&self, most: u64) -> Result<Ending> {
        let result = self.report.done()?;
        self.case.stage.arrived(self.case.destination, result, &self.file).await?;
        self.ending("arrived", most)
    }

    /// It failed with this code, and at most `most` bytes were sent twice.
    pub(super) fn failed(&self, code: &str, most: u64) -> Result<Ending> {
        self.report.failed(code)?;
        self.ending(code, most)
    }

    fn ending(&self, said: &str, most: u64) -> Result<Ending> {
        let twice = self.log.sent_twice();
        ensure!(
            twice <= most,
            "{twice} bytes went twice, and at most {most} may: {}",
            crate::sandbox::summary(&self.log)
        );
        Ok(Ending { said: said.to_owned(), twice })
    }

    /// Whether a request stalled by a fault.
    pub(super) fn stalled(&self) -> bool {
        self.log.requests.iter().any(|one| one.faults.iter().any(|fault| fault.starts_with("stall")))
    }

    /// How many requests carried bytes.
    pub(super) fn sends(&self) -> usize {
        self.log.of(self.case.destination.bytes_route()).len()
    }

    /// The largest part, or the whole file if there are none; a form adds its own bytes around the file.
    pub(super) fn largest(&self) -> u64 {
        largest(self.case.destination, &self.report, &self.file)
    }

    /// Requests of a route that reached the server itself: not those answered from memory, nor those refused.
    pub(super) fn effects(&self, route: &str) -> usize {
        let effects = self.log.of(route);
        effects.iter().filter(|one| !one.copy && one.status.is_none_or(|status| status < 400)).count()
    }

    /// The only request that was answered with this status.
    pub(super) fn refused(&self, status: u16) -> Result<&crate::sandbox::Logged> {
        let mut refused =
            self.log.of(self.case.destination.bytes_route()).into_iter().filter(|one| one.status == Some(status));
        let first = refused.next().with_context(|| format!("no answer of {status}"))?;
        ensure!(refused.next().is_none(), "several answers of {status}");
        Ok(first)
    }
}

/// See [`Ended::largest`].
pub(super) fn largest(destination: Destination, report: &Report, file: &Picked) -> u64 {
    let largest = report.parts.iter().map(|part| part.end + 1 - part.start).max();
    match destination.has_parts() {
        true => largest.unwrap_or(file.size),
        false => file.size + 4_096,
    }
}
