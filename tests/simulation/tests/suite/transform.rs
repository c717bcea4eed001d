//! `transform`: what is sent in a file's place, what of it is saved, and when a later page goes on with it.

use partway::error::{Code, Step};
use partway::model::events::Status;
use partway_simulation::transform::{Output, Transform};
use partway_simulation::uploader::Beginning;
use partway_simulation::{Fault, File, Handle, HashWorkers, World};
use serde_json::{Value, json};

use crate::dialects::{Dialect, MIB, each, of};

fn world_with(output: Output) -> World {
    let world = World::new(1);
    world.transform(Some(Transform { output, ms: 200 }));
    world
}

fn begin(world: &World, provider: Value, file: &File) -> (Handle, u64) {
    let session = world.session();
    (world.uploader(json!({})).begin(provider, file, Some(session), Beginning::New), session)
}

/// Crashes once at least two parts are saved, and goes on in another page.
fn resume_midway(world: &World, dialect: &Dialect, file: &File) -> Handle {
    let (upload, session) = begin(world, dialect.provider(), file);
    while world.kept(session).is_none_or(|kept| kept.parts.len() < 2) {
        assert!(upload.result().is_none(), "it ended: {upload:?}");
        world.run_for(1);
    }
    world.crash(true);
    resume(world, dialect, file, session)
}

fn resume(world: &World, dialect: &Dialect, file: &File, session: u64) -> Handle {
    let kept = world.kept(session).expect("it was saved");
    world.uploader(json!({})).begin(dialect.provider(), file, Some(session), Beginning::Kept(kept))
}

#[test]
fn what_it_gives_is_sent_whatever_its_size() {
    each(|dialect| {
        for output in [Output::Same, Output::Growing, Output::Picked] {
            let world = world_with(output);
            let upload = world.upload(dialect.provider(), json!({}), &world.file("clip.mp4", dialect.large));
            world.run();
            let more = u64::from(output == Output::Growing);
            assert_eq!(world.stored(&upload).bytes, dialect.large + more, "{upload:?}");
            assert_eq!(world.transforms(), 1);
            let last = upload.progress().last().cloned().expect("progress");
            assert_eq!((last.sent, last.total), (dialect.large + more, dialect.large + more));
        }
    });
}

#[test]
fn the_picked_file_is_what_accept_judges_before_it_runs() {
    let world = world_with(Output::Growing);
    let accept = |most: u64| json!({ "accept": { "maxBytes": most } });
    let refused = world.upload(json!({ "name": "plan" }), accept(MIB - 1), &world.file("clip.mp4", MIB));
    let accepted = world.upload(json!({ "name": "plan" }), accept(MIB), &world.file("clip.mp4", MIB));
    world.run();
    assert_eq!((refused.code(), world.transforms()), (Some(Code::FileRejected), 1));
    assert_eq!(world.stored(&accepted).bytes, MIB + 1);
}

#[test]
fn an_empty_file_may_become_one_that_is_not() {
    let world = world_with(Output::Growing);
    let upload = world.upload(json!({ "name": "plan" }), json!({}), &world.file("clip.mp4", 0));
    world.run();
    assert_eq!(world.stored(&upload).bytes, 1);
}

#[test]
fn only_as_many_run_at_once_as_there_are_uploads_at_work() {
    let world = world_with(Output::Same);
    let uploader = world.uploader(json!({ "concurrency": 2 }));
    let uploads: Vec<Handle> =
        (0..6).map(|_| uploader.upload(json!({ "name": "plan" }), &world.file("clip.mp4", 9 * MIB))).collect();
    world.run_for(100);
    assert_eq!(uploads.iter().filter(|upload| upload.statuses() == [Status::Checking]).count(), 2);
    world.run();
    uploads.iter().for_each(|upload| _ = world.stored(upload));
}

#[test]
fn what_it_throws_ends_the_upload_and_is_not_asked_again() {
    let world = world_with(Output::Error);
    let (upload, session) = begin(&world, json!({ "name": "plan" }), &world.file("clip.mp4", MIB));
    world.run();
    let error = upload.error();
    assert_eq!((error.code, error.step, error.retryable), (Code::Application, Some(Step::Check), false));
    assert!(error.message.contains("`transform` failed: out of memory"), "{error}");
    assert!(world.kept(session).is_none() && world.log().records.is_empty(), "{upload:?}");
}

#[test]
fn an_upload_goes_on_where_the_parts_come_out_the_same() {
    of(
        |dialect| dialect.has_parts(),
        |dialect| {
            for (integrity, output) in
                [("auto", Output::Same), ("off", Output::Same), ("auto", Output::Picked), ("off", Output::Picked)]
            {
                let world = world_with(output);
                let file = world.file("clip.mp4", dialect.large);
                let upload = resume_midway(&world, dialect, &file);
                world.run();
                world.stored(&upload);
                assert_eq!(world.transforms(), 2, "{integrity}");
                let parts = world.sent(dialect.part);
                let again = parts.iter().filter(|one| one.upload == 1).count();
                assert!(again + 2 <= upload.done().parts as usize, "{output:?}: {upload:?}");
                assert_eq!(dialect.init.map(|init| world.count(init)), Some(1), "{integrity}: {upload:?}");
            }
        },
    );
}

