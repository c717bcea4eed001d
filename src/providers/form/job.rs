//! The polls of a job at a server that has the file.

use crate::context::Context;
use crate::context::calls::Idempotency;
use crate::error::{Code, Result, Retry, Step, UploadError, Vendor};
use crate::http::{Method, Response};
use crate::json::decoded;
use crate::platform::{ApiRequestOf, Platform};
use crate::providers::shared::api::Api;
use crate::providers::shared::poll::Poll;

/// From 2 seconds doubling to 30; 15 minutes in all. (Choices: apifansly's documentation gives no cadence, and prices a standard request
/// at a credit without saying whether a poll is one.)
const FIRST_MS: u64 = 2_000;
const CAP_MS: u64 = 30_000;
const TIMEOUT_MS: u64 = 15 * 60_000;

decoded! {
    /// How a job is polled, where the options say so.
    #[derive(Debug)]
    pub(crate) struct Cadence {
        /// Milliseconds before the first poll.
        first_ms: Option<u64> = "pollIntervalMs",
        /// Milliseconds in all.
        timeout_ms: Option<u64> = "pollTimeoutMs",
    }
}

/// The polls of one job.
pub(crate) struct Job<'a> {
    api: &'a Api,
    url: String,
    poll: Poll,
}

impl<'a> Job<'a> {
    /// A job whose status is at `url`.
    pub(crate) fn new<P: Platform>(cx: &Context<P>, api: &'a Api, url: String, cadence: &Cadence) -> Self {
        let first_ms = cadence.first_ms.unwrap_or(FIRST_MS);
        let poll = Poll::new(cx, first_ms, CAP_MS.max(first_ms), cadence.timeout_ms.unwrap_or(TIMEOUT_MS));
        Self { api, url, poll }
    }

    /// Waits until the next poll is due, or the application passes a notice, and polls.
    ///
    /// # Errors
    /// `processing-timeout`, and what no later poll would mend. The server has the file, so a status that can't be read for a while
    /// doesn't end the upload.
    pub(crate) async fn next<P: Platform>(&mut self, cx: &Context<P>) -> Result<Response> {
        loop {
            self.poll.next(cx).await?;
            let request: ApiRequestOf<P> = self.api.request_to(Step::Status, Method::Get, self.url.clone());
            match self.api.call(cx, request, Idempotency::Safe).await {
                Err(error) if matches!(error.retry, Retry::Later(_)) => {}
                answer => return answer,
            }
        }
    }
}

/// The error for a job that failed at `who`, with its words.
pub(crate) fn failed(who: &str, words: Vendor) -> UploadError {
    let what = text!("{} failed to process the file.", who);
    let what = match &words.message {
        Some(message) => text!("{} It says: {}", what, message),
        None => what,
    };
    UploadError::new(Code::ProcessingFailed, what).at(Step::Status).vendor(words)
}
