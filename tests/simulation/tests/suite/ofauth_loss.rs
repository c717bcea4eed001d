//! OFAuth: plans that can't be right, sessions that end, answers that are lost.

use partway::error::{Code, Step, UploadError};
use partway_simulation::{Fault, World};
use serde_json::{Value, json};

use crate::dialects::MIB;
use crate::ofauth::provider;

type Change = fn(&mut Value);

fn direct() -> Value {
    json!({ "name": "ofauth", "apiKey": "ofauth-key", "connectionId": "conn_sandbox", "dangerouslyExposeSecrets": true })
}

/// Runs an upload of 12 MiB (three parts) whose init reply is changed; nothing may be sent.
#[track_caller]
fn refused_plan(change: impl Fn(&mut Value) + 'static) -> UploadError {
    let world = World::new(1);
    world.fault("ofauth:init", 0, None, Fault::json(change));
    let upload = world.upload(provider(), json!({}), &world.file("clip.mp4", 12 * MIB));
    world.run();
    assert_eq!(world.count("ofauth:part") + world.count("ofauth:single"), 0, "a byte was sent: {upload:?}");
    upload.error()
}

#[test]
fn a_plan_that_does_not_cover_the_file_is_refused_before_a_byte_is_sent() {
    let changes: [(&str, Change); 12] = [
        ("starts late", |plan| plan["parts"][0]["byteRange"]["start"] = json!(1)),
        ("ends early", |plan| plan["parts"][2]["byteRange"]["end"] = json!(12 * MIB - 2)),
        ("ends late", |plan| plan["parts"][2]["byteRange"]["end"] = json!(12 * MIB)),
        ("the guide's own sample", |plan| plan["parts"][2]["byteRange"]["end"] = json!(6_825_498)),
        ("has a gap", |plan| plan["parts"][1]["byteRange"]["start"] = json!(5 * MIB + 1)),
        ("overlaps", |plan| plan["parts"][1]["byteRange"]["start"] = json!(5 * MIB - 1)),
        ("has a part twice", |plan| plan["parts"][1] = plan["parts"][0].clone()),
        ("runs backwards", |plan| plan["parts"][1]["byteRange"] = json!({ "start": 10 * MIB, "end": 5 * MIB })),
        ("lacks a part", |plan| drop(plan["parts"].as_array_mut().unwrap().pop())),
        ("counts others", |plan| plan["totalParts"] = json!(4)),
        ("has part 0", |plan| plan["parts"][0]["partNumber"] = json!(0)),
        ("is single with three parts", |plan| plan["uploadType"] = json!("single")),
    ];
    for (name, change) in changes {
        let error = refused_plan(change);
        assert_eq!((error.code, error.step), (Code::PlanMismatch, Some(Step::Init)), "{name}: {error:?}");
        assert!(error.hint.is_some(), "{name}");
    }
}

#[test]
fn addresses_that_a_plan_may_not_have() {
    let part = |plan: &mut Value, url: &str| plan["parts"][1]["uploadUrl"] = json!(url);
    let complete = |plan: &mut Value, url: &str| plan["completeUrl"] = json!(url);
    let bad = [
        "http://evil.example/x",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "data:text/plain,x",
        "https://",
        "",
        "/api/ofauth/v2/access/uploads/x/parts/2",
    ];
    for url in bad {
        let error = refused_plan(move |plan| part(plan, url));
        assert_eq!((error.code, error.step), (Code::PlanMismatch, Some(Step::Init)), "{url:?}: {error:?}");
        assert!(error.hint.is_some() && error.message.contains("uploadUrl"), "{url:?}: {error:?}");
    }
    for url in bad.into_iter().chain(["https://evil.example/complete"]) {
        let error = refused_plan(move |plan| complete(plan, url));
        assert_eq!((error.code, error.step), (Code::PlanMismatch, Some(Step::Init)), "{url:?}: {error:?}");
        assert!(error.hint.is_some() && error.message.contains("completeUrl"), "{url:?}: {error:?}");
    }
    let error = refused_plan(move |plan| part(plan, "htp:/x?X-Amz-Signature=secret"));
    assert!(!error.message.contains("secret"), "a URL's query may be a secret: {error:?}");
}

#[test]
fn a_foreign_origin_gets_no_keys_and_the_error_says_how_to_trust_it() {
    let world = World::new(1);
    let elsewhere = |plan: &mut Value| plan["parts"][0]["uploadUrl"] = json!("https://store.example/media/part");
    world.fault("ofauth:init", 0, None, Fault::json(elsewhere));
    let upload = world.upload(direct(), json!({}), &world.file("clip.mp4", 12 * MIB));
    world.run();
    let error = upload.error();
    assert_eq!((error.code, error.status), (Code::Forbidden, Some(403)), "{upload:?}");
    let hint = error.hint.clone().unwrap();
    assert!(hint.contains("mapUrl") && hint.contains("trustedOrigins"), "{hint}");
}

#[test]
fn map_url_comes_first() {
    let world = World::new(1);
    world.servers().ofauth.config.public_base = "https://eu.ofauth.example".into();
    world.hooks().map_url =
        Some(std::rc::Rc::new(|url: &str, _| Ok(url.replace("https://eu.ofauth.example", "/api/ofauth"))));
    let upload = world.upload(provider(), json!({}), &world.file("clip.mp4", 12 * MIB));
    world.run();
    world.stored(&upload);
}

