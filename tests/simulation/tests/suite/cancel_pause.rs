//! Pause, resume and cancel, at every stage of every provider.

use std::cell::Cell;
use std::rc::Rc;

use partway::error::Code;
use partway::model::events::{Event, Status};
use partway_simulation::{Fault, Handle, World};
use serde_json::json;

use crate::dialects::{Dialect, MIB, each, of};

const STAGES: [Status; 5] =
    [Status::Checking, Status::Opening, Status::Sending, Status::Completing, Status::Processing];

/// The time limit for telling the destination (`ABORT_MS` in the engine).
const ABORT_MS: u64 = 10_000;

fn begins(dialect: &Dialect, size: u64) -> (World, Handle) {
    let world = World::new(size);
    let upload = world.upload(dialect.provider(), json!({ "concurrency": 2 }), &world.file("clip.mp4", size));
    (world, upload)
}

/// The stages that a provider has.
fn stages(dialect: &Dialect) -> impl Iterator<Item = Status> {
    let processes = dialect.status.is_some();
    STAGES.into_iter().filter(move |stage| processes || *stage != Status::Processing)
}

/// Checks what a cancelled upload leaves behind: nothing that is billed, and no request after its end.
#[track_caller]
fn leaves_nothing(world: &World, dialect: &Dialect, upload: &Handle) {
    assert_eq!(upload.code(), Some(Code::Cancelled), "{upload:?}");
    assert_eq!(upload.statuses().last(), Some(&Status::Cancelled));
    let end = upload.events().last().map(|(at, _)| *at).unwrap_or_default();
    assert!(world.log().records.iter().all(|record| record.sent_at <= end), "requests after the end: {upload:?}");
    if matches!(dialect.name, "s3" | "plan") {
        assert_eq!(world.servers().store.open_uploads(), [], "{upload:?}");
    }
}

#[test]
fn cancelled_at_the_start_of_each_stage() {
    each(|dialect| {
        for stage in stages(dialect) {
            for size in [MIB, dialect.large] {
                let (world, upload) = begins(dialect, size);
                upload.when_status(stage, Handle::cancel);
                world.run();
                // A single PUT that completes the upload is over before the cancel.
                if matches!(dialect.name, "ofauth" | "s3") && size == MIB && stage == Status::Completing {
                    world.stored(&upload);
                    continue;
                }
                leaves_nothing(&world, dialect, &upload);
            }
        }
    });
}

#[test]
fn cancelled_some_time_later_in_each_stage() {
    each(|dialect| {
        for stage in stages(dialect) {
            for delay in [1, 30, 90, 700] {
                let (world, upload) = begins(dialect, dialect.large);
                let world = Rc::new(world);
                let later = world.clone();
                // What had come to its end by then stays as it is.
                let live = Rc::new(Cell::new(None));
                let seen = live.clone();
                upload.when_status(stage, move |upload| {
                    let upload = upload.clone();
                    later.after(delay, move || {
                        seen.set(Some(upload.result().is_none()));
                        upload.cancel();
                    });
                });
                world.run();
                if live.get().expect("the stage was reached") {
                    leaves_nothing(&world, dialect, &upload);
                } else {
                    world.stored(&upload);
                }
            }
        }
    });
}

#[test]
fn cancelled_while_it_waits_for_its_turn() {
    each(|dialect| {
        let world = World::new(1);
        let uploader = world.uploader(json!({ "concurrency": 1 }));
        let first = uploader.upload(dialect.provider_for("first"), &world.file("clip.mp4", dialect.large));
        let second = uploader.upload(dialect.provider_for("second"), &world.file("clip.mp4", MIB));
        let victim = second.clone();
        first.when_status(Status::Sending, move |_| victim.cancel());
        world.run();
        world.stored(&first);
        assert_eq!(second.code(), Some(Code::Cancelled));
        assert!(world.log().records.iter().all(|record| record.upload == 0), "{second:?}");
    });
}

#[test]
fn cancelled_while_the_server_is_away_it_still_ends() {
    each(|dialect| {
        let (world, upload) = begins(dialect, dialect.large);
        let world = Rc::new(world);
        for route in ["store:Abort*", "plan:abort"] {
            world.fault(route, 0, None, Fault::StallAnswer);
        }
        let cancelled_at = Rc::new(Cell::new(0));
        let (clock, at) = (world.clone(), cancelled_at.clone());
        upload.when(
            |event| matches!(event, Event::Part(_)),
            move |upload| {
                at.set(clock.elapsed());
                upload.cancel();
            },
        );
        world.run();
        assert_eq!(upload.code(), Some(Code::Cancelled), "{upload:?}");
        // If there is a server to tell, the upload waits for it for ABORT_MS, and not longer.
        let waits = matches!(dialect.name, "s3" | "plan");
        let ended_at = upload.events().last().expect("an end").0 - world.beginning();
        assert_eq!(ended_at - cancelled_at.get(), if waits { ABORT_MS } else { 0 }, "{upload:?}");
        assert_eq!(world.count("store:AbortMultipartUpload") + world.count("plan:abort"), usize::from(waits));
    });
}

