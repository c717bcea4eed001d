//! Calls to the application's functions, and when they are repeated.

use futures::FutureExt;
use futures::future::LocalBoxFuture;

use super::Context;
use super::calls::Idempotency;
use super::deadline::ANSWER_MS;
use super::retry::RetryLoop;
use crate::error::{Code, Result, Retry, Step, UploadError};
use crate::json::{Json, JsonBuilder};
use crate::model::settings::RetrySettings;
use crate::platform::{Hook, HookFailure, Platform, Thrown};
use crate::sync::timeout::timeout;
use crate::util::text;

/// How often a function is called that never worked and gets something other than JSON: a gateway's error page is temporary, a wrong
/// address isn't. (A choice.)
const UNREADABLE_ATTEMPTS: u32 = 3;
/// How many failures of a function the console is told after. (A choice: a single one is a lost connection most often.)
const WARN_AFTER: u32 = 2;

impl<P: Platform> Context<P> {
    /// The file as a JSON argument for the application's functions: `{name, size, type}`.
    pub fn file_info(&self, content_type: &str) -> P::Json {
        P::Json::build(&JsonBuilder::Object(vec![
            ("name", (&self.file().name).into()),
            ("size", self.file().size.into()),
            ("type", content_type.into()),
        ]))
    }

    /// Calls a function of the application, and repeats the call as the error and `idempotency` allow. A call that doesn't settle times
    /// out: after `stallMs` and the time that the uplink needs for pending requests if it may be repeated, else after minutes.
    ///
    /// # Errors
    /// `application`, with the exception as its cause; `stalled`.
    pub async fn hook(
        &self,
        hook: Hook,
        arguments: Vec<P::Json>,
        step: Step,
        idempotency: Idempotency,
    ) -> Result<P::Json> {
        let mut retries = RetryLoop::default();
        let repeatable = idempotency == Idempotency::Safe;
        let stall_ms = self.settings.stall_ms;
        let (mut unreadable, mut failures) = (false, 0);
        loop {
            self.wait_while_paused().await;
            // It sends a request to the application's server, which would fail without a network.
            if !hook.is_local() && self.wait_for_network(true).await && self.pause.is_paused() {
                continue;
            }
            let deadline = if repeatable { self.call_ms() } else { stall_ms.max(ANSWER_MS) };
            let (mut answer, mut timer) = (self.platform.call(hook, arguments.clone()), self.platform.sleep(deadline));
            let error = match timeout(answer.as_mut(), timer.as_mut()).await {
                Some(Ok(value)) => {
                    self.hook_history.worked(hook);
                    return Ok(value);
                }
                Some(Err(failure)) => {
                    unreadable |= failure.kind == Thrown::NotJson;
                    failed(hook, failure, repeatable)
                }
                None => UploadError::new(
                    Code::Stalled,
                    text!("The application's `{}` did not settle within {} s.", hook.as_str(), deadline / 1000),
                )
                .hint("Make it reject when its server doesn't answer."),
            }
            .at(step);
            drop((answer, timer));
            let error = if repeatable { error } else { error.retry(Retry::Never) };
            // All attempts are made here: the caller must not multiply them.
            let retry = match self.settings.retry {
                retry if unreadable && !self.hook_history.has_worked(hook) => {
                    RetrySettings { attempts: retry.attempts.min(UNREADABLE_ATTEMPTS), ..retry }
                }
                retry => retry,
            };
            failures += 1;
            let repeated = matches!(error.retry, Retry::Later(_)) && failures < retry.attempts;
            if repeated && failures >= WARN_AFTER && self.hook_history.warned(hook) {
                let stop = if error.message.ends_with('.') { "" } else { "." };
                let attempts = retry.attempts;
                let warning =
                    text!("{}{} Partway tries again, up to {} attempts in all.", error.message, stop, attempts);
                self.platform.warn(&warning);
            }
            let retried = retries.backoff(self, error, &retry).await;
            retried.map_err(|error| error.retry(Retry::Never))?;
        }
    }

    /// One call of a function before its answer is needed. None if it fails or doesn't settle in time: then the answer is asked for
    /// once it is needed.
    pub fn call_ahead(&self, hook: Hook, arguments: Vec<P::Json>) -> LocalBoxFuture<'static, Option<P::Json>> {
        let (mut answer, mut timer) = (self.platform.call(hook, arguments), self.platform.sleep(self.call_ms()));
        let history = self.hook_history.clone();
        async move {
            let value = timeout(answer.as_mut(), timer.as_mut()).await?.ok()?;
            history.worked(hook);
            Some(value)
        }
        .boxed_local()
    }

    /// Calls the application's `transform`, if there is one that hasn't run. It has no deadline: nobody knows how long a video takes.
    ///
    /// # Errors
    /// `application`, with the exception as its cause.
    pub(crate) async fn transform(&self) -> Result<()> {
        let output = match self.source.is_untransformed() {
            true => {
                let output = self.platform.transform().await;
                output.map_err(|failure| failed(Hook::Transform, failure, false).at(Step::Check))?
            }
            false => None,
        };
        self.source.set_output(output);
        Ok(())
    }

    /// Milliseconds that a function of the application may take: its request shares the uplink with all that are pending.
    pub fn call_ms(&self) -> u64 {
        self.settings.stall_ms.saturating_add(self.shared.uplink.drain_ms())
    }
}

/// The error for an exception that a function of the application threw.
fn failed(hook: Hook, failure: HookFailure, repeatable: bool) -> UploadError {
    let (what, hint) = match failure.kind {
        Thrown::NotJson => (
            "The application's `{}` got a response that isn't JSON, most likely an HTML page: {}",
            "Check the URL that it requests, and `response.ok` before `response.json()`.",
        ),
        Thrown::Mistake => ("The application's `{}` has a mistake: {}", "`cause` is the exception that it threw."),
        Thrown::Anything | Thrown::SessionExpired => {
            ("The application's `{}` failed: {}", "`cause` is the exception that it threw.")
        }
    };
    // Only `list` is asked whether the upload is still there.
    let gone = failure.kind == Thrown::SessionExpired && hook == Hook::ListParts;
    let code = if gone { Code::SessionExpired } else { Code::Application };
    let again = !gone && failure.upload_error.unwrap_or(repeatable && failure.kind != Thrown::Mistake);
    UploadError::new(code, text::fill(what, &[&hook.as_str(), &failure.message]))
        .hint(hint)
        .retryable(failure.upload_error.unwrap_or(false))
        .retry(if again { Retry::Later(None) } else { Retry::Never })
        .cause(failure.cause)
}
