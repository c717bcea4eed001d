//! Origins whose answers no page can read: the error comes early, helps, and isn't mistaken for a network failure.

use partway::error::Code;
use partway_simulation::servers::STORE;
use partway_simulation::{Fault, Handle, World};
use serde_json::json;

use crate::dialects::{DIALECTS, Dialect, MIB, of};

fn s3() -> &'static Dialect {
    DIALECTS.iter().find(|dialect| dialect.name == "s3").unwrap()
}

fn no_rule(world: &World) {
    world.servers().bucket_cors.closed = true;
}

/// Requests whose answers could be read, of all that went to stores.
fn tries(world: &World) -> usize {
    world.count("store:*")
}

fn hint(upload: &Handle) -> String {
    upload.error().hint.clone().unwrap_or_default()
}

#[test]
fn a_bucket_without_a_rule_ends_early_with_the_rule() {
    of(
        |dialect| dialect.needs_etag,
        |dialect| {
            for (size, at_once) in [(MIB, 1), (dialect.large, 1), (dialect.large, 6)] {
                let world = World::new(1);
                no_rule(&world);
                let options = json!({ "concurrency": at_once });
                let upload = world.upload(dialect.provider(), options, &world.file("clip.mp4", size));
                world.run();
                let error = upload.error();
                assert_eq!((error.code, error.retryable), (Code::Network, true), "{upload:?}");
                assert!(error.message.contains("answers, but the browser keeps the answers from this page"), "{error}");
                let direct = dialect.name == "s3";
                for word in ["\"AllowedOrigins\": [\"https://app.example\"]", "\"PUT\"", "x-amz-checksum-type"] {
                    assert!(hint(&upload).contains(word), "{word}: {upload:?}");
                }
                assert_eq!(hint(&upload).contains("\"PUT\", \"POST\", \"GET\", \"HEAD\", \"DELETE\""), direct);
                // Three attempts; parts sent at the same time count as one.
                assert!((3..=3 * at_once).contains(&tries(&world)), "{} requests: {upload:?}", tries(&world));
                let (log, stores) = (world.log(), if direct { "s3" } else { dialect.name });
                assert_eq!(log.probes.len(), 2, "{stores}: {:?}", log.probes);
                assert!(log.probes[1].0 - log.probes[0].0 >= 5_000, "{:?}", log.probes);
                let told: Vec<_> = log.warnings.iter().filter(|told| told.contains("keeps trying")).collect();
                assert_eq!(told.len(), 1, "{:?}", log.warnings);
                assert!(told[0].contains("AllowedOrigins"), "{told:?}");
            }
        },
    );
}

#[test]
fn the_hint_for_a_proxy_without_cors_names_what_to_allow() {
    for (name, base, more) in [
        ("ofauth", "https://api.ofauth.com", json!({ "connectionId": "conn_1" })),
        ("onlymonster", "https://omapi.onlymonster.ai", json!({ "accountId": "1001", "exportType": "post" })),
        ("apifansly", "https://v1.apifansly.com", json!({ "accountId": "2002" })),
    ] {
        let world = World::new(1);
        world.servers().vendor_cors.closed = true;
        let mut provider = json!({ "name": name, "baseUrl": base });
        for (key, value) in more.as_object().unwrap() {
            provider[key] = value.clone();
        }
        let upload = world.upload(provider, json!({}), &world.file("clip.mp4", 9 * MIB));
        world.run();
        assert_eq!(upload.code(), Some(Code::Network), "{name}: {upload:?}");
        for word in [base, "answer OPTIONS", "Access-Control-Allow-Origin: https://app.example", "content-type"] {
            assert!(hint(&upload).contains(word), "{name}: {word}: {upload:?}");
        }
        assert_eq!(hint(&upload).contains("x-connection-id"), name == "ofauth");
        assert!(world.log().records.len() <= 4, "{name}: {} requests", world.log().records.len());
    }
}

