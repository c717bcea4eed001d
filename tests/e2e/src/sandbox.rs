//! The sandbox as a child process, and its control API.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use reqwest::{Client, Method};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::destination::Destination;
use crate::files::Picked;
use crate::process::Process;

/// Its origins: one for each server in it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Addresses {
    pub(crate) app: String,
    pub(crate) ofauth: String,
    pub(crate) onlymonster: String,
    pub(crate) apifansly: String,
    pub(crate) store: String,
}

/// What arrived at a destination.
#[derive(Debug, Deserialize)]
pub(crate) struct Stored {
    pub(crate) sha256: String,
    pub(crate) size: u64,
}

/// One request that the sandbox got.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Logged {
    /// The request's number, from 1.
    pub(crate) n: u64,
    pub(crate) route: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) status: Option<u16>,
    pub(crate) bytes: u64,
    /// Headers by their names in lower case; secrets are replaced by stars.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) idempotency_key: Option<String>,
    /// The faults that hit it.
    pub(crate) faults: Vec<String>,
    /// Whether an earlier request's answer was given again.
    pub(crate) copy: bool,
    pub(crate) started_ms: u64,
    pub(crate) ended_ms: Option<u64>,
}

impl Logged {
    /// A parameter of its query, as it was sent.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(its, _)| *its == name)
            .map(|(_, value)| value)
    }

    /// The part of a file that it carries, if any: its number, or nothing for the whole file.
    pub(crate) fn piece(&self) -> Option<String> {
        match self.route.as_str() {
            "store:UploadPart" => self.parameter("partNumber").map(str::to_owned),
            "ofauth:part" => self.path.rsplit('/').next().map(str::to_owned),
            "store:PutObject" | "ofauth:single" | "apifansly:upload" | "form:upload" => Some(String::new()),
            _ => None,
        }
        .filter(|_| self.method != "OPTIONS")
    }
}

/// All requests since the log was last cleared.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Log {
    pub(crate) requests: Vec<Logged>,
    pub(crate) max_in_flight: BTreeMap<String, u32>,
}

impl Log {
    /// Requests of a route, preflights left out; a `*` at the end stands for anything.
    pub(crate) fn of(&self, route: &str) -> Vec<&Logged> {
        self.requests
            .iter()
            .filter(|one| one.method != "OPTIONS")
            .filter(|one| match route.strip_suffix('*') {
                Some(start) => one.route.starts_with(start),
                None => one.route == route,
            })
            .collect()
    }

    /// Bytes of files that arrived more than once: for each part all received bytes, without those of the longest attempt.
    pub(crate) fn sent_twice(&self) -> u64 {
        let mut pieces: BTreeMap<(String, String), (u64, u64)> = BTreeMap::new();
        for (piece, one) in self.requests.iter().filter_map(|one| Some((one.piece()?, one))) {
            let name = (one.route.clone(), piece);
            let (all, longest) = pieces.entry(name).or_default();
            *all += one.bytes;
            *longest = (*longest).max(one.bytes);
        }
        pieces.values().map(|(all, longest)| all - longest).sum()
    }

    /// The most requests of these routes, together, that ran at once.
    pub(crate) fn most_at_once(&self, routes: &[&str]) -> usize {
        let of_all: Vec<&Logged> = routes.iter().flat_map(|route| self.of(route)).collect();
        of_all
            .iter()
            .map(|one| {
                let running = |other: &&&Logged| {
                    other.started_ms <= one.started_ms && other.ended_ms.is_none_or(|end| end > one.started_ms)
                };
                of_all.iter().filter(running).count()
            })
            .max()
            .unwrap_or(0)
    }
}

/// A running sandbox.
pub(crate) struct Sandbox {
    process: Process,
    client: Client,
    /// Its origins.
    pub(crate) at: Addresses,
}

impl Sandbox {
    /// Starts one with free ports; it serves `extra`, if given, at `/extra/`.
    pub(crate) async fn start(extra: Option<&Path>, arguments: &[OsString]) -> Result<Self> {
        let mut command = Command::new(program()?);
        command.args(["--port", "0", "--exit-with-parent", "--root"]).arg(crate::root()).args(arguments);
        if let Some(extra) = extra {
            command.arg("--serve").arg(extra);
        }
        let (process, at) =
            Process::start("the sandbox", &mut command, |line| serde_json::from_str::<Addresses>(line).ok()).await?;
        // Setting faults closes idle connections; one that is closed under a request would fail the test.
        let client = Client::builder().no_proxy().pool_max_idle_per_host(0).build()?;
        Ok(Self { process, client, at })
    }

