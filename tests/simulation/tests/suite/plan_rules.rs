//! A plan of the application's own: what its functions return and throw.

use std::rc::Rc;

use partway::error::{Code, Step};
use partway::platform::{Hook, HookFailure, Thrown};
use partway_simulation::{Fault, World};
use serde_json::{Value, json};

use crate::dialects::MIB;
use crate::plan::uploads;

#[test]
fn what_complete_gives_is_merged_into_the_result() {
    let world = World::new(1);
    let more = |reply: &mut Value| {
        reply["mediaId"] = json!("874740000000000001");
        reply["media"] = json!({ "any": ["thing"] });
        reply["reusable"] = json!(true);
        reply["bytes"] = json!(1);
        reply["provider"] = json!("other");
    };
    world.fault("plan:complete", 0, 1, Fault::json(more));
    let result = world.stored(&uploads(&world, 12 * MIB));
    assert_eq!((result.provider, result.bytes, result.parts), ("plan", 12 * MIB, 3), "what was measured stays");
    assert_eq!(result.outcome.media_id.as_deref(), Some("874740000000000001"));
    assert_eq!((result.outcome.media, result.outcome.reusable), (Some(json!({ "any": ["thing"] })), Some(true)));
    assert!(result.outcome.location.is_some() && result.outcome.etag.is_some());
}

#[test]
fn complete_may_return_nothing_or_be_absent() {
    for reply in ["null", "{}", "17", "\"text\"", r#"{"key":5,"etag":[]}"#] {
        let world = World::new(1);
        world.fault("plan:complete", 0, 1, Fault::body(reply));
        let upload = uploads(&world, 12 * MIB);
        assert_eq!(upload.done().outcome.key.as_deref(), Some("plans/1-clip.mp4"), "{reply}");
        world.stored(&upload);
    }
    let world = World::new(1);
    world.hooks().absent.insert(Hook::Complete);
    let upload = uploads(&world, MIB);
    let outcome = world.stored(&upload).outcome;
    assert!(outcome.etag.is_some() && !outcome.location.unwrap().contains('?'), "no signature in a location");
}

#[test]
fn complete_gets_the_plan_as_it_came_and_the_parts_in_order() {
    let world = World::new(1);
    world.servers().backend.extra = json!({ "anything": { "of": ["yours", 1.5, null] } });
    world.stored(&uploads(&world, 40 * MIB));
    for route in ["plan:sign", "plan:complete"] {
        assert_eq!(world.sent(route)[0].json.as_ref().unwrap()[0]["anything"], json!({ "of": ["yours", 1.5, null] }));
    }
    let parts = world.sent("plan:complete")[0].json.as_ref().unwrap()[1].clone();
    let numbers: Vec<_> = parts.as_array().unwrap().iter().map(|part| part["partNumber"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=8).collect::<Vec<_>>());
    let opened = world.sent("plan:open")[0].json.clone().unwrap();
    assert_eq!(opened, json!([{ "name": "clip.mp4", "size": 40 * MIB, "type": "video/mp4" }]));
}

#[test]
fn open_and_complete_are_called_once_sign_again() {
    for (route, size, calls, step) in [
        ("plan:open", MIB, 1, Step::Init),
        ("plan:complete", 12 * MIB, 1, Step::Complete),
        ("plan:sign", 12 * MIB, 8, Step::Sign),
    ] {
        let world = World::new(1);
        world.fault(route, 0, None, Fault::status(500));
        let upload = uploads(&world, size);
        let error = upload.error();
        assert_eq!((error.code, error.step, error.retryable), (Code::Application, Some(step), false), "{upload:?}");
        let ahead = usize::from(route == "plan:sign");
        assert!((calls..=calls + ahead).contains(&world.count(route)), "{route}: {} calls", world.count(route));
    }
    let world = World::new(1);
    world.fault("plan:sign", 0, 3, Fault::ResetBefore);
    world.stored(&uploads(&world, 12 * MIB));
}

#[test]
fn an_upload_error_that_is_thrown_on_purpose_decides_by_itself() {
    for (retryable, calls) in [(false, 1), (true, 8)] {
        let world = World::new(1);
        let throws = move |_: &[Value]| {
            Err(HookFailure {
                message: "not today".into(),
                upload_error: Some(retryable),
                kind: Thrown::Anything,
                cause: None,
            })
        };
        world.hooks().replaced.insert(Hook::SignParts, Rc::new(throws));
        let upload = uploads(&world, 12 * MIB);
        let error = upload.error();
        assert_eq!(error.retryable, retryable);
        assert!(error.message.contains("not today"));
        assert!((calls..=calls + 1).contains(&world.count("plan:sign")), "{} calls", world.count("plan:sign"));
    }
}

