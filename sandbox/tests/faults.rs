//! Every kind of fault, as a client sees it.

mod common;

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use common::{Sandbox, bytes, element, exchange, head, now, target_of};
use serde_json::{Value, json};

const ORIGIN: (&str, &str) = ("origin", "http://localhost:1");

fn put_url(sandbox: &Sandbox, key: &str) -> String {
    sandbox.sign(&sandbox.credentials(), "PUT", key, &[])
}

/// What a lost connection looks like: no answer, whatever the client calls it.
fn is_lost(sandbox: &Sandbox, url: &str, body: &[u8]) -> bool {
    sandbox.request("PUT", url, &[], body).is_err()
}

#[test]
fn a_status_comes_instead_of_the_effect_as_often_as_it_is_told() {
    let sandbox = common::start();
    let url = put_url(&sandbox, "k");
    sandbox.faults(&json!({ "faults": [{ "route": "store:PutObject", "skip": 1, "times": 2, "effect": {
        "kind": "status", "status": 503, "headers": { "retry-after": "1" }, "body": "<Error/>",
    } }] }));
    let statuses: Vec<_> = (0..4).map(|_| sandbox.put(&url, b"x").status).collect();
    assert_eq!(statuses, [200, 503, 503, 200]);

    sandbox.fault("store:PutObject", json!({ "kind": "status", "status": 503, "headers": { "retry-after": "7" } }));
    let url = put_url(&sandbox, "other");
    let seen = sandbox.request("PUT", &url, &[ORIGIN], &bytes(900_000, 1)).unwrap();
    assert_eq!((seen.status, seen.header("retry-after")), (503, Some("7")));
    assert!(seen.header("access-control-expose-headers").unwrap().contains("Retry-After"));
    assert_eq!(sandbox.sha256("s3", "other").status, 404);
    let entry = sandbox.logged("store:PutObject").pop().unwrap();
    assert_eq!(
        (&entry["faults"], &entry["bytes"], &entry["status"]),
        (&json!(["status"]), &json!(900_000), &json!(503))
    );

    sandbox.fault("store:PutObject", json!({ "kind": "status", "status": 500, "cors": false }));
    let hidden = sandbox.request("PUT", &url, &[ORIGIN], b"x").unwrap();
    assert_eq!((hidden.status, hidden.header("access-control-allow-origin")), (500, None));
}

#[test]
fn an_answer_may_go_on_for_as_long_as_anybody_listens() {
    let sandbox = common::start();
    sandbox.fault("store:PutObject", json!({ "kind": "status", "status": 500, "body": "<Error>", "endless": true }));
    let url = put_url(&sandbox, "k");
    let mut stream = std::net::TcpStream::connect(url.split('/').nth(2).unwrap()).unwrap();
    let target = target_of(&url);
    write!(stream, "PUT {target} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n").unwrap();
    let mut read = vec![0; 1 << 20];
    let mut taken = Vec::new();
    while taken.len() < 20 << 20 {
        let count = stream.read(&mut read).unwrap();
        assert!(count > 0, "it ended after {} bytes", taken.len());
        taken.extend_from_slice(&read[..count]);
    }
    let start = String::from_utf8_lossy(&taken[..4096]);
    assert!(start.starts_with("HTTP/1.1 500") && start.contains("<Error>"), "{start}");
}

#[test]
fn resets_lose_the_request_its_middle_or_its_answer() {
    let sandbox = common::start();
    let body = bytes(3 << 20, 2);
    for (when, stored, arrived) in [("before", 404, 3 << 20), ("body", 404, 0), ("after", 200, 3 << 20)] {
        let url = put_url(&sandbox, when);
        sandbox.fault("store:PutObject", json!({ "kind": "reset", "when": when }));
        assert!(is_lost(&sandbox, &url, &body), "{when}");
        assert_eq!(sandbox.sha256("s3", when).status, stored, "{when}");
        let entry = sandbox.logged("store:PutObject").pop().unwrap();
        assert_eq!((&entry["status"], &entry["faults"][0]), (&Value::Null, &json!(format!("reset:{when}"))));
        let bytes = entry["bytes"].as_u64().unwrap();
        match when {
            "body" => assert!((1 << 20..3 << 20).contains(&bytes), "{bytes}"),
            _ => assert_eq!(bytes, arrived),
        }
        assert_eq!(sandbox.put(&url, &body).status, 200, "{when}: once only");
    }
}

