//! What is particular to Onlymonster: two shapes of start, finish by ids, the export, its polling and its rate limit.

use partway::error::{Code, Step};
use partway::model::events::{Event, Status};
use partway_models::onlymonster::{End, Stage};
use partway_simulation::{Fault, Handle, World};
use serde_json::{Value, json};

use crate::dialects::MIB;

pub(crate) fn provider() -> Value {
    json!({ "name": "onlymonster", "baseUrl": "/api/onlymonster", "accountId": "1001", "exportType": "post" })
}

pub(crate) fn with(members: Value) -> Value {
    let mut provider = provider();
    for (name, value) in members.as_object().unwrap() {
        provider[name] = value.clone();
    }
    provider
}

fn uploads(world: &World, provider: Value, size: u64) -> Handle {
    let upload = world.upload(provider, json!({}), &world.file("clip.mp4", size));
    world.run();
    upload
}

#[test]
fn the_shape_of_start_decides_not_the_size() {
    let world = World::new(1);
    world.servers().onlymonster.config.multipart_threshold = 1 << 40;
    let upload = uploads(&world, provider(), 900 * MIB);
    assert_eq!(world.stored(&upload).parts, 1);
    assert_eq!((world.count("store:PutObject"), world.count("onlymonster:finish")), (1, 0));

    let world = World::new(1);
    world.servers().onlymonster.config.multipart_threshold = 1;
    let upload = uploads(&world, provider(), MIB);
    assert_eq!(world.stored(&upload).parts, 1);
    assert_eq!((world.count("store:UploadPart"), world.count("onlymonster:finish")), (1, 1));
}

#[test]
fn parts_are_cut_by_the_rule() {
    for (size, offered, sizes) in [
        (30 * MIB, 3, vec![10 * MIB; 3]),
        (31 * MIB, 3, vec![31 * MIB / 3 + 1, 31 * MIB / 3 + 1, 31 * MIB - 2 * (31 * MIB / 3 + 1)]),
        (17 * MIB, 10, vec![5 * MIB, 5 * MIB, 5 * MIB, 2 * MIB]),
        (20 * MIB, 10, vec![5 * MIB; 4]),
        (16 * MIB, 1, vec![16 * MIB]),
    ] {
        let world = World::new(1);
        world.servers().onlymonster.config.part_count = Some(offered);
        world.servers().vault.config.equal_parts = true;
        let upload = uploads(&world, provider(), size);
        world.stored(&upload);
        let mut ranges: Vec<_> = world.sent("store:UploadPart").iter().map(|record| record.range.unwrap()).collect();
        ranges.sort_by_key(|range| range.start);
        assert_eq!(ranges.iter().map(|range| range.len()).collect::<Vec<_>>(), sizes, "{size} in {offered}");
    }
}

#[test]
fn sizes_that_a_reply_gives_win() {
    let world = World::new(1);
    world.servers().onlymonster.config.part_count = Some(3);
    let sizes = [6 * MIB, 8 * MIB, 3 * MIB];
    let give = move |reply: &mut Value| {
        for (part, size) in reply["parts"].as_array_mut().unwrap().iter_mut().zip(sizes) {
            part["size"] = json!(size);
        }
    };
    world.fault("onlymonster:start", 0, 1, Fault::json(give));
    let upload = uploads(&world, provider(), 17 * MIB);
    world.stored(&upload);
    let mut ranges: Vec<_> = world.sent("store:UploadPart").iter().map(|record| record.range.unwrap()).collect();
    ranges.sort_by_key(|range| range.start);
    assert_eq!(ranges.iter().map(|range| range.len()).collect::<Vec<_>>(), sizes);
}

