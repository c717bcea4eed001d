//! What holds in every story, whatever happened.

use std::collections::{BTreeMap, BTreeSet};

use partway::error::Code;

use super::destination::Destination;
use super::excuses;
use super::scenario::{Expectation, Incident, Scenario};
use super::stage::{Attempt, History, Stage};
use super::stored::{OPENS, stored, was_damaged};
use crate::check::ensure;
use crate::log::Record;
use crate::servers::{BadHost, STORE_TWO};

/// Checks what holds in every story; gives the excuses that it needed.
pub(crate) fn hold(stage: &Stage) -> Result<BTreeSet<&'static str>, String> {
    let mut needed = BTreeSet::new();
    for (index, history) in stage.histories.borrow().iter().enumerate() {
        let of_file = |broken: String| format!("file {index}: {broken}");
        needed.extend(stored_as_often_as_begun(stage, history).map_err(of_file)?);
        kept_parts_are_not_sent_again(stage, history).map_err(of_file)?;
        unreadable_sessions_are_not_resumed(stage, history).map_err(of_file)?;
        forgotten_where_it_ended(stage, history).map_err(of_file)?;
        keeps_no_secret(stage, history).map_err(of_file)?;
    }
    needed.extend(no_second_effect(stage)?);
    nothing_is_left_open(stage)?;
    keeps_the_rate_limit(stage)?;
    no_store_is_hammered(stage)?;
    a_bad_host_is_left_out(stage)?;
    Ok(needed)
}

/// A file is stored once for each time that it was begun, at most, and once at least where its upload succeeded.
fn stored_as_often_as_begun(stage: &Stage, history: &History) -> Result<Option<&'static str>, String> {
    let (stored, begun) = (stored(stage, history), history.beginnings());
    let arrived = matches!(history.result(), Some(Ok(_)));
    ensure!(stored >= 1 || !arrived || was_damaged(stage, history), "it isn't there");
    if stored <= begun {
        return Ok(None);
    }
    if history.provider["repeatable"] == true {
        let forms = stage.world.sent("form:upload").len();
        ensure!(stored <= forms, "it is there {stored} times, after {forms} forms");
        return Ok(None);
    }
    let excuses = excuses::of_double(stage);
    ensure!(stored == begun + 1 && !excuses.is_empty(), "it is there {stored} times, and was begun {begun} times");
    Ok(excuses::alone(&excuses))
}

/// What ended for good is saved no longer.
fn forgotten_where_it_ended(stage: &Stage, history: &History) -> Result<(), String> {
    let Some(Err(error)) = history.result() else { return Ok(()) };
    let ends = matches!(error.code, Code::Cancelled | Code::OutcomeUnknown | Code::FileChanged);
    let lives = history.last().is_some_and(|attempt| !attempt.handle.is_gone());
    let kept = history.session.filter(|_| ends && lives).and_then(|session| stage.world.kept(session));
    ensure!(kept.is_none(), "it ended with {}, and is still kept", error.code.as_str());
    Ok(())
}

/// A saved session that can't be read is none: the upload opens a new one.
fn unreadable_sessions_are_not_resumed(stage: &Stage, history: &History) -> Result<(), String> {
    let opens = match stage.scenario.destination {
        Destination::Apifansly | Destination::Form | Destination::Policy => false,
        Destination::S3 => history.file.size() >= history.provider["multipartThreshold"].as_u64().unwrap_or(0),
        _ => true,
    };
    let newer = |attempt: &&Attempt| {
        attempt.damaged
            && attempt.kept.as_ref().is_some_and(|kept| kept.record.as_ref().is_some_and(|r| r["version"] != 1))
    };
    for attempt in history.attempts.iter().filter(newer).filter(|_| opens) {
        let arrived = matches!(attempt.handle.result(), Some(Ok(result)) if !result.outcome.already_there);
        let number = attempt.handle.number();
        let log = stage.world.log();
        let opened = log.records.iter().any(|record| record.upload == number && OPENS.contains(&record.route));
        ensure!(!arrived || opened, "a session that can't be read is resumed");
    }
    Ok(())
}

/// Nothing that was opened is left behind, where nothing could keep an upload from giving it up.
fn nothing_is_left_open(stage: &Stage) -> Result<(), String> {
    let scenario = &stage.scenario;
    let undisturbed = matches!(scenario.expectation, Expectation::Calm | Expectation::Passing)
        && scenario
            .occurrences
            .iter()
            .all(|occurrence| matches!(occurrence.incident, Incident::Pause { .. } | Incident::PageEvent(_)))
        && scenario.line.ghosts == 0.0
        && scenario.troubles.iter().all(|trouble| trouble.rule.route.ends_with("UploadPart"));
    // One that ended for the network, or for a busy store, is kept, to be resumed; one that seems to be completed is never aborted.
    let passes = |code| matches!(code, Code::Network | Code::RateLimited | Code::IntegrityMismatch);
    let waits = |history: &History| matches!(history.result(), Some(Err(error)) if passes(error.code));
    // Giving up has a deadline: where another upload's parts take every connection for minutes, no abort arrives.
    let unheard = |record: &Record| record.route == "store:AbortMultipartUpload" && record.arrived_at.is_none();
    let gives_up = !stage.histories.borrow().iter().any(waits) && !stage.world.log().records.iter().any(unheard);
    if undisturbed && gives_up {
        let open = stage.world.servers().store.open_uploads();
        ensure!(open.is_empty(), "uploads are left open: {open:?}");
    }
    Ok(())
}

