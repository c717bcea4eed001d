mod limits;
mod refusals;

use serde_json::{Value, json};

use super::*;
use crate::content::{Content, multipart_etag};
use crate::wire::Body;

const NOW: u64 = 1_780_000_000_000;
const MIB: u64 = 1 << 20;

fn state() -> State {
    State::new(Config::default())
}

fn with_keys(request: Request) -> Request {
    request.with_header("apikey", "ofauth-key").with_header("x-connection-id", "conn_sandbox")
}

fn post(state: &mut State, call: &str, body: Value) -> Response {
    let path = format!("/v2/access/uploads/{call}");
    let request = with_keys(Request::new("POST", &path)).with_json(&body);
    step(&request, state, NOW)
}

fn init(state: &mut State, size: u64) -> Response {
    let body = json!({ "filename": "a.mp4", "size": size, "contentType": "video/mp4" });
    post(state, "init", body)
}

fn put(url: &str, content: Content) -> Request {
    with_keys(Request::new("PUT", url)).with_header("content-type", "video/mp4").with_body(Body::Content(content))
}

/// The PUT of each part of a file, as the plan describes it.
fn part_puts(plan: &Value) -> Vec<Request> {
    let parts = plan["parts"].as_array().unwrap().iter();
    parts
        .map(|part| {
            let range = &part["byteRange"];
            let (start, end) = (range["start"].as_u64(), range["end"].as_u64());
            let (start, end) = (start.unwrap(), end.unwrap());
            let content = Content::symbolic(1, start, end + 1 - start);
            put(part["uploadUrl"].as_str().unwrap(), content)
        })
        .collect()
}

fn upload(state: &mut State, size: u64) -> Value {
    let plan = init(state, size).json_body();
    for request in part_puts(&plan) {
        assert_eq!(step(&request, state, NOW).status, 200);
    }
    plan
}

fn complete(state: &mut State, plan: &Value) -> Response {
    let body = json!({ "mediaUploadId": plan["mediaUploadId"] });
    post(state, "complete", body)
}

#[test]
fn routes_have_names() {
    let base = "/v2/access/uploads";
    for (method, rest, expected) in [
        ("POST", "/check", "ofauth:check"),
        ("POST", "/init", "ofauth:init"),
        ("PUT", "/upload%3Ax/parts/1", "ofauth:part"),
        ("PUT", "/upload%3Ax", "ofauth:single"),
        ("POST", "/complete", "ofauth:complete"),
        ("GET", "/init", "ofauth:unknown"),
        ("POST", "/init/x", "ofauth:unknown"),
    ] {
        let request = Request::new(method, &format!("{base}{rest}"));
        assert_eq!(route(&request), expected);
    }
}

#[test]
fn a_multipart_plan_covers_the_file() {
    let mut state = state();
    let size = 10 * MIB + 1;
    let response = init(&mut state, size);
    assert_eq!(response.status, 200);
    assert_eq!(response.header("x-ofauth-upload-total-parts"), Some("3"));
    let part_size = (5 * MIB).to_string();
    let header = response.header("x-ofauth-upload-part-size");
    assert_eq!(header, Some(part_size.as_str()));
    let plan = response.json_body();
    let id = plan["mediaUploadId"].as_str().unwrap();
    let path = id.replace(':', "%3A");
    let base = "https://api.ofauth.com/v2/access/uploads";
    assert_eq!(
        plan,
        json!({
            "mediaUploadId": id,
            "uploadType": "multipart",
            "totalParts": 3,
            "partSize": 5 * MIB,
            "expiresAt": crate::clock::iso8601(NOW + 3_600_000),
            "parts": [
                { "partNumber": 1, "uploadUrl": format!("{base}/{path}/parts/1"),
                  "byteRange": { "start": 0, "end": 5 * MIB - 1 } },
                { "partNumber": 2, "uploadUrl": format!("{base}/{path}/parts/2"),
                  "byteRange": { "start": 5 * MIB, "end": 10 * MIB - 1 } },
                { "partNumber": 3, "uploadUrl": format!("{base}/{path}/parts/3"),
                  "byteRange": { "start": 10 * MIB, "end": 10 * MIB } },
            ],
            "completeUrl": format!("{base}/complete"),
        })
    );
}

