//! Digests by workers, and by the page where there are none.

use std::rc::Rc;

use partway::error::Code;
use partway::model::events::Event;
use partway::platform::Hook;
use partway_simulation::{Fault, File, Handle, HashWorkers, World};
use serde_json::json;

use crate::dialects::{MIB, of};

/// An upload of a file in parts, each verified by its ETag.
fn verified(world: &World, file: &File) -> Handle {
    world.upload(crate::s3::with(json!({})), json!({ "integrity": "require", "concurrency": 2 }), file)
}

#[track_caller]
fn is_verified(world: &World, upload: &Handle) {
    assert!(world.stored(upload).verified, "{upload:?}");
}

#[test]
fn parts_are_hashed_by_workers_without_the_page_reading_them() {
    let world = World::new(1);
    let file = world.file("clip.mp4", 40 * MIB);
    // The page reads head and tail, at the beginning and at the end.
    file.hang_after(Some(4 + 5));
    let upload = verified(&world, &file);
    world.run();
    is_verified(&world, &upload);
    assert_eq!(world.hashed_windows(), 5);
}

#[test]
fn the_page_hashes_where_there_is_no_worker_or_not_any_more() {
    for (workers, windows) in [(HashWorkers::EndAfter(0), 0), (HashWorkers::EndAfter(2), 5)] {
        let world = World::new(1);
        world.hash_workers(workers);
        let file = world.file("clip.mp4", 40 * MIB);
        let upload = verified(&world, &file);
        world.run();
        is_verified(&world, &upload);
        assert_eq!(world.hashed_windows(), windows, "{workers:?}");
    }
}

#[test]
fn workers_that_hang_delay_an_upload_once() {
    let world = World::new(1);
    world.hash_workers(HashWorkers::HangAfter(2));
    let file = world.file("clip.mp4", 100 * MIB);
    let upload = verified(&world, &file);
    world.run();
    is_verified(&world, &upload);
    // Parts 3 and 4 are asked for at once, and their answers don't come within `stallMs`, counted from the last that made progress.
    assert!((30_000..70_000).contains(&world.elapsed()), "{}", world.elapsed());
    assert_eq!(world.log().warnings.len(), 1, "{:?}", world.log().warnings);
    let hashed = world.hashed_windows();
    let other = verified(&world, &world.file("other.mp4", 100 * MIB));
    world.run();
    is_verified(&world, &other);
    assert_eq!(world.hashed_windows(), hashed, "another upload of the page asks them again");
}

#[test]
fn a_worker_that_hangs_alone_is_reported_once() {
    let world = World::new(1);
    world.hash_workers(HashWorkers::HangAfter(2));
    let options = json!({ "integrity": "require", "concurrency": 1 });
    let upload = world.upload(crate::s3::with(json!({})), options, &world.file("clip.mp4", 40 * MIB));
    world.run();
    is_verified(&world, &upload);
    assert_eq!(world.log().warnings.len(), 1, "{:?}", world.log().warnings);
}

#[test]
fn a_worker_may_take_longer_than_a_stall() {
    let world = World::new(1);
    world.line(|line| line.bytes_per_ms = 1 << 40);
    let provider = crate::s3::with(json!({ "partSize": 5u64 << 30, "multipartThreshold": 5u64 << 30 }));
    let file = world.file("clip.mp4", 5 << 30);
    let options = json!({ "integrity": "require", "stallMs": 1_000 });
    let upload = world.upload(provider, options, &file);
    world.run();
    is_verified(&world, &upload);
    assert_eq!(world.hashed_windows(), 80);
    assert!(world.elapsed() > 5_000, "{}", world.elapsed());
}

#[test]
fn a_digest_is_not_waited_for_where_the_answer_has_nothing_to_compare() {
    let world = World::new(1);
    world.hooks().absent.insert(Hook::Complete);
    world.hash_workers(HashWorkers::HangAfter(0));
    world.fault("store:UploadPart", 0, None, Fault::HideEtag);
    let upload =
        world.upload(json!({ "name": "plan" }), json!({ "integrity": "auto" }), &world.file("a.mp4", 40 * MIB));
    world.run();
    assert_eq!(upload.code(), None, "{upload:?}");
    assert!(world.elapsed() < 30_000, "{} ms: the worker's deadline is half a minute", world.elapsed());
}

#[test]
fn a_file_that_hangs_is_no_fault_of_the_workers() {
    let world = World::new(1);
    // The bytes that are sent were read before.
    world.line(|line| line.bytes_per_ms = 1 << 40);
    let file = world.file("clip.mp4", 40 * MIB);
    let hung = file.clone();
    let upload = verified(&world, &file);
    upload.when(|event| matches!(event, Event::Part(_)), move |_| hung.hang_after(Some(0)));
    world.run();
    assert_eq!(upload.code(), Some(Code::FileUnreadable), "{upload:?}");
    let before = world.hashed_windows();
    let other = verified(&world, &world.file("other.mp4", 40 * MIB));
    world.run();
    is_verified(&world, &other);
    assert_eq!(world.hashed_windows(), before + 5, "the page hashes from now on");
}

#[test]
fn a_part_is_hashed_once_however_often_it_is_sent() {
    of(
        |dialect| dialect.complete.is_some(),
        |dialect| {
            for fault in [Fault::status(503), Fault::ResetAfter] {
                let world = World::new(1);
                world.fault(dialect.part, 0, 3, fault.clone());
                let options = json!({ "integrity": "require", "concurrency": 2 });
                let upload = world.upload(dialect.provider(), options, &world.file("clip.mp4", dialect.large));
                world.run();
                let result = world.stored(&upload);
                assert!(result.verified && result.attempts > result.parts, "{fault:?}: {result:?}");
                assert_eq!(world.hashed_windows(), u64::from(result.parts), "{fault:?}: {result:?}");
            }
        },
    );
}

#[test]
fn a_part_whose_answer_contradicts_its_digest_is_read_again() {
    let world = World::new(1);
    let other = Fault::Edit(Rc::new(|response| response.headers.insert("etag", &format!("\"{}\"", "0".repeat(32)))));
    // The first answer of the upload would be a store's whose ETags say nothing.
    world.fault("store:UploadPart", 1, 1, other);
    let options = json!({ "integrity": "require", "concurrency": 1 });
    let upload = world.upload(crate::s3::with(json!({})), options, &world.file("clip.mp4", 40 * MIB));
    world.run();
    let result = world.stored(&upload);
    assert_eq!(
        (result.attempts, world.hashed_windows()),
        (result.parts + 1, u64::from(result.parts) + 1),
        "{result:?}"
    );
}
