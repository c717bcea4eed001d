//! What the model remembers.

use std::collections::VecDeque;

use super::config::Config;
use super::error::ApiError;
use super::record::Record;
use crate::ids::Ids;

/// The state of the model.
#[derive(Clone, Debug)]
pub struct State {
    /// The settings; they may change at any time.
    pub config: Config,
    /// In the order of their creation.
    pub(super) records: Vec<Record>,
    pub(super) ids: Ids,
    pub(super) exports: u64,
    recent: VecDeque<u64>,
}

impl State {
    /// A state without uploads.
    pub fn new(config: Config) -> Self {
        State { ids: Ids::new(config.seed), config, records: Vec::new(), exports: 0, recent: VecDeque::new() }
    }

    /// The key of an upload's object in the bucket; `id` is a media id or a record's id.
    /// The bytes are in the store: the vendor never sees them.
    pub fn object_key(&self, id: &str) -> Option<&str> {
        let mut records = self.records.iter();
        let found = records.find(|r| r.id == id || r.media_id() == Some(id))?;
        Some(&found.key)
    }

    /// How many entries the vault has at `now`. An object that was exported twice has two.
    pub fn vault_entries(&self, now: u64) -> usize {
        let statuses = self.records.iter().map(|record| record.status(now).0);
        statuses.filter(|status| *status == "exported").count()
    }

    /// How many exports were accepted: each is, or becomes, a vault entry of its own.
    pub fn exports(&self) -> usize {
        self.exports as usize
    }

    /// The keys of all accepted exports; an object that was exported twice is listed twice.
    pub fn exported_keys(&self) -> Vec<&str> {
        self.records.iter().filter(|record| record.export.is_some()).map(|record| record.key.as_str()).collect()
    }

    /// The ids of all records, in the order of their creation.
    pub fn record_ids(&self) -> Vec<&str> {
        self.records.iter().map(|record| record.id.as_str()).collect()
    }

    /// How many uploads were started.
    pub fn uploads_started(&self) -> usize {
        self.records.iter().filter(|r| !r.second_export).count()
    }

    /// The record of an account with this key. If there are several, it is the one of `/start`.
    pub(super) fn record_by_key(&mut self, account: &str, key: &str) -> Result<&mut Record, ApiError> {
        let mut records = self.records.iter_mut();
        let found = records.find(|record| record.account == account && record.key == key);
        found.ok_or_else(|| ApiError::not_found("There is no upload of that key"))
    }

    /// The record of an account with this id.
    pub(super) fn record_by_id(&mut self, account: &str, id: &str) -> Result<&mut Record, ApiError> {
        let mut records = self.records.iter_mut();
        let found = records.find(|record| record.account == account && record.id == id);
        found.ok_or_else(|| ApiError::not_found("There is no such upload"))
    }

    /// The status of a record, and its media id if it has one.
    pub fn status(&self, record_id: &str, now: u64) -> Option<(&'static str, Option<&str>)> {
        let record = self.records.iter().find(|record| record.id == record_id)?;
        let status = record.status(now).0;
        let media_id = record.media_id().filter(|_| status == "exported");
        Some((status, media_id))
    }

    /// Counts a request, unless the second before `now` is full. Refused requests don't count (assumed).
    pub(super) fn count_request(&mut self, now: u64) -> bool {
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