#[test]
fn a_multipart_upload_from_init_to_the_vault() {
    let mut state = state();
    let plan = init(&mut state, 12 * MIB).json_body();
    let puts = part_puts(&plan);
    // The last part comes first, and the first one twice: a part may be repeated.
    for index in [2, 0, 0, 1] {
        let response = step(&puts[index], &mut state, NOW);
        let body = response.json_body();
        assert_eq!(response.status, 200);
        assert_eq!(body["mediaUploadId"], plan["mediaUploadId"]);
        assert_eq!(body["partNumber"], index as u64 + 1);
        let Body::Content(content) = &puts[index].body else { panic!("no content") };
        assert_eq!(body["etag"], format!("\"{}\"", content.etag()));
        assert_eq!(response.header("etag"), None);
    }
    let id = plan["mediaUploadId"].as_str().unwrap().to_string();
    assert_eq!(state.contents(&id), None, "not before complete");
    let response = complete(&mut state, &plan);
    assert_eq!(response.status, 200);
    let body = response.json_body();
    assert_eq!(body["mediaUploadId"], plan["mediaUploadId"]);
    assert_eq!(body["media"]["id"], 12_345);
    assert_eq!(body["media"]["type"], "video");
    assert_eq!(body["media"]["files"]["full"]["size"], 12 * MIB);
    let contents = state.contents(&id).unwrap();
    let whole = crate::content::tile(&contents).unwrap();
    assert_eq!((whole.start, whole.size), (0, 12 * MIB));
    assert_eq!(state.contents("12345"), Some(contents));

    // A repetition gets the same response, and adds no second entry.
    assert_eq!(complete(&mut state, &plan).json_body(), body);
    assert_eq!(state.vault_entries(), 1);
    assert_eq!(step(&puts[0], &mut state, NOW).status, 409);
    state.config.repeatable = false;
    assert_eq!(complete(&mut state, &plan).status, 409);
}

#[test]
fn a_single_put_completes_by_itself() {
    let mut state = state();
    let plan = init(&mut state, 5 * MIB).json_body();
    assert_eq!(plan["uploadType"], "single");
    assert_eq!(plan["totalParts"], 1);
    assert_eq!(plan.get("completeUrl"), None);
    let url = plan["parts"][0]["uploadUrl"].as_str().unwrap();
    assert!(!url.contains("/parts/"));
    let request = &part_puts(&plan)[0];
    let response = step(request, &mut state, NOW);
    assert_eq!(response.status, 200);
    let body = response.json_body();
    assert_eq!(body["media"]["id"], 12_345);
    assert_eq!(state.vault_entries(), 1);
    assert_eq!(complete(&mut state, &plan).status, 400, "never completed");
    let to_part = put(&format!("{url}/parts/1"), Content::symbolic(1, 0, 5 * MIB));
    assert_eq!(step(&to_part, &mut state, NOW).status, 400);

    assert_eq!(step(request, &mut state, NOW).json_body(), body);
    let other = put(url, Content::symbolic(2, 0, 5 * MIB));
    assert_eq!(step(&other, &mut state, NOW).status, 409);
    state.config.repeatable = false;
    assert_eq!(step(request, &mut state, NOW).status, 409);
    assert_eq!(state.vault_entries(), 1);
}

#[test]
fn the_reply_has_the_size_of_a_large_single_part() {
    let mut state = state();
    state.config.single_max = 20 * MIB;
    let plan = init(&mut state, 12 * MIB).json_body();
    assert_eq!(plan["partSize"], 12 * MIB);
    assert_eq!(plan["parts"].as_array().unwrap().len(), 1);
}

