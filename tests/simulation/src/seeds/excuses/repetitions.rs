//! Excuses for what happened more often than it should: a file that is stored twice, a call that is made twice, parts that are sent
//! twice.

use partway::model::events::UploadResult;

use partway_models::store::Checksums;

use crate::fault::Fault;
use crate::seeds::destination::Destination;
use crate::seeds::scenario::{Incident, Scenario};
use crate::seeds::settings::Told;
use crate::seeds::stage::Stage;
use serde_json::Value;

fn crashes(stage: &Stage) -> bool {
    stage.scenario.occurrences.iter().any(|occurrence| matches!(occurrence.incident, Incident::Crash { .. }))
}

/// Storage that fails loses even the word that a session is out of date.
pub(super) fn storage_lost_the_end(stage: &Stage) -> bool {
    let storage = &stage.scenario.storage;
    crashes(stage) && (storage.slow.is_some() || storage.full_after.is_some())
}

/// A vendor that denies an upload which it completed is believed.
pub(super) fn vendor_denied_what_it_completed(stage: &Stage) -> bool {
    let denies = |fault: &Fault| matches!(fault, Fault::Answer { response, .. } if response.status == 404);
    stage.scenario.destination == Destination::Ofauth
        && stage
            .scenario
            .troubles
            .iter()
            .any(|trouble| trouble.rule.route == "ofauth:single" && denies(&trouble.rule.fault))
}

/// OFAuth's allowance is used up after some ninety parts, of all uploads.
pub(super) fn allowance_used_up(scenario: &Scenario, result: &UploadResult<Value>) -> bool {
    let parts: u64 = scenario.uploads.iter().map(|upload| upload.size.div_ceil(scenario.servers.part_size)).sum();
    scenario.destination == Destination::Ofauth && (result.parts >= 80 || parts >= 80)
}

/// A part is sent once more to find out that ETags are none of MD5s.
pub(super) fn etags_found_opaque(scenario: &Scenario, result: &UploadResult<Value>) -> bool {
    // The answer to a form has no checksum.
    let says_none = scenario.servers.checksums != Checksums::All || scenario.destination == Destination::Policy;
    let sought = scenario.servers.kms == Some(Told::No) && says_none;
    sought && scenario.options["integrity"] != "off" && result.attempts == result.parts + 1
}

/// What the page signs is out of date by the servers' clock, which the first refusal tells.
pub(super) fn clock_is_wrong(scenario: &Scenario, _: &UploadResult<Value>) -> bool {
    scenario.skew_ms != 0
}

/// The first requests of several uploads fill a line whose rate isn't known yet: the last one to be answered may be given up before.
pub(super) fn uploads_share_a_slow_line(scenario: &Scenario, _: &UploadResult<Value>) -> bool {
    scenario.line.shared_bytes_per_ms.is_some() && scenario.uploads.len() > 1
}
