//! Statuses that the application learns elsewhere, for example from a vendor's webhook.

use crate::json::{Decode, FirstMismatch, IdText, Json, Object};

/// A status of an upload that the application learned elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Notice {
    /// The status, as the vendor names it.
    pub status: String,
    /// The media id, if it is known.
    pub media_id: Option<IdText>,
    /// The upload that it is about, in a webhook's payload.
    pub media_upload_id: Option<IdText>,
    /// The upload that it is about, in a record of the list.
    pub id: Option<IdText>,
}

/// Decodes a webhook's payload, everything that the webhook sent (Onlymonster, "Webhooks": `{type, payload}`), or a record of the list.
impl<J: Json> Decode<J> for Notice {
    fn read(json: Option<&J>, mismatch: &mut FirstMismatch) -> Self {
        let payload = json.and_then(|json| json.member("payload"));
        let mut object = Object::of(payload.as_ref().or(json), mismatch);
        Self {
            status: object.field("status"),
            media_id: object.field("media_id"),
            media_upload_id: object.field("media_upload_id"),
            id: object.field("id"),
        }
    }
}