#[test]
fn a_reset_is_a_reset_and_no_goodbye() {
    let sandbox = common::start();
    for when in ["before", "body", "after"] {
        let url = put_url(&sandbox, "k");
        sandbox.fault("store:PutObject", json!({ "kind": "reset", "when": when }));
        let mut stream = common::connect(sandbox.origin("store"));
        let body = bytes(100_000, 3);
        stream.write_all(head("PUT", target_of(&url), sandbox.origin("store"), body.len()).as_bytes()).unwrap();
        // The second half may meet the reset already.
        let _ = stream.write_all(&body);
        let error = common::read_all(&mut stream).expect_err(when);
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{when}");
    }
}

#[test]
fn an_empty_body_is_lost_whole() {
    let sandbox = common::start();
    let url = put_url(&sandbox, "k");
    sandbox.fault("store:PutObject", json!({ "kind": "reset", "when": "body" }));
    assert!(is_lost(&sandbox, &url, b""));
    assert_eq!(sandbox.sha256("s3", "k").status, 404);
}

#[test]
fn a_stall_lasts_until_the_faults_are_set_anew() {
    let sandbox = common::start();
    for (when, stored) in [("start", 404), ("body", 404), ("answer", 200)] {
        let (url, body) = (put_url(&sandbox, when), bytes(600_000, 4));
        sandbox.fault("store:PutObject", json!({ "kind": "stall", "when": when }));
        std::thread::scope(|scope| {
            let started = Instant::now();
            let (sandbox, url) = (&sandbox, &url);
            let putting = scope.spawn(move || (sandbox.put(url, &body), started.elapsed()));
            std::thread::sleep(Duration::from_millis(700));
            assert_eq!(sandbox.sha256("s3", when).status, stored, "{when}");
            let entry = sandbox.logged("store:PutObject").pop().unwrap();
            assert_eq!(entry["endedMs"], Value::Null, "{when}");
            let arrived = entry["bytes"].as_u64().unwrap();
            assert_eq!((arrived == 0, arrived == 600_000), (when == "start", when == "answer"), "{when}");
            assert_eq!(sandbox.request("DELETE", "/control/faults", &[], b"").unwrap().status, 204);
            let (answer, took) = putting.join().unwrap();
            assert_eq!(answer.status, 200, "{when}");
            assert!(took >= Duration::from_millis(700), "{when}: {took:?}");
        });
    }
}

#[test]
fn a_lost_network_cuts_what_is_open_and_lets_nothing_in_until_it_is_back() {
    let sandbox = common::start();
    let (open, cut) = (put_url(&sandbox, "later"), put_url(&sandbox, "cut"));
    sandbox.fault("store:PutObject", json!({ "kind": "latency", "ms": 5_000 }));
    std::thread::scope(|scope| {
        let (sandbox, started) = (&sandbox, Instant::now());
        let putting = scope.spawn(move || (is_lost(sandbox, &cut, b"x"), started.elapsed()));
        std::thread::sleep(Duration::from_millis(300));
        let lost = sandbox.post("/control/offline", &json!({ "ms": 1_200 }));
        assert_eq!(lost.status, 204, "{}", lost.text());
        let (lost, took) = putting.join().unwrap();
        assert!(lost && took < Duration::from_secs(3), "cut: {lost}, after {took:?}");
    });
    assert_eq!(sandbox.request("DELETE", "/control/faults", &[], b"").unwrap().status, 204);
    assert!(is_lost(&sandbox, &open, b"x"));
    assert!(sandbox.request("GET", "/config.json", &[], b"").is_err());
    std::thread::sleep(Duration::from_millis(1_300));
    assert_eq!(sandbox.put(&open, b"x").status, 200);

    assert_eq!(sandbox.post("/control/offline", &json!({ "ms": 60_000 })).status, 204);
    assert!(is_lost(&sandbox, &open, b"x"));
    assert_eq!(sandbox.post("/control/offline", &json!({ "ms": 0 })).status, 204);
    assert_eq!(sandbox.put(&open, b"x").status, 200);
    assert_eq!(sandbox.post("/control/offline", &json!({ "seconds": 1 })).status, 400);
}