#[test]
fn cancelled_while_paused() {
    each(|dialect| {
        let (world, upload) = begins(dialect, dialect.large);
        let world = Rc::new(world);
        let later = world.clone();
        upload.when(
            |event| matches!(event, Event::Progress(progress) if progress.parts_in_flight > 0),
            move |upload| {
                upload.pause();
                let upload = upload.clone();
                later.after(5_000, move || upload.cancel());
            },
        );
        world.run();
        leaves_nothing(&world, dialect, &upload);
    });
}

#[test]
fn paused_and_resumed_at_each_stage() {
    const PAUSE_MS: u64 = 90_000;
    each(|dialect| {
        for stage in stages(dialect) {
            let (world, upload) = begins(dialect, dialect.large);
            let world = Rc::new(world);
            let later = world.clone();
            upload.when_status(stage, move |upload| {
                upload.pause();
                let upload = upload.clone();
                later.after(PAUSE_MS, move || upload.resume());
            });
            world.run();
            world.stored(&upload);
            assert!(world.elapsed() >= PAUSE_MS);
            let statuses = upload.statuses();
            assert!(statuses.contains(&Status::Paused), "{stage:?}: {statuses:?}");
        }
    });
}

#[test]
fn a_pause_aborts_what_is_in_flight_and_loses_nothing_else() {
    of(Dialect::has_parts, |dialect| {
        let (world, upload) = begins(dialect, dialect.large);
        let world = Rc::new(world);
        let later = world.clone();
        upload.when(
            |event| matches!(event, Event::Progress(progress) if progress.parts_done == 2),
            move |upload| {
                upload.pause();
                let (upload, look) = (upload.clone(), later.clone());
                // Nothing is sent while it is paused, whatever the network does.
                later.after(10, move || assert_eq!(look.log().running(), 0, "{upload:?}"));
            },
        );
        world.run_for(600_000);
        let before = world.count(dialect.part);
        assert_eq!(upload.statuses().last(), Some(&Status::Paused));
        upload.resume();
        world.run();
        let result = world.stored(&upload);
        let again = world.count(dialect.part) - before;
        assert_eq!(again as u32, result.parts - 2, "only what hadn't arrived is sent: {upload:?}");
        assert!(result.attempts <= result.parts + 2);
    });
}

#[test]
fn a_paused_upload_gives_its_place_to_others() {
    each(|dialect| {
        let world = World::new(1);
        let uploader = world.uploader(json!({ "concurrency": 1 }));
        let first = uploader.upload(dialect.provider_for("first"), &world.file("clip.mp4", dialect.large));
        let second = uploader.upload(dialect.provider_for("second"), &world.file("clip.mp4", MIB));
        first.when_status(Status::Sending, Handle::pause);
        world.run_for(600_000);
        world.stored(&second);
        assert!(first.result().is_none());
        first.resume();
        world.run();
        world.stored(&first);
    });
}

#[test]
fn paused_before_it_begins() {
    each(|dialect| {
        let (world, upload) = begins(dialect, MIB);
        upload.pause();
        world.run_for(100_000);
        assert_eq!(upload.statuses(), [Status::Paused]);
        assert_eq!(world.log().records.len(), 0);
        upload.resume();
        world.run();
        world.stored(&upload);
    });
}

#[test]
fn closing_stops_everything_and_tells_no_server() {
    each(|dialect| {
        let world = World::new(1);
        let uploader = world.uploader(json!({ "concurrency": 2 }));
        let uploads: Vec<_> = (0..4)
            .map(|index| {
                uploader.upload(dialect.provider_for(&format!("{index}")), &world.file("clip.mp4", dialect.large))
            })
            .collect();
        world.run_for(1_500);
        let before = world.log().records.len();
        uploader.close();
        world.run();
        assert_eq!(world.log().records.len(), before, "{}", dialect.name);
        for upload in &uploads {
            assert_eq!(upload.code(), Some(Code::Cancelled));
        }
    });
}
