//! apifansly: one form upload, then a job that is asked for until it is done.
//!
//! SourceFile: apifansly's documentation, "Upload Media" and "Rate limits".

use super::shared::api::{Access, Api, Vendor};
use super::shared::poll::Poll;
use super::shared::reply::{read, refusal};
use super::{Setup, in_doubt};
use crate::context::{Context, Idempotency};
use crate::engine::record::Resumed;
use crate::error::{Code, Result, Retry, Step, UploadError, Vendor as Words};
use crate::http::{Body, Method, Request, Response, encode_segment};
use crate::json::IdText;
use crate::json::{self, decoded};
use crate::model::events::Outcome;
use crate::model::plan::{ByteRange, Part, Plan};
use crate::model::session::{Phase, Session};
use crate::platform::Platform;
use crate::provider::{Provider, Receipt};
use crate::util::text;
use crate::util::time;

const VENDOR: Vendor = Vendor {
    origins: &["https://v1.apifansly.com"],
    api_path: "/api/fansly/",
    key_header: "x-api-key",
    key_option: "apiKey",
};

/// From 2 seconds doubling to 30; 15 minutes in all. (Choices: the documentation gives no cadence, and prices a standard request at
/// a credit without saying whether a poll is one.)
const POLL_FIRST_MS: u64 = 2_000;
const POLL_CAP_MS: u64 = 30_000;
const POLL_BOUND_MS: u64 = 15 * 60_000;
/// The longest first interval.
const DAY_MS: u64 = 24 * 3_600_000;
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

    struct Upload {
        data: Option<Accepted> = "data",
        message: Option<String> = "message",
    }

    struct Status {
        data: Option<JobStatus> = "data",
        message: Option<String> = "message",
        timestamp: Option<String> = "timestamp",
    }

    struct Accepted {
        success: Option<bool> = "success",
        job_id: Option<IdText> = "jobId",
        message: Option<String> = "message",
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

/// One upload's dialogue with apifansly. Its plan is one part, the form; of a [`Session`] it uses nothing else.
#[derive(Debug)]
pub struct Apifansly<P: Platform> {
    api: Api<P>,
    account_id: String,
    form_inputs: Option<String>,
    poll_timeout_ms: u64,
    poll_interval_ms: u64,
}

impl<P: Platform> Apifansly<P> {
    /// Reads the options.
    ///
    /// # Errors
    /// `invalid-options`.
    pub fn new(given: &P::Json, setup: &Setup<'_, P>) -> Result<Self> {
        let mut options = Options::default();
        setup.options(given, &mut options)?;
        if options.account_id.is_empty() {
            return Err(UploadError::new(Code::InvalidOptions, "`accountId` is empty.")
                .hint("Give the id of the connected Fansly account."));
        }
        let poll_interval_ms = options.poll_interval_ms.unwrap_or(POLL_FIRST_MS);
        if !(1..=DAY_MS).contains(&poll_interval_ms) {
            return Err(UploadError::new(
                Code::InvalidOptions,
                text!("`pollIntervalMs` must be a number from 1 to {}, but is {}.", DAY_MS, poll_interval_ms),
            )
            .hint("Polls begin with this interval, which doubles to 30 seconds."));
        }
        let access = Access {
            base_url: options.base_url,
            key: options.api_key,
            exposed: options.dangerously_expose_secrets == Some(true),
        };
        let mut api = Api::new(setup, &VENDOR, access, refusal)?;
        let pace = text!("apifansly {}", api.origins.base.href);
        api.pace = Some(setup.shared.rate_limiters.of(&pace, None));
        Ok(Self {
            api,
            account_id: options.account_id,
            form_inputs: options.form_inputs.map(|inputs| form_inputs_json(&inputs)),
            poll_timeout_ms: options.poll_timeout_ms.unwrap_or(POLL_BOUND_MS),
            poll_interval_ms,
        })
    }

    /// What the job's status means: an outcome, an error, or that it goes on.
    fn judge(
        &self,
        cx: &Context<P>,
        reply: &Status,
        json: &P::Json,
        job_id: &str,
        outcome: &mut Outcome<P>,
    ) -> Result<bool> {
        let Some(status) = &reply.data else { return Ok(false) };
        if let Some(percent) = status.progress {
            cx.measure(true, |meter, _| meter.processing(percent / 100.0));
        }
        match status.state.as_deref() {
            // The documentation has no `error`; a consumer of the API treats it as an end all the same.
            Some("failed" | "error") => return Err(self.failed(reply, json, cx, job_id)),
            Some("completed") => {}
            _ => return Ok(false),
        }
        let media_id = status.result.as_ref().and_then(|result| result.media_id.as_ref());
        let Some(media_id) = media_id else { return Ok(false) };
        let data = cx.platform.member(json, "data");
        let done_at = reply.timestamp.as_deref().and_then(time::parse_iso);
        outcome.media_id = Some(media_id.0.clone());
        outcome.media = data.and_then(|data| cx.platform.member(&data, "result"));
        outcome.links_expire_at = done_at.map(|at| time::format_iso(at + LINKS_MS));
        Ok(true)
    }

    fn failed(&self, reply: &Status, json: &P::Json, cx: &Context<P>, job_id: &str) -> UploadError {
        let platform = &cx.platform;
        // The body of a failed job is published nowhere: these are the places where it may say why.
        let error = platform.member(json, "data").and_then(|data| platform.member(&data, "error"));
        let error = error.and_then(|error| {
            let inner = platform.member(&error, "message");
            json::decode::<P, String>(platform, inner.as_ref().unwrap_or(&error)).ok()
        });
        let data = reply.data.as_ref().and_then(|data| data.message.clone());
        let message = error.or(data).or_else(|| reply.message.clone());
        UploadError::new(
            Code::ProcessingFailed,
            match &message {
                Some(words) => text!("apifansly failed to process the file. It says: {}", words),
                None => "apifansly failed to process the file.".into(),
            },
        )
        .at(Step::Status)
        .hint("Check that Fansly takes this kind of file, then send it anew.")
        .vendor(Words {
            code: reply.data.as_ref().and_then(|data| data.state.clone()),
            message,
            request_id: Some(job_id.into()),
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
                    json.push_str(&crate::util::hex::hex(&[control as u8]));
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
fn job_id<P: Platform>(platform: &P, form: &Receipt<P>) -> Option<IdText> {
    json::decode::<P, Upload>(platform, form.reply.as_ref()?).ok()?.data?.job_id
}

impl<P: Platform> Provider<P> for Apifansly<P> {
    fn etag_is_md5(&self) -> bool {
        false
    }

    fn processes(&self) -> bool {
        true
    }

    async fn open(&self, cx: &Context<P>) -> Result<Session<P>> {
        let size = cx.file.size;
        let form = Part { number: 1, range: ByteRange::new(0, size), url: None };
        let plan = Plan::checked(size, vec![form]).map_err(|why| UploadError::new(Code::PlanMismatch, why))?;
        Ok(Session::new(plan, false))
    }

    async fn part_request(
        &self,
        cx: &Context<P>,
        _session: &Session<P>,
        part: &Part,
        _renew: bool,
    ) -> Result<Request<P>> {
        if let Some(pace) = &self.api.pace {
            drop(pace.turn(&cx.platform).await);
        }
        let path = text!("/api/fansly/{}/media/upload", encode_segment(&self.account_id));
        let mut request = self.api.request(Step::Part, Method::Post, &path, "");
        request.body = Body::Form {
            fields: self.form_inputs.iter().map(|json| ("formInputs", json.clone())).collect(),
            file: cx.file.body(part.range, Some(cx.file.known_type())),
            filename: cx.file.name.clone(),
        };
        request.once = true;
        self.api.add_key(cx, &mut request);
        Ok(Request::Api(request))
    }

    fn receipt(&self, cx: &Context<P>, _session: &Session<P>, part: &Part, response: &Response) -> Result<Receipt<P>> {
        self.api.answered(cx, response);
        if !response.ok() {
            let error = self.api.refusal(&cx.platform, response).at(Step::Part);
            // There is no session that could be gone: a 404 is about the account.
            return Err(match error.code {
                Code::SessionExpired => {
                    error.retry(Retry::Never).retryable(false).hint("Check `accountId` and `baseUrl`.")
                }
                _ => error,
            });
        }
        let mut reply = Upload::default();
        let json = read(&cx.platform, Step::Part, response, &mut reply)?;
        let Upload { data, message } = reply;
        let (said, job_id, words) = match data {
            Some(data) => (data.success, data.job_id, data.message.or(message)),
            None => (None, None, message),
        };
        match job_id {
            Some(_) if said != Some(false) => Ok(Receipt { number: part.number, etag: None, reply: Some(json) }),
            _ => Err(UploadError::new(Code::Server, "apifansly answered without a job id.")
                .at(Step::Part)
                .status(response.status)
                .vendor(Words { message: words, ..Words::default() })
                .retry(Retry::Never)
                .answer_lost(true)),
        }
    }

    /// The form can't be taken up midway, and whether it arrived can't be asked: each that did may cost money.
    fn resumes(&self) -> bool {
        false
    }

    async fn restore(&self, cx: &Context<P>, resumed: &mut Resumed<P>) -> Result<()> {
        let known = match resumed.phase {
            Phase::Settling => resumed.session.record_id.is_some(),
            _ => resumed.arrived.first().is_some_and(|form| job_id(&cx.platform, &form.receipt).is_some()),
        };
        if known {
            return Ok(());
        }
        Err(in_doubt(Step::Part, "The page was left while the file was on its way to apifansly."))
    }

    async fn complete(
        &self,
        cx: &Context<P>,
        _session: &Session<P>,
        parts: &[Receipt<P>],
        _again: bool,
        outcome: &mut Outcome<P>,
    ) -> Result<()> {
        outcome.record_id = parts.first().and_then(|form| job_id(&cx.platform, form)).map(|id| id.0);
        Ok(())
    }

    async fn settle(&self, cx: &Context<P>, session: &Session<P>, outcome: &mut Outcome<P>) -> Result<()> {
        let job_id = session.record_id.as_deref().unwrap_or_default();
        let path = text!("/api/fansly/media/upload/{}/status", encode_segment(job_id));
        let cap = POLL_CAP_MS.max(self.poll_interval_ms);
        let mut poll = Poll::new(cx, self.poll_interval_ms, cap, self.poll_timeout_ms);
        loop {
            // The vendor has no webhooks; a notice of the application's is a reason to look at once.
            poll.next(cx).await?;
            let request = self.api.request(Step::Status, Method::Get, &path, "");
            let answer = self.api.call(cx, request, Idempotency::Safe).await;
            let mut reply = Status::default();
            let json = match answer.and_then(|response| read(&cx.platform, Step::Status, &response, &mut reply)) {
                Ok(json) => json,
                // The file was taken: a status that can't be read for a while ends nothing.
                Err(error) if matches!(error.retry, Retry::Later(_)) => continue,
                Err(error) => return Err(error),
            };
            if self.judge(cx, &reply, &json, job_id, outcome)? {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_inputs_are_json_whatever_they_hold() {
        let input = FormInput { kind: 3, value: "a \"b\" \\ \n é".into() };
        assert_eq!(form_inputs_json(&[input]), "[{\"type\":3,\"value\":\"a \\\"b\\\" \\\\ \\u000a é\"}]");
        assert_eq!(form_inputs_json(&[]), "[]");
    }
}
