//! What every provider does alike when nothing goes wrong.

use partway::model::events::{Event, SentPart, Status};
use partway_simulation::{Handle, World};
use serde_json::json;

use crate::dialects::{Dialect, MIB, each, of};

fn parts_of(handle: &Handle) -> Vec<SentPart> {
    let part = |(_, event): &(u64, Event<_>)| match event {
        Event::Part(part) => Some(part.clone()),
        _ => None,
    };
    let mut parts: Vec<_> = handle.events().iter().filter_map(part).collect();
    parts.sort_by_key(|part| part.number);
    parts
}

#[test]
fn files_of_all_sizes_arrive_whole() {
    each(|dialect| {
        let sizes =
            [1, 2, MIB, 5 * MIB - 1, 5 * MIB, 5 * MIB + 1, 10 * MIB, 16 * MIB - 1, 16 * MIB, 24 * MIB, 40 * MIB];
        for size in sizes.into_iter().chain([dialect.large]) {
            let world = World::new(size);
            let file = world.file("clip.mp4", size);
            let upload = world.upload(dialect.provider(), json!({}), &file);
            world.run();
            let result = world.stored(&upload);
            let parts = parts_of(&upload);
            assert_eq!(result.provider, dialect.name);
            assert_eq!(result.parts as usize, parts.len());
            assert_eq!(result.attempts, result.parts, "each part once: {upload:?}");
            assert!(!result.verified, "nothing was hashed");
            let opened = dialect.init.map_or(1, |init| world.count(init));
            assert_eq!(opened, usize::from(dialect.name != "s3" || size >= 16 * MIB), "opened once");
            assert!(!result.outcome.already_there);
            let mut at = 0;
            for part in &parts {
                assert_eq!((part.range.start, part.attempts), (at, 1));
                at = part.range.end;
            }
            assert_eq!(at, size);
            if size == dialect.large && dialect.has_parts() {
                assert!(result.parts > 3, "{} parts", result.parts);
            }
        }
    });
}

#[test]
fn real_bytes_arrive_and_are_verified_where_etags_are_md5s() {
    each(|dialect| {
        for size in [1, 3 * MIB + 5, 17 * MIB + 3] {
            let world = World::new(size);
            let file = world.real_file("clip.mp4", size as usize);
            let upload = world.upload(dialect.provider(), json!({ "integrity": "auto" }), &file);
            world.run();
            let result = world.stored(&upload);
            let known = !matches!((dialect.name, result.parts), ("apifansly" | "form", _) | ("ofauth", 1));
            assert_eq!(result.verified, known, "{} of {size} bytes", dialect.name);
            for part in parts_of(&upload) {
                assert_eq!(part.verified, known);
            }
        }
    });
}

#[test]
fn results_have_the_members_that_are_promised() {
    each(|dialect| {
        for size in [MIB, dialect.large] {
            let world = World::new(3);
            let file = world.file("clip.mp4", size);
            let upload = world.upload(dialect.provider(), json!({}), &file);
            world.run();
            let result = world.stored(&upload);
            let outcome = &result.outcome;
            assert!(result.elapsed_ms > 0 && result.elapsed_ms <= world.elapsed());
            match dialect.name {
                "ofauth" => {
                    let id = outcome.media_id.clone().unwrap();
                    assert!(outcome.media_upload_id.as_ref().unwrap().starts_with("upload:"));
                    assert_eq!(outcome.media_item.as_ref(), Some(&id));
                    assert_eq!(outcome.reusable, Some(true));
                    assert_eq!(outcome.media.as_ref().unwrap()["id"].to_string(), id);
                }
                "onlymonster" => assert!(outcome.media_id.is_some() && outcome.key.is_some() && outcome.etag.is_some()),
                "apifansly" => {
                    let id = outcome.media_id.as_ref().unwrap();
                    assert!(id.parse::<u64>().unwrap() > 1 << 53, "ids are kept as text: {id}");
                    assert_eq!(outcome.media.as_ref().unwrap()["mediaId"], json!(id));
                    assert!(outcome.links_expire_at.is_some());
                }
                "s3" => {
                    assert_eq!(outcome.key.as_deref(), Some("uploads/a key.mp4"));
                    let location = outcome.location.as_ref().unwrap();
                    assert!(location.starts_with("https://store.example/media/uploads/a%20key.mp4"), "{location}");
                    assert!(!location.contains('?'), "no signature in a location");
                    assert!(outcome.etag.is_some());
                }
                "form" => {
                    assert_eq!(outcome.media_id.as_deref(), Some("4"), "ids are text");
                    assert_eq!((outcome.key.as_deref(), outcome.status), (Some("files/4"), Some(202)));
                }
                "plan" => assert!(outcome.key.is_some() && outcome.etag.is_some()),
                other => panic!("what {other} promises isn't said here"),
            }
            if dialect.name != "ofauth" {
                assert_eq!((outcome.media_item.as_ref(), outcome.reusable), (None, None));
            }
        }
    });
}

