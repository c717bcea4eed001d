//! CreateMultipartUpload.

use crate::context::Context;
use crate::error::{Code, Result, Step, UploadError};
use crate::http::Method;
use crate::platform::Platform;
use crate::providers::s3::client::{Operation, Reply, S3Client};
use crate::providers::shared::xml;

/// The most bytes of an upload's id. (A choice: stores' have some hundreds, and it goes into each part's URL.)
const MAX_UPLOAD_ID: usize = 4096;

/// Opens an upload of several parts, and gives its id. `headers` are the object's.
///
/// # Errors
/// `server` for an id that can't be used; those of [`S3Client::call`].
pub(crate) async fn create_multipart_upload<P: Platform>(
    client: &S3Client,
    cx: &Context<P>,
    key: &str,
    headers: &[(String, String)],
) -> Result<String> {
    let operation = Operation {
        headers,
        reply: Reply::Element("UploadId"),
        ..Operation::new(Step::Init, Method::Post, key, &[("uploads", "")])
    };
    // It is repeated however often its answer was lost: an upload without parts stores nothing.
    let response = client.call(cx, &operation, &cx.settings.retry).await?;
    match xml::child(&response.body, "UploadId") {
        Some(id) if (1..=MAX_UPLOAD_ID).contains(&id.len()) => Ok(id),
        id => {
            let len = id.map_or(0, |id| id.len());
            let message = text!("The store's `UploadId` must have 1 to {} bytes, but has {}.", MAX_UPLOAD_ID, len);
            Err(UploadError::new(Code::Server, message)
                .at(Step::Init)
                .hint("Check `endpoint`: a server that is no S3 store may have answered."))
        }
    }
}
