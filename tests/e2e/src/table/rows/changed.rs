//! A file that has changed by the time it is sent.

use anyhow::Result;
use serde_json::json;

use super::super::case::{Case, Ending};
use super::underway;
use crate::files;

/// Overwritten in place, with as many other bytes.
pub(super) async fn changed(case: Case<'_>) -> Result<Ending> {
    let (page, file) = case.page().await?;
    let mut what = underway::what(case)?;
    // WebKit sends the headers of a request whose file has changed, and then nothing.
    what["options"]["stallMs"] = json!(2_000);
    let (upload, _) = underway::begin(case, &page, what).await?;
    let folder = file.path.parent().expect("it lies in a folder");
    files::random(folder, &file.name, file.size)?;
    case.stage.sandbox.faults(json!([])).await?;
    let report = page.settled(upload).await?;
    let most = file.size;
    case.ended(report, file).await?.failed("file-changed", most)
}
