//! Slow networks: all connections share one bandwidth, and bytes that left the browser may wait in buffers for a long time.

use std::collections::BTreeMap;
use std::rc::Rc;

use partway::platform::PageEvent;
use partway_simulation::{Fault, Handle, World};
use serde_json::{Value, json};

use crate::dialects::{MIB, of};

const KIB: u64 = 1 << 10;

fn s3(part_size: u64) -> Value {
    crate::s3::with(json!({ "partSize": part_size, "multipartThreshold": part_size }))
}

/// A world whose connections share this bandwidth, each behind a buffer of this size.
fn world(bytes_per_second: u64, buffer: u64, reports: bool) -> Rc<World> {
    let world = World::new(1);
    world.line(|line| {
        // The next hop takes bytes from the browser at the speed of a LAN.
        (line.bytes_per_ms, line.shared_bytes_per_ms) = (100_000, Some(bytes_per_second / 1000));
        (line.buffer, line.reports) = (buffer, reports);
        // Coarser than a browser's 50 ms: these stories are long.
        line.tells_each_ms = 250;
    });
    Rc::new(world)
}

/// Asserts that every part was sent once.
#[track_caller]
fn sent_once(world: &World, upload: &Handle) {
    let result = world.stored(upload);
    assert_eq!(result.attempts, result.parts, "{upload:?}");
}

/// How many parts were under way so many milliseconds after the world's beginning.
fn at_once(world: &World, ms: u64) -> usize {
    let (log, at) = (world.log(), world.beginning() + ms);
    let parts = log.records.iter().filter(|record| record.route == "store:UploadPart");
    parts.filter(|part| part.sent_at <= at && part.ended_at.is_none_or(|end| end > at)).count()
}

#[test]
fn six_parts_over_a_megabit_are_sent_once() {
    for reports in [true, false] {
        for buffer in [0, 256 * KIB, 4 * MIB, 64 * MIB] {
            let world = world(125_000, buffer, reports);
            let upload = world.upload(s3(5 * MIB), json!({}), &world.file("clip.mp4", 30 * MIB));
            world.run();
            sent_once(&world, &upload);
            assert!(world.elapsed() < 270_000, "{} ms, the line needs 252 s", world.elapsed());
        }
    }
}

#[test]
fn six_parts_on_one_line_are_sent_once_whatever_the_buffers() {
    for reports in [true, false] {
        for buffer in [256 * KIB, 4 * MIB] {
            let world = world(128_000, buffer, reports);
            let upload = world.upload(s3(8 * MIB), json!({}), &world.file("clip.mp4", 48 * MIB));
            world.run();
            sent_once(&world, &upload);
        }
    }
}

#[test]
fn the_last_of_parts_that_started_together_has_the_deadline_of_all() {
    for late_ms in [2_000, 5_000, 20_000] {
        let world = world(40_000, 4 * MIB, false);
        // The first part's answer comes last, when no other request is pending.
        world.fault("store:UploadPart", 0, 1, Fault::Latency(late_ms));
        let upload = world.upload(s3(8 * MIB), json!({}), &world.file("clip.mp4", 32 * MIB + 1));
        world.run();
        sent_once(&world, &upload);
    }
}

#[test]
fn a_long_upload_over_a_slow_line_is_sent_once() {
    for (rate, connections) in [(125_000, None), (40_000, None), (125_000, Some(6))] {
        for reports in [true, false] {
            for buffer in [64 * KIB, 4 * MIB] {
                let world = world(rate, buffer, reports);
                world.line(|line| line.connections = connections);
                // Signatures outlive the upload.
                world.hooks().credentials_ms = Some(24 * 3_600_000);
                // More requests than the browser opens connections: the others wait in the browser.
                let options = json!({ "concurrency": if connections.is_some() { 16 } else { 6 } });
                let upload = world.upload(s3(5 * MIB), options, &world.file("clip.mp4", 200 * MIB));
                world.run();
                sent_once(&world, &upload);
            }
        }
    }
}

#[test]
fn a_relay_that_buffers_the_whole_body_does_not_stall() {
    of(
        |_| true,
        |dialect| {
            for reports in [true, false] {
                let world = world(600_000, 64 * MIB, reports);
                let upload = world.upload(dialect.provider(), json!({}), &world.file("clip.mp4", 24 * MIB));
                world.run();
                sent_once(&world, &upload);
                assert!(world.elapsed() > 40_000, "the relay takes its time");
            }
        },
    );
}

