//! What is particular to OFAuth: its plan in two layouts, its three error shapes, its rate limit, its two kinds of id.

use partway::error::{Code, Step};
use partway::model::events::{ProofBy, Status};
use partway_models::ofauth::{ConsumeError, EtagPlace, Layout, ResetUnit};
use partway_simulation::{Fault, File, Handle, World};
use serde_json::{Value, json};

use crate::dialects::MIB;

pub(crate) fn provider() -> Value {
    json!({ "name": "ofauth", "baseUrl": "/api/ofauth" })
}

fn uploads(world: &World, name: &str, size: u64) -> Handle {
    let upload = world.upload(provider(), json!({}), &world.file(name, size));
    world.run();
    upload
}

#[test]
fn both_layouts_of_init_are_read() {
    for layout in [Layout::Body, Layout::Headers] {
        for size in [1, 5 * MIB, 5 * MIB + 1, 20 * MIB, 23 * MIB] {
            let world = World::new(size);
            world.servers().ofauth.config.layout = layout;
            let upload = uploads(&world, "clip.mp4", size);
            world.stored(&upload);
            let single = size <= 5 * MIB;
            assert_eq!(world.count("ofauth:single"), usize::from(single));
            assert_eq!(world.count("ofauth:complete"), usize::from(!single), "never for a single part");
        }
    }
}

#[test]
fn the_body_wins_over_the_headers() {
    let world = World::new(1);
    let other = |response: &mut partway_models::wire::Response| {
        response.headers.insert("x-ofauth-upload-total-parts", "99");
        response.headers.insert("x-ofauth-upload-part-size", "1");
    };
    world.fault("ofauth:init", 0, 1, Fault::Edit(std::rc::Rc::new(other)));
    let upload = uploads(&world, "clip.mp4", 12 * MIB);
    assert_eq!(world.stored(&upload).parts, 3);
}

#[test]
fn headers_that_a_foreign_origin_hides_are_named_in_the_hint() {
    let world = World::new(1);
    world.servers().ofauth.config.layout = Layout::Headers;
    let hide = |response: &mut partway_models::wire::Response| {
        response.headers.remove("x-ofauth-upload-total-parts");
    };
    world.fault("ofauth:init", 0, 1, Fault::Edit(std::rc::Rc::new(hide)));
    let error = uploads(&world, "clip.mp4", 12 * MIB).error();
    assert_eq!(error.code, Code::PlanMismatch);
    assert!(error.hint.as_ref().unwrap().contains("x-ofauth-upload-total-parts"), "{error:?}");
}

#[test]
fn upload_type_decides_not_the_number_of_parts() {
    let world = World::new(1);
    world.servers().ofauth.config.single_max = 100 * MIB;
    let upload = uploads(&world, "clip.mp4", 60 * MIB);
    assert_eq!(world.stored(&upload).parts, 1);
    assert_eq!((world.count("ofauth:single"), world.count("ofauth:complete")), (1, 0));

    let world = World::new(1);
    world.servers().ofauth.config.single_max = 0;
    let upload = uploads(&world, "clip.mp4", MIB);
    assert_eq!(world.stored(&upload).parts, 1);
    assert_eq!((world.count("ofauth:part"), world.count("ofauth:complete")), (1, 1));
}

#[test]
fn etags_are_read_wherever_they_stand() {
    for place in [EtagPlace::Body, EtagPlace::Header, EtagPlace::Both] {
        let world = World::new(1);
        world.servers().ofauth.config.etag = place;
        let file = world.real_file("clip.mp4", 11 * MIB as usize);
        let upload = world.upload(provider(), json!({ "integrity": "require" }), &file);
        world.run();
        assert!(world.stored(&upload).verified, "{place:?}");
    }
}

#[test]
fn damage_on_the_way_is_seen_and_the_part_sent_again() {
    let world = World::new(1);
    let damage = Fault::json(|reply| reply["etag"] = json!("\"00000000000000000000000000000000\""));
    world.fault("ofauth:part", 1, 1, damage);
    let file = world.real_file("clip.mp4", 11 * MIB as usize);
    let upload = world.upload(provider(), json!({ "integrity": "auto" }), &file);
    world.run();
    let result = world.stored(&upload);
    assert_eq!((result.parts, result.attempts, result.verified), (3, 4, true));
}

