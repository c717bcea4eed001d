//! apifansly: one form upload, then a job whose status is polled until it is done.
//!
//! Source: apifansly's documentation, "Upload Media" and "Rate limits".

use super::setup::Setup;
use super::shared::api::{Access, Api, Vendor};
use super::shared::errors::outcome_unknown;
use super::shared::form::{self, FormSession};
use super::shared::job::{Cadence, Job};
use super::shared::reply::{self, refusal};
use crate::context::Context;
use crate::error::{Code, Result, Retry, Step, UploadError, Vendor as Words};
use crate::http::{Method, Request, Response, encode_segment};
use crate::json::{IdText, Json, decode, decoded};
use crate::model::events::Outcome;
use crate::model::plan::Part;
use crate::model::session::{Phase, Progressed, Receipt, Session};
use crate::platform::{Platform, RequestOf};
use crate::provider::{Capabilities, Provider};
use crate::util::hex::hex;
use crate::util::text;
use crate::util::time;

const VENDOR: Vendor = Vendor {
    origins: &["https://v1.apifansly.com"],
    api_path: "/api/fansly/",
    key_header: "x-api-key",
    key_option: "apiKey",
};

/// "The signed CDN links ... expire after 5 hours."
const LINKS_MS: u64 = 5 * 3_600_000;

decoded! {
    struct Options {
        base_url: Option<String> = "baseUrl",
        account_id: String = "accountId",
        form_inputs: Option<Vec<FormInput>> = "formInputs",
        poll_timeout_ms: Option<u64> = "pollTimeoutMs",
        poll_interval_ms: Option<u64> = "pollIntervalMs",
        api_key: Option<String> = "apiKey",
        dangerously_expose_secrets: Option<bool> = "dangerouslyExposeSecrets",
    }

    struct FormInput {
        kind: i64 = "type",
        value: String = "value",
    }

    struct UploadReply {
        data: Option<UploadData> = "data",
        message: Option<String> = "message",
    }

    struct UploadData {
        success: Option<bool> = "success",
        job_id: Option<IdText> = "jobId",
        message: Option<String> = "message",
    }

    struct StatusReply {
        data: Option<JobStatus> = "data",
        message: Option<String> = "message",
        timestamp: Option<String> = "timestamp",
    }

    struct JobStatus {
        state: Option<String> = "state",
        progress: Option<f64> = "progress",
        result: Option<JobResult> = "result",
        message: Option<String> = "message",
    }

    struct JobResult {
        media_id: Option<IdText> = "mediaId",
    }
}

/// The provider for one upload to apifansly. Its plan is one part, the form.
#[derive(Debug)]
pub struct Apifansly {
    api: Api,
    account_id: String,
    form_inputs: Option<String>,
    cadence: Cadence,
}

impl Apifansly {
    /// Reads the options.
    ///
    /// # Errors
    /// `invalid-options`.
    pub fn new<P: Platform>(options: &P::Json, setup: &Setup<'_, P>) -> Result<Self> {
        let options: Options = setup.options(options)?;
        let access = Access {
            base_url: options.base_url,
            key: options.api_key,
            exposed: options.dangerously_expose_secrets == Some(true),
        };
        let mut api = Api::new(setup, &VENDOR, access, refusal::<P::Json>)?;
        let name = text!("apifansly {}", api.origins.base.href);
        api.rate_limiter = Some(setup.shared.rate_limiters.of(&name, None));
        Ok(Self {
            api,
            account_id: options.account_id,
            form_inputs: options.form_inputs.map(|inputs| form_inputs_json(&inputs)),
            cadence: Cadence { first_ms: options.poll_interval_ms, timeout_ms: options.poll_timeout_ms },
        })
    }
}

/// The field `formInputs`: a JSON array of `{type: number, value: string}`.
fn form_inputs_json(inputs: &[FormInput]) -> String {
    let mut json = String::from("[");
    for (index, input) in inputs.iter().enumerate() {
        if index > 0 {
            json.push(',');
        }
        json.push_str("{\"type\":");
        if input.kind < 0 {
            json.push('-');
        }
        json.push_str(&text::number(input.kind.unsigned_abs()));
        json.push_str(",\"value\":\"");
        for character in input.value.chars() {
            match character {
                '"' | '\\' => json.extend(['\\', character]),
                control if control < ' ' => {
                    json.push_str("\\u00");
                    json.push_str(&hex(&[control as u8]));
                }
                other => json.push(other),
            }
        }
        json.push_str("\"}");
    }
    json.push(']');
    json
}

