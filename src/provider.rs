//! The interface between the engine and a destination.
//!
//! A provider implements [`Provider`], with a type of its own for what it remembers of an upload. The engine sees any of them as a
//! [`DynProvider`], which is implemented for all of them here: the one place that erases a session's type and boxes futures.

use std::future::ready;
use std::rc::Rc;

use futures::FutureExt;
use futures::future::LocalBoxFuture;

use crate::context::Context;
use crate::error::{Code, Result, UploadError};
use crate::http::Response;
use crate::model::events::Outcome;
use crate::model::file::Accept;
use crate::model::plan::{Part, Plan};
use crate::model::session::{AnySession, Progressed, Receipt, Session, SessionState};
use crate::platform::{Platform, RequestOf};

/// What a destination can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Whether an empty file can be stored.
    pub takes_empty: bool,
    /// Whether a part's ETag may be the MD5 of its bytes.
    pub etags_are_md5s: bool,
    /// Whether the answer to a part may have the store's checksum of it.
    pub answers_checksums: bool,
    /// Whether completing an upload in parts may give the store's checksum of the whole.
    pub completes_with_checksum: bool,
    /// Whether each part is sent with its checksum, which the store checks.
    pub sends_checksums: bool,
    /// Whether a new URL can replace an expired one within the session.
    pub renews_urls: bool,
    /// Whether the URLs of parts are saved with the session, because they can't be requested again.
    pub saves_urls: bool,
    /// Whether the vendor processes the file after its bytes are stored.
    pub processes: bool,
    /// Whether a later page can continue a session whose parts were being sent.
    pub resumes: bool,
    /// Whether the only part of an upload completes it, so that a lost answer leaves the outcome unknown.
    pub single_part_completes: bool,
    /// Whether an upload of a single part needs the completing step too. Without it, and without `processes`, the session of a single
    /// part isn't saved again once the part is uploaded.
    pub completes_single_parts: bool,
    /// Whether the only part of an upload may be sent by two pages, each with a session of its own: the second one replaces the first, or
    /// leaves it behind, and nothing else remembers it.
    pub repeats_single_parts: bool,
    /// Whether calls to open and complete an upload go to the host of its parts.
    pub calls_hosts_of_parts: bool,
    /// Whether a part that is late may be sent a second time beside the first, where ETags are MD5s.
    pub repeats_late_parts: bool,
}

impl Capabilities {
    /// What most destinations can do: ETags that are MD5s, and sessions that can be continued.
    pub const DEFAULT: Self = Self {
        takes_empty: false,
        etags_are_md5s: true,
        answers_checksums: false,
        completes_with_checksum: false,
        sends_checksums: false,
        renews_urls: false,
        saves_urls: false,
        processes: false,
        resumes: true,
        single_part_completes: false,
        completes_single_parts: false,
        repeats_single_parts: false,
        calls_hosts_of_parts: false,
        repeats_late_parts: false,
    };
}