#[test]
fn what_a_function_threw_decides_whether_it_is_called_again() {
    const PAGE: &str = "Unexpected token '<', \"<!doctype \"... is not valid JSON";
    for (kind, message, calls, said) in [
        (Thrown::Mistake, "api is undefined", 1, "has a mistake"),
        (Thrown::NotJson, PAGE, 3, "most likely an HTML page"),
        (Thrown::Anything, "Failed to fetch", 8, "failed"),
    ] {
        let world = World::new(1);
        let throws =
            move |_: &[Value]| Err(HookFailure { message: message.into(), upload_error: None, kind, cause: None });
        world.hooks().replaced.insert(Hook::SignParts, Rc::new(throws));
        let upload = uploads(&world, 12 * MIB);
        let error = upload.error();
        assert_eq!((error.code, error.retryable), (Code::Application, false), "{upload:?}");
        assert!(error.message.contains(said) && error.message.contains(message), "{error:?}");
        assert!((calls..=calls + 1).contains(&world.count("plan:sign")), "{said}: {}", world.count("plan:sign"));
    }
}

#[test]
fn a_page_in_place_of_json_is_waited_out_where_the_function_worked_before() {
    let page = || Fault::answer(502, "<!doctype html><title>Bad gateway</title>");
    // The first calls are made ahead of need.
    for worked in [1, 2] {
        let world = World::new(1);
        world.fault("plan:sign", worked, 7, page());
        world.stored(&uploads(&world, 500 * MIB));
    }
    // The first call is that of another upload.
    let world = World::new(1);
    world.servers().backend.first_urls = 0;
    let uploader = world.uploader(json!({}));
    let upload = || {
        let upload = uploader.upload(json!({ "name": "plan" }), &world.file("clip.mp4", MIB));
        world.run();
        upload
    };
    world.stored(&upload());
    world.fault("plan:sign", 0, 7, page());
    world.stored(&upload());
    assert_eq!(world.count("plan:sign"), 1 + 7 + 1);
    // `open` works, and says nothing of `sign`.
    let world = World::new(1);
    world.servers().backend.first_urls = 0;
    world.fault("plan:sign", 0, 3, page());
    assert_eq!(uploads(&world, MIB).code(), Some(Code::Application));
}

#[test]
fn a_plan_that_is_not_used_is_aborted() {
    for (route, fault, code) in [
        ("store:UploadPart", Fault::answer(403, "<Error><Code>AccessDenied</Code></Error>"), Code::Forbidden),
        ("plan:sign", Fault::body("[]"), Code::PlanMismatch),
    ] {
        let world = World::new(1);
        world.fault(route, 0, None, fault);
        let upload = uploads(&world, 40 * MIB);
        assert_eq!(upload.code(), Some(code), "{upload:?}");
        assert_eq!(world.count("plan:abort"), 1, "{upload:?}");
        assert_eq!(world.servers().store.open_uploads(), []);
    }
}

#[test]
fn plans_that_cannot_be_right_are_refused_before_a_byte_is_sent() {
    type Change = fn(&mut Value);
    let changes: [(&str, Change); 18] = [
        ("no parts", |plan| plan["parts"] = json!([])),
        ("parts of another type", |plan| plan["parts"] = json!({})),
        ("no range", |plan| drop(plan["parts"][0].as_object_mut().unwrap().remove("byteRange"))),
        ("a negative start", |plan| plan["parts"][0]["byteRange"]["start"] = json!(-1)),
        ("a fraction", |plan| plan["parts"][0]["byteRange"]["end"] = json!(5_242_879.5)),
        ("a gap", |plan| plan["parts"][1]["byteRange"]["start"] = json!(5_242_881)),
        ("an overlap", |plan| plan["parts"][1]["byteRange"]["start"] = json!(5_242_879)),
        ("too short", |plan| drop(plan["parts"].as_array_mut().unwrap().pop())),
        ("too long", |plan| plan["parts"][2]["byteRange"]["end"] = json!(1u64 << 40)),
        ("the end of all numbers", |plan| plan["parts"][2]["byteRange"]["end"] = json!(u64::MAX)),
        ("part 0", |plan| plan["parts"][0]["partNumber"] = json!(0)),
        ("a part twice", |plan| plan["parts"][1]["partNumber"] = json!(1)),
        ("a part number beyond all", |plan| plan["parts"][2]["partNumber"] = json!(1u64 << 33)),
        ("another method", |plan| plan["method"] = json!("DELETE")),
        ("other etags", |plan| plan["etags"] = json!("maybe")),
        ("an expiry that is none", |plan| plan["expiresAt"] = json!("tomorrow")),
        ("plain http", |plan| plan["parts"][0]["uploadUrl"] = json!("http://store.example/x")),
        ("a script", |plan| plan["parts"][0]["uploadUrl"] = json!("javascript:alert(1)")),
    ];
    for (name, change) in changes {
        let world = World::new(1);
        world.fault("plan:open", 0, None, Fault::json(change));
        let upload = uploads(&world, 12 * MIB);
        assert_eq!(upload.code(), Some(Code::PlanMismatch), "{name}: {upload:?}");
        assert_eq!(world.count("store:*"), 0, "{name}");
        assert_eq!(world.count("plan:abort"), 1, "{name}: it is given up");
    }
}

