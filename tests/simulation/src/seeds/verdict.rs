//! What must have come of a scenario.

use std::collections::BTreeMap;

use partway::error::{Code, UploadError};
use partway_models::content::{Content, tile};

use super::scenario::{Class, Scenario, What, Who};
use super::stage::{Attempt, Line, Stage, is_final};
use crate::check::{ensure, is_file};
use crate::fault::Fault;
use crate::log::Record;
use crate::servers::BUCKET;
use crate::storage::SavedSession;

/// Holds a story against its scenario. First its own end; then the application tries again what failed, without trouble.
pub(crate) fn judge(stage: &std::rc::Rc<Stage>) -> Result<(), String> {
    let lines = stage.lines.borrow().clone();
    for (index, line) in lines.iter().enumerate() {
        ended(stage, line).map_err(|broken| format!("file {index}: {broken}"))?;
    }
    always(stage)?;
    let again = stage.try_again(|line| match line.result() {
        Some(Err(error)) => {
            (!is_final(error.code) || (line.hung && error.code == Code::FileUnreadable)) && !line.spoiled
        }
        _ => false,
    })?;
    if again {
        let after = stage.lines.borrow().clone();
        for (index, (line, before)) in after.iter().zip(&lines).enumerate() {
            if line.attempts.len() > before.attempts.len() {
                recovered(stage, line).map_err(|broken| format!("file {index}, tried again: {broken}"))?;
            }
        }
        always(stage)?;
    }
    Ok(())
}

/// The first end of an upload.
fn ended(stage: &Stage, line: &Line) -> Result<(), String> {
    let scenario = &stage.scenario;
    let Some(result) = line.result() else {
        return match line.last() {
            // Its page went before its turn came.
            None => Ok(()),
            Some(_) => Err("it never ended".into()),
        };
    };
    match result {
        Ok(result) => {
            arrived(stage, line)?;
            ensure!(!matches!(scenario.class, Class::Doomed(_)), "it succeeded, where it can't");
            // OFAuth's allowance is used up after some ninety parts.
            if scenario.class == Class::Calm && scenario.skew_ms == 0 && result.parts < 80 && scenario.wishes.len() == 1
            {
                ensure!(result.attempts == result.parts, "{} attempts for {} parts", result.attempts, result.parts);
            }
            Ok(())
        }
        Err(error) => {
            let told = || format!("it failed: {error} ({:?})", error.step);
            if line.last().is_some_and(|attempt| attempt.discards) {
                ensure!(error.code == Code::Cancelled, "discarded, {}", told());
                return Ok(());
            }
            if error.code == Code::Cancelled {
                ensure!(line.cancelled, "nobody cancelled it");
                return Ok(());
            }
            ensure!(allows(stage, line, &error), "{}", told());
            Ok(())
        }
    }
}

