//! A small file: read once at most, beside the sending or before it; its session is saved only where a later page needs it.

use partway::error::Code;
use partway::model::events::{Event, Status};
use partway::model::file::SMALL;
use partway::platform::Hook;
use partway_models::store::Checksums;
use partway_simulation::uploader::Beginning;
use partway_simulation::{Fault, File, Handle, World};
use serde_json::{Value, json};

use crate::dialects::{each, of};

fn plan() -> Value {
    json!({ "name": "plan" })
}

/// A plan's application without the functions that aren't needed for one PUT.
fn opens_alone(world: &World) {
    world.hooks().absent = [Hook::SignParts, Hook::ListParts, Hook::Complete, Hook::Abort].into();
}

/// One upload whose session may be saved.
fn begin(world: &World, provider: Value, file: &File) -> (Handle, u64) {
    let session = world.session();
    let options = json!({ "integrity": "auto" });
    (world.uploader(options).begin(provider, file, Some(session), Beginning::New), session)
}

#[test]
fn it_is_read_once_and_verified() {
    each(|dialect| {
        for size in [1, 1_000, SMALL] {
            let world = World::new(1);
            let file = world.file("clip.mp4", size);
            let upload = world.upload(dialect.provider(), json!({ "integrity": "auto" }), &file);
            world.run();
            let tells = matches!(dialect.name, "s3" | "plan" | "onlymonster");
            assert_eq!(upload.done().verified, tells, "{upload:?}");
            assert_eq!(file.reads(), 1, "{upload:?}");
        }
    });
}

#[test]
fn a_larger_one_is_not_read_again_once_its_only_part_is_verified() {
    for (integrity, reads) in [("auto", 3), ("off", 4)] {
        let world = World::new(1);
        let file = world.file("clip.mp4", SMALL + 1);
        let upload = world.upload(crate::s3::with(json!({})), json!({ "integrity": integrity }), &file);
        world.run();
        assert_eq!(upload.done().parts, 1);
        // Head and tail before, the part for its MD5 or head and tail again after.
        assert_eq!(file.reads(), reads, "{integrity}");
    }
}

#[test]
fn one_whose_request_may_be_repeated_is_read_while_it_is_sent() {
    for (integrity, reads) in [("auto", 1), ("off", 0)] {
        for provider in [plan(), crate::s3::with(json!({}))] {
            let world = World::new(1);
            opens_alone(&world);
            let file = world.file("clip.mp4", SMALL);
            let upload = world.upload(provider, json!({ "integrity": integrity }), &file);
            while world.count("store:PutObject") == 0 {
                assert_eq!(file.reads(), 0, "before it is sent: {upload:?}");
                world.run_for(1);
            }
            world.run();
            world.stored(&upload);
            assert_eq!((file.reads(), upload.done().verified), (reads, reads > 0), "{integrity} {upload:?}");
        }
    }
}

#[test]
fn one_whose_checksum_goes_along_is_read_before_it_is_sent() {
    let world = World::new(1);
    world.servers().store.config.checksums = Checksums::All;
    let file = world.file("clip.mp4", SMALL);
    let provider = crate::s3::with(json!({ "checksum": "sha256" }));
    let upload = world.upload(provider, json!({ "integrity": "off" }), &file);
    world.run();
    world.stored(&upload);
    assert_eq!(file.reads(), 1, "{upload:?}");
}

#[test]
fn the_parts_of_one_are_of_one_version() {
    let world = World::new(1);
    (world.servers().backend.part_size, world.servers().backend.single_below) = (SMALL / 2, 0);
    world.servers().store.config.min_part_size = 1;
    let file = world.file("clip.mp4", SMALL);
    let upload = world.upload(plan(), json!({ "integrity": "auto" }), &file);
    let changed = file.clone();
    upload.when(|event| matches!(event, Event::Status(Status::Sending)), move |_| changed.spoil());
    world.run();
    assert_eq!((world.stored(&upload).parts, file.reads()), (2, 1), "{upload:?}");
}

#[test]
fn one_that_is_gone_before_its_request_fails_as_changed() {
    for provider in [plan(), crate::s3::with(json!({}))] {
        let world = World::new(1);
        opens_alone(&world);
        let file = world.file("clip.mp4", SMALL);
        file.spoil();
        let upload = world.upload(provider, json!({ "integrity": "auto" }), &file);
        world.run();
        assert_eq!(upload.code(), Some(Code::FileChanged), "{upload:?}");
    }
}

#[test]
fn what_becomes_of_the_file_does_not_reach_a_request_that_must_not_be_repeated() {
    of(
        |dialect| !dialect.is_form && !matches!(dialect.name, "s3" | "plan"),
        |dialect| {
            let world = World::new(1);
            world.fault(dialect.single, 0, 2, Fault::status(503));
            let file = world.file("clip.mp4", SMALL);
            let upload = world.upload(dialect.provider(), json!({ "integrity": "auto" }), &file);
            upload.when_status(Status::Opening, move |_| file.spoil());
            world.run();
            assert_eq!(upload.done().parts, 1, "{upload:?}");
            world.stored(&upload);
        },
    );
}

