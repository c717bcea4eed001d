use super::*;

fn field(name: &str, value: &str) -> FormField {
    FormField { name: name.into(), filename: None, content_type: None, value: FormValue::Bytes(value.into()) }
}

fn file(name: &str) -> FormField {
    FormField {
        name: name.into(),
        filename: Some("a.mp4".into()),
        content_type: Some("video/mp4".into()),
        value: FormValue::Content(Content::bytes(*b"hello")),
    }
}

fn form(fields: Vec<FormField>) -> Request {
    Request::new("POST", "/upload")
        .with_header("x-form-key", "form-key")
        .with_header("content-type", "multipart/form-data; boundary=x")
        .with_body(Body::Form(fields))
}

fn get(path: &str) -> Request {
    Request::new("GET", path).with_header("x-form-key", "form-key")
}

#[test]
fn a_form_is_taken_with_its_fields() {
    let mut state = State::new(Config::default());
    let answer = step(&form(vec![field("album", "7"), file("file")]), &mut state, 5);
    assert_eq!((answer.status, answer.json_body()), (201, json!({ "mediaId": "41", "key": "files/41" })));
    let taken = state.taken("41").unwrap();
    assert_eq!((taken.name.as_str(), taken.kind.as_deref()), ("a.mp4", Some("video/mp4")));
    assert_eq!(taken.fields, [("album".to_string(), "7".to_string())]);
    assert_eq!(state.contents("41"), Some(vec![Content::bytes(*b"hello")]));
    assert!(state.taken("40").is_none() && state.taken("42").is_none() && state.taken("x").is_none());
}

#[test]
fn what_is_no_such_form_is_refused() {
    let mut state = State::new(Config { max_bytes: 4, ..Config::default() });
    for (request, status) in [
        (form(vec![file("file")]).with_header("x-form-key", "other"), 401),
        (form(vec![file("file"), field("a", "b")]), 422),
        (form(vec![file("file"), file("file")]), 422),
        (form(vec![file("upload")]), 422),
        (form(vec![]), 422),
        (form(vec![file("file")]), 413),
        (form(vec![file("file")]).with_header("content-type", "multipart/form-data"), 400),
        (form(vec![]).with_body(Body::Empty), 400),
        (get("/jobs/41"), 404),
        (get("/elsewhere"), 404),
    ] {
        let answer = step(&request, &mut state, 0);
        assert_eq!(answer.status, status, "{request:?}");
        assert!(answer.json_body()["detail"].is_string());
    }
    assert_eq!(state.forms_taken(), 0);
}

#[test]
fn it_answers_in_several_ways() {
    let of = |reply| step(&form(vec![file("file")]), &mut State::new(Config { reply, ..Config::default() }), 0);
    assert_eq!(of(Reply::Text).text(), "stored as 41");
    let nothing = of(Reply::Nothing);
    assert_eq!((nothing.status, nothing.header("x-id"), nothing.body.len()), (204, Some("41"), 0));
    assert_eq!(of(Reply::Job).json_body(), json!({ "job": "/jobs/41", "id": "41" }));
}

#[test]
fn a_job_waits_runs_and_ends() {
    let mut state = State::new(Config { reply: Reply::Job, processing_ms: 100, ..Config::default() });
    step(&form(vec![file("file")]), &mut state, 1_000);
    let mut said = |now: u64| step(&get("/jobs/41"), &mut state, now).json_body();
    assert_eq!(said(1_000)["state"], "waiting");
    assert_eq!(said(1_050), json!({ "state": "active", "progress": 0.5 }));
    assert_eq!(said(1_100)["result"]["mediaId"], "41");
    state.config.fails = true;
    assert_eq!(step(&get("/jobs/41"), &mut state, 1_100).json_body()["state"], "failed");
}