/// Whether what happened explains a failure.
fn allows(stage: &Stage, line: &Line, error: &UploadError) -> bool {
    let scenario = &stage.scenario;
    if error.code == Code::OutcomeUnknown && !matches!(scenario.class, Class::Doomed(_)) {
        return may_be_unknown(stage, line) || had_no_connection(stage, line);
    }
    // A record that outlived its upload leads to one that is there.
    let kept = line.last().is_some_and(|attempt| attempt.kept.is_some());
    if error.code == Code::Conflict && scenario.who == Who::Ofauth && kept && stored(stage, line) > 0 {
        return true;
    }
    // Given up at the moment of a crash: the server heard of it, and no later page did.
    let given_up = |record: &&Record| record.route == "plan:abort" && record.effects > 0;
    if error.code == Code::Application && kept && scenario.who == Who::Plan && excused(stage) {
        return true;
    }
    if error.code == Code::Application && kept && of_line(stage, line, |records| records.filter(given_up).count() > 0) {
        return true;
    }
    if error.code == Code::Stalled && had_no_connection(stage, line) {
        return true;
    }
    if came_through_before(stage, line, error) || never_readable(stage, line, error) {
        return true;
    }
    match &scenario.class {
        Class::Calm => false,
        Class::Passing => application_failed(stage, line, error) || outlived_anew(stage, line, error),
        // What fails for longer than URLs live ends with whichever runs out first, the tries or the URLs.
        Class::Doomed(codes) => {
            let outlived = stage.world.elapsed() > scenario.knobs.url_expires_s * 1000;
            codes.contains(&error.code) || (outlived && error.code == Code::UrlExpired)
        }
        Class::Storm => {
            let cut = |what: &What| matches!(what, What::Offline { .. } | What::Nap { .. });
            let slept = scenario.turns.iter().any(|turn| {
                matches!(turn.what, What::Offline { .. } | What::Nap { .. } | What::Pause { .. } | What::Crash { .. })
            });
            scenario.troubles.iter().any(|trouble| trouble.codes.contains(&error.code))
                || (scenario.turns.iter().any(|turn| cut(&turn.what))
                    && matches!(error.code, Code::Network | Code::Stalled))
                || (slept && matches!(error.code, Code::UrlExpired | Code::SessionExpired | Code::ProcessingTimeout))
                // The last try may be the one that finds out about the clock.
                || (scenario.skew_ms != 0
                    && scenario.who == Who::S3
                    && matches!(error.code, Code::Forbidden | Code::UrlExpired))
                || (slept && scenario.who == Who::S3 && error.code == Code::Unauthorized)
                // One that began anew because the store denied it finds what it sent before.
                || (error.code == Code::Conflict && line.provider["ifNoneMatch"] == true && stored(stage, line) > 0)
                // A bound on processing passes while answers hang or don't come.
                || error.code == Code::ProcessingTimeout
                || (line.hung && error.code == Code::FileUnreadable)
                || (line.spoiled && matches!(error.code, Code::FileChanged | Code::FileUnreadable))
                // URLs that last two minutes lapse while answers hang.
                || (scenario.short_urls() && matches!(error.code, Code::UrlExpired))
                || outlived_anew(stage, line, error)
                || application_failed(stage, line, error)
                || (error.code == Code::Application && hook_failed(stage, line))
        }
    }
}

/// Requests of it hung for as long as what it was granted lives, after it had begun anew, which it does once.
fn outlived_anew(stage: &Stage, line: &Line, error: &UploadError) -> bool {
    let stalls = |fault: &Fault| matches!(fault, Fault::StallInBody | Fault::StallAnswer);
    let lapsed = matches!(error.code, Code::UrlExpired | Code::SessionExpired);
    if !lapsed || !stage.scenario.troubles.iter().any(|trouble| stalls(&trouble.rule.fault)) {
        return false;
    }
    of_line(stage, line, |records| {
        let (mut grants, mut granted_at, mut ended_at) = (0, 0, 0);
        for record in records {
            if OPENS.contains(&record.route) && record.status == Some(200) {
                (grants, granted_at) = (grants + 1, record.sent_at);
            }
            ended_at = ended_at.max(record.ended_at.unwrap_or(record.sent_at));
        }
        grants > 1 && ended_at - granted_at >= stage.scenario.knobs.url_expires_s * 1000
    })
}

/// Requests to the origin of its last one hung on all the connections that there are, so that the last ones never left.
fn had_no_connection(stage: &Stage, line: &Line) -> bool {
    let Some(most) = stage.scenario.line.connections else { return false };
    let Some(last) = line.last().map(|attempt| attempt.handle.number()) else { return false };
    let log = stage.world.log();
    let Some(record) = log.records.iter().rev().find(|record| record.upload == last) else { return false };
    let origin = |url: &str| url.split('/').take(3).collect::<Vec<_>>().join("/");
    let hung = log.records.iter().filter(|other| {
        other.upload != last
            && other.sent_at < record.sent_at
            && other.status.is_none()
            && origin(&other.url) == origin(&record.url)
    });
    record.arrived_at.is_none() && hung.count() >= most
}

/// Several requests in a row were lost, from the first to an origin on, and it was there each time that a probe asked: from the page
/// that can't be told from a missing CORS rule. What tells of bytes that went out isn't taken for it; what something else answered is no
/// answer of the origin's, and what was lost before it doesn't count.
fn never_readable(stage: &Stage, line: &Line, error: &UploadError) -> bool {
    let Some((origin, _)) = error.message.split_once(" answers, but the browser keeps") else { return false };
    let Some(last) = line.last() else { return false };
    let log = stage.world.log();
    let own = |record: &&Record| record.upload == last.handle.number() && record.url.starts_with(origin);
    let records: Vec<&Record> = log.records.iter().filter(own).collect();
    let foreign = |record: &&Record| record.status == Some(200) && record.effects == 0;
    let unread = |record: &&Record| matches!(record.status, None | Some(0));
    let lost = records.iter().rev().take_while(|record| unread(record)).filter(|record| record.told == 0).count();
    error.code == Code::Network && records.iter().all(|record| unread(record) || foreign(record)) && lost > 0
}

