//! The corpus of hostile replies in a browser: JSON, URLs, streams and the application's values are the browser's.
//! `tests/simulation/tests/hostile.rs` has the same corpus natively.

use futures::future::join_all;
use js_sys::{Array, Function, WebAssembly};
use partway::web::Engine;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use super::support::{file, js, json_of, of, settled, tick};
use super::uploads::upload;

const SERVERS: &str = include_str!("hostile.js");
/// Uploads that run at once.
const AT_ONCE: u32 = 4;
/// No reply may make the engine's memory grow by more: it reads at most 4 MiB of each, as UTF-8 and as decoded text.
const MOST_BYTES: f64 = 256.0 * 1024.0 * 1024.0;

fn corpus(text: &str) -> JsValue {
    js_sys::JSON::parse(text).unwrap_or_else(|error| panic!("{error:?}"))
}

/// Calls a function of the servers' script.
fn call(servers: &JsValue, name: &str, arguments: &[&JsValue]) -> JsValue {
    let function: Function = of(servers, &format!("$.{name}")).unchecked_into();
    let arguments: Array = arguments.iter().copied().collect();
    function.apply(servers, &arguments).unwrap_or_else(|error| panic!("{name}: {error:?}"))
}

/// Uploads a world's file; `upload` are the upload's own options. Returns `[type, detail]` of its end.
async fn end(world: &JsValue, upload: &JsValue) -> JsValue {
    let ear = js("(() => { const ear = {}; ear.end = new Promise(end => { \
        ear.sink = (type, detail) => { if (type === 'complete' || type === 'error') end([type, detail]) } }); return ear })()");
    let source = of(world, "(({file, size}) => ({file, name: file.name, size, type: file.type}))($)");
    let sink: Function = of(&ear, "$.sink").unchecked_into();
    let engine = Engine::new(of(world, "$.options").unchecked_ref(), js("{}").unchecked_into()).unwrap();
    let task = engine.start(source.unchecked_ref(), &of(world, "$.provider"), upload.unchecked_ref(), sink).unwrap();
    let end = settled(&ear, "$.end").await;
    drop((task, engine));
    end
}

fn judged(servers: &JsValue, world: &JsValue, end: &JsValue) -> String {
    call(servers, "judge", &[world, &of(end, "$[0]"), &of(end, "$[1]")]).as_string().unwrap()
}

/// Runs one case; returns what is wrong with it.
async fn reply(servers: &JsValue, case: &JsValue, number: u32) -> String {
    let world = call(servers, "world", &[case, &number.into()]);
    let end = end(&world, &js("{}")).await;
    judged(servers, &world, &end)
}

/// Lets a session be saved, changes the saved record, and resumes the upload from it.
async fn going_on(servers: &JsValue, case: &JsValue, number: u32) -> String {
    let world = call(servers, "world", &[case, &format!("kept-{number}").into()]);
    of(&world, "$.fail = {...$.case.stage}");
    let shelf = js("(() => { const shelf = {record: null, parts: []}; \
        shelf.upload = {async keep(record) { shelf.record = record }, \
            async keepPart(number, part) { shelf.parts.push(part) }, async forget() { shelf.forgotten = true }}; return shelf })()");
    let first = end(&world, &of(&shelf, "$.upload")).await;
    if of(&shelf, "$.record === null || $.forgotten === true") == true {
        return format!("nothing was kept: {}", json_of(&first, "$"));
    }
    let kept = call(servers, "change", &[&world, &of(&shelf, "$.record"), &of(&shelf, "$.parts")]);
    let upload = of(&shelf, "$.upload");
    js_sys::Reflect::set(&upload, &"kept".into(), &kept).unwrap();
    let second = end(&world, &upload).await;
    judged(servers, &world, &second)
}

/// Runs all cases, some at once, and says which of them failed.
async fn all(servers: &JsValue, cases: JsValue, run: impl AsyncFn(&JsValue, &JsValue, u32) -> String) {
    let cases: Array = cases.unchecked_into();
    let (mut failed, before) = (Vec::new(), memory());
    for from in (0..cases.length()).step_by(AT_ONCE as usize) {
        let some = (from..cases.length().min(from + AT_ONCE)).map(|at| {
            let (case, run) = (cases.get(at), &run);
            async move {
                let wrong = run(servers, &case, at).await;
                let title = of(&case, "$.title").as_string().unwrap();
                (!wrong.is_empty()).then(|| format!("{title}: {wrong}"))
            }
        });
        failed.extend(join_all(some).await.into_iter().flatten());
        // Yields to the test driver.
        tick(0).await;
    }
    let grown = memory() - before;
    assert!(cases.length() > 30, "the corpus has {} cases", cases.length());
    assert!(failed.is_empty(), "{} of {} failed:\n{}", failed.len(), cases.length(), failed.join("\n"));
    assert!(grown <= MOST_BYTES, "the memory grew by {grown} bytes");
}

/// Bytes of this module's memory.
fn memory() -> f64 {
    let memory: WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
    of(&memory.buffer(), "$.byteLength").as_f64().unwrap()
}