/// The job that the form became.
fn job_id<J: Json>(form: &Receipt<J>) -> Option<String> {
    let reply: UploadReply = decode(form.reply.as_ref()?).ok()?;
    reply.data?.job_id.map(|id| id.0)
}

/// The error when apifansly may have the file, but the id of its job is unknown.
fn no_job_id() -> UploadError {
    outcome_unknown(Step::Part, "The page was closed before apifansly's reply gave the job's id.")
}

/// Interprets a job's status: its outcome, an error, or None while it isn't done. `json` is the whole reply.
fn judge<J: Json>(reply: &StatusReply, json: &J, job_id: &str) -> Result<Option<Outcome<J>>> {
    let Some(status) = &reply.data else { return Ok(None) };
    match status.state.as_deref() {
        // The documentation has no `error`; a consumer of the API treats it as an end too.
        Some("failed" | "error") => return Err(failed(reply, json, job_id)),
        Some("completed") => {}
        _ => return Ok(None),
    }
    let Some(media_id) = status.result.as_ref().and_then(|result| result.media_id.as_ref()) else { return Ok(None) };
    let done_at = reply.timestamp.as_deref().and_then(time::parse_iso);
    Ok(Some(Outcome {
        media_id: Some(media_id.0.clone()),
        media: json.member("data").and_then(|data| data.member("result")),
        links_expire_at: done_at.map(|at| time::format_iso(at + LINKS_MS)),
        ..Outcome::default()
    }))
}

/// The error for a job that failed. The documentation doesn't show such a reply: these members may have the reason.
fn failed<J: Json>(reply: &StatusReply, json: &J, job_id: &str) -> UploadError {
    let error = json.member("data").and_then(|data| data.member("error"));
    let error = error.and_then(|error| decode(error.member("message").as_ref().unwrap_or(&error)).ok());
    let data = reply.data.as_ref();
    let message = error.or_else(|| data?.message.clone()).or_else(|| reply.message.clone());
    UploadError::new(
        Code::ProcessingFailed,
        match &message {
            Some(words) => text!("apifansly failed to process the file. It says: {}", words),
            None => "apifansly failed to process the file.".into(),
        },
    )
    .at(Step::Status)
    .hint("Check that Fansly takes this kind of file, then upload it again.")
    .vendor(Words { code: data.and_then(|status| status.state.clone()), message, request_id: Some(job_id.into()) })
}

impl<P: Platform> Provider<P> for Apifansly {
    type Session = FormSession;

