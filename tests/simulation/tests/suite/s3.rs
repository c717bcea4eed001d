//! What is particular to S3: ranges of very large files, hosts, signed headers, credentials, clocks.

use partway::error::{Code, Step};
use partway::model::events::{Event, Status};
use partway::platform::{Hook, HookFailure, Thrown};
use partway_simulation::servers::{STORE, STORE_TWO};
use partway_simulation::{Fault, Handle, World};
use serde_json::{Value, json};

use crate::dialects::MIB;

pub(crate) fn with(members: Value) -> Value {
    let mut provider = json!({
        "name": "s3", "endpoint": STORE, "bucket": "media", "region": "us-east-1", "forcePathStyle": true, "key": "a/b.mp4",
        "partSize": 8 * MIB,
    });
    for (name, value) in members.as_object().unwrap() {
        provider[name] = value.clone();
    }
    provider
}

pub(crate) fn uploads(world: &World, provider: Value, size: u64) -> Handle {
    let upload = world.upload(provider, json!({}), &world.file("clip.mp4", size));
    world.run();
    upload
}

#[test]
fn the_threshold_decides_between_one_put_and_parts() {
    for (members, size, parts) in [
        (json!({}), 16 * MIB - 1, 0),
        (json!({}), 16 * MIB, 2),
        (json!({}), 16 * MIB + 1, 3),
        (json!({ "multipartThreshold": 5 * MIB, "partSize": 6 * MIB }), 5 * MIB - 1, 0),
        (json!({ "multipartThreshold": 5 * MIB, "partSize": 6 * MIB }), 18 * MIB, 3),
        (json!({ "multipartThreshold": 0 }), 1, 1),
        (json!({ "multipartThreshold": 0 }), 0, 0),
    ] {
        let world = World::new(1);
        let upload = uploads(&world, with(members.clone()), size);
        world.stored(&upload);
        assert_eq!(world.count("store:UploadPart"), parts, "{members} {size}");
        assert_eq!(world.count("store:PutObject"), usize::from(parts == 0));
        assert_eq!(world.count("store:CompleteMultipartUpload"), usize::from(parts > 0));
        assert_eq!(world.servers().store.open_uploads(), []);
    }
}

#[test]
fn six_gibibytes_go_in_the_right_ranges() {
    const SIZE: u64 = (6 << 30) + 5;
    let world = World::new(1);
    world.line(|line| (line.bytes_per_ms, line.reports) = (100_000, false));
    let upload = uploads(&world, with(json!({})), SIZE);
    let result = world.stored(&upload);
    assert_eq!((result.bytes, result.parts), (SIZE, 769));
    let last =
        world.sent("store:UploadPart").into_iter().filter_map(|record| record.range).max_by_key(|r| r.end).unwrap();
    assert_eq!((last.start, last.end), (6 << 30, SIZE));
    assert_eq!(upload.progress().last().unwrap().sent, SIZE);
}

#[test]
fn a_file_that_would_have_too_many_parts_gets_larger_ones() {
    const SIZE: u64 = 200 << 30;
    let world = World::new(1);
    world.line(|line| (line.bytes_per_ms, line.reports) = (1_000_000, false));
    let upload = uploads(&world, with(json!({})), SIZE);
    let result = world.stored(&upload);
    assert!(result.parts <= 10_000 && result.parts > 9_000, "{}", result.parts);
}

#[test]
fn parts_are_spread_over_the_hosts_and_control_calls_go_to_the_first() {
    let world = World::new(1);
    let upload = uploads(&world, with(json!({ "endpoints": [STORE, STORE_TWO] })), 80 * MIB);
    world.stored(&upload);
    let on = |host: &str| world.sent("store:UploadPart").iter().filter(|record| record.url.starts_with(host)).count();
    assert_eq!((on(&format!("{STORE}/")), on(&format!("{STORE_TWO}/"))), (5, 5));
    for route in ["store:CreateMultipartUpload", "store:CompleteMultipartUpload"] {
        assert!(world.some_sent(route).iter().all(|record| record.url.starts_with(&format!("{STORE}/"))));
    }
}

