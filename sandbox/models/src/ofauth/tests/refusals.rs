use super::*;

#[test]
fn every_call_needs_the_keys() {
    let mut state = state();
    state.config.connections.push("conn_other".to_string());
    let plan = init(&mut state, 6 * MIB).json_body();
    let part = part_puts(&plan)[0].clone();
    let check = Request::new("POST", "/v2/access/uploads/check").with_json(&json!({ "etag": "x", "size": 1 }));
    for request in [part.clone(), with_keys(check)] {
        let status = |change: fn(&mut Request), state: &mut State| {
            let mut changed = request.clone();
            change(&mut changed);
            step(&changed, state, NOW).status
        };
        assert_eq!(status(|_| {}, &mut state), 200);
        let no_key: fn(&mut Request) = |r| r.headers.remove("apikey");
        assert_eq!(status(no_key, &mut state), 401);
        assert_eq!(status(|r| r.headers.insert("apikey", "x"), &mut state), 401);
        let no_connection: fn(&mut Request) = |r| r.headers.remove("x-connection-id");
        assert_eq!(status(no_connection, &mut state), 401);
        let unknown: fn(&mut Request) = |r| r.headers.insert("x-connection-id", "conn_x");
        assert_eq!(status(unknown, &mut state), 403);
    }
    let of_another = part.with_header("x-connection-id", "conn_other");
    assert_eq!(step(&of_another, &mut state, NOW).status, 404);
}

#[test]
fn init_is_validated() {
    let mut state = state();
    state.config.burst = 1_000;
    let good = json!({ "filename": "a.mp4", "size": 1, "contentType": "video/mp4" });
    let mut status = |name: &str, value: Value| {
        let mut body = good.clone();
        match value {
            Value::Null => drop(body.as_object_mut().unwrap().remove(name)),
            value => body[name] = value,
        }
        post(&mut state, "init", body).status
    };
    assert_eq!(status("vaultUpload", json!({})), 200);
    assert_eq!(status("vaultUpload", json!({ "mode": "message" })), 200);
    assert_eq!(status("vaultUpload", json!({ "userId": null })), 200);
    assert_eq!(status("vaultUpload", json!({ "userId": "7" })), 200);
    let gib = 1u64 << 30;
    for (name, value, expected) in [
        ("filename", Value::Null, 400),
        ("filename", json!(""), 400),
        ("size", Value::Null, 400),
        ("size", json!(0), 400),
        ("size", json!(1.5), 400),
        ("size", json!("1"), 400),
        ("contentType", Value::Null, 400),
        ("contentType", json!(""), 400),
        ("contentType", json!("application/pdf"), 415),
        ("contentType", json!("video/webm"), 415),
        ("size", json!(5 * gib), 200),
        ("size", json!(5 * gib + 1), 413),
        ("vaultUpload", json!([]), 400),
        ("vaultUpload", json!({ "mode": "post" }), 400),
        ("vaultUpload", json!({ "userId": "" }), 400),
        ("vaultUpload", json!({ "userId": 7 }), 400),
        ("vaultUpload", json!({ "user": "7" }), 400),
        ("fileName", json!("a"), 400),
    ] {
        assert_eq!(status(name, value.clone()), expected, "{name} {value}");
    }
    for (content_type, size, expected) in [
        ("image/jpeg", 50 * MIB, 200),
        ("image/webp", 50 * MIB + 1, 413),
        ("audio/mpeg", 50 * MIB, 200),
        ("audio/x-m4a", 50 * MIB + 1, 413),
        ("video/quicktime", 51 * MIB, 200),
    ] {
        let body = json!({ "filename": "a", "size": size, "contentType": content_type });
        let got = post(&mut state, "init", body).status;
        assert_eq!(got, expected, "{content_type} {size}");
    }
}

#[test]
fn the_fan_of_an_upload_is_kept() {
    let mut state = state();
    let body = json!({
        "filename": "a.mp4", "size": 1, "contentType": "video/mp4",
        "vaultUpload": { "mode": "message", "userId": "77" },
    });
    let plan = post(&mut state, "init", body).json_body();
    let id = plan["mediaUploadId"].as_str().unwrap();
    assert_eq!(state.vault_user(id), Some("77"));
}

