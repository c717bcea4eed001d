//! A large upload whose browser is killed again and again, by SIGKILL, with its profile kept.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::browser::{Browser, Engine, Profile};
use crate::destination::Destination;
use crate::files::Picked;
use crate::page::{Page, Report, Upload};
use crate::sandbox::Log;
use crate::stage::{MIB, Stage};

/// The time limit of a process until it is killed, and of the last one to its end.
const PATIENCE: Duration = Duration::from_secs(600);

/// What `partway-e2e soak` takes.
#[derive(Debug)]
pub(crate) struct Options {
    /// The file's size in mebibytes.
    pub(crate) size: u64,
    /// How often the browser is killed.
    pub(crate) kills: u32,
    /// The seed; random by default.
    pub(crate) seed: Option<u64>,
    /// Where the file goes.
    pub(crate) destination: Destination,
    /// The browser.
    pub(crate) engine: Engine,
}

impl Default for Options {
    fn default() -> Self {
        Self { size: 1024, kills: 10, seed: None, destination: Destination::S3, engine: Engine::Chromium }
    }
}

/// Runs it; returns whether the file arrived and no more was sent again than was in flight.
pub(crate) async fn run(options: &Options) -> Result<bool> {
    ensure!(options.engine != Engine::WebKit, "WebKit's test browser keeps no profile: nothing outlives it");
    ensure!(options.destination.has_parts(), "one form is the whole upload: nothing of it can be kept");
    ensure!(options.size >= 64, "a file of less than 64 MiB is there before it can be killed");
    let seed = options.seed.map_or_else(drawn, Ok)?;
    println!("seed {seed}: {} MiB to {}, {} kills", options.size, options.destination.name(), options.kills);
    let stage = Stage::set(options.engine).await?;
    let outcome = Soak { stage: &stage, options, kept: BTreeSet::new(), seen: 0, in_flight: 0 }.run(seed).await;
    stage.clear().await;
    match &outcome {
        Ok(()) => println!("1 passed, 0 failed"),
        Err(error) => println!("FAILED with seed {seed}: {error:#}\n0 passed, 1 failed"),
    }
    Ok(outcome.is_ok())
}

fn drawn() -> Result<u64> {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no random bytes: {error}"))?;
    Ok(u64::from(u32::from_le_bytes(bytes)))
}

/// When to kill: how many bytes the page has sent by then, in rising order, and how many milliseconds later.
fn moments(seed: u64, kills: u32, size: u64) -> Vec<(u64, u64)> {
    let mut state = seed;
    let mut next = || {
        // SplitMix64.
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    };
    // From the first bytes to shortly before the end, where the last part may have been sent by the time of the kill.
    let mut moments: Vec<(u64, u64)> = (0..kills).map(|_| (next() % (size * 9 / 10), next() % 400)).collect();
    moments.sort_unstable();
    moments
}

struct Soak<'a> {
    stage: &'a Stage,
    options: &'a Options,
    /// Parts that a page had reported as sent when its browser was killed.
    kept: BTreeSet<String>,
    /// Requests counted before.
    seen: u64,
    /// Bytes that had arrived of other parts at each kill, added up.
    in_flight: u64,
}

