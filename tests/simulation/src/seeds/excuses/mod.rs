//! What excuses an end that the scenario's faults don't name by themselves. Each excuse is a function with its reason, and each is
//! counted: one that no seed needs is dead, and may hide a failure that it was never meant for.

mod failures;
mod repetitions;

use partway::model::events::UploadResult;

pub(crate) use self::failures::Case;
use self::failures::*;
use self::repetitions::*;
use super::scenario::Scenario;
use super::stage::Stage;
use serde_json::Value;

/// An excuse and its name.
type Excuse<Judge> = (&'static str, Judge);
type OfCase = fn(&Case<'_>) -> bool;
type OfStage = fn(&Stage) -> bool;
type OfResult = fn(&Scenario, &UploadResult<Value>) -> bool;

/// Excuses, each by its function's name behind the prefix.
macro_rules! named {
    ($prefix:literal, $($excuse:ident),+ $(,)?) => { &[$((concat!($prefix, stringify!($excuse)), $excuse)),+] };
}

/// For the first end of an upload.
const FIRST_END: &[Excuse<OfCase>] = named!(
    "",
    answer_of_a_single_call_lost,
    application_call_failed,
    application_call_without_network,
    call_made_before_the_crash,
    calls_hang_on_every_connection,
    checksum_of_the_whole_differs,
    clock_found_wrong_at_the_last_attempt,
    etags_of_an_unknown_kind,
    file_was_changed,
    head_request_failed,
    key_exists_after_a_restart,
    key_exists_since_storage_failed,
    key_has_damaged_bytes,
    looks_like_a_missing_cors_rule,
    network_was_cut,
    nothing_proves_what_require_wants,
    other_bytes_were_completed,
    policy_expired_while_it_was_sent,
    processing_took_too_long,
    reads_hang,
    restarted_after_a_denial,
    short_lived_urls,
    slept_over_an_expiry,
    store_is_kept_busy,
    urls_expired_after_a_restart,
    urls_expired_before_the_attempts_ended,
    urls_expired_while_answers_hung,
);

/// For the end of an upload that the application tried again, when nothing went wrong any more.
const SECOND_END: &[Excuse<OfCase>] = named!(
    "tried again: ",
    call_made_before_the_crash,
    checksum_of_the_whole_differs,
    etags_of_an_unknown_kind,
    key_exists_after_a_restart,
    key_has_damaged_bytes,
    nothing_proves_what_require_wants,
    other_bytes_were_completed,
    policy_expired_while_it_was_sent,
    short_lived_urls_in_any_story,
);

/// For a file that is stored once more than it was begun.
const DOUBLE: &[Excuse<OfStage>] = named!("double: ", storage_lost_the_end, vendor_denied_what_it_completed);

/// For a call that must not be repeated, and was made again after it took effect.
const CALLED_AGAIN: &[Excuse<OfStage>] = named!("called again: ", storage_lost_the_end);

/// For parts that were sent more than once, where nothing goes wrong.
const REPEATED: &[Excuse<OfResult>] =
    named!("repeated parts: ", allowance_used_up, clock_is_wrong, etags_found_opaque, uploads_share_a_slow_line);

/// Seeds of excuses that the suite's own seeds may not need. They follow from the engine's random draws as well: where these change,
/// `cargo xtask simulate` with many seeds tells the lowest that need each excuse.
pub const RARE: &[(&str, &[u64])] = &[
    ("called again: storage_lost_the_end", &[1_034_195, 1_547_668, 1_934_511]),
    ("calls_hang_on_every_connection", &[4_168_065]),
    ("clock_found_wrong_at_the_last_attempt", &[712_663, 5_032_198, 5_240_608]),
    ("double: storage_lost_the_end", &[243_153, 5_003_874, 10_293_041]),
    ("double: vendor_denied_what_it_completed", &[5_148_919, 5_237_702, 10_448_884]),
    ("head_request_failed", &[501_427]),
    ("key_exists_after_a_restart", &[1_010_626, 1_958_646, 1_974_160]),
    ("key_exists_since_storage_failed", &[820_014_103]),
    ("key_has_damaged_bytes", &[111_533, 5_128_699, 5_174_888]),
    ("looks_like_a_missing_cors_rule", &[5_005_742, 5_062_539, 4_701_484_500]),
    ("other_bytes_were_completed", &[4_009_502, 4_017_364]),
    ("policy_expired_while_it_was_sent", &[2_001_378, 2_042_938]),
    ("repeated parts: allowance_used_up", &[10_147_981, 10_386_837]),
    ("repeated parts: uploads_share_a_slow_line", &[10_013_937, 10_408_271]),
    ("restarted_after_a_denial", &[182_244]),
    ("slept_over_an_expiry", &[29_858, 5_031_159, 5_032_207]),
    ("store_is_kept_busy", &[1_062_640]),
    ("tried again: checksum_of_the_whole_differs", &[5_342, 24_712, 30_731]),
    ("tried again: etags_of_an_unknown_kind", &[5_336_149]),
    ("tried again: key_exists_after_a_restart", &[46_548, 57_017]),
    ("tried again: key_has_damaged_bytes", &[4_204_825]),
    ("tried again: other_bytes_were_completed", &[5_138_450, 5_284_750]),
    ("tried again: policy_expired_while_it_was_sent", &[2_001_378, 2_021_395]),
    ("urls_expired_after_a_restart", &[2_026_056_264]),
    ("urls_expired_before_the_attempts_ended", &[40_125, 52_316]),
    ("urls_expired_while_answers_hung", &[5_311_766]),
];

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
pub(crate) fn of_repeated_parts(scenario: &Scenario, result: &UploadResult<Value>) -> Vec<&'static str> {
    REPEATED.iter().filter(|(_, applies)| applies(scenario, result)).map(|(name, _)| *name).collect()
}
