//! How an uploader shares the line with others, and its turns among its uploads.

use partway::model::events::Status;
use partway_simulation::{Handle, World};
use serde_json::{Value, json};

use crate::dialects::{MIB, each};

fn s3(key: &str) -> Value {
    crate::s3::with(json!({ "key": key, "partSize": 5 * MIB }))
}

/// When bodies of files began to be sent, and how many bytes they have.
fn bodies(world: &World) -> Vec<(u64, u64)> {
    let log = world.log();
    let bodies = log.records.iter().filter_map(|record| Some((record.sent_at, record.range?.len())));
    bodies.filter(|(_, len)| *len > 0).collect()
}

/// The most bytes that began within so many milliseconds.
fn most_within(bodies: &[(u64, u64)], span_ms: u64) -> u64 {
    let within =
        |from: u64| bodies.iter().filter(|(at, _)| (from..from + span_ms).contains(at)).map(|(_, len)| len).sum();
    bodies.iter().map(|(at, _)| within(*at)).max().unwrap_or(0)
}

#[test]
fn a_rate_is_kept_over_all_uploads() {
    each(|dialect| {
        let world = World::new(1);
        let rate = 2 * MIB;
        let uploader = world.uploader(json!({ "maxRate": rate }));
        let uploads: Vec<Handle> = (0..3)
            .map(|index| {
                uploader.upload(dialect.provider_for(&index.to_string()), &world.file("clip.mp4", dialect.large))
            })
            .collect();
        world.run();
        uploads.iter().for_each(|upload| drop(upload.done()));
        let bodies = bodies(&world);
        let largest = bodies.iter().map(|(_, len)| *len).max().unwrap();
        // The longer of five seconds and one part's time, with what timers may be late by.
        let span_ms = (largest * 1000 / rate).max(5_000);
        let most = most_within(&bodies, span_ms);
        assert!(most <= rate * (span_ms + 100) / 1000 + largest, "{most} of {bodies:?}");
        let sum: u64 = bodies.iter().map(|(_, len)| len).sum();
        let last = bodies.last().unwrap();
        let took_ms = last.0 - bodies[0].0 + last.1 * 1000 / rate;
        assert!(sum * 1000 / took_ms <= rate * 102 / 100, "{sum} bytes in {took_ms} ms");
        assert!(sum * 1000 / took_ms >= rate * 9 / 10, "it is used: {sum} bytes in {took_ms} ms");
    });
}

#[test]
fn small_files_keep_the_rate_too() {
    let world = World::new(1);
    let rate = MIB;
    let uploader = world.uploader(json!({ "maxRate": rate }));
    for index in 0..200 {
        uploader.upload(s3(&index.to_string()), &world.file("clip.mp4", MIB / 16));
    }
    world.run();
    let bodies = bodies(&world);
    assert_eq!(bodies.len(), 200);
    assert!(most_within(&bodies, 5_000) <= rate * 51 / 10 + MIB / 16, "{bodies:?}");
    assert!(bodies[199].0 - bodies[0].0 < 13_500, "12.5 seconds at that rate");
}

#[test]
fn parts_that_are_sent_again_count() {
    let world = World::new(1);
    world.fault("store:UploadPart", 1, 3, partway_simulation::Fault::ResetInBody);
    let upload = world.upload(s3("a"), json!({ "maxRate": MIB }), &world.file("clip.mp4", 20 * MIB));
    world.run();
    upload.done();
    let bodies = bodies(&world);
    assert_eq!(bodies.len(), 7);
    // A timer may be late by so much.
    assert!(most_within(&bodies, 4_900) <= 5 * MIB, "{bodies:?}");
}

/// The names of files, in the order in which their first bytes were sent.
fn order(world: &World) -> Vec<usize> {
    let mut uploads = Vec::new();
    for record in world.log().records.iter().filter(|record| record.range.is_some()) {
        if !uploads.contains(&record.upload) {
            uploads.push(record.upload);
        }
    }
    uploads
}

#[test]
fn the_highest_priority_is_the_next_that_a_rate_lets_start() {
    let world = World::new(1);
    let uploader = world.uploader(json!({ "maxRate": MIB }));
    for (index, priority) in [0.0, 0.0, 5.0, -1.0, 0.5].into_iter().enumerate() {
        uploader.upload_ranked(s3(&index.to_string()), &world.file("clip.mp4", MIB), priority);
    }
    world.run();
    // All have a slot at once; the first starts, and the second is the next before the others ask.
    assert_eq!(order(&world), [0, 1, 2, 4, 3]);
}

#[test]
fn the_highest_priority_goes_first() {
    let world = World::new(1);
    let uploader = world.uploader(json!({ "concurrency": 1 }));
    for (index, priority) in [0.0, 0.0, -1.0, 5.0, 5.0, 0.5].into_iter().enumerate() {
        uploader.upload_ranked(s3(&index.to_string()), &world.file("clip.mp4", MIB), priority);
    }
    world.run();
    // The first had begun.
    assert_eq!(order(&world), [0, 3, 4, 5, 1, 2]);
}

#[test]
fn what_is_moved_to_the_front_goes_before_any_priority() {
    let world = World::new(1);
    let uploader = world.uploader(json!({ "concurrency": 1 }));
    let uploads: Vec<Handle> = [0.0, 9.0, 0.0, -3.0]
        .into_iter()
        .enumerate()
        .map(|(index, priority)| uploader.upload_ranked(s3(&index.to_string()), &world.file("clip.mp4", MIB), priority))
        .collect();
    let (first, last) = (uploads[2].clone(), uploads[3].clone());
    uploads[0].when_status(Status::Sending, move |_| {
        first.prioritize();
        last.prioritize();
    });
    world.run();
    assert_eq!(order(&world), [0, 3, 2, 1]);
}

#[test]
fn parts_of_the_highest_priority_get_the_next_slots() {
    let world = World::new(1);
    let uploader = world.uploader(json!({ "concurrency": 2 }));
    for (index, priority) in [0.0, 1.0].into_iter().enumerate() {
        uploader.upload_ranked(s3(&index.to_string()), &world.file("clip.mp4", 40 * MIB), priority);
    }
    world.run();
    let log = world.log();
    let parts: Vec<usize> =
        log.records.iter().filter(|record| record.range.is_some()).map(|record| record.upload).collect();
    let last = |upload| parts.iter().rposition(|part| *part == upload).unwrap();
    assert!(last(1) < 12, "{parts:?}");
    assert_eq!(last(0), parts.len() - 1);
}
