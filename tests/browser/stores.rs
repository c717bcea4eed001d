//! Whole uploads straight to a store: s3 and plan. The store is a `fetch` of the test's own, which checks nothing of signatures.

use wasm_bindgen_test::wasm_bindgen_test;

use super::support::{file, js, json_of, of, options, settled};
use super::uploads::upload;

/// The MD5 of "hello", as an ETag.
const HELLO: &str = "\"5d41402abc4b2a76b9719d911017c592\"";

const S3: &str = "{
    name: 's3', bucket: 'bucket', region: 'us-east-1', endpoint: 'https://s3.example', forcePathStyle: true,
    key: ({name, size, type}) => `uploads/${size} ${type}/${name}`, multipartThreshold: 6 * 2 ** 20, partSize: 5 * 2 ** 20,
    getCredentials: async () => ({accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', sessionToken: 'session'}),
}";

/// PutObject, and the calls of a multipart upload (AWS S3 API Reference).
const STORE: &str = "
    const {searchParams} = new URL(request.url);
    const xml = (name, content) => new Response(`<?xml version=\"1.0\"?><${name}>${content}</${name}>`);
    if (request.method === 'POST' && searchParams.has('uploads')) return xml('InitiateMultipartUploadResult', '<UploadId>u1</UploadId>');
    if (request.method === 'POST') return xml('CompleteMultipartUploadResult', '<Key>k</Key><ETag>&quot;whole-3&quot;</ETag>');
    const number = searchParams.get('partNumber');
    const etag = number ? `\"p${number}\"` : '\"5d41402abc4b2a76b9719d911017c592\"';
    return new Response(null, {headers: {etag}})";

#[wasm_bindgen_test]
async fn a_small_file_is_put_to_s3_and_checked_against_its_etag() {
    let options = options(STORE);
    let ear = upload(&options, S3, &file("['hello']", "ä.mp4", "video/mp4")).await;
    assert_eq!(
        json_of(&ear, "(({elapsedMs, location, ...rest}) => rest)($.heard.at(-1)[1])"),
        format!(
            "{{\"provider\":\"s3\",\"etag\":{:?},\"key\":\"uploads/5 video/mp4/ä.mp4\",\"bytes\":5,\"parts\":1,\"attempts\":1,\"verified\":true,\"alreadyThere\":false,\"proof\":{{\"by\":\"etag-md5\",\"value\":\"5d41402abc4b2a76b9719d911017c592\",\"parts\":1}}}}",
            HELLO
        )
    );
    let seen = of(&options, "$.seen[0]");
    assert_eq!(of(&options, "$.seen.length"), 1);
    assert_eq!(of(&seen, "new URL($.url).pathname"), "/bucket/uploads/5%20video/mp4/%C3%A4.mp4");
    let query = "['X-Amz-Signature', 'X-Amz-Credential', 'X-Amz-Security-Token'].every(name => new URL($.url).searchParams.has(name))";
    assert_eq!(of(&seen, query), true);
    assert_eq!(
        json_of(&seen, "[$.method, $.credentials, $.headers.get('content-type')]"),
        r#"["PUT","omit","video/mp4"]"#
    );
    assert_eq!(settled(&seen, "$.text()").await, "hello");
}

#[wasm_bindgen_test]
async fn a_larger_file_goes_to_s3_in_parts() {
    let options = options(STORE);
    let ear = upload(&options, S3, &file("[new Uint8Array(11 * 2 ** 20)]", "a.mp4", "video/mp4")).await;
    assert_eq!(
        json_of(&ear, "(({etag, parts, attempts, verified}) => [etag, parts, attempts, verified])($.heard.at(-1)[1])"),
        r#"["\"whole-3\"",3,3,false]"#
    );
    let sizes = "Promise.all($.seen.filter(({method}) => method === 'PUT').map(async request => \
        new URL(request.url).searchParams.get('partNumber') + ':' + (await request.blob()).size)).then(all => all.sort().join())";
    assert_eq!(settled(&options, sizes).await, "1:5242880,2:5242880,3:1048576");
    let completing = "$.seen.at(-1).text().then(text => [...text.matchAll(/<PartNumber>(\\d)/g)].map(([, number]) => number).join())";
    assert_eq!(settled(&options, completing).await, "1,2,3");
}

#[wasm_bindgen_test]
async fn a_plan_is_asked_signed_and_completed_by_the_application() {
    js("globalThis.asked = []");
    let plan = "{
        name: 'plan',
        open(file) {
            asked.push(['open', file]);
            const range = (start, end) => ({start, end});
            return {uploadId: 'u', own: {kept: 1n}, parts: [
                {partNumber: 1, byteRange: range(0, 2), uploadUrl: 'https://store.example/1?sig=a'},
                {partNumber: 2, byteRange: range(3, 4)},
            ]};
        },
        async sign(plan, numbers) {
            asked.push(['sign', String(plan.own.kept), numbers]);
            return numbers.map(partNumber => ({partNumber, uploadUrl: `https://store.example/${partNumber}?sig=b`, headers: {'X-Own': '1'}}));
        },
        async complete(plan, parts) { asked.push(['complete', parts]); return {mediaId: 5, key: 'k'} },
    }";
    let options = options("return new Response(null, {headers: {etag: new URL(request.url).pathname}})");
    let ear = upload(&options, plan, &file("['hello']", "a.mp4", "video/mp4")).await;
    assert_eq!(
        json_of(&ear, "(({mediaId, key, parts}) => [mediaId, key, parts])($.heard.at(-1)[1])"),
        r#"["5","k",2]"#,
        "{}",
        json_of(&ear, "$.heard.at(-1)")
    );
    assert_eq!(
        json_of(&js("asked"), "$"),
        concat!(
            r#"[["open",{"name":"a.mp4","size":5,"type":"video/mp4"}],["sign","1",[2]],"#,
            r#"["complete",[{"partNumber":1,"etag":"/1"},{"partNumber":2,"etag":"/2"}]]]"#
        )
    );
    let second = of(&options, "$.seen.find(({url}) => url.includes('/2'))");
    assert_eq!(json_of(&second, "[...$.headers]"), r#"[["x-own","1"]]"#);
    assert_eq!(settled(&second, "$.text()").await, "lo");
}

#[wasm_bindgen_test]
async fn what_open_throws_is_told_with_its_cause() {
    for thrown in ["new Error('no')", "'no'", "undefined"] {
        let plan = format!("{{name: 'plan', open() {{ throw {thrown} }}}}");
        let ear = upload(&js("{}"), &plan, &file("['hello']", "a.mp4", "video/mp4")).await;
        assert_eq!(json_of(&ear, "[$.heard.at(-1)[0], $.heard.at(-1)[1].code]"), r#"["error","application"]"#);
        assert_eq!(of(&ear, "'cause' in $.heard.at(-1)[1]"), true);
    }
}

#[wasm_bindgen_test]
async fn the_words_of_this_browser_tell_a_mistake_and_a_page_from_a_network_that_failed() {
    for (body, said) in [
        ("undefined.token", "has a mistake"),
        ("null.token", "has a mistake"),
        ("const api = {}; api.open()", "has a mistake"),
        ("nobody()", "has a mistake"),
        ("return new Response('<!doctype html>').json()", "most likely an HTML page"),
        ("return new Response('').json()", "most likely an HTML page"),
        ("await fetch('http://127.0.0.1:9/')", "`open` failed: "),
        ("throw new Error('no')", "`open` failed: no"),
    ] {
        let plan = format!("{{name: 'plan', async open() {{ {body} }}}}");
        let ear = upload(&js("{}"), &plan, &file("['hello']", "a.mp4", "video/mp4")).await;
        let message = of(&ear, "$.heard.at(-1)[1].message").as_string().unwrap();
        assert!(message.contains(said), "{body}: {message}");
    }
}