#[test]
fn a_502_without_cors_headers_that_passes_kills_nothing() {
    of(
        |dialect| dialect.needs_etag,
        |dialect| {
            for size in [MIB, dialect.large] {
                let bad = || {
                    let Fault::Answer { response, .. } = Fault::status(502) else { unreachable!() };
                    Fault::Answer { response, readable: false }
                };
                let world = World::new(1);
                // For the duration of two attempts: the third comes five seconds later.
                world.fault("store:*", 0, 2, bad());
                let upload =
                    world.upload(dialect.provider(), json!({ "concurrency": 1 }), &world.file("clip.mp4", size));
                world.run();
                world.stored(&upload);
                // Bytes were sent, so a CORS rule had allowed the request.
                let probes = usize::from(dialect.name == "s3" && size > MIB);
                assert_eq!(world.log().probes.len(), probes, "{upload:?}");
                // An answer was read before, so a failure now is the network's.
                world.fault("store:*", 0, 5, bad());
                let next = world.upload(
                    dialect.provider_for("other"),
                    json!({ "concurrency": 1 }),
                    &world.file("b.mp4", size),
                );
                world.run();
                world.stored(&next);
                assert_eq!(world.log().probes.len(), probes, "{next:?}");
            }
        },
    );
}

#[test]
fn what_something_else_answers_between_losses_is_no_missing_rule() {
    let world = World::new(1);
    world.line(|line| line.reports = false);
    let Fault::Answer { response, .. } = Fault::status(502) else { unreachable!() };
    let options = json!({ "concurrency": 1, "integrity": "off" });
    world.fault("store:PutObject", 0, 2, Fault::ResetAfter);
    world.fault("store:PutObject", 0, 1, Fault::portal(true));
    world.fault("store:PutObject", 0, 1, Fault::Answer { response, readable: false });
    world.fault("store:PutObject", 0, 1, Fault::ResetAfter);
    let upload = world.upload(s3().provider(), options, &world.file("clip.mp4", MIB));
    world.run();
    world.stored(&upload);
    assert_eq!(world.count("store:PutObject"), 6, "{upload:?}");
}

#[test]
fn where_nothing_ever_answers_the_console_and_the_error_say_so() {
    let world = World::new(1);
    let mut provider = s3().provider();
    // A probe finds no server either.
    provider["endpoint"] = json!("https://nowhere.example");
    let upload = world.upload(provider, json!({}), &world.file("clip.mp4", MIB));
    world.run();
    assert_eq!(upload.code(), Some(Code::Network), "{upload:?}");
    assert_eq!(world.count("unknown:unknown"), 8, "all of its tries: {upload:?}");
    assert!(upload.error().message.starts_with("Nothing answers at https://nowhere.example."), "{upload:?}");
    assert!(upload.error().retryable && hint(&upload).starts_with("Check the address, and whether"), "{upload:?}");
    assert!(hint(&upload).contains("CORS rule on the bucket"), "{upload:?}");
    let log = world.log();
    assert!(log.warnings.len() == 1 && log.warnings[0].contains("Nothing answers at"), "{:?}", log.warnings);
    assert!(log.probes.len() > 2 && log.probes[1].0 - world.beginning() < 15_000, "early: {:?}", log.probes);
}

#[test]
fn reported_bytes_prove_that_the_cors_rule_exists() {
    for fault in [Fault::ResetInBody, Fault::ResetBefore, Fault::ResetAfter] {
        let world = World::new(1);
        world.fault("store:PutObject", 0, 5, fault);
        let upload = world.upload(s3().provider(), json!({}), &world.file("clip.mp4", 9 * MIB));
        world.run();
        world.stored(&upload);
        assert!(world.log().probes.is_empty(), "a preflight had passed: {:?}", world.log().probes);
    }
}

#[test]
fn the_url_of_a_store_that_has_expired_is_no_reason_to_probe() {
    let world = World::new(1);
    let file = world.file("clip.mp4", MIB);
    // The URL is valid for less time than the request takes to arrive.
    world.servers().backend.expires_s = 0;
    // A transport that reports progress knows that bytes were sent.
    world.line(|line| line.reports = false);
    world.fault("store:PutObject", 0, 4, Fault::expired());
    let upload = world.upload(json!({ "name": "plan" }), json!({}), &file);
    world.run_for(60_000);
    assert!(world.count("store:PutObject") > 1, "several were lost: {upload:?}");
    assert!(world.log().probes.is_empty(), "{upload:?}");
    world.run();
}