    /// Ends it.
    pub(crate) async fn close(self) {
        self.process.close().await;
    }

    /// What the page reads at its start: the destinations, with their provider options.
    pub(crate) async fn config(&self) -> Result<Value> {
        self.call(Method::GET, "/config.json", None).await
    }

    /// Clears faults, log and all state.
    pub(crate) async fn reset(&self) -> Result<()> {
        self.call(Method::POST, "/control/reset", None).await.map(drop)
    }

    /// Sets these faults in place of all others.
    pub(crate) async fn faults(&self, faults: Value) -> Result<()> {
        self.break_with(json!({ "seed": 7, "faults": faults })).await
    }

    /// Sets the whole state of the faults: `seed`, `skewMs`, `keepAlive`, `faults`.
    pub(crate) async fn break_with(&self, state: Value) -> Result<()> {
        self.call(Method::PUT, "/control/faults", Some(state)).await.map(drop)
    }

    /// Cuts the network for this time: open connections are reset, and nothing gets through. Zero brings it back.
    pub(crate) async fn offline(&self, length: Duration) -> Result<()> {
        let spell = json!({ "ms": u64::try_from(length.as_millis())? });
        self.call(Method::POST, "/control/offline", Some(spell)).await.map(drop)
    }

    /// Changes settings of the vendors' models.
    pub(crate) async fn vendors(&self, knobs: Value) -> Result<()> {
        self.call(Method::POST, "/control/vendors", Some(knobs)).await.map(drop)
    }

    /// Its log.
    pub(crate) async fn log(&self) -> Result<Log> {
        let log = self.call(Method::GET, "/control/log", None).await?;
        serde_json::from_value(log).context("the sandbox's log has another shape")
    }

    /// What is stored at `destination` under `id`, or nothing.
    pub(crate) async fn stored(&self, destination: &str, id: &str) -> Result<Option<Stored>> {
        let url = format!("{}/objects/{destination}/{}/sha256", self.at.app, percent_encoded(id));
        let response = self.client.get(&url).send().await?;
        match response.status().as_u16() {
            200 => Ok(Some(response.json().await?)),
            404 => Ok(None),
            status => bail!("{url} answered {status}: {}", response.text().await?),
        }
    }

    /// Whether what is stored under `id` is the file, byte for byte.
    pub(crate) async fn holds(&self, destination: Destination, id: &str, file: &Picked) -> Result<()> {
        let stored =
            self.stored(destination.name(), id).await?.with_context(|| format!("nothing is stored as {id}"))?;
        ensure!(
            stored.size == file.size && stored.sha256 == file.sha256,
            "{id}: stored are {} bytes with SHA-256 {}, sent were {} with {}",
            stored.size,
            stored.sha256,
            file.size,
            file.sha256
        );
        Ok(())
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        let mut request = self.client.request(method.clone(), format!("{}{path}", self.at.app));
        if let Some(body) = &body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let status = response.status();
        let text = response.text().await?;
        ensure!(status.is_success(), "the sandbox answered {status} to {method} {path}: {text}");
        if text.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text).with_context(|| format!("{method} {path} gave no JSON: {text}"))
    }
}

/// One line for each request, for a failed test's message.
pub(crate) fn summary(log: &Log) -> String {
    let lines: Vec<String> = log
        .requests
        .iter()
        .rev()
        .take(40)
        .rev()
        .map(|one| {
            format!(
                "  {} {} {} {} {}{}",
                one.started_ms % 1_000_000,
                one.route,
                one.method,
                one.path,
                one.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string()),
                if one.copy { " (copy)" } else { "" }
            )
        })
        .collect();
    format!("\n{}", lines.join("\n"))
}

/// The sandbox's program: beside this one, where Cargo puts it, or at PARTWAY_SANDBOX.
fn program() -> Result<PathBuf> {
    if let Some(path) = env::var_os("PARTWAY_SANDBOX") {
        return Ok(path.into());
    }
    let this = env::current_exe().context("the path of this program")?;
    let path = this.with_file_name(format!("partway-sandbox{}", env::consts::EXE_SUFFIX));
    ensure!(path.is_file(), "there is no {}: `cargo build -p partway-sandbox` makes it", path.display());
    Ok(path)
}

fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::percent_encoded;

    #[test]
    fn an_id_is_one_segment_of_a_path() {
        assert_eq!(percent_encoded("uploads/a b:c.mp4"), "uploads%2Fa%20b%3Ac.mp4");
    }
}