#[test]
fn parts_are_finished_by_the_ids_that_start_gave() {
    let world = World::new(1);
    world.servers().onlymonster.config.first_part_id = 41;
    // The reply's order isn't that of the numbers.
    world.fault("onlymonster:start", 0, 1, Fault::json(|reply| reply["parts"].as_array_mut().unwrap().reverse()));
    let upload = uploads(&world, provider(), 24 * MIB);
    world.stored(&upload);
    let body = world.sent("onlymonster:finish")[0].json.clone().unwrap();
    let ids: Vec<_> = body["parts"].as_array().unwrap().iter().map(|part| part["part"].as_u64().unwrap()).collect();
    assert_eq!(ids, [41, 42, 43]);
    assert!(body["parts"][0]["e_tag"].as_str().unwrap().starts_with('"'), "as the header had it: {body}");
    assert!(body["key"].is_string() && body["upload_id"].is_string());
}

#[test]
fn quotes_of_etags_go_only_where_the_caller_wants_them_gone() {
    for (strip, size) in [(true, MIB), (false, MIB), (true, 24 * MIB), (false, 24 * MIB)] {
        let world = World::new(1);
        let upload = uploads(&world, with(json!({ "stripEtagQuotes": strip })), size);
        world.stored(&upload);
        let mut etags = Vec::new();
        if size > MIB {
            let body = world.sent("onlymonster:finish")[0].json.clone().unwrap();
            etags.extend(body["parts"].as_array().unwrap().iter().map(|part| part["e_tag"].clone()));
        } else {
            etags.push(world.sent("onlymonster:export")[0].json.as_ref().unwrap()["e_tag"].clone());
        }
        assert!(etags.iter().all(|etag| etag.as_str().unwrap().starts_with('"') != strip), "{etags:?}");
    }
}

#[test]
fn the_export_gives_back_what_start_and_finish_gave() {
    for size in [MIB, 24 * MIB] {
        let world = World::new(1);
        let get_url = "https://vault.example/a%20b/%7Ec?x=%2F&X-Amz-Signature=ab%2Bcd==&y=é";
        world.fault("onlymonster:start", 0, 1, Fault::json(move |reply| reply["get_url"] = json!(get_url)));
        uploads(&world, with(json!({ "exportType": "message", "exportFanId": "7001" })), size);
        let body = world.sent("onlymonster:export")[0].json.clone().unwrap();
        assert_eq!(body["get_url"], get_url, "to the last character");
        assert_eq!((&body["export_type"], &body["export_fan_id"]), (&json!("message"), &json!("7001")));
    }
}

#[test]
fn a_fans_link_is_verified_before_anything_is_opened() {
    let world = World::new(1);
    let upload = uploads(&world, with(json!({ "fanLink": "https://onlyfans.com/alice" })), MIB);
    world.stored(&upload);
    assert_eq!(world.log().records[0].route, "onlymonster:verify-fan");
    assert_eq!(world.sent("onlymonster:export")[0].json.as_ref().unwrap()["export_fan_id"], "7001");

    let world = World::new(1);
    let upload = uploads(&world, with(json!({ "fanLink": "https://onlyfans.com/nobody" })), MIB);
    let error = upload.error();
    assert_eq!(error.step, Some(Step::VerifyFan), "{upload:?}");
    assert_eq!(world.log().records.len(), 1, "nothing was opened");
}

#[test]
fn options_that_cannot_work_are_said_at_once() {
    for members in [
        json!({ "accountId": 1001 }),
        json!({ "exportType": null }),
        json!({ "requestsPerSecond": "1" }),
        json!({ "baseUrl": "http://proxy.example" }),
        json!({ "token": "secret" }),
    ] {
        let world = World::new(1);
        let upload = uploads(&world, with(members.clone()), MIB);
        assert_eq!(upload.code(), Some(Code::InvalidOptions), "{members}");
        assert_eq!(world.log().records.len(), 0);
    }
}

