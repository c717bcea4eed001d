//! Files whose reads hang: a cloud drive that hasn't downloaded them, a network share that doesn't answer.

use std::cell::Cell;
use std::rc::Rc;

use partway::error::{Code, Step};
use partway::model::events::{Event, Status};
use partway_simulation::uploader::Beginning;
use partway_simulation::{Fault, File, Handle, HashWorkers, World};
use serde_json::json;

use crate::dialects::{MIB, each, of};

#[track_caller]
fn unreadable(upload: &Handle, step: Step) {
    let error = upload.error();
    assert_eq!((error.code, error.step, error.retryable), (Code::FileUnreadable, Some(step), true), "{upload:?}");
    let hint = error.hint.clone().unwrap_or_default();
    assert!(hint.contains("cloud drive") && hint.contains("network share") && hint.contains("copy it"), "{hint}");
    assert!(error.message.contains("30 seconds"), "{}", error.message);
}

#[test]
fn a_file_that_cannot_be_read_fails_before_anything_is_opened() {
    each(|dialect| {
        // The reads of the file's head and tail.
        for reads in [0, 1] {
            let world = World::new(1);
            let file = world.file("clip.mp4", dialect.large);
            file.hang_after(Some(reads));
            let upload = world.upload(dialect.provider(), json!({}), &file);
            world.run();
            unreadable(&upload, Step::Check);
            assert!(world.log().records.is_empty() && world.elapsed() < 40_000, "{upload:?}");
        }
    });
}

#[test]
fn a_read_is_waited_for_beyond_the_sleep_of_the_machine() {
    const HOUR: u64 = 3_600_000;
    // One that is copied whole, and one whose head and tail are read.
    for size in [MIB / 8, 30 * MIB] {
        let world = Rc::new(World::new(1));
        let file = world.file("clip.mp4", size);
        file.hang_after(Some(0));
        let upload = world.upload(crate::s3::with(json!({})), json!({}), &file);
        let later = world.clone();
        world.after(10_000, move || later.nap(HOUR, None));
        world.after(HOUR + 20_000, move || file.hang_after(None));
        world.run();
        world.stored(&upload);
    }
}

#[test]
fn the_check_for_an_existing_file_may_hang_while_reading() {
    let world = World::new(1);
    let file = world.file("clip.mp4", 4 * MIB);
    file.hang_after(Some(2));
    let provider = json!({ "name": "ofauth", "baseUrl": "/api/ofauth" });
    let upload = world.upload(provider, json!({ "integrity": "auto" }), &file);
    world.run();
    unreadable(&upload, Step::Check);
}

#[test]
fn a_file_that_hangs_while_it_is_sent_was_not_changed() {
    each(|dialect| {
        for reports in [true, false] {
            let world = World::new(1);
            world.line(|line| line.reports = reports);
            let file = world.file("clip.mp4", dialect.large);
            let upload = world.upload(dialect.provider(), json!({}), &file);
            upload.when(
                |event| matches!(event, Event::Progress(progress) if progress.parts_in_flight > 0),
                move |_| file.hang_after(Some(0)),
            );
            world.run();
            unreadable(&upload, Step::Part);
        }
    });
}

#[test]
fn a_file_that_hangs_while_it_is_hashed_was_not_changed() {
    of(
        |dialect| matches!(dialect.name, "s3" | "plan" | "onlymonster"),
        |dialect| {
            for integrity in ["auto", "require"] {
                let world = World::new(1);
                world.hash_workers(HashWorkers::EndAfter(0));
                let file = world.file("clip.mp4", dialect.large);
                // The two reads that tell whether the file is unchanged, and some windows.
                file.hang_after(Some(6));
                // The bytes that are sent were read before.
                world.line(|line| line.bytes_per_ms = 1 << 40);
                let upload = world.upload(dialect.provider(), json!({ "integrity": integrity }), &file);
                world.run();
                unreadable(&upload, Step::Part);
            }
        },
    );
}

