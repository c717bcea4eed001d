//! Temporary credentials: asked of the application when they are needed, kept while they are good, never shown.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::given::{self, Given};
use super::sigv4::Key;
use crate::context::{Context, Idempotency};
use crate::error::{Code, Result, Step, UploadError};
use crate::platform::{Hook, Platform};
use crate::sync::semaphore::Semaphore;

/// So long before they end are they asked for again. (A choice: a part that is signed now must still get there.)
const AHEAD_MS: u64 = 60_000;

/// One set of credentials.
#[derive(Debug)]
pub(super) struct Credentials {
    pub(super) key: Key,
    /// Counts the sets from 1, so that an answer can be laid to the one that its request was signed with.
    pub(super) set: u64,
    /// When they end, where that is known and lies ahead.
    pub(super) expires_at: Option<u64>,
}

/// The current set of all uploads with the same options. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct SharedCredentials(Rc<State>);

#[derive(Debug, Default)]
struct State {
    current: RefCell<Option<Rc<Credentials>>>,
    /// The set that the store refused last.
    rejected: Cell<u64>,
}

/// One upload's way to the current set.
#[derive(Debug)]
pub(super) struct Vault {
    shared: SharedCredentials,
    /// One call to the application at a time; whoever waits gets what it brought. Not over all uploads: one that is paused holds
    /// up nobody else.
    turn: Semaphore,
}

impl Vault {
    pub(super) fn new(shared: SharedCredentials) -> Self {
        Self { shared, turn: Semaphore::new(1) }
    }

    /// Credentials that are good at `now`, as far as anybody knows.
    ///
    /// # Errors
    /// `application` where asking failed, `invalid-options` for an answer that is none, `unauthorized` where the application
    /// gives a set again that the store refused.
    pub(super) async fn get<P: Platform>(&self, cx: &Context<P>, now: u64) -> Result<Rc<Credentials>> {
        let _turn = self.turn.acquire().await;
        let State { current, rejected } = &*self.shared.0;
        let before = current.borrow().clone();
        let refused = before.as_ref().is_some_and(|held| held.set == rejected.get());
        if let Some(held) = &before
            && !refused
            && held.expires_at.is_none_or(|at| at > now + AHEAD_MS)
        {
            return Ok(held.clone());
        }
        let answer = cx.hook(Hook::Credentials, Vec::new(), Step::Sign, Idempotency::Safe).await?;
        let Given { key, expires_at } = given::read(&cx.platform, &answer)?;
        if refused && before.is_some_and(|held| held.key == key) {
            return Err(UploadError::new(
                Code::Unauthorized,
                "The store says that the credentials have expired, and `getCredentials` gave the same again.",
            )
            .at(Step::Sign)
            .hint("Let it get new ones from your server each time it is called."));
        }
        let credentials = Rc::new(Credentials {
            key,
            set: current.borrow().as_ref().map_or(1, |held| held.set + 1),
            // New ones that are over already: a clock is off, and the store knows better.
            expires_at: expires_at.filter(|at| *at > now + AHEAD_MS),
        });
        current.replace(Some(credentials.clone()));
        Ok(credentials)
    }

    /// The store says that a set has expired.
    pub(super) fn reject(&self, set: u64) {
        let rejected = &self.shared.0.rejected;
        rejected.set(rejected.get().max(set));
    }
}
