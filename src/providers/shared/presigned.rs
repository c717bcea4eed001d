//! The PUT of a part to a presigned URL.

use crate::context::Context;
use crate::error::Result;
use crate::http::{Request, StoreRequest, Url};
use crate::model::plan::Part;
use crate::platform::{Platform, RequestOf};

/// The request that sends a part to a presigned URL.
///
/// # Errors
/// Those of [`StoreRequest::put_part`].
pub(crate) fn put_part<P: Platform>(cx: &Context<P>, part: &Part, url: Url) -> Result<RequestOf<P>> {
    let file = cx.file.body(part.range, Some(cx.file.known_type()));
    StoreRequest::put_part(&cx.platform.origin(), url, file).map(Request::Store)
}
