//! The state of an upload by a plan, and its members in a saved record.

use std::cell::Cell;

use super::upload_plan::{PartList, PlanPart};
use crate::json::{Json, JsonBuilder, decode, decoded};
use crate::model::session::SessionState;

/// An upload by a plan of the application's.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanSession<J> {
    /// The plan as the application gave it: its functions get it back.
    pub plan_json: J,
    /// The plan's `uploadId`, if its parts are assembled at the end.
    pub upload_id: Option<String>,
    /// The stored object's key.
    pub key: Option<String>,
    /// Whether the parts' URLs are saved: they are secrets, and aren't needed if `sign` can make new ones.
    pub(super) saves_urls: Cell<bool>,
}

impl<J> PlanSession<J> {
    /// The session of a plan. `saves_urls`: whether to save URLs, because no `sign` can make new ones.
    pub(super) fn new(plan_json: J, upload_id: Option<String>, key: Option<String>, saves_urls: bool) -> Self {
        Self { plan_json, upload_id, key, saves_urls: Cell::new(saves_urls) }
    }
}

decoded! {
    struct Record {
        upload_id: Option<String> = "uploadId",
        key: Option<String> = "key",
    }
}

impl<J: Json> SessionState<J> for PlanSession<J> {
    fn save(&self, record: J) -> J {
        let record = record.with_strings(&[("uploadId", self.upload_id.as_deref()), ("key", self.key.as_deref())]);
        let plan_json = if self.saves_urls.get() { self.plan_json.clone() } else { without_urls(&self.plan_json) };
        record.with("given", plan_json)
    }

    fn load(record: &J) -> Option<Self> {
        let Record { upload_id, key } = decode(record).ok()?;
        // Restoring decides whether the URLs that an earlier page saved are needed.
        Some(Self::new(record.member("given")?, upload_id, key, true))
    }

    fn object_key(&self) -> Option<&str> {
        self.key.as_deref()
    }
}

/// A copy of the plan whose parts have no URLs.
fn without_urls<J: Json>(plan_json: &J) -> J {
    let mut copy = J::build(&JsonBuilder::Object(Vec::new()));
    for name in plan_json.names() {
        if name != "parts"
            && let Some(member) = plan_json.member(&name)
        {
            copy = copy.with(&name, member);
        }
    }
    // It was decoded when the upload was opened.
    let mut parts = Vec::new();
    if let Ok(PartList(items)) = decode(plan_json) {
        parts.extend(items.iter().filter_map(|item| Some(PlanPart::of(item).ok()?.without_url())));
    }
    copy.with("parts", J::build(&JsonBuilder::List(parts)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn plan_json() -> Value {
        json!({
            "uploadId": "id", "key": "a/b.mp4", "tenant": { "id": 7 },
            "parts": [
                { "partNumber": 1, "uploadUrl": "https://s3.example/a?X-Amz-Signature=secret", "byteRange": { "start": 0, "end": 4 } },
                { "partNumber": 2, "byteRange": { "start": 5, "end": 9 }, "headers": { "x": "secret" } },
            ],
        })
    }

    fn session(saves_urls: bool) -> PlanSession<Value> {
        PlanSession::new(plan_json(), Some("id".into()), Some("a/b.mp4".into()), saves_urls)
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let record = session(true).save(json!({ "version": 1 }));
        assert_eq!((&record["version"], &record["given"]), (&json!(1), &plan_json()));
        assert_eq!(PlanSession::load(&record), Some(session(true)));
        let bare = PlanSession::new(plan_json(), None, None, true);
        assert_eq!(PlanSession::load(&bare.save(json!({}))), Some(bare));
    }

    #[test]
    fn urls_that_can_be_signed_again_are_not_saved() {
        let record = session(false).save(json!({}));
        assert!(!record.to_string().contains("secret"), "{record}");
        let mut expected = plan_json();
        expected["parts"] = json!([
            { "partNumber": 1, "byteRange": { "start": 0, "end": 4 } },
            { "partNumber": 2, "byteRange": { "start": 5, "end": 9 } },
        ]);
        assert_eq!(record["given"], expected);
        assert_eq!(session(false).plan_json, plan_json(), "the plan itself keeps its URLs");
    }

    #[test]
    fn a_record_without_the_plan_is_incomplete() {
        for record in [json!({}), json!({ "given": null }), json!({ "given": {}, "uploadId": 5 }), json!([])] {
            assert_eq!(PlanSession::load(&record), None, "{record}");
        }
    }
}
