//! apifansly: a form, and a job that is polled until it is done.
//!
//! Source: apifansly's documentation, "Upload Media" and "Rate limits".

use std::future::ready;

use futures::FutureExt;
use futures::future::LocalBoxFuture;

use super::form::dialect::{Accepted, Dialect, Target, no_answer};
use super::form::job::failed;
use super::setup::Setup;
use super::shared::api::{Access, Api, Vendor};
use super::shared::reply::{self, refusal};
use crate::context::Context;
use crate::error::{Code, Result, Retry, Step, UploadError, Vendor as Words};
use crate::http::{Method, Response, encode_segment};
use crate::json::{IdText, Json, decode, decode_member, decoded};
use crate::model::events::Outcome;
use crate::model::plan::Part;
use crate::model::session::Receipt;
use crate::platform::Platform;
use crate::provider::Capabilities;
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
        api_key: Option<String> = "apiKey",
        dangerously_expose_secrets: Option<bool> = "dangerouslyExposeSecrets",
    }

    /// `data` of the reply to the form.
    struct Taken {
        success: Option<bool> = "success",
        job_id: Option<IdText> = "jobId",
    }

    /// `data` of the reply to a poll.
    struct Status {
        state: Option<String> = "state",
        progress: Option<f64> = "progress",
        result: Option<JobResult> = "result",
    }

    struct JobResult {
        media_id: Option<IdText> = "mediaId",
    }
}

/// apifansly's dialect.
#[derive(Debug)]
pub(crate) struct Apifansly {
    target: Target,
    form_inputs: Option<String>,
}

impl Apifansly {
    /// Reads the options.
    ///
    /// # Errors
    /// `invalid-options`.
    pub(crate) fn new<P: Platform>(options: &P::Json, setup: &Setup<'_, P>) -> Result<Self> {
        // A JSON array of `{type: number, value: string}`.
        let form_inputs = options.member("formInputs").map(|inputs| inputs.text());
        let cadence = setup.options(options)?;
        let options: Options = setup.options(options)?;
        let access = Access {
            base_url: options.base_url,
            key: options.api_key,
            exposed: options.dangerously_expose_secrets == Some(true),
        };
        let mut api = Api::new(setup, &VENDOR, access, refusal::<P::Json>)?;
        let name = text!("apifansly {}", api.origins.base.href);
        api.rate_limiter = Some(setup.shared.rate_limiters.of(&name, None));
        let path = text!("/api/fansly/{}/media/upload", encode_segment(&options.account_id));
        Ok(Self {
            target: Target {
                method: Method::Post,
                url: api.origins.join(&path, ""),
                api,
                file_field: "file".into(),
                // No call shows whether a form arrived, and each that does may cost money.
                repeatable: false,
                cadence,
            },
            form_inputs,
        })
    }
}

/// Reads a job's status, and reports its progress. Returns its outcome, or None while it isn't done.
fn read_status<P: Platform>(cx: &Context<P>, job_id: &str, response: &Response) -> Result<Option<Outcome<P::Json>>> {
    let json: P::Json = reply::parse(Step::Status, response)?;
    let Some(status) = reply::member::<_, Option<Status>>(Step::Status, response, &json, "data")? else {
        return Ok(None);
    };
    if let Some(percent) = status.progress {
        cx.reporter.measure(|meter| meter.processing(percent / 100.0));
    }
    judge(status, &json, job_id)
}

/// Interprets a job's status: its outcome, an error, or None while it isn't done. `json` is the whole reply.
fn judge<J: Json>(status: Status, json: &J, job_id: &str) -> Result<Option<Outcome<J>>> {
    let state = status.state.unwrap_or_default();
    match (&*state, status.result) {
        ("completed", Some(JobResult { media_id: Some(IdText(media_id)) })) => {
            let done_at = text_in(json, "timestamp").as_deref().and_then(time::parse_iso);
            Ok(Some(Outcome {
                media_id: Some(media_id),
                media: json.member("data").and_then(|data| data.member("result")),
                links_expire_at: done_at.map(|at| time::format_iso(at + LINKS_MS)),
                ..Outcome::default()
            }))
        }
        // The documentation has no `error`; a consumer of the API treats it as an end too.
        ("failed" | "error", _) => {
            let words = Words { code: Some(state), message: message(json), request_id: Some(job_id.into()) };
            Err(failed("apifansly", words).hint("Check that Fansly takes this kind of file, then upload it again."))
        }
        _ => Ok(None),
    }
}

