//! UploadPart.

use crate::context::Context;
use crate::error::{Result, Step};
use crate::http::Method;
use crate::model::plan::Part;
use crate::platform::{Platform, StoreRequestOf};
use crate::providers::s3::client::{Operation, S3Client};
use crate::util::text;

/// The signed request for one part of several. `headers` are its checksum, where the store checks it.
///
/// # Errors
/// Those of [`S3Client::sign_part`].
pub(crate) async fn upload_part<P: Platform>(
    client: &S3Client,
    cx: &Context<P>,
    key: &str,
    upload_id: &str,
    headers: &[(String, String)],
    part: &Part,
) -> Result<StoreRequestOf<P>> {
    let number = text::number(part.number.into());
    let query = [("partNumber", number.as_str()), ("uploadId", upload_id)];
    let operation = Operation { headers, ..Operation::new(Step::Part, Method::Put, key, &query) };
    client.sign_part(cx, &operation, part).await
}