#[test]
fn the_content_type_and_the_body_must_be_json() {
    let mut state = state();
    let request = with_keys(Request::new("POST", "/v2/access/uploads/init"));
    let text = Body::Text(b"{\"filename\":\"a\"".to_vec());
    let broken = request.with_header("content-type", "application/json");
    assert_eq!(step(&broken.with_body(text), &mut state, NOW).status, 400);
    let body = json!({ "filename": "a.mp4", "size": 1, "contentType": "video/mp4" });
    let request = with_keys(Request::new("POST", "/v2/access/uploads/init"))
        .with_json(&body)
        .with_header("content-type", "text/plain");
    assert_eq!(step(&request, &mut state, NOW).status, 400);
}

#[test]
fn part_puts_must_fit_the_plan() {
    let mut state = state();
    let plan = init(&mut state, 6 * MIB).json_body();
    let url = plan["parts"][1]["uploadUrl"].as_str().unwrap();
    let right = put(url, Content::symbolic(1, 5 * MIB, MIB));
    for (request, expected) in [
        (right.clone(), 200),
        (put(url, Content::symbolic(1, 5 * MIB, MIB - 1)), 400),
        (put(url, Content::symbolic(1, 0, MIB + 1)), 400),
        (right.clone().with_header("content-type", "image/png"), 400),
        (put(&url.replace("parts/2", "parts/3"), Content::symbolic(1, 0, 1)), 400),
        (put(&url.replace("parts/2", "parts/0"), Content::symbolic(1, 0, 1)), 400),
        (put(&url.replace("parts/2", "parts/x"), Content::symbolic(1, 0, 1)), 400),
        (put(&url.replace("/parts/2", ""), Content::symbolic(1, 0, 6 * MIB)), 400),
        (put("/v2/access/uploads/upload%3Anone/parts/1", Content::symbolic(1, 0, 1)), 404),
    ] {
        let response = step(&request, &mut state, NOW);
        assert_eq!(response.status, expected, "{}", request.path);
    }
    let mut untyped = right;
    untyped.headers.remove("content-type");
    assert_eq!(step(&untyped, &mut state, NOW).status, 400);
    let response = complete(&mut state, &plan);
    assert_eq!(response.status, 400);
    assert!(response.text().contains("Parts 1 have not"));
}

#[test]
fn sessions_end() {
    let mut state = state();
    let plan = init(&mut state, 6 * MIB).json_body();
    let puts = part_puts(&plan);
    assert_eq!(step(&puts[0], &mut state, NOW + 3_599_999).status, 200);
    let late = step(&puts[1], &mut state, NOW + 3_600_000);
    assert_eq!(late.status, 400);
    assert_eq!(late.json_body()["code"], "UPLOAD_SESSION_EXPIRED");
    state.config.gone_status = 410;
    assert_eq!(step(&puts[1], &mut state, NOW + 3_600_000).status, 410);

    state.config.inactivity_ms = Some(1_000);
    let plan = init(&mut state, 6 * MIB).json_body();
    let puts = part_puts(&plan);
    assert_eq!(step(&puts[0], &mut state, NOW + 999).status, 200);
    assert_eq!(step(&puts[1], &mut state, NOW + 1_998).status, 200);
    assert_eq!(step(&puts[1], &mut state, NOW + 2_998).status, 410);
}

#[test]
fn a_completed_session_does_not_expire() {
    let mut state = state();
    let plan = upload(&mut state, 3);
    let again = step(&part_puts(&plan)[0], &mut state, NOW + 9_000_000);
    assert_eq!(again.status, 200);
}

#[test]
fn three_shapes_of_errors() {
    let mut state = state();
    let shape = |response: Response| {
        let body = response.json_body();
        let mut names: Vec<String> = body.as_object().unwrap().keys().cloned().collect();
        names.sort();
        (response.status, names.join(" "))
    };
    let no_keys = Request::new("POST", "/v2/access/uploads/init");
    let unauthorized = shape(step(&no_keys, &mut state, NOW));
    let expected = (401, "actionRequired error requestId type".to_string());
    assert_eq!(unauthorized, expected);
    let invalid = shape(post(&mut state, "init", json!({})));
    assert_eq!(invalid, (400, "code details error".to_string()));
    let unknown = shape(post(&mut state, "complete", json!({ "mediaUploadId": "x" })));
    assert_eq!(unknown, (404, "code details message".to_string()));
}
