//! An upload by one form: its plan of a single part, its request, and what a later page needs to know of it.

use std::cell::OnceCell;

use super::api::Api;
use crate::context::Context;
use crate::error::{Code, Result, Step, UploadError};
use crate::http::{Body, Method};
use crate::json::{Decode, Json};
use crate::model::plan::{ByteRange, Part, Plan};
use crate::model::session::{Session, SessionState};
use crate::platform::{ApiRequestOf, BodyOf, Platform};

/// The state of an upload by a form: the job that the form became, once the server has named it.
#[derive(Clone, Debug, Default)]
pub struct FormSession {
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

/// Opens an upload whose only part is the form. Nothing is sent for it.
pub(crate) fn open<P: Platform>(cx: &Context<P>) -> Result<Session<FormSession>> {
    let size = cx.file().size;
    let form = Part { number: 1, range: ByteRange::new(0, size), url: None };
    let plan = Plan::checked(size, vec![form]).map_err(|why| UploadError::new(Code::PlanMismatch, why))?;
    Ok(Session::new(plan, false, FormSession::default()))
}

/// A form: its fields, and the file as its last one.
pub(crate) fn body<P: Platform>(
    cx: &Context<P>,
    part: &Part,
    fields: Vec<(String, String)>,
    file_field: String,
) -> BodyOf<P> {
    let file = cx.file().body(part.range, Some(cx.file().known_type()));
    Body::Form { fields, file_field, file, filename: cx.file().name.clone() }
}

/// The request that sends a form to an API. `once`: it must not arrive twice.
pub(crate) fn request<P: Platform>(
    api: &Api,
    cx: &Context<P>,
    method: Method,
    url: String,
    body: BodyOf<P>,
    once: bool,
) -> ApiRequestOf<P> {
    let mut request: ApiRequestOf<P> = api.request_to(Step::Part, method, url);
    (request.body, request.must_not_repeat) = (body, once);
    api.add_key(cx, &mut request);
    request
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
