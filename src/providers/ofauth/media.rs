//! The media that OFAuth made of a file.

use crate::json::{IdText, Json, decode, decoded};
use crate::model::events::Outcome;

decoded! {
    /// Only these members can be relied on: the vendor's own sample lacks others that its schema requires.
    struct Media {
        id: IdText = "id",
    }
}

/// The result in a reply: the upload's reference, which can be used once, and the media, if there is one, which can be used again.
pub(super) fn outcome<J: Json>(upload_id: Option<String>, reply: Option<&J>) -> Outcome<J> {
    let media = reply.and_then(|reply| reply.member("media"));
    let media_id = media.as_ref().and_then(|media| decode::<_, Media>(media).ok()).map(|media| media.id.0);
    Outcome {
        reusable: Some(media_id.is_some()),
        media_item: media_id.as_ref().or(upload_id.as_ref()).cloned(),
        media_upload_id: upload_id,
        media_id,
        media,
        ..Outcome::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn the_media_id_is_preferred_to_the_reference() {
        // OFAuth's guide, "Single-part PUT response".
        let reply = json!({ "mediaUploadId": "upload:1", "media": { "id": 12345, "type": "photo", "files": {} } });
        let outcome = outcome(Some("upload:1".into()), Some(&reply));
        assert_eq!((outcome.media_id.as_deref(), outcome.media_item.as_deref()), (Some("12345"), Some("12345")));
        assert_eq!((outcome.media_upload_id.as_deref(), outcome.reusable), (Some("upload:1"), Some(true)));
        assert_eq!(outcome.media, Some(reply["media"].clone()));
    }

    #[test]
    fn without_media_the_reference_is_the_item() {
        for reply in [None, Some(json!({})), Some(json!({ "media": { "id": {} } }))] {
            let outcome = outcome::<Value>(Some("upload:1".into()), reply.as_ref());
            assert_eq!((outcome.media_item.as_deref(), outcome.reusable), (Some("upload:1"), Some(false)), "{reply:?}");
            assert_eq!(outcome.media_id, None);
        }
    }
}