#[test]
fn nothing_is_saved_of_a_request_that_a_later_page_may_repeat() {
    for provider in [plan(), crate::s3::with(json!({}))] {
        let world = World::new(1);
        opens_alone(&world);
        let (upload, _) = begin(&world, provider, &world.file("clip.mp4", SMALL));
        world.run();
        world.stored(&upload);
        assert_eq!(world.writes(), 0, "{upload:?}");
    }
}

#[test]
fn a_step_that_must_not_be_repeated_is_saved() {
    let conditional = crate::s3::with(json!({ "ifNoneMatch": true }));
    for (provider, phase) in [(plan(), "completing"), (conditional, "sending")] {
        let world = World::new(1);
        let (upload, session) = begin(&world, provider.clone(), &world.file("clip.mp4", SMALL));
        while world.kept(session).is_none() {
            assert!(upload.result().is_none(), "it ended unsaved: {upload:?}");
            world.run_for(1);
        }
        assert_eq!(world.kept(session).unwrap().phase(), Some(phase));
        assert_eq!(world.effects("store:PutObject"), u32::from(phase == "completing"), "{upload:?}");
        world.run();
        world.stored(&upload);
        assert!(world.kept(session).is_none(), "{upload:?}");
    }
    of(
        |dialect| !matches!(dialect.name, "plan" | "s3"),
        |dialect| {
            let world = World::new(1);
            let (_, session) = begin(&world, dialect.provider(), &world.file("clip.mp4", SMALL));
            while world.count(dialect.single) == 0 {
                world.run_for(1);
            }
            assert!(world.kept(session).is_some(), "its form or its part counts once");
            world.run();
        },
    );
}

#[test]
fn an_upload_that_fails_or_is_paused_is_saved_after_all() {
    for pauses in [false, true] {
        let world = World::new(1);
        opens_alone(&world);
        let file = world.file("clip.mp4", SMALL);
        if !pauses {
            world.fault("store:PutObject", 0, None, Fault::status(503));
        }
        let (upload, session) = begin(&world, plan(), &file);
        if pauses {
            upload.when(|event| matches!(event, Event::Status(Status::Sending)), Handle::pause);
        }
        while world.kept(session).is_none() {
            assert!(upload.result().is_none(), "it ended unsaved: {upload:?}");
            world.run_for(1);
        }
        world.crash(true);
        world.mend();
        let kept = world.kept(session).expect("it was saved");
        let next =
            world.uploader(json!({ "integrity": "auto" })).begin(plan(), &file, Some(session), Beginning::Kept(kept));
        world.run();
        world.stored(&next);
        assert_eq!(world.count("plan:open"), 1, "the next page goes on with the plan: {next:?}");
    }
}

#[test]
fn one_that_fails_again_and_again_is_saved_once() {
    let world = World::new(1);
    world.fault("store:PutObject", 0, 3, Fault::status(503));
    let (upload, _) = begin(&world, crate::s3::with(json!({})), &world.file("clip.mp4", SMALL));
    world.run();
    assert_eq!(world.stored(&upload).attempts, 4);
    assert_eq!(world.writes(), 2, "its record, and the removal");
}

#[test]
fn one_that_starts_again_is_saved_before_it_is_sent_again() {
    let world = World::new(1);
    opens_alone(&world);
    world.fault("store:PutObject", 0, 1, Fault::status(404));
    let (upload, session) = begin(&world, plan(), &world.file("clip.mp4", SMALL));
    while world.count("store:PutObject") < 2 {
        world.run_for(1);
    }
    let kept = world.kept(session).and_then(|kept| kept.record).expect("it was saved");
    assert_eq!(kept["key"], "plans/2-clip.mp4", "the plan that the object will be of: {upload:?}");
    world.run();
    world.stored(&upload);
    assert!(world.kept(session).is_none(), "{upload:?}");
}

#[test]
fn one_that_goes_in_parts_is_saved() {
    let world = World::new(1);
    let (provider, file) = (crate::s3::with(json!({ "multipartThreshold": 0 })), world.file("clip.mp4", SMALL));
    let (_, session) = begin(&world, provider.clone(), &file);
    while world.count("store:UploadPart") == 0 {
        world.run_for(1);
    }
    world.crash(true);
    let kept = world.kept(session).expect("it was saved before its only part was sent");
    let uploader = world.uploader(json!({ "integrity": "auto" }));
    let next = uploader.begin(provider, &file, Some(session), Beginning::Kept(kept));
    world.run();
    world.stored(&next);
    assert_eq!(world.count("store:CreateMultipartUpload"), 1);
    assert_eq!(world.servers().store.open_uploads(), []);
}

#[test]
fn one_that_fails_for_good_can_be_continued() {
    let world = World::new(1);
    opens_alone(&world);
    world.fault("store:PutObject", 0, None, Fault::status(403));
    let (upload, session) = begin(&world, plan(), &world.file("clip.mp4", SMALL));
    world.run();
    assert_eq!(upload.code(), Some(Code::Forbidden));
    assert!(world.kept(session).is_some());
}
