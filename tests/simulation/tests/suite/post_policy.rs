//! A form to a bucket, which a signed policy allows.

use std::rc::Rc;

use partway::error::Code;
use partway::model::events::ProofBy;
use partway::platform::Hook;
use partway_simulation::servers::STORE;
use partway_simulation::{Fault, HashWorkers, World};
use serde_json::{Map, Value, json};

use crate::dialects::MIB;

fn provider() -> Value {
    json!({ "name": "form", "url": format!("{STORE}/media"), "fields": "uploads/a key.mp4", "repeatable": true })
}

fn once() -> Value {
    let mut provider = provider();
    provider["repeatable"] = json!(false);
    provider
}

fn auto() -> Value {
    json!({ "integrity": "auto" })
}

/// Fields that a backend signs: of an object of that key, of at most so many bytes, `age_ms` ago.
fn policy(world: &World, key: &str, most: u64, age_ms: u64) -> Map<String, Value> {
    let policy = world.servers().store.post_policy("media", &[("key", key)], most, 60, world.beginning() - age_ms);
    policy.into_iter().map(|(name, value)| (name, json!(value))).collect()
}

/// Has the application's `fields` give these.
fn give(world: &World, fields: Map<String, Value>) {
    world.hooks().replaced.insert(Hook::Fields, Rc::new(move |_| Ok(fields.clone().into())));
}

#[test]
fn the_object_is_stored_and_proven_by_its_etag() {
    for size in [0, 5, 3 * MIB as usize] {
        let world = World::new(1);
        let upload = world.upload(provider(), auto(), &world.real_file("clip.mp4", size));
        world.run();
        let result = world.stored(&upload);
        let outcome = &result.outcome;
        assert_eq!(outcome.key.as_deref(), Some("uploads/a key.mp4"));
        assert_eq!(outcome.location.as_deref(), Some("https://store.example/media/uploads/a%20key.mp4"));
        assert_eq!(outcome.status, Some(201));
        let proof = outcome.proof.as_ref().unwrap();
        assert_eq!((proof.by, proof.parts, result.verified), (ProofBy::EtagMd5, 1, true));
        assert_eq!(outcome.etag.as_ref().unwrap().trim_matches('"'), proof.value);
    }
}

#[test]
fn a_bucket_gets_nothing_of_the_page() {
    let world = World::new(1);
    let mut provider = provider();
    provider["headers"] = json!({ "x-form-key": "form-key", "authorization": "Bearer secret" });
    let upload = world.upload(provider, auto(), &world.file("clip.mp4", MIB));
    world.run();
    world.stored(&upload);
    for record in world.some_sent("store:PostObject") {
        assert_eq!((record.header("authorization"), record.header("x-form-key")), (None, None));
        assert_eq!(record.header("idempotency-key"), None);
    }
}

#[test]
fn an_answer_without_a_body_names_what_the_policy_says() {
    let world = World::new(1);
    give(&world, policy(&world, "uploads/b.mp4", 1 << 40, 0));
    let upload = world.upload(provider(), auto(), &world.file("clip.mp4", MIB));
    world.run();
    let result = world.stored(&upload);
    assert_eq!((result.outcome.key.as_deref(), result.outcome.status), (Some("uploads/b.mp4"), Some(204)));
    assert!(result.outcome.etag.is_some() && result.verified);
    let world = World::new(1);
    give(&world, policy(&world, "uploads/${filename}", 1 << 40, 0));
    let upload = world.upload(provider(), auto(), &world.file("clip.mp4", MIB));
    world.run();
    assert_eq!(upload.done().outcome.key, None, "the store fills in the name");
    assert_eq!(world.servers().store.keys("media"), ["uploads/clip.mp4"]);
}

#[test]
fn an_etag_that_the_page_cannot_read_proves_nothing() {
    let world = World::new(1);
    give(&world, policy(&world, "uploads/b.mp4", 1 << 40, 0));
    world.fault("store:PostObject", 0, None, Fault::HideEtag);
    let upload = world.upload(provider(), auto(), &world.file("clip.mp4", MIB));
    world.run();
    let result = world.stored(&upload);
    assert_eq!((result.verified, result.outcome.proof, result.attempts), (false, None, 1));
    let world = World::new(1);
    give(&world, policy(&world, "uploads/b.mp4", 1 << 40, 0));
    world.fault("store:PostObject", 0, None, Fault::HideEtag);
    let upload = world.upload(provider(), json!({ "integrity": "require" }), &world.file("clip.mp4", MIB));
    world.run();
    assert_eq!(upload.code(), Some(Code::IntegrityMismatch), "{upload:?}");
}

#[test]
fn another_etag_is_no_reason_to_send_a_form_twice_that_may_not_be() {
    for (provider, forms) in [(once(), 1), (provider(), 2)] {
        let world = World::new(1);
        world.servers().store.config.opaque_etags = true;
        let upload = world.upload(provider, auto(), &world.file("clip.mp4", MIB));
        world.run();
        let result = world.stored(&upload);
        assert_eq!((result.verified, result.outcome.proof, world.count("store:PostObject")), (false, None, forms));
    }
}

