//! JSON, URLs, timers, and reading files.

use futures::FutureExt;
use partway::json::{Decode, Json, JsonBuilder, Kind, MAX_ITEMS, StringMap};
use partway::model::plan::ByteRange;
use partway::model::settings::{Concurrency, Settings};
use partway::platform::{Hook, Platform, Thrown};
use partway::web::WebPlatform;
use partway::web::file_bytes::FileBytes;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::Blob;

use super::support::{Spy, file, js, json_of, of, platform, with_provider};

fn plain() -> WebPlatform {
    platform(&js("{}"))
}

fn parse(text: &str) -> JsValue {
    JsValue::parse(text).unwrap_or_else(|| panic!("{text} is JSON"))
}

#[wasm_bindgen_test]
fn json_goes_round_with_sizes_beyond_32_bits_as_numbers() {
    let built = JsValue::build(&JsonBuilder::Object(vec![
        ("uploadId", "a".into()),
        ("size", ((1_u64 << 53) - 1).into()),
        ("note", JsonBuilder::Null),
        ("done", true.into()),
        ("list", JsonBuilder::List(vec!["b".into()])),
    ]));
    let text = r#"{"uploadId":"a","size":9007199254740991,"note":null,"done":true,"list":["b"]}"#;
    assert_eq!(json_of(&built, "$"), text);
    assert_eq!(built.text(), text);
    assert_eq!(of(&built, "typeof $.size"), "number");
    let parsed = parse(text);
    assert_eq!(u64::decode(parsed.member("size").as_ref()), Ok((1 << 53) - 1));
    assert_eq!(Option::<String>::decode(parsed.member("note").as_ref()), Ok(None));
    assert_eq!(parsed.names(), ["uploadId", "size", "note", "done", "list"]);
}

