//! `navigator.onLine` says `false` although there is a network, as with VPNs and virtual adapters, and where there is none.

use std::rc::Rc;

use partway::error::Code;
use partway::model::events::Status;
use partway::platform::PageEvent;
use partway_simulation::environment::{Cut, Network};
use partway_simulation::{Fault, World};
use serde_json::json;

use crate::dialects::{MIB, each, of};

const HOUR: u64 = 3_600_000;

#[test]
fn a_browser_that_wrongly_says_offline_delays_an_upload_by_seconds() {
    each(|dialect| {
        for size in [MIB, dialect.large] {
            let world = World::new(1);
            world.says_offline(true);
            let upload = world.upload(dialect.provider(), json!({}), &world.file("clip.mp4", size));
            world.run();
            let result = world.stored(&upload);
            assert_eq!(result.attempts, result.parts, "{upload:?}");
            assert!(world.elapsed() < 60_000, "{} ms: {upload:?}", world.elapsed());
            // The application's functions are never called as a probe.
            let waits = matches!(dialect.name, "s3" | "plan");
            assert_eq!(upload.statuses().contains(&Status::Waiting), waits, "{upload:?}");
            assert_eq!(world.count("page:look"), usize::from(waits));
        }
    });
}

#[test]
fn an_answer_proves_the_browser_wrong_for_the_rest_of_the_page() {
    let world = World::new(1);
    world.says_offline(true);
    let first = world.upload(crate::s3::with(json!({})), json!({}), &world.file("a.mp4", MIB));
    world.run();
    world.stored(&first);
    let before = world.elapsed();
    let second = world.upload(crate::s3::with(json!({ "key": "b" })), json!({}), &world.file("b.mp4", MIB));
    world.run();
    world.stored(&second);
    assert!(world.elapsed() - before < 3_000 && world.count("page:look") == 1, "{second:?}");
    assert!(!second.statuses().contains(&Status::Waiting));
}

#[test]
fn an_answer_to_a_request_from_before_the_network_went_proves_nothing() {
    let world = World::new(1);
    let upload = world.upload(json!({ "name": "plan" }), json!({}), &world.file("a.mp4", MIB));
    while world.count("store:PutObject") == 0 {
        world.run_for(1);
    }
    world.says_offline(true);
    world.run();
    world.stored(&upload);
    // `complete` is called once the probe is answered.
    assert_eq!((upload.statuses().contains(&Status::Waiting), world.count("page:look")), (true, 1), "{upload:?}");
}

#[test]
fn a_request_is_repeated_though_the_pages_own_server_does_not_answer() {
    let world = World::new(1);
    world.fault("page:look", 0, None, Fault::ResetBefore);
    world.fault("store:PutObject", 0, 1, Fault::ResetInBody);
    let upload = world.upload(crate::s3::with(json!({})), json!({}), &world.file("a.mp4", MIB));
    while world.count("store:PutObject") == 0 {
        world.run_for(1);
    }
    world.says_offline(true);
    world.run();
    world.stored(&upload);
    assert!(world.count("page:look") == 1 && world.elapsed() < 60_000, "{} ms: {upload:?}", world.elapsed());
}

#[test]
fn failures_cost_attempts_once_the_browser_was_proven_wrong() {
    of(
        |dialect| !dialect.is_form,
        |dialect| {
            let world = World::new(1);
            world.says_offline(true);
            world.fault(dialect.part, 0, None, Fault::ResetInBody);
            let upload = world.upload(dialect.provider(), json!({}), &world.file("clip.mp4", dialect.large));
            world.run();
            assert_eq!(upload.code(), Some(Code::Network), "{upload:?}");
            assert!(world.elapsed() < 30 * 60_000);
        },
    );
}

#[test]
fn hours_without_a_network_cost_no_attempt() {
    each(|dialect| {
        let world = Rc::new(World::new(1));
        let uploader = world.uploader(json!({ "retry": { "attempts": 2 } }));
        let upload = uploader.upload(dialect.provider(), &world.file("clip.mp4", dialect.large));
        let (gone, back) = (world.clone(), world.clone());
        world.after(1_500, move || gone.network(Network::Gone, Cut::Reset));
        world.after(5 * HOUR, move || back.network(Network::Up, Cut::Reset));
        world.run();
        world.stored(&upload);
        assert!(upload.statuses().contains(&Status::Waiting), "{upload:?}");
        // It was tried at intervals, not all the time.
        let tries = world.log().records.iter().filter(|record| record.status == Some(0)).count();
        assert!((5..700).contains(&tries), "{tries} tries");
    });
}

#[test]
fn a_network_that_is_back_ends_the_wait_for_the_next_attempt() {
    let second = |event| {
        let world = Rc::new(World::new(1));
        world.fault("store:PutObject", 0, 1, Fault::ResetBefore);
        let options = json!({ "retry": { "baseMs": 600_000, "capMs": 600_000 } });
        let upload = world.upload(crate::s3::with(json!({})), options, &world.file("clip.mp4", MIB));
        let later = world.clone();
        world.after(5_000, move || later.stir(event));
        world.run();
        world.stored(&upload);
        world.sent("store:PutObject")[1].sent_at - world.beginning()
    };
    assert_eq!(second(PageEvent::Online), 5_000);
    assert!(second(PageEvent::Visible) > 6_000, "a page that is shown says nothing about its network");
}

#[test]
fn a_pause_ends_the_wait_for_a_network() {
    let world = Rc::new(World::new(1));
    world.network(Network::Gone, Cut::Reset);
    let upload = world.upload(crate::s3::with(json!({})), json!({}), &world.file("clip.mp4", MIB));
    let paused = upload.clone();
    world.after(1_000, move || paused.pause());
    world.run_for(HOUR);
    assert_eq!(upload.statuses().last(), Some(&Status::Paused), "{upload:?}");
    assert_eq!(world.count("page:look"), 0);
    world.network(Network::Up, Cut::Reset);
    upload.resume();
    world.run();
    world.stored(&upload);
}
