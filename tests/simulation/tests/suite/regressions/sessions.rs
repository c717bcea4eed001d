//! Saved sessions after a crash: what the next page finds, and what it must not send or open again.

use partway::error::Code;
use partway::model::events::Status;
use partway::platform::Hook;
use partway_models::onlymonster::End;
use partway_simulation::storage::StorageBehavior;
use partway_simulation::{Fault, File, Handle, World};
use serde_json::{Value, json};

use super::{HOUR, apifansly, begin, ofauth, onlymonster, plan, resume, run_until, run_until_effect, s3};
use crate::dialects::MIB;

#[test]
fn an_export_that_is_missing_in_the_saved_session_is_not_repeated() {
    for size in [MIB, 20 * MIB] {
        let world = World::new(1);
        let (_page, upload, session, file) = begin(&world, onlymonster(), size);
        run_until_effect(&world, "onlymonster:export");
        world.crash(true);
        // Storage was too slow for all writes after the first.
        world.change_kept(session, |kept| {
            kept.parts.clear();
            let record = kept.record.as_mut().expect("a record");
            (record["phase"], record["recordId"], record["etag"]) = (json!("sending"), Value::Null, Value::Null);
        });
        world.run_for(5_000);
        let restored = resume(&world, &upload, session, &file);
        world.run();
        world.stored(&restored);
        assert_eq!(world.servers().onlymonster.exports(), 1, "{restored:?}");
        assert_eq!(world.effects("store:*"), world.sent("store:*").iter().filter(|r| r.upload == 0).count() as u32);
    }
}

#[test]
fn a_single_put_that_completed_an_upload_makes_no_second_one_after_a_crash() {
    let world = World::new(1);
    let (_page, upload, session, file) = begin(&world, ofauth(), MIB);
    run_until_effect(&world, "ofauth:single");
    world.crash(false);
    world.run_for(2 * HOUR);
    let restored = resume(&world, &upload, session, &file);
    world.run();
    world.stored(&restored);
    assert_eq!(world.servers().ofauth.vault_entries(), 1);
}

#[test]
fn a_completed_object_is_found_though_its_parts_were_not_saved() {
    let world = World::new(1);
    let (_page, upload, session, file) = begin(&world, s3(), 24 * MIB);
    run_until_effect(&world, "store:CompleteMultipartUpload");
    world.crash(true);
    world.change_kept(session, |kept| kept.parts.clear());
    let sent = world.effects("store:UploadPart");
    let restored = resume(&world, &upload, session, &file);
    world.run();
    world.stored(&restored);
    assert_eq!(
        (world.effects("store:UploadPart"), world.effects("store:CreateMultipartUpload")),
        (sent, 1),
        "{restored:?}"
    );
}

#[test]
fn a_finished_upload_is_found_though_its_urls_have_expired() {
    let world = World::new(1);
    let (_page, upload, session, file) = begin(&world, onlymonster(), 20 * MIB);
    run_until_effect(&world, "onlymonster:finish");
    world.crash(true);
    world.run_for(2 * HOUR);
    let restored = resume(&world, &upload, session, &file);
    world.run();
    world.stored(&restored);
    // Nothing had been exported, so a new upload is right; the old one must not be finished again.
    let finished = world.sent("onlymonster:finish");
    assert_eq!((finished.len(), world.servers().onlymonster.exports()), (2, 1), "{restored:?}");
    assert_ne!(finished[0].json.as_ref().map(|json| &json["key"]), finished[1].json.as_ref().map(|json| &json["key"]));
}

#[test]
fn a_plan_that_may_be_complete_is_not_restarted() {
    let world = World::new(1);
    world.hooks().absent.insert(Hook::SignParts);
    world.servers().backend.first_urls = usize::MAX;
    let (_page, upload, session, file) = begin(&world, plan(), 12 * MIB);
    run_until_effect(&world, "plan:complete");
    world.crash(true);
    world.run_for(2 * HOUR);
    let restored = resume(&world, &upload, session, &file);
    world.run();
    assert_eq!(restored.code(), Some(Code::OutcomeUnknown), "{restored:?}");
    assert_eq!(world.servers().store.keys("media").len(), 1);
    assert!(world.kept(session).is_none());
}

