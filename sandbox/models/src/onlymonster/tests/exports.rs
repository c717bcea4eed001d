use super::*;

#[test]
fn export_needs_the_values_of_start_and_of_the_store() {
    let mut world = World::new();
    let (started, etag) = world.uploaded();
    let good = export_body(&started, &etag);
    let get_url = started["get_url"].as_str().unwrap();
    for (name, value, expected) in [
        ("key", json!("x"), 404),
        ("key", Value::Null, 400),
        ("e_tag", json!("\"00000000000000000000000000000000\""), 400),
        ("get_url", json!(format!("{get_url}&x=1")), 400),
        ("get_url", json!(get_url.replace("%2F", "/")), 400),
        ("export_type", json!("story"), 400),
        ("export_fan_id", json!("alice"), 400),
        ("export_fan_id", json!(7), 400),
        ("duration", json!("1"), 400),
        ("rf_tag", json!("x"), 400),
        ("size", json!("3"), 400),
        ("x", json!(1), 400),
    ] {
        let mut body = good.clone();
        body[name] = value.clone();
        let response = world.post("export", body);
        assert_eq!(response.status, expected, "{name} {value}");
    }
    assert_eq!(world.state.exports(), 0);
    let mut whole = good;
    for (name, value) in [
        ("export_type", json!("message")),
        ("export_fan_id", json!("7001")),
        ("name", json!("a.mp4")),
        ("size", json!(3)),
        ("content_type", json!("video/mp4")),
        ("duration", json!(1.5)),
        ("rf_tag", json!(["t"])),
        ("e_tag", json!(etag.trim_matches('"'))),
    ] {
        whole[name] = value;
    }
    let record = world.post("export", whole).json_body();
    assert_eq!(record["metadata"]["export_fan_id"], "7001");
    assert_eq!(record["metadata"]["rf_tag"], json!(["t"]));
    assert_eq!(record["metadata"]["duration"], 1.5);
}

#[test]
fn the_object_must_be_complete_and_in_time() {
    let mut world = World::new();
    let nothing = world.start(3);
    let response = world.export(&nothing, "\"x\"");
    assert_eq!(response.status, 400);
    assert!(response.text().contains("has not been uploaded"));
    let short = world.start(4);
    let etag = world.put(&short["put_url"], 0, 3);
    let response = world.export(&short, &etag);
    assert_eq!(response.status, 400);
    assert!(response.text().contains("announced 4 bytes"));
    let (lapsed, etag) = world.uploaded();
    world.now += 3_600_000;
    assert_eq!(world.export(&lapsed, &etag).status, 400);
    assert_eq!(world.state.exports(), 0);
}

#[test]
fn a_repeated_export_is_a_second_entry() {
    let mut world = World::new();
    let (started, etag) = world.uploaded();
    let first = world.export(&started, &etag).json_body();
    let second = world.export(&started, &etag).json_body();
    assert_ne!(first["id"], second["id"]);
    assert_eq!(first["metadata"]["key"], second["metadata"]["key"]);
    world.now += 9_000;
    assert_eq!(world.state.exports(), 2);
    assert_eq!(world.state.vault_entries(world.now), 2);
    assert_eq!(world.state.uploads_started(), 1);
    let list = world.list("");
    assert_eq!(list.len(), 2);
    assert_ne!(list[0]["media_id"], list[1]["media_id"]);
}

#[test]
fn a_stuck_upload_proceeds_after_retry() {
    for (stuck_in, status) in [(Stage::Uploaded, "uploaded"), (Stage::Processed, "processed")] {
        let mut world = World::new();
        world.state.config.stuck_in = Some(stuck_in);
        let (started, etag) = world.uploaded();
        world.export(&started, &etag);
        world.now += 600_000;
        assert_eq!(world.list("")[0]["status"], status);
        let call = format!("{}/retry", started["id"].as_str().unwrap());
        // The call has no body. It is sent twice, since it is idempotent while the upload is queued.
        world.state.config.processing_ms = 0;
        let response = world.send(Request::new("POST", &format!("{BASE}/{call}")));
        assert_eq!(response.status, 200);
        assert_eq!(response.json_body()["status"], status);
        world.now += 10_000;
        let id = started["id"].as_str().unwrap();
        let media = Some("3900000001");
        assert_eq!(world.state.status(id, world.now), Some(("exported", media)));
        let late = world.send(Request::new("POST", &format!("{BASE}/{call}")));
        assert_eq!(late.status, 409);
        assert_eq!(world.state.exports(), 1, "a nudge is no second export");
    }
}

#[test]
fn retry_is_for_uploaded_and_processed_only() {
    let mut world = World::new();
    let (started, etag) = world.uploaded();
    let id = started["id"].as_str().unwrap().to_string();
    let call = format!("{id}/retry");
    assert_eq!(world.post(&call, json!({})).status, 409, "not exported yet");
    assert_eq!(world.post("none/retry", json!({})).status, 404);
    world.state.config.processing_ms = 40_000;
    world.export(&started, &etag);
    let began = world.now;
    for (at, status, expected) in [
        (5_000, "uploaded", 200),
        (15_000, "processing", 409),
        (25_000, "processed", 200),
        (35_000, "exporting", 409),
        (45_000, "exported", 409),
    ] {
        world.now = began + at - 1_000;
        assert_eq!(world.state.status(&id, began + at).unwrap().0, status);
        assert_eq!(world.post(&call, json!({})).status, expected, "{status}");
    }
}

#[test]
fn ends_are_ends() {
    for (end, status) in [(End::Failed, "failed"), (End::Unprocessable, "unprocessable")] {
        let mut world = World::new();
        world.state.config.end = end;
        let (started, etag) = world.uploaded();
        world.export(&started, &etag);
        world.now += 60_000;
        let record = world.list("")[0].clone();
        assert_eq!((&record["status"], &record["media_id"]), (&json!(status), &Value::Null));
        let call = format!("{}/retry", started["id"].as_str().unwrap());
        assert_eq!(world.post(&call, json!({})).status, 409);
        assert_eq!(world.state.vault_entries(world.now), 0);
    }
}

#[test]
fn the_json_names_of_the_settings() {
    let changes = json!({
        "processingMs": 1, "multipartThreshold": 2, "partCount": 3,
        "stuckIn": "processed", "end": "unprocessable",
    });
    let config = crate::settings::overlay(&Config::default(), &changes).unwrap();
    assert_eq!((config.processing_ms, config.multipart_threshold), (1, 2));
    assert_eq!((config.part_count, config.stuck_in), (Some(3), Some(Stage::Processed)));
    assert_eq!(config.end, End::Unprocessable);
    let freed = crate::settings::overlay(&config, &json!({ "stuckIn": null })).unwrap();
    assert_eq!(freed.stuck_in, None);
    assert!(crate::settings::overlay(&config, &json!({ "stuckIn": "exported" })).is_err());
}
