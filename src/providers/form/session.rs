//! What a later page needs to know of an upload by a form.

use std::cell::OnceCell;

use crate::json::{Decode, Json};
use crate::model::session::SessionState;

/// The state of an upload by a form: the job that the form became, once the server has named it.
#[derive(Clone, Debug, Default)]
pub(crate) struct FormSession {
    /// What the server calls the job: its id, or its address.
    pub(crate) job: OnceCell<String>,
}

impl<J: Json> SessionState<J> for FormSession {
    fn save(&self, record: J) -> J {
        record.with_strings(&[("recordId", self.job.get().map(String::as_str))])
    }

    fn load(record: &J) -> Option<Self> {
        let job: Option<String> = Decode::decode(record.member("recordId").as_ref()).ok()?;
        Some(Self { job: job.map(OnceCell::from).unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn the_job_is_saved_and_loaded() {
        let session = FormSession::default();
        assert_eq!(session.save(json!({ "version": 1 })), json!({ "version": 1 }));
        session.job.set("7".into()).unwrap();
        let saved = session.save(json!({}));
        assert_eq!(saved, json!({ "recordId": "7" }));
        let load = |record: &Value| FormSession::load(record).map(|session| session.job.into_inner());
        assert_eq!(load(&saved), Some(Some("7".into())));
        assert_eq!(load(&json!({ "recordId": null })), Some(None));
        assert_eq!(load(&json!({ "recordId": 7 })), None);
    }
}