#[test]
fn polls_slow_down_from_two_seconds_to_thirty_with_jitter() {
    let world = World::new(1);
    world.servers().onlymonster.config.processing_ms = 8 * 60_000;
    let upload = uploads(&world, with(json!({ "stuckAfterMs": 3_600_000 })), MIB);
    world.stored(&upload);
    let polls = world.sent("onlymonster:list");
    let export = world.sent("onlymonster:export")[0].sent_at;
    let times: Vec<u64> = [export].into_iter().chain(polls.iter().map(|poll| poll.sent_at)).collect();
    let gaps: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (gap, rhythm) in gaps.iter().zip([2_000, 4_000, 8_000, 16_000].into_iter().chain([30_000; 99])) {
        // The network's delay for an answer is added.
        assert!((rhythm * 3 / 4..=rhythm * 5 / 4 + 200).contains(gap), "{gap} where {rhythm} is due: {gaps:?}");
    }
    let late: std::collections::BTreeSet<_> = gaps[4..].iter().collect();
    assert!(late.len() > 5, "no jitter: {gaps:?}");
}

#[test]
fn never_more_than_three_requests_arrive_in_any_second() {
    let world = World::new(1);
    world.line(|line| line.latency = (5, 150));
    world.servers().onlymonster.config.accounts.push("1002".into());
    // The limit is the token's, over all uploaders and accounts.
    let (one, two) = (world.uploader(json!({})), world.uploader(json!({})));
    let uploads: Vec<_> = (0..24)
        .map(|index| {
            let (by, account) = if index % 2 == 0 { (&one, "1001") } else { (&two, "1002") };
            let file = world.file("clip.mp4", if index % 5 == 0 { 20 * MIB } else { MIB });
            by.upload(with(json!({ "accountId": account })), &file)
        })
        .collect();
    world.run();
    for upload in &uploads {
        world.stored(upload);
    }
    let mut arrived: Vec<u64> = world.sent("onlymonster:*").iter().filter_map(|record| record.arrived_at).collect();
    arrived.sort_unstable();
    assert!(arrived.windows(4).all(|four| four[3] - four[0] >= 1_000), "four in a second");
    assert!(world.some_sent("onlymonster:*").iter().all(|record| record.status != Some(429)));
    let busy = arrived.len() as f64 * 1000.0 / (arrived[arrived.len() - 1] - arrived[0]) as f64;
    assert!(busy > 1.0, "{busy} a second: the pace is hardly used");
}

#[test]
fn another_rate_is_the_callers_to_set() {
    for (rate, calls, within) in [(json!(1), 1, 1_000), (json!(0.5), 1, 2_000), (json!(2.5), 3, 1_200)] {
        let world = World::new(1);
        let uploader = world.uploader(json!({}));
        let options = with(json!({ "requestsPerSecond": rate }));
        let uploads: Vec<_> = (0..5).map(|_| uploader.upload(options.clone(), &world.file("clip.mp4", MIB))).collect();
        world.run();
        for upload in &uploads {
            world.stored(upload);
        }
        let mut arrived: Vec<u64> = world.sent("onlymonster:*").iter().filter_map(|record| record.arrived_at).collect();
        arrived.sort_unstable();
        assert!(arrived.windows(calls + 1).all(|more| more[calls] - more[0] >= within), "{rate}: {arrived:?}");
    }
}

#[test]
fn a_stuck_upload_is_retried_once_for_each_state() {
    for stage in [Stage::Uploaded, Stage::Processed] {
        let world = World::new(1);
        world.servers().onlymonster.config.stuck_in = Some(stage);
        let upload = uploads(&world, provider(), MIB);
        world.stored(&upload);
        let retries = world.sent("onlymonster:retry");
        assert_eq!(retries.len(), 1, "{upload:?}");
        let after = retries[0].sent_at - world.sent("onlymonster:export")[0].sent_at;
        assert!((180_000..260_000).contains(&after), "after {after} ms");
        assert!(!retries[0].url.contains("uploads//"), "{}", retries[0].url);
    }
    let world = World::new(1);
    world.servers().onlymonster.config.stuck_in = Some(Stage::Uploaded);
    world.fault("onlymonster:retry", 0, None, Fault::status(409));
    let upload = uploads(&world, provider(), MIB);
    assert_eq!(upload.code(), Some(Code::ProcessingTimeout));
    assert_eq!(world.count("onlymonster:retry"), 1, "once, though it was refused");
}

