//! Results of `fetch`: answers, failures of every kind, and requests that were dropped.

use futures::FutureExt;
use partway::error::Code;
use partway::http::{Body, Method, Request};
use partway::platform::{Platform, RequestOf, SendFailure};
use partway::web::WebPlatform;
use std::rc::Rc;
use wasm_bindgen_test::wasm_bindgen_test;

use super::support::{answered, api, file, js, of, options, part, platform, send, store, tick, until, with};

fn get(url: &str) -> RequestOf<WebPlatform> {
    Request::Api(api(Method::Get, url, Body::Empty))
}

#[wasm_bindgen_test]
async fn status_headers_and_body_are_read() {
    let options =
        options("return new Response('{\"ä\":1}', {status: 429, headers: {'Retry-After': '7', ETag: '\"e\"'}})");
    let response = answered(&platform(&options), get("/a")).await;
    assert_eq!((response.status, response.body.as_str()), (429, "{\"ä\":1}"));
    assert_eq!((response.header("etag"), response.header("Retry-After")), (Some("\"e\""), Some("7")));
}

#[wasm_bindgen_test]
async fn the_browsers_own_fetch_is_used_where_there_is_no_other() {
    let response = answered(&platform(&js("{}")), get("data:text/plain,hello")).await;
    assert_eq!((response.status, response.body.as_str()), (200, "hello"));
    let url = js("URL.createObjectURL(new Blob(['there']))").as_string().unwrap();
    assert_eq!(answered(&platform(&js("{}")), get(&url)).await.body, "there");
}

#[wasm_bindgen_test]
async fn no_answer_is_a_lost_connection_whatever_was_thrown() {
    for answer in [
        "throw new TypeError('Failed to fetch')",
        "throw 'a string'",
        "throw undefined",
        "throw null",
        "throw {message: 5}",
        "return Promise.reject(Symbol('odd'))",
        "return Response.error()",
        "return new Response(new ReadableStream({start(c) { c.error('a string') }}))",
        "return new Response(new ReadableStream({pull(c) { c.error(new TypeError('reset')) }}))",
    ] {
        let (answer, _) = send(&platform(&options(answer)), get("/a")).await;
        assert!(matches!(answer, Err(SendFailure::Network { body_sent: None })), "{answer:?}");
    }
    let (answer, _) = send(&platform(&js("{fetch() { throw 'at once' }}")), get("/a")).await;
    assert!(matches!(answer, Err(SendFailure::Network { .. })), "{answer:?}");
    // No server listens on the discard port, and browsers refuse to connect to it.
    let (answer, _) = send(&platform(&js("{}")), get("http://127.0.0.1:9/")).await;
    assert!(matches!(answer, Err(SendFailure::Network { .. })), "{answer:?}");
}

#[wasm_bindgen_test]
async fn what_is_no_response_is_the_applications_fault() {
    for answer in ["return undefined", "return {status: 200, headers: {}}", "return 'ok'"] {
        let (answer, _) = send(&platform(&options(answer)), get("/a")).await;
        let Err(SendFailure::Refused(error)) = answer else { panic!("{answer:?}") };
        assert_eq!(error.code, Code::Application);
    }
}

#[wasm_bindgen_test]
async fn an_answer_longer_than_an_apis_is_not_taken_in() {
    let long = options("return new Response('x'.repeat(5 << 20), {status: 500})");
    let response = answered(&platform(&long), get("/a")).await;
    assert_eq!((response.status, response.body.len()), (500, 0));
    let announced = options("return new Response('x', {headers: {'content-length': '6442450944', etag: '1'}})");
    let response = answered(&platform(&announced), get("/a")).await;
    assert_eq!((response.header("etag"), response.body.as_str()), (Some("1"), ""));
}

#[wasm_bindgen_test]
async fn what_the_browser_refuses_to_send_is_an_error_and_not_a_crash() {
    let options = options("return new Response()");
    let platform = platform(&options);
    let mut odd_header = api(Method::Get, "/a", Body::Empty);
    odd_header.headers.push(("x-connection-id".into(), "a\nb".into()));
    let with_body = api(Method::Get, "/a", Body::Json(js("{}")));
    let with_password = api(Method::Get, "https://user:password@store.example/?secret=1", Body::Empty);
    let no_url = api(Method::Get, "https://", Body::Empty);
    for request in [odd_header, with_body, with_password, no_url] {
        let url = request.url.clone();
        let (answer, _) = send(&platform, Request::Api(request)).await;
        let Err(SendFailure::Refused(error)) = answer else { panic!("{url}: {answer:?}") };
        assert_eq!((error.code, error.answer_lost), (Code::InvalidOptions, false), "{url}");
        assert!(!error.message.contains("secret"), "{}", error.message);
    }
    assert_eq!(of(&options, "$.seen.length"), 0);
}

#[wasm_bindgen_test]
async fn a_request_that_is_dropped_is_aborted_with_an_error_as_reason() {
    let options = options("await new Promise(() => {})");
    let platform = platform(&options);
    let file = file("['hello']", "a", "");
    let mut sending = platform.send(store("sig=1", &[], part(&file, 0, 5, None)), Rc::new(|_| ()));
    assert!((&mut sending).now_or_never().is_none());
    until(&options, "$.seen.length > 0").await;
    assert_eq!(of(&options, "$.seen[0].signal.aborted"), false);
    drop(sending);
    until(&options, "$.seen[0].signal.aborted").await;
    assert_eq!(of(&options, "$.seen[0].signal.reason.name"), "AbortError");
}

#[wasm_bindgen_test]
async fn a_body_that_nobody_reads_any_more_is_aborted_too() {
    let endless = options("return new Response(new ReadableStream({pull() { return new Promise(() => {}) }}))");
    let mut sending = platform(&endless).send(get("/a"), Rc::new(|_| ()));
    assert!((&mut sending).now_or_never().is_none());
    until(&endless, "$.seen.length > 0").await;
    tick(5).await;
    assert!((&mut sending).now_or_never().is_none());
    drop(sending);
    until(&endless, "$.seen[0].signal.aborted").await;
}

#[wasm_bindgen_test]
async fn an_answer_that_was_read_is_not_aborted() {
    let options = options("return new Response('ok')");
    answered(&platform(&options), get("/a")).await;
    tick(0).await;
    assert_eq!(of(&options, "$.seen[0].signal.aborted"), false);
}

#[wasm_bindgen_test]
async fn everything_goes_through_a_fetch_of_the_callers_own() {
    let options = with(options("return new Response()"), "$.transport = 'auto'");
    let file = file("['hello']", "a", "");
    let mut once = api(Method::Post, "/a", Body::File(part(&file, 0, 5, None)));
    once.must_not_repeat = true;
    answered(&platform(&options), Request::Api(once)).await;
    answered(&platform(&options), store("sig=1", &[], part(&file, 0, 5, None))).await;
    assert_eq!(of(&options, "$.seen.length"), 2);
}
