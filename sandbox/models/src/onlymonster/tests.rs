mod exports;
mod requests;

use serde_json::{Value, json};

use super::*;
use crate::content::Content;
use crate::store;
use crate::wire::Body;

const NOW: u64 = 1_780_000_000_000;
const MIB: u64 = 1 << 20;
const BASE: &str = "/api/v0/accounts/1001/vault/medias/uploads";

/// The vendor, its store, and a clock that advances a second per request, below the rate limit.
struct World {
    state: State,
    store: store::State,
    now: u64,
}

impl World {
    fn new() -> Self {
        World { state: State::new(Config::default()), store: store::State::new(store::Config::default()), now: NOW }
    }

    fn send(&mut self, request: Request) -> Response {
        self.now += 1_000;
        let request = request.with_header("x-om-auth-token", "onlymonster-token");
        step(&request, &mut self.state, &mut self.store, self.now)
    }

    fn post(&mut self, call: &str, body: Value) -> Response {
        let request = Request::new("POST", &format!("{BASE}/{call}"));
        self.send(request.with_json(&body))
    }

    fn list(&mut self, query: &str) -> Vec<Value> {
        let response = self.send(Request::new("GET", &format!("{BASE}{query}")));
        assert_eq!(response.status, 200, "{}", response.text());
        response.json_body()["items"].as_array().unwrap().clone()
    }

    fn start(&mut self, size: u64) -> Value {
        let body = json!({ "name": "a.mp4", "size": size, "content_type": "video/mp4" });
        let response = self.post("start", body);
        assert_eq!(response.status, 200, "{}", response.text());
        response.json_body()
    }

    /// Sends a PUT to a presigned URL; returns the `ETag` header.
    fn put(&mut self, url: &Value, start: u64, size: u64) -> String {
        let content = Content::symbolic(1, start, size);
        let request = Request::new("PUT", url.as_str().unwrap()).with_body(Body::Content(content));
        let response = store::http_step(&request, &mut self.store, self.now);
        assert_eq!(response.status, 200, "{}", response.text());
        response.header("etag").unwrap().to_string()
    }

    /// A single PUT of 3 bytes: the reply of `/start`, and the object's ETag.
    fn uploaded(&mut self) -> (Value, String) {
        let started = self.start(3);
        let etag = self.put(&started["put_url"], 0, 3);
        (started, etag)
    }

    fn export(&mut self, started: &Value, etag: &str) -> Response {
        self.post("export", export_body(started, etag))
    }
}

fn export_body(started: &Value, etag: &str) -> Value {
    json!({
        "key": started["key"], "e_tag": etag, "get_url": started["get_url"],
        "export_type": "post",
    })
}

#[test]
fn routes_have_names() {
    for (method, rest, expected) in [
        ("GET", "", "onlymonster:list"),
        ("GET", "/?offset=1", "onlymonster:list"),
        ("POST", "/fans/verify", "onlymonster:verify-fan"),
        ("POST", "/start", "onlymonster:start"),
        ("POST", "/finish", "onlymonster:finish"),
        ("POST", "/export", "onlymonster:export"),
        ("POST", "/some-id/retry", "onlymonster:retry"),
        ("PUT", "/start", "onlymonster:unknown"),
    ] {
        let request = Request::new(method, &format!("{BASE}{rest}"));
        assert_eq!(route(&request), expected);
    }
}

