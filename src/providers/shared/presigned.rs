//! The PUT of a part to a presigned URL.

use crate::context::Context;
use crate::error::{Result, Step};
use crate::http::{Body, Method, Request, StoreRequest, Url};
use crate::model::plan::Part;
use crate::platform::{Platform, RequestOf};

/// The request that puts a part where a presigned URL leads.
///
/// # Errors
/// Those of [`StoreRequest::new`].
pub(crate) fn put_part<P: Platform>(cx: &Context<P>, part: &Part, url: Url) -> Result<RequestOf<P>> {
    let content_type = cx.file.known_type();
    let headers = url.type_header(content_type);
    let body = Body::File(cx.file.body(part.range, Some(content_type)));
    StoreRequest::new(&cx.platform.origin(), Step::Part, Method::Put, url, headers, body).map(Request::Store)
}
