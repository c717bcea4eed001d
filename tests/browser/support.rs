//! What the tests share.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::{Function, JSON, Promise, Reflect};
use partway::error::Step;
use partway::http::{ApiRequest, Body, Method, Request, Response, StoreRequest};
use partway::model::file::{ContentType, FileBody};
use partway::model::plan::ByteRange;
use partway::platform::{ApiRequestOf, BodyOf, Platform, RequestOf, SendFailure};
use partway::web::WebPlatform;
use partway::web::file_bytes::FileBytes;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::Blob;

/// The value of a JavaScript expression.
pub(crate) fn js(expression: &str) -> JsValue {
    js_sys::eval(&format!("({expression})")).unwrap_or_else(|error| panic!("{expression}: {error:?}"))
}

/// The value of a JavaScript expression in which `$` is `value`.
pub(crate) fn of(value: &JsValue, expression: &str) -> JsValue {
    Function::new_with_args("$", &format!("return ({expression})")).call1(&JsValue::UNDEFINED, value).unwrap()
}

/// The same as JSON text.
pub(crate) fn json_of(value: &JsValue, expression: &str) -> String {
    JSON::stringify(&of(value, expression)).unwrap().into()
}

/// The value of the promise that an expression returns; `$` is `value`.
pub(crate) async fn settled(value: &JsValue, expression: &str) -> JsValue {
    let promise = Promise::resolve(&of(value, expression));
    JsFuture::from(promise).await.unwrap_or_else(|error| panic!("{expression}: {error:?}"))
}

/// A File of that name and type; `content` is an expression for its parts.
pub(crate) fn file(content: &str, name: &str, kind: &str) -> Blob {
    js(&format!("new File({content}, {name:?}, {{type: {kind:?}}})")).unchecked_into()
}

/// A platform with those options of the uploader.
pub(crate) fn platform(options: &JsValue) -> WebPlatform {
    with_provider(options, js("{}"))
}

/// A platform with those options of the uploader and of the provider; it saves nothing. `beforeRequest` is the one among the options.
pub(crate) fn with_provider(options: &JsValue, provider: JsValue) -> WebPlatform {
    WebPlatform::new(options.unchecked_ref(), js("{}").unchecked_into(), provider, options.clone().unchecked_into())
}

/// Options with a `fetch` that keeps every request in `options.seen` and answers with the body of a function of `request`.
pub(crate) fn options(answer: &str) -> JsValue {
    js(&format!(
        "(() => {{
            const options = {{
                seen: [],
                async fetch(request) {{
                    options.seen.push(request.clone());
                    {answer}
                }},
            }};
            return options;
        }})()"
    ))
}

/// Those options with more in them; `$` is them, as in `$.credentials = 'omit'`.
pub(crate) fn with(options: JsValue, change: &str) -> JsValue {
    of(&options, change);
    options
}

/// A request to an API.
pub(crate) fn api(method: Method, url: &str, body: BodyOf<WebPlatform>) -> ApiRequestOf<WebPlatform> {
    ApiRequest {
        step: Step::Init,
        method,
        url: url.into(),
        headers: Vec::new(),
        body,
        has_credentials: false,
        must_not_repeat: false,
    }
}

/// A range of a file as a body.
pub(crate) fn part(blob: &Blob, start: u64, end: u64, content_type: Option<&str>) -> FileBody<FileBytes> {
    FileBody {
        blob: FileBytes::File(blob.clone(), blob.size() as u64),
        range: ByteRange::new(start, end),
        content_type: ContentType::of(content_type),
    }
}

/// A PUT of a range to a presigned URL whose query is `query`.
pub(crate) fn store(query: &str, headers: &[(&str, &str)], body: FileBody<FileBytes>) -> RequestOf<WebPlatform> {
    let url = platform(&js("{}")).resolve(&format!("https://store.example/key?{query}")).unwrap();
    let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Request::Store(StoreRequest::new("", Step::Part, Method::Put, url, headers, Body::File(body)).unwrap())
}

/// Sends a request; returns the answer, and the most bytes that were reported as sent.
pub(crate) async fn send(
    platform: &WebPlatform,
    request: RequestOf<WebPlatform>,
) -> (Result<Response, SendFailure>, Option<u64>) {
    let sent = Rc::new(Cell::new(None));
    let told = sent.clone();
    let answer = platform.send(request, Rc::new(move |bytes| told.set(told.get().max(Some(bytes))))).await;
    (answer, sent.get())
}

/// Sends a request that has to be answered.
pub(crate) async fn answered(platform: &WebPlatform, request: RequestOf<WebPlatform>) -> Response {
    send(platform, request).await.0.unwrap()
}

/// Waits until timers and microtasks that are due have run.
pub(crate) async fn tick(ms: u32) {
    settled(&JsValue::from(ms), "new Promise(done => setTimeout(done, $))").await;
}

/// Waits until an expression, in which `$` is `value`, is true: half a minute at most, however busy the machine is.
pub(crate) async fn until(value: &JsValue, expression: &str) {
    for _ in 0..3000 {
        if of(value, expression).is_truthy() {
            return;
        }
        tick(10).await;
    }
    panic!("never true: {expression}");
}

/// Replaces a method of a global's prototype by one that counts its calls and passes them on. Dropping it restores the method.
pub(crate) struct Spy {
    owner: JsValue,
    method: &'static str,
    before: JsValue,
    spy: JsValue,
}

impl Spy {
    pub(crate) fn on(owner: &str, method: &'static str) -> Self {
        let owner = js(owner);
        let before = Reflect::get(&owner, &method.into()).unwrap();
        let spy = of(
            &before,
            "(() => { function spy(...values) { spy.calls.push(values); return $.apply(this, values) } spy.calls = []; return spy })()",
        );
        Reflect::set(&owner, &method.into(), &spy).unwrap();
        Self { owner, method, before, spy }
    }

    /// How often it was called.
    pub(crate) fn count(&self) -> u32 {
        of(&self.spy, "$.calls.length").as_f64().unwrap() as u32
    }
}

impl Drop for Spy {
    fn drop(&mut self) {
        Reflect::set(&self.owner, &self.method.into(), &self.before).unwrap();
    }
}
