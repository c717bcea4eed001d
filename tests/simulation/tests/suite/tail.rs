//! The last parts of an upload: one that takes much longer than the others is sent a second time, where that is safe.

use std::rc::Rc;

use partway::platform::Hook;
use partway_models::store::Checksums;
use partway_simulation::{Fault, Handle, World};
use serde_json::{Value, json};

use crate::dialects::{Dialect, MIB, of};

/// The upload of a file of 20 parts of 5 MiB with real MD5s, of whose last part something goes wrong.
fn upload(world: &World, provider: Value, options: Value, fault: Fault) -> Handle {
    world.servers().backend.part_size = 5 * MIB;
    world.line(|line| line.bytes_per_ms = 2_500);
    world.fault("store:UploadPart", 19, 1, fault);
    let upload = world.upload(provider, options, &world.file("clip.mp4", 100 * MIB));
    world.run();
    upload
}

fn checked() -> Value {
    json!({ "integrity": "auto" })
}

fn s3() -> Value {
    crate::s3::with(json!({ "partSize": 5 * MIB }))
}

/// The requests for the last part that was begun.
fn copies(world: &World) -> Vec<partway_simulation::log::Record> {
    let parts = world.sent("store:UploadPart");
    let last = parts[19].range;
    parts.into_iter().filter(|part| part.range == last).collect()
}

fn with_copies(test: impl Fn(&Dialect)) {
    of(|dialect| ["s3", "plan"].contains(&dialect.name), test);
}

fn provider(dialect: &Dialect) -> Value {
    if dialect.name == "s3" { s3() } else { dialect.provider() }
}

#[test]
fn a_late_part_is_sent_a_second_time() {
    with_copies(|dialect| {
        for fault in [Fault::StallInBody, Fault::StallAnswer, Fault::Late(25_000), Fault::Latency(25_000)] {
            let world = World::new(1);
            let upload = upload(&world, provider(dialect), checked(), fault.clone());
            let result = world.stored(&upload);
            assert!(result.verified, "{fault:?}");
            assert_eq!((result.attempts, copies(&world).len()), (21, 2), "{fault:?}: {upload:?}");
            // The parts take 2.1 s each, so that the last is late after 6.4.
            assert!(world.elapsed() < 20_000, "{fault:?}: {} ms", world.elapsed());
        }
    });
}

#[test]
fn the_loser_may_land_after_the_winner() {
    with_copies(|dialect| {
        let world = World::new(1);
        world.line(|line| (line.ghosts, line.latency) = (1.0, (200, 200)));
        // It left whole, and is on its way when its copy is answered.
        let upload = upload(&world, provider(dialect), checked(), Fault::Late(25_000));
        let result = world.stored(&upload);
        let copies = copies(&world);
        let arrived: Vec<_> = copies.iter().map(|copy| copy.arrived_at.unwrap_or_default()).collect();
        assert!(arrived[0] > arrived[1], "{arrived:?}");
        let complete = world.sent(dialect.complete.unwrap_or_default());
        assert!(complete[0].arrived_at.unwrap_or(u64::MAX) >= arrived[0] || dialect.name == "plan", "{arrived:?}");
        assert_eq!((copies[0].effects + copies[1].effects, result.verified), (2, true));
    });
}

#[test]
fn the_loser_is_aborted_before_the_upload_is_completed() {
    let world = World::new(1);
    let upload = upload(&world, s3(), checked(), Fault::StallInBody);
    world.stored(&upload);
    assert_eq!(copies(&world)[0].status, None, "nobody waits for its answer");
    assert_eq!(world.log().running(), 0);
}

#[test]
fn no_second_copy_goes_where_etags_prove_nothing() {
    for (encryption, options) in [(None, json!({ "integrity": "off" })), (Some("aws:kms".into()), checked())] {
        let world = World::new(1);
        world.servers().store.config.encryption = encryption;
        let upload = upload(&world, s3(), options, Fault::Latency(25_000));
        world.stored(&upload);
        assert_eq!(copies(&world).len(), 1, "{upload:?}");
    }
}

#[test]
fn no_second_copy_goes_where_only_a_checksum_proved_the_parts() {
    let world = World::new(1);
    world.servers().store.config.checksums = Checksums::All;
    world.hooks().absent.insert(Hook::Complete);
    world.fault("store:UploadPart", 0, None, Fault::HideEtag);
    let upload = upload(&world, json!({ "name": "plan" }), checked(), Fault::Latency(25_000));
    assert!(upload.done().verified, "{upload:?}");
    assert_eq!(copies(&world).len(), 1, "{upload:?}");
}

