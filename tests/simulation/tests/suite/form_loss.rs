//! Forms whose answer is lost, and what a later page makes of them.

use partway::error::Code;
use partway::model::events::Status;
use partway_models::form::Reply;
use partway_simulation::uploader::Beginning;
use partway_simulation::{Fault, World};
use serde_json::{Value, json};

use crate::dialects::MIB;
use crate::form::{answering, uploads, with};
use crate::regressions::{begin, resume, run_until, run_until_effect};

#[test]
fn a_lost_answer_is_an_unknown_outcome_and_never_a_second_form() {
    for fault in [
        Fault::ResetAfter,
        Fault::ResetBefore,
        Fault::StallAnswer,
        Fault::status(500),
        Fault::status(503).with("retry-after", "1"),
        Fault::body("<html>"),
        Fault::Redirect,
    ] {
        let world = answering(Reply::Json);
        world.fault("form:upload", 0, None, fault.clone());
        let upload = uploads(&world, json!({}));
        let error = upload.error();
        assert_eq!((error.code, error.retryable), (Code::OutcomeUnknown, false), "{fault:?}: {upload:?}");
        assert_eq!(world.count("form:upload"), 1, "{fault:?}");
        assert!(world.servers().form.forms_taken() <= 1 && error.hint.is_some());
    }
}

#[test]
fn one_that_is_repeatable_is_sent_again() {
    for (fault, taken) in [
        (Fault::ResetAfter, 2),
        (Fault::ResetBefore, 1),
        (Fault::StallAnswer, 2),
        (Fault::status(500), 1),
        (Fault::status(503).with("retry-after", "1"), 1),
        (Fault::body("<html>"), 2),
        (Fault::Redirect, 1),
    ] {
        let world = answering(Reply::Json);
        world.fault("form:upload", 0, 1, fault.clone());
        let provider = with(json!({ "repeatable": true }));
        let upload = world.upload(provider, json!({ "idempotencyKeys": false }), &world.file("clip.mp4", MIB));
        world.run();
        world.stored(&upload);
        assert_eq!((world.count("form:upload"), world.servers().form.forms_taken()), (2, taken), "{fault:?}");
    }
    let world = answering(Reply::Json);
    world.fault("form:upload", 0, 1, Fault::ResetAfter);
    let upload = uploads(&world, json!({ "repeatable": true }));
    world.stored(&upload);
    assert_eq!(world.servers().form.forms_taken(), 1, "its key tells the server that it is the same");
}

#[test]
fn one_that_fails_for_good_ends_with_its_own_error() {
    let world = answering(Reply::Json);
    world.fault("form:upload", 0, None, Fault::ResetAfter);
    let error = uploads(&world, json!({ "repeatable": true })).error();
    assert_eq!((error.code, error.retryable), (Code::Network, true));
    assert_eq!(world.count("form:upload"), 8);
}

#[test]
fn a_connection_lost_before_the_whole_body_is_a_certain_failure_and_repeated() {
    for fault in [Fault::ResetInBody, Fault::StallInBody] {
        let world = answering(Reply::Json);
        world.fault("form:upload", 0, 2, fault);
        let result = world.stored(&uploads(&world, json!({})));
        assert_eq!((result.parts, result.attempts, world.servers().form.forms_taken()), (1, 3, 1));
    }
}

#[test]
fn a_429_is_a_certain_failure_too() {
    let world = answering(Reply::Json);
    world.fault("form:upload", 0, 1, Fault::status(429).with("retry-after", "9"));
    world.stored(&uploads(&world, json!({})));
    let sent = world.sent("form:upload");
    assert!(sent[1].sent_at - sent[0].sent_at >= 9_000);
}

#[test]
fn a_pause_waits_for_the_answer_to_a_form_that_went_out_whole() {
    let world = answering(Reply::Json);
    world.fault("form:upload", 0, None, Fault::Latency(5_000));
    let upload = world.upload(with(json!({})), json!({}), &world.file("clip.mp4", MIB));
    run_until(&world, "a form that is out", || world.sent("form:upload").first().is_some_and(|form| form.whole));
    upload.pause();
    world.run_for(60_000);
    upload.resume();
    world.run();
    world.stored(&upload);
    assert_eq!(world.count("form:upload"), 1);
}

