//! What is particular to a plan of the application's own: URLs asked for in batches, ahead of need, and renewed.

use std::collections::BTreeSet;
use std::rc::Rc;

use partway::error::Code;
use partway::model::events::Event;
use partway::platform::Hook;
use partway_simulation::{Fault, Handle, World};
use serde_json::{Value, json};

use crate::dialects::MIB;

pub(crate) fn uploads(world: &World, size: u64) -> Handle {
    let upload = world.upload(json!({ "name": "plan" }), json!({}), &world.file("clip.mp4", size));
    world.run();
    upload
}

fn asked(world: &World) -> Vec<Vec<u64>> {
    let numbers = |record: &partway_simulation::log::Record| {
        let list = record.json.as_ref().unwrap()[1].as_array().unwrap();
        list.iter().map(|number| number.as_u64().unwrap()).collect()
    };
    world.sent("plan:sign").iter().map(numbers).collect()
}

#[test]
fn urls_are_asked_for_in_batches() {
    let world = World::new(1);
    let upload = uploads(&world, 500 * MIB);
    world.stored(&upload);
    let asked = asked(&world);
    let numbers: Vec<u64> = asked.iter().flatten().copied().collect();
    let distinct: BTreeSet<u64> = numbers.iter().copied().collect();
    assert_eq!(numbers.len(), distinct.len(), "each once: {asked:?}");
    assert_eq!(distinct, (3..=100).collect(), "those that open left out");
    assert!(asked.len() <= 20, "{} calls for 98 parts", asked.len());
}

#[test]
fn urls_are_there_before_they_are_needed() {
    let world = World::new(1);
    // A slow backend, and a network on which a part takes longer than a call to it.
    world.line(|line| line.bytes_per_ms = 1_000);
    world.fault("plan:sign", 1, None, Fault::Latency(2_000));
    let upload = uploads(&world, 500 * MIB);
    world.stored(&upload);
    let mut parts: Vec<(u64, u64)> =
        world.sent("store:UploadPart").iter().map(|record| (record.sent_at, record.range.unwrap().start)).collect();
    parts.sort_unstable();
    // From the second batch on no slot waits for a signature.
    let gaps: Vec<u64> = parts[20..].windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    assert!(gaps.iter().max().unwrap() < &5_600, "{gaps:?}");
    let ideal = 500 * MIB / 6 / 1_000;
    assert!(world.elapsed() < ideal * 5 / 4, "{} ms, {ideal} at best", world.elapsed());
}

#[test]
fn without_sign_the_plan_must_have_every_url() {
    let world = World::new(1);
    world.hooks().absent.insert(Hook::SignParts);
    let upload = uploads(&world, 50 * MIB);
    assert_eq!(upload.code(), Some(Code::InvalidOptions));
    assert_eq!(world.count("store:*"), 0);
    assert_eq!(world.servers().store.open_uploads(), [], "the plan is given up");

    let world = World::new(1);
    world.hooks().absent.insert(Hook::SignParts);
    world.servers().backend.first_urls = usize::MAX;
    let upload = uploads(&world, 50 * MIB);
    world.stored(&upload);
}

#[test]
fn parts_missing_in_the_answer_of_sign_are_requested_again() {
    let world = World::new(1);
    world.servers().backend.leaves_out = vec![4, 5];
    let upload = uploads(&world, 50 * MIB);
    world.stored(&upload);
    let numbers: Vec<u64> = asked(&world).into_iter().flatten().collect();
    for number in [4, 5] {
        assert_eq!(numbers.iter().filter(|asked| **asked == number).count(), 2, "{numbers:?}");
    }

    let world = World::new(1);
    let without_four = |list: &mut Value| list.as_array_mut().unwrap().retain(|part| part["partNumber"] != 4);
    world.fault("plan:sign", 0, None, Fault::json(without_four));
    let upload = uploads(&world, 50 * MIB);
    let error = upload.error();
    assert_eq!((error.code, error.part_number), (Code::PlanMismatch, Some(4)), "{upload:?}");
    assert!(error.message.contains("left out part 4 twice"), "{error:?}");
    assert_eq!(world.servers().store.open_uploads(), []);
}

#[test]
fn urls_are_signed_again_before_they_expire() {
    let world = World::new(1);
    world.line(|line| line.bytes_per_ms = 500);
    world.servers().backend.expires_s = 60;
    let upload = uploads(&world, 300 * MIB);
    let result = world.stored(&upload);
    let refused = world.sent("store:UploadPart").iter().filter(|record| record.status == Some(403)).count();
    assert!(refused <= 2, "{refused} ran into it: {upload:?}");
    assert!(result.attempts <= result.parts + 2);
}

#[test]
fn a_url_that_the_store_calls_expired_is_signed_again() {
    for fault in [
        Fault::expired(),
        Fault::answer(403, "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"),
    ] {
        let world = World::new(1);
        world.fault("store:UploadPart", 0, 1, fault.clone());
        let upload = uploads(&world, 50 * MIB);
        let result = world.stored(&upload);
        assert_eq!(result.attempts, result.parts + 1, "{fault:?}");
    }
}

