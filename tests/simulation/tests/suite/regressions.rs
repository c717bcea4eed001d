//! What seeds found and was mended after `mended`: each as a story of its own.

use partway::error::Code;
use partway::platform::Hook;
use partway_simulation::shelf::Mood;
use partway_simulation::world::Beginning;
use partway_simulation::{Fault, File, Handle, Uploader, World};
use serde_json::{Value, json};

use crate::dialects::MIB;

const HOUR: u64 = 3_600_000;

fn begins(world: &World, provider: Value, size: u64) -> (Uploader, Handle, u64, File) {
    let (uploader, session, file) = (world.uploader(json!({})), world.session(), world.file("clip.mp4", size));
    let upload = uploader.begin(provider, &file, Some(session), Beginning::New);
    (uploader, upload, session, file)
}

fn goes_on(world: &World, upload: &Handle, session: u64, file: &File) -> Handle {
    let kept = world.kept(session).expect("a session was kept");
    world.uploader(json!({})).begin(upload.provider().clone(), file, Some(session), Beginning::Kept(kept))
}

/// A plan of one PUT that its server signed for an hour, once.
fn plan_that_lapses(world: &World) -> Value {
    world.hooks().absent.insert(Hook::SignParts);
    world.servers().backend.first_urls = usize::MAX;
    json!({ "name": "plan" })
}

/// The PUT arrives and its answer is lost; the machine sleeps until its URL has expired.
fn sleeps_over_a_lost_put(world: &std::rc::Rc<World>) -> Handle {
    let provider = plan_that_lapses(world);
    world.fault("store:PutObject", 0, 1, Fault::ResetAfter);
    world.fault("store:PutObject", 0, 1, Fault::StallInBody);
    let upload = world.upload(provider, json!({}), &world.file("clip.mp4", MIB));
    let later = world.clone();
    world.after(5_000, move || later.nap(2 * HOUR, partway_simulation::sky::Cut::Reset));
    upload
}

#[test]
fn a_plan_is_begun_again_only_after_the_first_one_was_given_up() {
    let world = std::rc::Rc::new(World::new(1));
    world.fault("plan:abort", 0, 2, Fault::ResetBefore);
    let upload = sleeps_over_a_lost_put(&world);
    world.run();
    world.stored(&upload);
    assert_eq!(world.count("plan:open"), 2, "{upload:?}");
    assert_eq!(world.effects("plan:abort"), 1);
    assert_eq!(world.servers().store.keys("media").len(), 1, "nothing is left of the first: {upload:?}");
}

#[test]
fn a_put_that_may_be_stored_and_cannot_be_given_up_is_not_sent_a_second_time() {
    let world = std::rc::Rc::new(World::new(1));
    world.fault("plan:abort", 0, None, Fault::status(500));
    let upload = sleeps_over_a_lost_put(&world);
    world.run();
    let error = upload.error();
    assert_eq!((error.code, error.retryable), (Code::UrlExpired, true), "{upload:?}");
    assert!(error.hint.as_ref().is_some_and(|hint| hint.contains("`abort`")), "{error:?}");
    assert_eq!((world.effects("store:PutObject"), world.servers().store.keys("media").len()), (1, 1), "{upload:?}");
}

#[test]
fn an_upload_that_is_begun_again_leaves_no_parts_behind() {
    let world = World::new(1);
    // The store denies an upload that it has.
    let denial = Fault::answer(404, "").with("content-type", "application/xml");
    world.fault("store:UploadPart", 2, 1, denial);
    let upload = world.upload(crate::s3::with(json!({})), json!({}), &world.file("clip.mp4", 40 * MIB));
    world.run();
    world.stored(&upload);
    assert_eq!(world.count("store:CreateMultipartUpload"), 2, "{upload:?}");
    assert_eq!(world.servers().store.open_uploads(), [], "{upload:?}");
}

