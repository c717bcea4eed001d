//! Whether the file is unchanged since it was picked.

use crate::context::Context;
use crate::error::{Code, Result, Step, UploadError};
use crate::model::plan::ByteRange;
use crate::platform::Platform;

/// The error if the file has changed since it was picked.
pub(super) fn file_changed() -> UploadError {
    UploadError::new(Code::FileChanged, "The file was changed, moved or removed during the upload.")
        .at(Step::Part)
        .hint("Pick the file again.")
}

/// Reads one byte of a range: if the file was changed or removed, a request fails like one whose connection was lost.
///
/// # Errors
/// `file-changed`, `file-unreadable`.
pub(super) async fn still_readable<P: Platform>(cx: &Context<P>, range: ByteRange) -> Result<()> {
    if range.is_empty() {
        return Ok(());
    }
    let first = ByteRange::new(range.start, range.start + 1);
    match cx.read(first).await.map_err(|error| error.at(Step::Part))? {
        Some(_) => Ok(()),
        None => Err(file_changed()),
    }
}
