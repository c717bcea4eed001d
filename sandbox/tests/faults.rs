//! Every kind of fault, as a client sees it.

mod common;

use std::io::{Read, Write};
use std::time::Duration;

use common::{Sandbox, bytes, element, eventually, exchange, head, now, target_of};
use serde_json::{Value, json};

const ORIGIN: (&str, &str) = ("origin", "http://localhost:1");

fn put_url(sandbox: &Sandbox, key: &str) -> String {
    sandbox.sign(&sandbox.credentials(), "PUT", key, &[])
}

/// Whether the connection breaks without a response. A timeout of the client is no break.
fn is_lost(sandbox: &Sandbox, url: &str, body: &[u8]) -> bool {
    sandbox.request("PUT", url, &[], body).is_err_and(|error| !error.contains("timeout"))
}

#[test]
fn a_status_prevents_the_effect_as_often_as_it_is_set() {
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
fn an_endless_response_lasts_as_long_as_the_client_reads() {
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
fn a_reset_loses_the_request_the_rest_of_its_body_or_the_response() {
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
fn a_reset_is_a_tcp_reset() {
    let sandbox = common::start();
    for when in ["before", "body", "after"] {
        let url = put_url(&sandbox, "k");
        sandbox.fault("store:PutObject", json!({ "kind": "reset", "when": when }));
        let mut stream = common::connect(sandbox.origin("store"));
        let body = bytes(100_000, 3);
        stream.write_all(head("PUT", target_of(&url), sandbox.origin("store"), body.len()).as_bytes()).unwrap();
        // The connection may be reset before all of the body is sent.
        let _ = stream.write_all(&body);
        let error = common::read_all(&mut stream).expect_err(when);
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{when}");
    }
}

#[test]
fn a_request_with_an_empty_body_is_lost_as_a_whole() {
    let sandbox = common::start();
    let url = put_url(&sandbox, "k");
    sandbox.fault("store:PutObject", json!({ "kind": "reset", "when": "body" }));
    assert!(is_lost(&sandbox, &url, b""));
    assert_eq!(sandbox.sha256("s3", "k").status, 404);
}

#[test]
fn a_stall_lasts_until_the_faults_are_replaced() {
    let sandbox = common::start();
    let size = 600_000;
    for (when, stored, arrives) in [("start", 404, 0), ("body", 404, size / 2), ("answer", 200, size)] {
        let (url, body) = (put_url(&sandbox, when), bytes(size, 4));
        sandbox.fault("store:PutObject", json!({ "kind": "stall", "when": when }));
        std::thread::scope(|scope| {
            let (sandbox, url) = (&sandbox, &url);
            let putting = scope.spawn(move || sandbox.put(url, &body));
            let is_it = |entry: &Value| entry["path"].as_str().unwrap().ends_with(when);
            let has_arrived = |entry: &Value| entry["bytes"].as_u64().unwrap() >= arrives as u64;
            sandbox.wait_for("store:PutObject", |entry| is_it(entry) && has_arrived(entry));
            if when == "answer" {
                eventually("the object", || (sandbox.sha256("s3", when).status == 200).then_some(()));
            }
            sandbox.overtake();
            assert_eq!(sandbox.sha256("s3", when).status, stored, "{when}");
            let entry = sandbox.logged("store:PutObject").into_iter().find(is_it).unwrap();
            assert_eq!(entry["endedMs"], Value::Null, "{when}: others were answered first");
            let arrived = entry["bytes"].as_u64().unwrap();
            assert_eq!((arrived == 0, arrived == size as u64), (when == "start", when == "answer"), "{when}");
            sandbox.clear_faults();
            assert_eq!(putting.join().unwrap().status, 200, "{when}");
        });
    }
}

#[test]
fn going_offline_resets_open_connections_and_new_ones_until_the_network_is_back() {
    let sandbox = common::start();
    let (later, cut) = (put_url(&sandbox, "later"), put_url(&sandbox, "cut"));
    // Only a reset can end this request: its stall lasts until the faults are replaced.
    sandbox.fault("store:PutObject", json!({ "kind": "stall", "when": "answer" }));
    std::thread::scope(|scope| {
        let sandbox = &sandbox;
        let putting = scope.spawn(move || is_lost(sandbox, &cut, b"x"));
        sandbox.wait_for("store:PutObject", |entry| entry["bytes"] == 1);
        let offline = sandbox.post("/control/offline", &json!({ "ms": 600_000 }));
        assert_eq!(offline.status, 204, "{}", offline.text());
        assert!(putting.join().unwrap());
    });
    assert!(is_lost(&sandbox, &later, b"x"));
    assert!(sandbox.request("GET", "/config.json", &[], b"").is_err());
    assert_eq!(sandbox.post("/control/offline", &json!({ "ms": 0 })).status, 204);
    assert_eq!(sandbox.put(&later, b"x").status, 200);

    assert_eq!(sandbox.post("/control/offline", &json!({ "ms": 200 })).status, 204);
    eventually("the network's return", || sandbox.request("PUT", &later, &[], b"x").ok());
    assert_eq!(sandbox.post("/control/offline", &json!({ "seconds": 1 })).status, 400);
}

#[test]
fn a_client_that_disconnects_ends_a_stall() {
    let sandbox = common::start();
    let url = put_url(&sandbox, "k");
    sandbox.fault("store:PutObject", json!({ "kind": "stall", "when": "answer" }));
    let mut stream = common::connect(sandbox.origin("store"));
    stream.write_all(head("PUT", target_of(&url), sandbox.origin("store"), 1).as_bytes()).unwrap();
    stream.write_all(b"x").unwrap();
    sandbox.wait_for("store:PutObject", |entry| entry["bytes"] == 1);
    drop(stream);
    let entry = sandbox.wait_for("store:PutObject", |entry| entry["endedMs"].is_u64());
    assert!(entry["status"].is_null(), "{entry}");
}

#[test]
fn a_relay_reads_a_body_at_once_and_passes_it_on_slowly() {
    let sandbox = common::start();
    let (url, body) = (put_url(&sandbox, "relayed"), bytes(6 << 20, 9));
    let relay = |buffer: u64| {
        json!({ "faults": [{ "route": "store:*", "effect": {
        "kind": "bandwidth", "bytesPerSecond": 20_000, "bufferBytes": buffer,
    } }] })
    };
    sandbox.faults(&relay(8 << 20));
    let mut stream = common::connect(sandbox.origin("store"));
    // The whole body is sent at once, though passing it on takes five minutes at that rate.
    stream.write_all(head("PUT", target_of(&url), sandbox.origin("store"), body.len()).as_bytes()).unwrap();
    stream.write_all(&body).unwrap();
    let entry = || sandbox.logged("store:PutObject").pop().unwrap();
    eventually("the whole body", || (entry()["bytes"] == json!(6 << 20)).then_some(()));
    assert_eq!(entry()["status"], Value::Null, "it is not passed on yet");
    assert_eq!(sandbox.sha256("s3", "relayed").status, 404);
    // Replaced faults end the throttling.
    sandbox.faults(&json!({}));
    let response = exchange(&mut stream, b"").unwrap();
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    assert_eq!(sandbox.sha256("s3", "relayed").json()["sha256"], common::sha256(&body));
    // A relay with a smaller buffer leaves the rest with the sender, whose writes block.
    sandbox.faults(&relay(64 << 10));
    let mut stream = common::connect(sandbox.origin("store"));
    stream.write_all(head("PUT", target_of(&url), sandbox.origin("store"), body.len()).as_bytes()).unwrap();
    socket2::SockRef::from(&stream).set_send_buffer_size(64 * 1024).unwrap();
    stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    assert!(stream.write_all(&body).is_err(), "the whole body was sent");
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
fn a_store_without_a_cors_rule_refuses_pages_and_serves_other_clients() {
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
fn faults_hit_proxy_and_origin_alike_and_no_preflights() {
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
fn a_skewed_clock_applies_to_everything() {
    let sandbox = common::start();
    let hour = 3_600_000_i64;
    for skew in [hour, -hour] {
        sandbox.faults(&json!({ "skewMs": skew }));
        let server = now().saturating_add_signed(skew);
        let date = sandbox.get("/config.json").header("date").unwrap().to_owned();
        let seconds = server / 1000..=now().saturating_add_signed(skew) / 1000;
        let mut dates = seconds.map(|second| partway_models::clock::http_date(second * 1000));
        assert!(dates.any(|known| known == date), "{date}");

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
fn connections_are_kept_alive_by_default_and_idle_ones_close_when_faults_are_set() {
    let sandbox = common::start();
    let request = head("GET", "/config.json", sandbox.origin("app"), 0);
    let mut stream = common::connect(sandbox.origin("app"));
    for _ in 0..2 {
        let response = exchange(&mut stream, request.as_bytes()).unwrap().to_ascii_lowercase();
        assert!(response.starts_with("http/1.1 200") && !response.contains("connection: close"));
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
        let response = exchange(&mut stream, request.as_bytes()).unwrap().to_ascii_lowercase();
        assert_eq!(response.contains("connection: close"), closes, "{faults}");
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
fn the_same_seed_hits_the_same_requests() {
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
