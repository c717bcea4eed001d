//! A real browser, driven over WebDriver.

mod chromium;
mod engine;
mod firefox;
mod profile;
mod webkit;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use thirtyfour::Capabilities;
use thirtyfour::prelude::*;

pub use self::engine::Engine;
pub use self::profile::Profile;
use crate::process::Process;

/// What an engine's own module has started: its driver, and the capabilities to request.
struct Launch {
    /// Where the driver answers.
    url: String,
    capabilities: Capabilities,
    /// The driver is the last: they end in this order.
    processes: Vec<Process>,
}

/// A running browser with one tab.
pub struct Browser {
    /// The session.
    pub driver: WebDriver,
    /// Which one it is.
    pub engine: Engine,
    processes: Vec<Process>,
    profile: Profile,
}

impl Browser {
    /// Starts a browser with a new profile, and its driver on a free port.
    ///
    /// The environment names programs that aren't on the search path: CHROMIUM, CHROMEDRIVER; FIREFOX, GECKODRIVER; MINIBROWSER,
    /// WEBKITWEBDRIVER, XVFB.
    pub async fn start(engine: Engine) -> Result<Self> {
        Self::start_in(engine, Profile::new()?).await
    }

    /// As [`Self::start`], with the profile of an earlier process.
    pub async fn start_in(engine: Engine, profile: Profile) -> Result<Self> {
        let Launch { url, capabilities, processes } = match engine {
            Engine::Chromium => chromium::launch(&profile).await?,
            Engine::Firefox => firefox::launch(&profile).await?,
            Engine::WebKit => webkit::launch().await?,
        };
        let driver =
            WebDriver::new(url, capabilities).await.with_context(|| format!("{} did not start", engine.name()))?;
        // An upload that is waited for inside the page may take longer than the usual half a minute.
        let script = Some(std::time::Duration::from_secs(60));
        driver.update_timeouts(TimeoutConfiguration::new(script, None, None)).await?;
        Ok(Self { driver, engine, processes, profile })
    }

    /// The engine and its version.
    pub fn title(&self) -> String {
        let version = self.driver.capabilities().get("browserVersion").and_then(Value::as_str).unwrap_or("");
        format!("{} {version}", self.engine.name()).trim_end().to_owned()
    }

    /// The ids of the browser's processes, as they are now.
    pub fn process_ids(&self) -> Vec<u32> {
        self.processes.iter().flat_map(Process::descendants).collect()
    }

    /// Lets a script of the page run so long, in place of a minute.
    pub async fn set_patience(&self, patience: std::time::Duration) -> Result<()> {
        self.driver.update_timeouts(TimeoutConfiguration::new(Some(patience), None, None)).await?;
        Ok(())
    }

    /// Ends the session, the browser and its driver.
    pub async fn close(self) {
        if let Err(error) = self.driver.quit().await {
            eprintln!("the browser did not quit: {error}");
        }
        // The driver has nothing to finish.
        drop(self.processes);
    }

    /// Ends the browser at once, by SIGKILL to each of its processes, and returns its profile.
    pub async fn kill(self) -> Result<Profile> {
        // The session is gone and needn't be closed.
        let _ = self.driver.leak();
        for process in self.processes {
            process.kill().await?;
        }
        Ok(self.profile)
    }

    /// Resets the browser to an empty page, with a network.
    pub async fn sweep(&self) -> Result<()> {
        if self.engine == Engine::Chromium {
            // Only pages that are loaded after the first such command obey a later one.
            self.driver.cdp().send_raw("Network.enable", json!({})).await?;
            self.set_offline(false).await?;
        }
        self.driver.goto("about:blank").await?;
        Ok(())
    }

    /// Takes Chromium offline, or online again: the page's requests fail, and `navigator.onLine` says so.
    pub async fn set_offline(&self, offline: bool) -> Result<()> {
        let conditions = json!({ "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
        self.driver.cdp().send_raw("Network.emulateNetworkConditions", conditions).await?;
        Ok(())
    }

    /// Runs a function body in the page and gives back what it returns.
    pub async fn execute(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        Ok(self.driver.execute(script, arguments).await?.json().clone())
    }

    /// Runs an async function body in the page and gives back what its promise resolves with.
    pub async fn execute_async(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        let wrapped = format!(
            "const given = Array.from(arguments); const done = given.pop();
             (async (...args) => {{ {script} }})(...given).then(
                 (value) => done({{ value: value === undefined ? null : value }}),
                 (error) => done({{ error: String(error && error.stack || error) }}),
             );"
        );
        let answer = self.driver.execute_async(&wrapped, arguments).await?.json().clone();
        match answer.get("error").and_then(Value::as_str) {
            Some(error) => anyhow::bail!("in the page: {error}"),
            None => Ok(answer.get("value").cloned().unwrap_or(Value::Null)),
        }
    }
}
