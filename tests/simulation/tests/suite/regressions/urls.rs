//! Presigned URLs that expire, and URLs that were signed for something else.

use partway::error::Code;
use partway::model::events::{Event, Status};
use partway::platform::Hook;
use partway_simulation::environment::Cut;
use partway_simulation::servers::STORE;
use partway_simulation::{Fault, Handle, World};
use serde_json::{Value, json};

use super::{HOUR, ofauth, onlymonster, plan, refusal};
use crate::dialects::MIB;

/// A plan of one PUT that its server signed for an hour, once.
fn plan_that_expires(world: &World) -> Value {
    world.hooks().absent.insert(Hook::SignParts);
    world.servers().backend.first_urls = usize::MAX;
    plan()
}

/// The PUT arrives and its answer is lost; the machine sleeps until its URL has expired.
fn sleeps_over_a_lost_put(world: &std::rc::Rc<World>) -> Handle {
    let provider = plan_that_expires(world);
    world.fault("store:*", 0, 1, Fault::ResetAfter);
    world.fault("store:*", 0, 1, Fault::StallInBody);
    let upload = world.upload(provider, json!({}), &world.file("clip.mp4", MIB));
    let later = world.clone();
    world.after(5_000, move || later.nap(2 * HOUR, Cut::Reset));
    upload
}

#[test]
fn a_plan_is_restarted_only_after_the_first_one_was_aborted() {
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
fn a_put_that_may_be_stored_and_cannot_be_aborted_is_not_repeated() {
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
fn a_part_that_may_be_stored_and_cannot_be_aborted_is_left_behind() {
    let world = std::rc::Rc::new(World::new(1));
    world.servers().backend.single_below = 0;
    world.fault("plan:abort", 0, None, Fault::status(500));
    let upload = sleeps_over_a_lost_put(&world);
    world.run();
    world.stored(&upload);
    assert_eq!((world.count("plan:open"), world.effects("store:UploadPart")), (2, 2), "{upload:?}");
}

#[test]
fn a_url_that_does_not_say_when_it_expires_holds_as_long_as_its_plan() {
    let world = World::new(1);
    let provider = plan_that_expires(&world);
    world.servers().bucket_cors.hides_errors = true;
    let of_a_ticket = Fault::json(|plan| plan["parts"][0]["uploadUrl"] = json!(format!("{STORE}/media/a?ticket=1")));
    world.fault("plan:open", 0, 1, of_a_ticket);
    let upload = world.upload(provider, json!({}), &world.file("clip.mp4", MIB));
    upload.when_status(Status::Sending, Handle::pause);
    world.run_for(HOUR);
    upload.resume();
    world.run();
    world.stored(&upload);
    assert_eq!(world.count("plan:open"), 2, "{upload:?}");
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
    let first = |event: &Event<_>| matches!(event, Event::Part(_));
    upload.when(first, Handle::pause);
    world.run_for(3 * HOUR);
    upload.resume();
    world.run();
    (world, upload)
}

#[test]
fn an_expired_url_is_signed_again_whatever_the_clocks_say() {
    for skew in [0, 12 * HOUR as i64, -12 * HOUR as i64] {
        let (world, upload) = pauses_until_urls_expire(plan(), skew, |world| {
            world.servers().backend.first_urls = usize::MAX;
        });
        world.stored(&upload);
        assert_eq!(world.count("plan:open"), 1, "{skew}: {upload:?}");
        assert!(world.count("plan:sign") > 0, "{skew}: {upload:?}");
    }
}

#[test]
fn an_expired_url_that_cannot_be_signed_again_restarts_the_upload_whatever_the_clocks_say() {
    for skew in [0, 12 * HOUR as i64, -12 * HOUR as i64] {
        let (world, upload) = pauses_until_urls_expire(plan(), skew, |world| {
            world.hooks().absent.insert(Hook::SignParts);
            world.servers().backend.first_urls = usize::MAX;
        });
        world.stored(&upload);
        assert_eq!(world.count("plan:open"), 2, "{skew}: {upload:?}");
        let (world, upload) = pauses_until_urls_expire(onlymonster(), skew, |_| ());
        world.stored(&upload);
        assert_eq!(world.count("onlymonster:start"), 2, "{skew}: {upload:?}");
        if skew == 0 {
            let anew = world.sent("onlymonster:start")[1].sent_at;
            let parts = world.some_sent("store:UploadPart");
            let before = parts.iter().filter(|part| part.sent_at < anew).count();
            assert_eq!(before, 1 + 1 + 1, "sent, aborted by the pause, and refused once: {upload:?}");
        }
    }
}

#[test]
fn a_refusal_that_looks_like_an_expired_url_keeps_its_own_code() {
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
            let upload = world.upload(plan(), json!({ "concurrency": 1 }), &world.file("clip.mp4", 12 * MIB));
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
    refused(plan(), "plan:open", |plan| sign(&mut plan["parts"][0]["uploadUrl"]));
    refused(onlymonster(), "onlymonster:start", |start| match start.get("parts") {
        Some(_) => sign(&mut start["parts"][1]["put_url"]),
        None => sign(&mut start["put_url"]),
    });
    refused(ofauth(), "ofauth:init", |init| {
        init["parts"][1]["uploadUrl"] = json!("https://store.example/media/part?X-Amz-SignedHeaders=host");
        sign(&mut init["parts"][1]["uploadUrl"]);
    });
    // A bad URL from `sign` is refused before a byte is sent to it.
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
    let upload = world.upload(plan(), json!({}), &world.file("clip.mp4", 12 * MIB));
    world.run();
    assert_eq!((upload.code(), world.count("store:UploadPart")), (Some(Code::PlanMismatch), 0), "{upload:?}");
    // The algorithm's name alone is fine.
    let world = World::new(1);
    world.fault("plan:open", 0, None, Fault::json(|_| ()));
    let upload = world.upload(plan(), json!({}), &world.file("clip.mp4", 12 * MIB));
    world.run();
    world.stored(&upload);
}
