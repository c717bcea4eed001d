//! An existing store instead of the embedded one: the store model behind a small HTTP server.

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use common::bytes;
use partway_models::store::{Config, State, http_step};
use partway_models::wire::{Body, Request};
use serde_json::{Value, json};

const BUCKET: &str = "elsewhere";
const KEY: &str = "AKIAELSEWHERE0000000";
const SECRET: &str = "the-secret-of-elsewhere";

/// Calls on the bucket itself, which the model doesn't implement.
type BucketCalls = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

fn serve() -> (String, BucketCalls) {
    serve_with(true)
}

/// Serves the store, with ListParts or without.
fn serve_with(lists: bool) -> (String, BucketCalls) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let state = State::new(Config {
        endpoint: endpoint.clone(),
        region: "garage".into(),
        buckets: vec![BUCKET.into()],
        access_key: KEY.into(),
        secret_key: SECRET.into(),
        ..Config::default()
    });
    let (state, calls) = (Arc::new(Mutex::new(state)), BucketCalls::default());
    let seen = calls.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (state, seen) = (state.clone(), seen.clone());
            std::thread::spawn(move || respond(stream.unwrap(), &state, &seen, lists));
        }
    });
    (endpoint, calls)
}

/// Answers one request and closes the connection.
fn respond(mut stream: TcpStream, state: &Mutex<State>, seen: &BucketCalls, lists: bool) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let mut words = line.split_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return };
    let mut request = Request::new(method, target);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        request.headers.append(name, value);
    }
    let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    if request.path == format!("/{BUCKET}") {
        seen.lock().unwrap().push((target.to_owned(), body));
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        return;
    }
    if !lists && request.method == "GET" && request.query("uploadId").is_some() {
        let error =
            "<Error><Code>MethodNotAllowed</Code><Message>The specified method is not allowed.</Message></Error>";
        let head = format!("HTTP/1.1 405 X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{error}", error.len());
        stream.write_all(head.as_bytes()).unwrap();
        return;
    }
    request.body = Body::Text(body);
    let response = http_step(&request, &mut state.lock().unwrap(), common::now());
    let mut head = format!("HTTP/1.1 {} X\r\nConnection: close\r\n", response.status);
    for (name, value) in response.headers.iter().filter(|(name, _)| *name != "content-length") {
        head += &format!("{name}: {value}\r\n");
    }
    let length = response.header("content-length").map_or(response.body.len(), |length| length.parse().unwrap());
    head += &format!("Content-Length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&response.body).unwrap();
}

fn start(endpoint: &str) -> common::Sandbox {
    common::start_with(&[
        "--s3-endpoint",
        endpoint,
        "--s3-bucket",
        BUCKET,
        "--s3-region=garage",
        "--s3-access-key",
        KEY,
        "--s3-secret-key",
        SECRET,
    ])
}

#[test]
fn all_destinations_with_a_bucket_use_it() {
    let (endpoint, calls) = serve();
    let sandbox = start(&endpoint);
    assert_eq!(sandbox.origin("store"), endpoint);
    {
        let calls = calls.lock().unwrap();
        let (target, rule) = calls.first().expect("a CORS rule was put");
        assert!(target.contains("cors") && target.contains("X-Amz-Signature"), "{target}");
        assert!(String::from_utf8_lossy(rule).contains("<ExposeHeader>ETag</ExposeHeader>"));
    }
    let provider = sandbox.get("/config.json").json()["destinations"][3]["provider"].clone();
    assert_eq!([&provider["endpoint"], &provider["bucket"], &provider["region"]], [&endpoint, BUCKET, "garage"]);

    let given = sandbox.post("/api/credentials", &json!({})).json();
    assert_eq!(given, json!({ "accessKeyId": KEY, "secretAccessKey": SECRET }));
    let file = bytes(100_000, 1);
    let stored = sandbox.put(&sandbox.sign(&sandbox.credentials(), "PUT", "uploads/a b", &[]), &file);
    assert_eq!(stored.status, 200, "{}", stored.text());
    sandbox.assert_stored("s3", "uploads/a b", &file);
    assert_eq!(sandbox.sha256("s3", "nothing").status, 404);

    sandbox.settings(&json!({ "plan": { "partSize": 5 << 20 } }));
    let file = bytes(6 << 20, 2);
    let plan = sandbox.post("/api/plan/open", &json!({ "name": "a b", "size": file.len(), "type": "" })).json();
    let parts: Vec<_> = (1..)
        .zip(file.chunks(5 << 20))
        .map(|(number, slice)| {
            let url = plan["parts"][number - 1]["uploadUrl"].as_str().unwrap();
            let etag = sandbox.put(url, slice).header("etag").unwrap().to_owned();
            json!({ "partNumber": number, "etag": etag })
        })
        .collect();
    let listed = sandbox.post("/api/plan/list", &json!({ "plan": plan })).json();
    assert_eq!(listed[1]["size"], 1 << 20);
    let done = sandbox.post("/api/plan/complete", &json!({ "plan": plan, "parts": parts }));
    assert_eq!(done.status, 200, "{}", done.text());
    sandbox.assert_stored("plan", plan["key"].as_str().unwrap(), &file);
    let gone = sandbox.post("/api/plan/open", &json!({ "name": "a", "size": 9, "type": "" })).json();
    assert_eq!(sandbox.post("/api/plan/abort", &json!({ "plan": gone })).status, 204);
    assert_eq!(sandbox.post("/api/plan/list", &json!({ "plan": gone })).status, 404);
}

