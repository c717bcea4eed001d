//! The state of an upload to a store.

use crate::json::{Decode, Json};
use crate::model::session::SessionState;

/// An upload that was opened at a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Session {
    /// The object's key.
    pub key: String,
    /// The id that CreateMultipartUpload returned; None for an upload by a single PutObject.
    pub upload_id: Option<String>,
}

impl<J: Json> SessionState<J> for S3Session {
    fn save(&self, record: J) -> J {
        record.with_strings(&[("key", Some(&self.key)), ("uploadId", self.upload_id.as_deref())])
    }

    fn load(record: &J) -> Option<Self> {
        let member = |name| Option::<String>::decode(record.member(name).as_ref()).ok();
        let key = member("key")??;
        let upload_id = member("uploadId")?;
        let empty = key.is_empty() || upload_id.as_ref().is_some_and(String::is_empty);
        (!empty).then_some(Self { key, upload_id })
    }

    fn object_key(&self) -> Option<&str> {
        Some(&self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_saved_is_loaded() {
        for upload_id in [None, Some("id".to_string())] {
            let session = S3Session { key: "a/b.mp4".into(), upload_id };
            let record = session.save(json!({ "version": 1 }));
            assert_eq!(record["version"], 1);
            assert_eq!(S3Session::load(&record), Some(session));
        }
        let record = json!({ "key": "k", "uploadId": null, "recordId": null });
        assert_eq!(S3Session::load(&record), Some(S3Session { key: "k".into(), upload_id: None }));
    }

    #[test]
    fn an_incomplete_record_is_no_session() {
        for record in [
            json!({}),
            json!({ "uploadId": "id" }),
            json!({ "key": null, "uploadId": "id" }),
            json!({ "key": 7 }),
            json!({ "key": "", "uploadId": "id" }),
            json!({ "key": "k", "uploadId": "" }),
            json!({ "key": "k", "uploadId": 7 }),
        ] {
            assert_eq!(S3Session::load(&record), None, "{record}");
        }
    }
}
