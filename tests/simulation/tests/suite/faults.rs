//! The fault table: each kind of fault on each kind of call of every provider.

use partway::error::Code;
use partway::model::events::Status;
use partway_simulation::{Fault, Handle, World};
use serde_json::json;

use crate::dialects::{DIALECTS, Dialect, MIB, each, of};

/// Every call that a provider makes for a file of that size, in order, each once.
pub(crate) fn routes(dialect: &Dialect, size: u64) -> Vec<&'static str> {
    let world = World::new(1);
    let upload = world.upload(dialect.provider(), json!({}), &world.file("clip.mp4", size));
    world.run();
    world.stored(&upload);
    let mut routes: Vec<&'static str> = Vec::new();
    for record in &world.log().records {
        if !routes.contains(&record.route) {
            routes.push(record.route);
        }
    }
    routes
}

/// Runs one upload with one fault on one route.
fn with_fault(dialect: &Dialect, size: u64, route: &str, skip: u32, fault: Fault) -> (World, Handle) {
    let world = World::new(2);
    world.fault(route, skip, 1, fault);
    let upload = world.upload(dialect.provider(), json!({ "concurrency": 2 }), &world.file("clip.mp4", size));
    world.run();
    (world, upload)
}

/// Functions of the application that aren't tried again: the caller's own server may have acted (`open`, `complete`).
pub(crate) fn is_hook(route: &str) -> bool {
    route.starts_with("plan:") || route.starts_with("hook:") || route == "credentials"
}

#[test]
fn a_503_with_retry_after_is_waited_out() {
    each(|dialect| {
        for size in [MIB, dialect.large] {
            for route in routes(dialect, size).into_iter().filter(|route| !is_hook(route)) {
                let fault = Fault::status(503).with("retry-after", "7");
                let (world, upload) = with_fault(dialect, size, route, 0, fault);
                if dialect.is_form && route == dialect.part {
                    assert_eq!(upload.code(), Some(Code::OutcomeUnknown), "a 5xx is a lost answer: {upload:?}");
                    continue;
                }
                world.stored(&upload);
                if route == "ofauth:check" {
                    continue; // passed over
                }
                let sent = world.sent(route);
                let waited = sent[1..].iter().filter(|record| record.sent_at > sent[0].sent_at + 7_000).count();
                assert!(waited > 0, "{route}: the wish was not heard\n{upload:?}");
            }
        }
    });
}

#[test]
fn a_429_with_retry_after_is_waited_out() {
    each(|dialect| {
        for size in [MIB, dialect.large] {
            for route in routes(dialect, size).into_iter().filter(|route| !is_hook(route)) {
                let fault = Fault::status(429).with("retry-after", "5");
                let (world, upload) = with_fault(dialect, size, route, 0, fault);
                world.stored(&upload);
                if route == "ofauth:check" {
                    continue;
                }
                let sent = world.sent(route);
                let waited = sent[1..].iter().filter(|record| record.sent_at > sent[0].sent_at + 5_000).count();
                assert!(waited > 0, "{route}: the wish was not heard\n{upload:?}");
                assert_eq!(world.effects(route) as usize, sent.len() - 1);
            }
        }
    });
}

#[test]
fn a_short_retry_after_does_not_shorten_the_backoff() {
    each(|dialect| {
        for (status, wish) in [(503, "0"), (429, "0"), (503, "Wed, 29 Apr 2020 10:00:00 GMT")] {
            // A store that recovers after six seconds.
            let world = std::rc::Rc::new(World::new(4));
            world.fault("store:*", 0, None, Fault::status(status).with("retry-after", wish));
            let later = world.clone();
            world.after(6_000, move || later.mend());
            let upload = world.upload(dialect.provider(), json!({}), &world.file("clip.mp4", dialect.large));
            world.run();
            world.stored(&upload);
            let refused = world.sent("store:*").iter().filter(|record| record.status == Some(status)).count();
            assert!(refused <= 40, "{refused} requests in 6 s\n{upload:?}");
        }
    });
}

