//! Latency and bandwidth, on tokio's paused clock: virtual time passes only when a test advances it, so that slow
//! machines change nothing.

mod common;

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use common::{Sandbox, bytes, head, target_of};
use partway_sandbox::options::Options;
use partway_sandbox::{Running, start};
use serde_json::{Value, json};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, advance};

async fn sandbox() -> (Running, Arc<Sandbox>) {
    let running = start(Options::default()).await.unwrap();
    let addresses = serde_json::to_value(&running.addresses).unwrap();
    (running, Arc::new(Sandbox::in_process(addresses)))
}

/// Runs a client beside the server. While it runs, tokio doesn't advance the clock by itself.
async fn run<T: Send + 'static>(sandbox: &Arc<Sandbox>, client: impl FnOnce(&Sandbox) -> T + Send + 'static) -> T {
    spawn(sandbox, client).await.unwrap()
}

fn spawn<T: Send + 'static>(
    sandbox: &Arc<Sandbox>,
    client: impl FnOnce(&Sandbox) -> T + Send + 'static,
) -> JoinHandle<T> {
    let sandbox = sandbox.clone();
    spawn_blocking(move || client(&sandbox))
}

fn put_url(sandbox: &Sandbox, key: &str) -> String {
    sandbox.sign(&sandbox.credentials(), "PUT", key, &[])
}

/// Advances the clock in small steps until all clients have ended; returns how much virtual time that took.
async fn time_until_end<T>(clients: &[JoinHandle<T>]) -> Duration {
    let started = Instant::now();
    while !clients.iter().all(JoinHandle::is_finished) {
        advance(Duration::from_millis(10)).await;
        // The sockets need a moment of real time for what this step has allowed.
        spawn_blocking(|| std::thread::sleep(Duration::from_millis(1))).await.unwrap();
    }
    started.elapsed()
}

#[tokio::test(start_paused = true)]
async fn latency_delays_a_request_by_exactly_its_time() {
    let (_running, sandbox) = sandbox().await;
    let url = run(&sandbox, |sandbox| {
        sandbox.fault("store:PutObject", json!({ "kind": "latency", "ms": 400 }));
        put_url(sandbox, "delayed")
    })
    .await;
    let delayed = spawn(&sandbox, move |sandbox| sandbox.put(&url, b"x").status);
    let still_waits = |sandbox: &Sandbox| {
        let is_it = |entry: &Value| entry["path"].as_str().unwrap().ends_with("delayed");
        let entry = sandbox.wait_for("store:PutObject", is_it);
        assert_eq!(entry["faults"], json!(["latency"]));
        sandbox.overtake();
        assert_eq!(sandbox.sha256("s3", "delayed").status, 404);
        sandbox.wait_for("store:PutObject", is_it)["endedMs"].is_null()
    };
    assert!(run(&sandbox, still_waits).await);
    advance(Duration::from_millis(399)).await;
    assert!(run(&sandbox, still_waits).await);
    advance(Duration::from_millis(1)).await;
    assert_eq!(delayed.await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn bandwidth_passes_a_body_on_no_faster_until_the_faults_are_replaced() {
    let (_running, sandbox) = sandbox().await;
    let url = run(&sandbox, |sandbox| {
        sandbox.faults(&json!({ "faults": [
            { "route": "store:*", "effect": { "kind": "bandwidth", "bytesPerSecond": 1_000_000 } },
        ] }));
        put_url(sandbox, "k")
    })
    .await;
    let target = url.clone();
    let throttled =
        [spawn(&sandbox, move |sandbox| assert_eq!(sandbox.put(&target, &bytes(1_500_000, 5)).status, 200))];
    let took = time_until_end(&throttled).await;
    assert!(took >= Duration::from_millis(1_500), "{took:?}");
    throttled.into_iter().next().unwrap().await.unwrap();

    // Without the fault, the body needs no time of this clock at all.
    let started = Instant::now();
    let status = run(&sandbox, move |sandbox| {
        sandbox.faults(&json!({}));
        sandbox.put(&url, &bytes(1_500_000, 5)).status
    });
    assert_eq!((status.await, started.elapsed()), (200, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_throttled_body_blocks_its_sender() {
    let (_running, sandbox) = sandbox().await;
    run(&sandbox, |sandbox| {
        let url = put_url(sandbox, "k");
        sandbox.faults(&json!({ "faults": [
            { "route": "store:*", "effect": { "kind": "bandwidth", "bytesPerSecond": 500_000 } },
        ] }));
        let mut stream = common::connect(sandbox.origin("store"));
        socket2::SockRef::from(&stream).set_send_buffer_size(64 * 1024).unwrap();
        let body = bytes(4 << 20, 6);
        stream.write_all(head("PUT", target_of(&url), sandbox.origin("store"), body.len()).as_bytes()).unwrap();
        // The clock stands still, so the body never ends, however long the sender would wait.
        stream.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
        assert!(stream.write_all(&body).is_err(), "the whole body was sent");
        let arrived = sandbox.logged("store:PutObject")[0]["bytes"].as_u64().unwrap();
        assert!((1..1 << 20).contains(&arrived), "{arrived} bytes arrived");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn connections_share_a_line_that_is_shared() {
    let (_running, sandbox) = sandbox().await;
    let urls = run(&sandbox, |sandbox| {
        // The faults of several routes share one line.
        let effect = json!({ "kind": "bandwidth", "bytesPerSecond": 200_000, "shared": true });
        let routes =
            ["store:PutObject", "store:UploadPart"].map(|route| json!({ "route": route, "effect": effect.clone() }));
        sandbox.faults(&json!({ "faults": routes }));
        [0, 1, 2, 3].map(|index| put_url(sandbox, &format!("k{index}")))
    })
    .await;
    let clients = urls.map(|url| spawn(&sandbox, move |sandbox| sandbox.put(&url, &bytes(100_000, 8)).status));
    let took = time_until_end(&clients).await;
    assert!(took >= Duration::from_secs(2), "400 kB at 200 kB/s took {took:?}");
    for client in clients {
        assert_eq!(client.await.unwrap(), 200);
    }
}