#[test]
fn a_client_that_leaves_a_stalled_answer_ends_it() {
    let sandbox = common::start();
    let url = put_url(&sandbox, "k");
    sandbox.fault("store:PutObject", json!({ "kind": "stall", "when": "answer" }));
    let mut stream = common::connect(sandbox.origin("store"));
    stream.write_all(head("PUT", target_of(&url), sandbox.origin("store"), 1).as_bytes()).unwrap();
    stream.write_all(b"x").unwrap();
    std::thread::sleep(Duration::from_millis(200));
    drop(stream);
    std::thread::sleep(Duration::from_millis(300));
    let entry = sandbox.logged("store:PutObject").pop().unwrap();
    assert!(entry["endedMs"].is_u64() && entry["status"].is_null(), "{entry}");
}

#[test]
fn latency_and_bandwidth_take_their_time() {
    let sandbox = common::start();
    let url = put_url(&sandbox, "k");
    let timed = |body: &[u8]| {
        let started = Instant::now();
        assert_eq!(sandbox.put(&url, body).status, 200);
        started.elapsed()
    };
    sandbox.faults(&json!({ "faults": [{ "route": "*", "effect": { "kind": "latency", "ms": 400 } }] }));
    assert!(timed(b"x") >= Duration::from_millis(400));
    sandbox.faults(&json!({ "faults": [
        { "route": "store:*", "effect": { "kind": "bandwidth", "bytesPerSecond": 1_000_000 } },
    ] }));
    let took = timed(&bytes(1_500_000, 5));
    assert!((Duration::from_millis(1300)..Duration::from_secs(5)).contains(&took), "{took:?}");
    sandbox.faults(&json!({}));
    assert!(timed(&bytes(1_500_000, 5)) < Duration::from_millis(1200));
}

#[test]
fn a_slow_body_is_felt_by_the_sender() {
    let sandbox = common::start();
    let url = put_url(&sandbox, "k");
    sandbox.faults(&json!({ "faults": [
        { "route": "store:*", "effect": { "kind": "bandwidth", "bytesPerSecond": 500_000 } },
    ] }));
    let mut stream = common::connect(sandbox.origin("store"));
    socket2::SockRef::from(&stream).set_send_buffer_size(64 * 1024).unwrap();
    let body = bytes(4 << 20, 6);
    stream.write_all(head("PUT", target_of(&url), sandbox.origin("store"), body.len()).as_bytes()).unwrap();
    stream.set_nonblocking(true).unwrap();
    let (started, mut sent) = (Instant::now(), 0);
    while started.elapsed() < Duration::from_millis(1500) {
        match stream.write(&body[sent..]) {
            Ok(0) => break,
            Ok(more) => sent += more,
            Err(_) => std::thread::sleep(Duration::from_millis(5)),
        }
    }
    assert!((400_000..2_500_000).contains(&sent), "{sent} bytes went out in 1.5 s at 0.5 MB/s");
}

#[test]
fn connections_share_a_line_that_is_shared() {
    let sandbox = common::start();
    // Of several routes: the line is one.
    let effect = json!({ "kind": "bandwidth", "bytesPerSecond": 200_000, "shared": true });
    let routes =
        ["store:PutObject", "store:UploadPart"].map(|route| json!({ "route": route, "effect": effect.clone() }));
    sandbox.faults(&json!({ "faults": routes }));
    let urls: Vec<_> = (0..4).map(|index| put_url(&sandbox, &format!("k{index}"))).collect();
    let body = bytes(100_000, 8);
    let started = Instant::now();
    std::thread::scope(|scope| {
        for url in &urls {
            scope.spawn(|| assert_eq!(sandbox.put(url, &body).status, 200));
        }
    });
    // 400 kB at 200 kB/s: a line can't be faster, however the machine is.
    assert!(started.elapsed() >= Duration::from_millis(1_900), "{:?}", started.elapsed());
    for index in 0..4 {
        assert_eq!(sandbox.sha256("s3", &format!("k{index}")).status, 200);
    }
}