#[test]
fn a_vendor_that_says_wait_for_no_time_is_not_asked_without_a_pause() {
    of(
        |dialect| dialect.init.is_some_and(|init| !is_hook(init)),
        |dialect| {
            let route = dialect.init.unwrap_or_default();
            let world = std::rc::Rc::new(World::new(4));
            world.fault(route, 0, None, Fault::status(429).with("retry-after", "0"));
            let later = world.clone();
            world.after(6_000, move || later.mend());
            let upload = world.upload(dialect.provider(), json!({}), &world.file("clip.mp4", dialect.large));
            world.run();
            world.stored(&upload);
        },
    );
}

#[test]
fn a_retry_after_beyond_five_minutes_ends_as_rate_limited() {
    each(|dialect| {
        for route in [dialect.part, dialect.complete.unwrap_or(dialect.part)] {
            if is_hook(route) {
                continue;
            }
            let fault = Fault::status(429).with("retry-after", "301");
            let (world, upload) = with_fault(dialect, dialect.large, route, 0, fault);
            let error = upload.error();
            assert_eq!((error.code, error.retryable), (Code::RateLimited, true), "{upload:?}");
            assert!(world.elapsed() < 200_000, "it didn't wait");
        }
    });
}

#[test]
fn always_refused_it_ends_after_eight_attempts_with_that_error() {
    of(
        |dialect| !dialect.is_form,
        |dialect| {
            let world = World::new(3);
            world.fault(dialect.part, 0, None, Fault::status(500));
            let upload =
                world.upload(dialect.provider(), json!({ "concurrency": 1 }), &world.file("clip.mp4", dialect.large));
            world.run();
            let error = upload.error();
            assert_eq!((error.code, error.status, error.retryable), (Code::Server, Some(500), true), "{upload:?}");
            let sent = world.sent(dialect.part);
            let mut attempts = std::collections::BTreeMap::<u64, u32>::new();
            for record in &sent {
                *attempts.entry(record.range.map_or(0, |range| range.start)).or_default() += 1;
            }
            let failed = attempts.values().nth(error.part_number.unwrap_or(1) as usize - 1);
            assert_eq!(failed, Some(&8), "its attempts are its own: {upload:?}");
            assert!(attempts.values().all(|attempts| *attempts <= 8), "{attempts:?}");
        },
    );
}

#[test]
fn a_reset_before_the_effect_costs_a_repetition() {
    each(|dialect| {
        for size in [MIB, dialect.large] {
            for route in routes(dialect, size).into_iter().filter(|route| !is_hook(route)) {
                let (world, upload) = with_fault(dialect, size, route, 0, Fault::ResetBefore);
                if dialect.is_form && route == dialect.part {
                    assert_eq!(upload.code(), Some(Code::OutcomeUnknown), "the whole body had gone out");
                    continue;
                }
                world.stored(&upload);
                // Whether the file is there already is asked once: without an answer it is uploaded.
                assert_eq!(world.count(route) >= 2, route != "ofauth:check", "{route}: {upload:?}");
            }
        }
    });
}

#[test]
fn a_reset_in_the_body_costs_that_part_again_and_no_other() {
    each(|dialect| {
        for (size, route) in [(MIB, dialect.single), (dialect.large, dialect.part)] {
            let (world, upload) = with_fault(dialect, size, route, 0, Fault::ResetInBody);
            let result = world.stored(&upload);
            assert_eq!(result.attempts, result.parts + 1, "{upload:?}");
            assert_eq!(world.effects(route), result.parts, "{upload:?}");
        }
    });
}

#[test]
fn a_stall_is_noticed_and_the_part_sent_again() {
    each(|dialect| {
        for (size, route) in [(MIB, dialect.single), (dialect.large, dialect.part)] {
            let (world, upload) = with_fault(dialect, size, route, 0, Fault::StallInBody);
            let result = world.stored(&upload);
            assert_eq!(result.attempts, result.parts + 1, "{upload:?}");
            assert!((30_000..120_000).contains(&world.elapsed()), "{} ms", world.elapsed());
        }
    });
}

