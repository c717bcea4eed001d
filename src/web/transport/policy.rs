//! Detects requests that the page itself forbids: requests against its Content-Security-Policy, and plain http from a page loaded
//! over https. Such a request fails as a lost connection does.

use std::pin::pin;

use wasm_bindgen::JsValue;

use crate::error::{Code, Retry, UploadError};
use crate::http::{Response, Url};
use crate::platform::SendFailure;
use crate::sync::timeout::timeout;
use crate::util::text;
use crate::web::js::globals::{listen, unlisten};
use crate::web::js::handler::as_function;
use crate::web::js::object;
use crate::web::js::{Handler, Signal, timer, url};

/// The event, at a document and in a worker alike (Content Security Policy Level 3, "Report a violation").
const EVENT: &str = "securitypolicyviolation";
/// How long the event is waited for after the failure. (A choice: it comes a task later at most.)
const EVENT_MS: u64 = 100;

/// The page's rules, watched while a request is in flight.
pub(super) struct Policy {
    url: Option<Url>,
    /// Set where the policy forbids the request.
    forbidden: Signal<()>,
    handler: Handler,
}

impl Policy {
    /// Watches for a violation by a request to that URL.
    pub(super) fn watch(url: Option<Url>) -> Self {
        let origin = url.as_ref().map(|url| url.origin.clone());
        let forbidden = Signal::new();
        let found = forbidden.clone();
        let handler = Handler::new(move |event: JsValue| {
            if origin.as_deref().is_some_and(|origin| forbids(&event, origin)) {
                found.set(());
            }
        });
        listen(EVENT, as_function(&handler));
        Self { url, forbidden, handler }
    }

    /// The request's result. If the page's rules caused a lost connection, the result is an error that says so.
    pub(super) async fn explain(mut self, result: Result<Response, SendFailure>) -> Result<Response, SendFailure> {
        if !matches!(result, Err(SendFailure::Network { .. })) {
            return result;
        }
        let Some(url) = self.url.take() else { return result };
        if url.is_mixed_content(&url::origin()) {
            return Err(refused(
                text!("The page was loaded over https, so the browser forbids requests to {}.", url.origin),
                "Use an https URL.".into(),
            ));
        }
        if timeout(pin!(&mut self.forbidden), pin!(timer::sleep(EVENT_MS))).await.is_none() {
            return result;
        }
        Err(refused(
            text!("The page's Content-Security-Policy forbids requests to {}.", url.origin),
            text!(
                "Add {} to the policy's directive connect-src, as in `connect-src 'self' {}`. A policy without connect-src applies \
                 default-src: add connect-src.",
                url.origin,
                url.origin
            ),
        ))
    }
}

impl Drop for Policy {
    fn drop(&mut self) {
        unlisten(EVENT, as_function(&self.handler));
    }
}

fn refused(message: String, hint: String) -> SendFailure {
    SendFailure::Refused(
        UploadError::new(Code::Network, message).hint(hint).answer_lost(false).retry(Retry::Never).retryable(false),
    )
}

/// Whether the event says that the policy, enforced, forbids a request to that origin.
fn forbids(event: &JsValue, origin: &str) -> bool {
    let directive = object::text(event, "effectiveDirective").unwrap_or_default();
    let uri = object::text(event, "blockedURI").unwrap_or_default();
    object::text(event, "disposition").as_deref() == Some("enforce")
        && matches!(directive.as_str(), "connect-src" | "default-src")
        && text::contains(&uri, "://")
        && url::resolve(&uri).is_some_and(|url| url.origin == origin)
}