#[test]
fn a_plan_that_the_server_has_forgotten_is_restarted() {
    let world = World::new(1);
    let (_page, upload, session, file) = begin(&world, plan(), 12 * MIB);
    run_until_effect(&world, "store:UploadPart");
    world.crash(true);
    world.fault("plan:list", 0, None, Fault::status(404));
    world.fault("plan:sign", 0, 8, Fault::status(404));
    let restored = resume(&world, &upload, session, &file);
    world.run();
    world.stored(&restored);
    assert_eq!(world.effects("plan:open"), 2, "{restored:?}");
}

#[test]
fn a_plan_that_was_aborted_after_all_its_parts_is_restarted() {
    let world = World::new(1);
    let (_page, upload, session, file) = begin(&world, plan(), 12 * MIB);
    run_until(&world, "three saved parts", || world.kept(session).is_some_and(|kept| kept.parts.len() >= 3));
    world.crash(true);
    world.change_kept(session, |kept| kept.record.as_mut().expect("a record")["phase"] = json!("sending"));
    // Another page aborted it.
    let plan = world.kept(session).and_then(|kept| kept.record).expect("a record")["given"].clone();
    let now = world.beginning() + world.elapsed();
    {
        let mut servers = world.servers();
        let servers = &mut *servers;
        let _ = servers.backend.abort(&mut servers.store, &plan, now);
    }
    let again = resume(&world, &upload, session, &file);
    world.run();
    world.stored(&again);
    assert_eq!(world.count("plan:open"), 2, "{again:?}");
}

#[test]
fn a_plan_of_one_put_is_resumed_without_listing_parts() {
    let world = World::new(1);
    let (_page, upload, session, file) = begin(&world, plan(), MIB);
    world.fault("store:PutObject", 0, None, Fault::ResetInBody);
    world.run_for(2_000);
    world.crash(true);
    world.mend();
    world.run_for(1_000);
    let restored = resume(&world, &upload, session, &file);
    world.run();
    world.stored(&restored);
    assert_eq!((world.count("plan:open"), world.count("plan:list")), (1, 0));
}

#[test]
fn parts_of_an_unreadable_session_do_not_count_for_the_new_one() {
    let world = World::new(1);
    let (_page, upload, session, file) = begin(&world, s3(), 400 * MIB);
    world.run_for(4_000);
    world.crash(true);
    world.change_kept(session, |kept| kept.record.as_mut().expect("a record")["version"] = json!(2));
    assert!(!world.kept(session).expect("a session").parts.is_empty());
    world.fault("store:UploadPart", 0, None, Fault::StallInBody);
    let _second = resume(&world, &upload, session, &file);
    world.run_for(3_000);
    let kept = world.kept(session).expect("the new session");
    assert_eq!((kept.record.as_ref().map(|record| &record["version"]), kept.parts.len()), (Some(&json!(1)), 0));
}

#[test]
fn a_record_of_another_provider_or_size_is_no_session_of_this_file() {
    for (member, other) in [("provider", json!("plan")), ("size", json!(17))] {
        let world = World::new(1);
        let (_page, upload, session, file) = begin(&world, s3(), 40 * MIB);
        run_until_effect(&world, "store:UploadPart");
        world.crash(true);
        world.change_kept(session, |kept| kept.record.as_mut().expect("a record")[member] = other.clone());
        let restored = resume(&world, &upload, session, &file);
        world.run();
        world.stored(&restored);
        assert_eq!(world.count("store:CreateMultipartUpload"), 2, "{member}: {restored:?}");
    }
}

