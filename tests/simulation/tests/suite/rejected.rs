//! Files that are rejected before a byte is sent.

use partway::error::{Code, Step};
use partway_simulation::World;
use serde_json::{Value, json};

use crate::dialects::{DIALECTS, Dialect, MIB, each};

/// Runs an upload that must be rejected without a request, and returns the error's hint.
#[track_caller]
fn rejected(dialect: &Dialect, options: Value, name: &str, size: u64) -> String {
    let world = World::new(1);
    let upload = world.upload(dialect.provider(), options, &world.file(name, size));
    world.run();
    let error = upload.error();
    assert_eq!((error.code, error.step), (Code::FileRejected, Some(Step::Check)), "{}: {error:?}", dialect.name);
    assert!(!error.retryable);
    assert_eq!(world.log().records.len(), 0, "something was sent: {upload:?}");
    error.hint.clone().expect("a hint")
}

#[test]
fn an_empty_file_goes_to_s3_and_ones_own_server_only() {
    each(|dialect| {
        if !["s3", "form"].contains(&dialect.name) {
            rejected(dialect, json!({}), "clip.mp4", 0);
            return;
        }
        let world = World::new(1);
        let upload = world.upload(dialect.provider(), json!({}), &world.file("clip.mp4", 0));
        world.run();
        let result = world.stored(&upload);
        assert_eq!((result.bytes, world.count(dialect.single)), (0, 1));
        assert_eq!(upload.progress().last().map(|progress| progress.fraction), Some(1.0));
    });
}

#[test]
fn the_callers_types_and_sizes_hold_for_every_provider() {
    each(|dialect| {
        let only_images = json!({ "accept": { "types": ["image/*"] } });
        assert!(rejected(dialect, only_images.clone(), "clip.mp4", 10).contains("image/*"));
        rejected(dialect, json!({ "accept": { "maxBytes": 1_000 } }), "clip.mp4", 1_001);
        rejected(dialect, json!({ "accept": { "maxBytes": { "video/*": 5, "*/*": 2_000 } } }), "clip.mp4", 6);
        for (options, name, size) in [
            (only_images, "a.png", 10),
            (json!({ "accept": { "maxBytes": 1_000 } }), "a.png", 1_000),
            (json!({ "accept": { "maxBytes": { "video/*": 5, "*/*": 2_000 } } }), "a.png", 6),
            (json!({ "accept": { "types": [".mp4"] } }), "A.MP4", 6),
        ] {
            let world = World::new(1);
            let upload = world.upload(dialect.provider(), options, &world.file(name, size));
            world.run();
            world.stored(&upload);
        }
    });
}

#[test]
fn vendors_limits_hold_unless_options_override_them() {
    each(|dialect| {
        let limits: &[(&str, u64)] = match dialect.name {
            "ofauth" => &[("a.jpg", 50 * MIB + 1), ("a.mp4", 5_120 * MIB + 1), ("a.m4a", 50 * MIB + 1)],
            "onlymonster" => &[("a.mp4", 5_120 * MIB + 1)],
            _ => &[],
        };
        for (name, size) in limits {
            rejected(dialect, json!({}), name, *size);
        }
    });
    let hint = rejected(&DIALECTS[0], json!({}), "notes.txt", 5);
    assert!(hint.contains("contentType"), "{hint}");
}

#[test]
fn what_the_page_lets_through_the_server_may_refuse() {
    let world = World::new(1);
    let upload = world.upload(DIALECTS[0].provider(), json!({ "accept": false }), &world.file("a.jpg", 60 * MIB));
    world.run();
    let error = upload.error();
    assert_eq!((error.code, error.status, error.step), (Code::TooLarge, Some(413), Some(Step::Init)));
    assert_eq!(world.count("ofauth:init"), 1, "a refusal isn't asked for again");
}

#[test]
fn a_file_that_cannot_be_read_is_named_as_such() {
    each(|dialect| {
        let world = World::new(1);
        let file = world.file("clip.mp4", MIB);
        file.spoil();
        let upload = world.upload(dialect.provider(), json!({}), &file);
        world.run();
        assert_eq!(upload.code(), Some(Code::FileUnreadable));
        assert_eq!(world.log().records.len(), 0);
    });
}

#[test]
fn integrity_is_required_only_where_it_can_be_had() {
    let world = World::new(1);
    let apifansly = DIALECTS[2].provider();
    let upload = world.upload(apifansly, json!({ "integrity": "require" }), &world.real_file("clip.mp4", 100));
    world.run();
    assert_eq!(upload.code(), Some(Code::InvalidOptions));
    assert_eq!(world.log().records.len(), 0);
}

#[test]
fn a_name_that_is_no_provider_is_invalid() {
    let world = World::new(1);
    let upload = world.upload(json!({ "name": "ftp" }), json!({}), &world.file("clip.mp4", MIB));
    world.run();
    let error = upload.error();
    assert_eq!(error.code, Code::InvalidOptions);
    assert!(error.message.contains("\"ftp\""), "{error:?}");
    assert!(error.hint.as_ref().unwrap().contains("`partway`"), "{error:?}");
}
