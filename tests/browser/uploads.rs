//! Whole uploads through the exported classes, as the package's JavaScript uses them. The server is a `fetch` of the test's own.

use js_sys::Function;
use partway::web::{Engine, Task, version};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::Blob;

use super::support::{file, js, json_of, of, options, settled, tick, until, with};

/// A listener that records all events, and a promise of the last one.
fn ear() -> JsValue {
    js("(() => {
        const ear = {heard: []};
        ear.end = new Promise(end => {
            ear.sink = (type, detail) => {
                ear.heard.push([type, detail]);
                if (type === 'complete' || type === 'error') end(detail);
            };
        });
        return ear;
    })()")
}

fn start(engine: &Engine, provider: &str, file: &Blob, ear: &JsValue) -> Task {
    start_with(engine, provider, file, ear, &js("{}"))
}

fn start_with(engine: &Engine, provider: &str, file: &Blob, ear: &JsValue, options: &JsValue) -> Task {
    let source = of(file, "({file: $, name: $.name, size: $.size, type: $.type, lastModified: $.lastModified})");
    let sink: Function = of(ear, "$.sink").unchecked_into();
    engine.start(source.unchecked_ref(), &js(provider), options.unchecked_ref(), sink).unwrap()
}

/// Uploads a file to its end; returns the recorded events. `beforeRequest` is the one among the options.
pub(crate) async fn upload(options: &JsValue, provider: &str, file: &Blob) -> JsValue {
    let ear = ear();
    let engine = Engine::new(options.unchecked_ref(), js("{}").unchecked_into()).unwrap();
    start_with(&engine, provider, file, &ear, options);
    settled(&ear, "$.end").await;
    tick(0).await;
    ear
}

const OFAUTH: &str = "{name: 'ofauth', baseUrl: '/api/ofauth', skipExisting: false}";

/// OFAuth's replies as its guide has them, for three parts of 4, 4 and 2 bytes.
const OFAUTH_SERVER: &str = "
    const path = new URL(request.url).pathname;
    if (path.endsWith('/init')) return Response.json({mediaUploadId: 'mu_1', uploadType: 'multipart', totalParts: 3,
        expiresAt: '2999-01-01T00:00:00Z', completeUrl: 'https://api.ofauth.com/v2/access/uploads/complete',
        parts: [[0, 3], [4, 7], [8, 9]].map(([start, end], index) => ({partNumber: index + 1, byteRange: {start, end},
            uploadUrl: `https://api.ofauth.com/v2/access/uploads/mu_1/parts/${index + 1}`}))});
    if (path.includes('/parts/')) return Response.json({partNumber: +path.at(-1), etag: `\"e${path.at(-1)}\"`});
    if (path.endsWith('/complete')) return Response.json({mediaUploadId: 'mu_1', media: {id: 77, type: 'video'}});
    return new Response(null, {status: 404})";

#[wasm_bindgen_test]
async fn a_file_in_parts_reaches_ofauth_and_its_events_have_the_published_shapes() {
    let options = options(OFAUTH_SERVER);
    let ear = upload(&options, OFAUTH, &file("['0123456789']", "a.mp4", "video/mp4")).await;
    assert_eq!(
        json_of(&ear, "$.heard.filter(([type]) => type === 'status').map(([, status]) => status)"),
        r#"["checking","opening","sending","completing","done"]"#
    );
    assert_eq!(
        json_of(
            &ear,
            "$.heard.filter(([type]) => type === 'part').map(([, part]) => part).sort((a, b) => a.start - b.start)[1]"
        ),
        r#"{"partNumber":2,"start":4,"end":7,"etag":"\"e2\"","attempts":1,"verified":false}"#
    );
    assert_eq!(
        json_of(&ear, "(({elapsedMs, ...rest}) => [elapsedMs >= 0, rest])($.heard.at(-1)[1])"),
        concat!(
            r#"[true,{"provider":"ofauth","mediaUploadId":"mu_1","mediaId":"77","mediaItem":"77","reusable":true,"#,
            r#""media":{"id":77,"type":"video"},"bytes":10,"parts":3,"attempts":3,"verified":false,"alreadyThere":false,"proof":null}]"#
        )
    );
    assert_eq!(
        json_of(&ear, "$.heard.filter(([type]) => type === 'progress').at(-1)[1]"),
        concat!(
            r#"{"sent":10,"total":10,"fraction":1,"rate":null,"eta":null,"#,
            r#""parts":{"total":3,"done":3,"inFlight":0},"processing":null}"#
        )
    );
    let bodies = "Promise.all($.seen.filter(({method}) => method === 'PUT').map(async request => \
        new URL(request.url).pathname + ' ' + await request.text())).then(all => JSON.stringify(all.sort()))";
    assert_eq!(
        settled(&options, bodies).await,
        r#"["/api/ofauth/v2/access/uploads/mu_1/parts/1 0123","/api/ofauth/v2/access/uploads/mu_1/parts/2 4567","/api/ofauth/v2/access/uploads/mu_1/parts/3 89"]"#
    );
    assert_eq!(of(&options, "new Set($.seen.map(({url}) => new URL(url).origin)).size"), 1, "all through the proxy");
}