#[test]
fn damaged_bytes_are_found_where_etags_are_known_to_be_md5s() {
    let world = World::new(1);
    world.servers().store.config.encryption = Some("AES256".into());
    world.fault("store:PostObject", 0, None, Fault::Flip);
    let upload = world.upload(once(), auto(), &world.file("clip.mp4", MIB));
    world.run();
    assert_eq!((upload.code(), world.count("store:PostObject")), (Some(Code::IntegrityMismatch), 1), "{upload:?}");
    let world = World::new(1);
    world.servers().store.config.encryption = Some("AES256".into());
    world.fault("store:PostObject", 0, 1, Fault::Flip);
    let upload = world.upload(provider(), auto(), &world.file("clip.mp4", MIB));
    world.run();
    assert!(world.stored(&upload).verified, "it is sent again where it may be");
}

#[test]
fn an_expired_policy_is_replaced_where_a_function_gives_it() {
    let expired =
        "<Error><Code>AccessDenied</Code><Message>Invalid according to Policy: Policy expired.</Message></Error>";
    let world = World::new(1);
    world.fault("store:PostObject", 0, 1, Fault::answer(403, expired));
    let upload = world.upload(once(), auto(), &world.file("clip.mp4", MIB));
    world.run();
    world.stored(&upload);
    assert_eq!((world.count("form:fields"), world.count("store:PostObject")), (2, 2));
    let world = World::new(1);
    let mut fixed = provider();
    fixed["fields"] = policy(&world, "k", 1 << 40, 61_000).into();
    let upload = world.upload(fixed, auto(), &world.file("clip.mp4", MIB));
    world.run();
    let error = upload.error();
    assert_eq!((error.code, world.count("store:PostObject")), (Code::UrlExpired, 1), "{upload:?}");
    assert!(error.hint.as_ref().unwrap().contains("`fields` as a function"), "{error:?}");
}

#[test]
fn a_policys_refusal_is_in_the_stores_words() {
    for (change, code, said) in [
        ("acl", Code::Forbidden, "Extra input fields: acl"),
        ("x-amz-signature", Code::Forbidden, "does not match the signature"),
    ] {
        let world = World::new(1);
        let mut fields = policy(&world, "k", 1 << 40, 0);
        fields.insert(change.into(), json!("public-read"));
        give(&world, fields);
        let upload = world.upload(once(), auto(), &world.file("clip.mp4", MIB));
        world.run();
        let error = upload.error();
        assert_eq!((error.code, error.status, world.count("store:PostObject")), (code, Some(403), 1), "{upload:?}");
        assert!(error.message.contains(said), "{error}");
        let text = format!("{error:?}");
        assert!(!text.contains("AKIA"), "no credential: {text}");
    }
}

#[test]
fn a_file_beyond_the_policys_range_is_too_large() {
    let world = World::new(1);
    give(&world, policy(&world, "k", 1_000, 0));
    let upload = world.upload(once(), auto(), &world.file("clip.mp4", MIB));
    world.run();
    assert_eq!((upload.code(), world.count("store:PostObject")), (Some(Code::TooLarge), 1), "{upload:?}");
}

#[test]
fn a_redirect_after_success_is_no_answer() {
    let world = World::new(1);
    world.fault("store:PostObject", 0, None, Fault::Redirect);
    let upload = world.upload(once(), auto(), &world.file("clip.mp4", MIB));
    world.run();
    assert_eq!(upload.code(), Some(Code::OutcomeUnknown), "{upload:?}");
}

#[test]
fn a_missing_cors_rule_is_named_with_the_rule_to_paste() {
    let world = World::new(1);
    world.servers().bucket_cors.closed = true;
    let upload = world.upload(provider(), auto(), &world.file("clip.mp4", MIB));
    world.run();
    let error = upload.error();
    let hint = error.hint.clone().unwrap();
    assert_eq!(error.code, Code::Network, "{upload:?}");
    assert!(hint.contains("CORS rule on the bucket") && hint.contains("\"AllowedMethods\": [\"POST\"]"), "{hint}");
}

#[test]
fn a_form_that_was_answered_is_not_sent_again_by_a_pause_while_it_is_hashed() {
    let world = World::new(1);
    world.hash_workers(HashWorkers::HangAfter(0));
    let upload = world.upload(once(), auto(), &world.file("clip.mp4", 3 * MIB));
    while world.sent("store:PostObject").iter().all(|form| form.status.is_none()) {
        world.run_for(1);
    }
    assert!(upload.result().is_none(), "its MD5 isn't known yet");
    upload.pause();
    world.run_for(5_000);
    upload.resume();
    world.run();
    world.stored(&upload);
    assert_eq!(world.count("store:PostObject"), 1, "{upload:?}");
}