#[test]
fn a_saved_part_counts_once_and_only_where_it_is_the_plans() {
    let sent_again = |member: &str| {
        let world = World::new(1);
        let (_page, upload, session, file) = begin(&world, plan(), 40 * MIB);
        run_until(&world, "a saved part", || world.kept(session).is_some_and(|kept| !kept.parts.is_empty()));
        world.crash(true);
        let parts = world.kept(session).expect("a session").parts.len();
        world.change_kept(session, |kept| {
            let copies: Vec<_> = (100..).zip(kept.parts.values().cloned()).collect();
            kept.parts.extend(copies);
            kept.parts.values_mut().for_each(|part| part[member] = json!(1));
        });
        // Without `list` the record alone says what is uploaded.
        world.hooks().absent.insert(Hook::ListParts);
        let restored = resume(&world, &upload, session, &file);
        world.run();
        let result = world.stored(&restored);
        (result.attempts as usize).checked_sub(8 - parts).expect("those that weren't saved")
    };
    assert_eq!(sent_again("else"), 0);
    for member in ["start", "end"] {
        assert!(sent_again(member) > 0);
    }
}

#[test]
fn a_list_that_says_session_expired_starts_the_upload_again_at_once() {
    let world = World::new(1);
    let (_page, upload, session, file) = begin(&world, plan(), 40 * MIB);
    run_until(&world, "a saved part", || world.kept(session).is_some_and(|kept| !kept.parts.is_empty()));
    world.crash(true);
    let throws = |_: &[serde_json::Value]| {
        let (message, kind) = ("gone".into(), partway::platform::Thrown::SessionExpired);
        Err(partway::platform::HookFailure { message, upload_error: Some(true), kind, cause: None })
    };
    world.hooks().replaced.insert(Hook::ListParts, std::rc::Rc::new(throws));
    let restored = resume(&world, &upload, session, &file);
    world.run();
    world.stored(&restored);
    assert_eq!((world.count("plan:open"), world.count("plan:list")), (2, 1), "{restored:?}");
}

#[test]
fn a_failed_complete_says_that_the_parts_are_kept() {
    let world = World::new(1);
    let (_page, upload, session, _file) = begin(&world, plan(), 12 * MIB);
    let throws = |_: &[serde_json::Value]| {
        let (message, kind) = ("500".into(), partway::platform::Thrown::Anything);
        Err(partway::platform::HookFailure { message, upload_error: None, kind, cause: None })
    };
    world.hooks().replaced.insert(Hook::Complete, std::rc::Rc::new(throws));
    world.run();
    let error = upload.error();
    assert!(error.hint.as_ref().is_some_and(|hint| hint.contains("The parts are kept")), "{error:?}");
    assert!(world.kept(session).is_some_and(|kept| kept.parts.len() == 3), "{error:?}");
}

#[test]
fn storage_that_hangs_leaves_no_outdated_session() {
    let world = World::new(1);
    world.servers().onlymonster.config.end = End::Exported;
    let (_page, upload, session, _file) = begin(&world, onlymonster(), MIB);
    run_until_effect(&world, "onlymonster:start");
    world.run_for(100);
    world.storage(StorageBehavior { latency: (60_000, 60_000), ..StorageBehavior::default() });
    world.run();
    world.stored(&upload);
    assert!(world.kept(session).is_none());
}

#[test]
fn an_upload_that_only_waits_for_processing_does_not_read_the_file() {
    for (provider, last) in [(onlymonster(), "onlymonster:export"), (apifansly(), "apifansly:upload")] {
        let world = World::new(1);
        world.servers().onlymonster.config.end = End::Exported;
        let (_page, upload, session, file) = begin(&world, provider, MIB);
        run_until_effect(&world, last);
        run_until(&world, "the saved phase \"settling\"", || {
            world.kept(session).is_some_and(|kept| kept.phase() == Some("settling"))
        });
        world.crash(true);
        file.spoil();
        let second = resume(&world, &upload, session, &file);
        world.run();
        assert_eq!(second.code(), None, "{last}: {second:?}");
        assert_eq!(second.statuses().last(), Some(&Status::Done), "{last}");
        assert_eq!(world.effects(last), 1);
    }
}

