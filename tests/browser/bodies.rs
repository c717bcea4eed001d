//! Bodies of requests: slices and their types, forms, XML.

use partway::http::{Body, Method, Request, Response};
use partway::model::file::FileBody;
use partway::platform::{Platform, RequestOf};
use partway::web::WebPlatform;
use partway::web::file_bytes::FileBytes;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use super::support::{answered, api, file, json_of, of, options, part, platform, settled, store};

/// Answers with the body that arrived.
const ECHO: &str = "
    const {method, url, redirect, credentials, referrerPolicy, cache} = request;
    return Response.json({method, url, redirect, credentials, referrerPolicy, cache,
        headers: Object.fromEntries(request.headers), body: await request.text()})";

async fn echo(request: RequestOf<WebPlatform>) -> (Response, JsValue) {
    let response = answered(&platform(&options(ECHO)), request).await;
    let told = js_sys::JSON::parse(&response.body).unwrap();
    (response, told)
}

#[wasm_bindgen_test]
async fn a_presigned_url_gets_what_it_signed_and_nothing_of_the_page() {
    let file = file("['hello world']", "a.mp4", "video/mp4");
    let signed = "X-Amz-SignedHeaders=content-type%3Bhost%3Bx-amz-meta-a&X-Amz-Signature=s%2Bs";
    let headers = [("x-amz-meta-a", "1"), ("content-type", "video/mp4")];
    let (_, told) = echo(store(signed, &headers, part(&file, 6, 11, None))).await;
    assert_eq!(of(&told, "$.url"), *format!("https://store.example/key?{signed}"));
    assert_eq!(of(&told, "$.body"), "world");
    assert_eq!(json_of(&told, "$.headers"), r#"{"content-type":"video/mp4","x-amz-meta-a":"1"}"#);
    assert_eq!(
        json_of(&told, "[$.method, $.redirect, $.credentials, $.referrerPolicy, $.cache]"),
        r#"["PUT","manual","omit","no-referrer","default"]"#
    );
}

#[wasm_bindgen_test]
async fn a_type_goes_out_exactly_or_not_at_all() {
    let odd = "Video/MP4; codecs=\"avc1.64001F\"";
    let (host, typed) = ("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders=content-type%3Bhost");
    let mp4 = file("['hello']", "a.mp4", "video/mp4");
    for (query, headers, body, expected) in [
        // The file's own type would break a URL that didn't sign one; where the list of what it signed is known, any type may go.
        ("sig=1", vec![], part(&mp4, 0, 5, None), None),
        (host, vec![], part(&mp4, 0, 5, None), Some("video/mp4")),
        (host, vec![], part(&mp4, 0, 2, None), None),
        (typed, vec![("content-type", "video/mp4")], part(&mp4, 0, 5, None), Some("video/mp4")),
        (typed, vec![("content-type", "image/png")], part(&mp4, 0, 5, None), Some("image/png")),
        (typed, vec![("content-type", odd)], part(&mp4, 1, 5, None), Some(odd)),
    ] {
        let (_, told) = echo(store(query, &headers, body)).await;
        assert_eq!(of(&told, "$.headers['content-type']").as_string().as_deref(), expected, "{query} {headers:?}");
    }
}

#[wasm_bindgen_test]
async fn the_file_itself_goes_where_it_may() {
    let file = file("['hello']", "a.mp4", "video/mp4");
    let sliced = super::support::Spy::on("Blob.prototype", "slice");
    let whole = Body::File(part(&file, 0, 5, Some("video/mp4")));
    let (_, told) = echo(Request::Api(api(Method::Put, "/a", whole))).await;
    assert_eq!((of(&told, "$.body").as_string().unwrap().as_str(), sliced.count()), ("hello", 0));
    echo(Request::Api(api(Method::Put, "/a", Body::File(part(&file, 0, 5, None))))).await;
    assert_eq!(sliced.count(), 1);
}

#[wasm_bindgen_test]
async fn a_copy_in_memory_goes_as_bytes_to_a_presigned_url_and_as_a_blob_elsewhere() {
    let file = file("['hello']", "a.mp4", "video/mp4");
    let sliced = super::support::Spy::on("Blob.prototype", "slice");
    let copied = platform(&options(ECHO)).copy(&FileBytes::File(file.clone(), 5)).await.unwrap();
    assert_eq!(sliced.count(), 0);
    let of_copy = |start, end, kind| FileBody { blob: copied.clone(), ..part(&file, start, end, kind) };
    let signed = "X-Amz-SignedHeaders=content-type%3Bhost";
    for (query, body, expected) in [
        ("sig=1", of_copy(0, 5, Some("video/mp4")), ("hello", None)),
        (signed, of_copy(1, 4, Some("Video/MP4")), ("ell", Some("Video/MP4"))),
    ] {
        let (_, told) = echo(store(query, &[], body)).await;
        let kind = of(&told, "$.headers['content-type']").as_string();
        assert_eq!((of(&told, "$.body").as_string().as_deref(), kind.as_deref()), (Some(expected.0), expected.1));
    }
    assert_eq!(sliced.count(), 0);
    let (_, told) = echo(Request::Api(api(Method::Put, "/a", Body::File(of_copy(1, 5, Some("video/mp4")))))).await;
    assert_eq!(json_of(&told, "[$.body, $.headers['content-type']]"), r#"["ello","video/mp4"]"#);
    assert!(platform(&options(ECHO)).copy(&FileBytes::File(file.clone(), 6)).await.is_none(), "it isn't of that size");
}

#[wasm_bindgen_test]
async fn an_api_gets_json_and_the_callers_credentials() {
    let json = super::support::js("{a: [1, null, 'ä']}");
    let mut request = api(Method::Post, "/api/init?x=1", Body::Json(json));
    request.headers.push(("x-connection-id".into(), "c 1".into()));
    let (_, told) = echo(Request::Api(request.clone())).await;
    assert_eq!(of(&told, "$.body"), r#"{"a":[1,null,"ä"]}"#);
    assert_eq!(json_of(&told, "$.headers"), r#"{"content-type":"application/json","x-connection-id":"c 1"}"#);
    assert_eq!(json_of(&told, "[$.redirect, $.credentials]"), r#"["manual","same-origin"]"#);
    assert_eq!(of(&told, "$.url === location.origin + '/api/init?x=1'"), true);

    let including = super::support::with(options(ECHO), "$.credentials = 'include'");
    for (has_credentials, expected) in [(false, "include"), (true, "same-origin")] {
        request.has_credentials = has_credentials;
        let response = answered(&platform(&including), Request::Api(request.clone())).await;
        let told = js_sys::JSON::parse(&response.body).unwrap();
        assert_eq!(of(&told, "$.credentials"), expected, "a key and cookies don't go together");
    }
}

#[wasm_bindgen_test]
async fn what_an_api_says_of_the_present_comes_from_no_cache() {
    for (method, expected) in [(Method::Get, "no-store"), (Method::Post, "default"), (Method::Put, "default")] {
        let (_, told) = echo(Request::Api(api(method, "/status", Body::Empty))).await;
        assert_eq!(of(&told, "$.cache"), expected);
    }
}

#[wasm_bindgen_test]
async fn nothing_and_xml_bring_no_type_along() {
    let (_, told) = echo(Request::Api(api(Method::Post, "/a", Body::Empty))).await;
    assert_eq!(json_of(&told, "[$.body, $.headers]"), r#"["",{}]"#);
    let (_, told) = echo(Request::Api(api(Method::Post, "/a", Body::Xml("<a>é</a>".into())))).await;
    assert_eq!(json_of(&told, "[$.body, $.headers]"), r#"["<a>é</a>",{}]"#);
}

#[wasm_bindgen_test]
async fn a_form_has_its_file_last_and_typed() {
    let options = options("options.form = request.formData(); return new Response(null, {status: 204})");
    let form = Body::Form {
        fields: vec![("accountId".into(), "12".into()), ("formInputs".into(), "[]".into())],
        file_field: "upload".into(),
        file: part(&file("['hello']", "x.bin", "text/plain"), 0, 5, Some("video/mp4")),
        filename: "Ümlaut 1.mp4".into(),
    };
    let mut request = api(Method::Post, "/upload", form);
    request.must_not_repeat = true;
    let response = answered(&platform(&options), Request::Api(request)).await;
    assert_eq!((response.status, response.body.as_str()), (204, ""));
    assert_eq!(
        of(&options, "$.seen[0].headers.get('content-type').startsWith('multipart/form-data; boundary=')"),
        true
    );
    let entries = settled(
        &options,
        "$.form.then(form => JSON.stringify([...form].map(([name, value]) => value.name ? [name, value.name, value.type, value.size] : [name, value])))",
    )
    .await;
    assert_eq!(entries, r#"[["accountId","12"],["formInputs","[]"],["upload","Ümlaut 1.mp4","video/mp4",5]]"#);
}