#[test]
fn a_relay_takes_a_body_at_once_and_passes_it_on_in_its_time() {
    let sandbox = common::start();
    let (url, body) = (put_url(&sandbox, "relayed"), bytes(6 << 20, 9));
    let relay = |buffer: u64| {
        json!({ "faults": [{ "route": "store:*", "effect": {
        "kind": "bandwidth", "bytesPerSecond": 20_000, "bufferBytes": buffer,
    } }] })
    };
    sandbox.faults(&relay(8 << 20));
    let mut stream = common::connect(sandbox.origin("store"));
    // All of it leaves, though it takes five minutes on that line.
    stream.write_all(head("PUT", target_of(&url), sandbox.origin("store"), body.len()).as_bytes()).unwrap();
    stream.write_all(&body).unwrap();
    let entry = || sandbox.logged("store:PutObject").pop().unwrap();
    while entry()["bytes"] != json!(6 << 20) {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(entry()["status"], Value::Null, "it isn't there yet");
    assert_eq!(sandbox.sha256("s3", "relayed").status, 404);
    // Set anew, nothing holds it any more.
    sandbox.faults(&json!({}));
    let answer = exchange(&mut stream, b"").unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(sandbox.sha256("s3", "relayed").json()["sha256"], common::sha256(&body));
    // One that takes less holds the rest back.
    sandbox.faults(&relay(64 << 10));
    let mut stream = common::connect(sandbox.origin("store"));
    stream.write_all(head("PUT", target_of(&url), sandbox.origin("store"), body.len()).as_bytes()).unwrap();
    socket2::SockRef::from(&stream).set_send_buffer_size(64 * 1024).unwrap();
    stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    assert!(stream.write_all(&body).is_err(), "all of it left");
    sandbox.faults(&json!({}));
}

#[test]
fn an_expired_url_and_a_hidden_etag() {
    let sandbox = common::start();
    let url = put_url(&sandbox, "k");
    sandbox.fault("store:*", json!({ "kind": "expired" }));
    let expired = sandbox.request("PUT", &url, &[ORIGIN], &bytes(500_000, 7)).unwrap();
    assert_eq!((expired.status, expired.header("access-control-allow-origin")), (403, None));
    let text = expired.text();
    assert_eq!(
        (element(&text, "Code"), element(&text, "Message")),
        ("AccessDenied".into(), "Request has expired".into())
    );
    sandbox.fault("store:PutObject", json!({ "kind": "hide-etag" }));
    for hidden in [true, false] {
        let stored = sandbox.request("PUT", &url, &[ORIGIN], b"x").unwrap();
        assert_eq!(stored.status, 200);
        assert_ne!(stored.header("access-control-expose-headers").unwrap().contains("ETag"), hidden);
    }
}

#[test]
fn a_store_without_a_cors_rule_lets_no_page_in_and_serves_all_others() {
    let sandbox = common::start();
    sandbox.faults(&json!({ "faults": [{ "route": "store:*", "effect": { "kind": "no-cors" } }] }));
    let url = put_url(&sandbox, "k");
    let preflight = [ORIGIN, ("access-control-request-method", "PUT")];
    let refused = sandbox.request("OPTIONS", &url, &preflight, b"").unwrap();
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (403, None));
    let stored = sandbox.request("PUT", &url, &[ORIGIN], b"x").unwrap();
    assert_eq!((stored.status, stored.header("access-control-allow-origin")), (200, None));
    let vendor = format!("{}/v2/access/uploads/init", sandbox.origin("ofauth"));
    assert_eq!(sandbox.request("OPTIONS", &vendor, &preflight, b"").unwrap().status, 204, "another origin has its own");
    sandbox.faults(&json!({ "faults": [] }));
    assert_eq!(sandbox.request("OPTIONS", &url, &preflight, b"").unwrap().status, 204);
}

#[test]
fn faults_leave_preflights_alone_and_act_on_proxy_and_origin_alike() {
    let sandbox = common::start();
    sandbox.faults(&json!({ "faults": [{ "route": "ofauth:*", "effect": { "kind": "status", "status": 418 } }] }));
    for base in ["/api/ofauth".to_owned(), sandbox.origin("ofauth").to_owned()] {
        let url = format!("{base}/v2/access/uploads/init");
        assert_eq!(sandbox.post(&url, &json!({})).status, 418);
        let headers = [ORIGIN, ("access-control-request-method", "POST")];
        assert_eq!(sandbox.request("OPTIONS", &url, &headers, b"").unwrap().status, 204);
    }
    assert_eq!(sandbox.logged("ofauth:init").len(), 2);
    assert_eq!(sandbox.post("/api/onlymonster/api/v0/accounts/1/vault/medias/uploads/start", &json!({})).status, 400);
}