/// Storage hangs from the moment that all parts are there; the upload comes to its end, and the page crashes before storage hears
/// of that.
fn completes_unnoticed(world: &World, provider: Value, last: &str) -> (Handle, u64, File) {
    let (_page, upload, session, file) = begins(world, provider, 12 * MIB);
    let route = if last.starts_with("ofauth") { "ofauth:part" } else { "store:UploadPart" };
    while world.effects(route) == 0 {
        assert!(world.elapsed() < HOUR, "no part is sent");
        world.run_for(1);
    }
    world.shelf(Mood { latency: (600_000, 600_000), ..Mood::default() });
    while upload.result().is_none() {
        assert!(world.elapsed() < HOUR, "it never ends");
        world.run_for(1);
    }
    assert_eq!((upload.code(), world.effects(last)), (None, 1), "{upload:?}");
    world.crash(false);
    world.shelf(Mood::default());
    let kept = world.kept(session).expect("the record outlived the upload");
    assert_eq!(kept.phase(), Some("sending"));
    (upload, session, file)
}

fn ofauth() -> Value {
    json!({ "name": "ofauth", "baseUrl": "/api/ofauth", "skipExisting": false })
}

#[test]
fn a_record_that_outlived_its_upload_finds_what_is_there() {
    let world = World::new(1);
    let (upload, session, file) = completes_unnoticed(&world, ofauth(), "ofauth:complete");
    let again = goes_on(&world, &upload, session, &file);
    world.run();
    world.stored(&again);
    assert_eq!(world.servers().ofauth.vault_entries(), 1);
    let first = upload.done();
    assert_eq!(again.done().outcome.media_id, first.outcome.media_id);
    assert_eq!(world.count("ofauth:init"), 1);
}

#[test]
fn a_vendor_that_does_not_repeat_itself_leaves_it_unknown() {
    for size in [12 * MIB, MIB] {
        let world = World::new(1);
        world.servers().ofauth.config.repeatable = false;
        let (_page, upload, session, file) = begins(&world, ofauth(), size);
        let last = if size > MIB { "ofauth:complete" } else { "ofauth:single" };
        while world.effects(last) == 0 {
            assert!(world.elapsed() < HOUR, "{last} is never called");
            world.run_for(1);
        }
        world.crash(true);
        world.change_kept(session, |kept| {
            kept.parts.clear();
            kept.record.as_mut().expect("a record")["phase"] = json!("sending");
        });
        world.run_for(5_000);
        let again = goes_on(&world, &upload, session, &file);
        world.run();
        assert_eq!(again.code(), Some(Code::OutcomeUnknown), "{size}: {again:?}");
        assert_eq!((world.count("ofauth:init"), world.servers().ofauth.vault_entries()), (1, 1));
    }
}

#[test]
fn an_object_is_found_by_a_record_that_outlived_its_upload() {
    let world = World::new(1);
    let provider = crate::s3::with(json!({ "ifNoneMatch": true, "multipartThreshold": 5 * MIB, "partSize": 6 * MIB }));
    let (_page, upload, session, file) = begins(&world, provider, 12 * MIB);
    while world.effects("store:CompleteMultipartUpload") == 0 {
        assert!(world.elapsed() < HOUR, "it is never completed");
        world.run_for(1);
    }
    world.crash(true);
    // Storage was too slow for the word that the upload was about to be completed.
    world.change_kept(session, |kept| kept.record.as_mut().expect("a record")["phase"] = json!("sending"));
    let again = goes_on(&world, &upload, session, &file);
    world.run();
    world.stored(&again);
    assert_eq!(world.count("store:CreateMultipartUpload"), 1, "{again:?}");
}

/// Uploads 60 MiB until some parts are there, and crashes.
fn half_sent(world: &World, provider: Value) -> (Handle, u64, File) {
    let (_page, upload, session, file) = begins(world, provider, 60 * MIB);
    while world.kept(session).is_none_or(|kept| kept.parts.len() < 3) {
        assert!(world.elapsed() < HOUR, "no part is kept");
        world.run_for(1);
    }
    world.crash(true);
    world.run_for(1_000);
    (upload, session, file)
}

fn refusal() -> Fault {
    let body = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
    Fault::answer(403, body).with("content-type", "application/xml")
}

