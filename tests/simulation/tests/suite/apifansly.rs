//! What is particular to apifansly: a form that must not arrive twice, a job, ids beyond 2^53.

use partway::error::{Code, Step};
use partway_models::apifansly::{End, FailureText};
use partway_simulation::{Fault, File, Handle, World};
use serde_json::{Value, json};

use crate::dialects::MIB;

fn provider() -> Value {
    json!({ "name": "apifansly", "baseUrl": "/api/apifansly", "accountId": "2002" })
}

fn uploads(world: &World, provider: Value, size: u64) -> Handle {
    let upload = world.upload(provider, json!({}), &world.file("clip.mp4", size));
    world.run();
    upload
}

#[test]
fn the_form_has_its_fields_and_the_file() {
    let world = World::new(1);
    let mut options = provider();
    options["formInputs"] = json!([{ "type": 1, "value": "a \"quoted\" \\ text\nand é" }, { "type": 2, "value": "" }]);
    let upload = uploads(&world, options, MIB);
    let id = world.stored(&upload).outcome.media_id.clone().unwrap();
    let servers = world.servers();
    let kept = servers.apifansly.form_inputs(&id).unwrap();
    assert_eq!(kept, [(1.0, "a \"quoted\" \\ text\nand é".to_string()), (2.0, String::new())]);
    drop(servers);
    let sent = &world.sent("apifansly:upload")[0];
    assert_eq!(sent.header("content-type"), Some("multipart/form-data; boundary=----partway"), "the browser's own");
    assert_eq!(sent.header("x-api-key"), None);
}

#[test]
fn without_form_inputs_there_is_no_such_field() {
    let world = World::new(1);
    let upload = uploads(&world, provider(), MIB);
    let id = world.stored(&upload).outcome.media_id.clone().unwrap();
    assert!(world.servers().apifansly.form_inputs(&id).is_none_or(<[_]>::is_empty));
}

#[test]
fn ids_stay_text_and_links_expire_five_hours_after_the_answer() {
    let world = World::new(1);
    let mut last = Value::Null;
    let seen = std::rc::Rc::new(std::cell::RefCell::new(Value::Null));
    let spy = seen.clone();
    world.fault(
        "apifansly:status",
        0,
        None,
        Fault::json(move |reply| {
            reply["timestamp"] = json!("2026-02-04T18:40:19.559Z");
            spy.replace(reply.clone());
        }),
    );
    let upload = uploads(&world, provider(), MIB);
    let outcome = world.stored(&upload).outcome;
    std::mem::swap(&mut last, &mut seen.borrow_mut());
    assert_eq!(json!(outcome.media_id), last["data"]["result"]["mediaId"]);
    assert!(outcome.media_id.as_ref().unwrap().len() > 16, "{outcome:?}");
    assert_eq!(outcome.media.as_ref(), Some(&last["data"]["result"]), "whole");
    assert_eq!(outcome.links_expire_at.as_deref(), Some("2026-02-04T23:40:19.559Z"));
}

