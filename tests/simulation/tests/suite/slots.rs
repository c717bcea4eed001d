//! How many parts go at once where `concurrency` is "auto".

use std::cell::RefCell;
use std::rc::Rc;

use partway_simulation::servers::{STORE, STORE_TWO};
use partway_simulation::{Handle, World};
use serde_json::{Value, json};

use crate::dialects::MIB;

fn s3(key: &str, hosts: &[&str]) -> Value {
    crate::s3::with(json!({ "partSize": 5 * MIB, "multipartThreshold": 5 * MIB, "key": key, "endpoints": hosts }))
}

/// A fast line behind connections of 20 MB/s, six to a host.
fn world() -> Rc<World> {
    let world = World::new(1);
    world.line(|line| (line.bytes_per_ms, line.latency, line.connections) = (20_000, (20, 30), Some(6)));
    Rc::new(world)
}

/// The most requests to that origin at once, calls included.
fn most(world: &World, origin: &str) -> usize {
    world.log().most(origin)
}

#[test]
fn one_upload_takes_the_connections_that_a_browser_has() {
    let world = world();
    let upload = world.upload(s3("a", &[STORE]), json!({}), &world.file("clip.mp4", 300 * MIB));
    world.run();
    assert_eq!(world.stored(&upload).attempts, 60);
    assert_eq!(most(&world, STORE), 6);
}

#[test]
fn each_host_has_connections_of_its_own() {
    let elapsed = |hosts: &[&str]| {
        let world = world();
        let upload = world.upload(s3("a", hosts), json!({}), &world.file("clip.mp4", 1024 * MIB));
        world.run();
        world.stored(&upload);
        (world.elapsed(), most(&world, STORE), most(&world, STORE_TWO))
    };
    let (one, two) = (elapsed(&[STORE]), elapsed(&[STORE, STORE_TWO]));
    assert!(one.0 * 10 > two.0 * 18, "{one:?} {two:?}");
    assert!(two.1 <= 7 && two.2 <= 7, "{two:?}");
}

#[test]
fn the_hosts_of_a_plan_count_as_well() {
    let elapsed = |two: bool| {
        let world = world();
        world.servers().backend.second_host = two.then_some(STORE_TWO);
        let upload = world.upload(json!({ "name": "plan" }), json!({}), &world.file("clip.mp4", 1024 * MIB));
        world.run();
        world.stored(&upload);
        (world.elapsed(), most(&world, STORE), most(&world, STORE_TWO))
    };
    let (one, two) = (elapsed(false), elapsed(true));
    assert!(one.0 * 10 > two.0 * 18, "{one:?} {two:?}");
    assert!(two.1 <= 7 && two.2 <= 7, "{two:?}");
}

#[test]
fn a_connection_is_left_for_the_calls_of_other_uploads() {
    let world = world();
    // Each part takes a minute.
    world.line(|line| line.bytes_per_ms = 90);
    let uploader = Rc::new(world.uploader(json!({})));
    let first = uploader.upload(s3("a", &[STORE]), &world.file("a.mp4", 300 * MIB));
    let late: Rc<RefCell<Vec<Handle>>> = Rc::default();
    for (number, at) in [(1, 150_000), (2, 400_000)] {
        let (world, uploader, late) = (world.clone(), uploader.clone(), late.clone());
        world.clone().after(at, move || {
            let upload = uploader.upload(s3(&number.to_string(), &[STORE]), &world.file("b.mp4", 10 * MIB));
            late.borrow_mut().push(upload);
        });
    }
    world.run();
    world.stored(&first);
    late.borrow().iter().for_each(|upload| drop(world.stored(upload)));
    let waited: Vec<u64> =
        world.sent("store:C*").iter().map(|call| (call.ended_at.unwrap_or_default() - call.sent_at) / 1_000).collect();
    // A call that finds six parts under way waits for the first of them to end; then one connection stays free.
    assert_eq!(waited.iter().filter(|seconds| **seconds > 0).count(), 2, "one of each upload: {waited:?}");
    assert!(waited.iter().all(|seconds| *seconds < 60), "{waited:?}");
}

#[test]
fn no_connection_is_left_where_no_calls_go() {
    // A plan's functions are the application's, and a small file needs no call beside its own request.
    for (provider, size) in [(json!({ "name": "plan" }), 60 * MIB), (s3("a", &[STORE]), MIB)] {
        let world = world();
        let uploader = world.uploader(json!({}));
        let uploads: Vec<Handle> =
            (0..20).map(|_| uploader.upload(provider.clone(), &world.file("clip.mp4", size))).collect();
        world.run();
        uploads.iter().for_each(|upload| drop(upload.done()));
        assert_eq!(most(&world, STORE), 6, "{provider}");
    }
}

#[test]
fn a_shared_connection_gets_more_as_long_as_that_pays() {
    let most_at = |multiplexed: bool, shared: Option<u64>, options: Value| {
        let world = world();
        world.line(|line| {
            (line.connections, line.multiplexed) = (None, multiplexed);
            (line.shared_bytes_per_ms, line.tells_each_ms) = (shared, 50);
        });
        let upload = world.upload(s3("a", &[STORE]), options, &world.file("clip.mp4", 3072 * MIB));
        world.run();
        world.stored(&upload);
        most(&world, STORE)
    };
    assert_eq!(most_at(true, None, json!({})), 16, "each brings its own rate");
    assert!((6..=7).contains(&most_at(true, Some(30_000), json!({}))), "the line is full");
    assert_eq!(most_at(false, None, json!({})), 6, "unknown counts as HTTP/1.1");
    assert_eq!(most_at(true, None, json!({ "concurrency": 3 })), 3, "a number stays");
}