#[wasm_bindgen_test]
async fn a_plan_that_does_not_cover_the_file_sends_nothing() {
    let options = options(OFAUTH_SERVER);
    let ear = upload(&options, OFAUTH, &file("['01234567890']", "a.mp4", "video/mp4")).await;
    assert_eq!(
        json_of(&ear, "(({code, step, retryable}) => [code, step, retryable])($.heard.at(-1)[1])"),
        r#"["plan-mismatch","init",false]"#
    );
    assert_eq!(of(&options, "$.seen.filter(({method}) => method === 'PUT').length"), 0);
}

#[wasm_bindgen_test]
async fn an_error_has_the_published_shape_and_leaves_out_what_there_is_not() {
    let refusing = options(
        "return Response.json({error: 'No such connection', code: 'CONNECTION', requestId: 'r1'}, {status: 401})",
    );
    let ear = upload(&refusing, OFAUTH, &file("['0123456789']", "a.mp4", "video/mp4")).await;
    let shape = "(({message, hint, ...rest}) => [typeof message, typeof hint, rest, Object.getPrototypeOf($.heard.at(-1)[1]) === Object.prototype])($.heard.at(-1)[1])";
    assert_eq!(
        json_of(&ear, shape),
        concat!(
            r#"["string","string",{"code":"unauthorized","step":"init","status":401,"#,
            r#""vendor":{"code":"CONNECTION","message":"No such connection","requestId":"r1"},"retryable":false},true]"#
        )
    );
    assert_eq!(json_of(&ear, "$.heard.filter(([type]) => type !== 'status' && type !== 'progress').length"), "1");

    let ear = upload(&refusing, OFAUTH, &file("[]", "a.mp4", "video/mp4")).await;
    assert_eq!(json_of(&ear, "Object.keys($.heard.at(-1)[1])"), r#"["code","message","hint","step","retryable"]"#);
}

#[wasm_bindgen_test]
async fn what_the_application_throws_is_the_cause_and_an_upload_error_is_passed_on() {
    let thrown =
        "$.thrown = Object.assign(new Error('no token'), {mark: 1}); $.beforeRequest = () => { throw $.thrown }";
    let throwing = with(options("return new Response()"), &format!("(() => {{ {thrown} }})()"));
    let ear = upload(&throwing, OFAUTH, &file("['0123456789']", "a.mp4", "video/mp4")).await;
    assert_eq!(json_of(&ear, "(({code, cause}) => [code, cause.mark])($.heard.at(-1)[1])"), r#"["application",1]"#);

    let own = "$.thrown = Object.assign(new Error('x'), {name: 'UploadError', code: 'forbidden', retryable: false}); \
               $.beforeRequest = async () => { throw $.thrown }";
    let throwing = with(options("return new Response()"), &format!("(() => {{ {own} }})()"));
    let ear = upload(&throwing, OFAUTH, &file("['0123456789']", "a.mp4", "video/mp4")).await;
    assert_eq!(of(&ear, "$.heard.at(-1)[1]"), of(&throwing, "$.thrown"));
}

#[wasm_bindgen_test]
async fn a_cancelled_upload_aborts_its_requests_and_says_so_once() {
    let options = options(&format!("if (request.method === 'PUT') await new Promise(() => {{}}); {OFAUTH_SERVER}"));
    let (ear, engine) = (ear(), Engine::new(options.unchecked_ref(), js("{}").unchecked_into()).unwrap());
    let task = start(&engine, OFAUTH, &file("['0123456789']", "a.mp4", "video/mp4"), &ear);
    until(&options, "$.seen.filter(({method}) => method === 'PUT').length === 3").await;
    task.cancel();
    settled(&ear, "$.end").await;
    task.cancel();
    task.pause();
    until(&options, "$.seen.filter(({signal}) => signal.aborted).length === 3").await;
    assert_eq!(
        json_of(&ear, "$.heard.slice(-2).map(([type, detail]) => [type, detail.code ?? detail])"),
        r#"[["status","cancelled"],["error","cancelled"]]"#
    );
}

#[wasm_bindgen_test]
async fn a_paused_upload_sends_nothing_until_it_goes_on() {
    let options = options(OFAUTH_SERVER);
    let (ear, engine) = (ear(), Engine::new(options.unchecked_ref(), js("{}").unchecked_into()).unwrap());
    let task = start(&engine, OFAUTH, &file("['0123456789']", "a.mp4", "video/mp4"), &ear);
    task.pause();
    until(&ear, "$.heard.length > 0").await;
    // Another upload goes from its start to its end in the meantime.
    let (other_ear, other) =
        (self::ear(), Engine::new(self::options(OFAUTH_SERVER).unchecked_ref(), js("{}").unchecked_into()).unwrap());
    start(&other, OFAUTH, &file("['0123456789']", "b.mp4", "video/mp4"), &other_ear);
    settled(&other_ear, "$.end").await;
    assert_eq!(of(&options, "$.seen.length"), 0);
    assert_eq!(json_of(&ear, "$.heard"), r#"[["status","paused"]]"#);
    task.resume();
    settled(&ear, "$.end").await;
    assert_eq!(of(&ear, "$.heard.at(-1)[0]"), "complete");
}

#[wasm_bindgen_test]
async fn closing_ends_what_runs_and_frees_it() {
    let options = options("await new Promise(() => {})");
    let (ear, engine) = (ear(), Engine::new(options.unchecked_ref(), js("{}").unchecked_into()).unwrap());
    drop(start(&engine, OFAUTH, &file("['0123456789']", "a.mp4", "video/mp4"), &ear));
    until(&options, "$.seen.length > 0").await;
    engine.close();
    drop(engine);
    assert_eq!(of(&settled(&ear, "$.end").await, "$.code"), "cancelled");
    until(&options, "$.seen.every(({signal}) => signal.aborted)").await;
}

#[wasm_bindgen_test]
async fn a_listener_that_throws_stops_nothing() {
    let options = options(OFAUTH_SERVER);
    let engine = Engine::new(options.unchecked_ref(), js("{}").unchecked_into()).unwrap();
    let ear = of(&ear(), "(({sink}) => Object.assign($, {sink(type, detail) { sink(type, detail); throw 'odd' }}))($)");
    start(&engine, OFAUTH, &file("['0123456789']", "a.mp4", "video/mp4"), &ear);
    settled(&ear, "$.end").await;
    assert_eq!(of(&ear, "$.heard.at(-1)[0]"), "complete");
}

#[wasm_bindgen_test]
async fn a_listener_may_call_back_at_once() {
    let ear = of(
        &ear(),
        "(({sink}) => Object.assign($, {sink(type, detail) {
            sink(type, detail);
            if (type === 'status' && detail === 'opening') $.task.pause();
            if (type === 'status' && detail === 'paused') $.task.resume();
            if (type === 'part') $.task.notify({status: 'exported'});
        }}))($)",
    );
    let engine = Engine::new(options(OFAUTH_SERVER).unchecked_ref(), js("{}").unchecked_into()).unwrap();
    let task = start(&engine, OFAUTH, &file("['0123456789']", "a.mp4", "video/mp4"), &ear);
    js_sys::Reflect::set(&ear, &"task".into(), &task.into()).unwrap();
    settled(&ear, "$.end").await;
    assert_eq!(of(&ear, "$.heard.at(-1)[0]"), "complete");
    assert_eq!(of(&ear, "$.heard.some(([, detail]) => detail === 'paused')"), true);
}

