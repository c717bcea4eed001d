//! The presigned URL of a part, and the PUT to it.

use crate::context::Context;
use crate::error::Result;
use crate::http::{Request, StoreRequest, Url};
use crate::model::plan::Part;
use crate::platform::{Platform, RequestOf};
use crate::util::text;

/// A URL from a plan, parsed; None for what isn't an absolute http or https URL. A relative one would lead to the page's own server.
pub(crate) fn absolute_url<P: Platform>(platform: &P, url: &str) -> Option<Url> {
    platform.resolve(url).filter(|_| text::contains(url, "://"))
}

/// The request that sends a part to a presigned URL.
///
/// # Errors
/// Those of [`StoreRequest::put_part`].
pub(crate) fn put_part<P: Platform>(cx: &Context<P>, part: &Part, url: Url) -> Result<RequestOf<P>> {
    let file = cx.file().body(part.range, Some(cx.file().known_type()));
    StoreRequest::put_part(&cx.platform.origin(), url, file).map(Request::Store)
}