#[test]
fn a_saved_processing_phase_is_ignored_where_nothing_is_processed() {
    let world = World::new(1);
    let (_page, upload, session, file) = begin(&world, s3(), 40 * MIB);
    world.run_for(1_000);
    world.crash(true);
    world.change_kept(session, |kept| kept.record.as_mut().expect("a record")["phase"] = json!("settling"));
    let second = resume(&world, &upload, session, &file);
    world.run();
    world.stored(&second);
}

/// Storage hangs from the moment that all parts are uploaded; the upload ends, and the page crashes before storage learns
/// of that.
fn completes_unsaved(world: &World, provider: Value, last: &str) -> (Handle, u64, File) {
    let (_page, upload, session, file) = begin(world, provider, 12 * MIB);
    let route = if last.starts_with("ofauth") { "ofauth:part" } else { "store:UploadPart" };
    run_until_effect(world, route);
    world.storage(StorageBehavior { latency: (600_000, 600_000), ..StorageBehavior::default() });
    run_until(world, "an end of the upload", || upload.result().is_some());
    assert_eq!((upload.code(), world.effects(last)), (None, 1), "{upload:?}");
    world.crash(false);
    world.storage(StorageBehavior::default());
    let kept = world.kept(session).expect("the record outlived the upload");
    assert_eq!(kept.phase(), Some("sending"));
    (upload, session, file)
}

#[test]
fn a_session_that_outlived_its_upload_finds_the_result() {
    let world = World::new(1);
    let (upload, session, file) = completes_unsaved(&world, ofauth(), "ofauth:complete");
    let again = resume(&world, &upload, session, &file);
    world.run();
    world.stored(&again);
    assert_eq!(world.servers().ofauth.vault_entries(), 1);
    let first = upload.done();
    assert_eq!(again.done().outcome.media_id, first.outcome.media_id);
    assert_eq!(world.count("ofauth:init"), 1);
}

#[test]
fn a_vendor_that_does_not_repeat_its_answer_leaves_the_outcome_unknown() {
    for size in [12 * MIB, MIB] {
        let world = World::new(1);
        world.servers().ofauth.config.repeatable = false;
        let (_page, upload, session, file) = begin(&world, ofauth(), size);
        let last = if size > MIB { "ofauth:complete" } else { "ofauth:single" };
        run_until_effect(&world, last);
        world.crash(true);
        world.change_kept(session, |kept| {
            kept.parts.clear();
            kept.record.as_mut().expect("a record")["phase"] = json!("sending");
        });
        world.run_for(5_000);
        let again = resume(&world, &upload, session, &file);
        world.run();
        assert_eq!(again.code(), Some(Code::OutcomeUnknown), "{size}: {again:?}");
        assert_eq!((world.count("ofauth:init"), world.servers().ofauth.vault_entries()), (1, 1));
    }
}

#[test]
fn a_session_that_outlived_its_upload_finds_the_object() {
    let world = World::new(1);
    let provider = crate::s3::with(json!({ "ifNoneMatch": true, "multipartThreshold": 5 * MIB, "partSize": 6 * MIB }));
    let (_page, upload, session, file) = begin(&world, provider, 12 * MIB);
    run_until_effect(&world, "store:CompleteMultipartUpload");
    world.crash(true);
    // Storage was too slow to save that the upload was about to be completed.
    world.change_kept(session, |kept| kept.record.as_mut().expect("a record")["phase"] = json!("sending"));
    let again = resume(&world, &upload, session, &file);
    world.run();
    world.stored(&again);
    assert_eq!(world.count("store:CreateMultipartUpload"), 1, "{again:?}");
}
