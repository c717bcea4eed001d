//! The state of an upload session, and its members in a saved record.

use crate::json::{Json, decode, decoded};
use crate::model::session::SessionState;

/// An upload session at OFAuth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfauthSession {
    /// OFAuth's `mediaUploadId`.
    pub upload_id: String,
    /// The URL that completes an upload in several parts; a single part completes by itself.
    pub complete_url: Option<String>,
}

decoded! {
    struct Record {
        upload_id: String = "uploadId",
        complete_url: Option<String> = "completeUrl",
    }
}

impl<J: Json> SessionState<J> for OfauthSession {
    fn save(&self, record: J) -> J {
        record.with_strings(&[("uploadId", Some(&self.upload_id)), ("completeUrl", self.complete_url.as_deref())])
    }

    fn load(record: &J) -> Option<Self> {
        let Record { upload_id, complete_url } = decode(record).ok()?;
        Some(Self { upload_id, complete_url })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_saved_is_loaded() {
        for complete_url in [None, Some("https://proxy.example/complete".into())] {
            let session = OfauthSession { upload_id: "upload:1".into(), complete_url };
            let record = session.save(json!({ "version": 1 }));
            assert_eq!(record["version"], 1);
            assert_eq!(OfauthSession::load(&record), Some(session));
        }
    }

    #[test]
    fn a_record_without_an_upload_id_is_incomplete() {
        for record in [json!({}), json!({ "uploadId": null }), json!({ "uploadId": 5 }), json!([])] {
            assert_eq!(OfauthSession::load(&record), None, "{record}");
        }
    }
}