#[test]
fn it_starts_again_where_they_do_not() {
    of(
        |dialect| dialect.has_parts(),
        |dialect| {
            for output in [Output::Fresh, Output::Growing] {
                let world = world_with(output);
                let file = world.file("clip.mp4", dialect.large);
                let upload = resume_midway(&world, dialect, &file);
                world.run();
                world.stored(&upload);
                assert_eq!(dialect.init.map(|init| world.count(init)), Some(2), "{output:?}: {upload:?}");
                let open = world.servers().store.open_uploads();
                assert!(dialect.name == "onlymonster" || open.is_empty(), "{output:?}: {open:?}");
            }
        },
    );
}

#[test]
fn it_starts_again_where_only_the_application_changed() {
    for (before, after) in [(None, Some(Output::Fresh)), (Some(Output::Same), None), (Some(Output::Growing), None)] {
        of(
            |dialect| dialect.has_parts(),
            |dialect| {
                let transform = |output| Some(Transform { output, ms: 200 });
                let world = World::new(1);
                world.transform(before.and_then(transform));
                let file = world.file("clip.mp4", dialect.large);
                let (_, session) = begin(&world, dialect.provider(), &file);
                while world.kept(session).is_none_or(|kept| kept.parts.len() < 2) {
                    world.run_for(1);
                }
                world.crash(true);
                world.transform(after.and_then(transform));
                let upload = resume(&world, dialect, &file, session);
                world.run();
                let pieces = world.pieces(&upload.done());
                match after {
                    Some(_) => _ = world.stored(&upload),
                    None => partway_simulation::check::proves(&file, &pieces),
                }
            },
        );
    }
}

#[test]
fn where_every_part_is_there_it_is_not_run_again() {
    of(
        |dialect| dialect.complete.is_some(),
        |dialect| {
            let world = world_with(Output::Growing);
            let file = world.file("clip.mp4", dialect.large);
            let (upload, session) = begin(&world, dialect.provider(), &file);
            while upload.statuses().last() != Some(&Status::Completing) {
                world.run_for(1);
            }
            world.run_for(5);
            assert_eq!(
                world.kept(session).and_then(|kept| kept.phase().map(String::from)).as_deref(),
                Some("completing")
            );
            world.crash(true);
            let upload = resume(&world, dialect, &file, session);
            world.run();
            assert_eq!(world.stored(&upload).bytes, dialect.large + 1);
            assert_eq!(world.transforms(), 1, "{upload:?}");
            assert_eq!(upload.progress().last().map(|progress| progress.total), Some(dialect.large + 1));
        },
    );
}

#[test]
fn a_failure_in_a_later_page_leaves_the_session() {
    let world = world_with(Output::Same);
    let file = world.file("clip.mp4", 42 * MIB);
    let provider = json!({ "name": "plan" });
    let (_, session) = begin(&world, provider.clone(), &file);
    while world.kept(session).is_none_or(|kept| kept.parts.len() < 2) {
        world.run_for(1);
    }
    world.crash(true);
    world.transform(Some(Transform { output: Output::Error, ms: 200 }));
    let kept = world.kept(session).expect("it was saved");
    let failed = world.uploader(json!({})).begin(provider.clone(), &file, Some(session), Beginning::Kept(kept.clone()));
    world.run();
    assert_eq!(failed.code(), Some(Code::Application));
    assert_eq!(world.count("plan:abort"), 0);
    world.transform(Some(Transform { output: Output::Same, ms: 200 }));
    let kept = world.kept(session).expect("it stays");
    let upload = world.uploader(json!({})).begin(provider, &file, Some(session), Beginning::Kept(kept));
    world.run();
    world.stored(&upload);
    assert_eq!(world.count("plan:open"), 1);
}

#[test]
fn parts_are_hashed_without_workers_too() {
    of(
        |dialect| dialect.has_parts(),
        |dialect| {
            let world = world_with(Output::Same);
            world.hash_workers(HashWorkers::EndAfter(0));
            let file = world.file("clip.mp4", dialect.large);
            let upload = resume_midway(&world, dialect, &file);
            world.run();
            world.stored(&upload);
            assert_eq!(dialect.init.map(|init| world.count(init)), Some(1), "{upload:?}");
        },
    );
}

#[test]
fn a_session_that_cannot_be_aborted_does_not_hold_up_the_one_that_replaces_it() {
    for (name, abort) in [("plan", "plan:abort"), ("s3", "store:AbortMultipartUpload")] {
        of(
            |dialect| dialect.name == name,
            |dialect| {
                let world = world_with(Output::Growing);
                world.fault(abort, 0, None, Fault::StallAnswer);
                let file = world.file("clip.mp4", dialect.large);
                let upload = resume_midway(&world, dialect, &file);
                world.run();
                world.stored(&upload);
                let opened = world.sent(dialect.init.unwrap()).pop().unwrap().sent_at;
                let parts = world.sent(dialect.part);
                let first = parts.iter().find(|part| part.upload == 1).unwrap().sent_at;
                assert!(world.count(abort) > 0 && first - opened < 2_000, "{upload:?}");
            },
        );
    }
}
