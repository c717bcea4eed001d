//! The media object of a completed upload.

use serde_json::{Value, json};

use super::config::Config;
use super::session::Session;
use crate::clock::iso8601;

/// The media object of a completed upload, if the settings want one: with all fields of the reference (OFAuth API
/// reference, "Upload single-part media and finalize"), or with those of the guide's sample.
pub(super) fn of(session: &Session, config: &Config) -> Option<Value> {
    let done = session.done.as_ref()?;
    if !config.media {
        return None;
    }
    let kind = match session.content_type.split('/').next() {
        Some("image") => "photo",
        Some("audio") => "audio",
        _ => "video",
    };
    let id = done.media_id;
    if !config.whole_media {
        return Some(json!({ "id": id, "type": kind, "files": {} }));
    }
    let url = |name: &str| format!("https://cdn.vault.test/files/{id}/{name}");
    Some(json!({
        "id": id,
        "type": kind,
        "convertedToVideo": false,
        "canView": true,
        "hasError": false,
        "createdAt": iso8601(session.created),
        "isReady": kind == "photo",
        "releaseForms": [],
        "duration": 0,
        "hasCustomPreview": false,
        "videoSources": { "240": null, "720": null },
        "files": {
            "full": { "url": url("full"), "sources": [], "width": 0, "height": 0, "size": session.size },
            "thumb": { "url": url("thumb"), "width": 0, "height": 0, "size": 0 },
            "preview": { "url": url("preview"), "options": [], "width": 0, "height": 0, "size": 0 },
            "squarePreview": { "url": url("square"), "width": 0, "height": 0, "size": 0 }
        }
    }))
}
