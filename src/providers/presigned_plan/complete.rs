//! `complete`: the application completes the upload, and may return an outcome.

use super::session::PlanSession;
use crate::context::Context;
use crate::context::calls::Idempotency;
use crate::error::{Result, Step};
use crate::json::{Decode, IdText, Json, JsonBuilder};
use crate::model::events::Outcome;
use crate::model::session::{Receipt, Session};
use crate::platform::{Hook, Platform};

/// Calls `complete`; the members that it returns override what is known without it.
///
/// # Errors
/// The error that it threw.
pub(super) async fn complete<P: Platform>(
    cx: &Context<P>,
    session: &Session<PlanSession<P::Json>>,
    parts: &[Receipt<P::Json>],
    known: Outcome<P::Json>,
) -> Result<Outcome<P::Json>> {
    let parts = parts
        .iter()
        .map(|part| JsonBuilder::Object(vec![("partNumber", part.number.into()), ("etag", part.etag.as_ref().into())]));
    let parts = P::Json::build(&JsonBuilder::List(parts.collect()));
    let arguments = vec![session.state.plan_json.clone(), parts];
    let json = cx.hook(Hook::Complete, arguments, Step::Complete, Idempotency::Unsafe).await?;
    Ok(outcome(&json, known, |message| cx.platform.warn(message)))
}

/// Merges what `complete` returned with what was known before. A member of another type is reported and ignored,
/// since the file is stored by now.
fn outcome<J: Json>(json: &J, known: Outcome<J>, warn: impl Fn(&str)) -> Outcome<J> {
    let text = |name| member::<J, String>(json, name, &warn);
    let id = |name| member::<J, IdText>(json, name, &warn).map(|id| id.0);
    Outcome {
        media_upload_id: id("mediaUploadId"),
        media_id: id("mediaId"),
        media_item: id("mediaItem"),
        reusable: member(json, "reusable", &warn),
        media: json.member("media"),
        links_expire_at: text("linksExpireAt"),
        etag: text("etag").or(known.etag),
        key: text("key").or(known.key),
        location: text("location").or(known.location),
        checksum: text("checksumCRC64NVME"),
        ..known
    }
}

fn member<J: Json, T: Decode<J>>(json: &J, name: &str, warn: &impl Fn(&str)) -> Option<T> {
    let value = json.member(name)?;
    match T::decode(Some(&value)) {
        Ok(member) => Some(member),
        Err(mismatch) => {
            let mismatch = mismatch.within(name);
            warn(&text!("A member of what `complete` returned is ignored: {}.", mismatch.message()));
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
    fn what_complete_returns_is_in_place_of_what_was_known() {
        let json = json!({ "mediaId": 7, "key": "other", "reusable": true, "media": { "a": 1 } });
        let outcome = outcome(&json, known(), |message| panic!("{message}"));
        assert_eq!((outcome.media_id.as_deref(), outcome.key.as_deref()), (Some("7"), Some("other")));
        assert_eq!((outcome.etag.as_deref(), outcome.reusable), (Some("\"etag\""), Some(true)));
        assert_eq!(outcome.media, Some(json!({ "a": 1 })));
    }

    #[test]
    fn nothing_returned_changes_nothing() {
        for json in [json!(null), json!("done"), json!([1])] {
            let outcome = outcome(&json, known(), |message| panic!("{message}"));
            assert_eq!((outcome.key, outcome.etag, outcome.media), (known().key, known().etag, None), "{json}");
        }
    }

    #[test]
    fn a_member_of_another_type_is_reported_without_its_value() {
        let warnings = RefCell::new(Vec::new());
        let json = json!({ "key": { "secret": 1 }, "reusable": "secret", "location": "https://s3.example/key" });
        let outcome = outcome(&json, known(), |message| warnings.borrow_mut().push(message.to_owned()));
        assert_eq!((outcome.key.as_deref(), outcome.reusable), (Some("key"), None));
        assert_eq!(outcome.location.as_deref(), Some("https://s3.example/key"));
        let warnings = warnings.into_inner();
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert!(warnings.iter().any(|text| text.contains("`key` must be a string, but is an object")), "{warnings:?}");
        assert!(!warnings.concat().contains("secret"), "{warnings:?}");
    }
}