#[test]
fn urls_go_out_as_they_came_mapped_onto_the_proxy() {
    let world = World::new(1);
    uploads(&world, "clip.mp4", 6 * MIB);
    for record in world.some_sent("ofauth:part") {
        assert!(record.url.starts_with("https://app.example/api/ofauth/v2/access/uploads/upload%3A"), "{}", record.url);
        assert_eq!(record.header("content-type"), Some("video/mp4"));
        assert_eq!(record.header("apikey"), None, "the proxy adds it");
    }
    assert_eq!(world.sent("ofauth:complete")[0].url, "https://app.example/api/ofauth/v2/access/uploads/complete");
}

#[test]
fn straight_to_the_vendor_with_its_key_in_the_page() {
    let options = json!({
        "name": "ofauth", "apiKey": "ofauth-key", "connectionId": "conn_sandbox", "dangerouslyExposeSecrets": true,
    });
    for size in [MIB, 12 * MIB] {
        let world = World::new(1);
        let upload = world.upload(options.clone(), json!({}), &world.file("clip.mp4", size));
        world.run();
        world.stored(&upload);
        for record in &world.log().records {
            assert!(record.url.starts_with("https://api.ofauth.com/"), "{}", record.url);
            assert_eq!(record.header("apikey"), Some("ofauth-key"));
            assert_eq!(record.header("idempotency-key"), None, "the vendor's CORS rule doesn't know it");
        }
    }
}

#[test]
fn keys_are_for_a_proxy_unless_the_caller_says_so() {
    for options in [
        json!({ "name": "ofauth", "apiKey": "k", "baseUrl": "/api/ofauth" }),
        json!({ "name": "ofauth", "baseUrl": "http://proxy.example" }),
    ] {
        let world = World::new(1);
        let upload = world.upload(options.clone(), json!({}), &world.file("clip.mp4", MIB));
        world.run();
        assert_eq!(upload.code(), Some(Code::InvalidOptions), "{options}");
        assert_eq!(world.log().records.len(), 0);
    }
}

#[test]
fn vault_upload_goes_with_init() {
    for (given, user) in [
        (json!({ "mode": "message", "userId": "77" }), Some("77")),
        (json!({ "mode": "message", "userId": null }), None),
        (json!({ "mode": "message" }), None),
    ] {
        let world = World::new(1);
        let mut options = provider();
        options["vaultUpload"] = given.clone();
        let upload = world.upload(options, json!({}), &world.file("clip.mp4", MIB));
        world.run();
        let id = world.stored(&upload).outcome.media_upload_id.clone().unwrap();
        assert_eq!(world.servers().ofauth.vault_user(&id), user);
        assert_eq!(world.sent("ofauth:init")[0].json.as_ref().unwrap()["vaultUpload"], given);
    }
}

#[test]
fn a_file_without_a_type_goes_by_its_extension() {
    let world = World::new(1);
    let file = File::symbolic(9, "clip.MOV", "", MIB);
    let upload = world.upload(provider(), json!({}), &file);
    world.run();
    world.stored(&upload);
    assert_eq!(world.sent("ofauth:init")[0].json.as_ref().unwrap()["contentType"], "video/quicktime");
}