#[test]
fn a_last_read_that_hangs_keeps_the_session() {
    for provider in [crate::s3::with(json!({})), json!({ "name": "plan" })] {
        let world = World::new(1);
        let (session, file) = (world.session(), world.file("clip.mp4", 30 * MIB));
        let upload = world.uploader(json!({})).begin(provider.clone(), &file, Some(session), Beginning::New);
        let hung = file.clone();
        let left = Cell::new(30 * MIB);
        let is_last = move |event: &Event<_>| {
            let Event::Part(part) = event else { return false };
            left.set(left.get() - part.range.len());
            left.get() == 0
        };
        upload.when(is_last, move |_| hung.hang_after(Some(0)));
        world.run();
        unreadable(&upload, Step::Part);
        assert!(!upload.statuses().contains(&Status::Completing));
        let sent = world.count("store:UploadPart");
        assert!(sent > 0);
        // The drive delivers in the end: nothing is sent again.
        file.hang_after(None);
        let kept = world.kept(session).expect("the session stays");
        let again = world.uploader(json!({})).begin(provider, &file, Some(session), Beginning::Kept(kept));
        world.run();
        world.stored(&again);
        assert_eq!(world.count("store:UploadPart"), sent, "{again:?}");
    }
}

#[test]
fn a_read_that_fails_is_still_a_file_that_changed() {
    let world = World::new(1);
    let file = world.file("clip.mp4", 30 * MIB);
    world.fault("store:UploadPart", 0, 1, Fault::ResetInBody);
    let upload = world.upload(crate::s3::with(json!({})), json!({}), &file);
    upload.when_status(Status::Sending, move |_| file.spoil());
    world.run();
    assert_eq!(upload.code(), Some(Code::FileChanged), "{upload:?}");
}

#[test]
fn a_session_outlives_a_file_that_hangs_when_it_is_picked_again() {
    let world = World::new(1);
    let provider = crate::s3::with(json!({}));
    let (session, file) = (world.session(), world.file("clip.mp4", 100 * MIB));
    let _first = world.uploader(json!({})).begin(provider.clone(), &file, Some(session), Beginning::New);
    while world.effects("store:UploadPart") < 4 {
        world.run_for(10);
    }
    world.crash(true);
    file.hang_after(Some(0));
    let kept = world.kept(session).expect("a session");
    let hung = world.uploader(json!({})).begin(provider.clone(), &file, Some(session), Beginning::Kept(kept));
    world.run();
    unreadable(&hung, Step::Check);
    assert_eq!(world.count("store:AbortMultipartUpload"), 0);
    file.hang_after(None);
    let kept = world.kept(session).expect("the session stays");
    let again = world.uploader(json!({})).begin(provider, &file, Some(session), Beginning::Kept(kept));
    world.run();
    world.stored(&again);
    assert_eq!(world.count("store:CreateMultipartUpload"), 1);
}

/// Uploads until a call has taken effect; then the page closes, and what it knew of the parts is lost.
fn forgets_its_parts(world: &World, provider: &serde_json::Value, file: &File, route: &str) -> u64 {
    let session = world.session();
    let options = json!({ "integrity": "auto", "concurrency": 2 });
    let _first = world.uploader(options).begin(provider.clone(), file, Some(session), Beginning::New);
    while world.effects(route) == 0 {
        world.run_for(1);
    }
    world.crash(true);
    world.change_kept(session, |kept| kept.parts.clear());
    session
}

#[test]
fn parts_that_are_known_only_by_their_bytes_are_kept_where_reads_hang() {
    for (provider, route) in [
        (crate::s3::with(json!({})), "store:UploadPart"),
        (crate::s3::with(json!({})), "store:CompleteMultipartUpload"),
        (json!({ "name": "plan" }), "store:UploadPart"),
    ] {
        let world = World::new(1);
        let file = world.file("clip.mp4", 40 * MIB);
        let session = forgets_its_parts(&world, &provider, &file, route);
        let goes_on = || {
            let kept = world.kept(session).expect("a session");
            let uploader = world.uploader(json!({ "integrity": "auto" }));
            let upload = uploader.begin(provider.clone(), &file, Some(session), Beginning::Kept(kept));
            world.run();
            upload
        };
        // The reads of head and tail succeed, and all others hang.
        file.hang_after(Some(2));
        unreadable(&goes_on(), Step::Check);
        assert_eq!(world.count("store:AbortMultipartUpload") + world.count("plan:abort"), 0, "{route}");
        file.hang_after(None);
        world.stored(&goes_on());
        let opened = world.effects("store:CreateMultipartUpload") + world.effects("plan:open");
        assert_eq!(opened, 1, "{route}: it restarted");
    }
}
