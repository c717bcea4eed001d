use serde_json::{Value, json};

use super::*;
use crate::content::Content;
use crate::wire::{Body, FormField, FormValue};

const NOW: u64 = 1_780_000_000_000;
const UPLOAD: &str = "/api/fansly/2002/media/upload";

fn state() -> State {
    State::new(Config::default())
}

fn file() -> FormField {
    FormField {
        name: "file".to_string(),
        filename: Some("image.jpeg".to_string()),
        content_type: Some("image/jpeg".to_string()),
        value: FormValue::Content(Content::bytes(*b"jpeg")),
    }
}

fn text(name: &str, value: &str) -> FormField {
    FormField {
        name: name.to_string(),
        filename: None,
        content_type: None,
        value: FormValue::Bytes(value.as_bytes().to_vec()),
    }
}

fn form(fields: Vec<FormField>) -> Request {
    Request::new("POST", UPLOAD)
        .with_header("x-api-key", "apifansly-key")
        .with_header("content-type", "multipart/form-data; boundary=x")
        .with_body(Body::Form(fields))
}

fn status(state: &mut State, job: &str, now: u64) -> Response {
    let path = format!("/api/fansly/media/upload/{job}/status");
    let request = Request::new("GET", &path).with_header("x-api-key", "apifansly-key");
    step(&request, state, now)
}

#[test]
fn routes_have_names() {
    let job = "/api/fansly/media/upload/7/status";
    for (method, path, expected) in [
        ("POST", UPLOAD, "apifansly:upload"),
        ("GET", job, "apifansly:status"),
        ("POST", job, "apifansly:unknown"),
        ("GET", UPLOAD, "apifansly:unknown"),
    ] {
        assert_eq!(route(&Request::new(method, path)), expected);
    }
}

