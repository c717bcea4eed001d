//! Whether the file is unchanged since it was picked.

use crate::context::Context;
use crate::context::reading::file_changed;
use crate::error::{Result, Step};
use crate::model::plan::ByteRange;
use crate::platform::Platform;

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