#[test]
fn keys_that_may_not_list_go_on_with_what_was_kept() {
    let unknown = Fault::answer(501, "<Error><Code>NotImplemented</Code><Message>No</Message></Error>");
    for fault in [refusal(), unknown, Fault::answer(405, "")] {
        let world = World::new(1);
        let (upload, session, file) = half_sent(&world, crate::s3::with(json!({})));
        world.fault("store:ListParts", 0, None, fault.clone());
        let sent = world.effects("store:UploadPart");
        let again = goes_on(&world, &upload, session, &file);
        world.run();
        world.stored(&again);
        assert_eq!((world.effects("store:CreateMultipartUpload"), world.effects("store:AbortMultipartUpload")), (1, 0));
        assert!(world.effects("store:UploadPart") < sent + 8, "{fault:?}: what was kept is not sent again: {again:?}");
    }
}

#[test]
fn keys_that_may_not_list_begin_again_where_the_upload_is_gone() {
    let world = World::new(1);
    let (upload, session, file) = half_sent(&world, crate::s3::with(json!({})));
    world.fault("store:ListParts", 0, None, refusal());
    let gone = Fault::answer(404, "<Error><Code>NoSuchUpload</Code><Message>Gone</Message></Error>");
    world.fault("store:UploadPart", 0, 1, gone);
    let again = goes_on(&world, &upload, session, &file);
    world.run();
    world.stored(&again);
    assert_eq!(world.effects("store:CreateMultipartUpload"), 2, "{again:?}");
}

#[test]
fn a_list_that_the_application_refuses_ends_nothing() {
    for fault in [Fault::status(403), Fault::body("{\"parts\":[]}")] {
        let world = World::new(1);
        let (upload, session, file) = half_sent(&world, json!({ "name": "plan" }));
        world.fault("plan:list", 0, None, fault.clone());
        let sent = world.effects("store:UploadPart");
        let again = goes_on(&world, &upload, session, &file);
        world.run();
        world.stored(&again);
        assert_eq!((world.effects("plan:open"), world.effects("plan:abort")), (1, 0), "{fault:?}: {again:?}");
        assert!(world.effects("store:UploadPart") < sent + 12, "{fault:?}: {again:?}");
        assert!(world.log().warnings.iter().any(|text| text.contains("`list`")), "it says so");
    }
}

#[test]
fn a_refusal_never_aborts_what_is_stored() {
    for (provider, route, fault) in [
        (crate::s3::with(json!({})), "store:*", refusal()),
        (json!({ "name": "plan" }), "store:*", refusal()),
        (json!({ "name": "plan" }), "plan:*", Fault::status(403)),
        (crate::s3::with(json!({})), "credentials", Fault::status(403)),
    ] {
        let world = World::new(1);
        let (upload, session, file) = half_sent(&world, provider.clone());
        let stored = world.effects("store:UploadPart");
        world.fault(route, 0, None, fault.clone());
        for _ in 0..4 {
            if world.kept(session).is_none() {
                break;
            }
            let refused = goes_on(&world, &upload, session, &file);
            world.run();
            assert!(matches!(refused.code(), Some(Code::Forbidden | Code::Application)), "{route}: {refused:?}");
        }
        let open = world.servers().store.open_uploads().len();
        assert!(open >= 1, "{provider} {route}: what was stored is still there");
        assert!(!world.log().records.iter().any(|record| record.route == "plan:abort" && record.effects > 0));
        assert!(stored >= 3);
    }
}

#[test]
fn what_was_kept_outlives_a_refusal_of_everything() {
    for (provider, route, fault) in [
        (crate::s3::with(json!({})), "store:*", refusal()),
        (json!({ "name": "plan" }), "plan:*", Fault::status(403)),
        (crate::s3::with(json!({})), "credentials", Fault::status(403)),
    ] {
        let world = World::new(1);
        let (upload, session, file) = half_sent(&world, provider.clone());
        world.fault(route, 0, None, fault.clone());
        for _ in 0..3 {
            let refused = goes_on(&world, &upload, session, &file);
            world.run();
            assert!(refused.code().is_some());
        }
        world.mend();
        let (sent, opened) = (
            world.effects("store:UploadPart"),
            world.effects("store:CreateMultipartUpload") + world.effects("plan:open"),
        );
        let again = goes_on(&world, &upload, session, &file);
        world.run();
        world.stored(&again);
        let after = world.effects("store:CreateMultipartUpload") + world.effects("plan:open");
        assert_eq!(after, opened, "{route}: {again:?}");
        assert!(world.effects("store:UploadPart") < sent + 12, "{route}: {again:?}");
    }
}

