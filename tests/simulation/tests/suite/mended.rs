//! What the simulation found in its seeds, and was mended: each as a story of its own.

use partway::error::Code;
use partway::model::events::{Event, Status};
use partway_models::onlymonster::End;
use partway_simulation::shelf::Mood;
use partway_simulation::sky::{Cut, Network};
use partway_simulation::world::Beginning;
use partway_simulation::{Fault, File, Handle, Uploader, World};
use serde_json::{Value, json};

use crate::dialects::MIB;

const HOUR: u64 = 3_600_000;

fn ofauth() -> Value {
    json!({ "name": "ofauth", "baseUrl": "/api/ofauth", "skipExisting": false })
}

fn onlymonster() -> Value {
    json!({ "name": "onlymonster", "baseUrl": "/api/onlymonster", "accountId": "1001", "exportType": "post" })
}

fn apifansly() -> Value {
    json!({ "name": "apifansly", "baseUrl": "/api/apifansly", "accountId": "2002" })
}

fn s3() -> Value {
    crate::s3::with(json!({}))
}

/// One upload whose session is kept.
fn begins(world: &World, provider: Value, size: u64) -> (Uploader, Handle, u64, File) {
    let (uploader, session, file) = (world.uploader(json!({})), world.session(), world.file("clip.mp4", size));
    let upload = uploader.begin(provider, &file, Some(session), Beginning::New);
    (uploader, upload, session, file)
}

/// The next page goes on with it.
fn goes_on(world: &World, upload: &Handle, session: u64, file: &File) -> Handle {
    let kept = world.kept(session).expect("a session was kept");
    world.uploader(json!({})).begin(upload.provider().clone(), file, Some(session), Beginning::Kept(kept))
}

