//! All tests, by what they are about.

mod arrive;
mod between;
mod control;
mod crash;
mod demo_page;
mod dropzone;
mod faults;
mod fits;
mod form;
mod frameworks;
mod headers;
mod large;
mod many;
mod misuse;
mod once;
mod plan;
mod readme;
mod s3;
mod vendors;
mod vite;

use anyhow::Result;
use serde_json::{Value, json};

use crate::destination::Destination;
use crate::page::Page;
use crate::runner::Test;
use crate::stage::{MIB, Stage};

/// The whole list.
pub(crate) fn all() -> Vec<Test> {
    [
        arrive::tests(),
        faults::tests(),
        once::tests(),
        control::tests(),
        many::tests(),
        headers::tests(),
        between::tests(),
        plan::tests(),
        form::tests(),
        s3::tests(),
        vendors::tests(),
        misuse::tests(),
        demo_page::tests(),
        dropzone::tests(),
        crash::tests(),
        vite::tests(),
        frameworks::tests(),
        fits::tests(),
        readme::tests(),
        large::tests(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The size of a file that is sent in several parts, the last one short.
pub(crate) const SEVERAL_PARTS: u64 = 22 * MIB + 12_345;

/// Options of an `Uploader` for a destination: small parts, and a retry that doesn't keep a test waiting.
pub(crate) fn options(stage: &Stage, destination: Destination) -> Result<Value> {
    let mut provider = stage.provider(destination)?;
    if destination == Destination::S3 {
        provider["partSize"] = json!(5 * MIB);
    }
    Ok(json!({ "provider": provider, "retry": { "baseMs": 50, "capMs": 500 } }))
}

/// Uploads a small file to another destination, from start to end: whatever the page still had to send to the first
/// destination would have been sent in the meantime.
pub(super) async fn meanwhile(stage: &Stage, page: &Page<'_>, first: Destination) -> Result<()> {
    let other = if first == Destination::Ofauth { Destination::Apifansly } else { Destination::Ofauth };
    let file = json!({ "text": "meanwhile", "name": "meanwhile.mp4", "type": "video/mp4" });
    let report = page.upload(json!({ "file": file, "options": options(stage, other)? })).await?;
    report.done().map(drop)
}

/// Vendors that process at once, and whose plan for a file of several parts has parts.
pub(crate) async fn quick(stage: &Stage) -> Result<()> {
    let knobs = json!({
        "onlymonster": { "processingMs": 20, "multipartThreshold": 8 * MIB, "partCount": 5 },
        "apifansly": { "processingMs": 20 },
        "form": { "processingMs": 20 },
        "plan": { "partSize": 5 * MIB, "firstBatch": 2 },
    });
    stage.sandbox.vendors(knobs).await
}