#[test]
fn statuses_come_in_order() {
    use Status::{Checking, Completing, Done, Opening, Processing, Sending};
    each(|dialect| {
        let world = World::new(4);
        let upload = world.upload(dialect.provider(), json!({}), &world.file("clip.mp4", dialect.large));
        world.run();
        let mut wanted = vec![Checking, Opening, Sending, Completing];
        if dialect.status.is_some() {
            wanted.push(Processing);
        }
        wanted.push(Done);
        assert_eq!(upload.statuses(), wanted, "{}", dialect.name);
    });
}

#[test]
fn slots_are_used_and_never_exceeded() {
    each(|dialect| {
        for slots in [1, 3, 8] {
            let world = World::new(5);
            let uploader = world.uploader(json!({ "concurrency": slots }));
            let sizes = [dialect.large, MIB, dialect.large, 2 * MIB, 3, dialect.large];
            let uploads: Vec<_> = (0..)
                .zip(sizes)
                .map(|(index, size)| {
                    let file = world.file("clip.mp4", size);
                    uploader.upload(dialect.provider_for(&format!("{index}")), &file)
                })
                .collect();
            world.run();
            for upload in &uploads {
                world.stored(upload);
            }
            let most = world.log().most("uploader 1");
            let reachable = if dialect.has_parts() { slots } else { slots.min(sizes.len()) };
            assert_eq!(most, reachable, "{}: {most} at once of {slots}", dialect.name);
        }
    });
}

#[test]
fn many_small_files_queue_and_run_side_by_side() {
    each(|dialect| {
        let world = World::new(6);
        let uploader = world.uploader(json!({}));
        let uploads: Vec<_> = (0..40)
            .map(|index| {
                let file = world.file("photo.jpg", 100_000 + index);
                uploader.upload(dialect.provider_for(&format!("{index}")), &file)
            })
            .collect();
        world.run_for(5);
        let begun = uploads.iter().filter(|upload| !upload.statuses().is_empty()).count();
        assert_eq!(begun, 6, "as many at work as there are slots");
        world.run();
        for upload in &uploads {
            world.stored(upload);
        }
        assert!(world.log().most("uploader 1") > 1, "{}: one after the other", dialect.name);
    });
}

#[test]
fn processing_leaves_its_place_to_the_next_file() {
    of(
        |dialect| dialect.status.is_some(),
        |dialect| {
            let world = World::new(7);
            world.servers().onlymonster.config.processing_ms = 120_000;
            world.servers().apifansly.config.processing_ms = 120_000;
            world.servers().form.config.processing_ms = 120_000;
            let uploader = world.uploader(json!({ "concurrency": 1 }));
            let provider = dialect.provider();
            let uploads: Vec<_> =
                (0..3).map(|_| uploader.upload(provider.clone(), &world.file("clip.mp4", MIB))).collect();
            world.run();
            for upload in &uploads {
                world.stored(upload);
            }
            assert!(world.elapsed() < 300_000, "{} took {} ms", dialect.name, world.elapsed());
        },
    );
}

#[test]
fn progress_moves_with_the_bytes_where_the_transport_tells() {
    let test = |dialect: &Dialect, reports: bool| {
        let world = World::new(8);
        world.line(|line| line.reports = reports);
        world.line(|line| line.bytes_per_ms = 1_000);
        let upload =
            world.upload(dialect.provider(), json!({ "concurrency": 2 }), &world.file("clip.mp4", dialect.large));
        world.run();
        world.stored(&upload);
        let steps: std::collections::BTreeSet<u64> = upload.progress().iter().map(|progress| progress.sent).collect();
        let parts = upload.done().parts as usize;
        // The transport must report whether all of a form was sent, so its progress is reported by any transport.
        if reports || dialect.is_form {
            assert!(steps.len() > parts + 20, "{}: {} steps", dialect.name, steps.len());
        } else {
            assert_eq!(steps.len(), parts + 1, "{}: 0, and once for each part", dialect.name);
        }
    };
    each(|dialect| [true, false].into_iter().for_each(|reports| test(dialect, reports)));
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let tell = |seed: u64, dialect: &Dialect| {
        let world = World::new(seed);
        world.chance_of_fault("*", 0.2, 0, 12, partway_simulation::Fault::ResetBefore);
        let uploader = world.uploader(json!({}));
        let uploads: Vec<_> = (0..4)
            .map(|index| {
                uploader.upload(dialect.provider_for(&format!("{index}")), &world.file("a.mp4", dialect.large))
            })
            .collect();
        world.run();
        uploads.iter().map(Handle::story).collect::<Vec<_>>()
    };
    each(|dialect| {
        assert_eq!(tell(9, dialect), tell(9, dialect));
        assert_ne!(tell(9, dialect), tell(10, dialect));
    });
}
