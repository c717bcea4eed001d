//! What is particular to a form to a server of one's own: fields and headers, the reply, the job.

use std::rc::Rc;

use partway::error::{Code, Step};
use partway::model::events::Status;
use partway::platform::{Hook, HookFailure, Thrown};
use partway_models::form::{Reply, Taken};
use partway_simulation::servers::FORMS;
use partway_simulation::{Fault, Handle, World};
use serde_json::{Value, json};

use crate::dialects::MIB;

/// The provider with further options; a null takes one away.
pub(crate) fn with(options: Value) -> Value {
    let mut provider = json!({ "name": "form", "url": "/api/form/upload" });
    for (name, value) in options.as_object().unwrap() {
        provider[name] = value.clone();
    }
    provider
}

/// A world whose server answers so.
pub(crate) fn answering(reply: Reply) -> World {
    let world = World::new(1);
    world.servers().form.config.reply = reply;
    world
}

pub(crate) fn uploads(world: &World, options: Value) -> Handle {
    let upload = world.upload(with(options), json!({}), &world.file("clip.mp4", 3 * MIB));
    world.run();
    upload
}

/// Has a function of the application do something else.
fn replace(world: &World, hook: Hook, function: impl Fn(&[Value]) -> Result<Value, HookFailure> + 'static) {
    world.hooks().replaced.insert(hook, Rc::new(function));
}

fn threw(message: &str) -> HookFailure {
    HookFailure { message: message.into(), upload_error: None, kind: Thrown::Anything, cause: None }
}

/// The form that the server took.
fn taken(world: &World) -> Taken {
    assert_eq!(world.servers().form.forms_taken(), 1);
    world.servers().form.taken("2").unwrap().clone()
}

#[test]
fn the_form_has_its_fields_and_then_the_file() {
    let world = answering(Reply::Json);
    let upload = uploads(&world, json!({ "fields": { "album": "7", "title": "a \"é\"\r\n" } }));
    let result = world.stored(&upload);
    assert_eq!((result.parts, result.attempts, result.verified), (1, 1, false));
    assert!(result.outcome.proof.is_none());
    let taken = taken(&world);
    let fields = [("album", "7"), ("title", "a \"é\"\r\n")].map(|(name, value)| (name.to_string(), value.to_string()));
    assert_eq!(taken.fields, fields);
    assert_eq!((taken.name.as_str(), taken.kind.as_deref()), ("clip.mp4", Some("video/mp4")));
    let sent = &world.sent("form:upload")[0];
    assert_eq!(sent.header("content-type"), Some("multipart/form-data; boundary=----partway"), "the browser's own");
    assert_eq!(sent.header("x-form-key"), None);
}

#[test]
fn the_files_field_and_the_method_are_the_callers() {
    let world = answering(Reply::Json);
    world.servers().form.config.file_field = "upload".into();
    let upload = uploads(&world, json!({ "fileField": "upload", "method": "PUT", "fields": { "file": "a text" } }));
    world.stored(&upload);
    assert_eq!(world.sent("form:upload")[0].method, "PUT");
    assert_eq!(taken(&world).fields, [("file".to_string(), "a text".to_string())]);
}

#[test]
fn a_field_of_the_files_own_name_is_refused() {
    let world = answering(Reply::Json);
    let upload = uploads(&world, json!({ "fields": { "file": "a text" } }));
    let error = upload.error();
    assert_eq!((error.code, world.count("form:upload")), (Code::InvalidOptions, 0));
    assert!(error.message.contains("\"file\""), "{error}");
}

#[test]
fn a_function_gives_the_fields_of_each_attempt() {
    let world = answering(Reply::Json);
    let count = Rc::new(std::cell::Cell::new(0));
    let counter = count.clone();
    replace(&world, Hook::Fields, move |arguments| {
        counter.set(counter.get() + 1);
        Ok(
            json!({ "try": counter.get().to_string(), "of": arguments[0]["name"], "size": arguments[0]["size"].to_string() }),
        )
    });
    world.fault("form:upload", 0, 2, Fault::status(429));
    let upload = uploads(&world, json!({}));
    world.stored(&upload);
    let pairs = [("of", "clip.mp4"), ("size", "3145728"), ("try", "3")];
    assert_eq!(taken(&world).fields, pairs.map(|(name, value)| (name.to_string(), value.to_string())));
}

