//! Where the time of the page's main thread goes: a profile of V8's, and the functions that took most of it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use partway_webdriver::browser::Browser;
use serde::Deserialize;
use serde_json::{Value, json};

/// Microseconds between two looks. (A choice: a tenth of the default, so that callbacks of a tenth of a millisecond are seen.)
const INTERVAL: u64 = 100;

/// How many functions are named.
const TOP: usize = 25;

/// Begins to look.
pub(crate) async fn start(browser: &Browser) -> Result<()> {
    let cdp = browser.driver.cdp();
    cdp.send_raw("Profiler.enable", json!({})).await?;
    cdp.send_raw("Profiler.setSamplingInterval", json!({ "interval": INTERVAL })).await?;
    cdp.send_raw("Profiler.start", json!({})).await?;
    Ok(())
}

/// Ends it, writes the profile for DevTools to `path`, and gives the functions that took most time.
pub(crate) async fn stop(browser: &Browser, path: &Path) -> Result<String> {
    let profile = browser.driver.cdp().send_raw("Profiler.stop", json!({})).await?["profile"].take();
    fs::write(path, profile.to_string()).with_context(|| format!("could not write {}", path.display()))?;
    top(profile)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Profile {
    nodes: Vec<Node>,
    samples: Vec<u64>,
    time_deltas: Vec<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    id: u64,
    call_frame: Frame,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Frame {
    function_name: String,
    url: String,
    line_number: i64,
}

fn top(profile: Value) -> Result<String> {
    let profile: Profile = serde_json::from_value(profile).context("a profile of another shape")?;
    let names: HashMap<u64, String> = profile.nodes.iter().map(|node| (node.id, node.call_frame.title())).collect();
    let mut taken: HashMap<&str, i64> = HashMap::new();
    for (sample, delta) in profile.samples.iter().zip(&profile.time_deltas) {
        *taken.entry(names.get(sample).map_or("", String::as_str)).or_default() += delta;
    }
    let all: i64 = taken.values().sum();
    let mut taken: Vec<(&str, i64)> = taken.into_iter().collect();
    taken.sort_by_key(|(name, time)| (-time, *name));
    let mut text = String::new();
    for (name, time) in taken.into_iter().take(TOP) {
        let _ =
            writeln!(text, "{:>9.1} ms {:>5.1} %  {name}", time as f64 / 1e3, 100.0 * time as f64 / all.max(1) as f64);
    }
    Ok(text)
}

impl Frame {
    fn title(&self) -> String {
        let name = if self.function_name.is_empty() { "(anonymous)" } else { &self.function_name };
        match self.url.rsplit('/').next() {
            Some(file) if !file.is_empty() => format!("{name} {file}:{}", self.line_number + 1),
            _ => name.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_functions_with_most_samples_come_first() {
        let frame = |name: &str| json!({ "functionName": name, "url": "http://x/pkg/index.js", "lineNumber": 4 });
        let profile = json!({
            "nodes": [{ "id": 1, "callFrame": frame("less") }, { "id": 2, "callFrame": frame("more") }],
            "samples": [1, 2, 2], "timeDeltas": [1000, 1000, 2000],
        });
        let text = top(profile).expect("read");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines, ["      3.0 ms  75.0 %  more index.js:5", "      1.0 ms  25.0 %  less index.js:5"]);
    }
}
