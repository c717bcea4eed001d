//! AbortMultipartUpload.

use crate::context::Context;
use crate::error::{Result, Step};
use crate::http::Method;
use crate::platform::Platform;
use crate::providers::s3::client::{Operation, S3Client};

/// Ends an upload, and deletes the parts that are stored. A part that is in flight may still be stored afterwards.
///
/// # Errors
/// `session-expired` where the store doesn't know the upload (any more); those of [`S3Client::call`].
pub(crate) async fn abort_multipart_upload<P: Platform>(
    client: &S3Client,
    cx: &Context<P>,
    key: &str,
    upload_id: &str,
) -> Result<()> {
    let query = [("uploadId", upload_id)];
    let operation = Operation::new(Step::Abort, Method::Delete, key, &query);
    client.call(cx, &operation, &cx.settings.retry).await.map(|_| ())
}
