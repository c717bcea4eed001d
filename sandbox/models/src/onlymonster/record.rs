//! The record of an upload.

use serde_json::{Value, json};

use super::pipeline::Pipeline;
use crate::clock::iso8601;

/// An upload, since its `/start`.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) id: String,
    pub(super) account: String,
    pub(super) key: String,
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) content_type: String,
    pub(super) multipart: Option<Multipart>,
    pub(super) get_url: String,
    pub(super) urls_expire: u64,
    pub(super) created: u64,
    pub(super) e_tag: Option<String>,
    pub(super) finished: Option<u64>,
    pub(super) export: Option<Export>,
    /// Whether the record was added by another `/export` of a key that was exported before.
    pub(super) second_export: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Multipart {
    pub(super) upload_id: String,
    pub(super) part_ids: Vec<u32>,
}

#[derive(Clone, Debug)]
pub(super) struct Export {
    pub(super) media_id: String,
    pub(super) kind: String,
    pub(super) fan_id: Option<String>,
    pub(super) tags: [Value; 3],
    pub(super) duration: Value,
    pub(super) pipeline: Pipeline,
}

impl Record {
    /// The status, and when it began. The guide names no status before the export (assumed: `started`).
    pub(super) fn status(&self, now: u64) -> (&'static str, u64) {
        match &self.export {
            Some(export) => export.pipeline.status(now),
            None => ("started", self.finished.unwrap_or(self.created)),
        }
    }

    pub(super) fn media_id(&self) -> Option<&str> {
        self.export.as_ref().map(|export| export.media_id.as_str())
    }

    /// Whether its URLs expired before `/export`.
    pub(super) fn expired(&self, now: u64) -> bool {
        self.export.is_none() && now >= self.urls_expire
    }

    pub(super) fn to_json(&self, now: u64) -> Value {
        let (status, since) = self.status(now);
        let export = self.export.as_ref();
        let tag = |index: usize| export.map_or(json!([]), |export| export.tags[index].clone());
        json!({
            "id": self.id,
            "status": status,
            "media_id": self.media_id().filter(|_| status == "exported"),
            "metadata": {
                "name": self.name,
                "size": self.size,
                "content_type": self.content_type,
                "duration": export.map_or(Value::Null, |export| export.duration.clone()),
                "key": self.key,
                "e_tag": self.e_tag,
                "get_url": self.get_url,
                "export_type": export.map(|export| &export.kind),
                "export_fan_id": export.and_then(|export| export.fan_id.as_ref()),
                "rf_guest": tag(0),
                "rf_partner": tag(1),
                "rf_tag": tag(2),
            },
            "created_at": iso8601(self.created),
            "updated_at": iso8601(since),
        })
    }
}
