//! A request to another origin, and what its result shows about that origin.

use super::Context;
use super::cors;
use super::reach::Next;
use crate::error::{Code, Result, Retry, UploadError};
use crate::http::{Request, Response, Url};
use crate::platform::{Platform, RequestOf};
use crate::sync::timeout::timeout;
use crate::util::text;

/// The deadline of a probe. (A choice: a server that takes longer proves nothing in time.)
const PROBE_MS: u64 = 5_000;
/// What to do where nothing answers, before what CORS needs.
const UNREACHED: &str =
    "Check the address, and whether the server is running and can be reached from this machine. If it is: ";

/// A request to another origin than the page's.
#[derive(Debug)]
pub(super) struct Contact {
    origin: String,
    /// What to do if its answers can't be read.
    hint: String,
}

impl Contact {
    /// For a request whose answer CORS may keep from the page; None for one to the page's own origin, and for an expired URL, which a
    /// store may refuse without CORS headers.
    pub(super) fn of<P: Platform>(cx: &Context<P>, request: &RequestOf<P>) -> Option<Self> {
        let url: Url = match request {
            Request::Api(request) => cx.platform.resolve(&request.url)?,
            Request::Store(request) => request.url().clone(),
        };
        let expired = url.expires_at().is_some_and(|at| at <= cx.server_now());
        if expired || url.origin == cx.platform.origin() {
            return None;
        }
        Some(Self { hint: cors::hint(cx, request, &url), origin: url.origin })
    }

    /// Milliseconds to wait before the request is sent.
    pub(super) fn wait<P: Platform>(&self, cx: &Context<P>, now: u64) -> u64 {
        cx.shared.reach.wait(&self.origin, now)
    }

    /// Notes the result of a request that began at `started`. `moved`: bytes of the body were sent, so CORS allowed the request, and the
    /// failure has another reason.
    ///
    /// # Errors
    /// The request's own, with a hint where one is known; final if another attempt would fail the same way.
    pub(super) async fn learn<P: Platform>(
        self,
        cx: &Context<P>,
        answer: Result<Response>,
        started: u64,
        moved: bool,
    ) -> Result<Response> {
        let (reach, platform, origin) = (&cx.shared.reach, &cx.platform, self.origin.as_str());
        let error = match answer {
            Err(error) if error.no_readable_answer => error,
            Err(error) => {
                if error.code == Code::Network {
                    reach.foreign_answer(origin);
                }
                return Err(error);
            }
            Ok(response) => {
                reach.answered(origin);
                return Ok(response);
            }
        };
        if moved {
            reach.took_bytes(origin);
        }
        let mut next = Next::Retry;
        if !moved && cx.is_online() && !reach.is_readable(origin) {
            next = reach.failed(origin, cx.began_at, started, platform.now());
        }
        if next == Next::Probe {
            let (mut probe, mut limit) = (platform.probe(origin), platform.sleep(PROBE_MS));
            let found = timeout(probe.as_mut(), limit.as_mut()).await == Some(true);
            // Without a network it proves nothing.
            if found || cx.is_online() {
                next = reach.probed(origin, found, platform.now());
            }
        }
        if cx.is_online() && reach.is_silent(origin) {
            let (message, hint) = (text!("Nothing answers at {}.", origin), text::concat(&[UNREACHED, &self.hint]));
            if next == Next::WarnSilent {
                platform.warn(&text::concat(&[&message, " Partway keeps trying. ", &hint]));
            }
            return Err(without_answer(message, &error).hint(hint));
        }
        if next == Next::Warn {
            let warning =
                "{} answers, but the browser keeps the answers from this page (CORS). Partway keeps trying. {}";
            platform.warn(&text::fill(warning, &[&origin, &self.hint]));
        }
        Err(match next {
            Next::End => blocked(origin, &error).hint(self.hint),
            _ if reach.is_suspect(origin) => error.hint(self.hint),
            // CORS may allow another request to the origin and not this one: a rule has methods and headers too.
            _ => error.hint(text::concat(&["If it never works: ", &self.hint])),
        })
    }
}

/// The error if the page can't read an origin's answers.
fn blocked(origin: &str, error: &UploadError) -> UploadError {
    let message = text!("{} answers, but the browser keeps the answers from this page (CORS).", origin);
    without_answer(message, error).retry(Retry::Never)
}

/// The same failure in other words.
fn without_answer(message: String, error: &UploadError) -> UploadError {
    error.clone().renamed(Code::Network, message).answer_lost(error.answer_lost).no_readable_answer()
}
