//! The vendors, through the proxies and at their own origins.

mod common;

use std::io::Write;

use common::{Response, Sandbox, bytes, exchange};
use serde_json::{Value, json};

/// The keys of the proxies, which no response to a page may contain.
const KEYS: [&str; 3] = ["ofauth-key", "onlymonster-token", "apifansly-key"];

fn assert_no_keys(response: &Response) {
    let seen = response.everything();
    assert!(KEYS.iter().all(|key| !seen.contains(key)), "{seen}");
}

/// The URL of the proxy for a vendor's URL.
fn mapped(url: &Value) -> String {
    url.as_str().unwrap().replace("https://api.ofauth.com/", "/api/ofauth/")
}

fn form(boundary: &str, file: &[u8]) -> Vec<u8> {
    let mut body = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"formInputs\"\r\n\r\n[{{\"type\":1,\"value\":\"x\"}}]\r\n\
         --{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.mp4\"\r\n\
         Content-Type: video/mp4\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(file);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    body
}

fn upload_form(sandbox: &Sandbox, headers: &[(&str, &str)], file: &[u8]) -> Response {
    let kind = ("content-type", "multipart/form-data; boundary=XyZ");
    let headers: Vec<_> = headers.iter().copied().chain([kind]).collect();
    let url = "/api/apifansly/api/fansly/999/media/upload";
    sandbox.request("POST", url, &headers, &form("XyZ", file)).unwrap()
}

#[test]
fn parts_reach_ofauth_through_the_proxy() {
    let sandbox = common::start();
    sandbox.settings(&json!({ "ofauth": { "partSize": 400_000, "singleMax": 400_000 } }));
    let file = bytes(1_000_000, 1);
    let wish = json!({ "filename": "a.mp4", "size": file.len(), "contentType": "video/mp4" });
    let init = sandbox.post("/api/ofauth/v2/access/uploads/init", &wish);
    assert_eq!(init.status, 200, "{}", init.text());
    assert_no_keys(&init);
    let plan = init.json();
    assert!(plan["completeUrl"].as_str().unwrap().starts_with("https://api.ofauth.com/"));
    for part in plan["parts"].as_array().unwrap() {
        let range = |end: &str| usize::try_from(part["byteRange"][end].as_u64().unwrap()).unwrap();
        let headers = [("content-type", "video/mp4"), ("apikey", "the page's own guess")];
        let slice = &file[range("start")..=range("end")];
        let sent = sandbox.request("PUT", &mapped(&part["uploadUrl"]), &headers, slice).unwrap();
        assert_eq!(sent.status, 200, "{}", sent.text());
        assert!(sent.json()["etag"].is_string());
        assert_no_keys(&sent);
    }
    let done = sandbox.post(&mapped(&plan["completeUrl"]), &json!({ "mediaUploadId": plan["mediaUploadId"] }));
    assert_eq!(done.status, 200, "{}", done.text());
    sandbox.assert_stored("ofauth", plan["mediaUploadId"].as_str().unwrap(), &file);
    sandbox.assert_stored("ofauth", &done.json()["media"]["id"].to_string(), &file);
    assert_eq!(sandbox.logged("ofauth:part").len(), 3);
}

#[test]
fn onlymonster_goes_from_start_to_the_vault() {
    let sandbox = common::start();
    sandbox.settings(&json!({ "onlymonster": {
        "multipartThreshold": 6_000_000, "partCount": 2, "processingMs": 0, "requestsPerSecond": 1_000,
    } }));
    let file = bytes(7_000_000, 2);
    let base = "/api/onlymonster/api/v0/accounts/424242/vault/medias/uploads";
    let post = |call: &str, body: &Value| {
        let response = sandbox.post(&format!("{base}/{call}"), body);
        assert_eq!(response.status / 100, 2, "{call}: {}", response.text());
        assert_no_keys(&response);
        response.json()
    };
    let start = post("start", &json!({ "name": "a.mp4", "size": file.len(), "content_type": "video/mp4" }));
    let half = file.len().div_ceil(2).max(5 << 20);
    let mut parts = Vec::new();
    for (part, slice) in start["parts"].as_array().unwrap().iter().zip(file.chunks(half)) {
        let url = part["put_url"].as_str().unwrap();
        assert!(url.starts_with(sandbox.origin("store")));
        let put = sandbox.put(url, slice);
        parts.push(json!({ "part": part["id"], "e_tag": put.header("etag").unwrap() }));
    }
    let finish = post("finish", &json!({ "key": start["key"], "upload_id": start["upload_id"], "parts": parts }));
    let export = post(
        "export",
        &json!({ "key": start["key"], "e_tag": finish["e_tag"], "get_url": start["get_url"], "export_type": "post" }),
    );
    let list = sandbox.get(base).json();
    let record = list["items"].as_array().unwrap().iter().find(|item| item["id"] == export["id"]).unwrap();
    let media = record["media_id"].clone();
    sandbox.assert_stored("onlymonster", media.as_str().unwrap(), &file);
    assert_eq!(sandbox.get(start["get_url"].as_str().unwrap()).body.len(), file.len());
}

