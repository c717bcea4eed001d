//! The app's origin, the plan backend, and the process itself.

mod common;

use std::io::{BufRead, BufReader};

use common::{Sandbox, bytes, eventually};
use serde_json::{Value, json};

#[test]
fn files_have_their_types_and_others_are_not_served() {
    let sandbox = common::start();
    for (path, kind, body) in [
        ("/", "text/html; charset=utf-8", "<title>page</title>"),
        ("/app.js", "text/javascript; charset=utf-8", "export {}"),
        ("/pkg/dist/x.wasm", "application/wasm", "\0asm"),
        ("/extra/a%20b.txt", "text/plain; charset=utf-8", "extra"),
    ] {
        let response = sandbox.get(path);
        assert_eq!((response.status, response.text().as_str()), (200, body), "{path}");
        assert_eq!((response.header("content-type"), response.header("cache-control")), (Some(kind), Some("no-cache")));
    }
    for path in ["/nothing.js", "/%2e%2e/Cargo.toml", "/pkg/..%2fCargo.toml", "/pkg/%2e%2e/%2e%2e/etc/passwd"] {
        assert_eq!(sandbox.get(path).status, 404, "{path}");
    }
    assert_eq!(sandbox.get("/pkg/dist").status, 308);
    assert_eq!(sandbox.post("/app.js", &json!({})).status, 405);
    let head = sandbox.request("HEAD", "/app.js", &[], b"").unwrap();
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, Some("9"), 0));
}

#[test]
fn the_configuration_names_every_destination_and_no_key() {
    let sandbox = common::start();
    let config = sandbox.get("/config.json");
    let destinations = config.json()["destinations"].clone();
    let names: Vec<_> =
        destinations.as_array().unwrap().iter().map(|entry| entry["provider"]["name"].clone()).collect();
    assert_eq!(names, ["ofauth", "onlymonster", "apifansly", "s3", "plan", "form"]);
    let s3 = &destinations[3]["provider"];
    assert_eq!(s3["endpoint"], sandbox.addresses["store"]);
    let second = s3["endpoints"][1].as_str().unwrap();
    assert!(second.starts_with("http://localhost:"), "{second}");
    assert_eq!(sandbox.get(second).status, 403, "the store answers there too, though not without a key");
    for key in ["ofauth-key", "onlymonster-token", "apifansly-key", "form-key", "owner"] {
        assert!(!config.text().contains(key));
        assert!(!sandbox.get("/control/vendors").text().contains(key));
    }
}

fn open(sandbox: &Sandbox, size: usize) -> Value {
    let plan = sandbox.post("/api/plan/open", &json!({ "name": "../a b.mp4", "size": size, "type": "video/mp4" }));
    assert_eq!(plan.status, 200, "{}", plan.text());
    plan.json()
}

#[test]
fn a_plan_is_signed_in_batches_checked_and_completed() {
    let sandbox = common::start();
    sandbox.settings(&json!({ "plan": { "partSize": 5 << 20, "firstBatch": 1, "largestBatch": 2 } }));
    let file = bytes((11 << 20) + 5, 1);
    let plan = open(&sandbox, file.len());
    let key = plan["key"].as_str().unwrap();
    assert!(key.starts_with("plans/") && !key.contains(".."[..].repeat(2).as_str()));
    let parts = plan["parts"].as_array().unwrap();
    assert_eq!(parts.iter().filter(|part| part["uploadUrl"].is_string()).count(), 1);
    assert_eq!(parts[2]["byteRange"], json!({ "start": 10 << 20, "end": file.len() - 1 }));
    let mut named = plan.clone();
    named["extra"] = json!("a plan may carry more");
    let sign = |numbers: &[u32]| sandbox.post("/api/plan/sign", &json!({ "plan": named, "partNumbers": numbers }));
    assert_eq!((sign(&[1, 2, 3]).status, sign(&[4]).status, sign(&[0]).status), (400, 400, 400));
    let signed = sign(&[2, 3]).json();
    let urls = [&parts[0]["uploadUrl"], &signed[0]["uploadUrl"], &signed[1]["uploadUrl"]];
    let complete = |parts: &Value| sandbox.post("/api/plan/complete", &json!({ "plan": named, "parts": parts }));
    let mut sent = Vec::new();
    for (number, (url, slice)) in (1..).zip(urls.iter().zip(file.chunks(5 << 20))) {
        assert_eq!(complete(&json!([{ "partNumber": 1, "etag": null }])).status, 400);
        let etag = sandbox.put(url.as_str().unwrap(), slice).header("etag").unwrap().to_owned();
        sent.push(json!({ "partNumber": number, "etag": etag }));
    }
    let listed = sandbox.post("/api/plan/list", &json!({ "plan": named })).json();
    assert_eq!(listed[2], json!({ "partNumber": 3, "size": (1 << 20) + 5, "etag": sent[2]["etag"] }));
    let mut swapped = sent.clone();
    swapped[0]["etag"] = sent[1]["etag"].clone();
    assert_eq!(complete(&json!(swapped)).status, 400);
    sent[1]["etag"] = Value::Null;
    let done = complete(&json!(sent));
    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!(complete(&json!(sent)).json(), done.json(), "a repetition gets the same response");
    assert_eq!(complete(&json!(swapped)).status, 409);
    sandbox.assert_stored("plan", key, &file);
}