#[test]
fn processing_that_goes_on_too_long_ends_with_a_timeout() {
    let world = World::new(1);
    world.servers().onlymonster.config.processing_ms = 3_600_000;
    let upload = uploads(&world, provider(), MIB);
    let error = upload.error();
    assert_eq!((error.code, error.step, error.retryable), (Code::ProcessingTimeout, Some(Step::Status), true));
    assert!((900_000..960_000).contains(&world.elapsed()), "{}", world.elapsed());

    let world = World::new(1);
    world.servers().onlymonster.config.processing_ms = 3_600_000;
    let upload = uploads(&world, with(json!({ "pollTimeoutMs": 10_000 })), MIB);
    assert_eq!(upload.code(), Some(Code::ProcessingTimeout));
    assert!(world.elapsed() < 20_000);
}

#[test]
fn failed_and_unprocessable_end_it() {
    for (end, code, retryable) in
        [(End::Failed, Code::ProcessingFailed, true), (End::Unprocessable, Code::Unprocessable, false)]
    {
        let world = World::new(1);
        world.servers().onlymonster.config.end = end;
        let upload = uploads(&world, provider(), MIB);
        let error = upload.error();
        assert_eq!((error.code, error.retryable), (code, retryable), "{upload:?}");
        assert_eq!((world.count("onlymonster:retry"), world.count("onlymonster:start")), (0, 1));
    }
}

#[test]
fn a_list_that_fails_for_a_while_ends_nothing() {
    let world = World::new(1);
    world.fault("onlymonster:list", 0, 30, Fault::status(503));
    let upload = uploads(&world, provider(), MIB);
    world.stored(&upload);
}

#[test]
fn states_may_be_skipped_and_unknown_ones_are_waited_out() {
    let world = World::new(1);
    world.servers().onlymonster.config.processing_ms = 20_000;
    let strange = |list: &mut Value| {
        for record in list["items"].as_array_mut().unwrap() {
            record["status"] = json!("pondering");
        }
    };
    world.fault("onlymonster:list", 0, 2, Fault::json(strange));
    let upload = uploads(&world, provider(), MIB);
    world.stored(&upload);
}

#[test]
fn a_webhooks_status_ends_the_polling() {
    let world = std::rc::Rc::new(World::new(1));
    world.servers().onlymonster.config.processing_ms = 3_600_000;
    let upload = world.upload(provider(), json!({}), &world.file("clip.mp4", MIB));
    let later = world.clone();
    upload.when_status(Status::Processing, move |upload| {
        let (one, two, three) = (upload.clone(), upload.clone(), upload.clone());
        later.after(3_000, move || one.notify(json!({ "media_upload_id": "another", "status": "failed" })));
        let whole = json!({ "type": "vault.media_upload.updated", "payload": { "media_upload_id": "another", "status": "failed" } });
        later.after(3_500, move || two.notify(whole));
        later.after(4_000, move || three.notify(json!({ "status": "exported", "media_id": "3900000001" })));
    });
    world.run();
    assert_eq!(upload.done().outcome.media_id.as_deref(), Some("3900000001"));
    assert!(world.elapsed() < 10_000, "{}", world.elapsed());
}

/// Uploads that others have exported before.
fn others(world: &World, count: usize) {
    let uploader = world.uploader(json!({ "concurrency": 16 }));
    for _ in 0..count {
        uploader.upload(with(json!({ "requestsPerSecond": 1000 })), &world.file("other.mp4", MIB));
    }
    world.servers().onlymonster.config.requests_per_second = 1000;
    world.run();
}