#[test]
fn calls_wait_for_their_turn_behind_the_parts_of_another_file() {
    for reports in [true, false] {
        let world = world(125_000, 0, reports);
        world.line(|line| line.connections = Some(6));
        let uploader = world.uploader(json!({}));
        let first = uploader.upload(s3(5 * MIB), &world.file("a.mp4", 30 * MIB));
        let second = Rc::new(world.uploader(json!({})));
        let (other, file) = (second.clone(), world.file("b.mp4", 10 * MIB));
        let handle: Rc<std::cell::RefCell<Option<Handle>>> = Rc::default();
        let kept = handle.clone();
        world.after(2_000, move || {
            let provider = crate::s3::with(json!({ "partSize": 5 * MIB, "multipartThreshold": 1, "key": "b.mp4" }));
            kept.replace(Some(other.upload(provider, &file)));
        });
        world.run();
        sent_once(&world, &first);
        sent_once(&world, handle.borrow().as_ref().expect("it was started"));
        assert_eq!(world.count("store:CreateMultipartUpload"), 2);
    }
}

#[test]
fn a_slow_line_gets_fewer_parts_at_once_and_a_fast_one_all_again() {
    let world = world(125_000, 64 * KIB, true);
    let upload = world.upload(s3(5 * MIB), json!({}), &world.file("clip.mp4", 400 * MIB));
    let later = world.clone();
    world.after(1_000_000, move || later.line(|line| line.shared_bytes_per_ms = Some(5_000)));
    world.run();
    sent_once(&world, &upload);
    assert_eq!([200_000, 600_000].map(|at| at_once(&world, at)), [6, 2], "{upload:?}");
    let most = (1_000..world.elapsed() / 1000).map(|second| at_once(&world, second * 1000)).max();
    assert_eq!(most, Some(6), "{upload:?}");
}

#[test]
fn a_call_tells_nothing_of_how_many_parts_a_slow_line_carries() {
    let world = world(125_000, 64 * KIB, true);
    let uploader = Rc::new(world.uploader(json!({ "concurrency": 6 })));
    let first = uploader.upload(s3(5 * MIB), &world.file("a.mp4", 200 * MIB));
    let later = world.clone();
    world.after(600_000, move || {
        let provider = crate::s3::with(json!({ "partSize": 5 * MIB, "multipartThreshold": 1, "key": "b.mp4" }));
        uploader.upload(provider, &later.file("b.mp4", 10 * MIB));
    });
    world.run();
    sent_once(&world, &first);
    assert_eq!(world.count("store:CreateMultipartUpload"), 2);
    let most = (600_000..700_000).step_by(100).map(|at| at_once(&world, at)).max();
    assert_eq!(most, Some(2));
}

#[test]
fn parts_that_were_too_many_for_the_line_go_fewer_at_once() {
    // Slower than the bandwidth that the first deadlines assume.
    let world = world(8_000, 64 * MIB, true);
    world.hooks().credentials_ms = Some(24 * 3_600_000);
    let upload = world.upload(s3(5 * MIB), json!({ "concurrency": 6 }), &world.file("clip.mp4", 30 * MIB));
    world.run();
    world.stored(&upload);
    let parts = world.sent("store:UploadPart");
    let (first, again) = parts.split_at(6);
    assert!(first.iter().all(|part| part.sent_at == first[0].sent_at && part.ended_at.is_none()), "{upload:?}");
    let until = again[0].sent_at + 600_000;
    assert_eq!(again.iter().filter(|part| part.sent_at < until).count(), 3, "{upload:?}");
}

#[test]
fn a_line_that_becomes_much_slower_costs_few_repetitions() {
    for reports in [true, false] {
        let world = world(5_000_000, 4 * MIB, reports);
        let upload = world.upload(s3(5 * MIB), json!({}), &world.file("clip.mp4", 200 * MIB));
        let later = world.clone();
        world.after(10_000, move || later.line(|line| line.shared_bytes_per_ms = Some(60)));
        world.run();
        let result = world.stored(&upload);
        assert!(result.attempts <= result.parts + 10, "{} for {}: {upload:?}", result.attempts, result.parts);
    }
}

#[test]
fn each_attempt_has_a_longer_deadline_than_the_one_before() {
    for reports in [true, false] {
        // Slower than the bandwidth that the first deadlines assume.
        let world = world(10_000, 64 * MIB, reports);
        let upload = world.upload(s3(5 * MIB), json!({ "concurrency": 1 }), &world.file("clip.mp4", 15 * MIB));
        world.run();
        world.stored(&upload);
        let mut waits: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for record in world.sent("store:UploadPart") {
            let start = record.range.expect("bytes").start;
            waits.entry(start).or_default().push(record.sent_at - world.beginning());
        }
        // Each of them times out once; after the first answer the bandwidth is known.
        assert_eq!(waits.values().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1], "{waits:?}");
    }
}

