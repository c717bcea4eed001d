//! Requests that hang: the watchdog ends them, and those that may be repeated are. The simulation tests when, in virtual
//! time.

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::super::case::{Case, Ended, Ending};
use super::broken;

/// Long enough for bytes that are being sent, short enough to wait for.
const STALL_MS: u64 = 1_500;

pub(super) async fn before_the_body(case: Case<'_>) -> Result<Ending> {
    let ended = stall(case, "start", 2).await?;
    broken::repeated(&ended).await
}

pub(super) async fn within_the_body(case: Case<'_>) -> Result<Ending> {
    let ended = stall(case, "body", 2).await?;
    broken::repeated(&ended).await
}

pub(super) async fn before_the_answer(case: Case<'_>) -> Result<Ending> {
    // A request that may have taken effect is sent again where that is harmless.
    let ended = stall(case, "answer", if case.destination.has_parts() { 2 } else { 1 }).await?;
    broken::lost_answer(&ended).await
}

/// One request stalls; its part of the file is sent this many times.
async fn stall<'a>(case: Case<'a>, when: &str, times: usize) -> Result<Ended<'a>> {
    let fault = case.on_bytes(json!({ "skip": 1, "times": 1, "effect": { "kind": "stall", "when": when } }));
    let ended = case.upload(json!([fault]), |options| options["stallMs"] = json!(STALL_MS)).await?;
    let all = ended.log.of(case.destination.bytes_route());
    let stalled = all.iter().find(|one| one.faults.iter().any(|fault| fault.starts_with("stall")));
    let stalled = stalled.context("nothing stalled")?;
    ensure!(stalled.status.is_none(), "it was answered, so the page did not end it: {stalled:?}");
    let of_the_piece = all.iter().filter(|one| one.piece() == stalled.piece()).count();
    ensure!(of_the_piece == times, "what stalled was sent {of_the_piece} times, not {times}");
    Ok(ended)
}
