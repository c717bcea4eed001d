//! Stores that have too much to do: they refuse some of the parts, and aren't asked more often than they can bear.

use std::rc::Rc;

use partway_simulation::{Capacity, Fault, World};
use serde_json::{Value, json};

use crate::dialects::MIB;

fn s3() -> Value {
    crate::s3::with(json!({ "partSize": 5 * MIB, "multipartThreshold": 5 * MIB }))
}

/// What an upload cost.
#[derive(Debug)]
struct Cost {
    requests: usize,
    refused: usize,
    resets: usize,
    ms: u64,
}

/// 1 GiB in parts of 5 MiB over a fast line, to a store that is set up.
fn cost(seed: u64, slots: usize, set_up: impl FnOnce(&Rc<World>)) -> Cost {
    let world = Rc::new(World::new(seed));
    world.line(|line| (line.bytes_per_ms, line.latency) = (20_000, (10, 20)));
    set_up(&world);
    let upload = world.upload(s3(), json!({ "concurrency": slots }), &world.file("clip.mp4", 1024 * MIB));
    world.run();
    world.stored(&upload);
    let parts = world.sent("store:UploadPart");
    let ended_with = |status| parts.iter().filter(|part| part.status == Some(status)).count();
    Cost { requests: parts.len(), refused: ended_with(503), resets: ended_with(0), ms: world.elapsed() }
}

fn at_most(at_once: usize, per_second: usize, retry_after: Option<&'static str>) -> Capacity {
    Capacity { at_once, per_second, retry_after }
}

#[test]
fn what_a_refusal_asks_for_binds_its_request_alone() {
    let world = World::new(1);
    world.fault("store:UploadPart", 4, 1, Fault::status(503).with("retry-after", "5"));
    let upload = world.upload(s3(), json!({ "concurrency": 4 }), &world.file("clip.mp4", 400 * MIB));
    world.run();
    world.stored(&upload);
    let parts = world.sent("store:UploadPart");
    let refused = parts.iter().find(|part| part.status == Some(503)).unwrap();
    let until = refused.ended_at.unwrap() + 5_000;
    let meanwhile: Vec<_> =
        parts.iter().filter(|part| (refused.ended_at.unwrap()..until).contains(&part.sent_at)).collect();
    assert!(meanwhile.len() > 6, "{meanwhile:?}");
    assert!(meanwhile.iter().all(|part| part.range != refused.range), "{meanwhile:?}");
    assert_eq!(parts.len(), 81);
}

#[test]
fn refusals_by_chance_cost_little() {
    for slots in [4, 6] {
        let plain = cost(1, slots, |_| ());
        let mut sum = 0;
        for seed in 1..=10 {
            let faulty = cost(seed, slots, |world| {
                world.chance_of_fault("store:UploadPart", 0.05, 0, None, Fault::status(503).with("retry-after", "1"));
                world.chance_of_fault("store:UploadPart", 0.02, 0, None, Fault::ResetInBody);
            });
            let faults = faulty.refused + faulty.resets;
            assert_eq!(faulty.requests, 205 + faults, "nothing else is repeated: {faulty:?}");
            sum += faulty.ms;
        }
        // 7 % more requests, and a last part that waits 1 to 1.5 s when nothing else is left. (With one wait for all: 2.1 times.)
        assert!(sum / 10 < plain.ms * 5 / 4, "{} ms, {} without faults", sum / 10, plain.ms);
    }
}

/// What an upload takes to stores with a limit, in milliseconds and requests. 205 parts are sent; a page that lets all requests wait at each
/// refusal, halves their number and tries one more as soon as some succeed sends each part three times to a store that takes one at once.
#[test]
fn a_store_with_a_limit_is_neither_hammered_nor_waited_for() {
    for (capacity, ms, requests) in [
        (at_most(1, 1_000, None), 67_899, 243),
        (at_most(1, 1_000, Some("5")), 91_641, 243),
        (at_most(2, 1_000, Some("1")), 55_307, 306),
        (at_most(3, 1_000, None), 37_363, 290),
        (at_most(3, 1_000, Some("1")), 38_900, 290),
        (at_most(5, 1_000, Some("1")), 21_361, 253),
        (at_most(1_000, 2, None), 160_633, 388),
        (at_most(1_000, 2, Some("5")), 621_320, 390),
        (at_most(1_000, 5, Some("1")), 49_787, 286),
        (at_most(1_000, 10, Some("5")), 32_555, 271),
    ] {
        let costs: Vec<_> = (1..=5).map(|seed| cost(seed, 6, |world| world.capacity(capacity.clone()))).collect();
        let mean = |of: fn(&Cost) -> u64| costs.iter().map(of).sum::<u64>() / 5;
        let found = (mean(|cost| cost.ms), mean(|cost| cost.requests as u64));
        assert!(found.0 <= ms * 11 / 10 && found.1 <= requests * 11 / 10, "{found:?} at {capacity:?}");
    }
}

#[test]
fn a_store_that_is_down_for_a_while_is_asked_now_and_then() {
    for (down_ms, retry_after, most) in [(3_000, None, 10), (20_000, None, 13), (20_000, Some("5"), 11)] {
        let cost = cost(1, 6, |world| {
            world.capacity(at_most(0, 0, retry_after));
            let later = world.clone();
            world.after(down_ms, move || later.capacity(None));
        });
        assert!(cost.refused <= most && cost.ms < 2 * down_ms + 10_249, "{cost:?}");
    }
}
