//! Finish and export must not take effect twice: where the answer is lost, the list decides whether the call is made again.

use super::client::Client;
use super::list::UploadList;
use super::record::Record;
use super::session::OnlymonsterSession;
use crate::context::Context;
use crate::context::calls::Idempotency;
use crate::context::retry::RetryLoop;
use crate::error::{Code, Result, Retry, Step, UploadError};
use crate::http::{Body, Response};
use crate::model::session::Session;
use crate::platform::Platform;
use crate::providers::shared::errors::with_words;

/// A call that must not take effect twice.
pub(super) struct OnceCall<J> {
    /// What it is for.
    pub(super) step: Step,
    /// Its path below the uploads.
    pub(super) path: &'static str,
    /// Its JSON body.
    pub(super) body: J,
    /// Reads its result from the answer.
    pub(super) read: fn(&Response) -> Result<String>,
    /// The same result from the upload's record, if the record shows that the call took effect.
    pub(super) shown: fn(&Record) -> Option<String>,
}

/// Makes the call, and returns its result. After a lost answer the list is read, and the call is made again only if the session's
/// record doesn't show its effect (the guide, "Idempotency on network timeout"). `maybe_done`: an earlier page may have made it.
pub(super) async fn call_once<P: Platform>(
    client: &Client,
    list: &UploadList,
    cx: &Context<P>,
    session: &Session<OnlymonsterSession>,
    call: OnceCall<P::Json>,
    mut maybe_done: bool,
) -> Result<String> {
    let mut retries = RetryLoop::default();
    loop {
        let request = client.post(call.step, call.path, Body::Json(call.body.clone()));
        let answer = client.call(cx, request, Idempotency::Unsafe).await;
        let error = match answer.and_then(|response| (call.read)(&response)) {
            Err(error) if error.answer_lost => error,
            Err(error) if error.code == Code::BadRequest && list.check_get_url(cx, session) => {
                return Err(urls_expired(call.step, &error));
            }
            // A refusal after a lost answer may only mean that the first finish took effect. An upload that was never exported has no
            // vault entry, so a new upload is right either way.
            Err(error) if maybe_done && call.step == Step::Complete => return Err(error.retry(Retry::Restart)),
            result => return result,
        };
        if call.step == Step::Export && broken!(SecondExport) {
            continue;
        }
        maybe_done = true;
        let record = list.find_session(client, cx, session).await;
        let record = record.map_err(|error| error.answer_lost(true).or_unknown())?;
        if let Some(result) = record.as_ref().and_then(call.shown) {
            return Ok(result);
        }
        retries.backoff(cx, error, &cx.settings.retry).await.map_err(UploadError::or_unknown)?;
    }
}

/// An upload that was never exported has no vault entry: once its URLs have expired, a new upload is right.
fn urls_expired(step: Step, refusal: &UploadError) -> UploadError {
    let expired = UploadError::new(Code::UrlExpired, "Onlymonster's URLs expired before the export.").at(step);
    with_words(expired, refusal)
}