#[test]
fn a_session_that_is_refused_for_good_gives_way_to_a_new_one() {
    for code in [401, 403] {
        let world = World::new(1);
        let (upload, session, file) = half_sent(&world, crate::s3::with(json!({})));
        let denied = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
        // The key of the upload that was kept is another user's.
        world.fault("store:UploadPart", 0, 1, Fault::answer(code, denied));
        let kept = world.kept(session).expect("a session was kept");
        let one_by_one = world.uploader(json!({ "concurrency": 1 }));
        let again = one_by_one.begin(upload.provider().clone(), &file, Some(session), Beginning::Kept(kept));
        world.run();
        world.stored(&again);
        assert_eq!(world.effects("store:CreateMultipartUpload"), 2, "{again:?}");
    }
}

/// Refusals of the stores can't be read, and nothing else tells what time it is there; the page's clock is `skew` behind. The upload
/// is paused after its first part until its URLs have expired.
fn pauses_until_urls_expire(provider: Value, skew: i64, set_up: impl FnOnce(&World)) -> (World, Handle) {
    let world = World::new(1);
    world.skew(skew);
    {
        let mut servers = world.servers();
        servers.bucket_cors.hides_errors = true;
        servers.bucket_cors.exposes = Some(vec!["etag".into()]);
    }
    set_up(&world);
    let upload = world.upload(provider, json!({ "concurrency": 1 }), &world.file("clip.mp4", 22 * MIB));
    let first = |event: &partway::model::events::Event<_>| matches!(event, partway::model::events::Event::Part(_));
    upload.when(first, Handle::pause);
    world.run_for(3 * HOUR);
    upload.resume();
    world.run();
    (world, upload)
}

#[test]
fn a_url_that_is_over_is_signed_anew_whatever_the_clocks_say() {
    for skew in [0, 12 * HOUR as i64, -12 * HOUR as i64] {
        let (world, upload) = pauses_until_urls_expire(json!({ "name": "plan" }), skew, |world| {
            world.servers().backend.first_urls = usize::MAX;
        });
        world.stored(&upload);
        assert_eq!(world.count("plan:open"), 1, "{skew}: {upload:?}");
        assert!(world.count("plan:sign") > 0, "{skew}: {upload:?}");
    }
}

#[test]
fn a_url_that_is_over_and_cannot_be_renewed_begins_the_upload_again_whatever_the_clocks_say() {
    for skew in [0, 12 * HOUR as i64, -12 * HOUR as i64] {
        let (world, upload) = pauses_until_urls_expire(json!({ "name": "plan" }), skew, |world| {
            world.hooks().absent.insert(Hook::SignParts);
            world.servers().backend.first_urls = usize::MAX;
        });
        world.stored(&upload);
        assert_eq!(world.count("plan:open"), 2, "{skew}: {upload:?}");
        let onlymonster =
            json!({ "name": "onlymonster", "baseUrl": "/api/onlymonster", "accountId": "1001", "exportType": "post" });
        let (world, upload) = pauses_until_urls_expire(onlymonster, skew, |_| ());
        world.stored(&upload);
        assert_eq!(world.count("onlymonster:start"), 2, "{skew}: {upload:?}");
    }
}

#[test]
fn what_fails_for_another_reason_ends_by_its_own_name() {
    // The page's clock is ahead, so that every URL looks expired; the store refuses for good, unreadably or readably.
    for (readable, expected) in [(false, Code::Network), (true, Code::Forbidden)] {
        for signs in [true, false] {
            let world = World::new(1);
            world.skew(-12 * HOUR as i64);
            world.servers().bucket_cors.exposes = Some(vec!["etag".into()]);
            world.servers().bucket_cors.hides_errors = !readable;
            world.servers().backend.first_urls = usize::MAX;
            if !signs {
                world.hooks().absent.insert(Hook::SignParts);
            }
            world.fault("store:UploadPart", 0, None, refusal());
            let upload =
                world.upload(json!({ "name": "plan" }), json!({ "concurrency": 1 }), &world.file("clip.mp4", 12 * MIB));
            world.run();
            assert_eq!(upload.code(), Some(expected), "{readable} {signs}: {upload:?}");
            let (opened, signed) = (world.count("plan:open"), world.count("plan:sign"));
            assert_eq!(opened, if signs { 1 } else { 2 }, "once");
            assert!(signed <= if signs { 3 } else { 0 }, "once for each part: {signed}");
        }
    }
}

