use super::*;

#[test]
fn tokens_accounts_and_platforms() {
    let mut world = World::new();
    let mut status = |token: Option<&str>, account: &str| {
        let path = format!("/api/v0/accounts/{account}/vault/medias/uploads");
        let mut request = Request::new("GET", &path);
        if let Some(token) = token {
            request = request.with_header("x-om-auth-token", token);
        }
        world.now += 1_000;
        step(&request, &mut world.state, &mut world.store, world.now).status
    };
    let token = Some("onlymonster-token");
    assert_eq!(status(token, "1001"), 200);
    assert_eq!(status(None, "1001"), 401);
    assert_eq!(status(Some("x"), "1001"), 401);
    assert_eq!(status(token, "1002"), 404, "no such account");
    assert_eq!(status(token, "3003"), 400, "another platform");
    for account in ["01001", "1001x", "-1", "12345678901234567890", ""] {
        assert_eq!(status(token, account), 400, "{account}");
    }
    assert_eq!(status(token, "0"), 404, "well formed");
}

#[test]
fn three_requests_in_any_sliding_second() {
    let mut world = World::new();
    let mut status = |at: u64| {
        let request = Request::new("GET", BASE).with_header("x-om-auth-token", "onlymonster-token");
        step(&request, &mut world.state, &mut world.store, NOW + at).status
    };
    for (at, expected) in [
        (0, 200),
        (300, 200),
        (600, 200),
        (999, 429),
        (1_000, 200),
        (1_299, 429),
        (1_300, 200),
        (1_300, 429),
        (1_600, 200),
        (1_999, 429),
    ] {
        assert_eq!(status(at), expected, "at {at}");
    }
}

#[test]
fn fans_are_looked_up() {
    let mut world = World::new();
    for (link, status, fan_id) in [
        ("https://onlyfans.com/alice", 200, Some("7001")),
        ("https://www.onlyfans.com/alice/", 200, Some("7001")),
        ("https://onlyfans.com/u4242", 200, Some("4242")),
        ("https://onlyfans.com/nobody", 404, None),
        ("https://onlyfans.com/", 400, None),
        ("https://onlyfans.com/a/b", 400, None),
        ("https://example.com/alice", 400, None),
        ("alice", 400, None),
    ] {
        let response = world.post("fans/verify", json!({ "link": link }));
        assert_eq!(response.status, status, "{link}");
        assert_eq!(response.json_body()["fan_id"].as_str(), fan_id, "{link}");
    }
    assert_eq!(world.post("fans/verify", json!({})).status, 400);
    let more = json!({ "link": "https://onlyfans.com/alice", "x": 1 });
    assert_eq!(world.post("fans/verify", more).status, 400);
}

#[test]
fn start_is_validated_and_its_shape_is_the_servers() {
    let mut world = World::new();
    let good = json!({ "name": "a.mp4", "size": 1, "content_type": "video/mp4" });
    let gib = 1u64 << 30;
    for (name, value, expected) in [
        ("size", json!(5 * gib), 200),
        ("size", json!(5 * gib + 1), 400),
        ("size", json!(0), 400),
        ("size", json!("1"), 400),
        ("name", json!(""), 400),
        ("content_type", json!(""), 400),
        ("contentType", json!("video/mp4"), 400),
    ] {
        let mut body = good.clone();
        body[name] = value.clone();
        let response = world.post("start", body);
        assert_eq!(response.status, expected, "{name} {value}");
    }
    world.state.config.multipart_threshold = 100;
    assert!(world.start(99).get("put_url").is_some());
    assert!(world.start(100).get("upload_id").is_some());
    world.state.config.start_gives_id = false;
    assert_eq!(world.start(1).get("id"), None);
    assert_eq!(world.state.uploads_started(), 4);
}