/// The protocol of one remote API. A value belongs to one upload, so it may cache what it learns.
///
/// The arguments of a step live as long as its future, so that [`DynProvider`] can box the futures without wrapping them in its own.
#[allow(async_fn_in_trait, reason = "nothing here is sent to another thread")]
pub trait Provider<P: Platform>: 'static {
    /// The state of an upload that it opened.
    type Session: SessionState<P::Json>;

    /// Its name in the provider's options.
    fn name(&self) -> &'static str;

    /// What the destination can do.
    fn capabilities(&self) -> Capabilities;

    /// The files that the vendor accepts, unless the caller's options override it.
    fn accept(&self) -> Accept {
        Accept::default()
    }

    /// The CORS rule that the provider's bucket needs for this page, as JSON; None where it follows from the request.
    fn cors_rule(&self, page_origin: &str) -> Option<String> {
        let _ = page_origin;
        None
    }

    /// How many hosts its parts go to.
    fn hosts(&self, cx: &Context<P>) -> usize {
        let _ = cx;
        1
    }

    /// Whether a part that its host refused, or that can't be sent to it, goes to another host.
    fn has_other_host(&self, cx: &Context<P>) -> bool {
        let _ = cx;
        false
    }

    /// Checks whether the destination already has the file, and returns its outcome if so.
    fn check<'a>(&'a self, cx: &'a Context<P>) -> impl Future<Output = Result<Option<Outcome<P::Json>>>> + 'a {
        let _ = cx;
        ready(Ok(None))
    }

    /// Opens the upload.
    fn open<'a>(&'a self, cx: &'a Context<P>) -> impl Future<Output = Result<Session<Self::Session>>> + 'a;

    /// Continues a session that an earlier page saved: asks the destination which parts it has, if it can list them.
    ///
    /// # Errors
    /// With [`Retry::Restart`](crate::error::Retry::Restart) where the session is gone.
    fn restore<'a>(
        &'a self,
        cx: &'a Context<P>,
        session: &'a Session<Self::Session>,
        saved: Progressed<P::Json>,
    ) -> impl Future<Output = Result<Progressed<P::Json>>> + 'a {
        let _ = (cx, session);
        ready(Ok(saved))
    }

    /// The request that sends a part; `renew` asks for a new URL because the last one expired.
    fn part_request<'a>(
        &'a self,
        cx: &'a Context<P>,
        session: &'a Session<Self::Session>,
        part: &'a Part,
        renew: bool,
    ) -> impl Future<Output = Result<RequestOf<P>>> + 'a;

    /// Reads the answer to a part, whatever its status.
    fn receipt(
        &self,
        cx: &Context<P>,
        session: &Session<Self::Session>,
        part: &Part,
        response: &Response,
    ) -> Result<Receipt<P::Json>>;

    /// Whether an error in sending parts means that an earlier page completed the upload: then it is completed again, to learn the
    /// outcome.
    fn completed_before(&self, session: &Session<Self::Session>, error: &UploadError) -> bool {
        let _ = (session, error);
        false
    }

    /// Completes the upload; `parts` are in order. `again`: an earlier page may have completed it without receiving the answer.
    fn complete<'a>(
        &'a self,
        cx: &'a Context<P>,
        session: &'a Session<Self::Session>,
        parts: &'a [Receipt<P::Json>],
        again: bool,
    ) -> impl Future<Output = Result<Outcome<P::Json>>> + 'a;

    /// Waits for the vendor's processing, and adds its result to the outcome of `complete`, which is empty if an earlier page completed
    /// the upload.
    fn settle<'a>(
        &'a self,
        cx: &'a Context<P>,
        session: &'a Session<Self::Session>,
        outcome: Outcome<P::Json>,
    ) -> impl Future<Output = Result<Outcome<P::Json>>> + 'a {
        let _ = (cx, session);
        ready(Ok(outcome))
    }

    /// Aborts the upload at the destination, if it has such a call. Returns false if that failed, so that stored parts may remain.
    fn abort<'a>(&'a self, cx: &'a Context<P>, session: &'a Session<Self::Session>) -> impl Future<Output = bool> + 'a {
        let _ = (cx, session);
        ready(true)
    }
}

/// A session of any provider.
pub type SharedSession<P> = Rc<dyn AnySession<<P as Platform>::Json>>;

/// The part of a saved session that doesn't depend on its provider.
#[derive(Debug)]
pub struct SavedBase {
    /// The parts.
    pub plan: Plan,
    /// Whether the parts must be assembled at the end.
    pub multipart: bool,
    /// When it was opened, in milliseconds since 1970.
    pub began_at: u64,
    /// When it ends, in milliseconds since 1970.
    pub expires_at: Option<u64>,
}

