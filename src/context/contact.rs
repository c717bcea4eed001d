//! A request to another origin, and what its answer, or the lack of one, tells of that origin.

use super::Context;
use super::cors;
use super::reach::Next;
use crate::error::{Code, Result, Retry, UploadError};
use crate::http::{Request, Response, Url};
use crate::platform::{Platform, RequestOf};
use crate::sync::timeout::timeout;
use crate::util::text;

/// How long a probe is waited for. (A choice: a server that takes longer proves nothing in time.)
const PROBE_MS: u64 = 5_000;

/// A request to another origin than the page's.
#[derive(Debug)]
pub(super) struct Contact {
    origin: String,
    /// What to do where its answers can't be read.
    hint: String,
}

impl Contact {
    /// For a request whose answer a CORS rule may keep from the page: not to the page's own origin, and not by a URL that has expired,
    /// which a store may refuse without CORS headers.
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

    /// Milliseconds to wait before it is sent.
    pub(super) fn wait<P: Platform>(&self, cx: &Context<P>, now: u64) -> u64 {
        cx.shared.reach.wait(&self.origin, now)
    }

    /// Learns from what came of it, which began at `started`. `moved`: bytes of the body went out, so the server's rule had let the
    /// request through, and what failed is something else.
    ///
    /// # Errors
    /// The one that it got, with what to do where that is known by now; final, where another try would end the same way.
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
                    reach.disturbed(origin);
                }
                return Err(error);
            }
            Ok(response) => {
                reach.answered(origin);
                return Ok(response);
            }
        };
        let mut next = Next::Retry;
        if !moved && cx.is_online() && !reach.is_readable(origin) {
            next = reach.failed(origin, cx.began_at, started, platform.now());
        }
        if next == Next::Probe {
            let (mut probe, mut limit) = (platform.probe(origin), platform.sleep(PROBE_MS));
            let found = timeout(probe.as_mut(), limit.as_mut()).await == Some(true);
            next = reach.probed(origin, found, platform.now());
        }
        if next == Next::Tell {
            let what = "{} answers, but the browser keeps the answers from this page (CORS). Partway keeps trying. {}";
            platform.warn(&text::fill(what, &[&origin, &self.hint]));
        }
        Err(match next {
            Next::EndReason => blocked(origin, &error).hint(self.hint),
            _ if reach.is_suspect(origin) => error.hint(self.hint),
            // Another request to the origin may have been allowed, and this one not: a rule has methods and headers too.
            _ => error.hint(text::concat(&["If it never works: ", &self.hint])),
        })
    }
}

/// The error where the page can't read what an origin answers.
fn blocked(origin: &str, error: &UploadError) -> UploadError {
    let message = text!("{} answers, but the browser keeps the answers from this page (CORS).", origin);
    error.clone().renamed(Code::Network, message).answer_lost(error.answer_lost).no_readable_answer().retry(Retry::Never)
}