#[test]
fn a_plan_is_completed_by_a_store_that_lists_no_parts() {
    let (endpoint, _) = serve_with(false);
    let sandbox = start(&endpoint);
    sandbox.settings(&json!({ "plan": { "partSize": 5 << 20 } }));
    let file = bytes(6 << 20, 4);
    let plan = sandbox.post("/api/plan/open", &json!({ "name": "a", "size": file.len(), "type": "" })).json();
    let send = |number: usize, slice: &[u8]| {
        let url = plan["parts"][number - 1]["uploadUrl"].as_str().unwrap();
        sandbox.put(url, slice).header("etag").unwrap().to_owned()
    };
    let etags = [send(1, &file[..5 << 20]), send(2, &file[5 << 20..])];
    assert_eq!(sandbox.post("/api/plan/list", &json!({ "plan": plan })).status, 400);
    let unnamed = json!([{ "partNumber": 1, "etag": etags[0] }, { "partNumber": 2, "etag": null }]);
    let refused = sandbox.post("/api/plan/complete", &json!({ "plan": plan, "parts": unnamed }));
    assert_eq!(refused.status, 400, "{}", refused.text());
    let parts = json!([{ "partNumber": 1, "etag": etags[0] }, { "partNumber": 2, "etag": etags[1] }]);
    let done = sandbox.post("/api/plan/complete", &json!({ "plan": plan, "parts": parts }));
    assert_eq!(done.status, 200, "{}", done.text());
    sandbox.assert_stored("plan", plan["key"].as_str().unwrap(), &file);
}

#[test]
fn onlymonster_uploads_to_it() {
    let (endpoint, _) = serve();
    let sandbox = start(&endpoint);
    sandbox.settings(&json!({ "onlymonster": { "processingMs": 0 } }));
    let file = bytes(50_000, 3);
    let base = "/api/onlymonster/api/v0/accounts/1001/vault/medias/uploads";
    let body = json!({ "name": "a.mp4", "size": file.len(), "content_type": "video/mp4" });
    let start = sandbox.post(&format!("{base}/start"), &body).json();
    let put = sandbox.put(start["put_url"].as_str().unwrap(), &file);
    assert!(start["put_url"].as_str().unwrap().starts_with(&endpoint));
    let body = json!({
        "key": start["key"], "e_tag": put.header("etag"), "get_url": start["get_url"], "export_type": "post",
    });
    let record = sandbox.post(&format!("{base}/export"), &body);
    assert_eq!(record.status, 200, "{}", record.text());
    let list = sandbox.get(base).json();
    let media = list["items"][0]["media_id"].as_str().unwrap_or_else(|| panic!("not exported: {list}")).to_owned();
    sandbox.assert_stored("onlymonster", &media, &file);
}

#[test]
fn an_unreachable_store_is_reported() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let sandbox = start(&format!("http://{closed}"));
    let refused = sandbox.post("/api/plan/open", &json!({ "name": "a", "size": 9, "type": "" }));
    assert_eq!(refused.status, 502);
    assert!(refused.json()["error"].as_str().unwrap().contains("Unreachable"), "{}", refused.text());
    let object = sandbox.sha256("s3", "k");
    assert_eq!((object.status, object.json()["error"] == Value::Null), (502, false));
}
