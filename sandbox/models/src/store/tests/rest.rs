use super::*;
use crate::bucket::Bucket;
use crate::wire::{Body, Headers, Request, Response};

type Headed = &'static [(&'static str, &'static str)];

fn pairs(query: &[(&str, &str)]) -> Vec<(String, String)> {
    let pairs = query.iter();
    pairs.map(|(n, v)| (n.to_string(), v.to_string())).collect()
}

fn call(state: &mut State, method: &str, query: &[(&str, &str)], headers: &[(&str, &str)], body: Body) -> Response {
    let signed: Headers = headers.iter().copied().collect();
    let url = state.presign(method, "media", "a b/é.mp4", &pairs(query), &signed, 60, NOW);
    let mut request = Request::new(method, &url).with_body(body);
    for (name, value) in headers {
        request.headers.append(name, value);
    }
    http_step(&request, state, NOW)
}

fn put(state: &mut State, headers: &[(&str, &str)], text: &str) -> Response {
    let body = Body::Content(Content::bytes(text.as_bytes().to_vec()));
    call(state, "PUT", &[], headers, body)
}

fn get(state: &mut State, headers: &[(&str, &str)]) -> Response {
    call(state, "GET", &[], headers, Body::Empty)
}

fn between<'a>(text: &'a str, name: &str) -> &'a str {
    let start = text.find(&format!("<{name}>")).expect(name) + name.len() + 2;
    let end = text.find(&format!("</{name}>")).expect(name);
    &text[start..end]
}

#[test]
fn routes_have_names() {
    for (method, target, expected) in [
        ("PUT", "/b/k", "store:PutObject"),
        ("POST", "/b/k?uploads", "store:CreateMultipartUpload"),
        ("PUT", "/b/k?partNumber=1&uploadId=x", "store:UploadPart"),
        ("POST", "/b/k?uploadId=x", "store:CompleteMultipartUpload"),
        ("DELETE", "/b/k?uploadId=x", "store:AbortMultipartUpload"),
        ("GET", "/b/k?uploadId=x", "store:ListParts"),
        ("HEAD", "/b/k", "store:HeadObject"),
        ("GET", "/b/k", "store:GetObject"),
        ("DELETE", "/b/k", "store:DeleteObject"),
        ("PATCH", "/b/k", "store:unknown"),
    ] {
        assert_eq!(route(&Request::new(method, target)), expected);
    }
}

#[test]
fn an_object_is_put_and_read() {
    let mut state = state();
    let headers = [("content-type", "video/mp4"), ("x-amz-meta-who", "me")];
    let response = put(&mut state, &headers, "hello");
    assert_eq!(response.status, 200);
    let etag = "\"5d41402abc4b2a76b9719d911017c592\"";
    assert_eq!(response.header("etag"), Some(etag));
    assert_eq!(state.keys("media"), ["a b/é.mp4"]);

    let response = get(&mut state, &[]);
    assert_eq!((response.status, response.text().as_str()), (200, "hello"));
    assert_eq!(response.header("content-type"), Some("video/mp4"));
    assert_eq!(response.header("x-amz-meta-who"), Some("me"));
    assert!(response.header("x-amz-request-id").is_some());
    let head = call(&mut state, "HEAD", &[], &[], Body::Empty);
    assert_eq!(head.header("content-length"), Some("5"));
    assert!(head.body.is_empty());

    for (range, expected) in [
        ("bytes=1-3", (206, "ell", "bytes 1-3/5")),
        ("bytes=3-", (206, "lo", "bytes 3-4/5")),
        ("bytes=-2", (206, "lo", "bytes 3-4/5")),
        ("bytes=0-99", (206, "hello", "bytes 0-4/5")),
    ] {
        let part = get(&mut state, &[("range", range)]);
        let seen = part.header("content-range").unwrap_or("");
        assert_eq!((part.status, part.text().as_str(), seen), expected);
    }
    assert_eq!(get(&mut state, &[("range", "bytes=5-")]).status, 416);

    assert_eq!(call(&mut state, "DELETE", &[], &[], Body::Empty).status, 204);
    let missing = get(&mut state, &[]);
    assert_eq!(missing.status, 404);
    assert_eq!(between(&missing.text(), "Code"), "NoSuchKey");
    let head = call(&mut state, "HEAD", &[], &[], Body::Empty);
    assert_eq!((head.status, head.body.len()), (404, 0));
}

#[test]
fn headers_of_a_put_are_checked_and_stored() {
    let mut state = state();
    let cases: [(Headed, u16, &str); 8] = [
        (&[("content-md5", "XUFAKrxLKna5cZ2REBfFkg==")], 200, ""),
        (&[("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")], 400, "BadDigest"),
        (&[("content-md5", "nonsense")], 400, "InvalidDigest"),
        (&[("if-none-match", "*")], 412, "PreconditionFailed"),
        (&[("if-none-match", "\"x\"")], 501, "NotImplemented"),
        (&[("x-amz-checksum-crc32", "AAAAAA==")], 400, "BadDigest"),
        (&[("x-amz-checksum-sha256", "x")], 501, "NotImplemented"),
        (&[("x-amz-checksum-crc32c", "x")], 501, "NotImplemented"),
    ];
    for (headers, status, expected) in cases {
        let response = put(&mut state, headers, "hello");
        assert_eq!(response.status, status, "{headers:?}");
        if !expected.is_empty() {
            assert_eq!(between(&response.text(), "Code"), expected);
        }
    }
    let query = [("x-amz-checksum-crc32", "AAAAAA==")];
    for (text, status) in [("hello", 400), ("", 200)] {
        let body = Body::Text(text.as_bytes().to_vec());
        let response = call(&mut state, "PUT", &query, &[], body);
        assert_eq!(response.status, status, "a URL signed for an empty body");
    }
}