#[test]
fn the_older_layout_is_in_headers() {
    let mut state = state();
    state.config.layout = Layout::Headers;
    state.config.etag = EtagPlace::Header;
    let response = init(&mut state, 6 * MIB);
    let id = response.json_body()["mediaUploadId"].clone();
    assert_eq!(response.json_body(), json!({ "mediaUploadId": id }));
    assert_eq!(response.header("x-ofauth-upload-total-parts"), Some("2"));
    let base = format!("/v2/access/uploads/{}", id.as_str().unwrap());
    for (number, start, size) in [(1, 0, 5 * MIB), (2, 5 * MIB, MIB)] {
        let content = Content::symbolic(1, start, size);
        let etag = format!("\"{}\"", content.etag());
        let request = put(&format!("{base}/parts/{number}"), content);
        let response = step(&request, &mut state, NOW);
        assert_eq!(response.header("etag"), Some(etag.as_str()));
        assert_eq!(response.json_body().get("etag"), None);
    }
    let plan = json!({ "mediaUploadId": id });
    assert_eq!(complete(&mut state, &plan).status, 200);
    // A single upload has a path of its own.
    let response = init(&mut state, 3);
    let id = response.json_body()["mediaUploadId"].clone();
    let url = format!("/v2/access/uploads/{}", id.as_str().unwrap());
    let request = put(&url, Content::symbolic(1, 0, 3));
    assert_eq!(step(&request, &mut state, NOW).status, 200);
}

#[test]
fn replies_have_media_by_setting() {
    let mut state = state();
    state.config.whole_media = false;
    let plan = upload(&mut state, 6 * MIB);
    let sample = json!({ "id": 12_345, "type": "video", "files": {} });
    assert_eq!(complete(&mut state, &plan).json_body()["media"], sample);
    state.config.media = false;
    let answer = complete(&mut state, &plan).json_body();
    assert_eq!(answer, json!({ "mediaUploadId": plan["mediaUploadId"] }));
}

#[test]
fn check_finds_completed_uploads() {
    let mut state = state();
    upload(&mut state, 3);
    let plan = upload(&mut state, 6 * MIB);
    let parts = [Content::symbolic(1, 0, 5 * MIB), Content::symbolic(1, 5 * MIB, MIB)];
    let (single, combined) = (Content::symbolic(1, 0, 3).etag(), multipart_etag(&parts));
    let ask = |state: &mut State, etag: &str, size: u64| {
        let response = post(state, "check", json!({ "etag": etag, "size": size }));
        assert_eq!(response.status, 200);
        response.json_body()
    };
    let answer = ask(&mut state, &single, 3);
    assert_eq!((&answer["exists"], &answer["media"]["id"]), (&json!(true), &json!(12_345)));
    assert_eq!(ask(&mut state, &single, 4), json!({ "exists": false }));
    assert_eq!(ask(&mut state, &combined, 6 * MIB), json!({ "exists": false }));
    complete(&mut state, &plan);
    let quoted = format!("\"{combined}\"");
    assert_eq!(ask(&mut state, &quoted, 6 * MIB)["media"]["id"], 12_346);
    state.config.media = false;
    assert_eq!(ask(&mut state, &single, 3), json!({ "exists": true }));

    state.config.connections.push("conn_other".to_string());
    let of_another = with_keys(Request::new("POST", "/v2/access/uploads/check"))
        .with_header("x-connection-id", "conn_other")
        .with_json(&json!({ "etag": single, "size": 3 }));
    assert_eq!(step(&of_another, &mut state, NOW).json_body(), json!({ "exists": false }));
}

#[test]
fn an_upload_reference_is_single_use_and_a_media_id_is_not() {
    let mut state = state();
    let plan = upload(&mut state, 3);
    let reference = plan["mediaUploadId"].as_str().unwrap();
    assert_eq!(state.use_in_media_items("12345"), Ok(12_345));
    assert_eq!(state.use_in_media_items(reference), Ok(12_345));
    assert_eq!(state.use_in_media_items(reference), Err(ConsumeError::Used));
    assert_eq!(state.use_in_media_items("12345"), Ok(12_345));
    let open = init(&mut state, 3).json_body();
    let open = open["mediaUploadId"].as_str().unwrap();
    for unknown in [open, "upload:none", "12346", "x"] {
        let outcome = state.use_in_media_items(unknown);
        assert_eq!(outcome, Err(ConsumeError::Unknown), "{unknown}");
    }
}

#[test]
fn the_same_requests_get_the_same_responses() {
    let tell = || {
        let mut state = state();
        let plan = upload(&mut state, 6 * MIB);
        (complete(&mut state, &plan), plan)
    };
    assert_eq!(tell(), tell());
    fn sent<T: Send>(_: &T) {}
    sent(&state());
}