#[test]
fn a_file_that_the_vault_has_is_not_sent_again() {
    let world = World::new(1);
    let file = world.real_file("photo.jpg", 3 * MIB as usize);
    let first = world.upload(provider(), json!({}), &file);
    world.run();
    let media = world.stored(&first).outcome.media_id.clone();
    let second = world.upload(provider(), json!({}), &file);
    world.run();
    let result = second.done();
    assert_eq!((result.outcome.already_there, &result.outcome.media_id), (true, &media));
    assert_eq!((result.parts, result.attempts, result.bytes), (0, 0, file.size()));
    assert_eq!(result.outcome.reusable, Some(true));
    assert_eq!(second.statuses(), [Status::Checking, Status::Done]);
    assert_eq!(second.progress().last().map(|progress| progress.fraction), Some(1.0));
    assert_eq!((world.count("ofauth:init"), world.count("ofauth:single")), (1, 1));
    let asked = world.sent("ofauth:check")[0].json.clone().unwrap();
    assert_eq!(asked["size"], file.size());

    let other = world.upload(provider(), json!({}), &world.real_file("photo.jpg", 3 * MIB as usize));
    world.run();
    assert!(!world.stored(&other).outcome.already_there, "other bytes of the same size");
}

#[test]
fn the_check_can_be_left_out() {
    let world = World::new(1);
    let mut options = provider();
    options["skipExisting"] = json!(false);
    let file = world.real_file("photo.jpg", 1000);
    for _ in 0..2 {
        let upload = world.upload(options.clone(), json!({}), &file);
        world.run();
        assert!(!world.stored(&upload).outcome.already_there);
    }
    assert_eq!(world.count("ofauth:check"), 0);
}

#[test]
fn a_large_file_is_looked_up_by_the_etag_that_its_parts_would_make() {
    for part_size in [5 * MIB, 8 * MIB] {
        let world = World::new(1);
        world.servers().ofauth.config.part_size = part_size;
        let uploader = world.uploader(json!({}));
        let file = world.file("clip.mp4", 42 * MIB + 17);
        let first = uploader.upload(provider(), &file);
        world.run();
        let media = world.stored(&first).outcome.media_id;
        // The plan told the size of parts.
        let second = uploader.upload(provider(), &file);
        world.run();
        let result = second.done();
        assert_eq!((result.outcome.already_there, result.outcome.media_id, result.verified), (true, media, true));
        let proof = result.outcome.proof.unwrap();
        let parts = (42 * MIB + 17).div_ceil(part_size) as u32;
        assert_eq!((proof.by, proof.parts), (ProofBy::EtagMd5, parts));
        assert!(proof.value.ends_with(&format!("-{parts}")), "{proof:?}");
        assert_eq!((world.count("ofauth:init"), world.count("ofauth:check")), (1, 2));
        let other = uploader.upload(provider(), &world.file("clip.mp4", 42 * MIB + 17));
        world.run();
        assert!(!world.stored(&other).outcome.already_there, "other bytes of the same size");
    }
}

#[test]
fn a_large_file_is_looked_up_only_where_hashing_takes_a_tenth_of_sending() {
    for (bytes_per_ms, checks) in [(5_000, 2), (1_000_000, 1)] {
        let world = World::new(1);
        world.line(|line| (line.bytes_per_ms, line.latency) = (bytes_per_ms, (0, 1)));
        let uploader = world.uploader(json!({}));
        for number in 0..2 {
            let upload = uploader.upload(provider(), &world.file(&format!("{number}.mp4"), 400 * MIB));
            world.run();
            world.stored(&upload);
        }
        // Until something was measured the line counts as a usual one.
        assert_eq!(world.count("ofauth:check"), checks, "{bytes_per_ms}");
    }
}

#[test]
fn a_check_that_fails_is_passed_over() {
    for fault in [
        Fault::status(500),
        Fault::status(404),
        Fault::answer(200, "<html>"),
        Fault::body("{\"exists\":true}"),
        Fault::body("{\"exists\":\"yes\",\"media\":{\"id\":1}}"),
        Fault::body("{\"exists\":true,\"media\":{\"id\":-1}}"),
        Fault::ResetBefore,
        Fault::ResetAfter,
        Fault::StallAnswer,
    ] {
        let world = World::new(1);
        world.fault("ofauth:check", 0, None, fault.clone());
        let upload = world.upload(provider(), json!({}), &world.real_file("photo.jpg", 1000));
        world.run();
        assert!(!world.stored(&upload).outcome.already_there, "{fault:?}");
        assert_eq!(world.count("ofauth:check"), 1, "it only saves time: {fault:?}");
    }
}