#[test]
fn the_callers_headers_are_signed_and_sent_once() {
    let headers = json!({ "x-amz-meta-title": "Ein Titel", "Cache-Control": "max-age=5", "x-amz-meta-b": "  a  b " });
    for size in [MIB, 20 * MIB] {
        let world = World::new(1);
        let upload = uploads(&world, with(json!({ "headers": headers })), size);
        world.stored(&upload);
        for record in world.some_sent("store:*") {
            let carries = record.header("x-amz-meta-title").is_some();
            assert_eq!(
                carries,
                matches!(record.route, "store:PutObject" | "store:CreateMultipartUpload"),
                "{}",
                record.url
            );
            if carries {
                assert!(record.url.contains("x-amz-meta-title"), "signed: {}", record.url);
            }
        }
    }
}

#[test]
fn keys_of_all_kinds_are_signed_as_they_are_sent() {
    let keys = [
        "plain.mp4",
        "a b/c+d/é&=?#%41.mp4",
        "../x/./y//z",
        "日本語.mov",
        "~tilde_-.",
        "trailing/",
        "a:b@c,d;e'f(g)h*!$",
    ];
    for key in keys {
        for size in [MIB, 17 * MIB] {
            let world = World::new(1);
            let upload = uploads(&world, with(json!({ "key": key })), size);
            // A browser resolves dot segments before it sends a request, so such a key can't be sent at all.
            if key.contains("../") {
                assert_eq!(upload.code(), Some(Code::InvalidOptions), "{upload:?}");
                assert_eq!(world.count("store:*"), 0);
                continue;
            }
            assert_eq!(world.stored(&upload).outcome.key.as_deref(), Some(key), "{upload:?}");
            assert_eq!(world.servers().store.keys("media"), [key]);
        }
    }
}

#[test]
fn credentials_are_asked_for_once_and_used_for_everything() {
    let world = World::new(1);
    let upload = uploads(&world, with(json!({})), 80 * MIB);
    world.stored(&upload);
    assert_eq!(world.count("credentials"), 1);
    assert!(world.some_sent("store:*").iter().all(|record| record.url.contains("X-Amz-Security-Token=")));
}

#[test]
fn uploads_with_the_same_options_share_their_credentials() {
    let world = World::new(1);
    let uploader = world.uploader(json!({ "concurrency": 4 }));
    let files: Vec<_> = (0..40).map(|number| world.file(&format!("{number}.mp4"), MIB)).collect();
    let uploads: Vec<_> = files.iter().map(|file| uploader.upload(with(json!({})), file)).collect();
    world.run();
    // All have the same key: the last one remains.
    assert!(uploads.iter().all(|upload| upload.code().is_none()), "{uploads:?}");
    assert_eq!(world.count("credentials"), 1, "those that begin at once share the call");

    let before = world.count("credentials");
    let keyed = uploader.upload(with(json!({ "key": "own" })), &world.file("own.mp4", MIB));
    world.run();
    world.stored(&keyed);
    assert_eq!(world.count("credentials"), before, "a key of its own");

    let options = with(json!({ "key": "own function", "getCredentials": "another function" }));
    let own = uploader.upload(options, &world.file("own.mp4", MIB));
    let other = world.upload(with(json!({})), json!({}), &world.file("other.mp4", MIB));
    world.run();
    world.stored(&own);
    world.stored(&other);
    assert_eq!(world.count("credentials") - before, 2, "a function of its own, an uploader of its own");
}

/// Credentials live for a minute, and have no `expiration`.
fn credentials_end_unannounced(world: &World) {
    world.line(|line| line.bytes_per_ms = 500);
    world.hooks().credentials_ms = Some(60_000);
    let unannounced = Fault::json(|given| drop(given.as_object_mut().unwrap().remove("expiration")));
    world.fault("credentials", 0, None, unannounced);
}

#[test]
fn shared_credentials_that_the_store_refuses_are_fetched_again() {
    let world = World::new(1);
    credentials_end_unannounced(&world);
    let uploader = world.uploader(json!({}));
    let uploads: Vec<_> = (0..3)
        .map(|number| uploader.upload(with(json!({})), &world.file(&format!("{number}.mp4"), 60 * MIB)))
        .collect();
    world.run();
    // All have the same key: the last one remains.
    assert!(uploads.iter().all(|upload| upload.code().is_none()), "{uploads:?}");
    let fetched = world.count("credentials");
    assert!((2..=3).contains(&fetched), "{fetched}: once for each expiry");
}