impl Soak<'_> {
    async fn run(&mut self, seed: u64) -> Result<()> {
        let start = Instant::now();
        let (stage, size) = (self.stage, self.options.size * MIB);
        let file = stage.file("soak.mp4", size)?;
        // Large files in parts, slow enough that none is uploaded before it is killed.
        let knobs = json!({
            "onlymonster": { "processingMs": 20, "partCount": 128 },
            "ofauth": { "partSize": 8 * MIB },
            "plan": { "partSize": 8 * MIB },
        });
        stage.sandbox.vendors(knobs).await?;
        let route = self.options.destination.bytes_route();
        let slow = json!([{ "route": route, "effect": { "kind": "bandwidth", "bytesPerSecond": 12_000_000 } }]);
        stage.sandbox.faults(slow).await?;
        let mut profile = Profile::new()?;
        for (number, (bytes, later)) in (1..).zip(moments(seed, self.options.kills, size)) {
            let browser = Browser::start_in(self.options.engine, profile).await?;
            let (page, upload) = self.begin(&browser, &file).await?;
            self.until(&page, upload, bytes).await?;
            sleep(Duration::from_millis(later)).await;
            let report = page.report(upload).await?;
            ensure!(!report.settled, "the upload ended before kill {number}: {report:?}");
            profile = browser.kill().await?;
            let now = self.killed(&report).await?;
            println!("kill {number:>2}: {:>6.1} MiB sent, {:>5.1} MiB in flight", sent(&report), mib(now));
        }
        let browser = Browser::start_in(self.options.engine, profile).await?;
        let (page, upload) = self.begin(&browser, &file).await?;
        let report = page.settled_within(upload, PATIENCE).await?;
        stage.arrived(self.options.destination, report.done()?, &file).await?;
        browser.close().await;
        let log = stage.log().await?;
        let again = log.sent_twice();
        println!(
            "arrived: SHA-256 {}, {} requests with bytes, {:.1} MiB sent again, {:.1} MiB in flight at the kills, {:.0} s",
            &file.sha256[..16],
            log.of(route).len(),
            mib(again),
            mib(self.in_flight),
            start.elapsed().as_secs_f64()
        );
        ensure!(again <= self.in_flight, "{again} bytes were sent again, and {} were in flight", self.in_flight);
        Ok(())
    }

    /// The same file is picked again, and resumes by itself.
    async fn begin<'a>(&self, browser: &'a Browser, file: &Picked) -> Result<(Page<'a>, Upload)> {
        let page = self.stage.page_in(browser).await?;
        page.pick(&[file]).await?;
        let provider: Value = self.stage.provider(self.options.destination)?;
        let upload = page.start(json!({ "options": { "provider": provider } })).await?;
        Ok((page, upload))
    }

    async fn until(&self, page: &Page<'_>, upload: Upload, bytes: u64) -> Result<()> {
        let underway = |report: &Report| report.last.as_ref().is_some_and(|last| last.sent >= bytes as f64);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let report = page.report(upload).await?;
            ensure!(!report.settled, "the upload ended before its browser was killed: {report:?}");
            if underway(&report) {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "{bytes} bytes are not sent after {} s", PATIENCE.as_secs());
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// The log, once the bytes that were in buffers when the browser was killed have arrived too.
    async fn quiet(&self) -> Result<Log> {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let log = self.stage.log().await?;
            if log.requests.iter().all(|one| one.ended_ms.is_some()) {
                return Ok(log);
            }
            ensure!(Instant::now() < deadline, "requests of a browser that was killed don't end");
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Counts what was in flight: all bytes received during this process of parts that the page had not reported as sent.
    async fn killed(&mut self, report: &Report) -> Result<u64> {
        let log = self.quiet().await?;
        let now: Vec<_> = log.requests.iter().filter(|one| one.n > self.seen).collect();
        for piece in now.iter().filter_map(|one| one.piece()) {
            ensure!(!self.kept.contains(&piece), "part {piece} had been reported as sent, and was sent again");
        }
        self.kept.extend(report.parts.iter().map(|part| part.part_number.to_string()));
        let unkept = |piece: String| !self.kept.contains(&piece);
        let now = now.iter().filter(|one| one.piece().is_some_and(unkept)).map(|one| one.bytes).sum();
        self.seen = log.requests.iter().map(|one| one.n).max().unwrap_or(0);
        self.in_flight += now;
        Ok(now)
    }
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / MIB as f64
}

fn sent(report: &Report) -> f64 {
    report.last.as_ref().map_or(0.0, |last| last.sent / MIB as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_has_the_same_moments_in_rising_order_within_the_file() {
        let (one, other) = (moments(7, 10, 1 << 30), moments(8, 10, 1 << 30));
        assert_eq!(one, moments(7, 10, 1 << 30));
        assert_ne!(one, other);
        assert_eq!(one.len(), 10);
        assert!(one.is_sorted() && one.iter().all(|(bytes, _)| *bytes < 1 << 30));
    }
}
