//! What the page itself forbids: its Content-Security-Policy, and plain http on a page that came by https. A request that is
//! forbidden fails as a lost connection does.

use std::pin::pin;

use js_sys::Function;
use wasm_bindgen::prelude::*;

use super::globals::{listen, unlisten};
use super::js::{Handler, text};
use super::outgoing::Outgoing;
use super::signal::Signal;
use super::{timer, url};
use crate::error::{Code, Retry, UploadError};
use crate::http::{Response, Url};
use crate::platform::SendFailure;
use crate::sync::timeout::timeout;
use crate::util::text;

/// The event, at a document and in a worker alike (Content Security Policy Level 3, "Report a violation").
const EVENT: &str = "securitypolicyviolation";
/// How long it is waited for after the failure. (A choice: it comes a task later at most.)
const EVENT_MS: u64 = 100;

/// The page's rules, while a request is under way.
pub(super) struct Policy {
    url: Option<Url>,
    /// Given where the policy forbids the request.
    forbidden: Signal<()>,
    handler: Handler,
}

impl Policy {
    pub(super) fn over(outgoing: &Outgoing) -> Self {
        let url = url::resolve(&outgoing.url);
        let origin = url.as_ref().map(|url| url.origin.clone());
        let forbidden = Signal::new();
        let found = forbidden.clone();
        let handler = Handler::new(move |event: JsValue| {
            if origin.as_deref().is_some_and(|origin| forbids(&event, origin)) {
                found.give(());
            }
        });
        listen(EVENT, function(&handler));
        Self { url, forbidden, handler }
    }

    /// What came of the request, with the page's own word where it forbids it.
    pub(super) async fn judged(mut self, answer: Result<Response, SendFailure>) -> Result<Response, SendFailure> {
        if !matches!(answer, Err(SendFailure::Network { .. })) {
            return answer;
        }
        let Some(url) = self.url.take() else { return answer };
        if url.is_mixed_content(&url::origin()) {
            return Err(refused(
                text!("A page that came by https can't make requests to {}.", url.origin),
                "Give an https address.".into(),
            ));
        }
        if timeout(pin!(&mut self.forbidden), pin!(timer::sleep(EVENT_MS))).await.is_none() {
            return answer;
        }
        Err(refused(
            text!("The page's Content-Security-Policy forbids requests to {}.", url.origin),
            text!(
                "Add {} to the policy's directive connect-src, as in `connect-src 'self' {}`. Where it has none, default-src holds: \
                 add one.",
                url.origin,
                url.origin
            ),
        ))
    }
}

impl Drop for Policy {
    fn drop(&mut self) {
        unlisten(EVENT, function(&self.handler));
    }
}

fn function(handler: &Handler) -> &Function {
    handler.as_ref().unchecked_ref()
}

fn refused(message: String, hint: String) -> SendFailure {
    SendFailure::Refused(
        UploadError::new(Code::Network, message).hint(hint).answer_lost(false).retry(Retry::Never).retryable(false),
    )
}

/// True where the event says that the policy, enforced, forbids a request to that origin.
fn forbids(event: &JsValue, origin: &str) -> bool {
    let directive = text(event, "effectiveDirective").unwrap_or_default();
    let uri = text(event, "blockedURI").unwrap_or_default();
    text(event, "disposition").as_deref() == Some("enforce")
        && matches!(directive.as_str(), "connect-src" | "default-src")
        && text::contains(&uri, "://")
        && url::resolve(&uri).is_some_and(|url| url.origin == origin)
}