#[test]
fn onlymonster_limits_requests_and_its_limit_is_the_published_one() {
    let sandbox = common::start();
    let list = || sandbox.get("/api/onlymonster/api/v0/accounts/1001/vault/medias/uploads").status;
    assert_eq!(sandbox.get("/control/vendors").json()["onlymonster"]["requestsPerSecond"], 3);
    assert_eq!(list(), 200);
    sandbox.settings(&json!({ "onlymonster": { "requestsPerSecond": 0 } }));
    assert_eq!(list(), 429);
}

#[test]
fn a_form_reaches_apifansly_and_is_processed() {
    let sandbox = common::start();
    sandbox.settings(&json!({ "apifansly": { "processingMs": 0 } }));
    let file = bytes(2_000_000, 3);
    let accepted = upload_form(&sandbox, &[], &file);
    assert_eq!(accepted.status, 201, "{}", accepted.text());
    assert_no_keys(&accepted);
    let job = accepted.json()["data"]["jobId"].clone();
    let job = job.as_str().map_or_else(|| job.to_string(), str::to_owned);
    let status = sandbox.get(&format!("/api/apifansly/api/fansly/media/upload/{job}/status")).json();
    assert_eq!(status["data"]["state"], "completed");
    let media = status["data"]["result"]["mediaId"].clone();
    sandbox.assert_stored("apifansly", media.as_str().unwrap(), &file);
}

#[test]
fn the_vendors_own_origins_need_keys() {
    let sandbox = common::start();
    let init = format!("{}/v2/access/uploads/init", sandbox.origin("ofauth"));
    let wish = json!({ "filename": "a.mp4", "size": 5, "contentType": "video/mp4" });
    assert_eq!(sandbox.post(&init, &wish).status, 401);
    let keys = [("apikey", "ofauth-key"), ("x-connection-id", "conn_sandbox"), ("origin", "https://a.example")];
    let known = sandbox.post_with(&init, &keys, &wish);
    assert_eq!((known.status, known.header("access-control-allow-origin")), (200, Some("*")));
    assert!(known.header("access-control-expose-headers").unwrap().contains("X-RateLimit-Reset"));
    let list = format!("{}/api/v0/accounts/1001/vault/medias/uploads", sandbox.origin("onlymonster"));
    assert_eq!(sandbox.get(&list).status, 401);
    assert_eq!(sandbox.request("GET", &list, &[("x-om-auth-token", "onlymonster-token")], b"").unwrap().status, 200);
    let status = format!("{}/api/fansly/media/upload/1/status", sandbox.origin("apifansly"));
    assert_eq!(sandbox.get(&status).status, 401);
    let entry = &sandbox.logged("ofauth:init")[1];
    assert_eq!(entry["headers"]["apikey"], "***");
}

