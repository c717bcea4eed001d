//! What was sent, for a story's checks.

use std::collections::BTreeMap;

use partway::model::plan::ByteRange;
use serde_json::Value;

/// One request that left the page, or one call of the application's functions.
#[derive(Clone, Debug)]
pub struct Record {
    /// Which upload made it, counted from 0 over the whole world.
    pub upload: usize,
    /// Its name, `<who>:<call>`.
    pub route: &'static str,
    /// The HTTP method; empty for a function.
    pub method: &'static str,
    /// The whole URL; empty for a function.
    pub url: String,
    /// Its headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its JSON body, or the function's arguments.
    pub json: Option<Value>,
    /// The file's bytes in it.
    pub range: Option<ByteRange>,
    /// When it left.
    pub sent_at: u64,
    /// Whether all of it went out.
    pub whole: bool,
    /// How many of its bytes the page was told of.
    pub told: u64,
    /// When the server had it whole.
    pub arrived_at: Option<u64>,
    /// Whether its bytes were changed on the way.
    pub damaged: bool,
    /// How often it took effect, by what the server did with it.
    pub effects: u32,
    /// How it ended for the page: the status, 0 for a failure, None for never.
    pub status: Option<u16>,
    /// When it ended so.
    pub ended_at: Option<u64>,
}

impl Record {
    /// A call of the application's functions that begins now.
    pub(crate) fn begun(upload: usize, route: &'static str, now: u64) -> Self {
        Self {
            upload,
            route,
            method: "",
            url: String::new(),
            headers: Vec::new(),
            json: None,
            range: None,
            sent_at: now,
            whole: false,
            told: 0,
            arrived_at: None,
            damaged: false,
            effects: 0,
            status: None,
            ended_at: None,
        }
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Everything that was sent, in order, and what broke a rule.
#[derive(Debug, Default)]
pub struct Log {
    /// In the order in which they left.
    pub records: Vec<Record>,
    /// Sentences about what no engine may do.
    pub violations: Vec<String>,
    /// What the engine told the application to mend.
    pub warnings: Vec<String>,
    /// When an origin was probed, and which.
    pub probes: Vec<(u64, String)>,
    /// What else happened, and when.
    pub notes: Vec<(u64, String)>,
    running: BTreeMap<String, usize>,
    most: BTreeMap<String, usize>,
}

impl Log {
    /// Counts a request in of those named so; gives how many run now.
    pub fn enter(&mut self, name: &str) -> usize {
        let running = self.running.entry(name.into()).or_default();
        *running += 1;
        let most = self.most.entry(name.into()).or_default();
        *most = (*most).max(*running);
        *running
    }

    /// Counts it out again.
    pub fn leave(&mut self, name: &str) {
        if let Some(running) = self.running.get_mut(name) {
            *running -= 1;
        }
    }

    /// How many of those named so ran at once, at most.
    pub fn most(&self, name: &str) -> usize {
        self.most.get(name).copied().unwrap_or(0)
    }

    /// How many run now.
    pub fn running(&self) -> usize {
        self.running.values().sum()
    }
}
