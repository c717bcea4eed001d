//! One run: a fresh browser, a page, a contestant, the case's files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use partway_webdriver::browser::{Browser, Engine};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thirtyfour::prelude::*;
use tokio::time::{interval, sleep};

use crate::cases::Case;
use crate::contestants::Contestant;
use crate::processes::{self, Cpu, Sample};
use crate::profile;
use crate::target::{Addresses, Counts, Target};

/// Longer than any run takes.
const PATIENCE: Duration = Duration::from_secs(600);

/// How often the renderers' memory is read. (A choice: a read takes some 20 µs, and a part is sent in about that time.)
const EVERY: Duration = Duration::from_millis(20);

const RUN: &str = "return await window.bench.run(args[0])";

/// What one run took.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Measured {
    pub(crate) seconds: f64,
    /// The share of that time in which the page's main thread ran tasks, by `Performance.getMetrics` (TaskDuration).
    pub(crate) main_thread: f64,
    /// Milliseconds of the longest task, by `longtask` entries; 0 where all were under 50 ms.
    pub(crate) longest_task: f64,
    pub(crate) cpu: Cpu,
    /// Bytes by which the renderer grew at its peak.
    pub(crate) memory: u64,
    /// Bytes that arrived beyond the files' own.
    pub(crate) wasted: i64,
    pub(crate) counts: Counts,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    milliseconds: f64,
    longest_task: f64,
}

/// What all runs of a case stand on.
pub(crate) struct Ground<'a> {
    pub(crate) case: &'a Case,
    pub(crate) target: &'a Arc<Target>,
    pub(crate) addresses: &'a Addresses,
    pub(crate) files: &'a [PathBuf],
    pub(crate) seed: u64,
}

impl Ground<'_> {
    /// Runs one contestant in a browser of its own.
    pub(crate) async fn run(&self, contestant: &Contestant) -> Result<Measured> {
        let browser = Browser::start(Engine::Chromium).await?;
        let measured = self.measure(&browser, contestant).await;
        browser.close().await;
        measured
    }

    /// Runs one contestant, and tells where the time of the page's main thread goes; the profile itself is written to `path`.
    pub(crate) async fn profile(&self, contestant: &Contestant, path: &Path) -> Result<String> {
        let browser = Browser::start(Engine::Chromium).await?;
        let profiled = self.profile_in(&browser, contestant, path).await;
        browser.close().await;
        profiled
    }

    async fn profile_in(&self, browser: &Browser, contestant: &Contestant, path: &Path) -> Result<String> {
        let settings = self.prepare(browser, contestant).await?;
        profile::start(browser).await?;
        call(browser, RUN, vec![settings]).await?;
        profile::stop(browser, path).await
    }

    /// Opens the page with the contestant and the files in it; gives what the contestant is told.
    async fn prepare(&self, browser: &Browser, contestant: &Contestant) -> Result<Value> {
        open(browser, &self.addresses.page).await?;
        self.pick(browser).await?;
        let settings = self.settings(contestant);
        // It may talk to the page's own origin, never to the store.
        call(browser, "return await window.bench.prepare(...args)", vec![json!(contestant.script), settings.clone()])
            .await?;
        self.target.begin(self.case.shape, self.seed);
        // Whatever the browser does after a page is loaded.
        sleep(Duration::from_millis(300)).await;
        Ok(settings)
    }

    async fn measure(&self, browser: &Browser, contestant: &Contestant) -> Result<Measured> {
        let settings = self.prepare(browser, contestant).await?;
        let ids = browser.process_ids();
        let (busy, before) = (busy(browser).await?, Sample::take(&ids));
        let running = call(browser, RUN, vec![settings]);
        let (told, peak) = with_memory(running, &before).await?;
        let after = Sample::take(&ids);
        let told: Told = serde_json::from_value(told).context("what the page tells of a run")?;
        let seconds = told.milliseconds / 1000.0;
        let main_thread = (self::busy(browser).await? - busy) / seconds;
        let counts = self.arrived()?;
        Ok(Measured {
            seconds,
            main_thread,
            longest_task: told.longest_task,
            cpu: after.cpu_since(&before),
            memory: peak,
            wasted: counts.bytes.cast_signed() - self.case.bytes().cast_signed(),
            counts,
        })
    }

    async fn pick(&self, browser: &Browser) -> Result<()> {
        let paths: Vec<String> = self.files.iter().map(|file| file.display().to_string()).collect();
        browser.driver.find(By::Css("input#files")).await?.send_keys(paths.join("\n")).await?;
        Ok(())
    }

    fn settings(&self, contestant: &Contestant) -> Value {
        let case = self.case;
        let hosts = &self.addresses.stores[..case.hosts];
        let common = json!({
            "hosts": hosts, "partSize": case.part_size, "concurrency": case.concurrency, "single": case.single(),
        });
        let mut settings = contestant.settings(&common);
        if settings["oneHost"] == true {
            settings["hosts"] = json!(hosts[..1]);
        }
        settings
    }

    /// Everything is there, and nothing was sent that the target didn't understand.
    fn arrived(&self) -> Result<Counts> {
        let arrived = self.target.arrived();
        ensure!(arrived.refused.is_empty(), "the target refused: {:?}", arrived.refused);
        ensure!(
            arrived.stored == self.case.bytes() && arrived.objects == self.case.files,
            "{} bytes in {} objects are stored, and {} in {} were sent",
            arrived.stored,
            arrived.objects,
            self.case.bytes(),
            self.case.files
        );
        Ok(arrived.counts)
    }
}

/// Loads the bench's page and waits until its script has run.
pub(crate) async fn open(browser: &Browser, page: &str) -> Result<()> {
    browser.set_patience(PATIENCE).await?;
    browser.driver.goto(format!("{page}/index.html")).await?;
    let ready =
        "while (document.documentElement.dataset.ready !== 'yes') await new Promise((done) => setTimeout(done, 10));";
    call(browser, ready, vec![]).await?;
    browser.driver.cdp().send_raw("Performance.enable", json!({})).await?;
    Ok(())
}

/// Runs the body of an async function in the page.
pub(crate) async fn call(browser: &Browser, script: &str, arguments: Vec<Value>) -> Result<Value> {
    browser.execute_async(script, arguments).await
}

/// Waits for `running`, and gives by how much the renderer grew at its peak.
async fn with_memory(running: impl Future<Output = Result<Value>>, before: &Sample) -> Result<(Value, u64)> {
    let renderers = before.renderers();
    let mut running = std::pin::pin!(running);
    let mut tick = interval(EVERY);
    let mut peak = 0;
    loop {
        tokio::select! {
            outcome = running.as_mut() => return Ok((outcome?, peak)),
            _ = tick.tick() => peak = peak.max(before.growth(&processes::memory(&renderers))),
        }
    }
}

/// Seconds that the page's main thread spent in tasks so far.
async fn busy(browser: &Browser) -> Result<f64> {
    let answer = browser.driver.cdp().send_raw("Performance.getMetrics", json!({})).await?;
    let metrics = answer["metrics"].as_array().context("no metrics")?;
    let task = metrics.iter().find(|metric| metric["name"] == "TaskDuration");
    task.and_then(|metric| metric["value"].as_f64()).context("no TaskDuration among the metrics")
}