#[test]
fn credentials_that_end_midway_are_fetched_again() {
    let world = World::new(1);
    world.line(|line| line.bytes_per_ms = 500);
    world.hooks().credentials_ms = Some(100_000);
    let upload = uploads(&world, with(json!({})), 400 * MIB);
    world.stored(&upload);
    assert!(world.count("credentials") > 1);
    let refused = world.sent("store:*").iter().filter(|record| record.status == Some(400)).count();
    assert_eq!(refused, 0, "asked for ahead of their end");
}

#[test]
fn credentials_that_lie_about_their_end_are_fetched_again_when_refused() {
    let world = World::new(1);
    credentials_end_unannounced(&world);
    let upload = uploads(&world, with(json!({})), 200 * MIB);
    let result = world.stored(&upload);
    let fetched = world.count("credentials");
    assert!((2..=5).contains(&fetched), "{fetched}: once for each end\n{upload:?}");
    assert!(result.attempts > result.parts, "refused ones were sent again");
}

#[test]
fn expired_credentials_cost_no_attempt() {
    let world = World::new(1);
    credentials_end_unannounced(&world);
    world.fault("store:PutObject", 0, 2, Fault::StallInBody);
    let options = json!({ "retry": { "attempts": 3 }, "stallMs": 40_000 });
    let upload = world.upload(with(json!({})), options, &world.file("clip.mp4", 3 * MIB));
    world.run();
    world.stored(&upload);
    let statuses: Vec<_> = world.sent("store:PutObject").iter().map(|record| record.status).collect();
    assert_eq!(statuses[2..], [Some(400), Some(200)], "{statuses:?}");
}

#[test]
fn credentials_that_never_become_good_end_it() {
    let world = World::new(1);
    world.hooks().credentials_ms = Some(0);
    let upload = uploads(&world, with(json!({})), MIB);
    let error = upload.error();
    assert_eq!(error.code, Code::Unauthorized, "{upload:?}");
    assert!(world.count("credentials") <= 10);
}

#[test]
fn a_clock_that_is_off_by_hours_is_put_right() {
    for skew in [-7_200_000, -1_000_000, 1_000_000, 7_200_000] {
        for size in [MIB, 24 * MIB] {
            let world = World::new(1);
            world.skew(skew);
            let upload = uploads(&world, with(json!({})), size);
            world.stored(&upload);
            let refused = world.sent("store:*").iter().filter(|record| record.status == Some(403)).count();
            assert!(refused <= 2, "{skew}: learnt once, kept: {upload:?}");
        }
    }
}

#[test]
fn if_none_match_keeps_what_is_there() {
    for size in [MIB, 24 * MIB] {
        let world = World::new(1);
        let options = with(json!({ "ifNoneMatch": true }));
        let first = uploads(&world, options.clone(), size);
        world.stored(&first);
        world.run_for(60_000);
        let (puts, creates) = (world.effects("store:PutObject"), world.effects("store:CreateMultipartUpload"));
        let second = uploads(&world, options.clone(), size);
        let error = second.error();
        assert_eq!((error.code, error.step, error.retryable), (Code::Conflict, Some(Step::Check), false), "{second:?}");
        assert!(error.hint.as_ref().is_some_and(|hint| hint.contains("`ifNoneMatch`")), "{error:?}");
        let after = (world.effects("store:PutObject"), world.effects("store:CreateMultipartUpload"));
        assert_eq!(after, (puts, creates), "found before the first byte");
        // Credentials that may not read objects find the conflict at the end.
        for (status, code) in [(403, "AccessDenied"), (400, "BadRequest"), (500, "InternalError")] {
            world.fault(
                "store:HeadObject",
                0,
                2,
                Fault::answer(status, &format!("<Error><Code>{code}</Code></Error>")),
            );
            let third = uploads(&world, options.clone(), size);
            let error = third.error();
            assert_eq!((error.code, error.status, error.retryable), (Code::Conflict, Some(412), false), "{third:?}");
            world.mend();
        }
        partway_simulation::check::proves(first.file(), &world.pieces(&first.done()));
        assert_eq!(world.servers().store.open_uploads(), [], "nothing is left behind");
    }
}