#[test]
fn an_expired_url_that_cannot_be_signed_again_restarts_once() {
    let world = World::new(1);
    world.hooks().absent.insert(Hook::SignParts);
    world.servers().backend.first_urls = usize::MAX;
    let refusal = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>";
    world.fault("store:UploadPart", 2, 1, Fault::answer(403, refusal));
    let upload = uploads(&world, 50 * MIB);
    world.stored(&upload);
    assert_eq!((world.count("plan:open"), world.servers().store.open_uploads().len()), (2, 0), "the first is given up");
}

#[test]
fn headers_that_a_url_signed_are_sent_and_no_others() {
    let world = World::new(1);
    world.servers().backend.headers =
        vec![("x-amz-meta-a".into(), "b".into()), ("content-type".into(), "video/mp4".into())];
    let upload = uploads(&world, 12 * MIB);
    world.stored(&upload);
    for record in world.some_sent("store:UploadPart") {
        assert_eq!((record.header("x-amz-meta-a"), record.header("content-type")), (Some("b"), Some("video/mp4")));
    }
    // A header that the URLs don't sign is refused before a byte is sent.
    let world = World::new(1);
    world.servers().backend.extra = json!({ "headers": { "x-amz-meta-a": "b" } });
    let upload = uploads(&world, 12 * MIB);
    assert_eq!(upload.code(), Some(Code::PlanMismatch), "{upload:?}");
    assert_eq!(world.count("store:*"), 0);
    // So is a signed header for which the plan gives no value.
    let world = World::new(1);
    world.servers().backend.headers = vec![("x-amz-meta-a".into(), "b".into())];
    world.servers().backend.extra = json!({ "headers": {} });
    let upload = uploads(&world, 12 * MIB);
    assert_eq!(upload.code(), Some(Code::PlanMismatch), "{upload:?}");
    assert_eq!(world.count("store:*"), 0);
}

#[test]
fn a_whole_file_sends_its_own_type_only_where_the_url_leaves_it_free() {
    let world = World::new(1);
    let upload = uploads(&world, MIB);
    world.stored(&upload);
    assert_eq!(world.sent("store:PutObject")[0].header("content-type"), Some("video/mp4"));
    let world = World::new(1);
    world.servers().backend.headers = vec![("content-type".into(), "application/x-thing".into())];
    let upload = uploads(&world, MIB);
    world.stored(&upload);
    assert_eq!(world.sent("store:PutObject")[0].header("content-type"), Some("application/x-thing"));
}

#[test]
fn hidden_etags_are_an_error_only_where_they_are_required() {
    for (etags, size, fine) in [
        (json!(null), 12 * MIB, false),
        (json!("optional"), MIB, true),
        (json!("required"), MIB, false),
        (json!("required"), 12 * MIB, false),
    ] {
        let world = World::new(1);
        world.fault("store:*", 0, None, Fault::HideEtag);
        if !etags.is_null() {
            world.servers().backend.extra = json!({ "etags": etags });
        }
        let upload = uploads(&world, size);
        if fine {
            world.stored(&upload);
        } else {
            assert_eq!(upload.code(), Some(Code::EtagNotExposed), "{etags} {size}: {upload:?}");
        }
    }
    // Without `complete` no ETags are needed.
    let world = World::new(1);
    world.hooks().absent.insert(Hook::Complete);
    world.fault("store:*", 0, None, Fault::HideEtag);
    let upload = uploads(&world, 12 * MIB);
    let done = upload.done();
    assert_eq!(done.outcome.key.as_deref(), Some("plans/1-clip.mp4"));
    let hidden = upload.events().iter().all(|(_, event)| !matches!(event, Event::Part(part) if part.etag.is_some()));
    assert!(hidden);
}

#[test]
fn six_gibibytes_go_in_the_right_ranges() {
    const SIZE: u64 = (6 << 30) + 5;
    let world = World::new(1);
    world.line(|line| (line.bytes_per_ms, line.reports) = (100_000, false));
    world.servers().backend.part_size = 64 * MIB;
    let upload = uploads(&world, SIZE);
    let result = world.stored(&upload);
    assert_eq!((result.bytes, result.parts), (SIZE, 97));
}

#[test]
fn clocks_that_differ_are_no_reason_to_fail() {
    for skew in [-7_200_000, 7_200_000] {
        let world = World::new(1);
        world.skew(skew);
        let upload = uploads(&world, 40 * MIB);
        let result = world.stored(&upload);
        assert!(world.count("plan:sign") <= 12, "{skew}: {} calls for 8 parts", world.count("plan:sign"));
        assert_eq!(result.attempts, result.parts);
    }
}

#[test]
fn a_plan_that_is_cancelled_while_it_is_checked_is_given_up() {
    let mut checked = 0;
    for ms in (20..120).step_by(2) {
        let world = World::new(1);
        world.servers().backend.first_urls = 1_000;
        let upload = Rc::new(world.upload(json!({ "name": "plan" }), json!({}), &world.file("clip.mp4", 5_000 * MIB)));
        let late = upload.clone();
        world.after(ms, move || late.cancel());
        world.run();
        if world.sent("plan:open")[0].status.is_none() || world.count("store:UploadPart") > 0 {
            continue;
        }
        checked += 1;
        assert_eq!(upload.error().code, Code::Cancelled);
        assert_eq!(world.count("plan:abort"), 1, "{upload:?}");
        assert_eq!(world.servers().store.open_uploads(), []);
    }
    assert!(checked > 0, "a thousand parts are checked in several turns");
}