#[test]
fn fields_that_are_no_texts_end_it_before_anything_is_sent() {
    for (fields, found) in
        [(json!({ "a": 7 }), "`fields.a` must be a string, but is a number"), (json!("a"), "an object")]
    {
        let world = answering(Reply::Json);
        let given = fields.clone();
        replace(&world, Hook::Fields, move |_| Ok(given.clone()));
        let error = uploads(&world, json!({})).error();
        assert_eq!((error.code, error.step, world.count("form:upload")), (Code::Application, Some(Step::Sign), 0));
        assert!(error.message.contains(found), "{error}");
    }
    let world = answering(Reply::Json);
    replace(&world, Hook::Fields, |_| Ok(Value::Null));
    world.stored(&uploads(&world, json!({})));
    assert!(taken(&world).fields.is_empty(), "nothing is no field");
}

#[test]
fn fields_that_fail_are_asked_for_again() {
    let world = answering(Reply::Json);
    let count = std::cell::Cell::new(0);
    replace(&world, Hook::Fields, move |_| {
        count.set(count.get() + 1);
        if count.get() < 3 { Err(threw("Failed to fetch")) } else { Ok(json!({})) }
    });
    world.stored(&uploads(&world, json!({})));
    let world = answering(Reply::Json);
    replace(&world, Hook::Fields, |_| Err(threw("Failed to fetch")));
    let error = uploads(&world, json!({})).error();
    assert_eq!((error.code, world.count("form:upload")), (Code::Application, 0));
}

#[test]
fn without_parse_the_result_has_what_the_reply_names() {
    let world = answering(Reply::Json);
    let result = world.stored(&uploads(&world, json!({})));
    let outcome = &result.outcome;
    assert_eq!((outcome.media_id.as_deref(), outcome.key.as_deref()), (Some("2"), Some("files/2")));
    assert_eq!(outcome.status, Some(201));
    for (reply, status) in [(Reply::Text, 200), (Reply::Nothing, 204)] {
        let world = answering(reply);
        let upload = uploads(&world, json!({}));
        let outcome = upload.done().outcome;
        assert_eq!((outcome.status, outcome.media_id, outcome.key), (Some(status), None, None));
        assert_eq!(world.servers().form.forms_taken(), 1);
        assert!(world.log().warnings.is_empty());
    }
    let world = answering(Reply::Json);
    world.fault("form:upload", 0, None, Fault::json(|reply| reply["key"] = json!({ "secret": 1 })));
    let upload = uploads(&world, json!({}));
    assert_eq!(upload.done().outcome.media_id.as_deref(), Some("2"));
    let warnings = world.log().warnings.concat();
    assert!(warnings.contains("the server's reply is ignored: `key` must be a string") && !warnings.contains("secret"));
}

#[test]
fn parse_gets_json_or_text_with_status_and_headers() {
    for (reply, value, status) in [
        (Reply::Json, json!({ "mediaId": "2", "key": "files/2" }), 201),
        (Reply::Text, json!("stored as 2"), 200),
        (Reply::Nothing, json!(""), 204),
    ] {
        let world = answering(reply);
        let seen = Rc::new(std::cell::RefCell::new(Vec::new()));
        let spy = seen.clone();
        replace(&world, Hook::Parse, move |arguments| {
            spy.replace(arguments.to_vec());
            Ok(json!({ "mediaId": "m", "media": { "of": arguments[1]["status"] } }))
        });
        let outcome = uploads(&world, json!({})).done().outcome;
        assert_eq!(seen.borrow()[0], value);
        assert_eq!(seen.borrow()[1]["status"], status);
        let has_id = seen.borrow()[1]["headers"].as_array().unwrap().contains(&json!(["x-id", "2"]));
        assert_eq!(has_id, reply == Reply::Nothing, "{:?}", seen.borrow());
        assert_eq!((outcome.media_id.as_deref(), outcome.media), (Some("m"), Some(json!({ "of": status }))));
    }
}

#[test]
fn what_parse_throws_ends_it_and_says_that_the_form_was_taken() {
    let world = answering(Reply::Json);
    replace(&world, Hook::Parse, |_| Err(threw("no id")));
    let upload = uploads(&world, json!({}));
    let error = upload.error();
    assert_eq!((error.code, error.retryable, error.step), (Code::Application, false, Some(Step::Complete)));
    assert!(error.message.contains("`parse` failed: no id") && error.hint.as_ref().unwrap().contains("has accepted"));
    assert_eq!(world.count("form:upload"), 1);
}

