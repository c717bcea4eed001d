use serde::{Deserialize, Serialize};

use super::form::File;
use super::job::{End, FailureText, Job};
use crate::content::Content;

/// Settings of the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Config {
    /// The one key that is let in.
    pub api_key: String,
    /// The connected accounts.
    pub accounts: Vec<String>,
    /// From upload to the end, in ms.
    pub processing_ms: u64,
    /// How new jobs end.
    pub end: End,
    /// Where a failed job says why (assumed).
    pub failure_text: FailureText,
    /// Requests a minute for the key (600 or 1,000, by plan).
    pub rate_per_minute: u64,
    /// The first job's id is one above it, and media ids follow it.
    pub seed: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            api_key: "apifansly-key".to_string(),
            accounts: vec!["2002".to_string()],
            processing_ms: 3_000,
            end: End::Completed,
            failure_text: FailureText::Error,
            rate_per_minute: 600,
            seed: 6,
        }
    }
}

/// All that the model remembers.
#[derive(Clone, Debug)]
pub struct State {
    /// Settings; they may be changed at any time.
    pub config: Config,
    jobs: Vec<Job>,
    window: u64,
    spent: u64,
}

impl State {
    /// No jobs.
    pub fn new(config: Config) -> Self {
        State { config, jobs: Vec::new(), window: 0, spent: 0 }
    }

    /// The file behind a media id, also while its job runs.
    pub fn contents(&self, media_id: &str) -> Option<Vec<Content>> {
        let job = self.jobs.iter().find(|job| job.media_id == media_id)?;
        Some(vec![job.file.content.clone()])
    }

    /// The file of every upload that was accepted, in the order in which they came.
    pub fn entries(&self) -> Vec<&Content> {
        self.jobs.iter().map(|job| &job.file.content).collect()
    }

    /// How many uploads were accepted, each of which may cost money.
    pub fn uploads_accepted(&self) -> usize {
        self.jobs.len()
    }

    /// The `formInputs` of the upload behind a media id.
    pub fn form_inputs(&self, media_id: &str) -> Option<&[(f64, String)]> {
        let job = self.jobs.iter().find(|job| job.media_id == media_id)?;
        Some(&job.file.form_inputs)
    }

    pub(super) fn job(&self, id: &str) -> Option<&Job> {
        self.jobs.iter().find(|job| job.id == id)
    }

    pub(super) fn queue(&mut self, account: &str, file: File, now: u64) -> &Job {
        let number = self.config.seed + self.jobs.len() as u64 + 1;
        self.jobs.push(Job::new(number, account, file, &self.config, now));
        &self.jobs[self.jobs.len() - 1]
    }

    /// Counts a request in its minute: what is left, or how many seconds to wait. That minutes are the clock's is assumed.
    pub(super) fn spend(&mut self, now: u64) -> Result<u64, u64> {
        let window = now / 60_000;
        if window != self.window {
            (self.window, self.spent) = (window, 0);
        }
        if self.spent >= self.config.rate_per_minute {
            return Err(((window + 1) * 60_000 - now).div_ceil(1_000));
        }
        self.spent += 1;
        Ok(self.config.rate_per_minute - self.spent)
    }
}