#[test]
fn a_session_that_ends_midway_restarts_once() {
    let world = std::rc::Rc::new(World::new(1));
    world.servers().ofauth.config.session_ms = 3_000;
    let later = world.clone();
    world.after(1_000, move || later.servers().ofauth.config.session_ms = 3_600_000);
    let upload = world.upload(provider(), json!({ "concurrency": 1 }), &world.file("clip.mp4", 42 * MIB));
    world.run();
    world.stored(&upload);
    assert_eq!(world.count("ofauth:init"), 2);
    assert!(!world.log().warnings.is_empty(), "it says so");
}

#[test]
fn sessions_that_always_end_midway_end_the_upload() {
    let world = World::new(1);
    world.servers().ofauth.config.session_ms = 3_000;
    let upload = world.upload(provider(), json!({ "concurrency": 1 }), &world.file("clip.mp4", 42 * MIB));
    world.run();
    let error = upload.error();
    assert_eq!((error.code, error.retryable), (Code::SessionExpired, true), "{upload:?}");
    assert_eq!(world.count("ofauth:init"), 2, "restarted once, not for ever");
}

#[test]
fn a_lost_answer_of_complete_is_asked_for_again_in_the_same_session() {
    for provider in [provider(), direct()] {
        for fault in [Fault::ResetAfter, Fault::StallAnswer] {
            let world = World::new(1);
            world.fault("ofauth:complete", 0, 1, fault);
            let upload = world.upload(provider.clone(), json!({}), &world.file("clip.mp4", 12 * MIB));
            world.run();
            assert!(world.stored(&upload).outcome.media_id.is_some());
            assert_eq!(world.servers().ofauth.vault_entries(), 1);
            assert_eq!((world.count("ofauth:init"), world.count("ofauth:complete")), (1, 2));
        }
    }
}

#[test]
fn a_lost_answer_of_the_single_put_is_asked_for_again_in_the_same_session() {
    for provider in [provider(), direct()] {
        let world = World::new(1);
        world.fault("ofauth:single", 0, 1, Fault::ResetAfter);
        let upload = world.upload(provider, json!({}), &world.file("clip.mp4", MIB));
        world.run();
        assert!(world.stored(&upload).outcome.media_id.is_some());
        assert_eq!(world.servers().ofauth.vault_entries(), 1);
        assert_eq!((world.count("ofauth:init"), world.count("ofauth:single")), (1, 2));
    }
}

#[test]
fn where_a_repetition_is_refused_the_outcome_is_unknown() {
    for (size, route) in [(12 * MIB, "ofauth:complete"), (MIB, "ofauth:single")] {
        let world = World::new(1);
        world.servers().ofauth.config.repeatable = false;
        world.fault(route, 0, 1, Fault::ResetAfter);
        let upload = world.upload(direct(), json!({}), &world.file("clip.mp4", size));
        world.run();
        let error = upload.error();
        assert_eq!((error.code, error.retryable), (Code::OutcomeUnknown, false), "{upload:?}");
        assert_eq!((world.servers().ofauth.vault_entries(), world.count("ofauth:init")), (1, 1));
    }
}

#[test]
fn where_a_repetition_is_refused_a_proxy_still_has_the_answer() {
    for (size, route) in [(12 * MIB, "ofauth:complete"), (MIB, "ofauth:single")] {
        let world = World::new(1);
        world.servers().ofauth.config.repeatable = false;
        world.fault(route, 0, 1, Fault::ResetAfter);
        let upload = world.upload(provider(), json!({}), &world.file("clip.mp4", size));
        world.run();
        world.stored(&upload);
        let keys: Vec<_> =
            world.sent(route).iter().map(|record| record.header("idempotency-key").map(String::from)).collect();
        assert!(keys[0].is_some() && keys[0] == keys[1], "{keys:?}");
    }
}

#[test]
fn answers_that_never_come_end_with_an_unknown_outcome() {
    for (size, route) in [(12 * MIB, "ofauth:complete"), (MIB, "ofauth:single")] {
        for fault in [Fault::ResetAfter, Fault::status(502)] {
            let world = World::new(1);
            world.fault(route, 0, None, fault);
            let upload = world.upload(provider(), json!({}), &world.file("clip.mp4", size));
            world.run();
            assert_eq!(upload.code(), Some(Code::OutcomeUnknown), "{upload:?}");
            assert_eq!((world.count("ofauth:init"), world.count(route)), (1, 8));
            assert!(world.servers().ofauth.vault_entries() <= 1);
        }
    }
}

#[test]
fn idempotency_keys_go_with_what_must_not_take_effect_twice() {
    let world = World::new(1);
    world.fault("ofauth:init", 0, 1, Fault::ResetAfter);
    let one = world.upload(provider(), json!({}), &world.file("clip.mp4", 12 * MIB));
    let two = world.upload(provider(), json!({}), &world.file("clip.mp4", MIB));
    world.run();
    for upload in [&one, &two] {
        world.stored(upload);
    }
    let mut keys = std::collections::BTreeMap::<String, (usize, &str)>::new();
    for route in ["ofauth:init", "ofauth:complete", "ofauth:single"] {
        for record in world.some_sent(route) {
            let key = record.header("idempotency-key").expect(route).to_string();
            let of = *keys.entry(key).or_insert((record.upload, route));
            assert_eq!(of, (record.upload, route), "a key is of one call only");
        }
    }
    assert_eq!(keys.len(), 4);
    assert!(world.some_sent("ofauth:part").iter().all(|record| record.header("idempotency-key").is_none()));
    let off = World::new(1);
    let upload = off.upload(provider(), json!({ "idempotencyKeys": false }), &off.file("clip.mp4", MIB));
    off.run();
    off.stored(&upload);
    assert!(off.log().records.iter().all(|record| record.header("idempotency-key").is_none()));
}
