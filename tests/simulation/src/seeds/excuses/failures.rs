//! Excuses for uploads that failed.

use partway::error::{Code, Step, UploadError};
use partway_models::store::Checksums;

use crate::fault::Fault;
use crate::hooks::POLICY_S;
use crate::log::Record;
use crate::seeds::destination::Destination;
use crate::seeds::scenario::{Expectation, Incident};
use crate::seeds::settings::Told;
use crate::seeds::stage::{Attempt, History, Stage};
use crate::seeds::stored::{OPENS, stored, was_damaged};
use crate::storage::SavedSession;
use crate::transform::{Output, Transform};

/// A failed upload: the history of its file, and the error that it ended with.
pub(crate) struct Case<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) history: &'a History,
    pub(crate) error: &'a UploadError,
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
        let asked = ![Destination::Apifansly, Destination::Form, Destination::Plan].iter().any(|place| self.is(*place));
        let reconciled = self.stage.scenario.expectation == Expectation::Passing && asked;
        self.code() == Code::OutcomeUnknown && !self.is_doomed() && !reconciled
    }
}

/// A store that fails whenever the object is looked at tells nothing of it.
pub(super) fn head_request_failed(case: &Case<'_>) -> bool {
    let failed = |record: &Record| record.route == "store:HeadObject" && record.status != Some(200);
    case.may_be_unknown() && case.is(Destination::S3) && case.is_storm() && case.sent(failed)
}

/// What was about to be called when the page crashed may have been called.
pub(super) fn call_made_before_the_crash(case: &Case<'_>) -> bool {
    let phases: &[&str] = match case.stage.scenario.destination {
        Destination::Apifansly | Destination::Form => &["sending", "completing"],
        Destination::Plan | Destination::Ofauth => &["completing"],
        Destination::S3 | Destination::Onlymonster | Destination::Policy => &[],
    };
    let begun = |attempt: &Attempt| {
        attempt.kept.as_ref().and_then(SavedSession::phase).is_some_and(|phase| phases.contains(&phase))
    };
    case.may_be_unknown() && case.history.attempts.iter().any(begun)
}