#[test]
fn parts_may_be_numbered_with_gaps_and_given_in_any_order() {
    let world = World::new(1);
    world.servers().backend.first_urls = usize::MAX;
    world.fault("plan:open", 0, None, Fault::json(|plan| plan["parts"].as_array_mut().unwrap().reverse()));
    world.stored(&uploads(&world, 23 * MIB));
}

#[test]
fn what_open_returned_is_only_aborted_where_it_names_something() {
    for (plan, aborts) in [
        (Value::Null, 0),
        (json!("text"), 0),
        (json!({}), 0),
        (json!({ "data": {} }), 0),
        (json!({ "uploadId": "u" }), 1),
        (json!({ "key": "k" }), 1),
    ] {
        let world = World::new(1);
        let given = plan.clone();
        world.hooks().replaced.insert(Hook::Open, Rc::new(move |_| Ok(given.clone())));
        let upload = uploads(&world, 12 * MIB);
        assert_eq!(upload.code(), Some(Code::PlanMismatch), "{plan}: {upload:?}");
        assert_eq!(world.count("plan:abort"), aborts, "{plan}");
    }
}

#[test]
fn a_plan_that_nobody_may_complete_is_told_once() {
    let warned = |absent: &[Hook], size| {
        let world = World::new(1);
        world.hooks().absent.extend(absent);
        let uploader = world.uploader(json!({}));
        for _ in 0..3 {
            uploader.upload(json!({ "name": "plan" }), &world.file("clip.mp4", size));
        }
        world.run();
        world.log().warnings.iter().filter(|warning| warning.contains("no `complete`")).count()
    };
    assert_eq!(warned(&[Hook::Complete], 12 * MIB), 1);
    assert_eq!(warned(&[], 12 * MIB), 0);
    assert_eq!(warned(&[Hook::Complete], MIB), 0, "a single PUT is complete by itself");
}

#[test]
fn a_refused_plan_says_what_was_expected_and_found() {
    type Change = fn(&mut Value);
    let changes: [(Change, &str, &str); 6] = [
        (|plan| plan["parts"][0]["partNumber"] = json!("1"), "a whole number from 1, but is a string", "byteRange: {"),
        (
            |plan| plan["parts"][0]["partNumber"] = json!(0),
            "a whole number from 1, but is another number",
            "byteRange: {",
        ),
        (|plan| *plan = json!({ "data": {} }), "; got the members: data.", "Expected: {"),
        (|plan| plan["parts"][0]["uploadUrl"] = json!("/api/part?token=secret"), "but is \"/api/part\".", "https URLs"),
        (
            |plan| plan["parts"][0]["uploadUrl"] = json!("//host/part?token=secret"),
            "but is something else.",
            "https URLs",
        ),
        (|plan| plan["parts"][0]["uploadUrl"] = json!("http://minio:9000/x"), "must be https", "docker compose"),
    ];
    for (change, message, hint) in changes {
        let world = World::new(1);
        world.fault("plan:open", 0, None, Fault::json(change));
        let error = uploads(&world, 12 * MIB).error();
        assert!(error.message.contains(message), "{error:?} should say {message}");
        assert!(error.hint.as_ref().is_some_and(|said| said.contains(hint)), "{error:?} should hint {hint}");
        assert!(!error.message.contains("secret"), "{error:?}");
    }
}

#[test]
fn an_empty_file_is_refused_by_the_name_of_the_destination() {
    let world = World::new(1);
    let error = uploads(&world, 0).error();
    assert_eq!(error.code, Code::FileRejected);
    assert!(error.hint.as_ref().is_some_and(|hint| hint.contains("the `plan` destination can't send")), "{error:?}");
}
