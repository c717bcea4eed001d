//! The bare page of the tests (`page/page.js`), driven from here.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use thirtyfour::prelude::*;
use tokio::time::sleep;

use crate::browser::Browser;
use crate::files::Picked;

/// The time limit for an upload, unless a test sets another.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// A page that is open.
pub(crate) struct Page<'a> {
    browser: &'a Browser,
}

/// An upload, by its index in the page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Upload(u64);

/// All that the page saw of one upload.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    pub(crate) statuses: Vec<String>,
    pub(crate) progress: Vec<Progress>,
    pub(crate) parts: Vec<SentPart>,
    pub(crate) completes: u32,
    pub(crate) errors: Vec<String>,
    /// Events dispatched on the upload, by type.
    pub(crate) events: BTreeMap<String, u32>,
    /// Functions of the page that were called.
    pub(crate) calls: Vec<String>,
    pub(crate) result: Option<Value>,
    pub(crate) error: Option<PageError>,
    pub(crate) settled: bool,
    /// Whether `upload()` or the constructor threw the error.
    #[serde(default)]
    pub(crate) thrown: bool,
    pub(crate) status: Option<String>,
    /// The upload's own `progress`.
    pub(crate) last: Option<Progress>,
}

/// `Progress`, as far as tests look at it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Progress {
    pub(crate) sent: f64,
    pub(crate) total: f64,
    pub(crate) fraction: f64,
    pub(crate) parts: Parts,
}

/// `Progress.parts`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Parts {
    pub(crate) total: u32,
    pub(crate) done: u32,
    pub(crate) in_flight: u32,
}

/// `SentPart`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SentPart {
    pub(crate) part_number: u32,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) etag: Option<String>,
    pub(crate) attempts: u32,
    pub(crate) verified: bool,
}

/// The value that was thrown, or that `done` rejected with.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageError {
    pub(crate) is_upload_error: bool,
    pub(crate) name: String,
    pub(crate) message: String,
    pub(crate) code: Option<String>,
    pub(crate) retryable: Option<bool>,
    pub(crate) step: Option<String>,
    pub(crate) status: Option<u16>,
    pub(crate) part_number: Option<u32>,
    pub(crate) vendor: Option<Value>,
    pub(crate) hint: Option<String>,
    pub(crate) cause: Option<String>,
}

impl Report {
    /// The result, where the upload ended well.
    pub(crate) fn done(&self) -> Result<&Value> {
        match (&self.result, &self.error) {
            (Some(result), None) => Ok(result),
            (_, Some(error)) => bail!("the upload failed: {error:?}; it was {:?}", self.statuses),
            (None, None) => bail!("the upload has neither result nor error: {self:?}"),
        }
    }

    /// The error, where the upload ended with this code.
    pub(crate) fn failed(&self, code: &str) -> Result<&PageError> {
        let error = match (&self.error, &self.result) {
            (Some(error), None) => error,
            _ => bail!("the upload did not fail: {:?}", self.result),
        };
        ensure!(error.code.as_deref() == Some(code), "the code is not {code:?}: {error:?}");
        ensure!(error.is_upload_error && error.name == "UploadError", "no UploadError: {error:?}");
        Ok(error)
    }

    /// Checks what holds for every upload that has settled.
    fn check(&self) -> Result<()> {
        let mut sent = 0.0;
        for progress in &self.progress {
            ensure!(progress.sent >= sent, "progress fell from {sent} to {}", progress.sent);
            ensure!(progress.sent <= progress.total, "{} of {} are sent", progress.sent, progress.total);
            ensure!((0.0..=1.0).contains(&progress.fraction), "the fraction is {}", progress.fraction);
            ensure!(progress.parts.done <= progress.parts.total, "more parts done than there are: {progress:?}");
            sent = progress.sent;
        }
        if self.thrown {
            return Ok(());
        }
        let (completes, errors) = if self.result.is_some() { (1, 0) } else { (0, 1) };
        ensure!(
            self.completes == completes && self.errors.len() == errors,
            "onComplete was called {} times, onError with {:?}",
            self.completes,
            self.errors
        );
        let ended = if self.result.is_some() {
            "done"
        } else if self.errors == ["cancelled"] {
            "cancelled"
        } else {
            "failed"
        };
        ensure!(self.status.as_deref() == Some(ended), "the status at the end is {:?}, not {ended:?}", self.status);
        ensure!(
            self.statuses.last().map(String::as_str) == Some(ended),
            "the last status reported is not {ended:?}: {:?}",
            self.statuses
        );
        Ok(())
    }
}

impl<'a> Page<'a> {
    /// Loads `url` and waits until its script has run.
    pub(crate) async fn open(browser: &'a Browser, url: &str) -> Result<Self> {
        browser.driver.goto(url).await?;
        ready(browser).await?;
        Ok(Self { browser })
    }

    /// Reloads it, as F5 does: all that the page had in memory is gone.
    pub(crate) async fn reload(&self) -> Result<()> {
        self.browser.driver.refresh().await?;
        ready(self.browser).await
    }

    /// Selects files in `<input type=file>`, as a user would.
    pub(crate) async fn pick(&self, files: &[&Picked]) -> Result<()> {
        let paths: Vec<String> = files.iter().map(|file| file.path.display().to_string()).collect();
        let input = self.browser.driver.find(By::Css("input#files")).await?;
        input.send_keys(paths.join("\n")).await?;
        Ok(())
    }

