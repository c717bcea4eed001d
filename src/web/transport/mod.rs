//! Sending requests: by `XMLHttpRequest`, which reports how many bytes were sent, or by `fetch`.

mod before_request;
mod body;
mod fetch;
mod headers;
mod limits;
mod policy;
pub(super) mod probe;
mod request;
mod xhr;

use std::rc::Rc;

use js_sys::Function;
use wasm_bindgen::JsValue;
use web_sys::{RequestCredentials, XmlHttpRequest};

use self::policy::Policy;
use self::request::Outgoing;
use super::file_bytes::FileBytes;
use super::js::url;
use super::options::{BrowserOptions, Transport};
use crate::http::{Request, Response};
use crate::platform::{OnSent, SendFailure};

/// Sends a request and reads its answer. Dropping the future aborts it. `before_request` is the application's.
pub(super) fn send(
    options: Rc<BrowserOptions>,
    before_request: Option<Function>,
    request: &Request<JsValue, FileBytes>,
    on_sent: OnSent,
) -> impl Future<Output = Result<Response, SendFailure>> + 'static {
    let outgoing = Outgoing::new(options.credentials, request);
    async move {
        let mut outgoing = outgoing?;
        if !outgoing.presigned {
            if let Some(before_request) = &before_request {
                before_request::call(before_request, &mut outgoing).await?;
            }
            outgoing.serialise()?;
            outgoing.parsed = url::resolve(&outgoing.url);
        }
        let policy = Policy::watch(outgoing.parsed.clone());
        // Service workers have no XMLHttpRequest.
        let xhr = if uses_xhr(&options, &outgoing) { XmlHttpRequest::new().ok() } else { None };
        let result = match xhr {
            Some(xhr) => xhr::start(xhr, &outgoing, on_sent)?.response().await,
            None => fetch::start(options.fetch.as_ref(), &outgoing)?.response().await,
        };
        policy.explain(result).await
    }
}

/// Whether a request goes by `XMLHttpRequest`. Bytes of the file do, so that progress is known to listeners that are added at any time,
/// and so that it is known how many bytes went out.
fn uses_xhr(options: &BrowserOptions, outgoing: &Outgoing) -> bool {
    match options.transport {
        // XMLHttpRequest follows redirects, and would send a vendor's key there.
        _ if options.fetch.is_some() || outgoing.has_credentials => false,
        // XMLHttpRequest may answer out of the browser's cache: a poll would get an earlier status. A header against it would have to be
        // allowed by another server's CORS rule, and a changed URL may be refused by a proxy. A store's requests are signed again
        // each time, so their URLs differ.
        _ if !outgoing.presigned && outgoing.method == "GET" => false,
        Transport::Fetch => false,
        Transport::Xhr => true,
        Transport::Auto => {
            let needs_progress = outgoing.must_not_repeat || outgoing.size > 0;
            // XMLHttpRequest sends cookies to the page's own origin, whatever the caller wants.
            let omits_cookies = outgoing.credentials == RequestCredentials::Omit && !outgoing.presigned;
            let is_same_origin = || outgoing.parsed.as_ref().is_some_and(|url| url.origin == url::origin());
            needs_progress && !(omits_cookies && is_same_origin())
        }
    }
}