#[test]
fn a_job_is_polled_to_its_end() {
    let world = answering(Reply::Job);
    let upload = uploads(&world, json!({ "parse": "job" }));
    let result = world.stored(&upload);
    let outcome = &result.outcome;
    assert_eq!((outcome.media_id.as_deref(), outcome.status), (Some("2"), Some(202)));
    assert!(upload.statuses().contains(&Status::Processing));
    assert!(world.count("form:status") >= 2);
    let steps: Vec<f64> = upload.progress().iter().filter_map(|progress| progress.processing).collect();
    assert_eq!(steps.last(), Some(&1.0), "{steps:?}");
}

#[test]
fn without_a_job_nothing_is_polled_and_nothing_processes() {
    let world = answering(Reply::Json);
    let upload = uploads(&world, json!({ "parse": "id" }));
    world.stored(&upload);
    assert!(!upload.statuses().contains(&Status::Processing), "{upload:?}");
}

#[test]
fn job_judges_what_the_server_says_in_its_own_words() {
    let world = answering(Reply::Job);
    replace(&world, Hook::Job, |arguments| {
        let state = arguments[0]["state"].as_str().unwrap();
        assert!(["waiting", "active", "completed"].contains(&state));
        Ok(json!({ "state": state, "progress": 0.25, "result": { "mediaId": 7, "key": "k" } }))
    });
    let upload = uploads(&world, json!({ "parse": "job" }));
    let outcome = upload.done().outcome;
    assert_eq!((outcome.media_id.as_deref(), outcome.key.as_deref()), (Some("7"), Some("k")));
    for (said, code, part) in [
        (json!({ "state": "done" }), Code::Application, "`state` is another text"),
        (json!({}), Code::Application, "`state` must be a string, but is missing"),
        (json!({ "state": "failed", "error": "too dark" }), Code::ProcessingFailed, "It says: too dark"),
        (json!({ "state": "failed" }), Code::ProcessingFailed, "failed to process the file."),
    ] {
        let world = answering(Reply::Job);
        replace(&world, Hook::Job, move |_| Ok(said.clone()));
        let error = uploads(&world, json!({ "parse": "job" })).error();
        assert_eq!((error.code, error.step), (code, Some(Step::Status)));
        assert!(error.message.contains(part), "{error}");
        assert_eq!(world.count("form:upload"), 1);
    }
}

#[test]
fn a_job_that_fails_has_the_servers_reason() {
    let world = answering(Reply::Job);
    world.servers().form.config.fails = true;
    let error = uploads(&world, json!({ "parse": "job" })).error();
    assert_eq!((error.code, error.step), (Code::ProcessingFailed, Some(Step::Status)));
    assert!(error.message.ends_with("It says: The file can't be played"), "{error}");
}

#[test]
fn a_job_is_polled_at_the_callers_pace_and_not_for_ever() {
    let world = answering(Reply::Job);
    world.servers().form.config.processing_ms = 60_000;
    world.stored(&uploads(&world, json!({ "parse": "job", "pollIntervalMs": 20_000 })));
    let form = world.sent("form:upload")[0].arrived_at.unwrap();
    assert!(world.sent("form:status")[0].sent_at - form >= 15_000);
    let world = answering(Reply::Job);
    world.servers().form.config.processing_ms = 1 << 40;
    let error = uploads(&world, json!({ "parse": "job", "pollTimeoutMs": 5_000 })).error();
    assert_eq!(error.code, Code::ProcessingTimeout);
    assert!(world.elapsed() < 10_000);
}

#[test]
fn a_job_elsewhere_is_not_polled_with_the_forms_headers() {
    for (address, found) in [
        ("https://evil.example/jobs/7", "one of https://evil.example"),
        ("//evil.example/jobs/7", "something else"),
        ("javascript:alert(1)", "something else"),
        ("jobs/7", "something else"),
        ("", "something else"),
    ] {
        let world = answering(Reply::Job);
        replace(&world, Hook::Parse, move |_| Ok(json!({ "poll": address })));
        let upload = uploads(&world, json!({}));
        let error = upload.error();
        assert_eq!(error.code, Code::Application, "{upload:?}");
        assert!(
            error.message.contains("must be an address of https://app.example") && error.message.contains(found),
            "{error}"
        );
        assert_eq!(world.log().records.iter().filter(|record| record.method == "GET").count(), 0);
    }
    let world = answering(Reply::Job);
    replace(&world, Hook::Parse, |arguments| {
        let id = arguments[0]["id"].as_str().unwrap();
        Ok(json!({ "poll": format!("{FORMS}/jobs/{id}") }))
    });
    let trusting = json!({ "trustedOrigins": [FORMS] });
    let headers = json!({ "headers": { "x-requested-with": "XMLHttpRequest" } });
    let upload = world.upload(with(headers), trusting, &world.file("clip.mp4", MIB));
    world.run();
    assert_eq!(upload.code(), Some(Code::Unauthorized), "it lacks the key of that server: {upload:?}");
    let polls = world.some_sent("form:status");
    assert!(polls.iter().all(|poll| poll.url.starts_with(FORMS) && poll.header("x-requested-with").is_some()));
}

