//! A file beyond 4 GiB: no number is cut to 32 bits anywhere between the file and the store.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::FutureExt;
use serde_json::json;

use super::options;
use crate::destination::Destination;
use crate::runner::Test;
use crate::stage::{MIB, Stage};

const SIZE: u64 = 6 * 1024 * MIB + 4_321;
const PART: u64 = 512 * MIB;
const PATIENCE: u64 = 420;

pub(super) fn tests() -> Vec<Test> {
    [Destination::S3, Destination::Plan]
        .into_iter()
        .map(|destination| {
            Test::new(format!("{}: a sparse file of 6 GiB", destination.name()), move |stage| {
                sparse(stage, destination).boxed_local()
            })
            .patience(PATIENCE)
        })
        .collect()
}

async fn sparse(stage: &Stage, destination: Destination) -> Result<()> {
    stage.sandbox.vendors(json!({ "plan": { "partSize": PART } })).await?;
    let file = stage.sparse_file("sparse.bin", SIZE)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let mut options = options(stage, destination)?;
    if destination == Destination::S3 {
        options["provider"]["partSize"] = json!(PART);
    } else {
        // The other transport, and only the sending: the other destination's upload checks the parts' MD5s.
        options["transport"] = json!("fetch");
        options["integrity"] = json!("off");
    }
    let upload = page.start(json!({ "options": options })).await?;
    let report = page.settled_within(upload, Duration::from_secs(PATIENCE)).await?;
    let result = report.done()?;
    stage.arrived(destination, result, &file).await?;

    let parts = SIZE.div_ceil(PART);
    ensure!(result["parts"] == parts, "{result}");
    let mut ranges: Vec<(u64, u64)> = report.parts.iter().map(|part| (part.start, part.end)).collect();
    ranges.sort_unstable();
    let wanted: Vec<(u64, u64)> = (0..parts).map(|n| (n * PART, ((n + 1) * PART).min(SIZE) - 1)).collect();
    ensure!(ranges == wanted, "the ranges were {ranges:?}");
    let log = stage.log().await?;
    for part in log.of("store:UploadPart") {
        let number: u64 = part.parameter("partNumber").context("no part number")?.parse()?;
        let (start, end) = wanted[usize::try_from(number)? - 1];
        ensure!(part.bytes == end + 1 - start, "part {number} had {} bytes", part.bytes);
    }
    let last = report.last.as_ref().context("no progress")?;
    ensure!(last.total == SIZE as f64 && last.sent == SIZE as f64, "{last:?}");
    Ok(())
}
