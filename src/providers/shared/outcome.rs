//! What the application, or its server, says of the stored file.

use crate::json::{Decode, IdText, Json};
use crate::model::events::Outcome;

/// Merges members that `source` gave with what was known before. One of another type is reported and ignored, since the file is stored by
/// now.
pub(crate) fn merged<J: Json>(json: &J, known: Outcome<J>, source: &str, warn: &dyn Fn(&str)) -> Outcome<J> {
    let text = |name| member::<J, String>(json, name, source, warn);
    let id = |name| member::<J, IdText>(json, name, source, warn).map(|id| id.0);
    Outcome {
        media_upload_id: id("mediaUploadId").or(known.media_upload_id),
        media_id: id("mediaId").or(known.media_id),
        media_item: id("mediaItem").or(known.media_item),
        reusable: member(json, "reusable", source, warn).or(known.reusable),
        media: json.member("media").or(known.media),
        links_expire_at: text("linksExpireAt").or(known.links_expire_at),
        etag: text("etag").or(known.etag),
        key: text("key").or(known.key),
        location: text("location").or(known.location),
        ..known
    }
}

/// One member; None where there is none, and for one of another type, which is reported.
pub(crate) fn member<J: Json, T: Decode<J>>(json: &J, name: &str, source: &str, warn: &dyn Fn(&str)) -> Option<T> {
    let value = json.member(name)?;
    match T::decode(Some(&value)) {
        Ok(member) => Some(member),
        Err(mismatch) => {
            warn(&text!("A member of {} is ignored: {}.", source, mismatch.within(name).message()));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::cell::RefCell;

    fn known() -> Outcome<Value> {
        Outcome { key: Some("key".into()), etag: Some("\"etag\"".into()), ..Outcome::default() }
    }

    #[test]
    fn what_is_said_is_in_place_of_what_was_known() {
        let json = json!({ "mediaId": 7, "key": "other", "reusable": true, "media": { "a": 1 } });
        let outcome = merged(&json, known(), "it", &|message| panic!("{message}"));
        assert_eq!((outcome.media_id.as_deref(), outcome.key.as_deref()), (Some("7"), Some("other")));
        assert_eq!((outcome.etag.as_deref(), outcome.reusable), (Some("\"etag\""), Some(true)));
        assert_eq!(outcome.media, Some(json!({ "a": 1 })));
    }

    #[test]
    fn nothing_that_is_said_changes_nothing() {
        for json in [json!(null), json!("done"), json!([1])] {
            let outcome = merged(&json, known(), "it", &|message| panic!("{message}"));
            assert_eq!((outcome.key, outcome.etag, outcome.media), (known().key, known().etag, None), "{json}");
        }
    }

    #[test]
    fn what_was_known_by_other_members_stays() {
        let media = Some(json!({ "a": 1 }));
        let known = Outcome { media_id: Some("7".into()), media: media.clone(), ..known() };
        let outcome = merged(&json!({ "reusable": false }), known, "it", &|message| panic!("{message}"));
        assert_eq!((outcome.media_id.as_deref(), outcome.media, outcome.reusable), (Some("7"), media, Some(false)));
    }

    #[test]
    fn a_member_of_another_type_is_reported_without_its_value() {
        let warnings = RefCell::new(Vec::new());
        let json = json!({ "key": { "secret": 1 }, "reusable": "secret", "location": "https://s3.example/key" });
        let warn = |message: &str| warnings.borrow_mut().push(message.to_owned());
        let outcome = merged(&json, known(), "what `complete` returned", &warn);
        assert_eq!((outcome.key.as_deref(), outcome.reusable), (Some("key"), None));
        assert_eq!(outcome.location.as_deref(), Some("https://s3.example/key"));
        let warnings = warnings.into_inner();
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        let expected = "A member of what `complete` returned is ignored: `key` must be a string, but is an object.";
        assert!(warnings.iter().any(|text| text == expected), "{warnings:?}");
        assert!(!warnings.iter().any(|text| text.contains("secret")), "{warnings:?}");
    }
}