#[test]
fn finish_needs_the_parts_of_start() {
    let mut world = World::new();
    world.state.config.part_count = Some(3);
    let started = world.start(16 * MIB);
    let mut etags = Vec::new();
    for (index, size) in [6 * MIB, 6 * MIB, 4 * MIB].into_iter().enumerate() {
        let url = &started["parts"][index]["put_url"];
        etags.push(world.put(url, index as u64 * 6 * MIB, size));
    }
    let single = world.start(3);
    let body = |parts: &[(u32, &str)]| {
        let list = parts.iter();
        let list: Vec<Value> = list.map(|(part, e_tag)| json!({ "part": part, "e_tag": e_tag })).collect();
        json!({ "key": started["key"], "upload_id": started["upload_id"], "parts": list })
    };
    let (a, b, c) = (&*etags[0], &*etags[1], &*etags[2]);
    let all = body(&[(1, a), (2, b), (3, c)]);
    let mut other_upload = all.clone();
    other_upload["upload_id"] = json!("x");
    let mut other_key = all.clone();
    other_key["key"] = json!("x");
    let mut single_key = all.clone();
    single_key["key"] = single["key"].clone();
    let mut more = all.clone();
    more["x"] = json!(1);
    let mut no_list = all.clone();
    no_list["parts"] = json!({});
    for (wrong, expected) in [
        (other_upload, 400),
        (other_key, 404),
        (single_key, 400),
        (more, 400),
        (no_list, 400),
        (body(&[]), 400),
        (body(&[(2, b), (3, c)]), 400),
        (body(&[(1, a), (3, c)]), 400),
        (body(&[(1, a), (1, a), (2, b), (3, c)]), 400),
        (body(&[(1, a), (2, b), (3, c), (4, c)]), 400),
        (body(&[(1, b), (2, a), (3, c)]), 400),
        (body(&[(0, a), (1, b), (2, c)]), 400),
    ] {
        let response = world.post("finish", wrong.clone());
        assert_eq!(response.status, expected, "{wrong}");
    }
    let late = world.now;
    world.now += 3_600_000;
    assert_eq!(world.post("finish", all.clone()).status, 400, "lapsed");
    world.now = late;
    assert_eq!(world.post("finish", all).status, 200);
}

#[test]
fn the_list_has_pages_newest_first() {
    let mut world = World::new();
    let ids: Vec<Value> = (0..25).map(|_| world.start(3)["id"].clone()).collect();
    let page = world.list("");
    assert_eq!(page.len(), 20);
    assert_eq!(page[0]["id"], ids[24]);
    assert_eq!(page[0]["status"], "started");
    let rest = world.list("?offset=20&limit=10");
    assert_eq!(rest.len(), 5);
    assert_eq!(rest[4]["id"], ids[0]);
    assert_eq!(world.list("?limit=2&offset=1")[1]["id"], ids[22]);
    for wrong in ["?limit=0", "?limit=101", "?limit=x", "?offset=-1", "?expired=1", "?page=2"] {
        let response = world.send(Request::new("GET", &format!("{BASE}{wrong}")));
        assert_eq!(response.status, 400, "{wrong}");
    }
    world.state.config.lists_started = false;
    assert!(world.list("").is_empty());
}

#[test]
fn expired_uploads_are_listed_on_request() {
    let mut world = World::new();
    let (started, etag) = world.uploaded();
    world.export(&started, &etag);
    let lapsed = world.start(3)["id"].clone();
    world.now += 3_600_000;
    let live = world.start(3)["id"].clone();
    let ids = |items: Vec<Value>| -> Vec<Value> { items.iter().map(|item| item["id"].clone()).collect() };
    let usual = ids(world.list(""));
    assert_eq!(usual, [live.clone(), started["id"].clone()]);
    assert_eq!(ids(world.list("?expired=false")), usual);
    let all = [live, lapsed, started["id"].clone()];
    assert_eq!(ids(world.list("?expired=true")), all);
    world.state.config.lists_started = false;
    assert_eq!(ids(world.list("?expired=true")), all[1..]);
}

#[test]
fn error_responses_name_the_reason() {
    let mut world = World::new();
    let response = world.post("nowhere", json!({}));
    let body = response.json_body();
    assert_eq!(response.status, 404);
    assert_eq!(body["statusCode"], 404);
    assert_eq!(body["error"], "Not Found");
    assert!(body["message"].as_str().unwrap().contains("endpoint"));
}