#[test]
fn once_the_rule_is_set_the_next_upload_works() {
    let world = World::new(1);
    no_rule(&world);
    let uploader = world.uploader(json!({}));
    let first = uploader.upload(s3().provider(), &world.file("clip.mp4", MIB));
    world.run();
    assert_eq!(first.code(), Some(Code::Network), "{first:?}");
    let second = uploader.upload(s3().provider(), &world.file("clip.mp4", MIB));
    world.run();
    assert_eq!(second.code(), Some(Code::Network), "{second:?}");
    let told = world.log().warnings.iter().filter(|told| told.contains("keeps trying")).count();
    assert_eq!(told, 1, "once for a page");
    world.servers().bucket_cors.closed = false;
    let third = uploader.upload(s3().provider(), &world.file("clip.mp4", MIB));
    world.run();
    world.stored(&third);
}

#[test]
fn many_uploads_to_one_bucket_without_a_rule_end_together() {
    let world = World::new(1);
    no_rule(&world);
    let uploader = world.uploader(json!({ "concurrency": 6 }));
    let start = |number: u32| uploader.upload(s3().provider(), &world.file(&format!("{number}.mp4"), MIB));
    let uploads: Vec<_> = (0..6).map(start).collect();
    world.run();
    assert!(uploads.iter().all(|upload| upload.code() == Some(Code::Network)), "{uploads:?}");
    let log = world.log();
    assert!(log.probes.iter().all(|(_, origin)| origin == STORE));
    assert_eq!(log.probes.len(), 2, "{:?}", log.probes);
}

#[test]
fn a_rule_is_only_suggested_where_no_server_was_found() {
    let ends = |world: &World, attempts: u32| {
        let options = json!({ "retry": { "attempts": attempts } });
        let upload = world.upload(s3().provider(), options, &world.file("clip.mp4", MIB));
        world.run();
        hint(&upload)
    };
    let world = World::new(1);
    world.fault("store:*", 0, None, Fault::ResetBefore);
    assert!(ends(&world, 1).starts_with("If it never works: Set this CORS rule"));
    // A probe found a server whose answer the page could not read.
    let world = World::new(1);
    no_rule(&world);
    assert!(ends(&world, 2).starts_with("Set this CORS rule"));
}

#[test]
fn a_connection_is_lost_where_something_answered_before() {
    // It answered this page, a probe of it, or took bytes.
    for before in 0..3 {
        let world = World::new(1);
        let uploader = world.uploader(json!({}));
        if before == 0 {
            let first = uploader.upload(s3().provider(), &world.file("first.mp4", MIB));
            world.run();
            world.stored(&first);
        }
        world.fault("probe", u32::from(before == 1), None, Fault::ResetBefore);
        if before == 1 {
            no_rule(&world);
        } else {
            world.fault("store:*", 0, None, Fault::ResetInBody);
        }
        let upload = uploader.upload(s3().provider(), &world.file("clip.mp4", MIB));
        world.run();
        assert!(upload.error().message.starts_with("The connection was lost"), "{before}: {upload:?}");
        assert!(world.log().warnings.iter().all(|told| !told.contains("Nothing answers")), "{before}");
    }
}

#[test]
fn the_rule_for_presigned_urls_has_the_headers_that_they_sign() {
    let world = World::new(1);
    no_rule(&world);
    let header = |name: &str| (name.to_string(), "b".to_string());
    world.servers().backend.headers = ["x-amz-meta-a", "content-type", "x-owner"].map(header).to_vec();
    let upload = world.upload(json!({ "name": "plan" }), json!({}), &world.file("clip.mp4", MIB));
    world.run();
    assert!(hint(&upload).contains("\"AllowedHeaders\": [\"content-type\", \"x-amz-*\", \"x-owner\"]"), "{upload:?}");
}

/// The hint that a part of an upload to AWS itself gets.
#[test]
fn for_aws_the_hint_names_the_region_too() {
    let world = World::new(1);
    let mut provider = s3().provider();
    for name in ["endpoint", "forcePathStyle"] {
        provider.as_object_mut().unwrap().remove(name);
    }
    let upload = world.upload(provider, json!({}), &world.file("clip.mp4", MIB));
    world.run();
    let hint = hint(&upload);
    assert!(hint.contains("aws s3api get-bucket-location --bucket media"), "{upload:?}");
    assert!(hint.contains("AllowedOrigins"), "{upload:?}");
}