#[test]
fn a_part_that_stalls_again_has_more_time_at_each_attempt() {
    of(
        |dialect| dialect.name == "s3",
        |dialect| {
            let world = World::new(2);
            world.fault(dialect.single, 0, 3, Fault::StallInBody);
            let options = json!({ "retry": { "baseMs": 1, "capMs": 1 } });
            let upload = world.upload(dialect.provider(), options, &world.file("clip.mp4", MIB));
            world.run();
            world.stored(&upload);
            let sent = world.sent(dialect.single);
            for (at, least) in [(0, 30_000), (1, 60_000), (2, 90_000)] {
                let lasted = sent[at + 1].sent_at - sent[at].sent_at;
                assert!((least..least + 20_000).contains(&lasted), "attempt {at}: {lasted} ms");
            }
        },
    );
}

#[test]
fn an_answer_that_never_comes_times_out() {
    each(|dialect| {
        for size in [MIB, dialect.large] {
            for route in routes(dialect, size).into_iter().filter(|route| !is_hook(route)) {
                let (world, upload) = with_fault(dialect, size, route, 0, Fault::StallAnswer);
                if dialect.is_form && route == dialect.part {
                    assert_eq!(upload.code(), Some(Code::OutcomeUnknown), "{upload:?}");
                    let servers = world.servers();
                    assert_eq!(servers.apifansly.uploads_accepted() + servers.form.forms_taken(), 1);
                    continue;
                }
                world.stored(&upload);
            }
        }
    });
}

#[test]
fn a_lost_answer_never_makes_a_second_file() {
    each(|dialect| {
        for size in [MIB, dialect.large] {
            for route in routes(dialect, size) {
                let (world, upload) = with_fault(dialect, size, route, 0, Fault::ResetAfter);
                let servers = world.servers();
                assert!(servers.ofauth.vault_entries() <= 1, "{route}: {upload:?}");
                assert!(servers.onlymonster.exports() <= 1, "{route}: {upload:?}");
                assert!(servers.apifansly.uploads_accepted() <= 1, "{route}: {upload:?}");
                assert!(servers.form.forms_taken() <= 1, "{route}: {upload:?}");
                drop(servers);
                match route {
                    form if dialect.is_form && form == dialect.part => {
                        assert_eq!(upload.code(), Some(Code::OutcomeUnknown), "{upload:?}")
                    }
                    "plan:sign" | "credentials" => drop(world.stored(&upload)),
                    // Only the application may repeat a call to its own server.
                    hook if is_hook(hook) => assert_eq!(upload.code(), Some(Code::Application), "{upload:?}"),
                    _ => drop(world.stored(&upload)),
                }
            }
        }
    });
}

#[test]
fn requests_that_the_browser_repeats_take_effect_once_behind_a_proxy() {
    each(|dialect| {
        for size in [MIB, dialect.large] {
            for route in routes(dialect, size).into_iter().filter(|route| !is_hook(route)) {
                let (world, upload) = with_fault(dialect, size, route, 0, Fault::Twice);
                world.stored(&upload);
                let servers = world.servers();
                assert!(servers.ofauth.vault_entries() <= 1 && servers.ofauth.sessions_opened() <= 1, "{route}");
                assert!(servers.onlymonster.exports() <= 1 && servers.onlymonster.uploads_started() <= 1, "{route}");
                assert!(servers.apifansly.uploads_accepted() <= 1, "{route}");
                assert!(servers.form.forms_taken() <= 1, "{route}");
            }
        }
    });
}

