//! How the application changes requests to an API: `beforeRequest` and `mapUrl`.

use partway::error::{Code, Step};
use partway::http::{Body, Method, Request};
use partway::platform::{ApiRequestOf, Platform, SendFailure};
use partway::web::WebPlatform;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use super::support::{answered, api, file, js, json_of, of, options, part, platform, send, settled, store, with};

const OK: &str = "return new Response('ok')";

/// Options with a `beforeRequest` of that body.
fn before(change: &str) -> JsValue {
    with(
        options(OK),
        &format!("$.beforeRequest = async request => {{ ($.shown ??= []).push({{...request}}); {change} }}"),
    )
}

fn init() -> ApiRequestOf<WebPlatform> {
    let mut request = api(Method::Post, "/api/init", Body::Json(js("{list: [1]}")));
    request.headers.push(("apikey".into(), "k".into()));
    request
}

#[wasm_bindgen_test]
async fn sees_the_request_and_what_it_changes_is_what_goes_out() {
    let options = before(
        "await 0; request.method = 'PUT'; request.url += '?traced=1'; request.headers.set('authorization', 'Bearer t');
         request.headers.delete('apikey'); request.body.list.push(2)",
    );
    answered(&platform(&options), Request::Api(init())).await;
    assert_eq!(
        json_of(
            &options,
            "$.shown.map(({step, method, url, headers, body}) => [step, method, url, headers instanceof Headers, body.list.length])"
        ),
        r#"[["init","POST","/api/init",true,2]]"#
    );
    assert_eq!(of(&options, "$.seen[0].method + ' ' + new URL($.seen[0].url).search"), "PUT ?traced=1");
    assert_eq!(
        json_of(&options, "Object.fromEntries($.seen[0].headers)"),
        r#"{"authorization":"Bearer t","content-type":"application/json"}"#
    );
    assert_eq!(settled(&options, "$.seen[0].text()").await, r#"{"list":[1,2]}"#);
}

#[wasm_bindgen_test]
async fn each_attempt_begins_with_the_request_as_it_was() {
    let options = before("request.body.list.push(2); request.headers.append('x', '1')");
    let (platform, request) = (platform(&options), init());
    answered(&platform, Request::Api(request.clone())).await;
    answered(&platform, Request::Api(request)).await;
    assert_eq!(settled(&options, "$.seen[1].text()").await, r#"{"list":[1,2]}"#);
    assert_eq!(of(&options, "$.seen[1].headers.get('x')"), "1");
}

#[wasm_bindgen_test]
async fn another_body_goes_out_as_what_it_is() {
    for (change, kind, text) in [
        ("request.body = {other: true}", Some("application/json"), r#"{"other":true}"#),
        ("request.body = [1]", Some("application/json"), "[1]"),
        ("request.body = '{\"own\":1}'", Some("application/json"), r#"{"own":1}"#),
        ("request.body = 'a'; request.headers.set('content-type', 'text/csv')", Some("text/csv"), "a"),
        ("request.body = new Blob(['b'], {type: 'a/b'})", Some("a/b"), "b"),
        (
            "request.body = Object.defineProperty(new Blob(['b'], {type: 'a/b'}), Symbol.toStringTag, {value: 'Object'})",
            Some("a/b"),
            "b",
        ),
        ("request.body = new URLSearchParams({a: 1})", Some("application/x-www-form-urlencoded;charset=UTF-8"), "a=1"),
        ("request.body = new Uint8Array([65])", None, "A"),
        ("request.body = null", None, ""),
        ("delete request.body", None, ""),
        (
            "request.url = new URL('/else', location); request.headers = {'content-type': 'x/y'}",
            Some("x/y"),
            r#"{"list":[1]}"#,
        ),
    ] {
        let options = before(change);
        answered(&platform(&options), Request::Api(init())).await;
        let seen = of(&options, "$.seen[0]");
        assert_eq!(of(&seen, "$.headers.get('content-type')").as_string().as_deref(), kind, "{change}");
        assert_eq!(settled(&seen, "$.text()").await, text, "{change}");
    }
}

#[wasm_bindgen_test]
async fn a_file_and_a_form_are_shown_as_they_go_out() {
    let file = file("['hello']", "a.mp4", "video/mp4");
    let options = before("");
    let platform = platform(&options);
    answered(&platform, Request::Api(api(Method::Put, "/a", Body::File(part(&file, 1, 5, None))))).await;
    let form =
        Body::Form { fields: vec![], file_field: "file".into(), file: part(&file, 0, 5, None), filename: "a".into() };
    answered(&platform, Request::Api(api(Method::Put, "/a", form))).await;
    answered(&platform, Request::Api(api(Method::Get, "/a", Body::Empty))).await;
    assert_eq!(
        json_of(
            &options,
            "$.shown.map(({body}) => body && [body.constructor.name, body.size ?? body.get('file').size])"
        ),
        r#"[["Blob",4],["FormData",5],null]"#
    );
}

#[wasm_bindgen_test]
async fn what_it_throws_ends_the_request_before_it_leaves() {
    for (change, message) in [
        ("throw new Error('no token')", "no token"),
        ("throw 'no token'", "no token"),
        ("return Promise.reject(null)", "no message"),
    ] {
        let options = before(change);
        let (answer, _) = send(&platform(&options), Request::Api(init())).await;
        let Err(SendFailure::Refused(error)) = answer else { panic!("{answer:?}") };
        assert_eq!((error.code, error.answer_lost), (Code::Application, false));
        assert!(error.message.contains(message) && error.cause.is_some(), "{}", error.message);
        assert_eq!(of(&options, "$.seen.length"), 0);
    }
    for change in [
        "request.method = 7",
        "request.url = null",
        "request.headers = 7",
        "request.body = {a: 1n}",
        "request.url = 'https://'",
    ] {
        let (answer, _) = send(&platform(&before(change)), Request::Api(init())).await;
        let Err(SendFailure::Refused(error)) = answer else { panic!("{change}: {answer:?}") };
        assert_eq!(error.code, Code::InvalidOptions, "{change}");
    }
}

#[wasm_bindgen_test]
async fn presigned_urls_are_none_of_its_business() {
    let options = before("throw new Error('asked')");
    let file = file("['hello']", "a", "");
    answered(&platform(&options), store("sig=1", &[], part(&file, 0, 5, None))).await;
    assert_eq!(of(&options, "$.shown"), JsValue::UNDEFINED);
}

#[wasm_bindgen_test]
fn map_url_is_asked_and_believed() {
    assert!(platform(&js("{}")).map_url("https://a.example/", Step::Part).is_none());
    let options = js(
        "{mapUrl(url, step) { if (step === 'list') throw new Error('no'); if (step === 'sign') return 5; return step === 'part' ? new URL('/part', url) : '/api?u=' + url }}",
    );
    let platform = platform(&options);
    let map = |step| platform.map_url("https://a.example/x", step).unwrap();
    assert_eq!(map(Step::Complete).unwrap(), "/api?u=https://a.example/x");
    assert_eq!(map(Step::Part).unwrap(), "https://a.example/part");
    assert_eq!(map(Step::Sign).unwrap_err().code, Code::InvalidOptions);
    let error = map(Step::List).unwrap_err();
    assert_eq!((error.code, error.cause.is_some()), (Code::Application, true));
}