#[test]
fn a_connection_that_hangs_among_others_that_move_is_found() {
    for reports in [true, false] {
        for fault in [Fault::StallInBody, Fault::StallAnswer] {
            let world = world(2_000_000, 256 * KIB, reports);
            world.fault("store:UploadPart", 9, 1, fault.clone());
            let upload = world.upload(s3(5 * MIB), json!({}), &world.file("clip.mp4", 600 * MIB));
            world.run();
            let result = world.stored(&upload);
            assert_eq!(result.attempts, result.parts + 1, "{fault:?}: {upload:?}");
            let parts = world.sent("store:UploadPart");
            let hung = parts.iter().find(|record| record.status.is_none()).expect("one hung");
            let again = parts.iter().rfind(|record| record.range == hung.range).expect("it was sent again");
            let waited = again.sent_at - hung.sent_at;
            assert!((30_000..200_000).contains(&waited), "found after {waited} ms");
        }
    }
}

#[test]
fn a_dead_line_is_found_after_half_a_minute() {
    let world = world(2_000_000, 256 * KIB, true);
    world.fault("store:UploadPart", 0, 6, Fault::StallInBody);
    let upload = world.upload(s3(5 * MIB), json!({}), &world.file("clip.mp4", 30 * MIB));
    world.run();
    world.stored(&upload);
    assert_eq!(world.count("store:UploadPart"), 12);
    let parts = world.sent("store:UploadPart");
    assert!(parts[6].sent_at < parts[0].sent_at + 40_000, "{upload:?}");
}

#[test]
fn buffered_bytes_survive_an_online_event() {
    // A virtual adapter comes and goes; the network itself stays the same.
    let world = world(125_000, 64 * MIB, true);
    let upload = world.upload(s3(5 * MIB), json!({}), &world.file("clip.mp4", 30 * MIB));
    let later = world.clone();
    world.after(60_000, move || later.stir(PageEvent::Online));
    world.run();
    sent_once(&world, &upload);
}

#[test]
fn a_connection_that_is_silent_after_an_online_event_is_given_up_in_seconds() {
    let again = |event| {
        let world = World::new(1);
        world.fault("store:UploadPart", 0, 1, Fault::StallInBody);
        let world = Rc::new(world);
        let upload = world.upload(s3(5 * MIB), json!({ "concurrency": 1 }), &world.file("clip.mp4", 10 * MIB));
        let later = world.clone();
        world.after(20_000, move || later.stir(event));
        world.run();
        world.stored(&upload);
        world.sent("store:UploadPart")[1].sent_at - world.beginning()
    };
    assert!((25_000..26_000).contains(&again(PageEvent::Online)));
    assert!(again(PageEvent::Visible) > 30_000);
}

#[test]
fn a_deadline_of_minutes_is_no_sleep_of_the_machine() {
    // The transport reports nothing, and a part takes 80 seconds.
    let world = world(64_000, 256 * KIB, false);
    let options = json!({ "stallMs": 60_000, "concurrency": 1 });
    let upload = world.upload(s3(5 * MIB), options, &world.file("clip.mp4", 10 * MIB));
    world.run();
    sent_once(&world, &upload);
}

#[test]
fn time_that_the_machine_slept_measures_nothing() {
    let world = world(2_000_000, 0, true);
    let upload = world.upload(s3(5 * MIB), json!({ "concurrency": 1 }), &world.file("clip.mp4", 100 * MIB));
    let later = world.clone();
    // The connection stays open after the request has ended.
    world.after(4_000, move || later.nap(40 * 60_000, None));
    // Then one request hangs: the bandwidth measured so far sets its deadline.
    world.fault("store:UploadPart", 4, 1, Fault::StallAnswer);
    world.run();
    let result = world.stored(&upload);
    assert_eq!(result.attempts, result.parts + 1, "{upload:?}");
    assert!(world.elapsed() < 40 * 60_000 + 200_000, "{} ms", world.elapsed());
}

#[test]
fn a_call_that_waits_behind_requests_that_hang_is_not_counted() {
    // Two connections, each occupied by a form that hangs, as after the machine slept.
    let world = world(1_000_000, 4 * MIB, true);
    world.line(|line| line.connections = Some(2));
    world.fault("ofauth:single", 0, 2, Fault::StallInBody);
    let uploader = world.uploader(json!({}));
    let provider = json!({ "name": "ofauth", "baseUrl": "/api/ofauth", "skipExisting": false });
    let uploads = ["a.mp4", "b.mp4", "c.mp4"].map(|name| {
        world.run_for(1_000);
        uploader.upload(provider.clone(), &world.file(name, 100 * KIB))
    });
    world.run();
    uploads.iter().for_each(|upload| drop(world.stored(upload)));
    assert!(world.count("ofauth:init") > 3 + 8, "it is tried on for longer than it has attempts: {:?}", uploads[2]);
}