    /// Starts an upload; `page.js` describes the members of `what`.
    pub(crate) async fn start(&self, what: Value) -> Result<Upload> {
        let id = self.browser.execute("return window.e2e.start(arguments[0])", vec![what]).await?;
        id.as_u64().map(Upload).with_context(|| format!("the page gave {id} for an upload"))
    }

    /// Resumes the newest unfinished upload, without its file.
    pub(crate) async fn go_on(&self, what: Value) -> Result<Upload> {
        let id = self.browser.execute_async("return await window.e2e.goOn(args[0])", vec![what]).await?;
        id.as_u64().map(Upload).with_context(|| format!("the page gave {id} for an upload"))
    }

    /// What the page saw so far.
    pub(crate) async fn report(&self, Upload(id): Upload) -> Result<Report> {
        let report = self.browser.execute("return window.e2e.report(arguments[0])", vec![json!(id)]).await?;
        let text = report.as_str().context("no report")?;
        serde_json::from_str(text).with_context(|| format!("a report of another shape: {text}"))
    }

    /// What the page saw, once the upload has settled.
    pub(crate) async fn settled(&self, upload: Upload) -> Result<Report> {
        self.settled_within(upload, PATIENCE).await
    }

    /// As [`Self::settled`], with another time limit.
    pub(crate) async fn settled_within(&self, upload: Upload, patience: Duration) -> Result<Report> {
        let report = self.until(upload, patience, "settled", |report| report.settled).await?;
        report.check()?;
        Ok(report)
    }

    /// Waits until `wanted` holds of an upload that has not settled yet.
    pub(crate) async fn when(&self, upload: Upload, what: &str, wanted: impl Fn(&Report) -> bool) -> Result<Report> {
        let report = self.until(upload, PATIENCE, what, |report| report.settled || wanted(report)).await?;
        ensure!(wanted(&report), "the upload ended before it was {what}: {report:?}");
        Ok(report)
    }

    async fn until(
        &self,
        upload: Upload,
        patience: Duration,
        what: &str,
        wanted: impl Fn(&Report) -> bool,
    ) -> Result<Report> {
        let deadline = Instant::now() + patience;
        loop {
            let report = self.report(upload).await?;
            if wanted(&report) {
                return Ok(report);
            }
            ensure!(
                Instant::now() < deadline,
                "not {what} within {} s: statuses {:?}, parts {:?}, progress {:?}",
                patience.as_secs(),
                report.statuses,
                report.parts,
                report.last
            );
            sleep(Duration::from_millis(25)).await;
        }
    }

    /// Begins an upload and waits until it has settled.
    pub(crate) async fn upload(&self, what: Value) -> Result<Report> {
        let upload = self.start(what).await?;
        self.settled(upload).await
    }

    /// Calls `pause`, `resume` or another function of the page that takes an upload.
    pub(crate) async fn tell(&self, function: &str, Upload(id): Upload) -> Result<()> {
        let script = format!("window.e2e.{function}(arguments[0])");
        self.browser.execute(&script, vec![json!(id)]).await.map(drop)
    }

    /// Passes a status to an upload, as a webhook's receiver would.
    pub(crate) async fn notify(&self, Upload(id): Upload, update: Value) -> Result<()> {
        self.browser.execute("window.e2e.notify(...arguments)", vec![json!(id), update]).await.map(drop)
    }

    /// Cancels, and waits until `cancel()` has settled.
    pub(crate) async fn cancel(&self, Upload(id): Upload) -> Result<()> {
        self.browser.execute_async("await window.e2e.cancel(args[0])", vec![json!(id)]).await.map(drop)
    }

    /// What `new Uploader(options)` throws. `options` is JavaScript, since it may hold what JSON can't.
    pub(crate) async fn refused(&self, options: &str) -> Result<Option<PageError>> {
        let script = format!("return window.e2e.refused({options})");
        let error = self.browser.execute(&script, vec![]).await?;
        Ok(serde_json::from_value(error)?)
    }

    /// Uncaught errors and rejections since the last call.
    pub(crate) async fn noise(&self) -> Result<Vec<String>> {
        noise(self.browser).await
    }

    /// Runs the body of an async function in the page.
    pub(crate) async fn script(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        self.browser.execute_async(script, arguments).await
    }
}

async fn ready(browser: &Browser) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(20);
    while browser.execute("return document.documentElement.dataset.ready", vec![]).await? != "yes" {
        ensure!(Instant::now() < deadline, "the page was not ready within 20 s{}", console(browser).await);
        sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// Uncaught errors and rejections of the open page.
pub(crate) async fn noise(browser: &Browser) -> Result<Vec<String>> {
    let noise = browser.execute("return window.e2e ? window.e2e.noise() : []", vec![]).await?;
    Ok(serde_json::from_value(noise)?)
}

/// The browser's console, for the message of a failed test.
pub(crate) async fn console(browser: &Browser) -> String {
    match browser.driver.browser_log().await {
        Ok(entries) => entries.iter().map(|entry| format!("\n  console: {}", entry.message)).collect(),
        Err(_) => String::new(),
    }
}