#[test]
fn headers_go_to_the_servers_origin_with_form_and_polls() {
    let world = answering(Reply::Job);
    let headers = json!({ "x-form-key": "form-key", "X-Requested-With": "XMLHttpRequest" });
    let url = format!("{FORMS}/upload");
    let upload = uploads(&world, json!({ "url": url, "headers": headers, "parse": "job" }));
    world.stored(&upload);
    for record in world.some_sent("form:*") {
        assert!(record.url.starts_with(FORMS), "{}", record.url);
        assert_eq!(record.header("x-form-key"), Some("form-key"));
        assert_eq!(record.header("x-requested-with"), Some("XMLHttpRequest"));
    }
    assert_eq!(
        world.log().records.iter().filter(|record| record.header("x-form-key").is_some()).count(),
        world.count("form:*")
    );
}

#[test]
fn options_that_cannot_work() {
    for (options, part) in [
        (json!({ "url": "http://forms.example/upload" }), "`url` (\"http://forms.example/upload\") is neither"),
        (json!({ "url": "ftp://forms.example/upload?token=secret" }), "`url` (\"ftp://forms.example/upload\")"),
        (json!({ "url": 7 }), "`url` must be a string"),
        (json!({ "headers": { "Content-Type": "multipart/form-data" } }), "must not have Content-Type"),
        (json!({ "headers": { "a": 7 } }), "`headers.a` must be a string"),
        (json!({ "fields": { "a": 7 } }), "`fields.a` must be a string"),
    ] {
        let world = answering(Reply::Json);
        let error = uploads(&world, options).error();
        assert_eq!((error.code, world.count("form:upload")), (Code::InvalidOptions, 0));
        assert!(error.message.contains(part), "{error}");
    }
    let world = answering(Reply::Json);
    let upload = world.upload(with(json!({})), json!({ "integrity": "require" }), &world.file("clip.mp4", MIB));
    world.run();
    assert_eq!((upload.code(), world.count("form:upload")), (Some(Code::InvalidOptions), 0), "nothing would prove it");
}

#[test]
fn refusals_have_the_servers_words() {
    for (status, code) in [
        (401, Code::Unauthorized),
        (403, Code::Forbidden),
        (404, Code::BadRequest),
        (409, Code::Conflict),
        (413, Code::TooLarge),
        (415, Code::UnsupportedType),
        (422, Code::BadRequest),
    ] {
        let world = answering(Reply::Json);
        world.fault("form:upload", 0, None, Fault::answer(status, r#"{"message":"as scripted"}"#));
        let error = uploads(&world, json!({})).error();
        assert_eq!((error.code, error.status, error.retryable), (code, Some(status), false), "{error:?}");
        assert!(error.message.ends_with("It says: as scripted"), "{error}");
        assert_eq!((world.count("form:upload"), error.step), (1, Some(Step::Part)));
    }
    let world = answering(Reply::Json);
    world.servers().form.config.max_bytes = 10;
    let error = uploads(&world, json!({})).error();
    assert!(error.message.ends_with("It says: Payload Too Large"), "{error}");
}

#[test]
fn an_answer_whose_etag_looks_like_an_md5_proves_nothing_and_is_not_asked_for_again() {
    for repeatable in [false, true] {
        let world = answering(Reply::Json);
        let etag = |answer: &mut partway_models::wire::Response| {
            answer.headers.insert("etag", "W/\"0123456789abcdef0123456789abcdef\"");
        };
        world.fault("form:upload", 0, None, Fault::Edit(Rc::new(etag)));
        let provider = with(json!({ "repeatable": repeatable }));
        let upload = world.upload(provider, json!({ "integrity": "auto" }), &world.file("clip.mp4", MIB));
        world.run();
        let result = world.stored(&upload);
        assert_eq!((result.attempts, result.verified, result.outcome.etag), (1, false, None));
        assert_eq!(world.hashed_windows(), 0, "nothing is hashed in vain");
    }
}