/// A call that can't be repeated went out whole, and nothing usable came back.
pub(super) fn answer_of_a_single_call_lost(case: &Case<'_>) -> bool {
    let once: &[&str] = match case.stage.scenario.destination {
        Destination::Apifansly => &["apifansly:upload"],
        Destination::Form => &["form:upload"],
        Destination::Policy => &[],
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

/// An earlier upload of the file may have stored it, whatever became of its page.
pub(super) fn key_exists_after_a_restart(case: &Case<'_>) -> bool {
    case.code() == Code::Conflict && case.history.provider["ifNoneMatch"] == true && case.history.beginnings() > 1
}

/// The object was completed just before a crash, and storage lost the word of it, so the next page uploads the file a second time.
pub(super) fn key_exists_since_storage_failed(case: &Case<'_>) -> bool {
    case.code() == Code::Conflict
        && case.history.provider["ifNoneMatch"] == true
        && super::repetitions::storage_lost_the_end(case.stage)
}

/// Several requests in a row were lost, from the first to an origin on, and the origin was there each time that a probe asked: from
/// the page that can't be told from a missing CORS rule. A request whose bytes were reported had passed the rule; what something
/// else answered is no answer of the origin's, and what was lost before it doesn't count.
pub(super) fn looks_like_a_missing_cors_rule(case: &Case<'_>) -> bool {
    let Some((origin, _)) = case.error.message.split_once(" answers, but the browser keeps") else { return false };
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
pub(super) fn application_call_failed(case: &Case<'_>) -> bool {
    let disturbed = matches!(case.stage.scenario.expectation, Expectation::Passing | Expectation::Storm);
    let failed = |record: &Record| matches!(record.route, "plan:open" | "plan:complete") && record.status != Some(200);
    disturbed && matches!(case.code(), Code::Application | Code::Stalled) && case.sent(failed)
}

/// The network failed a function of the application. Uploads share the call for credentials, and its failure.
pub(super) fn application_call_without_network(case: &Case<'_>) -> bool {
    let failed = |record: &Record| record.method.is_empty() && record.status == Some(0);
    let shared = |record: &Record| record.route == "credentials" && failed(record);
    let of_another =
        || case.error.message.contains("`getCredentials` failed") && case.stage.world.log().records.iter().any(shared);
    case.is_storm() && case.code() == Code::Application && (case.sent(failed) || of_another())
}

/// Requests hung for as long as URLs live, after the upload had restarted, which it does once.
pub(super) fn urls_expired_after_a_restart(case: &Case<'_>) -> bool {
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

/// Answers hung for as long as URLs live, again and again.
pub(super) fn urls_expired_while_answers_hung(case: &Case<'_>) -> bool {
    let scenario = &case.stage.scenario;
    let stalls = |fault: &Fault| matches!(fault, Fault::StallInBody | Fault::StallAnswer);
    let hung = scenario.troubles.iter().any(|trouble| stalls(&trouble.rule.fault));
    let outlived = case.stage.world.elapsed() > scenario.servers.url_expires_s * 1000;
    case.is_storm() && case.code() == Code::UrlExpired && hung && outlived
}

/// What fails for longer than URLs live ends with whichever runs out first, the attempts or the URLs.
pub(super) fn urls_expired_before_the_attempts_ended(case: &Case<'_>) -> bool {
    let lives_ms = case.stage.scenario.servers.url_expires_s * 1000;
    case.is_doomed() && case.code() == Code::UrlExpired && case.stage.world.elapsed() > lives_ms
}

/// The network was gone, or the machine slept: what was under way failed or hung.
pub(super) fn network_was_cut(case: &Case<'_>) -> bool {
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
pub(super) fn slept_over_an_expiry(case: &Case<'_>) -> bool {
    case.is_storm() && matches!(case.code(), Code::UrlExpired | Code::SessionExpired) && slept(case)
}

/// The last attempt may be the one that finds out about the clock.
pub(super) fn clock_found_wrong_at_the_last_attempt(case: &Case<'_>) -> bool {
    case.is_storm()
        && case.is(Destination::S3)
        && case.stage.scenario.skew_ms != 0
        && matches!(case.code(), Code::Forbidden | Code::UrlExpired)
}

/// An upload that restarted because the store denied it finds what it stored before.
pub(super) fn restarted_after_a_denial(case: &Case<'_>) -> bool {
    case.is_storm()
        && case.code() == Code::Conflict
        && case.history.provider["ifNoneMatch"] == true
        && stored(case.stage, case.history) > 0
}

/// The bound on processing passes while answers hang or don't come.
pub(super) fn processing_took_too_long(case: &Case<'_>) -> bool {
    case.is_storm() && case.code() == Code::ProcessingTimeout
}

/// The object under a key that must be new is this upload's, with bytes that were changed on the way.
pub(super) fn key_has_damaged_bytes(case: &Case<'_>) -> bool {
    matches!(case.code(), Code::Conflict | Code::OutcomeUnknown | Code::IntegrityMismatch)
        && case.history.provider["ifNoneMatch"] == true
        && was_damaged(case.stage, case.history)
}

/// Bytes were changed on the way to a store that says no checksum of parts: the object's shows it, once it is there.
pub(super) fn checksum_of_the_whole_differs(case: &Case<'_>) -> bool {
    let at_the_end =
        case.error.step == Some(Step::Complete) && case.stage.scenario.servers.checksums == Checksums::Complete;
    case.code() == Code::IntegrityMismatch && at_the_end && was_damaged(case.stage, case.history)
}

/// The caller requires a proof of a store whose ETags are none of MD5s, and whose answers to parts have no checksum.
pub(super) fn nothing_proves_what_require_wants(case: &Case<'_>) -> bool {
    let scenario = &case.stage.scenario;
    let says_nothing = scenario.servers.kms.is_some() && scenario.servers.checksums != Checksums::All;
    case.code() == Code::IntegrityMismatch && scenario.options["integrity"] == "require" && says_nothing
}

/// A store that takes few parts at once is kept busy by another file's for as long as all attempts at this one take.
pub(super) fn store_is_kept_busy(case: &Case<'_>) -> bool {
    let scenario = &case.stage.scenario;
    let compete = scenario.servers.capacity.is_some() && scenario.uploads.len() > 1;
    compete && scenario.expectation == Expectation::Passing && case.code() == Code::RateLimited
}

/// An object with another ETag than the parts' MD5s make may be this upload's, where nothing tells what ETags are.
pub(super) fn etags_of_an_unknown_kind(case: &Case<'_>) -> bool {
    case.code() == Code::OutcomeUnknown && case.is(Destination::S3) && case.stage.scenario.servers.kms == Some(Told::No)
}

/// The file's bytes came no more.
pub(super) fn reads_hang(case: &Case<'_>) -> bool {
    case.is_storm() && case.history.hung && case.code() == Code::FileUnreadable
}

/// The file was changed on disk.
pub(super) fn file_was_changed(case: &Case<'_>) -> bool {
    case.is_storm() && case.history.spoiled && matches!(case.code(), Code::FileChanged | Code::FileUnreadable)
}

/// The store judges a form's policy once it has the form, and the line is so slow that sending it takes longer than a policy is valid.
pub(super) fn policy_expired_while_it_was_sent(case: &Case<'_>) -> bool {
    let refused = |record: &&Record| record.route == "store:PostObject" && record.status == Some(403);
    let took_ms = |record: &Record| record.ended_at.map_or(0, |at| at - record.sent_at);
    let last = case.records(|records| records.filter(refused).last().map_or(0, took_ms));
    case.code() == Code::UrlExpired && case.is(Destination::Policy) && last > POLICY_S * 1000
}

/// An earlier page's only request completed the upload, and its answer was lost. `transform` made other bytes since: the vendor doesn't
/// answer as it did then, and the object under a key that must be new isn't made of them.
pub(super) fn other_bytes_were_completed(case: &Case<'_>) -> bool {
    let fresh = matches!(case.stage.scenario.transform, Some(Transform { output: Output::Fresh, .. }));
    let done = |record: &Record| matches!(record.route, "ofauth:single" | "store:PutObject") && record.effects > 0;
    let told = match case.code() {
        Code::OutcomeUnknown => matches!(case.error.status, Some(409 | 412)),
        Code::IntegrityMismatch => case.error.step == Some(Step::Complete),
        _ => false,
    };
    fresh && told && case.sent(done)
}

/// Calls that may take minutes hang on each of the two connections to a host, and another upload's call waits behind them.
pub(super) fn calls_hang_on_every_connection(case: &Case<'_>) -> bool {
    let scenario = &case.stage.scenario;
    let hangs =
        |record: &&Record| record.route == "onlymonster:finish" && record.status.is_none_or(|status| status == 0);
    let hung = case.stage.world.log().records.iter().filter(hangs).count();
    case.code() == Code::Stalled && scenario.line.connections == Some(2) && hung >= 2
}

/// URLs that live for two minutes expire while a few answers hang.
pub(super) fn short_lived_urls(case: &Case<'_>) -> bool {
    case.is_storm() && short_lived_urls_in_any_story(case)
}

/// A large file takes longer than URLs that live for two minutes.
pub(super) fn short_lived_urls_in_any_story(case: &Case<'_>) -> bool {
    case.code() == Code::UrlExpired && case.stage.scenario.short_urls()
}
