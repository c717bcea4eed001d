//! A store with two host names, one of which may not work.

use std::rc::Rc;

use partway::error::Code;
use partway_simulation::servers::{BadHost, STORE, STORE_TWO};
use partway_simulation::{Handle, World};
use serde_json::{Value, json};

use crate::dialects::MIB;

fn two(key: &str) -> Value {
    let hosts = [STORE, STORE_TWO];
    crate::s3::with(json!({ "partSize": 5 * MIB, "multipartThreshold": 5 * MIB, "key": key, "endpoints": hosts }))
}

fn upload(world: &World, key: &str) -> Handle {
    let upload = world.upload(two(key), json!({}), &world.file("clip.mp4", 200 * MIB));
    world.run();
    upload
}

/// Requests to a host.
fn sent_to(world: &World, host: &str) -> usize {
    world.log().records.iter().filter(|record| record.url.starts_with(&format!("{host}/"))).count()
}

const BAD: [BadHost; 4] = [BadHost::Refuses, BadHost::Forbidden, BadHost::Gone, BadHost::Falters];

#[test]
fn parts_go_to_both_hosts_where_both_work() {
    let world = World::new(1);
    assert_eq!(world.stored(&upload(&world, "a")).attempts, 40);
    let (one, other) = (sent_to(&world, STORE), sent_to(&world, STORE_TWO));
    assert!((18..=24).contains(&one) && (18..=24).contains(&other), "{one}, {other}");
}

#[test]
fn a_host_that_does_not_work_is_left_out_for_the_page() {
    for bad in BAD {
        let world = World::new(1);
        world.servers().bad_hosts.insert(STORE_TWO, bad);
        world.stored(&upload(&world, "a"));
        let tried = sent_to(&world, STORE_TWO);
        // Those that were under way together; connections that are lost at once are many until another host's success tells.
        assert!((1..=36).contains(&tried), "{bad:?}: {tried}");
        let second = upload(&world, "b");
        assert_eq!(world.stored(&second).attempts, 40, "{bad:?}");
        assert_eq!(sent_to(&world, STORE_TWO), tried, "{bad:?}");
    }
}

#[test]
fn the_next_host_takes_the_calls_of_one_that_does_not_work() {
    for bad in [BadHost::Refuses, BadHost::Forbidden] {
        let world = World::new(1);
        world.servers().bad_hosts.insert(STORE, bad);
        assert_eq!(world.stored(&upload(&world, "a")).attempts, 40, "{bad:?}");
        assert_eq!(sent_to(&world, STORE), 1, "{bad:?}");
    }
}

#[test]
fn where_no_host_works_the_error_is_the_hosts_own() {
    for (bad, code) in [(BadHost::Refuses, Code::Forbidden), (BadHost::Forbidden, Code::Network)] {
        let world = Rc::new(World::new(1));
        world.servers().bad_hosts.extend([(STORE, bad), (STORE_TWO, bad)]);
        let first = upload(&world, "a");
        assert_eq!((first.code(), sent_to(&world, STORE), sent_to(&world, STORE_TWO)), (Some(code), 1, 1), "{first:?}");
        // Neither is left out for that.
        world.servers().bad_hosts.clear();
        world.stored(&upload(&world, "b"));
        assert!(sent_to(&world, STORE) > 15 && sent_to(&world, STORE_TWO) > 15);
    }
}

#[test]
fn a_host_that_stops_to_work_costs_what_is_under_way() {
    for bad in BAD {
        let world = Rc::new(World::new(1));
        world.line(|line| line.bytes_per_ms = 1_000);
        let later = world.clone();
        world.after(10_000, move || later.servers().bad_hosts.extend([(STORE, bad)]));
        let result = world.stored(&upload(&world, "a"));
        assert!(result.attempts <= 64, "{bad:?}: {}", result.attempts);
    }
}