/// What a reply says of a failure. The documentation doesn't show such a reply: these members may have the reason.
fn message<J: Json>(json: &J) -> Option<String> {
    let data = json.member("data");
    let error = data.as_ref().and_then(|data| data.member("error"));
    let said = |json: Option<&J>| text_in(json?, "message");
    said(error.as_ref())
        .or_else(|| text_in(data.as_ref()?, "error"))
        .or_else(|| said(data.as_ref()))
        .or_else(|| said(Some(json)))
}

/// A member that is a text.
fn text_in<J: Json>(json: &J, name: &str) -> Option<String> {
    decode(&json.member(name)?).ok()
}

impl<P: Platform> Dialect<P> for Apifansly {
    fn name(&self) -> &'static str {
        "apifansly"
    }

    fn target(&self) -> &Target {
        &self.target
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { etags_are_md5s: false, processes: true, ..Capabilities::DEFAULT }
    }

    fn fields<'a>(&'a self, _cx: &'a Context<P>) -> LocalBoxFuture<'a, Result<Vec<(String, String)>>> {
        let fields = self.form_inputs.iter().map(|json| ("formInputs".into(), json.clone())).collect();
        ready(Ok(fields)).boxed_local()
    }

    fn receipt(&self, part: &Part, response: &Response, now: u64) -> Result<Receipt<P::Json>> {
        if !response.ok() {
            let error = self.target.api.refusal(response, now).at(Step::Part);
            // There is no session that could have expired: a 404 is about the account.
            return Err(match error.code {
                Code::SessionExpired => {
                    error.retry(Retry::Never).retryable(false).hint("Check `accountId` and `baseUrl`.")
                }
                _ => error,
            });
        }
        let json: P::Json = reply::parse(Step::Part, response)?;
        let why = match reply::member(Step::Part, response, &json, "data")? {
            Some(Taken { success: Some(false), .. }) => {
                "apifansly's reply must have `data.success: true`, but has `false`."
            }
            Some(Taken { job_id: Some(_), .. }) => {
                return Ok(Receipt { reply: Some(json), ..Receipt::new(part.number, None) });
            }
            _ => "apifansly's reply must have the job's id in `data.jobId`, but has none.",
        };
        Err(UploadError::new(Code::Server, why)
            .at(Step::Part)
            .status(response.status)
            .vendor(Words { message: message(&json), ..Words::default() })
            .retry(Retry::Never)
            .answer_lost(true))
    }

    fn accepted<'a>(
        &'a self,
        _cx: &'a Context<P>,
        form: &'a Receipt<P::Json>,
    ) -> LocalBoxFuture<'a, Result<Accepted<P::Json>>> {
        let taken = form.reply.as_ref().and_then(|reply| decode_member::<_, Taken>(reply, "data").ok());
        let job = taken.and_then(|taken| taken.job_id);
        let accepted = |IdText(id)| Accepted { outcome: Outcome::default(), job: Some(id) };
        ready(job.map(accepted).ok_or_else(no_answer)).boxed_local()
    }

    fn job_url(&self, _cx: &Context<P>, job: &str) -> Result<String> {
        Ok(self.target.api.origins.join(&text!("/api/fansly/media/upload/{}/status", encode_segment(job)), ""))
    }

    fn judge<'a>(
        &'a self,
        cx: &'a Context<P>,
        job: &'a str,
        status: &'a Response,
        _known: &'a Outcome<P::Json>,
    ) -> LocalBoxFuture<'a, Result<Option<Outcome<P::Json>>>> {
        ready(read_status(cx, job, status)).boxed_local()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn a_job_is_done_when_it_is_completed_and_has_a_media_id() {
        let judged = |json: Value| judge(decode(&json["data"]).unwrap(), &json, "7");
        for json in [
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