/// A list of pages of ten on which the record isn't the first one, since others come after it.
fn behind_others(world: &World, newer: usize) -> Handle {
    others(world, 3);
    world.servers().onlymonster.config.processing_ms = 60_000;
    let upload = world.upload(provider(), json!({}), &world.file("clip.mp4", MIB));
    while world.effects("onlymonster:export") < 4 {
        world.run_for(10);
    }
    others(world, newer);
    upload
}

#[test]
fn a_record_is_found_however_few_a_page_has() {
    for (cap, refuses) in [(None, false), (Some(10), false), (Some(10), true), (Some(7), false), (Some(1), false)] {
        let world = World::new(1);
        {
            let config = &mut world.servers().onlymonster.config;
            (config.list_cap, config.list_refuses) = (cap, refuses);
        }
        let upload = behind_others(&world, 25);
        world.stored(&upload);
        let lists = world.sent("onlymonster:list");
        let of_it = lists.iter().filter(|list| list.upload == upload.number()).count();
        // Some eight polls: only the first one has to look for it page by page.
        let pages = cap.map_or(1, |cap| 25 / cap + 2);
        assert!(of_it <= 16 + pages, "{of_it} of {pages} pages, cap {cap:?}");
        assert!(lists.iter().filter(|list| list.status == Some(400)).count() <= 29, "one refusal for each upload");
    }
}

#[test]
fn a_list_that_ignores_the_offset_ends() {
    for cap in [None, Some(10)] {
        let world = World::new(1);
        {
            let config = &mut world.servers().onlymonster.config;
            (config.list_cap, config.list_ignores_offset) = (cap, true);
        }
        others(&world, 12);
        // After a lost answer the list is read to its end.
        world.fault("onlymonster:export", 0, 1, Fault::ResetBefore);
        let upload = uploads(&world, with(json!({ "requestsPerSecond": 1000 })), MIB);
        world.stored(&upload);
        let lists = world.sent("onlymonster:list");
        let of_it = lists.iter().filter(|list| list.upload == upload.number()).count();
        assert!(of_it <= 12, "{of_it}: {upload:?}");
    }
}

/// The vendor's page on webhooks: the payload has no media id, so the list gives it.
#[test]
fn what_a_webhook_sent_is_taken_whole() {
    for (status, code) in [("exported", None), ("failed", Some(Code::ProcessingFailed))] {
        let world = std::rc::Rc::new(World::new(1));
        world.servers().onlymonster.config.processing_ms = 100_000;
        let upload = world.upload(provider(), json!({}), &world.file("clip.mp4", MIB));
        let later = world.clone();
        upload.when_status(Status::Processing, move |upload| {
            let (world, upload) = (later.clone(), upload.clone());
            later.after(100_500, move || {
                let id = world.servers().onlymonster.record_ids()[0].to_string();
                let payload = json!({ "media_upload_id": id, "status": status, "updated_at": "2026-04-29T10:00:00Z" });
                upload.notify(json!({ "type": "vault.media_upload.updated", "payload": payload }));
            });
        });
        world.run();
        assert_eq!(upload.code(), code, "{upload:?}");
        assert!(world.elapsed() < 104_000, "{} ms: the next poll is due later", world.elapsed());
    }
}

#[test]
fn exported_without_an_id_has_the_list_read_at_once() {
    let world = std::rc::Rc::new(World::new(1));
    world.servers().onlymonster.config.processing_ms = 100_000;
    let upload = world.upload(provider(), json!({}), &world.file("clip.mp4", MIB));
    let later = world.clone();
    upload.when_status(Status::Processing, move |upload| {
        let upload = upload.clone();
        later.after(100_500, move || upload.notify(json!({ "status": "exported", "media_id": null })));
    });
    world.run();
    world.stored(&upload);
    let told = upload.events().iter().rev().find(|(_, event)| matches!(event, Event::Complete(_))).unwrap().0;
    let last = world.sent("onlymonster:list").last().unwrap().sent_at;
    assert!(told - last < 500);
    let export = world.sent("onlymonster:export")[0].sent_at;
    assert!(last - export < 103_000, "at once, not with the next poll: {}", last - export);
}