/// A part that was verified and kept isn't sent again by an upload that goes on with its session.
fn kept_parts_are_not_sent_again(stage: &Stage, history: &History) -> Result<(), String> {
    for attempt in &history.attempts {
        let Some(kept) = attempt.kept.as_ref().filter(|_| !attempt.damaged) else { continue };
        let log = stage.world.log();
        let own = log.records.iter().filter(|record| record.upload == attempt.handle.number());
        // A session of its own: nothing of the old one counts.
        let own: Vec<&Record> = own.take_while(|record| !OPENS.contains(&record.route)).collect();
        for part in kept.parts.values().filter(|part| part["verified"] == true) {
            let start = part["start"].as_u64();
            let again = own.iter().find(|record| record.range.is_some_and(|range| Some(range.start) == start));
            ensure!(again.is_none(), "a part that was kept is sent again: {part}");
        }
    }
    Ok(())
}

/// Neither a key of the vendor's nor one of the store's is saved.
fn keeps_no_secret(stage: &Stage, history: &History) -> Result<(), String> {
    let Some(kept) = history.session.and_then(|session| stage.world.kept(session)) else { return Ok(()) };
    let text = format!("{kept:?}");
    let servers = stage.world.servers();
    let keys = ["ofauth-key", "onlymonster-token", "apifansly-key", "form-key"];
    let secret = keys.into_iter().chain(servers.secrets.iter().map(String::as_str)).find(|key| text.contains(key));
    ensure!(secret.is_none(), "a secret is kept: {text}");
    Ok(())
}

/// A call that must not be repeated has its effect once, and isn't sent again after it; gives the excuse that this needed. The calls
/// of the application's own functions may be made by a later page, which knows what storage kept.
fn no_second_effect(stage: &Stage) -> Result<Option<&'static str>, String> {
    let log = stage.world.log();
    let mut effects: BTreeMap<(&str, String), u64> = BTreeMap::new();
    let mut needed = None;
    for record in &log.records {
        let name = match (record.route, &record.json) {
            ("onlymonster:export" | "onlymonster:finish", Some(json)) => json["key"].to_string(),
            ("plan:complete", Some(arguments)) => arguments[0]["key"].to_string(),
            _ => continue,
        };
        let call = (record.route, name);
        if let Some(done_at) = effects.get(&call) {
            if record.sent_at < *done_at && record.effects == 0 {
                continue;
            }
            let excuses = if record.route == "plan:complete" { excuses::of_second_call(stage) } else { Vec::new() };
            ensure!(!excuses.is_empty(), "{} is sent again after it took effect", record.route);
            needed = excuses::alone(&excuses);
        } else if record.effects > 0 {
            ensure!(record.effects == 1, "{} took effect twice", record.route);
            effects.insert(call, record.arrived_at.unwrap_or(record.sent_at));
        }
    }
    Ok(needed)
}

/// Onlymonster is never asked more often than it allows, as far as one page can know.
fn keeps_the_rate_limit(stage: &Stage) -> Result<(), String> {
    let disturbed = |scenario: &Scenario| {
        let cuts = scenario.occurrences.iter().any(|occurrence| {
            !matches!(occurrence.incident, Incident::Pause { .. } | Incident::PageEvent(_) | Incident::Spoil { .. })
        });
        cuts || scenario.line.ghosts > 0.0 || !scenario.troubles.is_empty()
    };
    if stage.scenario.destination != Destination::Onlymonster || disturbed(&stage.scenario) {
        return Ok(());
    }
    let log = stage.world.log();
    let refused = log.records.iter().any(|record| record.status == Some(429));
    ensure!(!refused, "Onlymonster was asked too often");
    Ok(())
}

/// A store that takes few parts isn't asked many times for each, and one that takes none is asked now and then.
fn no_store_is_hammered(stage: &Stage) -> Result<(), String> {
    let servers = &stage.scenario.servers;
    if servers.capacity.is_none() || !stage.scenario.troubles.is_empty() {
        return Ok(());
    }
    let (log, pages, slots) = (stage.world.log(), stage.world.pages() as usize, slots(stage));
    let parts = || log.records.iter().filter(|record| record.route.starts_with("store:") && record.range.is_some());
    let (refused, all) = (parts().filter(|record| record.status == Some(503)).count(), parts().count());
    // Pauses double: each host is asked by all slots at first, and then at most a dozen times.
    let hosts =
        if stage.scenario.uploads.iter().any(|upload| upload.provider.get("endpoints").is_some()) { 2 } else { 1 };
    let most = if servers.down_ms.is_some() { pages * hosts * (slots + 12) } else { 16 + 2 * (all - refused) };
    ensure!(refused <= most, "{refused} of {all} parts were refused, over {pages} pages with {slots} slots");
    Ok(())
}

fn slots(stage: &Stage) -> usize {
    stage.scenario.options["concurrency"].as_u64().unwrap_or(0) as usize
}

/// A host that refuses gets no more parts than are under way when its first answer comes.
fn a_bad_host_is_left_out(stage: &Stage) -> Result<(), String> {
    if stage.scenario.servers.bad_host != Some(BadHost::Refuses) || !stage.scenario.troubles.is_empty() {
        return Ok(());
    }
    let (log, pages, slots) = (stage.world.log(), stage.world.pages() as usize, slots(stage));
    let sent =
        log.records.iter().filter(|record| record.url.starts_with(STORE_TWO) && record.status == Some(403)).count();
    ensure!(
        sent <= slots * pages,
        "{sent} parts went to a host that refuses them, over {pages} pages with {slots} slots"
    );
    Ok(())
}
