//! A job: the processing of one file.

use serde_json::{Value, json};

use super::config::{Config, End, FailureText};
use super::form::File;

/// How long the links of a result are valid (documentation, "Upload Media": 5 hours).
const LINKS_HOLD_MS: u64 = 5 * 3_600_000;
/// Ids have 18 digits, as in the documentation's sample: more than a JavaScript number can represent.
const MEDIA_IDS: u64 = 874_740_000_000_000_000;
const ACCOUNT_MEDIA_IDS: u64 = 875_500_000_000_000_000;

/// The processing of one file. Its state depends on the time alone: a quarter of it is `waiting`, the rest `active` (assumed).
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) id: String,
    pub(super) bucket_name: String,
    pub(super) media_id: String,
    pub(super) file: File,
    account_media_id: String,
    account: String,
    queued: u64,
    takes_ms: u64,
    end: End,
    failure_text: FailureText,
}

impl Job {
    pub(super) fn new(number: u64, account: &str, file: File, config: &Config, now: u64) -> Self {
        let spread = number * 7_919 + 1;
        Job {
            id: number.to_string(),
            bucket_name: (ACCOUNT_MEDIA_IDS + spread).to_string(),
            media_id: (MEDIA_IDS + spread).to_string(),
            account_media_id: (ACCOUNT_MEDIA_IDS + spread + 1).to_string(),
            file,
            account: account.to_string(),
            queued: now,
            takes_ms: config.processing_ms,
            end: config.end,
            failure_text: config.failure_text,
        }
    }

    fn state(&self, now: u64) -> (&'static str, u64) {
        let passed = now.saturating_sub(self.queued);
        let waits = self.takes_ms / 4;
        if passed >= self.takes_ms {
            match self.end {
                End::Completed => ("completed", 100),
                End::Failed => ("failed", 99),
                End::Error => ("error", 99),
            }
        } else if passed < waits {
            ("waiting", 0)
        } else {
            ("active", (passed - waits) * 100 / (self.takes_ms - waits))
        }
    }

    /// The outer message and `data`. `data.success` only says that the status was read.
    pub(super) fn report(&self, now: u64) -> (String, Value) {
        let (state, progress) = self.state(now);
        let mut message = "Success".to_string();
        let mut data = json!({
            "success": true,
            "jobId": self.id,
            "state": state,
            "progress": progress,
        });
        match state {
            "completed" => data["result"] = self.result(),
            "failed" | "error" => {
                let why = "The media could not be processed";
                match self.failure_text {
                    FailureText::Error => data["error"] = json!(why),
                    FailureText::Message => data["message"] = json!(why),
                    FailureText::Outer => message = why.to_string(),
                }
            }
            _ => {}
        }
        (message, data)
    }

    fn result(&self) -> Value {
        let done = self.queued + self.takes_ms;
        let kind = if self.file.mimetype.starts_with("image/") { 1 } else { 2 };
        let extension = self.file.name.rsplit_once('.').map_or("bin", |(_, end)| end);
        let path = format!("/{}/{}.{extension}", self.account, self.media_id);
        let expires = (done + LINKS_HOLD_MS) / 1_000;
        let link = format!("https://cdn3.fansly.com{path}?Expires={expires}&Signature=sandbox");
        let locations = json!([{ "locationId": "1", "location": link }]);
        json!({
            "success": true,
            "bucketName": self.bucket_name,
            "mediaId": self.media_id,
            "accountMedia": [{
                "id": self.account_media_id,
                "mediaId": self.media_id,
                "accountId": self.account,
                "media": {
                    "id": self.media_id,
                    "type": kind,
                    "mimetype": self.file.mimetype,
                    "filename": self.file.name,
                    "location": path,
                    "width": 0,
                    "height": 0,
                    "createdAt": done / 1_000,
                    "variants": [{
                        "id": self.media_id,
                        "type": kind,
                        "mimetype": self.file.mimetype,
                        "width": 0,
                        "height": 0,
                        "locations": locations,
                    }],
                    "locations": locations,
                },
            }],
        })
    }
}
