//! Calls to a provider's API, and when they are repeated.

use super::Context;
use super::rate_limit::RateLimiter;
use super::retry::RetryLoop;
use crate::error::{Result, UploadError};
use crate::http::{Request, Response};
use crate::platform::{ApiRequestOf, Platform};

/// Whether a call may be repeated after its answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotency {
    /// It changes nothing, or has the same effect when repeated: it may.
    Safe,
    /// It may, but isn't worth it: one attempt.
    BestEffort,
    /// It must not take effect twice, and carries an `Idempotency-Key`, the same for every copy: it may.
    ByKey,
    /// It may not: the error is returned with `answer_lost`. It carries an `Idempotency-Key` too, for the copies that a browser sends
    /// on its own.
    Unsafe,
}

/// A call to a provider's API.
#[derive(Debug)]
pub struct Call<P: Platform> {
    /// The request.
    pub request: ApiRequestOf<P>,
    /// Whether it may be repeated.
    pub idempotency: Idempotency,
    /// The API's rate limiter.
    pub rate_limiter: Option<RateLimiter>,
    /// Whether the server may work on the call for minutes.
    pub long_running: bool,
    /// The error for an answer that isn't 2xx, received at a time in milliseconds since 1970.
    pub refusal: fn(&Response, u64) -> UploadError,
}

impl<P: Platform> Context<P> {
    /// Calls a provider's API.
    ///
    /// # Errors
    /// The last attempt's, with `answer_lost` if the call may have taken effect.
    pub async fn call(&self, call: Call<P>) -> Result<Response> {
        let step = call.request.step;
        let mut key = None;
        let mut retries = RetryLoop::default();
        let mut answer_lost = false;
        loop {
            self.wait_while_paused().await;
            let mut request = call.request.clone();
            if matches!(call.idempotency, Idempotency::ByKey | Idempotency::Unsafe) && self.sends_keys(&request.url) {
                let key = key.get_or_insert_with(|| self.random_id()).clone();
                request.headers.push(("idempotency-key".into(), key));
            }
            let permit = match &call.rate_limiter {
                Some(limiter) => Some(limiter.acquire(&self.platform).await),
                None => None,
            };
            let answer = self.send(Request::Api(request), call.long_running, retries.stalls(), |_| ()).await;
            drop(permit);
            let error = match answer {
                Ok(response) => {
                    if let Some(limiter) = &call.rate_limiter {
                        limiter.learn(&response, self.platform.now());
                    }
                    if response.ok() {
                        return Ok(response);
                    }
                    // The call was answered: a copy would be a new call.
                    key = None;
                    (call.refusal)(&response, self.platform.now()).at(step)
                }
                Err(error) => error,
            };
            // A refusal after a lost answer may mean that the first call took effect.
            answer_lost |= error.answer_lost;
            let error = error.answer_lost(answer_lost);
            let must_not_repeat = call.idempotency == Idempotency::Unsafe && error.answer_lost;
            if call.idempotency == Idempotency::BestEffort || must_not_repeat {
                return Err(error);
            }
            retries.backoff(self, error, &self.settings.retry).await?;
        }
    }

    /// Whether a call to that URL carries an `Idempotency-Key`: as the option says; by default only to the page's own server, since
    /// another server's CORS rule would have to allow the header.
    pub fn sends_keys(&self, url: &str) -> bool {
        self.settings
            .idempotency_keys
            .unwrap_or_else(|| self.platform.resolve(url).is_some_and(|url| url.origin == self.platform.origin()))
    }
}