/// An earlier upload of the file may have come through, whatever became of its page: the key exists.
fn came_through_before(stage: &Stage, line: &Line, error: &UploadError) -> bool {
    let again = line.beginnings() > 1 || excused(stage);
    error.code == Code::Conflict && again && line.provider["ifNoneMatch"] == true
}

/// A function of the application that is called once failed or hung, by no fault of the engine's.
fn application_failed(stage: &Stage, line: &Line, error: &UploadError) -> bool {
    let failed = |record: &&Record| matches!(record.route, "plan:open" | "plan:complete") && record.status != Some(200);
    matches!(error.code, Code::Application | Code::Stalled)
        && of_line(stage, line, |records| records.filter(failed).count() > 0)
}

/// The network failed a function of the application.
fn hook_failed(stage: &Stage, line: &Line) -> bool {
    of_line(stage, line, |records| {
        records.filter(|record| record.method.is_empty() && record.status == Some(0)).count() > 0
    })
}

/// A call that can't be repeated went out whole, and nothing usable came back.
fn may_be_unknown(stage: &Stage, line: &Line) -> bool {
    let once: &[&str] = match stage.scenario.who {
        Who::Apifansly => &["apifansly:upload"],
        Who::Ofauth => &["ofauth:single", "ofauth:complete"],
        Who::Onlymonster => &["onlymonster:finish", "onlymonster:export"],
        Who::S3 => &["store:CompleteMultipartUpload", "store:PutObject"],
        Who::Plan => &["plan:complete"],
    };
    // A store that fails whenever the object is looked at tells nothing of it.
    let scenario = &stage.scenario;
    let headless = of_line(stage, line, |records| {
        records.filter(|record| record.route == "store:HeadObject" && record.status != Some(200)).count() > 0
    });
    let storm = scenario.class == Class::Storm;
    if scenario.who == Who::S3 && storm && headless {
        return true;
    }
    // What passes is reconciled, where there is anything to reconcile it with.
    if stage.scenario.class == Class::Passing && !matches!(stage.scenario.who, Who::Apifansly | Who::Plan) {
        return false;
    }
    // What was about to be called when the page went may have been called.
    let phases: &[&str] = match stage.scenario.who {
        Who::Apifansly => &["sending", "completing"],
        Who::Plan | Who::Ofauth => &["completing"],
        _ => &[],
    };
    let begun = |attempt: &Attempt| {
        attempt.kept.as_ref().and_then(SavedSession::phase).is_some_and(|phase| phases.contains(&phase))
    };
    if line.attempts.iter().any(begun) {
        return true;
    }
    let lost = |record: &&Record| {
        // Where nothing was told it is open how much went out.
        once.contains(&record.route)
            && (record.whole || record.effects > 0 || record.told == 0)
            && record.status.is_none_or(|status| !(300..500).contains(&status))
    };
    of_line(stage, line, |records| records.filter(lost).count() > 0)
}

fn of_line<T>(stage: &Stage, line: &Line, read: impl FnOnce(&mut dyn Iterator<Item = &Record>) -> T) -> T {
    let log = stage.world.log();
    let numbers: Vec<usize> = line.attempts.iter().map(|attempt| attempt.handle.number()).collect();
    read(&mut log.records.iter().filter(|record| numbers.contains(&record.upload)))
}

/// The end of what was tried again without trouble.
fn recovered(stage: &Stage, line: &Line) -> Result<(), String> {
    match line.result() {
        Some(Ok(_)) => arrived(stage, line),
        Some(Err(error)) if error.code == Code::OutcomeUnknown && may_be_unknown(stage, line) => Ok(()),
        Some(Err(error)) if came_through_before(stage, line, &error) => Ok(()),
        // A large file takes longer than URLs that last two minutes.
        Some(Err(error)) if error.code == Code::UrlExpired && stage.scenario.short_urls() => Ok(()),
        Some(Err(error)) => Err(format!("it failed: {error} ({:?})", error.step)),
        None => Err("it never ended".into()),
    }
}

