//! What must have come of a scenario.

use std::collections::BTreeSet;

use partway::error::{Code, UploadError};
use partway::model::events::UploadResult;

use super::excuses::{self, Case};
use super::invariants;
use super::scenario::{Expectation, Scenario};
use super::stage::{History, Stage};
use super::stored::was_damaged;
use crate::check::ensure;
use serde_json::Value;

/// Holds a story against its scenario: its own end first; then the application tries again what failed, without faults. Gives the
/// excuses that were needed.
pub(crate) fn judge(stage: &std::rc::Rc<Stage>) -> Result<BTreeSet<&'static str>, String> {
    let mut needed = BTreeSet::new();
    let before = stage.histories.borrow().clone();
    for (index, history) in before.iter().enumerate() {
        needed.extend(first_end(stage, history).map_err(|broken| format!("file {index}: {broken}"))?);
    }
    needed.extend(invariants::hold(stage)?);
    if stage.try_again(is_tried_again)? {
        let after = stage.histories.borrow().clone();
        for (index, (history, before)) in after.iter().zip(&before).enumerate() {
            if history.attempts.len() > before.attempts.len() {
                let of_file = |broken| format!("file {index}, tried again: {broken}");
                needed.extend(second_end(stage, history).map_err(of_file)?);
            }
        }
        needed.extend(invariants::hold(stage)?);
    }
    Ok(needed)
}

/// Whether the application tries again what ended so.
fn is_tried_again(history: &History) -> bool {
    let Some(Err(error)) = history.result() else { return false };
    let read_again = history.hung && error.code == Code::FileUnreadable;
    (read_again || !is_final(error.code)) && !history.spoiled
}

/// Codes after which the application doesn't simply try again.
fn is_final(code: Code) -> bool {
    matches!(code, Code::Cancelled | Code::Conflict | Code::OutcomeUnknown | Code::FileChanged | Code::FileUnreadable)
}

/// Checks the first end of an upload; gives the excuse that it needed.
fn first_end(stage: &Stage, history: &History) -> Result<Option<&'static str>, String> {
    let scenario = &stage.scenario;
    match history.result() {
        Some(Ok(result)) => {
            arrived(stage, history, &result)?;
            ensure!(!matches!(scenario.expectation, Expectation::Doomed(_)), "it succeeded, where it can't");
            sent_once(scenario, &result)
        }
        Some(Err(error)) => {
            let discards = history.last().is_some_and(|attempt| attempt.discards);
            let told = || format!("it failed: {error} ({:?})", error.step);
            ensure!(!discards || error.code == Code::Cancelled, "discarded, {}", told());
            ensure!(discards || history.cancelled || error.code != Code::Cancelled, "nobody cancelled it");
            if error.code == Code::Cancelled || is_named(scenario, &error) {
                return Ok(None);
            }
            let excuses = excuses::of_first_end(&Case { stage, history, error: &error });
            ensure!(!excuses.is_empty(), "{}", told());
            Ok(excuses::alone(&excuses))
        }
        // Its page went before it was begun.
        None if history.last().is_none() => Ok(None),
        None => Err("it never ended".into()),
    }
}

/// Whether the scenario's faults name the error by themselves.
fn is_named(scenario: &Scenario, error: &UploadError) -> bool {
    match &scenario.expectation {
        Expectation::Calm | Expectation::Passing => false,
        Expectation::Doomed(codes) => codes.contains(&error.code),
        // That an outcome is unknown has reasons of its own, whatever the faults.
        Expectation::Storm => {
            let refused = scenario.servers.capacity.is_some() && error.code == Code::RateLimited;
            let explained = || scenario.troubles.iter().any(|trouble| trouble.codes.contains(&error.code));
            error.code != Code::OutcomeUnknown && (refused || explained())
        }
    }
}

/// Where nothing goes wrong, each part is sent once; gives the excuse that this needed.
fn sent_once(scenario: &Scenario, result: &UploadResult<Value>) -> Result<Option<&'static str>, String> {
    if scenario.expectation != Expectation::Calm || result.attempts == result.parts {
        return Ok(None);
    }
    let excuses = excuses::of_repeated_parts(scenario, result);
    ensure!(!excuses.is_empty(), "{} attempts for {} parts", result.attempts, result.parts);
    Ok(excuses::alone(&excuses))
}

/// Checks the end of an upload that was tried again without faults; gives the excuse that it needed.
fn second_end(stage: &Stage, history: &History) -> Result<Option<&'static str>, String> {
    match history.result() {
        Some(Ok(result)) => arrived(stage, history, &result).map(|()| None),
        Some(Err(error)) => {
            let excuses = excuses::of_second_end(&Case { stage, history, error: &error });
            ensure!(!excuses.is_empty(), "it failed: {error} ({:?})", error.step);
            Ok(excuses::alone(&excuses))
        }
        None => Err("it never ended".into()),
    }
}

/// The result names what is stored, and that is the file.
fn arrived(stage: &Stage, history: &History, result: &UploadResult<Value>) -> Result<(), String> {
    if let Err(broken) = stage.world.has_arrived(&history.file, result) {
        let proven = result.verified || result.outcome.proof.is_some();
        ensure!(was_damaged(stage, history), "{broken}");
        ensure!(!proven, "damaged bytes are proven: {:?}; {broken}", result.outcome.proof);
    }
    if let Some(session) = history.session.filter(|_| history.last().is_some_and(|attempt| !attempt.handle.is_gone())) {
        ensure!(stage.world.kept(session).is_none(), "what is done is still kept");
    }
    Ok(())
}
