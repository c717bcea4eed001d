//! Temporary credentials: requested from the application when they are needed, cached while they are valid, never shown.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::credentials_reply::{self, CredentialsReply};
use super::sigv4::Key;
use crate::context::Context;
use crate::context::calls::Idempotency;
use crate::error::{Code, Result, Step, UploadError};
use crate::platform::{Hook, Platform};
use crate::sync::semaphore::Semaphore;

/// Credentials are replaced this long before they expire. (A choice: a part that is signed now must still get there.)
const AHEAD_MS: u64 = 60_000;

/// One set of credentials.
#[derive(Debug)]
pub(super) struct Credentials {
    pub(super) key: Key,
    /// Counts the sets from 1, so that a refusal can be attributed to the set that signed its request.
    pub(super) set: u64,
    /// When they expire, by the servers' clock, where that is known and in the future.
    pub(super) expires_at: Option<u64>,
}

/// The current set of all uploads with the same options. Clones are the same one.
#[derive(Clone, Debug)]
pub struct SharedCredentials(Rc<State>);

#[derive(Debug)]
struct State {
    current: RefCell<Option<Rc<Credentials>>>,
    /// The set that the store refused last.
    rejected: Cell<u64>,
    /// Single-flight: concurrent callers share one call to the application, and its failure.
    single_flight: Semaphore,
    /// How often it failed for good, and with what the last time.
    failures: Cell<u32>,
    failure: RefCell<Option<UploadError>>,
}

impl Default for SharedCredentials {
    fn default() -> Self {
        Self(Rc::new(State {
            current: RefCell::default(),
            rejected: Cell::default(),
            single_flight: Semaphore::new(1),
            failures: Cell::default(),
            failure: RefCell::default(),
        }))
    }
}

/// One upload's access to the current set.
#[derive(Debug)]
pub(super) struct CredentialCache(SharedCredentials);

impl CredentialCache {
    pub(super) fn new(shared: SharedCredentials) -> Self {
        Self(shared)
    }

    /// Credentials that are valid, as far as is known. An upload that is paused or ends leaves the call to another that waits.
    ///
    /// # Errors
    /// `application` where the call failed, `invalid-options` for an answer that isn't a set of credentials, `unauthorized` where the
    /// application returns a set again that the store refused.
    pub(super) async fn get<P: Platform>(&self, cx: &Context<P>) -> Result<Rc<Credentials>> {
        let status = cx.reporter.status();
        loop {
            cx.wait_while_paused().await;
            if let Some(result) = cx.until_paused(self.get_in_turn(cx)).await {
                return result;
            }
            // It may have waited for the network.
            cx.reporter.set_status(status);
        }
    }

    /// The credentials, once no other upload asks for them. Where the one before failed, so does this: it would only ask the same again.
    async fn get_in_turn<P: Platform>(&self, cx: &Context<P>) -> Result<Rc<Credentials>> {
        let State { single_flight, failures, failure, .. } = &*self.0.0;
        let failed_before = failures.get();
        let _permit = single_flight.acquire().await;
        let failed = failure.borrow().clone().filter(|_| failures.get() != failed_before);
        if let Some(error) = failed {
            return Err(error);
        }
        let result = self.cached_or_new(cx).await;
        if let Err(error) = &result {
            failures.set(failures.get() + 1);
            failure.replace(Some(error.clone()));
        }
        result
    }

    async fn cached_or_new<P: Platform>(&self, cx: &Context<P>) -> Result<Rc<Credentials>> {
        let now = cx.server_now();
        let State { current, rejected, .. } = &*self.0.0;
        let before = current.borrow().clone();
        let refused = before.as_ref().is_some_and(|cached| cached.set == rejected.get());
        if let Some(cached) = &before
            && !refused
            && cached.expires_at.is_none_or(|at| at > now + AHEAD_MS)
        {
            return Ok(cached.clone());
        }
        let answer = cx.hook(Hook::Credentials, Vec::new(), Step::Sign, Idempotency::Safe).await?;
        let CredentialsReply { key, expires_at } = credentials_reply::read(&answer)?;
        if refused && before.is_some_and(|cached| cached.key == key) {
            return Err(UploadError::new(
                Code::Unauthorized,
                "The store says that the credentials have expired, and `getCredentials` returned the same ones again.",
            )
            .at(Step::Sign)
            .hint("Let it request new ones from your server each time it is called."));
        }
        let credentials = Rc::new(Credentials {
            key,
            set: current.borrow().as_ref().map_or(1, |cached| cached.set + 1),
            // If new credentials look expired, a clock is wrong: the store decides.
            expires_at: expires_at.filter(|at| *at > now + AHEAD_MS),
        });
        current.replace(Some(credentials.clone()));
        Ok(credentials)
    }

    /// Marks a set as expired, as the store says.
    pub(super) fn reject(&self, set: u64) {
        let rejected = &self.0.0.rejected;
        rejected.set(rejected.get().max(set));
    }
}
