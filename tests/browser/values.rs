//! JSON, URLs, timers, and reading files.

use futures::FutureExt;
use partway::json::{Decode, Made, Pairs, Value};
use partway::model::plan::ByteRange;
use partway::model::settings::Settings;
use partway::platform::{Hook, Platform, Thrown};
use partway::web::WebPlatform;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::Blob;

use super::support::{Spy, file, js, json_of, of, platform};

fn plain() -> WebPlatform {
    platform(&js("{}"))
}

#[wasm_bindgen_test]
fn json_goes_round_with_sizes_beyond_32_bits_as_numbers() {
    let platform = plain();
    let encoded = platform.encode(&Made::Object(vec![
        ("uploadId", "a".into()),
        ("size", ((1_u64 << 53) - 1).into()),
        ("note", Made::Nothing),
    ]));
    assert_eq!(json_of(&encoded, "$"), r#"{"uploadId":"a","size":9007199254740991,"note":null}"#);
    assert_eq!(of(&encoded, "typeof $.size"), "number");
    let parsed = platform.parse(&json_of(&encoded, "$")).unwrap();
    assert_eq!(u64::decode(&platform, platform.member(&parsed, "size").as_ref()), Ok((1 << 53) - 1));
    assert_eq!(Option::<String>::decode(&platform, platform.member(&parsed, "note").as_ref()), Ok(None));
    assert_eq!(platform.names(&parsed), ["uploadId", "size", "note"]);
}

#[wasm_bindgen_test]
fn what_is_no_json_is_none() {
    for text in ["", "{", "<html>", "{\"a\":undefined}", "[1,]", "\u{feff}"] {
        assert!(plain().parse(text).is_none(), "{text:?} is no JSON");
    }
}

#[wasm_bindgen_test]
fn hostile_values_are_refused_and_not_quoted() {
    let platform = plain();
    let odd =
        ["null", "\"secret\"", "[\"secret\"]", "{\"secret\":1}", "-1", "0.5", "1e300", "9007199254740994", "true"];
    for text in odd {
        let json = platform.parse(text).unwrap();
        let why = u64::decode(&platform, Some(&json)).expect_err(text);
        assert!(!why.is_empty() && !why.contains("secret"), "{text}: {why}");
        if !text.contains("secret") {
            assert!(String::decode(&platform, Some(&json)).is_err(), "{text}");
        }
    }
    for value in
        ["1n", "Symbol('a')", "() => 1", "new Date()", "new Map()", "document", "Object.create(null)", "undefined"]
    {
        assert!(u64::decode(&platform, Some(&js(value))).is_err(), "{value}");
        platform.names(&js(value));
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    if let Some(json) = platform.parse(&deep) {
        assert!(Vec::<String>::decode(&platform, Some(&json)).is_err());
    }
    let polluting = platform.parse(r#"{"__proto__":{"size":1}}"#).unwrap();
    assert!(platform.member(&polluting, "size").is_none());
}

#[wasm_bindgen_test]
fn objects_of_other_frames_have_names_too() {
    let foreign = js("(() => {
        const frame = document.body.appendChild(document.createElement('iframe'));
        const object = frame.contentWindow.eval('({a: \"1\", b: \"2\"})');
        frame.remove();
        return object;
    })()");
    assert_eq!(Pairs::decode(&plain(), Some(&foreign)).unwrap().0.len(), 2);
    assert_eq!(plain().names(&js("Object.assign(Object.create(null), {a: 1})")), ["a"]);
}

#[wasm_bindgen_test]
fn members_are_had_from_anything() {
    let platform = plain();
    let json = platform.parse(r#"{"a":{"b":0},"c":null}"#).unwrap();
    assert_eq!(platform.member(&platform.member(&json, "a").unwrap(), "b").unwrap(), 0);
    assert!(platform.member(&json, "c").is_none());
    assert!(platform.member(&json, "d").is_none());
    for value in ["null", "undefined", "1", "'text'", "true", "({ get a() { throw 'no' } })"] {
        assert!(platform.member(&js(value), "a").is_none(), "{value}");
    }
}

#[wasm_bindgen_test]
fn dates_are_text_as_in_json() {
    let is = |expression: &str| match plain().value(&js(expression)) {
        Value::Text(text) => text,
        other => format!("{other:?}"),
    };
    assert_eq!(is("new Date(Date.UTC(2026, 0, 2))"), "2026-01-02T00:00:00.000Z");
    assert_eq!(is("new Date(NaN)"), "Object");
    assert_eq!(is("Object.assign(new Date(), { toJSON() { throw 'no' } })"), "Object");
    assert_eq!(is("Object.create(Date.prototype)"), "Object");
}

#[wasm_bindgen_test]
fn options_decode_as_javascript_has_them() {
    let options = js("{
        provider: {name: 'plan', open() {}}, concurrency: 3, retry: {attempts: 2, capMs: 9}, stallMs: 5e9, integrity: 'off',
        idempotencyKeys: false, accept: {types: ['image/*'], maxBytes: {'image/png': 6 * 2 ** 30}}, trustedOrigins: ['https://a.example'],
        fetch() {}, beforeRequest() {},
    }");
    let platform = plain();
    let settings = Settings::decode(&platform, Some(&options)).unwrap();
    assert_eq!(settings.concurrency.0, 3);
    assert_eq!((settings.retry.attempts, settings.retry.base_ms, settings.retry.cap_ms), (2, 500, 9));
    assert_eq!(settings.stall_ms, 5_000_000_000);
    assert_eq!(settings.idempotency_keys, Some(false));
    assert_eq!(settings.accept.max_bytes, Some(vec![("image/png".into(), 6 << 30)]));
    assert!(Settings::decode(&platform, Some(&js("{accept: false, concurrency: 'auto'}"))).unwrap().accept.off);
    assert!(Settings::decode(&platform, Some(&js("{concurrency: 1.5}"))).is_err());
}

#[wasm_bindgen_test]
fn urls_are_the_browsers_and_of_the_web() {
    let platform = plain();
    let origin = platform.origin();
    assert_eq!(js("location.origin"), *origin);
    let url = platform.resolve("/api/../files/ä b?x=1&y=%20#z").unwrap();
    assert_eq!(
        (url.origin.as_str(), url.path.as_str(), url.query.as_str()),
        (&*origin, "/files/%C3%A4%20b", "x=1&y=%20")
    );
    let url = platform.resolve("HTTPS://Store.Example:443/a%2Fb").unwrap();
    assert_eq!((url.origin.as_str(), url.path.as_str(), url.query.as_str()), ("https://store.example", "/a%2Fb", ""));
    assert_eq!(platform.resolve("//store.example/a?").unwrap().query, "");
    for text in
        ["http://", "https://a<b", "blob:https://store.example/1", "data:,a", "javascript:1", "ftp://a", "mailto:a"]
    {
        assert!(platform.resolve(text).is_none(), "{text}");
    }
}

#[wasm_bindgen_test]
async fn a_timer_rings_once_its_time_is_over_and_not_after_it_is_dropped() {
    let platform = plain();
    let mut hour = platform.sleep(3_600_000);
    assert!((&mut hour).now_or_never().is_none());
    platform.sleep(1).await;
    assert!((&mut hour).now_or_never().is_none());

    let (set, cleared) = (Spy::on("globalThis", "setTimeout"), Spy::on("globalThis", "clearTimeout"));
    let mut long = platform.sleep(1 << 40);
    let mut short = platform.sleep(1);
    assert!((&mut long).now_or_never().is_none() && (&mut short).now_or_never().is_none());
    assert_eq!(set.count(), 2);
    drop(short);
    assert_eq!(cleared.count(), 1);
    drop((set, cleared));
    // One beyond what a browser's timer can hold would end at once, so before one that begins now.
    platform.sleep(1).await;
    assert!((&mut long).now_or_never().is_none());
}

async fn read(blob: &Blob, start: u64, end: u64) -> Option<Vec<u8>> {
    plain().read(blob, ByteRange::new(start, end)).await
}

#[wasm_bindgen_test]
async fn files_beyond_4_gib_are_read_where_they_are_asked_for() {
    // A mebibyte of zeros with 1 2 3 around its edge, 4,097 times: the copies are by reference.
    let blob: Blob = js("(() => {
        const mebibyte = new Uint8Array(2 ** 20);
        mebibyte.set([2, 3]);
        mebibyte[2 ** 20 - 1] = 1;
        return new Blob(Array(4097).fill(new Blob([mebibyte])));
    })()")
    .unchecked_into();
    let edge = 1 << 32;
    assert_eq!(blob.size(), (edge + (1 << 20)) as f64);
    assert_eq!(read(&blob, edge - 1, edge + 3).await.unwrap(), [1, 2, 3, 0]);
    assert_eq!(read(&blob, edge + (1 << 20) - 1, edge + (1 << 20)).await.unwrap(), [1]);
    assert!(read(&blob, edge, edge + (1 << 20) + 1).await.is_none(), "past the end");
}

#[wasm_bindgen_test]
async fn what_cannot_be_read_is_none() {
    let file = file("['abc']", "a", "");
    assert_eq!(read(&file, 1, 3).await.unwrap(), b"bc");
    // As a file that was removed from the disk.
    let gone = of(
        &file,
        "Object.assign($, {slice: () => ({arrayBuffer: () => Promise.reject(new DOMException('gone', 'NotReadableError'))})})",
    );
    assert!(read(gone.unchecked_ref(), 0, 1).await.is_none());
    let odd = of(&gone, "Object.assign($, {slice: () => ({arrayBuffer: () => Promise.reject('gone')})})");
    assert!(read(odd.unchecked_ref(), 0, 1).await.is_none());
}

#[wasm_bindgen_test]
async fn functions_of_the_application_are_called_as_they_are() {
    let provider = js("{
        mark: 7,
        key: 'uploads/a',
        open(file) { return {name: file, mark: this.mark} },
        async sign(plan, numbers) { return [plan, numbers] },
        async list() { throw Object.assign(new Error('later'), {name: 'UploadError', retryable: true}) },
        complete() { throw 'text' },
        abort() { return Promise.reject(undefined) },
    }");
    let platform = WebPlatform::new(&js("{}"), provider, &js("{}"));
    assert!(platform.has(Hook::Key) && platform.has(Hook::Open) && !platform.has(Hook::Credentials));
    assert_eq!(platform.call(Hook::Key, vec![js("{}")]).await.unwrap(), "uploads/a");
    let given = platform.call(Hook::Open, vec!["a.mp4".into()]).await.unwrap();
    assert_eq!(json_of(&given, "$"), r#"{"name":"a.mp4","mark":7}"#);
    let given = platform.call(Hook::SignParts, vec!["plan".into(), js("[1, 2]")]).await.unwrap();
    assert_eq!(json_of(&given, "$"), r#"["plan",[1,2]]"#);

    let failure = platform.call(Hook::ListParts, vec![]).await.unwrap_err();
    assert_eq!((failure.message.as_str(), failure.upload_error), ("later", Some(true)));
    assert!(failure.cause.unwrap().0.downcast_ref::<JsValue>().unwrap().is_object());
    let failure = platform.call(Hook::Complete, vec![]).await.unwrap_err();
    assert_eq!((failure.message.as_str(), failure.upload_error), ("text", None));
    let failure = platform.call(Hook::Abort, vec![]).await.unwrap_err();
    assert!(!failure.message.is_empty() && failure.kind == Thrown::Anything);
    let html = "{ getCredentials: async () => new Response('<!doctype html>').json() }";
    let failure = WebPlatform::new(&js("{}"), js(html), &js("{}")).call(Hook::Credentials, vec![]).await.unwrap_err();
    assert_eq!(failure.kind, Thrown::NotJson, "{failure:?}");
}