#[test]
fn an_id_that_comes_as_a_number_beyond_its_precision_is_refused() {
    let world = World::new(1);
    world.fault(
        "apifansly:status",
        0,
        None,
        Fault::body(r#"{"data":{"state":"completed","result":{"mediaId":874740000000000001}},"timestamp":"2026-02-04T18:40:19Z"}"#),
    );
    let upload = uploads(&world, provider(), MIB);
    assert_eq!(upload.code(), Some(Code::Server), "a wrong id is worse than none: {upload:?}");
    assert_eq!(world.servers().apifansly.uploads_accepted(), 1);
}

#[test]
fn a_lost_answer_is_an_unknown_outcome_and_never_a_second_upload() {
    for fault in [
        Fault::ResetAfter,
        Fault::ResetBefore,
        Fault::StallAnswer,
        Fault::status(500),
        Fault::status(502),
        Fault::status(504),
        Fault::body("<html>"),
        Fault::body("{}"),
        Fault::body(r#"{"data":{"success":true}}"#),
        Fault::body(r#"{"data":{"success":true,"jobId":{}}}"#),
    ] {
        let world = World::new(1);
        world.fault("apifansly:upload", 0, None, fault.clone());
        let upload = uploads(&world, provider(), MIB);
        let error = upload.error();
        assert_eq!((error.code, error.retryable), (Code::OutcomeUnknown, false), "{fault:?}: {upload:?}");
        assert_eq!(world.count("apifansly:upload"), 1, "{fault:?}");
        assert!(world.servers().apifansly.uploads_accepted() <= 1);
        assert!(error.hint.is_some());
    }
}

#[test]
fn a_connection_lost_before_the_whole_body_is_a_certain_failure_and_repeated() {
    for reports in [true, false] {
        for fault in [Fault::ResetInBody, Fault::StallInBody] {
            let world = World::new(1);
            world.line(|line| line.reports = reports);
            world.fault("apifansly:upload", 0, 2, fault);
            let upload = uploads(&world, provider(), 30 * MIB);
            let result = world.stored(&upload);
            assert_eq!((result.parts, result.attempts), (1, 3), "{upload:?}");
            assert_eq!(world.servers().apifansly.uploads_accepted(), 1);
        }
    }
}

#[test]
fn a_rate_limited_form_is_a_certain_failure_too() {
    let world = World::new(1);
    world.fault(
        "apifansly:upload",
        0,
        1,
        Fault::answer(429, r#"{"statusCode":429,"message":"Too many","data":null}"#)
            .with("x-ratelimit-retry-after", "9"),
    );
    let upload = uploads(&world, provider(), MIB);
    world.stored(&upload);
    let sent = world.sent("apifansly:upload");
    assert!(sent[1].sent_at - sent[0].sent_at >= 9_000, "the header of its own is read");
}

#[test]
fn refusals_are_final_and_carry_the_vendors_message() {
    for (status, code) in [
        (400, Code::BadRequest),
        (401, Code::Unauthorized),
        (403, Code::Forbidden),
        (413, Code::TooLarge),
        (415, Code::UnsupportedType),
    ] {
        let world = World::new(1);
        world.fault(
            "apifansly:upload",
            0,
            None,
            Fault::answer(status, r#"{"statusCode":0,"message":"Not like that"}"#),
        );
        let upload = uploads(&world, provider(), MIB);
        let error = upload.error();
        assert_eq!((error.code, error.status), (code, Some(status)));
        assert_eq!(error.vendor.as_ref().unwrap().message.as_deref(), Some("Not like that"));
        assert_eq!(world.count("apifansly:upload"), 1);
    }
    let world = World::new(1);
    let mut options = provider();
    options["accountId"] = json!("9999");
    let upload = uploads(&world, options, MIB);
    assert_eq!(upload.code(), Some(Code::SessionExpired), "{upload:?}");
    assert_eq!(world.count("apifansly:upload"), 1);
}

#[test]
fn a_failed_job_says_why_wherever_it_says_it() {
    for text in [FailureText::Error, FailureText::Message, FailureText::Outer] {
        let world = World::new(1);
        world.servers().apifansly.config.end = End::Failed;
        world.servers().apifansly.config.failure_text = text;
        let upload = uploads(&world, provider(), MIB);
        let error = upload.error();
        assert_eq!((error.code, error.step, error.retryable), (Code::ProcessingFailed, Some(Step::Status), true));
        let words = error.vendor.as_ref().unwrap().message.clone().unwrap_or_default();
        assert!(words.len() > 8 && words != "Success" && error.message.contains(&words), "{text:?}: {error:?}");
        assert_eq!(world.count("apifansly:upload"), 1, "a failed job isn't sent again by itself");
    }
}

#[test]
fn completed_without_a_media_id_is_not_done_yet() {
    let world = World::new(1);
    let unripe = |reply: &mut Value| {
        if reply["data"]["state"] == "completed" {
            reply["data"]["result"].as_object_mut().unwrap().remove("mediaId");
        }
    };
    world.fault("apifansly:status", 0, 4, Fault::json(unripe));
    let upload = uploads(&world, provider(), MIB);
    world.stored(&upload);
    assert_eq!(world.count("apifansly:status"), 5);
}

/// The times between the form's answer and the polls.
fn poll_gaps(world: &World) -> Vec<u64> {
    let form = world.sent("apifansly:upload")[0].arrived_at.unwrap();
    let polls = world.sent("apifansly:status");
    let times: Vec<u64> = [form].into_iter().chain(polls.iter().map(|poll| poll.sent_at)).collect();
    times.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

#[test]
fn polls_slow_down_from_two_seconds_to_thirty() {
    for (interval, rhythm) in [
        (json!(null), [2_000, 4_000, 8_000, 16_000, 30_000]),
        (json!(500), [500, 1_000, 2_000, 4_000, 8_000]),
        (json!(20_000), [20_000, 30_000, 30_000, 30_000, 30_000]),
        (json!(60_000), [60_000, 60_000, 60_000, 60_000, 60_000]),
    ] {
        let world = World::new(1);
        world.servers().apifansly.config.processing_ms = 400_000;
        let mut options = provider();
        options["pollIntervalMs"] = interval.clone();
        let upload = uploads(&world, options, MIB);
        world.stored(&upload);
        let gaps = poll_gaps(&world);
        assert!(gaps.len() >= 5, "{gaps:?}");
        for (index, gap) in gaps.iter().enumerate() {
            let rhythm = rhythm[index.min(4)];
            // The network's delay for each answer is added.
            let late = rhythm * 5 / 4 + 400;
            let doubled = index >= 5 && interval == json!(500);
            assert!(doubled || (rhythm * 3 / 4..=late).contains(gap), "{gap} where {rhythm} is due: {gaps:?}");
        }
        let steps: Vec<f64> = upload.progress().iter().filter_map(|progress| progress.processing).collect();
        assert!(steps.len() > 3 && steps.last() == Some(&1.0), "the vendor's own progress is told: {steps:?}");
    }
}

#[test]
fn the_state_error_is_an_end() {
    let world = World::new(1);
    world.servers().apifansly.config.end = End::Error;
    let error = uploads(&world, provider(), MIB).error();
    assert_eq!((error.code, error.step), (Code::ProcessingFailed, Some(Step::Status)));
    assert!(error.message.contains("could not be processed"), "{error:?}");
    assert_eq!(error.vendor.as_ref().unwrap().code.as_deref(), Some("error"));
    assert!(world.count("apifansly:status") < 20);
}

#[test]
fn a_job_that_never_ends_times_out() {
    let world = World::new(1);
    world.servers().apifansly.config.processing_ms = 1 << 40;
    let upload = uploads(&world, provider(), MIB);
    assert_eq!(upload.code(), Some(Code::ProcessingTimeout));
    assert!((900_000..940_000).contains(&world.elapsed()));
    let mut options = provider();
    options["pollTimeoutMs"] = json!(5_000);
    let world = World::new(1);
    world.servers().apifansly.config.processing_ms = 1 << 40;
    assert_eq!(uploads(&world, options, MIB).code(), Some(Code::ProcessingTimeout));
    assert!(world.elapsed() < 10_000);
}

#[test]
fn a_status_that_cannot_be_read_for_a_while_ends_nothing() {
    for fault in [Fault::status(503), Fault::ResetAfter, Fault::StallAnswer] {
        let world = World::new(1);
        world.fault("apifansly:status", 0, 12, fault.clone());
        let upload = uploads(&world, provider(), MIB);
        world.stored(&upload);
    }
}

#[test]
fn straight_to_the_vendor_and_options_that_cannot_work() {
    let world = World::new(1);
    let direct = json!({ "name": "apifansly", "accountId": "2002", "apiKey": "apifansly-key", "dangerouslyExposeSecrets": true });
    let upload = uploads(&world, direct, MIB);
    world.stored(&upload);
    assert!(world.log().records.iter().all(|record| record.header("x-api-key") == Some("apifansly-key")));
    for options in [
        json!({ "name": "apifansly", "baseUrl": "/api/apifansly" }),
        json!({ "name": "apifansly", "baseUrl": "/api/apifansly", "accountId": "2002", "pollIntervalMs": 1.5 }),
        json!({ "name": "apifansly", "baseUrl": "/api/apifansly", "accountId": "2002", "apiKey": "k" }),
    ] {
        let world = World::new(1);
        assert_eq!(uploads(&world, options.clone(), MIB).code(), Some(Code::InvalidOptions), "{options}");
    }
}

#[test]
fn a_file_without_a_type_goes_all_the_same() {
    let world = World::new(1);
    let upload = world.upload(provider(), json!({}), &File::symbolic(5, "unknown.bin", "", MIB));
    world.run();
    world.stored(&upload);
}
