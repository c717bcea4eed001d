//! Requests that hang: the watchdog ends them, and what may be sent again is.

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::super::case::{Case, Ended, Ending};
use super::broken;

/// Long enough for bytes that do go, short enough to wait for.
const STALL_MS: u64 = 1_500;

pub(super) async fn before_the_body(case: Case<'_>) -> Result<Ending> {
    let ended = stall(case, "start").await?;
    broken::repeated(&ended).await
}

pub(super) async fn within_the_body(case: Case<'_>) -> Result<Ending> {
    let ended = stall(case, "body").await?;
    broken::repeated(&ended).await
}

pub(super) async fn before_the_answer(case: Case<'_>) -> Result<Ending> {
    let ended = stall(case, "answer").await?;
    broken::lost_answer(&ended).await
}

async fn stall<'a>(case: Case<'a>, when: &str) -> Result<Ended<'a>> {
    let fault = case.on_bytes(json!({ "skip": 1, "times": 1, "effect": { "kind": "stall", "when": when } }));
    let ended = case.upload(json!([fault]), |options| options["stallMs"] = json!(STALL_MS)).await?;
    let all = ended.log.of(case.destination.bytes_route());
    let stalled = all.iter().find(|one| one.faults.iter().any(|fault| fault.starts_with("stall")));
    let stalled = stalled.context("nothing stalled")?;
    let again = all.iter().filter(|one| one.piece() == stalled.piece()).find(|one| one.started_ms > stalled.started_ms);
    if let Some(again) = again {
        let waited = again.started_ms - stalled.started_ms;
        ensure!((STALL_MS - 100..STALL_MS * 6).contains(&waited), "sent again {waited} ms after what stalled");
    }
    Ok(ended)
}
