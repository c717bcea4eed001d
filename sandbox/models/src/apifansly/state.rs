//! What the model remembers.

use super::config::Config;
use super::form::File;
use super::job::Job;
use crate::content::Content;

/// The state of the model.
#[derive(Clone, Debug)]
pub struct State {
    /// The settings; they may change at any time.
    pub config: Config,
    jobs: Vec<Job>,
    window: u64,
    spent: u64,
}

impl State {
    /// A state without jobs.
    pub fn new(config: Config) -> Self {
        State { config, jobs: Vec::new(), window: 0, spent: 0 }
    }

    /// The file behind a media id, even while its job runs.
    pub fn contents(&self, media_id: &str) -> Option<Vec<Content>> {
        let job = self.jobs.iter().find(|job| job.media_id == media_id)?;
        Some(vec![job.file.content.clone()])
    }

    /// The files of all accepted uploads, in their order.
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

    /// Counts a request. Gives the requests that are left in this minute, or the seconds to wait (assumed: minutes of the clock).
    pub(super) fn count_request(&mut self, now: u64) -> Result<u64, u64> {
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