#[test]
fn a_url_that_was_signed_for_an_empty_body_is_refused_before_a_byte() {
    const OF_NOTHING: &str = "x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32&";
    fn sign(url: &mut Value) {
        let signed = url.as_str().expect("a URL").replace('?', &format!("?{OF_NOTHING}"));
        *url = json!(signed);
    }
    let refused = |provider: Value, route: &str, change: fn(&mut Value)| {
        let world = World::new(1);
        world.fault(route, 0, None, Fault::json(change));
        let upload = world.upload(provider, json!({}), &world.file("clip.mp4", 12 * MIB));
        world.run();
        let error = upload.error();
        assert_eq!(error.code, Code::PlanMismatch, "{route}: {upload:?}");
        assert!(error.message.contains("x-amz-checksum-crc32"), "{error:?}");
        assert!(error.hint.as_ref().is_some_and(|hint| hint.contains("WHEN_REQUIRED")), "{error:?}");
        let bytes = world.log().records.iter().filter(|record| record.range.is_some()).count();
        assert_eq!(bytes, 0, "{route}: nothing is sent");
    };
    refused(json!({ "name": "plan" }), "plan:open", |plan| sign(&mut plan["parts"][0]["uploadUrl"]));
    let onlymonster =
        json!({ "name": "onlymonster", "baseUrl": "/api/onlymonster", "accountId": "1001", "exportType": "post" });
    refused(onlymonster, "onlymonster:start", |start| match start.get("parts") {
        Some(_) => sign(&mut start["parts"][1]["put_url"]),
        None => sign(&mut start["put_url"]),
    });
    refused(ofauth(), "ofauth:init", |init| {
        init["parts"][1]["uploadUrl"] = json!("https://store.example/media/part?X-Amz-SignedHeaders=host");
        sign(&mut init["parts"][1]["uploadUrl"]);
    });
    // What `sign` gives is refused before a byte goes there.
    let world = World::new(1);
    world.servers().backend.first_urls = 0;
    world.fault(
        "plan:sign",
        0,
        None,
        Fault::json(|signed| {
            signed.as_array_mut().expect("a list").iter_mut().for_each(|part| sign(&mut part["uploadUrl"]))
        }),
    );
    let upload = world.upload(json!({ "name": "plan" }), json!({}), &world.file("clip.mp4", 12 * MIB));
    world.run();
    assert_eq!((upload.code(), world.count("store:UploadPart")), (Some(Code::PlanMismatch), 0), "{upload:?}");
    // The algorithm's name alone is fine.
    let world = World::new(1);
    world.fault("plan:open", 0, None, Fault::json(|_| ()));
    let upload = world.upload(json!({ "name": "plan" }), json!({}), &world.file("clip.mp4", 12 * MIB));
    world.run();
    world.stored(&upload);
}

#[test]
fn a_plan_whose_parts_are_all_there_and_that_nobody_knows_is_begun_again() {
    let world = World::new(1);
    let (_page, upload, session, file) = begins(&world, json!({ "name": "plan" }), 12 * MIB);
    while world.kept(session).is_none_or(|kept| kept.parts.len() < 3) {
        assert!(world.elapsed() < HOUR, "no part is kept");
        world.run_for(1);
    }
    world.crash(true);
    world.change_kept(session, |kept| kept.record.as_mut().expect("a record")["phase"] = json!("sending"));
    // Given up by somebody else.
    let plan = world.kept(session).and_then(|kept| kept.record).expect("a record")["given"].clone();
    let now = world.beginning() + world.elapsed();
    {
        let mut servers = world.servers();
        let servers = &mut *servers;
        let _ = servers.backend.abort(&mut servers.store, &plan, now);
    }
    let again = goes_on(&world, &upload, session, &file);
    world.run();
    world.stored(&again);
    assert_eq!(world.count("plan:open"), 2, "{again:?}");
}