#[test]
fn a_wrong_clock_is_wrong_for_all() {
    let sandbox = common::start();
    let hour = 3_600_000_i64;
    for skew in [hour, -hour] {
        sandbox.faults(&json!({ "skewMs": skew }));
        let server = now().saturating_add_signed(skew);
        let date = sandbox.get("/config.json").header("date").unwrap().to_owned();
        let written = |ms: u64| partway_models::clock::http_date(ms);
        assert!([server, server + 1000].map(written).contains(&date), "{date}");

        let credentials = sandbox.credentials();
        let put = |at: u64| {
            let url = sandbox.sign_at(&credentials, "PUT", "k", &[], &[("x-amz-meta-n", "a  b")], at, 300);
            sandbox.request("PUT", &url, &[("x-amz-meta-n", "a  b")], b"x").unwrap()
        };
        assert_eq!(put(server).status, 200, "by the server's clock ({skew})");
        let by_the_right_clock = put(now());
        let code = element(&by_the_right_clock.text(), "Code");
        let expected = if skew > 0 { "AccessDenied" } else { "RequestTimeTooSkewed" };
        assert_eq!((by_the_right_clock.status, code.as_str()), (403, expected));

        let plan = sandbox.post("/api/plan/open", &json!({ "name": "a", "size": 3, "type": "" })).json();
        assert_eq!(sandbox.put(plan["parts"][0]["uploadUrl"].as_str().unwrap(), b"abc").status, 200);
        let mut forged = credentials.clone();
        forged.secret_key = "guess".into();
        let url = sandbox.sign_at(&forged, "PUT", "k", &[], &[], server, 300);
        assert_eq!(element(&sandbox.put(&url, b"x").text(), "Code"), "SignatureDoesNotMatch");
    }
}

#[test]
fn connections_live_unless_told_otherwise_and_idle_ones_end_when_faults_are_set() {
    let sandbox = common::start();
    let request = head("GET", "/config.json", sandbox.origin("app"), 0);
    let mut stream = common::connect(sandbox.origin("app"));
    for _ in 0..2 {
        let answer = exchange(&mut stream, request.as_bytes()).unwrap().to_ascii_lowercase();
        assert!(answer.starts_with("http/1.1 200") && !answer.contains("connection: close"));
    }
    sandbox.faults(&json!({ "keepAlive": true }));
    assert_eq!(stream.read(&mut [0; 16]).unwrap(), 0, "the idle connection was closed");

    for (faults, closes) in [
        (json!({}), false),
        (json!({ "keepAlive": false }), true),
        (json!({ "faults": [{ "route": "plan:open", "effect": { "kind": "reset", "when": "after" } }] }), true),
        (
            json!({ "keepAlive": true, "faults": [{ "route": "plan:open", "effect": { "kind": "reset", "when": "after" } }] }),
            false,
        ),
    ] {
        sandbox.faults(&faults);
        let mut stream = common::connect(sandbox.origin("app"));
        let answer = exchange(&mut stream, request.as_bytes()).unwrap().to_ascii_lowercase();
        assert_eq!(answer.contains("connection: close"), closes, "{faults}");
        assert_eq!(exchange(&mut stream, request.as_bytes()).is_err(), closes, "{faults}");
    }
}

#[test]
fn faults_are_read_back_cleared_and_refused() {
    let sandbox = common::start();
    let set = json!({ "seed": 7, "skewMs": 0, "keepAlive": true, "faults": [
        { "route": "store:*", "skip": 0, "times": null, "probability": 0.5, "effect": { "kind": "latency", "ms": 1 } },
    ] });
    sandbox.faults(&set);
    assert_eq!(sandbox.get("/control/faults").json(), set);
    let wrong = sandbox.put("/control/faults", br#"{"faults":[{"route":"store:Put","effect":{"kind":"expired"}}]}"#);
    assert_eq!(wrong.status, 400);
    assert!(wrong.json()["error"].as_str().unwrap().contains("store:Put"), "{}", wrong.text());
    assert_eq!(sandbox.get("/control/faults").json(), set, "a refused plan changes nothing");
    assert_eq!(sandbox.request("DELETE", "/control/faults", &[], b"").unwrap().status, 204);
    assert_eq!(sandbox.get("/control/faults").json()["faults"], json!([]));
}

#[test]
fn the_same_seed_breaks_the_same_requests() {
    let sandbox = common::start();
    let run = |seed: u64| {
        sandbox.faults(&json!({ "seed": seed, "faults": [
            { "route": "plan:open", "probability": 0.5, "effect": { "kind": "status", "status": 500 } },
        ] }));
        (0..24).map(|_| sandbox.post("/api/plan/open", &json!({})).status).collect::<Vec<_>>()
    };
    let first = run(1);
    assert_eq!(first, run(1));
    assert_ne!(first, run(2));
    assert!(first.contains(&500) && first.contains(&400), "{first:?}");
}
