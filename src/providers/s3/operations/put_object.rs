//! PutObject.

use crate::context::Context;
use crate::error::{Result, Step};
use crate::http::Method;
use crate::model::plan::Part;
use crate::platform::{Platform, StoreRequestOf};
use crate::providers::s3::client::{Operation, S3Client};

/// The signed request for the whole object, which is the only part of its plan. `headers` are the object's, and the condition.
///
/// # Errors
/// Those of [`S3Client::sign_part`].
pub(crate) async fn put_object<P: Platform>(
    client: &S3Client,
    cx: &Context<P>,
    key: &str,
    headers: &[(String, String)],
    part: &Part,
) -> Result<StoreRequestOf<P>> {
    let operation = Operation { headers, ..Operation::new(Step::Part, Method::Put, key, &[]) };
    client.sign_part(cx, &operation, part).await
}
