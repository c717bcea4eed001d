//! Pauses, lost networks, wrong clocks, and what the transport reports late or twice.

use partway::error::Code;
use partway::model::events::{Event, Status};
use partway_simulation::environment::{Cut, Network};
use partway_simulation::{Fault, Handle, World};
use serde_json::json;

use super::{HOUR, apifansly, plan, s3};
use crate::dialects::MIB;

#[test]
fn a_pause_waits_for_the_answer_to_a_form_that_went_out_whole() {
    let world = std::rc::Rc::new(World::new(1));
    world.line(|line| line.latency = (300, 300));
    let upload = world.upload(apifansly(), json!({}), &world.file("clip.mp4", 3 * MIB));
    let later = world.clone();
    upload.when(
        |event| matches!(event, Event::Progress(progress) if progress.sent == 3 * MIB),
        move |upload| {
            upload.pause();
            let upload = upload.clone();
            later.after(60_000, move || upload.resume());
        },
    );
    world.run();
    world.stored(&upload);
    assert_eq!(world.servers().apifansly.uploads_accepted(), 1);
    assert!(upload.statuses().contains(&Status::Paused));
}

#[test]
fn a_pause_aborts_a_form_that_is_being_sent() {
    let world = World::new(1);
    let upload = world.upload(apifansly(), json!({}), &world.file("clip.mp4", 30 * MIB));
    upload.when(|event| matches!(event, Event::Progress(progress) if progress.sent > MIB), Handle::pause);
    world.run_for(60_000);
    assert_eq!((world.count("apifansly:upload"), world.effects("apifansly:upload")), (1, 0));
    upload.resume();
    world.run();
    world.stored(&upload);
    assert_eq!(world.effects("apifansly:upload"), 1);
}

#[test]
fn a_sign_call_that_hangs_does_not_block_other_parts() {
    let world = World::new(1);
    world.fault("plan:sign", 0, 2, Fault::StallAnswer);
    let upload = world.upload(plan(), json!({ "concurrency": 2 }), &world.file("clip.mp4", 42 * MIB));
    world.run();
    world.stored(&upload);
}

#[test]
fn a_part_of_one_byte_does_not_measure_bandwidth() {
    let world = World::new(1);
    world.line(|line| line.reports = false);
    // The last part, of one byte, is uploaded first; then another part stalls.
    world.fault("store:UploadPart", 0, 1, Fault::StallInBody);
    let upload = world.upload(plan(), json!({}), &world.file("clip.mp4", 10 * MIB + 1));
    world.run();
    world.stored(&upload);
    assert!(world.elapsed() < HOUR, "{} ms", world.elapsed());
}

#[test]
fn progress_at_the_moment_of_waking_up_counts() {
    let world = World::new(1);
    // One byte of progress is reported at the moment the machine wakes up: the request has certainly failed, since more bytes were to come.
    world.line(|line| line.bytes_per_ms = 1);
    let world = std::rc::Rc::new(world);
    let later = world.clone();
    let upload = world.upload(apifansly(), json!({}), &world.file("clip.mp4", 2_000));
    world.after(100, move || later.nap(HOUR, Cut::Reset));
    world.run();
    world.stored(&upload);
    assert_eq!(world.effects("apifansly:upload"), 1);
}

#[test]
fn the_application_is_not_called_while_offline() {
    for provider in [s3(), plan()] {
        let world = std::rc::Rc::new(World::new(1));
        world.network(Network::Gone, Cut::Reset);
        let upload = world.upload(provider, json!({}), &world.file("clip.mp4", 20 * MIB));
        let later = world.clone();
        world.after(2 * HOUR, move || later.network(Network::Up, Cut::Reset));
        world.run();
        world.stored(&upload);
        // The probe of the network goes to the page's own server.
        let calls = ["hook:key", "page:look"];
        let first =
            world.log().records.iter().find(|record| !calls.contains(&record.route)).map(|record| record.sent_at);
        assert!(first.is_some_and(|at| at >= world.beginning() + 2 * HOUR), "{upload:?}");
        assert!(upload.statuses().contains(&Status::Waiting));
    }
}

#[test]
fn a_wrong_clock_uses_no_attempts_while_offline() {
    let world = std::rc::Rc::new(World::new(1));
    world.skew(2 * HOUR as i64);
    world.fault("store:PutObject", 0, 1, Fault::status(503));
    let retry = json!({ "attempts": 4, "baseMs": 20_000 });
    let upload = world.upload(s3(), json!({ "retry": retry }), &world.file("clip.mp4", MIB));
    // By the time in the answer before, the URLs that this machine signs have expired.
    let later = world.clone();
    world.after(600, move || later.network(Network::Gone, Cut::Reset));
    let later = world.clone();
    world.after(HOUR, move || later.network(Network::Up, Cut::Reset));
    world.run();
    world.stored(&upload);
}

#[test]
fn a_file_that_cannot_be_hashed_any_more_was_changed() {
    for integrity in ["auto", "require"] {
        let world = World::new(1);
        let file = world.file("clip.mp4", 20 * MIB);
        let upload = world.upload(s3(), json!({ "integrity": integrity }), &file);
        upload.when_status(Status::Sending, move |_| file.spoil());
        world.run();
        assert_eq!(upload.code(), Some(Code::FileChanged), "{upload:?}");
    }
}

#[test]
fn a_conditional_put_that_the_browser_sent_twice_is_no_conflict() {
    let world = World::new(1);
    world.fault("store:PutObject", 0, 1, Fault::Twice);
    let provider = crate::s3::with(json!({ "ifNoneMatch": true }));
    let upload = world.upload(provider.clone(), json!({ "integrity": "auto" }), &world.file("clip.mp4", MIB));
    world.run();
    world.stored(&upload);
    // An object of another upload under the same key is still a conflict; one written in the same second might be this upload's own.
    world.run_for(3_000);
    let second = world.upload(provider, json!({ "integrity": "auto" }), &world.file("other.mp4", MIB));
    world.run();
    assert_eq!(second.code(), Some(Code::Conflict), "{second:?}");
}

#[test]
fn a_head_request_whose_url_expires_on_the_way_is_repeated() {
    let world = std::rc::Rc::new(World::new(1));
    // URLs expire with the credentials.
    world.hooks().credentials_ms = Some(100_000);
    world.fault("store:PutObject", 0, 1, Fault::Twice);
    let provider = crate::s3::with(json!({ "ifNoneMatch": true }));
    let upload = world.upload(provider, json!({ "stallMs": 600_000 }), &world.file("clip.mp4", 1));
    let later = world.clone();
    upload.when(
        |event| matches!(event, Event::Status(Status::Completing)),
        move |_| {
            later.line(|line| line.latency = (150_000, 150_000));
            let again = later.clone();
            later.after(1_000, move || again.line(|line| line.latency = (10, 10)));
        },
    );
    world.run();
    world.stored(&upload);
    let looks: Vec<_> = world.sent("store:HeadObject").iter().map(|record| record.status).collect();
    assert_eq!(looks, [Some(404), Some(403), Some(200)], "before the PUT, and twice after it");
}