#[test]
fn a_job_from_the_form_to_the_media() {
    let mut state = state();
    let inputs = text("formInputs", r#"[{"type":1,"value":"a"},{"type":2,"value":""}]"#);
    let response = step(&form(vec![inputs, file()]), &mut state, NOW);
    assert_eq!(response.status, 201);
    let body = response.json_body();
    let bucket = body["data"]["bucketName"].clone();
    assert_eq!(
        body,
        json!({
            "statusCode": 201,
            "message": "Success",
            "data": {
                "success": true, "jobId": "7", "bucketName": bucket,
                "message": "Upload job queued. Use the status endpoint to track progress.",
            },
            "timestamp": crate::clock::iso8601(NOW),
        })
    );
    let mut seen = Vec::new();
    for at in [0, 749, 750, 1_875, 2_999, 3_000] {
        let body = status(&mut state, "7", NOW + at).json_body();
        let data = &body["data"];
        assert_eq!((&body["statusCode"], &data["jobId"]), (&json!(200), &json!("7")));
        assert_eq!(data.get("result").is_some(), at == 3_000);
        seen.push((data["state"].clone(), data["progress"].clone()));
    }
    let expected = [("waiting", 0), ("waiting", 0), ("active", 0), ("active", 50), ("active", 99), ("completed", 100)];
    assert_eq!(seen, expected.map(|(state, progress)| (json!(state), json!(progress))));

    let body = status(&mut state, "7", NOW + 9_000).json_body();
    let result = &body["data"]["result"];
    let media_id = result["mediaId"].as_str().unwrap();
    assert!(media_id.parse::<u64>().unwrap() > 1 << 53);
    let media = &result["accountMedia"][0]["media"];
    assert_eq!((&media["id"], &media["type"]), (&json!(media_id), &json!(1)));
    assert_eq!(media["filename"], "image.jpeg");
    assert_eq!(media["createdAt"], (NOW + 3_000) / 1_000);
    let link = media["locations"][0]["location"].as_str().unwrap();
    let expires = (NOW + 3_000) / 1_000 + 5 * 3_600;
    assert!(link.contains(&format!("Expires={expires}")), "{link}");
    assert_eq!(state.contents(media_id), Some(vec![Content::bytes(*b"jpeg")]));
    let inputs = [(1.0, "a".to_string()), (2.0, String::new())];
    assert_eq!(state.form_inputs(media_id), Some(&inputs[..]));
    assert_eq!(state.contents("1"), None);
}

#[test]
fn the_form_is_checked() {
    let nameless = FormField { filename: None, ..file() };
    let empty = FormField { value: FormValue::Content(Content::bytes(Vec::new())), ..file() };
    let as_file = FormField { filename: Some("inputs.json".to_string()), ..text("formInputs", "[]") };
    let inputs = |value: &str| vec![file(), text("formInputs", value)];
    for (fields, expected) in [
        (vec![file()], 201),
        (inputs("[]"), 201),
        (inputs(r#"[{"type":1,"value":"x"}]"#), 201),
        (vec![], 400),
        (vec![text("file", "jpeg")], 400),
        (vec![nameless], 400),
        (vec![empty], 400),
        (vec![file(), file()], 400),
        (vec![file(), text("other", "x")], 400),
        (vec![file(), as_file], 400),
        (inputs(""), 400),
        (inputs("{}"), 400),
        (inputs(r#"["x"]"#), 400),
        (inputs(r#"[{"type":"1","value":"x"}]"#), 400),
        (inputs(r#"[{"type":1,"value":2}]"#), 400),
        (inputs(r#"[{"type":1}]"#), 400),
        (inputs(r#"[{"value":"x"}]"#), 400),
        (inputs(r#"[{"type":1,"value":"x","more":1}]"#), 400),
    ] {
        let mut state = state();
        let response = step(&form(fields.clone()), &mut state, NOW);
        assert_eq!(response.status, expected, "{fields:?}");
        assert_eq!(state.uploads_accepted(), usize::from(expected == 201));
    }
}

#[test]
fn a_body_that_is_no_form_is_refused() {
    let mut state = state();
    let json = form(vec![file()]).with_json(&json!({}));
    assert_eq!(step(&json, &mut state, NOW).status, 400);
    for header in ["multipart/form-data", "image/jpeg; boundary=x"] {
        let request = form(vec![file()]).with_header("content-type", header);
        assert_eq!(step(&request, &mut state, NOW).status, 400, "{header}");
    }
    let mut unsaid = form(vec![file()]);
    unsaid.headers.remove("content-type");
    assert_eq!(step(&unsaid, &mut state, NOW).status, 201);
}

#[test]
fn keys_accounts_and_jobs_must_be_known() {
    let mut state = state();
    let good = form(vec![file()]);
    let refused = |request: Request, state: &mut State| {
        let response = step(&request, state, NOW);
        let body = response.json_body();
        assert_eq!(body["statusCode"], response.status);
        assert_eq!(body["data"], Value::Null);
        assert!(body["message"].is_string() && body["timestamp"].is_string());
        response.status
    };
    let mut keyless = good.clone();
    keyless.headers.remove("x-api-key");
    assert_eq!(refused(keyless, &mut state), 401);
    let wrong = good.clone().with_header("x-api-key", "x");
    assert_eq!(refused(wrong, &mut state), 401);
    let mut elsewhere = good;
    elsewhere.path = "/api/fansly/2003/media/upload".to_string();
    assert_eq!(refused(elsewhere, &mut state), 404);
    let nowhere = Request::new("GET", "/api").with_header("x-api-key", "apifansly-key");
    assert_eq!(refused(nowhere, &mut state), 404);
    assert_eq!(status(&mut state, "7", NOW).status, 404);
    assert_eq!(state.uploads_accepted(), 0);
}

#[test]
fn a_failed_job_has_its_reason_where_the_settings_say() {
    let why = "The media could not be processed";
    for (failure_text, error, message, outer) in [
        (FailureText::Error, Some(why), None, "Success"),
        (FailureText::Message, None, Some(why), "Success"),
        (FailureText::Outer, None, None, why),
    ] {
        let mut state = state();
        state.config.end = End::Failed;
        state.config.failure_text = failure_text;
        step(&form(vec![file()]), &mut state, NOW);
        let body = status(&mut state, "7", NOW + 3_000).json_body();
        let data = &body["data"];
        assert_eq!((&data["state"], &data["success"]), (&json!("failed"), &json!(true)));
        assert_eq!(data["error"].as_str(), error);
        assert_eq!(data["message"].as_str(), message);
        assert_eq!(body["message"], outer);
        assert_eq!(data.get("result"), None);
    }
}

#[test]
fn each_accepted_form_is_an_upload_of_its_own() {
    let mut state = state();
    let first = step(&form(vec![file()]), &mut state, NOW).json_body();
    let second = step(&form(vec![file()]), &mut state, NOW).json_body();
    assert_eq!(second["data"]["jobId"], "8");
    assert_ne!(first["data"]["bucketName"], second["data"]["bucketName"]);
    assert_eq!(state.uploads_accepted(), 2);
}

#[test]
fn the_rate_limit_has_headers_of_its_own() {
    let mut state = state();
    state.config.rate_per_minute = 2;
    let minute = NOW / 60_000 * 60_000;
    for left in ["1", "0"] {
        let response = status(&mut state, "7", minute + 15_500);
        assert_eq!(response.status, 404);
        assert_eq!(response.header("x-ratelimit-limit"), Some("2"));
        assert_eq!(response.header("x-ratelimit-remaining"), Some(left));
        assert_eq!(response.header("x-ratelimit-retry-after"), None);
    }
    let refused = status(&mut state, "7", minute + 15_500);
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("x-ratelimit-remaining"), Some("0"));
    assert_eq!(refused.header("x-ratelimit-retry-after"), Some("45"));
    assert_eq!(refused.header("retry-after"), None);
    assert_eq!(refused.json_body()["statusCode"], 429);
    assert_eq!(status(&mut state, "7", minute + 60_000).status, 404);
}

#[test]
fn the_json_names_of_the_settings() {
    let changes = json!({ "processingMs": 1, "end": "failed" });
    let config = crate::settings::overlay(&Config::default(), &changes).unwrap();
    assert_eq!((config.processing_ms, config.end), (1, End::Failed));
    fn sent<T: Send>(_: &T) {}
    sent(&State::new(config));
}