#[test]
fn a_repeated_key_takes_effect_once() {
    let sandbox = common::start();
    let key = [("idempotency-key", "k-1")];
    let (file, other) = (bytes(100_000, 4), bytes(100_000, 5));
    let first = upload_form(&sandbox, &key, &file);
    let again = upload_form(&sandbox, &key, &file);
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.json()["data"]["jobId"], again.json()["data"]["jobId"]);
    let copies: Vec<_> = sandbox.logged("apifansly:upload").iter().map(|entry| entry["copy"].clone()).collect();
    assert_eq!(copies, [json!(false), json!(true)]);
    assert_eq!(sandbox.logged("apifansly:upload")[1]["idempotencyKey"], "k-1");
    let new = upload_form(&sandbox, &[("idempotency-key", "k-2")], &other);
    assert_ne!(new.json()["data"]["jobId"], first.json()["data"]["jobId"]);
    let wish = json!({ "filename": "a.mp4", "size": 5, "contentType": "video/mp4" });
    // Each proxy has keys of its own; within a proxy, a key belongs to one call.
    assert_eq!(sandbox.post_with("/api/ofauth/v2/access/uploads/init", &key, &wish).status, 200);
    let misused = sandbox.post_with("/api/ofauth/v2/access/uploads/complete", &key, &wish);
    assert_eq!(misused.status, 422, "{}", misused.text());
    let direct = format!("{}/v2/access/uploads/init", sandbox.origin("ofauth"));
    let keys = [("apikey", "ofauth-key"), ("x-connection-id", "conn_sandbox"), key[0]];
    let ids = [(); 2].map(|()| sandbox.post_with(&direct, &keys, &wish).json()["mediaUploadId"].clone());
    assert_ne!(ids[0], ids[1], "only the proxy checks the key");
}

#[test]
fn a_lost_response_is_replayed() {
    let sandbox = common::start();
    let file = bytes(400_000, 6);
    sandbox.fault("apifansly:upload", json!({ "kind": "reset", "when": "after" }));
    let url = format!("{}/api/apifansly/api/fansly/2002/media/upload", sandbox.origin("app"));
    let headers = [("content-type", "multipart/form-data; boundary=XyZ"), ("idempotency-key", "lost")];
    assert!(sandbox.request("POST", &url, &headers, &form("XyZ", &file)).is_err());
    let again = upload_form(&sandbox, &[("idempotency-key", "lost")], &file);
    assert_eq!(again.status, 201);
    let entries = sandbox.logged("apifansly:upload");
    let seen: Vec<_> = entries.iter().map(|entry| (&entry["status"], &entry["copy"])).collect();
    assert_eq!(seen, [(&Value::Null, &json!(false)), (&json!(201), &json!(true))]);

    // The repetition of a call without effect is no replay.
    sandbox.fault("apifansly:upload", json!({ "kind": "reset", "when": "before" }));
    let headers = [headers[0], ("idempotency-key", "never")];
    assert!(sandbox.request("POST", &url, &headers, &form("XyZ", &file)).is_err());
    assert_eq!(upload_form(&sandbox, &[("idempotency-key", "never")], &file).status, 201);
    assert_eq!(sandbox.logged("apifansly:upload").last().unwrap()["copy"], false);
}

#[test]
fn a_reset_of_a_reused_connection_reaches_the_client() {
    let sandbox = common::start();
    sandbox.faults(&json!({ "keepAlive": true, "faults": [
        { "route": "plan:open", "skip": 1, "times": 1, "effect": { "kind": "reset", "when": "after" } },
    ] }));
    let body = json!({ "name": "a", "size": 1, "type": "" }).to_string();
    let request = common::head("POST", "/api/plan/open", sandbox.origin("app"), body.len()) + &body;
    let mut stream = common::connect(sandbox.origin("app"));
    assert!(exchange(&mut stream, request.as_bytes()).unwrap().starts_with("HTTP/1.1 200"));
    stream.write_all(request.as_bytes()).unwrap();
    assert_eq!(common::read_all(&mut stream).unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(sandbox.logged("plan:open").len(), 2);
}

#[test]
fn pages_of_this_machine_may_use_the_backend_and_no_others() {
    let sandbox = common::start();
    let url = "/api/ofauth/v2/access/uploads/init";
    let ask = |origin: &str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type,idempotency-key,x-session"),
        ];
        sandbox.request("OPTIONS", url, &headers, b"").unwrap()
    };
    let local = ask("http://localhost:5173");
    assert_eq!((local.status, local.header("access-control-allow-origin")), (204, Some("http://localhost:5173")));
    assert_eq!(ask("https://a.example").status, 403);
    let foreign = sandbox.request("GET", "/control/faults", &[("origin", "https://a.example")], b"").unwrap();
    assert_eq!(foreign.header("access-control-allow-origin"), None);
    let rebound = sandbox.request("POST", "/api/credentials", &[("host", "evil.example:8787")], b"").unwrap();
    assert_eq!(rebound.status, 421);
    assert!(!rebound.text().contains("secret"), "{}", rebound.text());
}