#[test]
fn a_plan_checks_sizes_and_can_be_aborted() {
    let sandbox = common::start();
    let plan = open(&sandbox, 100);
    let url = plan["parts"][0]["uploadUrl"].as_str().unwrap();
    let etag = sandbox.put(url, b"too short").header("etag").unwrap().to_owned();
    let parts = json!([{ "partNumber": 1, "etag": etag }]);
    let short = sandbox.post("/api/plan/complete", &json!({ "plan": plan, "parts": parts }));
    assert_eq!(short.status, 400);
    assert!(short.text().contains("9 bytes"), "{}", short.text());
    for _ in 0..2 {
        assert_eq!(sandbox.post("/api/plan/abort", &json!({ "plan": plan })).status, 204);
    }
    assert_eq!(sandbox.put(url, b"late").status, 404);
    let foreign = json!({ "plan": { "uploadId": plan["uploadId"], "key": "another" } });
    assert_eq!(sandbox.post("/api/plan/list", &foreign).status, 404);
    assert_eq!(sandbox.post("/api/plan/open", &json!({ "name": "a", "size": 0, "type": "" })).status, 400);
    assert_eq!(sandbox.post("/api/plan/close", &json!({})).status, 404);
    assert_eq!(sandbox.get("/api/plan/open").status, 405);
}

#[test]
fn a_reset_removes_everything() {
    let sandbox = common::start();
    let credentials = sandbox.credentials();
    assert_eq!(sandbox.put(&sandbox.sign(&credentials, "PUT", "k", &[]), &bytes(100_000, 2)).status, 200);
    sandbox.settings(&json!({ "ofauth": { "media": false }, "plan": { "firstBatch": 9 } }));
    sandbox.faults(
        &json!({ "skewMs": 5000, "faults": [{ "route": "credentials", "effect": { "kind": "latency", "ms": 1 } }] }),
    );
    assert_eq!(sandbox.post("/control/reset", &json!({})).status, 204);
    assert_eq!(sandbox.sha256("s3", "k").status, 404);
    assert_eq!(sandbox.get("/control/log").json(), json!({ "requests": [], "maxInFlight": {} }));
    assert_eq!(
        sandbox.get("/control/faults").json(),
        json!({ "seed": 0, "skewMs": 0, "keepAlive": null, "faults": [] })
    );
    let settings = sandbox.get("/control/vendors").json();
    assert_eq!((&settings["ofauth"]["media"], &settings["plan"]["firstBatch"]), (&json!(true), &json!(4)));
    assert_eq!(sandbox.put(&sandbox.sign(&credentials, "PUT", "k", &[]), b"x").status, 403, "credentials are gone too");
    let wrong = sandbox.post("/control/vendors", &json!({ "ofauth": { "partsize": 1 } }));
    assert_eq!(wrong.status, 400);
    assert!(wrong.text().contains("partsize"), "{}", wrong.text());
}

#[test]
fn files_on_disk_are_removed_with_their_objects() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = common::start_with(&["--data", folder.path().to_str().unwrap()]);
    let files = || std::fs::read_dir(folder.path()).unwrap().count();
    let url = sandbox.sign(&sandbox.credentials(), "PUT", "k", &[]);
    for n in 0..3 {
        assert_eq!(sandbox.put(&url, &bytes(200_000, n)).status, 200);
        assert_eq!(files(), 1);
    }
    let digest = [("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==")];
    assert_eq!(sandbox.request("PUT", &url, &digest, &bytes(200_000, 9)).unwrap().status, 400);
    assert_eq!(files(), 1, "the file of a refused body is removed");
    sandbox.assert_stored("s3", "k", &bytes(200_000, 2));
}

#[test]
fn it_exits_with_its_parent_and_removes_its_files() {
    let mut sandbox = common::start();
    let url = sandbox.sign(&sandbox.credentials(), "PUT", "k", &[]);
    assert_eq!(sandbox.put(&url, &bytes(200_000, 1)).status, 200);
    let id = sandbox.process().id();
    let left_behind = || {
        let entries = std::fs::read_dir(std::env::temp_dir()).unwrap();
        entries.filter_map(Result::ok).any(|entry| entry.path().join(format!("{id}-00000000")).exists())
    };
    assert!(left_behind());
    drop(sandbox.process().stdin.take());
    let status = eventually("the exit", || sandbox.process().try_wait().unwrap());
    assert!(status.success() && !left_behind());
}

#[test]
fn errors_of_the_command_line_name_the_argument() {
    let run = |arguments: &[&str]| common::command().args(arguments).output().unwrap();
    let help = run(&["--help"]);
    let text = String::from_utf8(help.stdout).unwrap();
    assert!(help.status.success() && text.contains("--s3-endpoint") && text.contains("--exit-with-parent"));
    let wrong = run(&["--prot", "1"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(BufReader::new(wrong.stderr.as_slice()).lines().next().unwrap().unwrap().contains("--prot"));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().min(65_000).to_string();
    let clash = run(&["--port", &port]);
    assert!(!clash.status.success());
    assert!(String::from_utf8(clash.stderr).unwrap().contains(&port));
}
