//! Onlymonster: answers that are lost. The list decides, and the vault never gets a second entry.

use partway::error::{Code, Step};
use partway::model::events::Status;
use partway_models::wire::Response;
use partway_simulation::{Fault, Handle, World};
use serde_json::json;

use crate::dialects::MIB;
use crate::onlymonster::provider;

const LOST: [fn() -> Fault; 4] = [
    || Fault::ResetAfter,
    || Fault::StallAnswer,
    || Fault::body("<html>busy</html>"),
    || Fault::Edit(std::rc::Rc::new(|response: &mut Response| *response = Response::empty(502))),
];

#[test]
fn a_lost_start_reads_the_list_and_starts_again() {
    for lost in &LOST[..2] {
        for size in [MIB, 24 * MIB] {
            let world = World::new(1);
            world.fault("onlymonster:start", 0, 1, lost());
            let upload = world.upload(provider(), json!({}), &world.file("clip.mp4", size));
            world.run();
            world.stored(&upload);
            let routes: Vec<_> = world.sent("onlymonster:*").iter().take(3).map(|record| record.route).collect();
            assert_eq!(routes, ["onlymonster:start", "onlymonster:list", "onlymonster:start"], "{upload:?}");
            assert_eq!(world.servers().onlymonster.exports(), 1);
        }
    }
}

#[test]
fn a_lost_finish_is_found_in_the_list() {
    for lost in LOST {
        let world = World::new(1);
        world.fault("onlymonster:finish", 0, 1, lost());
        let upload = world.upload(provider(), json!({}), &world.file("clip.mp4", 24 * MIB));
        world.run();
        world.stored(&upload);
        assert_eq!(world.count("onlymonster:finish"), 1, "the list shows that it happened: {upload:?}");
        assert_eq!(world.servers().onlymonster.exports(), 1);
    }
}

#[test]
fn a_finish_that_never_arrived_is_made_again() {
    for fault in [Fault::ResetBefore, Fault::status(503)] {
        let world = World::new(1);
        world.fault("onlymonster:finish", 0, 1, fault);
        let upload = world.upload(provider(), json!({}), &world.file("clip.mp4", 24 * MIB));
        world.run();
        world.stored(&upload);
        let routes: Vec<_> = world.sent("onlymonster:*").iter().skip(1).take(3).map(|record| record.route).collect();
        assert_eq!(routes, ["onlymonster:finish", "onlymonster:list", "onlymonster:finish"], "never blindly");
    }
}

#[test]
fn a_lost_export_is_found_in_the_list_and_never_repeated() {
    for lost in LOST {
        for size in [MIB, 24 * MIB] {
            let world = World::new(1);
            world.fault("onlymonster:export", 0, 1, lost());
            let upload = world.upload(provider(), json!({}), &world.file("clip.mp4", size));
            world.run();
            world.stored(&upload);
            assert_eq!(world.count("onlymonster:export"), 1, "{upload:?}");
            assert_eq!(world.servers().onlymonster.exports(), 1);
        }
    }
}

#[test]
fn an_export_that_never_arrived_is_repeated_after_reading_the_list() {
    for fault in [Fault::ResetBefore, Fault::status(500)] {
        let world = World::new(1);
        world.fault("onlymonster:export", 0, 2, fault);
        let upload = world.upload(provider(), json!({}), &world.file("clip.mp4", MIB));
        world.run();
        world.stored(&upload);
        let sent = world.sent("onlymonster:*");
        for pair in sent.windows(2).filter(|pair| pair[1].route == "onlymonster:export") {
            assert!(["onlymonster:list", "onlymonster:start"].contains(&pair[0].route), "{upload:?}");
        }
        assert_eq!(world.servers().onlymonster.exports(), 1);
    }
}

#[test]
fn an_export_with_retry_after_is_repeated_without_reading_the_list() {
    let world = World::new(1);
    world.fault("onlymonster:export", 0, 1, Fault::status(429).with("retry-after", "2"));
    let upload = world.upload(provider(), json!({}), &world.file("clip.mp4", MIB));
    world.run();
    world.stored(&upload);
    let routes: Vec<_> = world.sent("onlymonster:*").iter().skip(1).take(2).map(|record| record.route).collect();
    assert_eq!(routes, ["onlymonster:export"; 2]);
}

