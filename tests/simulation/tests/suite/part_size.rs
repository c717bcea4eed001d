//! The part size where it is ours.

use partway_simulation::World;
use partway_simulation::servers::{STORE, STORE_TWO};
use partway_simulation::uploader::Beginning;
use serde_json::{Value, json};

use crate::dialects::MIB;

fn ours() -> Value {
    crate::s3::with(json!({ "partSize": null }))
}

/// The number of parts that a file goes in.
fn parts(world: &World, provider: Value, options: Value, size: u64) -> u32 {
    let upload = world.upload(provider, options, &world.file("clip.mp4", size));
    world.run();
    world.stored(&upload).parts
}

#[test]
fn each_slot_has_four_parts_at_least() {
    for (provider, options, expected) in [
        (ours(), json!({}), 24),
        (ours(), json!({ "concurrency": 3 }), 12),
        (crate::s3::with(json!({ "partSize": null, "endpoints": [STORE, STORE_TWO] })), json!({}), 48),
        (crate::s3::with(json!({ "partSize": 8 * MIB })), json!({}), 32),
    ] {
        assert_eq!(parts(&World::new(1), provider, options, 256 * MIB), expected);
    }
}

#[test]
fn parts_grow_with_the_rate_that_this_page_has_seen() {
    let world = World::new(1);
    world.line(|line| (line.bytes_per_ms, line.shared_bytes_per_ms, line.tells_each_ms) = (50_000, Some(100_000), 50));
    assert_eq!(parts(&world, ours(), json!({}), 2_048 * MIB), 90, "24 MiB as long as nothing is measured");
    assert_eq!(parts(&world, ours(), json!({}), 2_048 * MIB), 24);
    let slow = World::new(1);
    slow.line(|line| (line.shared_bytes_per_ms, line.tells_each_ms) = (Some(2_000), 250));
    assert_eq!(parts(&slow, ours(), json!({}), 600 * MIB), 30);
    assert_eq!(parts(&slow, ours(), json!({}), 600 * MIB), 120, "5 MiB, the least that S3 takes");
}

#[test]
fn an_upload_that_goes_on_keeps_its_part_size() {
    let world = World::new(1);
    world.line(|line| line.bytes_per_ms = 2_000);
    let (session, file) = (world.session(), world.file("clip.mp4", 600 * MIB));
    world.uploader(json!({})).begin(ours(), &file, Some(session), Beginning::New);
    world.run_for(30_000);
    world.crash(true);
    // The next page has seen another rate, and has other slots.
    world.line(|line| line.bytes_per_ms = 50_000);
    parts(&world, ours(), json!({}), 300 * MIB);
    let kept = world.kept(session).unwrap();
    let known = kept.parts.len() as u32;
    let options = json!({ "concurrency": 2 });
    let again = world.uploader(options).begin(ours(), &file, Some(session), Beginning::Kept(kept));
    world.run();
    let result = world.stored(&again);
    assert!(known > 3 && result.parts == 30 && result.attempts <= 30 - known, "{known}: {again:?}");
}

/// Each part costs a preflight and a round trip, in which its connection is idle.
#[test]
fn few_parts_are_faster_than_many_over_a_distant_line() {
    let ms = |part_size: Value| {
        let world = World::new(1);
        world.line(|line| (line.bytes_per_ms, line.latency) = (20_000, (50, 50)));
        parts(&world, crate::s3::with(json!({ "partSize": part_size })), json!({}), 256 * MIB);
        world.elapsed()
    };
    let (ours, small) = (ms(json!(null)), ms(json!(5 * MIB)));
    assert!(ours * 100 < small * 88, "{ours} {small}");
}