#[test]
fn real_bytes_are_verified_part_by_part() {
    let world = World::new(1);
    let file = world.real_file("clip.mp4", 17 * MIB as usize);
    let upload = world.upload(with(json!({})), json!({ "integrity": "require" }), &file);
    world.run();
    assert!(world.stored(&upload).verified);
    let parts = upload.events().iter().filter(|(_, event)| matches!(event, Event::Part(part) if part.verified)).count();
    assert_eq!(parts, 3);
}

#[test]
fn options_that_cannot_work_are_said_before_a_request() {
    for members in [
        json!({ "bucket": null }),
        json!({ "endpoint": "http://store.example" }),
        json!({ "endpoint": "https://store.example?x=1" }),
        json!({ "endpoint": "nonsense://" }),
        json!({ "partSize": -1 }),
        json!({ "partSize": 1.5 }),
        json!({ "headers": { "x-amz-meta-a": 1 } }),
        json!({ "key": "" }),
        json!({ "key": "x".repeat(1_025) }),
        json!({ "key": null }),
    ] {
        let world = World::new(1);
        let upload = uploads(&world, with(members.clone()), MIB);
        assert_eq!(upload.code(), Some(Code::InvalidOptions), "{members}: {upload:?}");
        assert_eq!(world.count("store:*"), 0);
    }
}