/// Runs the cases of one file, or of any.json.
async fn replies(files: &[&str], any: &str) {
    let (servers, files): (_, Array) = (js(SERVERS), files.iter().map(|text| corpus(text)).collect());
    let cases = call(&servers, "cases", &[&files, &corpus(any)]);
    all(&servers, cases, reply).await;
}

const NO_CALLS: &str = r#"{"bodies": {}, "calls": []}"#;

#[wasm_bindgen_test]
async fn ofauth() {
    replies(&[include_str!("../hostile/ofauth.json")], NO_CALLS).await;
}

#[wasm_bindgen_test]
async fn onlymonster() {
    replies(&[include_str!("../hostile/onlymonster.json")], NO_CALLS).await;
}

#[wasm_bindgen_test]
async fn apifansly() {
    replies(&[include_str!("../hostile/apifansly.json")], NO_CALLS).await;
}

#[wasm_bindgen_test]
async fn s3() {
    replies(&[include_str!("../hostile/s3.json")], NO_CALLS).await;
}

#[wasm_bindgen_test]
async fn plan() {
    replies(&[include_str!("../hostile/plan.json")], NO_CALLS).await;
}

#[wasm_bindgen_test]
async fn form() {
    replies(&[include_str!("../hostile/form.json")], NO_CALLS).await;
}

#[wasm_bindgen_test]
async fn what_makes_no_sense_anywhere() {
    replies(&[], include_str!("../hostile/any.json")).await;
}

#[wasm_bindgen_test]
async fn every_damaged_session_restarts_or_says_why_not() {
    let servers = js(SERVERS);
    let cases = call(&servers, "kept", &[&corpus(include_str!("../hostile/records.json"))]);
    all(&servers, cases, going_on).await;
}

/// The code that an upload ends with whose plan is the value of a JavaScript expression.
async fn planned(members: &str) -> String {
    let provider = format!("{{name: 'plan', open: () => ({members})}}");
    let options = js("{integrity: 'off', fetch: async () => new Response(), retry: {attempts: 1}}");
    let ear = upload(&options, &provider, &file("['0123456789']", "a.mp4", "video/mp4")).await;
    of(&ear, "$.heard.at(-1)[1].code").as_string().unwrap_or_default()
}

#[wasm_bindgen_test]
async fn plans_that_json_could_not_hold_are_refused() {
    let before = memory();
    for members in [
        "{parts: new Array(1e9)}",
        "{parts: new Array(4294967295)}",
        "{parts: Object.assign([], {length: 2 ** 32 - 1})}",
        "{parts: new Array(1_000_000)}",
        "{parts: new Set([1])}",
        "{parts: 5n}",
        "{parts: Symbol('parts')}",
        "{parts: () => []}",
        "{parts: [{partNumber: 1n, byteRange: {start: 0, end: 9}, uploadUrl: 'https://a.example/'}]}",
        "{parts: [{partNumber: NaN, byteRange: {start: 0, end: 9}, uploadUrl: 'https://a.example/'}]}",
        "{parts: [{partNumber: 1, byteRange: {start: -0.5, end: Infinity}, uploadUrl: 'https://a.example/'}]}",
        "{parts: [{partNumber: 1, byteRange: {start: 0, end: new Number(9)}, uploadUrl: 'https://a.example/'}]}",
        "{parts: [{partNumber: 1, byteRange: {start: 0, end: 9}, uploadUrl: new URL('https://a.example/')}]}",
        "{get parts() { throw new Error('no') }}",
        "(() => { const plan = {}; plan.parts = [plan]; return plan })()",
        "new Proxy({}, {get(_, name) { if (name !== 'then') throw new Error('no') }})",
        "Object.create(null)",
    ] {
        assert_eq!(planned(members).await, "plan-mismatch", "{members}");
    }
    assert!(memory() - before < 64.0 * 1024.0 * 1024.0, "the memory grew by {}", memory() - before);
}

#[wasm_bindgen_test]
async fn answers_without_an_end_and_without_a_status() {
    const OFAUTH: &str = "{name: 'ofauth', baseUrl: '/api/ofauth-endless', skipExisting: false}";
    for (answer, code) in [
        // A browser's response to a redirect that it may not follow, as an application's `fetch` passes it on.
        ("Response.error()", "network"),
        ("Object.defineProperties(new Response(), {type: {value: 'opaqueredirect'}, status: {value: 0}})", "network"),
        // A megabyte at a time, for as long as the stream is read.
        (
            "new Response(new ReadableStream({pull(c) { ear.given += 1; c.enqueue(new Uint8Array(1 << 20).fill(32)) }}, \
             {highWaterMark: 0}))",
            "server",
        ),
    ] {
        let options = js(&format!(
            "(() => {{ const ear = {{given: 0, integrity: 'off', retry: {{attempts: 2, baseMs: 1, capMs: 1}}, \
             async fetch() {{ return {answer} }}}}; return ear }})()"
        ));
        let ear = upload(&options, OFAUTH, &file("['0123456789']", "a.mp4", "video/mp4")).await;
        assert_eq!(json_of(&ear, "$.heard.at(-1)[1].code"), format!("{code:?}"), "{answer}");
        if code == "server" {
            let given = of(&options, "$.given").as_f64().unwrap();
            assert!(given < 20.0, "{given} MB were read");
        }
    }
}