#[test]
fn the_list_is_read_page_by_page() {
    let world = World::new(1);
    let oldest = world.upload(provider(), json!({}), &world.file("clip.mp4", MIB));
    oldest.when_status(Status::Completing, Handle::pause);
    world.run_for(60_000);
    let uploader = world.uploader(json!({ "concurrency": 30 }));
    for _ in 0..120 {
        uploader.upload(provider(), &world.file("clip.mp4", MIB));
    }
    world.run_for(1_800_000);
    world.fault("onlymonster:export", 0, 1, Fault::ResetAfter);
    oldest.resume();
    world.run();
    world.stored(&oldest);
    assert_eq!((world.count("onlymonster:export"), world.servers().onlymonster.exports()), (121, 121));
    let lists = world.sent("onlymonster:list");
    let offsets: Vec<_> = lists
        .iter()
        .filter(|record| record.upload == oldest.number())
        .take(3)
        .map(|record| record.url.split("offset=").nth(1).unwrap_or("").split('&').next().unwrap_or("").to_string())
        .collect();
    assert_eq!(offsets, ["0", "50", "100"], "the oldest stands on the last page");
}

#[test]
fn a_list_that_stays_away_leaves_the_outcome_unknown() {
    for (route, size) in [("onlymonster:export", MIB), ("onlymonster:finish", 24 * MIB)] {
        let world = World::new(1);
        world.fault(route, 0, 1, Fault::ResetAfter);
        world.fault("onlymonster:list", 0, None, Fault::ResetBefore);
        let upload = world.upload(provider(), json!({}), &world.file("clip.mp4", size));
        world.run();
        let error = upload.error();
        assert_eq!((error.code, error.retryable), (Code::OutcomeUnknown, false), "{upload:?}");
        assert_eq!(world.count(route), 1, "no blind repetition");
    }
}

#[test]
fn an_upload_without_an_id_is_found_by_its_key() {
    let world = World::new(1);
    world.servers().onlymonster.config.start_gives_id = false;
    world.fault("onlymonster:export", 0, 1, Fault::ResetAfter);
    let upload = world.upload(provider(), json!({}), &world.file("clip.mp4", MIB));
    world.run();
    world.stored(&upload);
    assert_eq!(world.servers().onlymonster.exports(), 1);
}

#[test]
fn vendors_that_list_exports_only_are_reconciled_too() {
    for route in ["onlymonster:start", "onlymonster:finish", "onlymonster:export"] {
        for fault in [Fault::ResetAfter, Fault::ResetBefore] {
            let world = World::new(1);
            world.servers().onlymonster.config.lists_started = false;
            world.fault(route, 0, 1, fault.clone());
            let upload = world.upload(provider(), json!({}), &world.file("clip.mp4", 24 * MIB));
            world.run();
            assert!(world.servers().onlymonster.exports() <= 1);
            world.stored(&upload);
        }
    }
}

#[test]
fn a_refused_export_is_no_lost_one() {
    let world = World::new(1);
    world.fault("onlymonster:export", 0, None, Fault::answer(400, r#"{"message":"bad e_tag"}"#));
    let upload = world.upload(provider(), json!({}), &world.file("clip.mp4", MIB));
    world.run();
    let error = upload.error();
    assert_eq!((error.code, error.step, world.count("onlymonster:export")), (Code::BadRequest, Some(Step::Export), 1));
    assert!(error.message.contains("bad e_tag"));
}

#[test]
fn expired_urls_restart_the_upload_once() {
    let world = std::rc::Rc::new(World::new(1));
    world.line(|line| line.bytes_per_ms = 1_000);
    world.servers().onlymonster.config.url_expires_s = 20;
    let later = world.clone();
    world.after(5_000, move || later.servers().onlymonster.config.url_expires_s = 3_600);
    let upload = world.upload(provider(), json!({ "concurrency": 1 }), &world.file("clip.mp4", 60 * MIB));
    world.run();
    world.stored(&upload);
    assert_eq!(world.count("onlymonster:start"), 2);
    assert!(!world.log().warnings.is_empty(), "it says so");

    let world = World::new(1);
    world.line(|line| line.bytes_per_ms = 1_000);
    world.servers().onlymonster.config.url_expires_s = 20;
    let upload = world.upload(provider(), json!({ "concurrency": 1 }), &world.file("clip.mp4", 60 * MIB));
    world.run();
    let error = upload.error();
    assert_eq!((error.code, error.retryable), (Code::UrlExpired, true), "{upload:?}");
    assert_eq!(world.count("onlymonster:start"), 2, "once, not for ever");
}

#[test]
fn a_single_put_that_was_cut_off_is_sent_whole_again_to_the_same_url() {
    let world = World::new(1);
    world.fault("store:PutObject", 0, 3, Fault::ResetInBody);
    let upload = world.upload(provider(), json!({}), &world.file("clip.mp4", 10 * MIB));
    world.run();
    world.stored(&upload);
    assert_eq!((world.count("onlymonster:start"), world.count("store:PutObject")), (1, 4));
}
