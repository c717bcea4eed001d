//! Progress: once for each frame of the page, and the last one before the end.

use partway::model::events::{Event, Status};
use partway_simulation::{Handle, World};
use serde_json::json;

use crate::dialects::{MIB, each};

/// When progress was reported.
fn times(upload: &Handle) -> Vec<u64> {
    upload.events().iter().filter(|(_, event)| matches!(event, Event::Progress(_))).map(|(at, _)| *at).collect()
}

#[test]
fn it_is_reported_once_a_frame_and_the_last_before_the_end() {
    each(|dialect| {
        for frame_ms in [16, 100] {
            let world = World::new(1);
            world.frames(frame_ms);
            world.line(|line| line.tells_each_ms = 3);
            let upload = world.upload(dialect.provider(), json!({}), &world.file("clip.mp4", dialect.large));
            world.run();
            let result = upload.done();
            let times = times(&upload);
            let (last, frames) = times.split_last().expect("there was progress");
            let apart = frames.windows(2).all(|pair| pair[1] - pair[0] >= frame_ms);
            assert!(frames.len() > 5 && apart, "{times:?}");
            assert!(last >= frames.last().unwrap(), "{times:?}");
            let progress = upload.progress();
            let last = progress.last().unwrap();
            assert_eq!((last.sent, last.fraction, last.parts_done), (dialect.large, 1.0, result.parts), "{last:?}");
            let events = upload.events();
            let ends = events.iter().rposition(|(_, event)| matches!(event, Event::Progress(_))).unwrap();
            let done = events.iter().position(|(_, event)| matches!(event, Event::Status(Status::Done))).unwrap();
            assert!(ends < done, "{upload:?}");
        }
    });
}

#[test]
fn an_upload_that_takes_no_frame_reports_once() {
    let world = World::new(1);
    world.frames(10_000);
    let upload = world.upload(crate::s3::with(json!({})), json!({}), &world.file("clip.mp4", 1));
    world.run();
    upload.done();
    assert_eq!(upload.progress().len(), 1);
}

#[test]
fn many_parts_are_reported_no_more_often_than_few() {
    let count = |parts: u64| {
        let world = World::new(1);
        world.frames(16);
        // As long for many as for few.
        world.line(|line| {
            line.latency = (1, 1);
            line.bytes_per_ms = parts * 5 * MIB / 1_000;
        });
        let provider = crate::s3::with(json!({ "partSize": 5 * MIB }));
        let upload = world.upload(provider, json!({ "concurrency": 1 }), &world.file("clip.mp4", parts * 5 * MIB));
        world.run();
        upload.done();
        (upload.progress().len() as u64, world.elapsed() / 16 + 2)
    };
    for parts in [100, 1_000] {
        let (reports, frames) = count(parts);
        assert!(reports <= frames, "{reports} in {frames} frames");
    }
}