/// Any provider, as the engine sees it: [`Provider`] with its types erased. Each method is the provider's of that name.
pub trait DynProvider<P: Platform> {
    /// See [`Provider::name`].
    fn name(&self) -> &'static str;
    /// See [`Provider::capabilities`].
    fn capabilities(&self) -> Capabilities;
    /// See [`Provider::accept`].
    fn accept(&self) -> Accept;
    /// See [`Provider::cors_rule`].
    fn cors_rule(&self, page_origin: &str) -> Option<String>;
    /// See [`Provider::hosts`].
    fn hosts(&self, cx: &Context<P>) -> usize;
    /// See [`Provider::has_other_host`].
    fn has_other_host(&self, cx: &Context<P>) -> bool;
    /// See [`Provider::check`].
    fn check<'a>(&'a self, cx: &'a Context<P>) -> LocalBoxFuture<'a, Result<Option<Outcome<P::Json>>>>;
    /// See [`Provider::open`].
    fn open<'a>(&'a self, cx: &'a Context<P>) -> LocalBoxFuture<'a, Result<SharedSession<P>>>;
    /// Reads a session from its record; None where it is incomplete.
    fn load(&self, base: SavedBase, record: &P::Json) -> Option<SharedSession<P>>;
    /// See [`Provider::restore`].
    fn restore<'a>(
        &'a self,
        cx: &'a Context<P>,
        session: &'a dyn AnySession<P::Json>,
        saved: Progressed<P::Json>,
    ) -> LocalBoxFuture<'a, Result<Progressed<P::Json>>>;
    /// See [`Provider::part_request`].
    fn part_request<'a>(
        &'a self,
        cx: &'a Context<P>,
        session: &'a dyn AnySession<P::Json>,
        part: &'a Part,
        renew: bool,
    ) -> LocalBoxFuture<'a, Result<RequestOf<P>>>;
    /// See [`Provider::receipt`].
    fn receipt(
        &self,
        cx: &Context<P>,
        session: &dyn AnySession<P::Json>,
        part: &Part,
        response: &Response,
    ) -> Result<Receipt<P::Json>>;
    /// See [`Provider::completed_before`].
    fn completed_before(&self, session: &dyn AnySession<P::Json>, error: &UploadError) -> bool;
    /// See [`Provider::complete`].
    fn complete<'a>(
        &'a self,
        cx: &'a Context<P>,
        session: &'a dyn AnySession<P::Json>,
        parts: &'a [Receipt<P::Json>],
        again: bool,
    ) -> LocalBoxFuture<'a, Result<Outcome<P::Json>>>;
    /// See [`Provider::settle`].
    fn settle<'a>(
        &'a self,
        cx: &'a Context<P>,
        session: &'a dyn AnySession<P::Json>,
        outcome: Outcome<P::Json>,
    ) -> LocalBoxFuture<'a, Result<Outcome<P::Json>>>;
    /// See [`Provider::abort`].
    fn abort<'a>(&'a self, cx: &'a Context<P>, session: &'a dyn AnySession<P::Json>) -> LocalBoxFuture<'a, bool>;
}

/// The session with its provider's type; None for another provider's session, which the engine never passes.
#[inline(never)] // Each step of the provider calls it.
fn typed<P: Platform, T: Provider<P>>(session: &dyn AnySession<P::Json>) -> Option<&Session<T::Session>> {
    session.as_any().downcast_ref()
}

fn mixed_up() -> UploadError {
    UploadError::new(Code::Internal, "The session belongs to another provider.")
}

/// The error of a step for another provider's session. Generic over the result only, not over the provider.
#[cold]
#[inline(never)]
fn refused<'a, T: 'a>() -> LocalBoxFuture<'a, Result<T>> {
    ready(Err(mixed_up())).boxed_local()
}