#[test]
fn what_get_credentials_throws_reaches_the_caller() {
    let world = World::new(1);
    world.fault("credentials", 0, None, Fault::status(500));
    let error = uploads(&world, with(json!({})), MIB).error();
    assert_eq!((error.code, error.step), (Code::Application, Some(Step::Sign)));
    assert_eq!(world.count("credentials"), 8, "it may be asked again");
    for given in
        ["null", "{}", "[]", r#"{"accessKeyId":"","secretAccessKey":""}"#, r#"{"accessKeyId":1,"secretAccessKey":2}"#]
    {
        let world = World::new(1);
        world.fault("credentials", 0, None, Fault::body(given));
        assert_eq!(uploads(&world, with(json!({})), MIB).code(), Some(Code::InvalidOptions), "{given}");
        assert_eq!(world.count("store:*"), 0);
    }
}

/// An uploader with six uploads that begin at once.
fn six(world: &World) -> Vec<Handle> {
    let uploader = world.uploader(json!({ "concurrency": 6 }));
    let start = |number: u32| {
        let file = world.file(&format!("{number}.mp4"), MIB);
        uploader.upload(with(json!({ "key": format!("{number}.mp4") })), &file)
    };
    (0..6).map(start).collect()
}

fn warnings(world: &World) -> Vec<String> {
    world.log().warnings.iter().filter(|told| told.contains("getCredentials")).cloned().collect()
}

#[test]
fn uploads_that_wait_for_credentials_share_the_failure() {
    let world = World::new(1);
    world.fault("credentials", 0, None, Fault::status(500));
    let uploads = six(&world);
    world.run();
    assert!(uploads.iter().all(|upload| upload.code() == Some(Code::Application)), "{uploads:?}");
    assert_eq!(world.count("credentials"), 8, "the attempts of one");
    assert_eq!(world.count("store:*"), 0);
}

#[test]
fn the_console_is_told_of_a_function_that_fails_again_and_again() {
    let world = World::new(1);
    world.fault("credentials", 0, None, Fault::status(500));
    let uploads = six(&world);
    while world.count("credentials") < 2 {
        assert_eq!(warnings(&world).len(), 0, "one failure may be a lost connection");
        world.run_for(10);
    }
    world.run();
    let told = warnings(&world);
    assert_eq!(told.len(), 1, "once: {told:?}");
    for words in ["The application's `getCredentials` failed: ", "500", "Partway tries again, up to 8 attempts in all."]
    {
        assert!(told[0].contains(words), "{words}: {told:?}");
    }
    assert!(uploads.iter().all(|upload| upload.code().is_some()));
    // A third attempt that there won't be isn't announced.
    let world = World::new(1);
    world.fault("credentials", 0, None, Fault::status(500));
    world.upload(with(json!({})), json!({ "retry": { "attempts": 2 } }), &world.file("clip.mp4", MIB));
    world.run();
    assert_eq!((world.count("credentials"), warnings(&world)), (2, Vec::new()));
}

#[test]
fn who_leaves_hands_the_call_for_credentials_on() {
    for paused in [false, true] {
        let world = World::new(1);
        world.fault("credentials", 0, 1, Fault::StallAnswer);
        let uploads = six(&world);
        world.run_for(1_000);
        assert_eq!(world.count("credentials"), 1);
        if paused {
            uploads[0].pause()
        } else {
            uploads[0].cancel()
        }
        world.run_for(3_000);
        assert_eq!(world.count("credentials"), 2, "another one asks, long before the first call times out");
        for upload in &uploads[1..] {
            world.stored(upload);
        }
        if paused {
            assert_eq!(uploads[0].statuses().last(), Some(&Status::Paused));
            uploads[0].resume();
            world.run();
            world.stored(&uploads[0]);
            assert_eq!(world.count("credentials"), 2);
        }
    }
}

#[test]
fn one_that_is_paused_while_others_ask_shows_it_at_once() {
    let world = World::new(1);
    world.fault("credentials", 0, 1, Fault::Latency(5_000));
    let uploads = six(&world);
    world.run_for(1_000);
    uploads[3].pause();
    world.run_for(1_000);
    assert_eq!(uploads[3].statuses().last(), Some(&Status::Paused));
    uploads[3].resume();
    world.run();
    uploads.iter().for_each(|upload| drop(world.stored(upload)));
    assert_eq!(world.count("credentials"), 1);
}

#[test]
fn nothing_is_said_to_be_sent_before_there_are_credentials() {
    for size in [MIB, 24 * MIB] {
        let world = World::new(1);
        world.fault("credentials", 0, 4, Fault::status(500));
        let upload = world.upload(with(json!({})), json!({}), &world.file("clip.mp4", size));
        while world.count("credentials") < 5 {
            assert!(!upload.statuses().contains(&Status::Sending), "{upload:?}");
            world.run_for(10);
        }
        world.run();
        world.stored(&upload);
    }
}

#[test]
fn an_upload_error_of_get_credentials_that_is_not_retryable_ends_it_at_once() {
    let world = World::new(1);
    let refuses: partway_simulation::hooks::Replacement = std::rc::Rc::new(|_| {
        Err(HookFailure {
            message: "signed out".into(),
            upload_error: Some(false),
            kind: Thrown::Anything,
            cause: None,
        })
    });
    world.hooks().replaced.insert(Hook::Credentials, refuses);
    let error = uploads(&world, with(json!({})), MIB).error();
    assert_eq!((error.code, error.retryable), (Code::Application, false));
    assert_eq!((world.count("credentials"), warnings(&world)), (1, Vec::new()));
}

#[test]
fn a_web_server_that_knows_no_s3_is_taken_for_what_it_is() {
    let hint = |size, answer: Fault| {
        let world = World::new(1);
        world.fault("store:*", 0, None, answer);
        let error = uploads(&world, with(json!({})), size).error();
        assert_eq!(error.code, Code::BadRequest);
        error.hint.clone().unwrap_or_default()
    };
    for size in [MIB, 24 * MIB] {
        for body in ["", "Method Not Allowed"] {
            assert!(hint(size, Fault::answer(405, body)).contains("Check `endpoint`"), "{size} {body}");
        }
        let refused = "<Error><Code>MethodNotAllowed</Code></Error>";
        assert!(!hint(size, Fault::answer(405, refused)).contains("`endpoint`"), "{size}");
    }
}

/// Uploads with credentials that the application gives in another form.
fn given(change: impl Fn(&mut Value) + 'static) -> (World, Handle) {
    let world = World::new(1);
    world.fault("credentials", 0, None, Fault::json(change));
    let upload = uploads(&world, with(json!({})), MIB);
    (world, upload)
}

#[test]
fn credentials_in_the_spelling_of_sts_are_taken() {
    fn sts(given: &Value) -> Value {
        json!({
            "AccessKeyId": given["accessKeyId"], "SecretAccessKey": given["secretAccessKey"],
            "SessionToken": given["sessionToken"], "Expiration": given["expiration"],
        })
    }
    let forms: [fn(&mut Value); 4] = [
        |given| *given = sts(given),
        |given| {
            *given = json!({ "Credentials": sts(given), "AssumedRoleUser": { "Arn": "arn:aws:sts::1:assumed-role/a" } })
        },
        |given| *given = json!({ "credentials": given.clone() }),
        |given| given["expiration"] = json!("no time at all"),
    ];
    for form in forms {
        let (world, upload) = given(form);
        world.stored(&upload);
        assert_eq!(world.count("credentials"), 1);
    }
}

#[test]
fn an_expiration_may_be_text_or_a_number() {
    // The world's clock begins at its own start; a minute before they expire credentials are fetched again.
    let ms = World::new(1).beginning() + 100_000;
    for expiration in [json!(ms), json!(ms / 1000), json!(partway::util::time::format_iso(ms))] {
        let world = World::new(1);
        world.line(|line| line.bytes_per_ms = 150);
        let told = expiration.clone();
        world.fault("credentials", 0, 1, Fault::json(move |given| given["expiration"] = told.clone()));
        let upload = uploads(&world, with(json!({})), 60 * MIB);
        world.stored(&upload);
        assert_eq!(world.count("credentials"), 2, "{expiration}: {upload:?}");
    }
}

#[test]
fn what_is_no_set_of_credentials_is_named() {
    type Change = fn(&mut Value);
    let cases: [(Change, &[&str]); 11] = [
        (|given| given["sessionToken"] = json!(7), &["`sessionToken` must be text"]),
        (|given| *given = json!({ "arrayBuffer": {}, "status": 200 }), &["a Response", ".json()"]),
        (|given| *given = Value::Null, &["gave nothing"]),
        (|given| *given = json!("<!DOCTYPE html><title>topsecret</title>"), &["HTML", "endpoint"]),
        (|given| *given = json!("{\"accessKeyId\":\"topsecret\"}"), &["JSON as text", "JSON.parse"]),
        (|given| *given = json!(["topsecret"]), &["a list"]),
        (|given| *given = json!({}), &["without members"]),
        (
            |given| *given = json!({ "AccessKeyID": "topsecret", "secret": "topsecret" }),
            &["{ AccessKeyID, secret }", "did you mean it by `AccessKeyID`", "`secretAccessKey` is missing"],
        ),
        (
            |given| *given = json!({ "access_key_id": "topsecret", "secret_access_key": "topsecret" }),
            &["by `access_key_id`", "by `secret_access_key`"],
        ),
        (|given| given["secretAccessKey"] = json!(7), &["`secretAccessKey` must be text"]),
        (
            |given| *given = json!({ "AWS_ACCESS_KEY_ID": "topsecret", "SecretAccessKey": "topsecret" }),
            &["by `AWS_ACCESS_KEY_ID`"],
        ),
    ];
    for (change, words) in cases {
        let (world, upload) = given(change);
        let error = upload.error();
        assert_eq!((error.code, error.step), (Code::InvalidOptions, Some(Step::Sign)), "{error:?}");
        let told = format!("{error:?}");
        for word in words {
            assert!(told.contains(word), "{told} should say {word}");
        }
        assert!(!told.contains("topsecret"), "no value is shown: {told}");
        assert_eq!((world.count("store:*"), world.count("credentials")), (0, 1));
    }
}

#[test]
fn an_answer_that_is_no_json_ends_soon() {
    let world = World::new(1);
    let throws = || partway::platform::HookFailure {
        message: "Unexpected token '<'".into(),
        upload_error: None,
        kind: partway::platform::Thrown::NotJson,
        cause: None,
    };
    world.hooks().replaced.insert(partway::platform::Hook::Credentials, std::rc::Rc::new(move |_| Err(throws())));
    let upload = uploads(&world, with(json!({})), MIB);
    let error = upload.error();
    assert_eq!((error.code, world.count("credentials")), (Code::Application, 3), "{upload:?}");
    assert!(error.hint.as_ref().is_some_and(|hint| hint.contains("response.ok")), "{error:?}");
}