#[test]
fn a_single_put_from_start_to_the_vault() {
    let mut world = World::new();
    let started = world.start(3);
    let mut names: Vec<&String> = started.as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["get_url", "id", "key", "put_url"]);
    let etag = world.put(&started["put_url"], 0, 3);
    let record = world.export(&started, &etag).json_body();
    assert_eq!(record["id"], started["id"]);
    assert_eq!((&record["status"], &record["media_id"]), (&json!("uploaded"), &Value::Null));
    let created = world.now - 1_000;
    let exported = world.now;
    assert_eq!(
        record["metadata"],
        json!({
            "name": "a.mp4", "size": 3, "content_type": "video/mp4", "duration": null,
            "key": started["key"], "e_tag": etag, "get_url": started["get_url"],
            "export_type": "post", "export_fan_id": null,
            "rf_guest": [], "rf_partner": [], "rf_tag": [],
        })
    );
    assert_eq!(record["created_at"], crate::clock::iso8601(created));
    assert_eq!(record["updated_at"], crate::clock::iso8601(exported));

    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(world.list("")[0]["status"].clone());
    }
    assert_eq!(seen, ["processing", "processed", "exporting", "exported"]);
    let item = &world.list("/")[0];
    assert_eq!(item["media_id"], "3900000001");
    let key = started["key"].as_str();
    assert_eq!(world.state.object_key("3900000001"), key);
    assert_eq!(world.state.object_key(started["id"].as_str().unwrap()), key);
    assert_eq!(world.state.vault_entries(world.now), 1);
}

#[test]
fn a_multipart_upload_from_start_to_the_vault() {
    let mut world = World::new();
    world.state.config.first_part_id = 11;
    let size = 16 * MIB + 5;
    let started = world.start(size);
    assert_eq!(started.get("put_url"), None);
    let parts = started["parts"].as_array().unwrap().clone();
    assert_eq!(parts.len(), 3, "one for each 8 MiB");
    let part_size = size.div_ceil(3);
    let mut sent = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let start = index as u64 * part_size;
        let etag = world.put(&part["put_url"], start, part_size.min(size - start));
        sent.insert(0, json!({ "part": part["id"], "e_tag": etag }));
    }
    assert_eq!(sent[0]["part"], 13);
    let body = json!({ "key": started["key"], "upload_id": started["upload_id"], "parts": sent });
    let finished = world.post("finish", body.clone());
    assert_eq!(finished.status, 200, "{}", finished.text());
    let etag = finished.json_body()["e_tag"].as_str().unwrap().to_string();
    assert!(etag.ends_with("-3\""), "{etag}");
    let listed = world.list("")[0].clone();
    assert_eq!(listed["metadata"]["e_tag"], etag, "the ETag shows that finish took effect");
    let again = world.post("finish", body);
    assert_eq!(again.status, 400);
    assert!(again.text().contains("NoSuchUpload"));
    assert_eq!(world.export(&started, &etag).status, 200);
    world.now += 4_000;
    let record = world.list("")[0].clone();
    assert_eq!(record["status"], "exported");
    let key = world.state.object_key(record["media_id"].as_str().unwrap());
    let contents = world.store.contents("media", key.unwrap()).unwrap();
    assert_eq!(crate::content::tile(&contents).unwrap().size, size);
}

#[test]
fn fewer_parts_than_offered_are_the_first_ones() {
    let mut world = World::new();
    world.state.config.part_count = Some(10);
    let started = world.start(16 * MIB);
    let parts = started["parts"].as_array().unwrap().clone();
    assert_eq!(parts.len(), 10);
    let mut sent = Vec::new();
    for (index, size) in [5 * MIB, 5 * MIB, 5 * MIB, MIB].into_iter().enumerate() {
        let etag = world.put(&parts[index]["put_url"], index as u64 * 5 * MIB, size);
        sent.push(json!({ "part": parts[index]["id"], "e_tag": etag }));
    }
    let body = json!({ "key": started["key"], "upload_id": started["upload_id"], "parts": sent });
    assert_eq!(world.post("finish", body).status, 200);
}

#[test]
fn the_same_requests_get_the_same_responses() {
    let run = || {
        let mut world = World::new();
        let (started, etag) = world.uploaded();
        world.export(&started, &etag)
    };
    assert_eq!(run(), run());
    fn sent<T: Send>(_: &T) {}
    sent(&World::new().state);
}