#[test]
fn multipart_in_rest() {
    let mut state = state();
    let created = call(&mut state, "POST", &[("uploads", "")], &[], Body::Empty);
    assert_eq!(created.status, 200);
    let id = between(&created.text(), "UploadId").to_string();
    assert_eq!(between(&created.text(), "Key"), "a b/é.mp4");

    for (number, size) in [("1", 5 * MIB), ("2", 1)] {
        let query = [("partNumber", number), ("uploadId", id.as_str())];
        let body = Body::Content(Content::symbolic(1, 0, size));
        let sent = call(&mut state, "PUT", &query, &[], body);
        let etag = format!("\"{}\"", Content::symbolic(1, 0, size).etag());
        assert_eq!((sent.status, sent.header("etag")), (200, Some(&*etag)));
    }
    let query = [("uploadId", id.as_str()), ("max-parts", "1")];
    let page = call(&mut state, "GET", &query, &[], Body::Empty).text();
    assert_eq!(between(&page, "IsTruncated"), "true");
    assert_eq!(between(&page, "NextPartNumberMarker"), "1");
    assert_eq!(between(&page, "Size"), (5 * MIB).to_string());
    let query = [("uploadId", id.as_str()), ("part-number-marker", "1")];
    let page = call(&mut state, "GET", &query, &[], Body::Empty).text();
    assert_eq!(between(&page, "IsTruncated"), "false");
    assert_eq!(between(&page, "PartNumber"), "2");
    let query = [("uploadId", id.as_str()), ("max-parts", "many")];
    assert_eq!(call(&mut state, "GET", &query, &[], Body::Empty).status, 400);

    let query = [("uploadId", id.as_str())];
    let parts = |list: &[(u32, String)]| {
        let part = |(number, etag): &(u32, String)| {
            format!("<Part><PartNumber>{number}</PartNumber><ETag>\"{etag}\"</ETag></Part>")
        };
        let inner: String = list.iter().map(part).collect();
        let text = format!("<CompleteMultipartUpload>{inner}</CompleteMultipartUpload>");
        Body::Text(text.into_bytes())
    };
    let one = (1, Content::symbolic(1, 0, 5 * MIB).etag());
    let two = (2, Content::symbolic(1, 0, 1).etag());
    let nonsense = Body::Text(b"{}".to_vec());
    let refused = call(&mut state, "POST", &query, &[], nonsense);
    assert_eq!(between(&refused.text(), "Code"), "MalformedXML");
    let list = [two.clone(), one.clone()];
    let refused = call(&mut state, "POST", &query, &[], parts(&list));
    assert_eq!(between(&refused.text(), "Code"), "InvalidPartOrder");
    let done = call(&mut state, "POST", &query, &[], parts(&[one, two]));
    assert_eq!(done.status, 200);
    assert!(between(&done.text(), "ETag").ends_with("-2&quot;"));
    let location = "http://store.test/media/a%20b/%C3%A9.mp4";
    assert_eq!(between(&done.text(), "Location"), location);
    let gone = call(&mut state, "DELETE", &query, &[], Body::Empty);
    assert_eq!((gone.status, between(&gone.text(), "Code")), (404, "NoSuchUpload"));
}

#[test]
fn abort_is_204() {
    let mut state = state();
    let created = call(&mut state, "POST", &[("uploads", "")], &[], Body::Empty);
    let id = between(&created.text(), "UploadId").to_string();
    let query = [("uploadId", id.as_str())];
    let response = call(&mut state, "DELETE", &query, &[], Body::Empty);
    assert_eq!((response.status, response.body.len()), (204, 0));
}

#[test]
fn the_bucket_trait_uses_the_same_store() {
    let mut state = state();
    let id = state.create_multipart("x/y", "video/mp4", NOW).unwrap();
    let url = state.presign_put("x/y", Some(&id), Some(7), 60, NOW);
    let body = Body::Content(Content::bytes(*b"part"));
    let request = Request::new("PUT", &url).with_body(body);
    let sent = http_step(&request, &mut state, NOW);
    let parts = [(7, sent.header("etag").unwrap().to_string())];
    assert_eq!(state.head("x/y", NOW), Ok(None));
    let etag = state.complete("x/y", &id, &parts, NOW).unwrap();
    assert_eq!(state.head("x/y", NOW), Ok(Some((etag, 4))));
    let again = state.complete("x/y", &id, &parts, NOW).unwrap_err();
    assert_eq!(again.code, "NoSuchUpload");
    let read = Request::new("GET", &state.presign_get("x/y", 60, NOW));
    assert_eq!(http_step(&read, &mut state, NOW).text(), "part");
    let single = Request::new("PUT", &state.presign_put("z", None, None, 60, NOW));
    assert_eq!(http_step(&single, &mut state, NOW).status, 200);
    assert_eq!(state.head("z", NOW).unwrap().unwrap().1, 0);
}

#[test]
fn symbolic_content_has_no_bytes_to_read() {
    let mut state = state();
    let body = Body::Content(Content::symbolic(1, 0, 5));
    assert_eq!(call(&mut state, "PUT", &[], &[], body).status, 200);
    assert_eq!(get(&mut state, &[]).status, 500);
}