/// The result names what is stored, and that is the file.
fn arrived(stage: &Stage, line: &Line) -> Result<(), String> {
    let Some(Ok(result)) = line.result() else { return Ok(()) };
    ensure!(result.bytes == line.file.size(), "the result's size isn't the file's");
    is_file(&line.file, &stage.world.try_pieces(&result)?)?;
    if let Some(session) = line.session.filter(|_| line.last().is_some_and(|attempt| !attempt.handle.is_gone())) {
        ensure!(stage.world.kept(session).is_none(), "what is done is still kept");
    }
    Ok(())
}

/// What holds whatever happened.
fn always(stage: &Stage) -> Result<(), String> {
    for (index, line) in stage.lines.borrow().iter().enumerate() {
        let stored = stored(stage, line);
        let most = line.beginnings() + usize::from(excused(stage));
        ensure!(stored <= most, "file {index} is there {stored} times, and was begun {most} times");
        if let Some(Ok(_)) = line.result() {
            ensure!(stored >= 1, "file {index} isn't there");
        }
        restored(stage, line).map_err(|broken| format!("file {index}: {broken}"))?;
        unread(stage, line).map_err(|broken| format!("file {index}: {broken}"))?;
        if let Some(Err(error)) = line.result()
            && matches!(error.code, Code::Cancelled | Code::OutcomeUnknown | Code::FileChanged)
            && let Some(session) = line.session.filter(|_| line.last().is_some_and(|attempt| !attempt.handle.is_gone()))
        {
            ensure!(
                stage.world.kept(session).is_none(),
                "file {index} ended with {}, and is still kept",
                error.code.as_str()
            );
        }
        if let Some(kept) = line.session.and_then(|session| stage.world.kept(session)) {
            keeps_no_secret(stage, &kept)?;
        }
    }
    no_second_effect(stage)?;
    no_orphans(stage)?;
    keeps_pace(stage)
}

/// Whether an upload may be there twice by no fault of the engine's: storage that fails loses even the word that its record is out
/// of date; a vendor that denies an upload which it completed is believed; and a backend that didn't hear that an upload is given up
/// keeps what came of it.
fn excused(stage: &Stage) -> bool {
    let scenario = &stage.scenario;
    let crashes = scenario.turns.iter().any(|turn| matches!(turn.what, What::Crash { .. }));
    if crashes && (scenario.storage.slow.is_some() || scenario.storage.full_after.is_some()) {
        return true;
    }
    match scenario.who {
        Who::Ofauth => {
            let denies = |fault: &Fault| matches!(fault, Fault::Answer { response, .. } if response.status == 404);
            scenario.troubles.iter().any(|trouble| trouble.rule.route == "ofauth:single" && denies(&trouble.rule.fault))
        }
        Who::Plan => {
            let unheard = |record: &Record| record.route == "plan:abort" && record.effects == 0;
            crashes && stage.world.log().records.iter().any(unheard)
        }
        _ => false,
    }
}

/// How often a file is at its destination.
fn stored(stage: &Stage, line: &Line) -> usize {
    let servers = stage.world.servers();
    let is_it = |pieces: &[Content]| match line.file.id() {
        Some(id) => tile(pieces).is_some_and(|tile| tile.file == id),
        None => is_file(&line.file, pieces).is_ok(),
    };
    match stage.scenario.who {
        Who::Ofauth => servers.ofauth.entries().into_iter().filter(|pieces| is_it(pieces)).count(),
        Who::Apifansly => {
            servers.apifansly.entries().into_iter().filter(|content| is_it(std::slice::from_ref(*content))).count()
        }
        Who::Onlymonster => {
            let keys = servers.onlymonster.exported_keys();
            keys.into_iter()
                .filter(|key| servers.vault.contents(BUCKET, key).is_some_and(|pieces| is_it(&pieces)))
                .count()
        }
        Who::S3 | Who::Plan => servers.store.entries(BUCKET).into_iter().filter(|(_, pieces)| is_it(pieces)).count(),
    }
}

/// Calls that open an upload.
const OPENS: [&str; 4] = ["ofauth:init", "onlymonster:start", "store:CreateMultipartUpload", "plan:open"];