    const NAME: &'static str = "apifansly";

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            etags_are_md5s: false,
            processes: true,
            // The form can't be continued midway, and apifansly has no call that shows whether it arrived.
            // Each form that arrives may cost money.
            resumes: false,
            calls_hosts_of_parts: true,
            ..Capabilities::DEFAULT
        }
    }

    async fn open(&self, cx: &Context<P>) -> Result<Session<FormSession>> {
        form::open(cx)
    }

    async fn restore(
        &self,
        _cx: &Context<P>,
        session: &Session<FormSession>,
        saved: Progressed<P::Json>,
    ) -> Result<Progressed<P::Json>> {
        let known = match saved.phase {
            Phase::Settling => session.state.job.get().is_some(),
            _ => saved.uploaded.first().is_some_and(|form| job_id(&form.receipt).is_some()),
        };
        if known { Ok(saved) } else { Err(no_job_id()) }
    }

    async fn part_request(
        &self,
        cx: &Context<P>,
        _session: &Session<FormSession>,
        part: &Part,
        _renew: bool,
    ) -> Result<RequestOf<P>> {
        self.api.wait_for_rate_limit(cx).await;
        let path = text!("/api/fansly/{}/media/upload", encode_segment(&self.account_id));
        let fields = self.form_inputs.iter().map(|json| ("formInputs".into(), json.clone())).collect();
        let url = self.api.origins.join(&path, "");
        let body = form::body(cx, part, fields, "file".into());
        Ok(Request::Api(form::request(&self.api, cx, Method::Post, url, body, true)))
    }

    fn receipt(
        &self,
        cx: &Context<P>,
        _session: &Session<FormSession>,
        part: &Part,
        response: &Response,
    ) -> Result<Receipt<P::Json>> {
        self.api.answered(cx, response);
        if !response.ok() {
            let error = self.api.refusal(response, cx.platform.now()).at(Step::Part);
            // There is no session that could have expired: a 404 is about the account.
            return Err(match error.code {
                Code::SessionExpired => {
                    error.retry(Retry::Never).retryable(false).hint("Check `accountId` and `baseUrl`.")
                }
                _ => error,
            });
        }
        let json: P::Json = reply::parse(Step::Part, response)?;
        let UploadReply { data, message } = reply::decode(Step::Part, response, &json)?;
        let (success, job_id, words) = match data {
            Some(data) => (data.success, data.job_id, data.message.or(message)),
            None => (None, None, message),
        };
        let why = match (success, job_id) {
            (Some(false), _) => "apifansly's reply must have `data.success: true`, but has `false`.",
            (_, None) => "apifansly's reply must have the job's id in `data.jobId`, but has none.",
            _ => return Ok(Receipt { reply: Some(json), ..Receipt::new(part.number, None) }),
        };
        Err(UploadError::new(Code::Server, why)
            .at(Step::Part)
            .status(response.status)
            .vendor(Words { message: words, ..Words::default() })
            .retry(Retry::Never)
            .answer_lost(true))
    }

    async fn complete(
        &self,
        _cx: &Context<P>,
        session: &Session<FormSession>,
        parts: &[Receipt<P::Json>],
        _again: bool,
    ) -> Result<Outcome<P::Json>> {
        let job_id = parts.first().and_then(job_id).ok_or_else(no_job_id)?;
        session.state.job.get_or_init(|| job_id);
        Ok(Outcome::default())
    }

    async fn settle(
        &self,
        cx: &Context<P>,
        session: &Session<FormSession>,
        _outcome: Outcome<P::Json>,
    ) -> Result<Outcome<P::Json>> {
        let job_id = session.state.job.get().ok_or_else(no_job_id)?;
        let path = text!("/api/fansly/media/upload/{}/status", encode_segment(job_id));
        let mut job = Job::new(cx, &self.api, self.api.origins.join(&path, ""), self.cadence);
        loop {
            // The vendor has no webhooks; a notice from the application is a reason to poll at once.
            let response = job.next(cx).await?;
            let json: P::Json = reply::parse(Step::Status, &response)?;
            let reply: StatusReply = reply::decode(Step::Status, &response, &json)?;
            if let Some(percent) = reply.data.as_ref().and_then(|status| status.progress) {
                cx.reporter.measure(|meter| meter.processing(percent / 100.0));
            }
            if let Some(outcome) = judge(&reply, &json, job_id)? {
                return Ok(outcome);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn form_inputs_are_json_whatever_they_hold() {
        let input = FormInput { kind: 3, value: "a \"b\" \\ \n é".into() };
        assert_eq!(form_inputs_json(&[input]), "[{\"type\":3,\"value\":\"a \\\"b\\\" \\\\ \\u000a é\"}]");
        assert_eq!(form_inputs_json(&[]), "[]");
    }

    #[test]
    fn a_job_is_done_when_it_is_completed_and_has_a_media_id() {
        let judged = |json: Value| judge(&decode(&json).unwrap(), &json, "7");
        for json in [
            json!({}),
            json!({ "data": { "success": true, "state": "waiting" } }),
            json!({ "data": { "state": "active", "result": { "mediaId": "9" } } }),
            json!({ "data": { "state": "completed" } }),
            json!({ "data": { "state": "completed", "result": {} } }),
        ] {
            assert!(judged(json.clone()).unwrap().is_none(), "{json}");
        }
        let done = json!({
            "data": { "state": "completed", "result": { "mediaId": "9", "accountMedia": [] } },
            "timestamp": "2026-02-04T18:40:19.559Z",
        });
        let outcome = judged(done.clone()).unwrap().unwrap();
        assert_eq!(outcome.media_id.as_deref(), Some("9"));
        assert_eq!(outcome.media.as_ref(), Some(&done["data"]["result"]));
        assert_eq!(outcome.links_expire_at.as_deref(), Some("2026-02-04T23:40:19.559Z"));
        for state in ["failed", "error"] {
            let error = judged(json!({ "data": { "state": state, "error": { "message": "why" } } })).unwrap_err();
            assert_eq!((error.code, error.message.ends_with("It says: why")), (Code::ProcessingFailed, true));
            assert_eq!(error.vendor.as_ref().unwrap().request_id.as_deref(), Some("7"));
        }
    }
}
