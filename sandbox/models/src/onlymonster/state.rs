use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::pipeline::{End, Stage};
use super::record::Record;
use crate::ids::Ids;

/// Settings of the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Config {
    /// The one token that is let in.
    pub token: String,
    /// Accounts on the onlyfans platform.
    pub accounts: Vec<String>,
    /// Accounts on other platforms, whose requests are rejected.
    pub other_accounts: Vec<String>,
    /// Fans' names and their ids. Names of `u` and digits, OnlyFans' own for those who chose none, are known without.
    pub fans: Vec<(String, String)>,
    /// Files of this size and above are sent in parts ("a server-side decision"; assumed: 16 MiB).
    pub multipart_threshold: u64,
    /// How many parts are offered; `null`: one for each 8 MiB (assumed).
    pub part_count: Option<u32>,
    /// The first part's id; the next ones follow.
    pub first_part_id: u32,
    /// How long presigned URLs hold, in seconds (set server-side, not exposed; assumed: an hour).
    pub url_expires_s: u64,
    /// From export to the end, in ms.
    pub processing_ms: u64,
    /// Where new exports stay until `/retry`.
    pub stuck_in: Option<Stage>,
    /// How new exports end.
    pub end: End,
    /// Requests in any sliding second for the token (3 are documented).
    pub requests_per_second: usize,
    /// Whether `/start` gives the record's id (implied, not shown).
    pub start_gives_id: bool,
    /// Whether the list shows uploads that aren't exported yet (assumed).
    pub lists_started: bool,
    /// The most records of a page, however many are asked for; `null`: as many. (A sibling endpoint's limit is 10.)
    pub list_cap: Option<usize>,
    /// Whether a page of more than `list_cap` is refused instead, as the sibling endpoint does.
    pub list_refuses: bool,
    /// Whether the list gives the same page whatever the offset.
    pub list_ignores_offset: bool,
    /// The largest file: 5 GiB.
    pub max_size: u64,
    /// What ids follow from.
    pub seed: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            token: "onlymonster-token".to_string(),
            accounts: vec!["1001".to_string()],
            other_accounts: vec!["3003".to_string()],
            fans: vec![("alice".to_string(), "7001".to_string())],
            multipart_threshold: 16 << 20,
            part_count: None,
            first_part_id: 1,
            url_expires_s: 3_600,
            processing_ms: 4_000,
            stuck_in: None,
            end: End::Exported,
            requests_per_second: 3,
            start_gives_id: true,
            lists_started: true,
            list_cap: None,
            list_refuses: false,
            list_ignores_offset: false,
            max_size: 5 << 30,
            seed: 1,
        }
    }
}

/// All that the model remembers.
#[derive(Clone, Debug)]
pub struct State {
    /// Settings; they may be changed at any time.
    pub config: Config,
    /// In the order of their making.
    pub(super) records: Vec<Record>,
    pub(super) ids: Ids,
    pub(super) exports: u64,
    recent: VecDeque<u64>,
}

impl State {
    /// No uploads.
    pub fn new(config: Config) -> Self {
        State { ids: Ids::new(config.seed), config, records: Vec::new(), exports: 0, recent: VecDeque::new() }
    }

    /// The key, in the bucket, of an upload's object; `id` is a media id or a record's id.
    /// The bytes are in the store: the vendor never sees them.
    pub fn object_key(&self, id: &str) -> Option<&str> {
        let mut records = self.records.iter();
        let found = records.find(|r| r.id == id || r.media_id() == Some(id))?;
        Some(&found.key)
    }

    /// How many entries the vault has got by `now`. An object that was exported twice is in it twice.
    pub fn vault_entries(&self, now: u64) -> usize {
        let statuses = self.records.iter().map(|record| record.status(now).0);
        statuses.filter(|status| *status == "exported").count()
    }

    /// How many exports were accepted: each is, or will be, a vault entry of its own.
    pub fn exports(&self) -> usize {
        self.exports as usize
    }

    /// The key of every export that was accepted; that of an object that was exported twice is there twice.
    pub fn exported_keys(&self) -> Vec<&str> {
        self.records.iter().filter(|record| record.export.is_some()).map(|record| record.key.as_str()).collect()
    }

    /// The ids of all records, in the order of their making.
    pub fn record_ids(&self) -> Vec<&str> {
        self.records.iter().map(|record| record.id.as_str()).collect()
    }

    /// How many uploads were started.
    pub fn uploads_started(&self) -> usize {
        self.records.iter().filter(|r| !r.second_export).count()
    }

    /// The status of a record, and its media id where it has one.
    pub fn status(&self, record_id: &str, now: u64) -> Option<(&'static str, Option<&str>)> {
        let record = self.records.iter().find(|record| record.id == record_id)?;
        let status = record.status(now).0;
        let media_id = record.media_id().filter(|_| status == "exported");
        Some((status, media_id))
    }

    /// Counts a request, unless the sliding second before `now` is full. Refused ones don't count (assumed).
    pub(super) fn spend(&mut self, now: u64) -> bool {
        let over = |at: &u64| at.saturating_add(1_000) <= now;
        while self.recent.front().is_some_and(over) {
            self.recent.pop_front();
        }
        let allowed = self.recent.len() < self.config.requests_per_second;
        if allowed {
            self.recent.push_back(now);
        }
        allowed
    }
}