#[test]
fn all_three_error_shapes_are_read() {
    for (status, body, code, vendor) in [
        (
            403,
            json!({ "error": "No", "type": "FORBIDDEN", "requestId": "req_1", "actionRequired": "ask" }),
            Code::Forbidden,
            ("FORBIDDEN", "No", Some("req_1")),
        ),
        (
            400,
            json!({ "error": "Bad", "code": "VALIDATION", "details": {} }),
            Code::BadRequest,
            ("VALIDATION", "Bad", None),
        ),
        (413, json!({ "message": "Big", "code": "TOO_BIG", "details": [] }), Code::TooLarge, ("TOO_BIG", "Big", None)),
        (415, json!({ "error": "Kind", "code": "KIND" }), Code::UnsupportedType, ("KIND", "Kind", None)),
        (401, json!({ "message": "Who", "code": "UNAUTHORIZED" }), Code::Unauthorized, ("UNAUTHORIZED", "Who", None)),
    ] {
        let world = World::new(1);
        world.fault("ofauth:init", 0, None, Fault::answer(status, &body.to_string()));
        let error = uploads(&world, "clip.mp4", MIB).error();
        assert_eq!((error.code, error.status, error.step), (code, Some(status), Some(Step::Init)));
        let words = error.vendor.clone().unwrap();
        let words = (words.code.unwrap(), words.message.unwrap(), words.request_id);
        assert_eq!((words.0.as_str(), words.1.as_str(), words.2.as_deref()), vendor);
        assert_eq!(world.count("ofauth:init"), 1);
    }
}

#[test]
fn an_unknown_connection_carries_the_vendors_message() {
    let world = World::new(1);
    let mut options = provider();
    options["connectionId"] = json!("conn_other");
    let upload = world.upload(options, json!({}), &world.file("clip.mp4", 6 * MIB));
    world.run();
    let error = upload.error();
    assert_eq!((error.code, error.status), (Code::Forbidden, Some(403)));
    assert!(error.vendor.as_ref().unwrap().request_id.as_ref().unwrap().starts_with("req_"));
}

#[test]
fn the_rate_that_one_upload_learns_eases_off_all_of_that_connection() {
    for unit in [ResetUnit::EpochSeconds, ResetUnit::EpochMillis, ResetUnit::Seconds] {
        let world = World::new(1);
        {
            let config = &mut world.servers().ofauth.config;
            (config.rate_per_minute, config.burst, config.reset_unit) = (60, 12, unit);
        }
        let (one, two) = (world.uploader(json!({ "concurrency": 2 })), world.uploader(json!({ "concurrency": 2 })));
        let files: Vec<_> = (0..4).map(|_| world.file("clip.mp4", 40 * MIB)).collect();
        let uploads: Vec<_> =
            files.iter().zip([&one, &two, &one, &two]).map(|(file, by)| by.upload(provider(), file)).collect();
        world.run();
        for upload in &uploads {
            world.stored(upload);
        }
        let refused = world.sent("ofauth:*").iter().filter(|record| record.status == Some(429)).count();
        assert!(refused <= 12, "{unit:?}: {refused} of {} were refused", world.count("ofauth:*"));
        let needed_ms = (4 * 10 - 12) * 1_000;
        assert!((needed_ms..needed_ms * 2).contains(&world.elapsed()), "{unit:?}: {} ms", world.elapsed());
    }
}

/// 60 calls a minute with a burst of 90, as published: calls beyond the burst go one a second.
#[test]
fn many_parts_go_on_by_the_token() {
    for (concurrency, latency) in [(1, (20, 60)), (6, (20, 60)), (6, (400, 900)), (16, (20, 60))] {
        let world = World::new(1);
        world.line(|line| (line.latency, line.bytes_per_ms) = (latency, 100_000));
        let options = json!({ "concurrency": concurrency });
        let upload = world.upload(provider(), options, &world.file("clip.mp4", 150 * 5 * MIB));
        world.run();
        assert_eq!(world.stored(&upload).parts, 150);
        let needed_ms = (150 + 2 - 90) * 1_000;
        let most = needed_ms * 5 / 4 + 152 * 2 * latency.1 / concurrency;
        assert!(world.elapsed() < most, "{concurrency}: {} ms where {needed_ms} are needed", world.elapsed());
        let refused = world.sent("ofauth:*").iter().filter(|record| record.status == Some(429)).count();
        assert!(refused <= 2 * concurrency as usize, "{concurrency}: {refused} were refused");
    }
}

