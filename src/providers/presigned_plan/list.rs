//! `list`: the parts that the store has.

use crate::context::Context;
use crate::context::calls::Idempotency;
use crate::error::{Step, UploadError};
use crate::json::{decode, decoded};
use crate::platform::{Hook, Platform};
use crate::providers::shared::listed::Listed;

decoded! {
    struct StoredPart {
        part_number: u32 = "partNumber",
        size: u64 = "size",
        etag: String = "etag",
    }
}

/// Why the store's parts aren't known.
#[derive(Debug)]
pub(super) enum ListFailure {
    /// The call failed.
    Call(UploadError),
    /// It returned something else than a list of parts, which the sentence describes.
    Value(String),
}

/// Asks the application for the parts that the store has.
///
/// # Errors
/// The error that the function threw, or a description of the invalid value that it returned.
pub(super) async fn list<P: Platform>(cx: &Context<P>, plan_json: &P::Json) -> Result<Vec<Listed>, ListFailure> {
    let json = cx
        .hook(Hook::ListParts, vec![plan_json.clone()], Step::List, Idempotency::Safe)
        .await
        .map_err(ListFailure::Call)?;
    let parts: Vec<StoredPart> = decode(&json).map_err(|mismatch| {
        ListFailure::Value(text!("`list` must return [{ partNumber, size, etag }]: {}.", mismatch.message()))
    })?;
    let listed = parts.into_iter().map(|part| Listed {
        number: part.part_number,
        size: part.size,
        etag: part.etag,
        checksum: None,
    });
    Ok(listed.collect())
}