/// Runs the world until a request of that name has taken effect, and not a moment longer.
fn run_until_effect(world: &World, route: &str) {
    while world.effects(route) == 0 {
        assert!(world.elapsed() < HOUR, "{route} is never called");
        world.run_for(1);
    }
}

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
fn a_form_on_its_way_is_called_back_by_a_pause() {
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
fn a_sign_that_never_answers_keeps_no_part_from_its_address() {
    let world = World::new(1);
    world.fault("plan:sign", 0, 2, Fault::StallAnswer);
    let upload =
        world.upload(json!({ "name": "plan" }), json!({ "concurrency": 2 }), &world.file("clip.mp4", 42 * MIB));
    world.run();
    world.stored(&upload);
}

#[test]
fn a_part_of_one_byte_tells_nothing_of_the_lines_rate() {
    let world = World::new(1);
    world.line(|line| line.reports = false);
    // The last part, of one byte, is there first; then one stands still.
    world.fault("store:UploadPart", 0, 1, Fault::StallInBody);
    let upload = world.upload(json!({ "name": "plan" }), json!({}), &world.file("clip.mp4", 10 * MIB + 1));
    world.run();
    world.stored(&upload);
    assert!(world.elapsed() < HOUR, "{} ms", world.elapsed());
}

#[test]
fn a_transport_that_tells_at_the_last_moment_is_heard() {
    let world = World::new(1);
    // One byte of progress, told at the very moment at which the machine wakes up: a certain failure, since more was to come.
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
fn functions_of_the_application_are_not_called_where_there_is_no_network() {
    for provider in [s3(), json!({ "name": "plan" })] {
        let world = std::rc::Rc::new(World::new(1));
        world.network(Network::Gone, Cut::Reset);
        let upload = world.upload(provider, json!({}), &world.file("clip.mp4", 20 * MIB));
        let later = world.clone();
        world.after(2 * HOUR, move || later.network(Network::Up, Cut::Reset));
        world.run();
        world.stored(&upload);
        // Whether the browser tells the truth is looked up elsewhere.
        let calls = ["hook:key", "page:look"];
        let first =
            world.log().records.iter().find(|record| !calls.contains(&record.route)).map(|record| record.sent_at);
        assert!(first.is_some_and(|at| at >= world.beginning() + 2 * HOUR), "{upload:?}");
        assert!(upload.statuses().contains(&Status::Waiting));
    }
}

#[test]
fn a_clock_that_is_off_burns_no_attempts_where_there_is_no_network() {
    let world = std::rc::Rc::new(World::new(1));
    world.skew(2 * HOUR as i64);
    world.fault("store:PutObject", 0, 1, Fault::status(503));
    let retry = json!({ "attempts": 4, "baseMs": 20_000 });
    let upload = world.upload(s3(), json!({ "retry": retry }), &world.file("clip.mp4", MIB));
    // By the answer that came before, the URLs that this machine signs are over.
    let later = world.clone();
    world.after(600, move || later.network(Network::Gone, Cut::Reset));
    let later = world.clone();
    world.after(HOUR, move || later.network(Network::Up, Cut::Reset));
    world.run();
    world.stored(&upload);
}

#[test]
fn a_file_that_can_no_longer_be_hashed_was_changed() {
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
fn an_export_that_the_record_knows_nothing_of_is_not_made_again() {
    for size in [MIB, 20 * MIB] {
        let world = World::new(1);
        let (_page, upload, session, file) = begins(&world, onlymonster(), size);
        run_until_effect(&world, "onlymonster:export");
        world.crash(true);
        // Storage was too slow for what came after the first word.
        world.change_kept(session, |kept| {
            kept.parts.clear();
            let record = kept.record.as_mut().expect("a record");
            (record["phase"], record["recordId"], record["etag"]) = (json!("sending"), Value::Null, Value::Null);
        });
        world.run_for(5_000);
        let restored = goes_on(&world, &upload, session, &file);
        world.run();
        world.stored(&restored);
        assert_eq!(world.servers().onlymonster.exports(), 1, "{restored:?}");
        assert_eq!(world.effects("store:*"), world.sent("store:*").iter().filter(|r| r.upload == 0).count() as u32);
    }
}

#[test]
fn a_single_put_that_completed_an_upload_makes_no_second_one_after_a_crash() {
    let world = World::new(1);
    let (_page, upload, session, file) = begins(&world, ofauth(), MIB);
    run_until_effect(&world, "ofauth:single");
    world.crash(false);
    world.run_for(2 * HOUR);
    let restored = goes_on(&world, &upload, session, &file);
    world.run();
    world.stored(&restored);
    assert_eq!(world.servers().ofauth.vault_entries(), 1);
}

#[test]
fn an_object_is_known_though_the_arrival_of_its_parts_was_lost_in_the_crash() {
    let world = World::new(1);
    let (_page, upload, session, file) = begins(&world, s3(), 24 * MIB);
    run_until_effect(&world, "store:CompleteMultipartUpload");
    world.crash(true);
    world.change_kept(session, |kept| kept.parts.clear());
    let sent = world.effects("store:UploadPart");
    let restored = goes_on(&world, &upload, session, &file);
    world.run();
    world.stored(&restored);
    assert_eq!(
        (world.effects("store:UploadPart"), world.effects("store:CreateMultipartUpload")),
        (sent, 1),
        "{restored:?}"
    );
}

#[test]
fn a_finish_is_found_though_its_urls_have_lapsed() {
    let world = World::new(1);
    let (_page, upload, session, file) = begins(&world, onlymonster(), 20 * MIB);
    run_until_effect(&world, "onlymonster:finish");
    world.crash(true);
    world.run_for(2 * HOUR);
    let restored = goes_on(&world, &upload, session, &file);
    world.run();
    world.stored(&restored);
    // Nothing was exported before, so a new upload is right; and the old one wasn't finished again.
    let finished = world.sent("onlymonster:finish");
    assert_eq!((finished.len(), world.servers().onlymonster.exports()), (2, 1), "{restored:?}");
    assert_ne!(finished[0].json.as_ref().map(|json| &json["key"]), finished[1].json.as_ref().map(|json| &json["key"]));
}

#[test]
fn a_plan_that_may_be_complete_is_not_begun_anew() {
    let world = World::new(1);
    world.hooks().absent.insert(partway::platform::Hook::SignParts);
    world.servers().backend.first_urls = usize::MAX;
    let (_page, upload, session, file) = begins(&world, json!({ "name": "plan" }), 12 * MIB);
    run_until_effect(&world, "plan:complete");
    world.crash(true);
    world.run_for(2 * HOUR);
    let restored = goes_on(&world, &upload, session, &file);
    world.run();
    assert_eq!(restored.code(), Some(Code::OutcomeUnknown), "{restored:?}");
    assert_eq!(world.servers().store.keys("media").len(), 1);
    assert!(world.kept(session).is_none());
}

#[test]
fn a_plan_that_its_server_knows_no_more_is_begun_anew() {
    let world = World::new(1);
    let (_page, upload, session, file) = begins(&world, json!({ "name": "plan" }), 12 * MIB);
    run_until_effect(&world, "store:UploadPart");
    world.crash(true);
    world.fault("plan:list", 0, None, Fault::status(404));
    world.fault("plan:sign", 0, 8, Fault::status(404));
    let restored = goes_on(&world, &upload, session, &file);
    world.run();
    world.stored(&restored);
    assert_eq!(world.effects("plan:open"), 2, "{restored:?}");
}

#[test]
fn a_plan_of_one_put_is_gone_on_with_and_no_parts_are_asked_for() {
    let world = World::new(1);
    let (_page, upload, session, file) = begins(&world, json!({ "name": "plan" }), MIB);
    world.fault("store:PutObject", 0, None, Fault::ResetInBody);
    world.run_for(2_000);
    world.crash(true);
    world.mend();
    world.run_for(1_000);
    let restored = goes_on(&world, &upload, session, &file);
    world.run();
    world.stored(&restored);
    assert_eq!((world.count("plan:open"), world.count("plan:list")), (1, 0));
}

#[test]
fn a_conditional_put_that_the_browser_sent_twice_is_no_conflict() {
    let world = World::new(1);
    world.fault("store:PutObject", 0, 1, Fault::Twice);
    let provider = crate::s3::with(json!({ "ifNoneMatch": true }));
    let upload = world.upload(provider.clone(), json!({ "integrity": "auto" }), &world.file("clip.mp4", MIB));
    world.run();
    world.stored(&upload);
    // Another's file under the same key still is one; what was written in the same second might be its own.
    world.run_for(3_000);
    let second = world.upload(provider, json!({ "integrity": "auto" }), &world.file("other.mp4", MIB));
    world.run();
    assert_eq!(second.code(), Some(Code::Conflict), "{second:?}");
}

#[test]
fn parts_of_a_session_that_cannot_be_read_are_not_taken_for_the_new_ones() {
    let world = World::new(1);
    let (_page, upload, session, file) = begins(&world, s3(), 400 * MIB);
    world.run_for(4_000);
    world.crash(true);
    world.change_kept(session, |kept| kept.record.as_mut().expect("a record")["version"] = json!(2));
    assert!(!world.kept(session).expect("a session").parts.is_empty());
    world.fault("store:UploadPart", 0, None, Fault::StallInBody);
    let _second = goes_on(&world, &upload, session, &file);
    world.run_for(3_000);
    let kept = world.kept(session).expect("the new session");
    assert_eq!((kept.record.as_ref().map(|record| &record["version"]), kept.parts.len()), (Some(&json!(1)), 0));
}

#[test]
fn storage_that_hangs_leaves_no_record_that_is_out_of_date() {
    let world = World::new(1);
    world.servers().onlymonster.config.end = End::Exported;
    let (_page, upload, session, _file) = begins(&world, onlymonster(), MIB);
    run_until_effect(&world, "onlymonster:start");
    world.run_for(100);
    world.shelf(Mood { latency: (60_000, 60_000), ..Mood::default() });
    world.run();
    world.stored(&upload);
    assert!(world.kept(session).is_none());
}

#[test]
fn what_the_destination_has_needs_no_file_any_more() {
    for (provider, last) in [(onlymonster(), "onlymonster:export"), (apifansly(), "apifansly:upload")] {
        let world = World::new(1);
        world.servers().onlymonster.config.end = End::Exported;
        let (_page, upload, session, file) = begins(&world, provider, MIB);
        run_until_effect(&world, last);
        while world.kept(session).and_then(|kept| kept.record).is_none_or(|record| record["phase"] != "settling") {
            assert!(world.elapsed() < HOUR, "{last}: it is never kept");
            world.run_for(1);
        }
        world.crash(true);
        file.spoil();
        let second = goes_on(&world, &upload, session, &file);
        world.run();
        assert_eq!(second.code(), None, "{last}: {second:?}");
        assert_eq!(second.statuses().last(), Some(&Status::Done), "{last}");
        assert_eq!(world.effects(last), 1);
    }
}

#[test]
fn a_destination_that_processes_nothing_is_never_believed_to_be_at_it() {
    let world = World::new(1);
    let (_page, upload, session, file) = begins(&world, s3(), 40 * MIB);
    world.run_for(1_000);
    world.crash(true);
    world.change_kept(session, |kept| kept.record.as_mut().expect("a record")["phase"] = json!("settling"));
    let second = goes_on(&world, &upload, session, &file);
    world.run();
    world.stored(&second);
}

#[test]
fn a_look_whose_permission_lapsed_on_its_way_is_taken_again() {
    let world = std::rc::Rc::new(World::new(1));
    // URLs end with the credentials.
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
