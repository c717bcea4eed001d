//! Steps 7 and 8 of the guide: polling the record's status to its end, and `POST /{upload_id}/retry` if it is stuck. What each status
//! means is in [`record`](super::record).

use super::client::Client;
use super::list::UploadList;
use super::options::Options;
use super::record::{Exported, Record};
use crate::context::Context;
use crate::context::calls::Idempotency;
use crate::error::{Result, Retry, Step};
use crate::http::{Body, encode_segment};
use crate::json::IdText;
use crate::platform::Platform;
use crate::providers::shared::poll::Poll;

/// The guide, "Polling cadence": from 2 seconds, doubling to 30.
const POLL_FIRST_MS: u64 = 2_000;
const POLL_CAP_MS: u64 = 30_000;
/// The guide: "Retry is accepted only when status is uploaded or processed."
const RETRYABLE_STATES: [&str; 2] = ["uploaded", "processed"];

/// Waits until the file is in the vault.
pub(super) async fn wait_until_exported<P: Platform>(
    client: &Client,
    list: &UploadList,
    cx: &Context<P>,
    options: &Options,
    record_id: String,
) -> Result<Exported> {
    let mut record = Record { id: IdText(record_id), status: None, media_id: None, metadata: None };
    let mut poll = Poll::new(cx, POLL_FIRST_MS, POLL_CAP_MS, options.poll_timeout_ms);
    let mut stuck = StuckStates::new(cx.platform.now(), options.stuck_after_ms);
    loop {
        if let Some(exported) = record.judge()? {
            return Ok(exported);
        }
        if stuck.needs_retry(record.status.as_deref(), cx.platform.now()) {
            retry(client, cx, &record.id).await;
        }
        let before = record.status.clone();
        match poll.next(cx).await? {
            Some(notice) if !record.is_meant_by(&notice) => continue,
            Some(notice) if notice.status != "exported" || notice.media_id.is_some() => {
                record.status = Some(notice.status);
                record.media_id = notice.media_id;
            }
            _ => match list.find(client, cx, &|other| other.id == record.id).await {
                Ok(Some(found)) => record = found,
                Ok(None) => (),
                // The export was accepted: a list that can't be read for a while doesn't end the upload.
                Err(error) if matches!(error.retry, Retry::Later(_)) => (),
                Err(error) => return Err(error),
            },
        }
        if record.status != before {
            stuck.changed(cx.platform.now());
        }
    }
}

/// Requests another run of the export pipeline.
async fn retry<P: Platform>(client: &Client, cx: &Context<P>, record_id: &IdText) {
    let path = text!("/{}/retry", encode_segment(&record_id.0));
    let request = client.post(Step::Retry, &path, Body::Empty);
    // A refusal says that the status has changed, which the next poll shows.
    let _ = client.call(cx, request, Idempotency::Safe).await;
}

/// Finds states that last too long. Each is retried once.
struct StuckStates {
    since: u64,
    stuck_after_ms: u64,
    retried: [bool; RETRYABLE_STATES.len()],
}

impl StuckStates {
    fn new(now: u64, stuck_after_ms: u64) -> Self {
        Self { since: now, stuck_after_ms, retried: [false; RETRYABLE_STATES.len()] }
    }

    /// Notes a status that differs from the one before.
    fn changed(&mut self, now: u64) {
        self.since = now;
    }

    /// Whether the record is stuck in that status, and its one retry is due.
    fn needs_retry(&mut self, status: Option<&str>, now: u64) -> bool {
        let Some(state) = RETRYABLE_STATES.iter().position(|state| status == Some(state)) else { return false };
        let due = now.saturating_sub(self.since) >= self.stuck_after_ms;
        due && !std::mem::replace(&mut self.retried[state], true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_that_may_be_stuck_is_retried_once() {
        let mut stuck = StuckStates::new(1_000, 500);
        assert!(!stuck.needs_retry(Some("uploaded"), 1_499));
        assert!(stuck.needs_retry(Some("uploaded"), 1_500));
        assert!(!stuck.needs_retry(Some("uploaded"), 9_000));
        assert!(!stuck.needs_retry(Some("processing"), 9_000));
        assert!(!stuck.needs_retry(None, 9_000));
        stuck.changed(9_000);
        assert!(!stuck.needs_retry(Some("processed"), 9_499));
        assert!(stuck.needs_retry(Some("processed"), 9_500));
        stuck.changed(9_500);
        assert!(!stuck.needs_retry(Some("uploaded"), 20_000));
    }
}