#[test]
fn a_hidden_etag_is_named_where_it_is_needed() {
    each(|dialect| {
        for (size, route) in [(MIB, dialect.single), (dialect.large, dialect.part)] {
            let (world, upload) = with_fault(dialect, size, route, 0, Fault::HideEtag);
            // A single PUT is complete without its ETag, except that Onlymonster's export needs it.
            let needed = dialect.needs_etag && (size > MIB || dialect.name == "onlymonster");
            if !needed {
                world.stored(&upload);
                continue;
            }
            let error = upload.error();
            assert_eq!(error.code, Code::EtagNotExposed, "{upload:?}");
            let hint = error.hint.clone().unwrap_or_default();
            assert!(hint.contains("ExposeHeaders") && hint.contains("https://app.example"), "{hint}");
            let ranges: Vec<_> = world.sent(route).iter().map(|record| record.range.map(|range| range.start)).collect();
            let distinct: std::collections::BTreeSet<_> = ranges.iter().collect();
            assert_eq!(ranges.len(), distinct.len(), "no repetition mends that: {upload:?}");
        }
    });
}

#[test]
fn the_status_waiting_is_emitted_for_retry_after() {
    let calls = ["ofauth:init", "onlymonster:start", "apifansly:status", "form:status", "store:CreateMultipartUpload"];
    of(
        |dialect| dialect.name != "plan",
        |dialect| {
            for route in calls {
                let (_, upload) =
                    with_fault(dialect, dialect.large, route, 0, Fault::status(429).with("retry-after", "4"));
                let waits = upload.statuses().contains(&Status::Waiting);
                assert_eq!(waits, routes(dialect, dialect.large).contains(&route), "{upload:?}");
            }
        },
    );
}

#[test]
fn the_status_waiting_is_for_waits_of_a_second_that_a_server_asks_for_while_nothing_is_sent() {
    let s3 = DIALECTS.iter().find(|dialect| dialect.name == "s3").unwrap();
    let waits = |size, times, fault: Fault| {
        let world = World::new(2);
        world.fault(if size == MIB { s3.single } else { s3.part }, 0, times, fault);
        let upload = world.upload(s3.provider(), json!({ "concurrency": 2 }), &world.file("clip.mp4", size));
        world.run();
        world.stored(&upload);
        upload.statuses().contains(&Status::Waiting)
    };
    assert!(waits(MIB, 1, Fault::status(503).with("retry-after", "1")));
    assert!(!waits(MIB, 1, Fault::status(503).with("retry-after", "0")));
    assert!(!waits(MIB, 6, Fault::ResetInBody), "nobody asked for it");
    assert!(!waits(s3.large, 1, Fault::status(503).with("retry-after", "1")), "another part is in flight");
}

#[test]
fn a_file_that_changes_on_the_way_is_named_as_such() {
    each(|dialect| {
        let world = World::new(5);
        let file = world.file("clip.mp4", dialect.large);
        world.fault(dialect.part, 0, 1, Fault::ResetInBody);
        let upload = world.upload(dialect.provider(), json!({}), &file);
        upload.when_status(Status::Sending, move |upload| upload.file().spoil());
        world.run();
        let error = upload.error();
        assert_eq!((error.code, error.retryable), (Code::FileChanged, false), "{upload:?}");
    });
}

#[test]
fn a_line_that_loses_a_fifth_of_everything_still_delivers() {
    of(
        |dialect| !dialect.is_form,
        |dialect| {
            for seed in 0..20 {
                let world = World::new(seed);
                world.chance_of_fault("store:*", 0.1, 0, None, Fault::ResetBefore);
                world.chance_of_fault("store:*", 0.1, 0, None, Fault::ResetInBody);
                world.chance_of_fault("o*", 0.1, 0, None, Fault::ResetBefore);
                world.chance_of_fault("o*", 0.1, 0, None, Fault::ResetAfter);
                let uploader = world.uploader(json!({ "concurrency": 3 }));
                let uploads: Vec<_> = (0..3)
                    .map(|index| {
                        uploader.upload(dialect.provider_for(&format!("{index}")), &world.file("a.mp4", dialect.large))
                    })
                    .collect();
                world.run();
                for upload in &uploads {
                    world.stored(upload);
                }
                assert!(world.servers().onlymonster.exports() <= 3 && world.servers().ofauth.vault_entries() <= 3);
            }
        },
    );
}