#[wasm_bindgen_test]
fn an_object_takes_one_more_member() {
    let object = parse(r#"{"a":1}"#).with("b", parse("[2]")).with("a", "x".into());
    assert_eq!(json_of(&object, "$"), r#"{"a":"x","b":[2]}"#);
    for value in ["null", "undefined", "1", "'text'", "Object.freeze({})", "({ set a(value) { throw 'no' } })"] {
        let value = js(value);
        assert_eq!(value.clone().with("a", 1.into()), value, "what takes no member is as it was");
    }
}

#[wasm_bindgen_test]
fn what_is_no_json_is_none() {
    for text in ["", "{", "<html>", "{\"a\":undefined}", "[1,]", "\u{feff}"] {
        assert!(JsValue::parse(text).is_none(), "{text:?} is no JSON");
    }
    for value in ["undefined", "() => 1", "({ toJSON() { throw 'no' } })"] {
        assert_eq!(js(value).text(), "", "{value} has no JSON");
    }
}

#[wasm_bindgen_test]
fn hostile_values_are_refused_and_not_quoted() {
    let odd =
        ["null", "\"secret\"", "[\"secret\"]", "{\"secret\":1}", "-1", "0.5", "1e300", "9007199254740994", "true"];
    for text in odd {
        let json = parse(text);
        let message = u64::decode(Some(&json)).expect_err(text).message();
        assert!(!message.is_empty() && !message.contains("secret"), "{text}: {message}");
        if !text.contains("secret") {
            assert!(String::decode(Some(&json)).is_err(), "{text}");
        }
    }
    for value in
        ["1n", "Symbol('a')", "() => 1", "new Date()", "new Map()", "document", "Object.create(null)", "undefined"]
    {
        assert!(u64::decode(Some(&js(value))).is_err(), "{value}");
        js(value).names();
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    if let Some(json) = JsValue::parse(&deep) {
        assert!(Vec::<String>::decode(Some(&json)).is_err());
    }
    assert!(parse(r#"{"__proto__":{"size":1}}"#).member("size").is_none());
}

#[wasm_bindgen_test]
fn a_list_that_is_too_long_is_not_looked_at() {
    assert!(matches!(js("new Array(1_000_000)").kind(), Kind::List(items) if items.len() == MAX_ITEMS as usize));
    assert!(matches!(js("new Array(1_000_001)").kind(), Kind::LongList));
}

#[wasm_bindgen_test]
fn objects_of_other_frames_have_names_too() {
    let foreign = js("(() => {
        const frame = document.body.appendChild(document.createElement('iframe'));
        const object = frame.contentWindow.eval('({a: \"1\", b: \"2\"})');
        frame.remove();
        return object;
    })()");
    assert_eq!(StringMap::decode(Some(&foreign)).unwrap().0.len(), 2);
    assert_eq!(js("Object.assign(Object.create(null), {a: 1})").names(), ["a"]);
}

#[wasm_bindgen_test]
fn members_are_had_from_anything() {
    let json = parse(r#"{"a":{"b":0},"c":null}"#);
    assert_eq!(json.member("a").unwrap().member("b").unwrap(), 0);
    assert!(json.member("c").is_none());
    assert!(json.member("d").is_none());
    for value in ["null", "undefined", "1", "'text'", "true", "({ get a() { throw 'no' } })"] {
        assert!(js(value).member("a").is_none(), "{value}");
    }
}

#[wasm_bindgen_test]
fn dates_are_text_as_in_json() {
    let is = |expression: &str| match js(expression).kind() {
        Kind::String(text) => text,
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
    let settings = Settings::decode(Some(&options)).unwrap();
    assert_eq!(settings.concurrency, Concurrency::AtMost(3));
    assert_eq!((settings.retry.attempts, settings.retry.base_ms, settings.retry.cap_ms), (2, 500, 9));
    assert_eq!(settings.stall_ms, 5_000_000_000);
    assert_eq!(settings.idempotency_keys, Some(false));
    assert_eq!(settings.accept.max_bytes, Some(vec![("image/png".into(), 6 << 30)]));
    assert!(Settings::decode(Some(&js("{accept: false, concurrency: 'auto'}"))).unwrap().accept.off);
    assert!(Settings::decode(Some(&js("{concurrency: 1.5}"))).is_err());
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
    // A delay beyond a browser's maximum would end at once, and so before a timer that is started now.
    platform.sleep(1).await;
    assert!((&mut long).now_or_never().is_none());
}

async fn read(blob: &Blob, start: u64, end: u64) -> Option<Vec<u8>> {
    plain().read(&FileBytes::File(blob.clone(), blob.size() as u64), ByteRange::new(start, end)).await
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
async fn a_whole_file_is_read_without_a_slice() {
    let file = file("['abc']", "a", "");
    let sliced = super::support::Spy::on("Blob.prototype", "slice");
    assert_eq!((read(&file, 0, 3).await.unwrap().as_slice(), sliced.count()), (b"abc".as_slice(), 0));
    assert_eq!((read(&file, 0, 2).await.unwrap().as_slice(), sliced.count()), (b"ab".as_slice(), 1));
}

#[wasm_bindgen_test]
async fn what_cannot_be_read_is_none() {
    let file = file("['abc']", "a", "");
    assert_eq!(read(&file, 1, 3).await.unwrap(), b"bc");
    // The error of a file that was removed from the disk.
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
    let platform = with_provider(&js("{}"), provider);
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
    let failure = with_provider(&js("{}"), js(html)).call(Hook::Credentials, vec![]).await.unwrap_err();
    assert_eq!(failure.kind, Thrown::NotJson, "{failure:?}");
}

#[wasm_bindgen_test]
async fn a_session_is_saved_by_what_the_page_gave_and_not_without() {
    let store = js("{
        calls: [],
        async keep(record) { this.calls.push(record); if (record === 'no') throw new Error('full') },
        keepPart(number, part) { this.calls.push([number, part]); throw new Error('full') },
        forget() { this.calls.push('forget') },
    }");
    let platform =
        WebPlatform::new(js("{}").unchecked_ref(), js("{}").unchecked_into(), js("{}"), store.clone().unchecked_into());
    assert!(platform.keep("record".into()).await);
    assert!(!platform.keep("no".into()).await);
    platform.keep_part(2, "part".into());
    platform.forget();
    assert_eq!(json_of(&store, "$.calls"), r#"["record","no",[2,"part"],"forget"]"#);
    for store in ["undefined", "null", "{}", "{keep: 1, keepPart: 'no', forget: {}}", "{ get keep() { throw 'no' } }"] {
        let platform =
            WebPlatform::new(js("{}").unchecked_ref(), js("{}").unchecked_into(), js("{}"), js(store).unchecked_into());
        assert!(!platform.keep("record".into()).await, "{store}");
        platform.keep_part(1, "part".into());
        platform.forget();
    }
}

#[wasm_bindgen_test]
fn options_that_are_none_are_as_if_they_were_not_given() {
    for options in
        ["undefined", "null", "7", "{ get fetch() { throw 'no' }, mapUrl: 1, transport: {}, credentials: Symbol('a') }"]
    {
        let platform = platform(&js(options));
        assert!(platform.map_url("https://a.example/", partway::error::Step::Part).is_none(), "{options}");
    }
}

#[wasm_bindgen_test]
fn the_protocol_of_a_request_that_was_never_made_is_unknown() {
    assert!(!plain().is_multiplexed("/no/such/request"));
    assert!(!plain().is_multiplexed("https://store.example/media/a"));
}
