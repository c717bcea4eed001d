//! What excuses an end that the scenario's faults don't name by themselves. Each excuse is a function with its reason, and each is
//! counted: one that no seed needs is dead, and may hide a failure that it was never meant for.

use partway::engine::events::UploadResult;
use partway::error::{Code, UploadError};

use super::invariants::{OPENS, stored};
use super::scenario::{Destination, Expectation, Incident, Scenario};
use super::stage::{Attempt, History, Stage};
use crate::fault::Fault;
use crate::log::Record;
use crate::platform::SimPlatform;
use crate::storage::SavedSession;

/// A failed upload: the history of its file, and the error that it ended with.
pub(crate) struct Case<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) history: &'a History,
    pub(crate) error: &'a UploadError,
}

/// An excuse and its name.
type Excuse<Judge> = (&'static str, Judge);
type OfCase = fn(&Case<'_>) -> bool;
type OfStage = fn(&Stage) -> bool;
type OfResult = fn(&Scenario, &UploadResult<SimPlatform>) -> bool;

/// Excuses, each by its function's name behind the prefix.
macro_rules! named {
    ($prefix:literal, $($excuse:ident),+ $(,)?) => { &[$((concat!($prefix, stringify!($excuse)), $excuse)),+] };
}

/// For the first end of an upload.
const FIRST_END: &[Excuse<OfCase>] = named!(
    "",
    aborted_before_the_crash,
    answer_of_a_single_call_lost,
    application_call_failed,
    application_call_without_network,
    backend_forgot_an_outdated_plan,
    call_made_before_the_crash,
    clock_found_wrong_at_the_last_attempt,
    file_was_changed,
    head_request_failed,
    key_exists_after_a_double,
    key_exists_after_a_restart,
    looks_like_a_missing_cors_rule,
    network_was_cut,
    no_connection_left,
    processing_took_too_long,
    reads_hang,
    restarted_after_a_denial,
    session_outlived_its_upload,
    short_lived_urls,
    slept_over_credentials,
    slept_over_an_expiry,
    urls_expired_after_a_restart,
    urls_expired_before_the_attempts_ended,
);

/// For the end of an upload that the application tried again, when nothing went wrong any more.
const SECOND_END: &[Excuse<OfCase>] = named!(
    "tried again: ",
    answer_of_a_single_call_lost,
    call_made_before_the_crash,
    head_request_failed,
    key_exists_after_a_double,
    key_exists_after_a_restart,
    short_lived_urls_in_any_story,
);

/// For a file that is stored once more than it was begun.
const DOUBLE: &[Excuse<OfStage>] =
    named!("double: ", abort_was_not_heard, storage_lost_the_end, vendor_denied_what_it_completed);

/// For a call that must not be repeated, and was made again after it took effect.
const CALLED_AGAIN: &[Excuse<OfStage>] = named!("called again: ", abort_was_not_heard, storage_lost_the_end);

/// For parts that were sent more than once, where nothing goes wrong.
const REPEATED: &[Excuse<OfResult>] =
    named!("repeated parts: ", allowance_used_up, clock_is_wrong, uploads_share_the_allowance);

/// Seeds of excuses that are too rare for the suite's seeds. They follow from the engine's draws too: where these change, others are
/// found by playing many seeds, which tells the lowest that need each excuse.
const RARE: &[(&str, &[u64])] = &[];

/// The names of all excuses.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let of_cases = FIRST_END.iter().chain(SECOND_END).map(|(name, _)| *name);
    let of_stages = DOUBLE.iter().chain(CALLED_AGAIN).map(|(name, _)| *name);
    of_cases.chain(of_stages).chain(REPEATED.iter().map(|(name, _)| *name))
}

/// The seeds of rare excuses.
pub(crate) fn rare_seeds() -> impl Iterator<Item = u64> {
    RARE.iter().flat_map(|(_, seeds)| seeds.iter().copied())
}

/// Those that apply to the first end of an upload.
pub(crate) fn of_first_end(case: &Case<'_>) -> Vec<&'static str> {
    FIRST_END.iter().filter(|(_, applies)| applies(case)).map(|(name, _)| *name).collect()
}

/// Those that apply to the end of an upload that was tried again.
pub(crate) fn of_second_end(case: &Case<'_>) -> Vec<&'static str> {
    SECOND_END.iter().filter(|(_, applies)| applies(case)).map(|(name, _)| *name).collect()
}

/// Those that apply to a file that is stored once more than it was begun.
pub(crate) fn of_double(stage: &Stage) -> Vec<&'static str> {
    DOUBLE.iter().filter(|(_, applies)| applies(stage)).map(|(name, _)| *name).collect()
}

/// The excuse that is needed, where no other applies.
pub(crate) fn alone(excuses: &[&'static str]) -> Option<&'static str> {
    match excuses {
        [alone] => Some(alone),
        _ => None,
    }
}

/// Those that apply to a call that was made again after it took effect.
pub(crate) fn of_second_call(stage: &Stage) -> Vec<&'static str> {
    CALLED_AGAIN.iter().filter(|(_, applies)| applies(stage)).map(|(name, _)| *name).collect()
}

/// Those that apply to parts that were sent more than once.
pub(crate) fn of_repeated_parts(scenario: &Scenario, result: &UploadResult<SimPlatform>) -> Vec<&'static str> {
    REPEATED.iter().filter(|(_, applies)| applies(scenario, result)).map(|(name, _)| *name).collect()
}

impl Case<'_> {
    fn code(&self) -> Code {
        self.error.code
    }

    fn is(&self, destination: Destination) -> bool {
        self.stage.scenario.destination == destination
    }

    fn is_storm(&self) -> bool {
        self.stage.scenario.expectation == Expectation::Storm
    }

    fn is_doomed(&self) -> bool {
        matches!(self.stage.scenario.expectation, Expectation::Doomed(_))
    }

    /// Whether the last upload of the file began with a saved session.
    fn is_resumed(&self) -> bool {
        self.history.last().is_some_and(|attempt| attempt.kept.is_some())
    }

    /// Whether something of that kind happened to the page.
    fn happened(&self, kind: impl Fn(&Incident) -> bool) -> bool {
        self.stage.scenario.occurrences.iter().any(|occurrence| kind(&occurrence.incident))
    }

    /// Whether any request of the file's uploads is one of those.
    fn sent(&self, wanted: impl Fn(&Record) -> bool) -> bool {
        self.records(|mut records| Iterator::any(&mut records, wanted))
    }

    fn records<T>(&self, read: impl FnOnce(&mut dyn Iterator<Item = &Record>) -> T) -> T {
        let log = self.stage.world.log();
        let numbers: Vec<usize> = self.history.attempts.iter().map(|attempt| attempt.handle.number()).collect();
        read(&mut log.records.iter().filter(|record| numbers.contains(&record.upload)))
    }

    /// Whether the outcome may be unknown at all: not where the scenario says which errors are right, and not where what passes is
    /// reconciled, which takes a destination that can be asked.
    fn may_be_unknown(&self) -> bool {
        let asked = !self.is(Destination::Apifansly) && !self.is(Destination::Plan);
        let reconciled = self.stage.scenario.expectation == Expectation::Passing && asked;
        self.code() == Code::OutcomeUnknown && !self.is_doomed() && !reconciled
    }
}

/// A store that fails whenever the object is looked at tells nothing of it.
fn head_request_failed(case: &Case<'_>) -> bool {
    let failed = |record: &Record| record.route == "store:HeadObject" && record.status != Some(200);
    case.may_be_unknown() && case.is(Destination::S3) && case.is_storm() && case.sent(failed)
}

/// What was about to be called when the page crashed may have been called.
fn call_made_before_the_crash(case: &Case<'_>) -> bool {
    let phases: &[&str] = match case.stage.scenario.destination {
        Destination::Apifansly => &["sending", "completing"],
        Destination::Plan | Destination::Ofauth => &["completing"],
        Destination::S3 | Destination::Onlymonster => &[],
    };
    let begun = |attempt: &Attempt| {
        attempt.kept.as_ref().and_then(SavedSession::phase).is_some_and(|phase| phases.contains(&phase))
    };
    case.may_be_unknown() && case.history.attempts.iter().any(begun)
}

/// A call that can't be repeated went out whole, and nothing usable came back.
fn answer_of_a_single_call_lost(case: &Case<'_>) -> bool {
    let once: &[&str] = match case.stage.scenario.destination {
        Destination::Apifansly => &["apifansly:upload"],
        Destination::Ofauth => &["ofauth:single", "ofauth:complete"],
        Destination::Onlymonster => &["onlymonster:finish", "onlymonster:export"],
        Destination::S3 => &["store:CompleteMultipartUpload", "store:PutObject"],
        Destination::Plan => &["plan:complete"],
    };
    let lost = |record: &Record| {
        // Where the transport reports no progress it is open how much went out.
        once.contains(&record.route)
            && (record.whole || record.effects > 0 || record.told == 0)
            && record.status.is_none_or(|status| !(300..500).contains(&status))
    };
    case.may_be_unknown() && case.sent(lost)
}

/// Requests to the origin of its last one hang on all the connections that there are, so that the last ones never left.
fn no_connection_left(case: &Case<'_>) -> bool {
    let unknown = case.code() == Code::OutcomeUnknown && !case.is_doomed();
    let Some(most) = case.stage.scenario.line.connections.filter(|_| unknown || case.code() == Code::Stalled) else {
        return false;
    };
    let Some(last) = case.history.last().map(|attempt| attempt.handle.number()) else { return false };
    let log = case.stage.world.log();
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

/// A saved session that outlived its upload leads to one that the vendor has.
fn session_outlived_its_upload(case: &Case<'_>) -> bool {
    case.code() == Code::Conflict
        && case.is(Destination::Ofauth)
        && case.is_resumed()
        && stored(case.stage, case.history) > 0
}

/// The saved session is out of date, by storage that failed or an abort that the backend never heard of.
fn backend_forgot_an_outdated_plan(case: &Case<'_>) -> bool {
    case.code() == Code::Application
        && case.is(Destination::Plan)
        && case.is_resumed()
        && !of_double(case.stage).is_empty()
}

/// The upload was given up at the moment of a crash: the backend heard of it, and no later page did.
fn aborted_before_the_crash(case: &Case<'_>) -> bool {
    let given_up = |record: &Record| record.route == "plan:abort" && record.effects > 0;
    case.code() == Code::Application && case.is_resumed() && case.sent(given_up)
}

/// An earlier upload of the file may have stored it, whatever became of its page.
fn key_exists_after_a_restart(case: &Case<'_>) -> bool {
    case.code() == Code::Conflict && case.history.provider["ifNoneMatch"] == true && case.history.beginnings() > 1
}

/// As [`key_exists_after_a_restart`], by an upload that nobody remembers.
fn key_exists_after_a_double(case: &Case<'_>) -> bool {
    case.code() == Code::Conflict && case.history.provider["ifNoneMatch"] == true && !of_double(case.stage).is_empty()
}

/// Several requests in a row were lost, from the first to an origin on, and the origin was there each time that a probe asked: from
/// the page that can't be told from a missing CORS rule. A request whose bytes were reported had passed the rule; what something
/// else answered is no answer of the origin's, and what was lost before it doesn't count.
fn looks_like_a_missing_cors_rule(case: &Case<'_>) -> bool {
    let Some((origin, _)) = case.error.message.split_once(" answers, and the browser keeps") else { return false };
    let Some(last) = case.history.last() else { return false };
    let log = case.stage.world.log();
    let own = |record: &&Record| record.upload == last.handle.number() && record.url.starts_with(origin);
    let records: Vec<&Record> = log.records.iter().filter(own).collect();
    let foreign = |record: &&Record| record.status == Some(200) && record.effects == 0;
    let unread = |record: &&Record| matches!(record.status, None | Some(0));
    let lost = records.iter().rev().take_while(|record| unread(record)).filter(|record| record.told == 0).count();
    case.code() == Code::Network && records.iter().all(|record| unread(record) || foreign(record)) && lost > 0
}

/// A function of the application that is called once failed or hung, by no fault of the engine's.
fn application_call_failed(case: &Case<'_>) -> bool {
    let disturbed = matches!(case.stage.scenario.expectation, Expectation::Passing | Expectation::Storm);
    let failed = |record: &Record| matches!(record.route, "plan:open" | "plan:complete") && record.status != Some(200);
    disturbed && matches!(case.code(), Code::Application | Code::Stalled) && case.sent(failed)
}

/// The network failed a function of the application.
fn application_call_without_network(case: &Case<'_>) -> bool {
    let failed = |record: &Record| record.method.is_empty() && record.status == Some(0);
    case.is_storm() && case.code() == Code::Application && case.sent(failed)
}

/// Requests hung for as long as URLs live, after the upload had restarted, which it does once.
fn urls_expired_after_a_restart(case: &Case<'_>) -> bool {
    let scenario = &case.stage.scenario;
    let disturbed = matches!(scenario.expectation, Expectation::Passing | Expectation::Storm);
    let stalls = |fault: &Fault| matches!(fault, Fault::StallInBody | Fault::StallAnswer);
    let expired = matches!(case.code(), Code::UrlExpired | Code::SessionExpired);
    if !disturbed || !expired || !scenario.troubles.iter().any(|trouble| stalls(&trouble.rule.fault)) {
        return false;
    }
    case.records(|records| {
        let (mut grants, mut granted_at, mut ended_at) = (0, 0, 0);
        for record in records {
            if OPENS.contains(&record.route) && record.status == Some(200) {
                (grants, granted_at) = (grants + 1, record.sent_at);
            }
            ended_at = ended_at.max(record.ended_at.unwrap_or(record.sent_at));
        }
        grants > 1 && ended_at - granted_at >= scenario.servers.url_expires_s * 1000
    })
}

/// What fails for longer than URLs live ends with whichever runs out first, the attempts or the URLs.
fn urls_expired_before_the_attempts_ended(case: &Case<'_>) -> bool {
    let lives_ms = case.stage.scenario.servers.url_expires_s * 1000;
    case.is_doomed() && case.code() == Code::UrlExpired && case.stage.world.elapsed() > lives_ms
}

/// The network was gone, or the machine slept: what was under way failed or hung.
fn network_was_cut(case: &Case<'_>) -> bool {
    let cut = |incident: &Incident| matches!(incident, Incident::Offline { .. } | Incident::Nap { .. });
    case.is_storm() && matches!(case.code(), Code::Network | Code::Stalled) && case.happened(cut)
}

/// Whether the page did nothing for a while, as long as it may have been.
fn slept(case: &Case<'_>) -> bool {
    case.happened(|incident| {
        matches!(
            incident,
            Incident::Offline { .. } | Incident::Nap { .. } | Incident::Pause { .. } | Incident::Crash { .. }
        )
    })
}

/// URLs or the session expired while the page did nothing.
fn slept_over_an_expiry(case: &Case<'_>) -> bool {
    case.is_storm() && matches!(case.code(), Code::UrlExpired | Code::SessionExpired) && slept(case)
}

/// Credentials expired while the page did nothing.
fn slept_over_credentials(case: &Case<'_>) -> bool {
    case.is_storm() && case.is(Destination::S3) && case.code() == Code::Unauthorized && slept(case)
}

/// The last attempt may be the one that finds out about the clock.
fn clock_found_wrong_at_the_last_attempt(case: &Case<'_>) -> bool {
    case.is_storm()
        && case.is(Destination::S3)
        && case.stage.scenario.skew_ms != 0
        && matches!(case.code(), Code::Forbidden | Code::UrlExpired)
}

/// An upload that restarted because the store denied it finds what it stored before.
fn restarted_after_a_denial(case: &Case<'_>) -> bool {
    case.is_storm()
        && case.code() == Code::Conflict
        && case.history.provider["ifNoneMatch"] == true
        && stored(case.stage, case.history) > 0
}

/// The bound on processing passes while answers hang or don't come.
fn processing_took_too_long(case: &Case<'_>) -> bool {
    case.is_storm() && case.code() == Code::ProcessingTimeout
}

/// The file's bytes came no more.
fn reads_hang(case: &Case<'_>) -> bool {
    case.is_storm() && case.history.hung && case.code() == Code::FileUnreadable
}

/// The file was changed on disk.
fn file_was_changed(case: &Case<'_>) -> bool {
    case.is_storm() && case.history.spoiled && matches!(case.code(), Code::FileChanged | Code::FileUnreadable)
}

/// URLs that live for two minutes expire while a few answers hang.
fn short_lived_urls(case: &Case<'_>) -> bool {
    case.is_storm() && short_lived_urls_in_any_story(case)
}

/// A large file takes longer than URLs that live for two minutes.
fn short_lived_urls_in_any_story(case: &Case<'_>) -> bool {
    case.code() == Code::UrlExpired && case.stage.scenario.short_urls()
}

fn crashes(stage: &Stage) -> bool {
    stage.scenario.occurrences.iter().any(|occurrence| matches!(occurrence.incident, Incident::Crash { .. }))
}

/// Storage that fails loses even the word that a session is out of date.
fn storage_lost_the_end(stage: &Stage) -> bool {
    let storage = &stage.scenario.storage;
    crashes(stage) && (storage.slow.is_some() || storage.full_after.is_some())
}

/// A vendor that denies an upload which it completed is believed.
fn vendor_denied_what_it_completed(stage: &Stage) -> bool {
    let denies = |fault: &Fault| matches!(fault, Fault::Answer { response, .. } if response.status == 404);
    stage.scenario.destination == Destination::Ofauth
        && stage
            .scenario
            .troubles
            .iter()
            .any(|trouble| trouble.rule.route == "ofauth:single" && denies(&trouble.rule.fault))
}

/// A backend that didn't hear that an upload is given up keeps what came of it.
fn abort_was_not_heard(stage: &Stage) -> bool {
    let unheard = |record: &Record| record.route == "plan:abort" && record.effects == 0;
    stage.scenario.destination == Destination::Plan && crashes(stage) && stage.world.log().records.iter().any(unheard)
}

/// OFAuth's allowance is used up after some ninety parts.
fn allowance_used_up(scenario: &Scenario, result: &UploadResult<SimPlatform>) -> bool {
    scenario.destination == Destination::Ofauth && result.parts >= 80
}

/// The parts of several uploads use up OFAuth's allowance together.
fn uploads_share_the_allowance(scenario: &Scenario, _: &UploadResult<SimPlatform>) -> bool {
    scenario.destination == Destination::Ofauth && scenario.uploads.len() > 1
}

/// What the page signs is out of date by the servers' clock, which the first refusal tells.
fn clock_is_wrong(scenario: &Scenario, _: &UploadResult<SimPlatform>) -> bool {
    scenario.skew_ms != 0
}
