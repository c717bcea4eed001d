//! `XMLHttpRequest`: when it is used, what it reports, and how it ends. Its server is the test runner's, which has none of the
//! URLs and says so.

use std::cell::Cell;
use std::rc::Rc;

use futures::FutureExt;
use partway::error::Step;
use partway::http::{Body, Method, Request, StoreRequest, Url};
use partway::platform::{Platform, RequestOf, SendFailure};
use partway::web::WebPlatform;
use wasm_bindgen_test::wasm_bindgen_test;

use super::support::{Spy, answered, api, file, js, part, platform, send};

/// An address to which a browser connects, without a server.
const NOBODY: &str = "http://127.0.0.1:47999/";

fn put(url: &str, bytes: usize) -> RequestOf<WebPlatform> {
    let file = file(&format!("[new Uint8Array({bytes})]"), "a", "");
    Request::Api(api(Method::Put, url, Body::File(part(&file, 0, bytes as u64, None))))
}

/// A store's URLs are signed, so that no two are the same.
fn signed_get(href: &str) -> RequestOf<WebPlatform> {
    let (origin, path, query) = ("https://store.example".into(), "/key".into(), String::new());
    let url = Url { href: href.into(), origin, path, query };
    Request::Store(StoreRequest::new("", Step::List, Method::Get, url, Vec::new(), Body::Empty).unwrap())
}

#[wasm_bindgen_test]
async fn tells_of_bytes_and_reads_the_answer() {
    let opened = Spy::on("XMLHttpRequest.prototype", "open");
    let (answer, sent) = send(&platform(&js("{}")), put("/nowhere", 3_000_000)).await;
    let answer = answer.unwrap();
    assert_eq!((opened.count(), sent), (1, Some(3_000_000)));
    assert!(answer.status >= 400, "{answer:?}");
    assert!(answer.headers.iter().all(|(name, value)| name.to_ascii_lowercase() == *name && value.trim() == value));
    assert!(answer.header("content-length").is_some() || answer.header("content-type").is_some(), "{answer:?}");
}

#[wasm_bindgen_test]
async fn reads_a_body_as_text() {
    let url = js("URL.createObjectURL(new Blob(['ä\\u{1F600}']))").as_string().unwrap();
    let by_xhr = platform(&js("{transport: 'xhr'}"));
    let opened = Spy::on("XMLHttpRequest.prototype", "open");
    let answer = answered(&by_xhr, signed_get(&url)).await;
    assert_eq!((answer.status, answer.body.as_str(), opened.count()), (200, "ä\u{1F600}", 1));
    // The browser's cache could answer a GET to an API.
    let answer = answered(&by_xhr, Request::Api(api(Method::Get, &url, Body::Empty))).await;
    assert_eq!((answer.status, answer.body.as_str(), opened.count()), (200, "ä\u{1F600}", 1));
    let long = js("URL.createObjectURL(new Blob(['x'.repeat(5 << 20)]))").as_string().unwrap();
    assert_eq!(answered(&by_xhr, signed_get(&long)).await.body, "");
}

#[wasm_bindgen_test]
async fn knows_whether_the_body_went_out() {
    let (answer, sent) = send(&platform(&js("{}")), put(NOBODY, 10)).await;
    assert!(matches!(answer, Err(SendFailure::Network { body_sent: Some(false) })), "{answer:?}");
    assert_eq!(sent.unwrap_or(0), 0);
    let empty = signed_get(NOBODY);
    let (answer, _) = send(&platform(&js("{transport: 'xhr'}")), empty).await;
    assert!(matches!(answer, Err(SendFailure::Network { body_sent: None })), "{answer:?}");
}

#[wasm_bindgen_test]
async fn is_taken_where_bytes_count_and_nowhere_else() {
    let opened = Spy::on("XMLHttpRequest.prototype", "open");
    send(&platform(&js("{}")), put("/nowhere", 10)).await.0.unwrap();
    assert_eq!(opened.count(), 1, "a later listener must get progress events");
    let json = Request::Api(api(Method::Post, "/nowhere", Body::Json(js("{}"))));
    send(&platform(&js("{}")), json).await.0.unwrap();
    send(&platform(&js("{transport: 'fetch'}")), put("/nowhere", 10)).await.0.unwrap();
    send(&platform(&js("{credentials: 'omit'}")), put("/nowhere", 10)).await.0.unwrap();
    assert_eq!(opened.count(), 1);
}

#[wasm_bindgen_test]
async fn carries_no_key() {
    let opened = Spy::on("XMLHttpRequest.prototype", "open");
    let platform = platform(&js("{transport: 'xhr'}"));
    for has_credentials in [true, true, false] {
        let Request::Api(mut request) = put("/nowhere", 10) else { unreachable!() };
        request.has_credentials = has_credentials;
        answered(&platform, Request::Api(request)).await;
    }
    assert_eq!(opened.count(), 1);
}

#[wasm_bindgen_test]
async fn sends_the_headers_that_before_request_left() {
    let set = Spy::on("XMLHttpRequest.prototype", "setRequestHeader");
    let options = js("{transport: 'xhr', async beforeRequest(request) { request.headers.set('X-Trace', '1') }}");
    let mut request = api(Method::Post, "/nowhere", Body::Json(js("{}")));
    request.headers.push(("x-a".into(), "1".into()));
    answered(&platform(&options), Request::Api(request)).await;
    assert_eq!(set.count(), 3, "content-type, x-a, x-trace");
}

#[wasm_bindgen_test]
async fn what_it_refuses_is_an_error_and_not_a_crash() {
    for change in ["request.method = 'TRACE'", "request.method = 'a b'", "request.url = 'https://a:b:c/'"] {
        let options = js(&format!("{{transport: 'xhr', beforeRequest(request) {{ {change} }}}}"));
        let (answer, _) = send(&platform(&options), Request::Api(api(Method::Get, "/", Body::Empty))).await;
        assert!(matches!(answer, Err(SendFailure::Refused(_))), "{change}: {answer:?}");
    }
}

#[wasm_bindgen_test]
async fn one_that_is_dropped_is_aborted_and_says_nothing_more() {
    let aborted = Spy::on("XMLHttpRequest.prototype", "abort");
    let told = Rc::new(Cell::new(0));
    let count = told.clone();
    let on_sent = Rc::new(move |_| count.set(count.get() + 1));
    let mut sending = platform(&js("{}")).send(put("/nowhere", 64 << 20), on_sent);
    assert!((&mut sending).now_or_never().is_none());
    drop(sending);
    assert_eq!((aborted.count(), told.get()), (1, 1), "it said once that it will tell");
    // Another request goes from its start to its end in the meantime.
    answered(&platform(&js("{}")), put("/nowhere", 5)).await;
    assert_eq!(told.get(), 1);
    assert_eq!(Rc::strong_count(&told), 1, "the handlers went with their request");
}
