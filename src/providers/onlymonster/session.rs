//! The state of an upload that was started.

use std::cell::RefCell;

use crate::json::{Json, decode, decoded};
use crate::model::session::SessionState;

/// An upload that `/start` opened.
#[derive(Clone, Debug)]
pub struct OnlymonsterSession {
    /// The object's key in the store.
    pub(super) key: String,
    /// The presigned URL that export sends back, exactly as start returned it.
    pub(super) get_url: String,
    /// The store's id of a multipart upload; None for a single PUT.
    pub(super) upload_id: Option<String>,
    record_id: RefCell<Option<String>>,
    etag: RefCell<Option<String>>,
}

impl OnlymonsterSession {
    /// A session as start's reply describes it.
    pub(super) fn new(key: String, get_url: String, upload_id: Option<String>, record_id: Option<String>) -> Self {
        Self { key, get_url, upload_id, record_id: RefCell::new(record_id), etag: RefCell::default() }
    }

    /// The id of the upload's record, once it is known.
    pub(super) fn record_id(&self) -> Option<String> {
        self.record_id.borrow().clone()
    }

    /// The stored object's ETag, once it is known.
    pub(super) fn etag(&self) -> Option<String> {
        self.etag.borrow().clone()
    }

    /// Stores the ETag of the exported object, and the id of its record.
    pub(super) fn set_exported(&self, record_id: String, etag: Option<String>) {
        self.record_id.replace(Some(record_id));
        self.etag.replace(etag);
    }
}

decoded! {
    struct Record {
        key: String = "key",
        get_url: String = "getUrl",
        upload_id: Option<String> = "uploadId",
        record_id: Option<String> = "recordId",
        etag: Option<String> = "etag",
    }
}

impl<J: Json> SessionState<J> for OnlymonsterSession {
    fn save(&self, record: J) -> J {
        let (record_id, etag) = (self.record_id.borrow(), self.etag.borrow());
        record.with_strings(&[
            ("key", Some(&self.key)),
            ("getUrl", Some(&self.get_url)),
            ("uploadId", self.upload_id.as_deref()),
            ("recordId", record_id.as_deref()),
            ("etag", etag.as_deref()),
        ])
    }

    fn load(record: &J) -> Option<Self> {
        let Record { key, get_url, upload_id, record_id, etag } = decode(record).ok()?;
        Some(Self { key, get_url, upload_id, record_id: RefCell::new(record_id), etag: RefCell::new(etag) })
    }

    fn object_key(&self) -> Option<&str> {
        Some(&self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn load(record: &Value) -> Option<OnlymonsterSession> {
        SessionState::load(record)
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let session = OnlymonsterSession::new("k".into(), "https://a.example/".into(), Some("u".into()), None);
        let saved = session.save(json!({ "version": 1 }));
        assert_eq!(saved, json!({ "version": 1, "key": "k", "getUrl": "https://a.example/", "uploadId": "u" }));
        session.set_exported("7".into(), Some("\"e\"".into()));
        let loaded = load(&session.save(json!({}))).unwrap();
        assert_eq!((loaded.key.as_str(), loaded.get_url.as_str()), ("k", "https://a.example/"));
        assert_eq!(
            (loaded.upload_id, loaded.record_id.take(), loaded.etag.take()),
            (Some("u".into()), Some("7".into()), Some("\"e\"".into()))
        );
    }

    #[test]
    fn a_record_without_its_identifiers_is_no_session() {
        let whole = json!({ "key": "k", "getUrl": "g", "uploadId": null, "recordId": null, "etag": null });
        assert!(load(&whole).is_some());
        for (name, value) in
            [("key", json!(null)), ("getUrl", json!(null)), ("uploadId", json!(5)), ("recordId", json!(5))]
        {
            assert!(load(&whole.clone().with(name, value)).is_none(), "{name}");
        }
    }
}
