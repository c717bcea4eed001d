//! Whether the file is still the one that was picked.

use crate::context::Context;
use crate::error::{Code, Result, Step, UploadError};
use crate::model::plan::ByteRange;
use crate::platform::Platform;

/// The file isn't the one that was picked any more.
pub(super) fn file_changed() -> UploadError {
    UploadError::new(Code::FileChanged, "The file was changed, moved or removed during the upload.")
        .at(Step::Part)
        .hint("Pick the file again.")
}

/// A file that was changed or removed makes a request fail like a lost connection; one byte tells them apart.
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