impl<P: Platform, T: Provider<P>> DynProvider<P> for T {
    fn name(&self) -> &'static str {
        Provider::name(self)
    }

    fn capabilities(&self) -> Capabilities {
        Provider::capabilities(self)
    }

    fn accept(&self) -> Accept {
        Provider::accept(self)
    }

    fn cors_rule(&self, page_origin: &str) -> Option<String> {
        Provider::cors_rule(self, page_origin)
    }

    fn hosts(&self, cx: &Context<P>) -> usize {
        Provider::hosts(self, cx)
    }

    fn has_other_host(&self, cx: &Context<P>) -> bool {
        Provider::has_other_host(self, cx)
    }

    fn check<'a>(&'a self, cx: &'a Context<P>) -> LocalBoxFuture<'a, Result<Option<Outcome<P::Json>>>> {
        Provider::check(self, cx).boxed_local()
    }

    fn open<'a>(&'a self, cx: &'a Context<P>) -> LocalBoxFuture<'a, Result<SharedSession<P>>> {
        async move {
            let began_at = cx.platform.now();
            let session = Provider::open(self, cx).await?;
            Ok(Rc::new(Session { began_at, ..session }) as SharedSession<P>)
        }
        .boxed_local()
    }

    fn load(&self, base: SavedBase, record: &P::Json) -> Option<SharedSession<P>> {
        let SavedBase { plan, multipart, began_at, expires_at } = base;
        let state = T::Session::load(record)?;
        Some(Rc::new(Session { plan, multipart, began_at, expires_at, state }))
    }

    fn restore<'a>(
        &'a self,
        cx: &'a Context<P>,
        session: &'a dyn AnySession<P::Json>,
        saved: Progressed<P::Json>,
    ) -> LocalBoxFuture<'a, Result<Progressed<P::Json>>> {
        match typed::<P, T>(session) {
            Some(session) => Provider::restore(self, cx, session, saved).boxed_local(),
            None => refused(),
        }
    }

    fn part_request<'a>(
        &'a self,
        cx: &'a Context<P>,
        session: &'a dyn AnySession<P::Json>,
        part: &'a Part,
        renew: bool,
    ) -> LocalBoxFuture<'a, Result<RequestOf<P>>> {
        match typed::<P, T>(session) {
            Some(session) => Provider::part_request(self, cx, session, part, renew).boxed_local(),
            None => refused(),
        }
    }

    fn receipt(
        &self,
        cx: &Context<P>,
        session: &dyn AnySession<P::Json>,
        part: &Part,
        response: &Response,
    ) -> Result<Receipt<P::Json>> {
        Provider::receipt(self, cx, typed::<P, T>(session).ok_or_else(mixed_up)?, part, response)
    }

    fn completed_before(&self, session: &dyn AnySession<P::Json>, error: &UploadError) -> bool {
        typed::<P, T>(session).is_some_and(|session| Provider::completed_before(self, session, error))
    }

    fn complete<'a>(
        &'a self,
        cx: &'a Context<P>,
        session: &'a dyn AnySession<P::Json>,
        parts: &'a [Receipt<P::Json>],
        again: bool,
    ) -> LocalBoxFuture<'a, Result<Outcome<P::Json>>> {
        match typed::<P, T>(session) {
            Some(session) => Provider::complete(self, cx, session, parts, again).boxed_local(),
            None => refused(),
        }
    }

    fn settle<'a>(
        &'a self,
        cx: &'a Context<P>,
        session: &'a dyn AnySession<P::Json>,
        outcome: Outcome<P::Json>,
    ) -> LocalBoxFuture<'a, Result<Outcome<P::Json>>> {
        match typed::<P, T>(session) {
            Some(session) => Provider::settle(self, cx, session, outcome).boxed_local(),
            None => refused(),
        }
    }

    fn abort<'a>(&'a self, cx: &'a Context<P>, session: &'a dyn AnySession<P::Json>) -> LocalBoxFuture<'a, bool> {
        match typed::<P, T>(session) {
            Some(session) => Provider::abort(self, cx, session).boxed_local(),
            None => ready(false).boxed_local(),
        }
    }
}