/// A record that can't be read is none: the upload begins anew.
fn unread(stage: &Stage, line: &Line) -> Result<(), String> {
    let opens = match stage.scenario.who {
        Who::Apifansly => false,
        Who::S3 => line.file.size() >= line.provider["multipartThreshold"].as_u64().unwrap_or(0),
        _ => true,
    };
    let newer = |attempt: &&Attempt| {
        attempt.damaged
            && attempt.kept.as_ref().is_some_and(|kept| kept.record.as_ref().is_some_and(|r| r["version"] != 1))
    };
    for attempt in line.attempts.iter().filter(newer).filter(|_| opens) {
        let arrived = matches!(attempt.handle.result(), Some(Ok(result)) if !result.outcome.already_there);
        let number = attempt.handle.number();
        let log = stage.world.log();
        let opened = log.records.iter().any(|record| record.upload == number && OPENS.contains(&record.route));
        ensure!(!arrived || opened, "a record that can't be read is gone on with");
    }
    Ok(())
}

/// Nothing that was opened is left behind, where nothing could keep an upload from giving it up.
fn no_orphans(stage: &Stage) -> Result<(), String> {
    let scenario = &stage.scenario;
    let undisturbed = matches!(scenario.class, Class::Calm | Class::Passing)
        && scenario.turns.iter().all(|turn| matches!(turn.what, What::Pause { .. } | What::Event(_)))
        && scenario.line.ghosts == 0.0
        && scenario.troubles.iter().all(|trouble| trouble.rule.route.ends_with("UploadPart"));
    // One that ended for the network is kept, to be gone on with.
    let waits = |line: &Line| matches!(line.result(), Some(Err(error)) if error.code == Code::Network);
    if undisturbed && !stage.lines.borrow().iter().any(waits) {
        let open = stage.world.servers().store.open_uploads();
        ensure!(open.is_empty(), "uploads are left open: {open:?}");
    }
    Ok(())
}

/// A part that was verified and kept isn't sent again by an upload that goes on with its session.
fn restored(stage: &Stage, line: &Line) -> Result<(), String> {
    for attempt in &line.attempts {
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

/// No secret is kept: neither a key of the vendor's nor of the store's.
fn keeps_no_secret(stage: &Stage, kept: &SavedSession) -> Result<(), String> {
    let text = format!("{:?}", kept);
    let servers = stage.world.servers();
    let keys = ["ofauth-key", "onlymonster-token", "apifansly-key"];
    let secret = keys.into_iter().chain(servers.secrets.iter().map(String::as_str)).find(|key| text.contains(key));
    ensure!(secret.is_none(), "a secret is kept: {text}");
    Ok(())
}

/// A call that must not be repeated has its effect once, and isn't sent again after it.
fn no_second_effect(stage: &Stage) -> Result<(), String> {
    let log = stage.world.log();
    let mut effects: BTreeMap<(&str, String), u64> = BTreeMap::new();
    for record in &log.records {
        let name = match (record.route, &record.json) {
            ("onlymonster:export" | "onlymonster:finish", Some(json)) => json["key"].to_string(),
            ("plan:complete", Some(arguments)) => arguments[0]["key"].to_string(),
            _ => continue,
        };
        let call = (record.route, name);
        if let Some(done_at) = effects.get(&call) {
            ensure!(
                record.sent_at < *done_at || stage.scenario.who == Who::Plan,
                "{} is sent again after it took effect",
                record.route
            );
            ensure!(record.effects == 0 || excused(stage), "{} took effect twice", record.route);
        } else if record.effects > 0 {
            ensure!(record.effects == 1, "{} took effect twice", record.route);
            effects.insert(call, record.arrived_at.unwrap_or(record.sent_at));
        }
    }
    Ok(())
}

/// Onlymonster is never asked more often than it allows, as far as one page can know.
fn keeps_pace(stage: &Stage) -> Result<(), String> {
    let disturbed = |scenario: &Scenario| {
        let cuts = scenario
            .turns
            .iter()
            .any(|turn| !matches!(turn.what, What::Pause { .. } | What::Event(_) | What::Spoil { .. }));
        cuts || scenario.line.ghosts > 0.0 || !scenario.troubles.is_empty()
    };
    if stage.scenario.who != Who::Onlymonster || disturbed(&stage.scenario) {
        return Ok(());
    }
    let log = stage.world.log();
    let refused = log.records.iter().any(|record| record.status == Some(429));
    ensure!(!refused, "Onlymonster was asked too often");
    Ok(())
}
