//! Calls to the application's functions, repeated as far as that is right.

use super::Context;
use super::calls::Idempotency;
use super::retry::RetryLoop;
use super::watchdog::ANSWER_MS;
use crate::error::{Code, Result, Retry, Step, UploadError};
use crate::json::{Json, JsonBuilder};
use crate::model::settings::RetrySettings;
use crate::platform::{Hook, HookFailure, Platform, Thrown};
use crate::sync::timeout::timeout;
use crate::util::text;

/// A function that reads something else as JSON, and never worked, is called this often: a gateway's page passes in a second, a wrong
/// address doesn't. (A choice.)
const UNREADABLE_ATTEMPTS: u32 = 3;

impl<P: Platform> Context<P> {
    /// The file, as an application's function gets it: `{name, size, type}`.
    pub fn file_info(&self, content_type: &str) -> P::Json {
        P::Json::build(&JsonBuilder::Object(vec![
            ("name", (&self.file.name).into()),
            ("size", self.file.size.into()),
            ("type", content_type.into()),
        ]))
    }

    /// Calls a function of the application; again, where that is right. One that doesn't settle is given up: after `stallMs` and the
    /// time of what is on the line, where it may be repeated, else after minutes.
    ///
    /// # Errors
    /// `application` with what it threw as the cause; `stalled`.
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
        let mut unreadable = false;
        loop {
            self.wait_while_paused().await;
            // It will ask its own server: without a network it would fail.
            if hook != Hook::Key && self.wait_for_network(true).await && self.pause.is_paused() {
                continue;
            }
            let deadline = if repeatable { self.call_ms() } else { stall_ms.max(ANSWER_MS) };
            let (mut answer, mut timer) = (self.platform.call(hook, arguments.clone()), self.platform.sleep(deadline));
            let error = match timeout(answer.as_mut(), timer.as_mut()).await {
                Some(Ok(value)) => {
                    self.worked_hooks.set(self.worked_hooks.get() | 1 << hook as u8);
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
            // Its attempts are used up here: the caller must not multiply them.
            let retry = match self.settings.retry {
                retry if unreadable && !self.worked(hook) => {
                    RetrySettings { attempts: retry.attempts.min(UNREADABLE_ATTEMPTS), ..retry }
                }
                retry => retry,
            };
            let again = retries.backoff(self, error, &retry).await;
            again.map_err(|error| error.retry(Retry::Never))?;
        }
    }

    /// Whether a function of the application has worked before. Credentials are shared: parts can't go without them.
    fn worked(&self, hook: Hook) -> bool {
        self.worked_hooks.get() & 1 << hook as u8 != 0 || (hook == Hook::Credentials && self.reporter.attempts() > 0)
    }

    /// Milliseconds that a function of the application may take: its request shares the line with all that is on it.
    pub fn call_ms(&self) -> u64 {
        self.settings.stall_ms.saturating_add(self.shared.line.drain_ms())
    }
}

/// What a function of the application threw, as the error of its upload.
fn failed(hook: Hook, failure: HookFailure, repeatable: bool) -> UploadError {
    let (what, hint) = match failure.kind {
        Thrown::NotJson => (
            "The application's `{}` got a response that isn't JSON, most likely an HTML page: {}",
            "Check the URL that it requests, and `response.ok` before `response.json()`.",
        ),
        Thrown::Mistake => ("The application's `{}` has a mistake: {}", "`cause` is the exception that it threw."),
        Thrown::Anything => ("The application's `{}` failed: {}", "`cause` is the exception that it threw."),
    };
    let again = failure.upload_error.unwrap_or(repeatable && failure.kind != Thrown::Mistake);
    UploadError::new(Code::Application, text::fill(what, &[&hook.as_str(), &failure.message]))
        .hint(hint)
        .retryable(failure.upload_error.unwrap_or(false))
        .retry(if again { Retry::Later(None) } else { Retry::Never })
        .cause(failure.cause)
}
