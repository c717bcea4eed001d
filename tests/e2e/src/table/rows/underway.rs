//! An upload that is being sent.

use anyhow::Result;
use serde_json::{Value, json};

use super::super::case::Case;
use crate::page::{Page, Report, Upload};

/// Parts in flight at once.
pub(super) const AT_ONCE: u64 = 2;

/// Slow enough that requests stay in flight for a while.
pub(super) fn slow(case: Case<'_>) -> Value {
    let rate = if case.destination.has_parts() { 1_500_000 } else { 4_000_000 };
    case.on_bytes(json!({ "skip": 1, "effect": { "kind": "bandwidth", "bytesPerSecond": rate } }))
}

/// What is uploaded.
pub(super) fn what(case: Case<'_>) -> Result<Value> {
    let mut options = case.options()?;
    options["concurrency"] = json!(AT_ONCE);
    Ok(json!({ "options": options }))
}

/// Starts the picked file's upload, and waits until it has sent a part and bytes of another.
pub(super) async fn begin(case: Case<'_>, page: &Page<'_>, what: Value) -> Result<(Upload, Report)> {
    case.stage.sandbox.faults(json!([slow(case)])).await?;
    let upload = page.start(what).await?;
    let report = page
        .when(upload, "underway", |report| {
            report.last.as_ref().is_some_and(|last| {
                let behind: u64 = report.parts.iter().map(|part| part.end + 1 - part.start).sum();
                let has_part = last.parts.done >= 1 || !case.destination.has_parts();
                has_part && last.parts.in_flight >= 1 && last.sent > behind as f64
            })
        })
        .await?;
    Ok((upload, report))
}
