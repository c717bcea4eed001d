//! The environment of every test: one sandbox and one browser for the run.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::sleep;

use crate::browser::{Browser, Engine};
use crate::destination::Destination;
use crate::files::{self, Picked};
use crate::page::{self, PATIENCE, Page};
use crate::sandbox::{self, Log, Sandbox};

/// Bytes in a mebibyte.
pub(crate) const MIB: u64 = 1 << 20;

/// The environment of the tests.
pub(crate) struct Stage {
    /// The destinations' servers.
    pub(crate) sandbox: Sandbox,
    /// The browser.
    pub(crate) browser: Browser,
    config: Value,
    folder: TempDir,
    _served: TempDir,
}

impl Stage {
    /// Starts the sandbox, with the test pages and the package that can crash at `/extra/`, and the browser.
    pub(crate) async fn set(engine: Engine) -> Result<Self> {
        let served = tempfile::tempdir()?;
        copy(&crate::root().join("tests/e2e/page"), served.path())?;
        if let Ok(crash) = crash_package() {
            copy(&crash, &served.path().join("crash"))?;
        }
        let sandbox = Sandbox::start(Some(served.path()), &[]).await?;
        let config = sandbox.config().await?;
        let browser = Browser::start(engine).await?;
        Ok(Self { sandbox, browser, config, folder: tempfile::tempdir()?, _served: served })
    }

    /// Ends all that was started.
    pub(crate) async fn clear(self) {
        self.browser.close().await;
        self.sandbox.close().await;
    }

    /// Resets all for the next test.
    pub(crate) async fn sweep(&mut self) -> Result<()> {
        if self.browser.sweep().await.is_err() {
            let fresh = Browser::start(self.browser.engine).await?;
            std::mem::replace(&mut self.browser, fresh).close().await;
        }
        for entry in fs::read_dir(self.folder.path())? {
            fs::remove_file(entry?.path())?;
        }
        self.sandbox.reset().await?;
        // Messages of earlier tests in the console would be attributed to this one.
        page::console(&self.browser).await;
        Ok(())
    }

    /// The bare page, just loaded.
    pub(crate) async fn page(&self) -> Result<Page<'_>> {
        self.page_in(&self.browser).await
    }

    /// The bare page in another browser than the stage's own.
    pub(crate) async fn page_in<'a>(&self, browser: &'a Browser) -> Result<Page<'a>> {
        Page::open(browser, &format!("{}/extra/index.html", self.sandbox.at.app)).await
    }

    /// The bare page with the package that can crash.
    pub(crate) async fn crash_page(&self) -> Result<Page<'_>> {
        crash_package()?;
        Page::open(&self.browser, &format!("{}/extra/crash.html", self.sandbox.at.app)).await
    }

    /// A file of random bytes on the disk.
    pub(crate) fn file(&self, name: &str, size: u64) -> Result<Picked> {
        files::random(self.folder.path(), name, size)
    }

    /// A sparse file of zeros.
    pub(crate) fn sparse_file(&self, name: &str, size: u64) -> Result<Picked> {
        files::sparse(self.folder.path(), name, size)
    }

    /// A destination's provider options, as the sandbox hands them to the page.
    pub(crate) fn provider(&self, destination: Destination) -> Result<Value> {
        destination.provider(&self.config)
    }

    /// Compares the stored object with the file that was sent.
    pub(crate) async fn arrived(&self, destination: Destination, result: &Value, file: &Picked) -> Result<()> {
        let held = self.sandbox.holds(destination, destination.id(result)?, file).await;
        held.with_context(|| format!("the result was {result}"))?;
        ensure!(result["bytes"] == file.size, "the result's `bytes` is {}, not {}", result["bytes"], file.size);
        Ok(())
    }

    /// Takes the page offline, or online again. Chromium has a command for it. For the others the server cuts the network,
    /// and their pages get the events that a browser would dispatch.
    pub(crate) async fn network(&self, page: &Page<'_>, there: bool) -> Result<()> {
        if self.browser.engine == Engine::Chromium {
            return self.browser.set_offline(!there).await;
        }
        let script = "Object.defineProperty(navigator, 'onLine', { configurable: true, get: () => args[0] });
                      window.dispatchEvent(new Event(args[0] ? 'online' : 'offline'));";
        page.script(script, vec![json!(there)]).await?;
        self.sandbox.offline(if there { Duration::ZERO } else { Duration::from_secs(120) }).await
    }

    /// What the sandbox got.
    pub(crate) async fn log(&self) -> Result<Log> {
        self.sandbox.log().await
    }

    /// What the sandbox got, once no request of these routes is under way any more.
    pub(crate) async fn log_at_rest(&self, routes: &str) -> Result<Log> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let log = self.log().await?;
            if log.of(routes).iter().all(|one| one.ended_ms.is_some()) {
                return Ok(log);
            }
            ensure!(Instant::now() < deadline, "requests of {routes} never end: {}", sandbox::summary(&log));
            sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Where `cargo xtask package --crash` puts what it builds, or where PARTWAY_CRASH_PACKAGE says.
fn crash_package() -> Result<PathBuf> {
    let folder = match env::var_os("PARTWAY_CRASH_PACKAGE") {
        Some(folder) => PathBuf::from(folder),
        None => crate::root().join("target/pkg-crash-test"),
    };
    ensure!(
        folder.join("index.js").is_file(),
        "the crash tests want their package: `cargo xtask package --crash` builds it"
    );
    Ok(folder)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("could not read {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