/// The next page, after one that crashed once the form had taken effect.
fn after_a_crash(size: u64, options: Value) -> (World, partway_simulation::Handle, Value) {
    let world = answering(Reply::Job);
    world.fault("form:upload", 0, 1, Fault::StallAnswer);
    let (_uploader, upload, session, file) = begin(&world, with(options), size);
    run_until_effect(&world, "form:upload");
    world.crash(true);
    let kept = world.kept(session).unwrap().record.unwrap();
    let next = resume(&world, &upload, session, &file);
    world.run();
    assert!(world.kept(session).is_none(), "what ended is kept no longer");
    (world, next, kept)
}

#[test]
fn a_later_page_knows_that_a_form_with_an_empty_file_was_begun() {
    let (world, next, _) = after_a_crash(0, json!({ "parse": "job" }));
    assert_eq!((next.code(), world.count("form:upload")), (Some(Code::OutcomeUnknown), 1), "{next:?}");
}

#[test]
fn a_later_page_knows_that_a_form_was_begun() {
    let (world, next, kept) = after_a_crash(3 * MIB, json!({ "parse": "job", "fields": { "token": "a secret" } }));
    assert_eq!((next.code(), world.count("form:upload")), (Some(Code::OutcomeUnknown), 1), "{next:?}");
    assert_eq!(kept["phase"], "completing");
    assert!(!kept.to_string().contains("secret"), "{kept}");
    let error = next.error();
    assert!(error.message.contains("before the server's answer to the form was read"), "{error}");
}

#[test]
fn a_later_page_sends_one_that_is_repeatable_again() {
    let (world, next, kept) = after_a_crash(3 * MIB, json!({ "parse": "job", "repeatable": true }));
    assert_eq!(kept["phase"], "sending");
    world.stored(&next);
    assert_eq!(world.count("form:upload"), 2);
}

#[test]
fn a_later_page_goes_on_polling() {
    for repeatable in [false, true] {
        let world = answering(Reply::Job);
        world.servers().form.config.processing_ms = 40_000;
        let options = json!({ "parse": "job", "repeatable": repeatable, "fields": { "token": "a secret" } });
        let (_uploader, upload, session, file) = begin(&world, with(options), 3 * MIB);
        run_until(&world, "a poll", || world.count("form:status") > 0);
        world.crash(true);
        let kept = world.kept(session).unwrap();
        let record = kept.record.clone().unwrap();
        assert_eq!(
            (&record["phase"], &record["recordId"]),
            (&json!("settling"), &json!("https://app.example/api/form/jobs/2"))
        );
        assert!(!format!("{kept:?}").contains("secret"), "{kept:?}");
        let next = resume(&world, &upload, session, &file);
        world.run();
        assert_eq!(world.stored(&next).outcome.media_id.as_deref(), Some("2"));
        assert_eq!(world.count("form:upload"), 1);
        assert!(!next.statuses().contains(&Status::Sending), "{next:?}");
    }
}

#[test]
fn a_kept_address_of_another_origin_is_not_polled() {
    let world = answering(Reply::Job);
    let (_uploader, upload, session, file) = begin(&world, with(json!({ "parse": "job" })), MIB);
    run_until(&world, "a poll", || world.count("form:status") > 0);
    world.crash(true);
    world.change_kept(session, |kept| {
        kept.record.as_mut().unwrap()["recordId"] = json!("https://evil.example/jobs/2");
    });
    let kept = world.kept(session).unwrap();
    let next = world.uploader(json!({})).begin(upload.provider().clone(), &file, Some(session), Beginning::Kept(kept));
    world.run();
    assert_eq!(next.code(), Some(Code::Application), "{next:?}");
    assert!(world.log().records.iter().all(|record| !record.url.contains("evil")));
}

#[test]
fn a_crash_between_the_answer_and_the_poll_is_an_unknown_outcome() {
    let world = answering(Reply::Job);
    let (_uploader, upload, session, file) = begin(&world, with(json!({ "parse": "job" })), MIB);
    run_until(&world, "a poll", || world.count("form:status") > 0);
    world.crash(true);
    world.change_kept(session, |kept| drop(kept.record.as_mut().unwrap().as_object_mut().unwrap().remove("recordId")));
    let next = resume(&world, &upload, session, &file);
    world.run();
    assert_eq!((next.code(), world.count("form:upload")), (Some(Code::OutcomeUnknown), 1));
}