#[wasm_bindgen_test]
fn wrong_options_are_thrown_as_a_plain_object() {
    let error = Engine::new(js("{concurrency: 'many'}").unchecked_ref(), js("{}").unchecked_into()).unwrap_err();
    assert_eq!(json_of(&error, "[$.code, typeof $.message, $.retryable]"), r#"["invalid-options","string",false]"#);
    let engine = Engine::new(js("{}").unchecked_ref(), js("{}").unchecked_into()).unwrap();
    let sink: Function = js("() => {}").unchecked_into();
    let error = engine.start(js("{}").unchecked_ref(), &js("{}"), js("{}").unchecked_ref(), sink).unwrap_err();
    assert_eq!(of(&error, "$.code"), "invalid-options");
    assert_eq!(version(), env!("CARGO_PKG_VERSION"));
}

#[wasm_bindgen_test]
async fn a_wrong_provider_ends_its_upload() {
    let ear = upload(&js("{}"), "{name: 'ftp'}", &file("['0']", "a", "")).await;
    assert_eq!(
        json_of(&ear, "$.heard.map(([type, detail]) => [type, detail.code ?? detail])"),
        r#"[["status","failed"],["error","invalid-options"]]"#
    );
}

#[wasm_bindgen_test]
async fn a_form_upload_to_apifansly_is_followed_to_its_end() {
    let options = options("
        if (request.method === 'POST') return Response.json({statusCode: 200, data: {success: true, jobId: 'j1'}});
        return Response.json({statusCode: 200, timestamp: '2026-01-01T00:00:00.000Z', data: {state: 'completed', progress: 100,
            result: {mediaId: '9007199254740993'}}})");
    let provider = "{name: 'apifansly', baseUrl: '/api/apifansly', accountId: '2002', pollTimeoutMs: 20000}";
    let ear = upload(&options, provider, &file("['hello']", "a.mp4", "video/mp4")).await;
    assert_eq!(json_of(&ear, "[$.heard.at(-1)[0], $.heard.at(-1)[1].mediaId]"), r#"["complete","9007199254740993"]"#);
    assert_eq!(of(&options, "$.seen.filter(({method}) => method === 'POST').length"), 1);
}

/// How an upload by a form ended whose server answers as a JavaScript expression says.
async fn form(answer: &str, provider: &str) -> (JsValue, JsValue) {
    let options = options(&format!(
        "if (request.method === 'GET') return Response.json({{state: 'completed', result: {{key: 'k'}}}}); return {answer}"
    ));
    let ear = upload(&options, provider, &file("['hello']", "a.mp4", "video/mp4")).await;
    (options, ear)
}

#[wasm_bindgen_test]
async fn parse_gets_the_reply_the_status_and_headers() {
    let parse = "parse: function (reply, {status, headers}) {
        return {mediaId: JSON.stringify([reply, status, headers instanceof Headers, headers.get('X-ID'), this.name])}
    }";
    for (answer, expected) in [
        ("Response.json({a: 1}, {status: 201, headers: {'x-id': '7'}})", r#"[{"a":1},201,true,"7","form"]"#),
        ("new Response('stored', {headers: {'x-id': '8'}})", r#"["stored",200,true,"8","form"]"#),
        ("new Response(null, {status: 204})", r#"["",204,true,null,"form"]"#),
    ] {
        let (_, ear) = form(answer, &format!("{{name: 'form', url: '/api/form', {parse}}}")).await;
        assert_eq!(of(&ear, "$.heard.at(-1)[1].mediaId").as_string().as_deref(), Some(expected));
    }
}

#[wasm_bindgen_test]
async fn a_job_is_polled_with_the_headers_of_the_form() {
    let provider =
        "{name: 'form', url: '/api/form?a=b', headers: {'x-key': 'k'}, fields: {b: '2', a: '1'}, method: 'PUT',
        pollIntervalMs: 1, parse: ({job}) => ({poll: job}), job: async ({state, result}) => ({state, result})}";
    let (options, ear) = form("Response.json({job: '/api/jobs/1'}, {status: 202})", provider).await;
    assert_eq!(
        json_of(&ear, "[$.heard.at(-1)[0], $.heard.at(-1)[1].key, $.heard.at(-1)[1].status]"),
        r#"["complete","k",202]"#
    );
    assert_eq!(
        json_of(
            &options,
            "$.seen.map(({method, url, headers}) => [method, new URL(url).pathname + new URL(url).search, headers.get('x-key')])"
        ),
        r#"[["PUT","/api/form?a=b","k"],["GET","/api/jobs/1","k"]]"#
    );
    let entries =
        settled(&options, "$.seen[0].clone().formData().then(form => JSON.stringify([...form].map(([name]) => name)))")
            .await;
    assert_eq!(entries, r#"["b","a","file"]"#);
}

#[wasm_bindgen_test]
async fn a_function_gives_the_fields_and_what_it_throws_ends_the_upload() {
    let fields = "fields: async ({name, size, type}) => ({name, size: String(size), type})";
    let (options, ear) = form("new Response('ok')", &format!("{{name: 'form', url: '/api/form', {fields}}}")).await;
    assert_eq!(of(&ear, "$.heard.at(-1)[0]"), "complete");
    let entries =
        settled(&options, "$.seen[0].clone().formData().then(form => JSON.stringify([...form].slice(0, 3)))").await;
    assert_eq!(entries, r#"[["name","a.mp4"],["size","5"],["type","video/mp4"]]"#);
    for (member, code) in [
        ("fields: () => { throw new Error('no') }", "application"),
        ("fields: () => ({a: 7})", "application"),
        ("parse: () => { throw new Error('no') }", "application"),
        ("parse: () => ({poll: 'https://evil.example/'})", "application"),
        ("parse: () => ({poll: Symbol('poll')})", "application"),
        ("headers: {'Content-Type': 'a/b'}", "invalid-options"),
        ("headers: {'a b': 'c'}", "invalid-options"),
        ("url: 'http://forms.example/'", "invalid-options"),
    ] {
        let (_, ear) = form("new Response('ok')", &format!("{{name: 'form', url: '/api/form', {member}}}")).await;
        assert_eq!(of(&ear, "$.heard.at(-1)[1].code"), code, "{member}");
    }
}