#[test]
fn what_a_429_asks_for_is_waited_for() {
    for (header, least) in
        [(Some(("retry-after", "20")), 20_000), (Some(("x-ratelimit-reset", "90")), 1_000), (None, 1_000)]
    {
        let world = World::new(1);
        let fault = Fault::status(429);
        let fault = header.iter().fold(fault, |fault, (name, value)| fault.with(name, value));
        world.fault("ofauth:init", 0, 1, fault);
        let upload = uploads(&world, "clip.mp4", 6 * MIB);
        world.stored(&upload);
        let inits = world.sent("ofauth:init");
        let waited = inits[1].sent_at - inits[0].sent_at;
        assert!((least..least + 2_000).contains(&waited), "{header:?}: {waited}");
    }
}

#[test]
fn a_clock_that_is_off_changes_nothing_about_the_rate() {
    for (skew, unit) in [
        (-7_200_000, ResetUnit::EpochSeconds),
        (-40_000, ResetUnit::EpochMillis),
        (40_000, ResetUnit::EpochSeconds),
        (7_200_000, ResetUnit::EpochMillis),
    ] {
        let world = World::new(1);
        world.skew(skew);
        {
            let config = &mut world.servers().ofauth.config;
            (config.rate_per_minute, config.burst, config.reset_unit) = (60, 12, unit);
        }
        let upload =
            world.upload(provider(), json!({ "retry": { "attempts": 3 } }), &world.file("clip.mp4", 200 * MIB));
        world.run();
        world.stored(&upload);
        let calls = world.count("ofauth:*");
        let refused = world.sent("ofauth:*").iter().filter(|record| record.status == Some(429)).count();
        assert!(refused * 4 <= calls, "{skew}: {refused} of {calls} were refused");
        assert!(world.elapsed() < calls as u64 * 2_000, "{skew}: {} ms for {calls} calls", world.elapsed());
    }
}

#[test]
fn a_result_says_which_id_can_be_used_again() {
    for (media, size) in [(true, MIB), (true, 6 * MIB), (false, MIB), (false, 6 * MIB)] {
        let world = World::new(1);
        world.servers().ofauth.config.media = media;
        world.servers().ofauth.config.whole_media = false;
        let upload = uploads(&world, "clip.mp4", size);
        let outcome = world.stored(&upload).outcome;
        let item = outcome.media_item.clone().unwrap();
        assert_eq!((outcome.reusable, outcome.media_id.is_some()), (Some(media), media));
        assert!(outcome.media_upload_id.is_some());
        let mut servers = world.servers();
        assert!(servers.ofauth.use_in_media_items(&item).is_ok());
        let again = servers.ofauth.use_in_media_items(&item);
        assert_eq!(again.is_ok(), media);
        assert!(media || again == Err(ConsumeError::Used));
    }
}

#[test]
fn what_the_look_up_hashed_is_not_hashed_again() {
    for (refused, integrity) in [(0, "auto"), (0, "require"), (3, "auto")] {
        let world = World::new(1);
        world.fault("ofauth:part", 0, refused, Fault::status(503));
        let upload = world.upload(provider(), json!({ "integrity": integrity }), &world.file("clip.mp4", 22 * MIB));
        world.run();
        let result = world.stored(&upload);
        assert_eq!((result.parts, result.attempts, result.verified), (5, 5 + refused, true), "{integrity}");
        assert_eq!((world.count("ofauth:check"), world.hashed_windows()), (1, 5), "{refused} {integrity}");
    }
}