#[test]
fn other_destinations_get_no_second_copy() {
    of(
        |dialect| !["s3", "plan"].contains(&dialect.name),
        |dialect| {
            let uploads = |world: &World| {
                let upload = world.upload(dialect.provider(), checked(), &world.file("clip.mp4", 2 * dialect.large));
                world.run();
                (world.stored(&upload), upload)
            };
            let parts = uploads(&World::new(1)).0.parts;
            assert!(parts > 4 || dialect.is_form, "{parts} are too few to tell how long one takes");
            let world = World::new(1);
            world.fault(dialect.part, parts - 1, None, Fault::Latency(25_000));
            let (result, upload) = uploads(&world);
            assert_eq!(result.attempts, parts, "{upload:?}");
            assert!(world.elapsed() > 25_000, "one was late");
        },
    );
}

#[test]
fn a_part_that_was_begun_anew_is_late_from_then_on() {
    let world = World::new(1);
    // Refused 6.1 s after its beginning, it takes until 8.3 s; without a failure it would have been late at 6.4.
    world.fault("store:UploadPart", 19, 1, Fault::status(500));
    let upload = upload(&world, s3(), checked(), Fault::Latency(4_000));
    assert_eq!((world.stored(&upload).attempts, copies(&world).len()), (21, 2), "{upload:?}");
}

#[test]
fn a_second_copy_goes_once_nothing_stands_against_it() {
    let world = Rc::new(World::new(1));
    for (at, says) in [(11_000, true), (20_000, false)] {
        let later = world.clone();
        world.after(at, move || later.says_offline(says));
    }
    let upload = upload(&world, s3(), checked(), Fault::Latency(25_000));
    assert!(world.stored(&upload).verified);
    let began: Vec<_> = copies(&world).iter().map(|copy| copy.sent_at - world.beginning()).collect();
    assert!(began.len() == 2 && began[0] < 11_000 && (20_000..=20_250).contains(&began[1]), "{began:?}");
}

#[test]
fn one_of_two_copies_may_fail_for_good() {
    // The copy goes after 13 seconds. The one that is refused is answered first.
    for (late_ms, copy_ms, refused) in [(12_000, 0, 20), (6_000, 6_000, 19)] {
        let world = World::new(1);
        world.fault("store:UploadPart", refused, 1, Fault::status(400));
        world.fault("store:UploadPart", 20, 1, Fault::Late(copy_ms));
        let upload = upload(&world, s3(), checked(), Fault::Late(late_ms));
        assert!(world.stored(&upload).verified);
        assert_eq!(copies(&world).len(), 2, "{upload:?}");
    }
}

/// How often the last of 20 parts of 64 MiB is sent, if its answer takes four minutes more than that of the others.
fn copies_of_a_large_part(bytes_per_ms: u64) -> usize {
    let world = World::new(1);
    world.line(|line| (line.shared_bytes_per_ms, line.tells_each_ms) = (Some(bytes_per_ms), 250));
    world.hooks().credentials_ms = Some(24 * 3_600_000);
    world.fault("store:UploadPart", 19, 1, Fault::Latency(240_000));
    let provider = crate::s3::with(json!({ "partSize": 64 * MIB }));
    let upload = world.upload(provider, checked(), &world.file("clip.mp4", 20 * 64 * MIB));
    world.run();
    world.stored(&upload);
    copies(&world).len()
}

#[test]
fn no_second_copy_goes_over_a_slow_line() {
    // Over 4 MB/s six such parts take some two minutes with what is measured of the line, and a second copy would slow the first one down.
    assert_eq!([4_000, 8_000].map(copies_of_a_large_part), [1, 2]);
}

#[test]
fn a_part_that_was_asked_to_wait_is_not_late() {
    let world = World::new(1);
    let fault = Fault::status(503).with("retry-after", "25");
    let upload = upload(&world, s3(), checked(), fault);
    assert_eq!(world.stored(&upload).attempts, 21, "{upload:?}");
    let copies = copies(&world);
    assert!(copies[1].sent_at >= copies[0].ended_at.unwrap() + 25_000, "{copies:?}");
}

#[test]
fn a_single_request_has_no_copy() {
    let world = World::new(1);
    world.fault("store:PutObject", 0, 1, Fault::Latency(25_000));
    let upload = world.upload(s3(), checked(), &world.file("clip.mp4", MIB));
    world.run();
    assert_eq!((world.stored(&upload).attempts, world.count("store:PutObject")), (1, 1));
}
