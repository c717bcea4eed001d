//! The embedded store, through s3s.

mod common;

use common::{bytes, element, eventually, now, sha256};
use partway_models::checksum::Algorithm;
use partway_models::content::Content;
use serde_json::json;

const ORIGIN: (&str, &str) = ("origin", "https://app.example");

fn complete(parts: &[(u32, &str)]) -> String {
    let parts: String = parts
        .iter()
        .map(|(number, etag)| format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"))
        .collect();
    format!(
        "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{parts}</CompleteMultipartUpload>"
    )
}

#[test]
fn a_presigned_put_is_stored_and_read_back() {
    let sandbox = common::start();
    let (credentials, file) = (sandbox.credentials(), bytes(300_000, 1));
    let key = "uploads/a b+ü~(1).mp4";
    let url = sandbox.sign(&credentials, "PUT", key, &[]);
    let headers = [ORIGIN, ("content-type", "video/mp4")];
    let stored = sandbox.request("PUT", &url, &headers, &file).unwrap();
    assert_eq!(stored.status, 200, "{}", stored.text());
    let etag = stored.header("etag").unwrap().to_owned();
    assert_eq!(etag.len(), 34);
    assert_eq!(stored.header("access-control-allow-origin"), Some("*"));
    assert!(stored.header("access-control-expose-headers").unwrap().contains("ETag"));
    assert!(stored.header("x-amz-request-id").is_some());
    sandbox.assert_stored("s3", key, &file);

    let head = sandbox.request("HEAD", &sandbox.sign(&credentials, "HEAD", key, &[]), &[], b"").unwrap();
    let seen = ["etag", "content-length", "content-type"].map(|name| head.header(name));
    assert_eq!(seen, [Some(etag.as_str()), Some("300000"), Some("video/mp4")]);
    let url = sandbox.sign(&credentials, "GET", key, &[]);
    assert_eq!(sha256(&sandbox.get(&url).body), sha256(&file));
    let part = sandbox.request("GET", &url, &[("range", "bytes=70000-70009")], b"").unwrap();
    assert_eq!((part.status, part.body.as_slice()), (206, &file[70_000..70_010]));
    assert_eq!(part.header("content-range"), Some("bytes 70000-70009/300000"));
    assert_eq!(sandbox.get(&sandbox.sign(&credentials, "GET", "nothing", &[])).status, 404);

    let empty = sandbox.put(&sandbox.sign(&credentials, "PUT", "empty", &[]), b"");
    assert_eq!((empty.status, empty.header("etag")), (200, Some("\"d41d8cd98f00b204e9800998ecf8427e\"")));
    sandbox.assert_stored("s3", "empty", b"");
}

#[test]
fn parts_become_an_object_and_wrong_ones_do_not() {
    let sandbox = common::start();
    let credentials = sandbox.credentials();
    let (one, two) = (bytes(5 << 20, 1), bytes(1_000, 2));
    let key = "big";
    let created =
        sandbox.request("POST", &sandbox.sign(&credentials, "POST", key, &[("uploads", "")]), &[], b"").unwrap();
    assert_eq!(created.status, 200, "{}", created.text());
    let id = element(&created.text(), "UploadId");
    let part = |number: &str, body: &[u8]| {
        let query = [("partNumber", number), ("uploadId", id.as_str())];
        sandbox.put(&sandbox.sign(&credentials, "PUT", key, &query), body)
    };
    let first = part("1", &one).header("etag").unwrap().to_owned();
    let second = part("2", &two).header("etag").unwrap().to_owned();
    assert_eq!(element(&part("0", b"x").text(), "Code"), "InvalidArgument");

    let listed = |query: &[(&str, &str)]| {
        let query: Vec<_> = query.iter().copied().chain([("uploadId", id.as_str())]).collect();
        sandbox.get(&sandbox.sign(&credentials, "GET", key, &query)).text()
    };
    let page = listed(&[("max-parts", "1")]);
    assert_eq!((element(&page, "IsTruncated").as_str(), element(&page, "ETag")), ("true", first.clone()));
    assert_eq!(element(&page, "NextPartNumberMarker"), "1");
    let page = listed(&[("part-number-marker", "1")]);
    assert_eq!((element(&page, "IsTruncated").as_str(), element(&page, "Size").as_str()), ("false", "1000"));

    let finish = |parts: &[(u32, &str)]| {
        let url = sandbox.sign(&credentials, "POST", key, &[("uploadId", &id)]);
        sandbox.request("POST", &url, &[("content-type", "application/xml")], complete(parts).as_bytes()).unwrap()
    };
    let code = |parts: &[(u32, &str)]| element(&finish(parts).text(), "Code");
    assert_eq!(code(&[(1, &second), (2, &first)]), "InvalidPart");
    assert_eq!(code(&[(2, &second), (1, &first)]), "InvalidPartOrder");
    assert_eq!(code(&[(1, &first), (3, &second)]), "InvalidPart");
    assert_eq!(code(&[]), "MalformedXML");
    let done = finish(&[(1, &first), (2, &second)]);
    assert_eq!(done.status, 200, "{}", done.text());
    assert!(element(&done.text(), "ETag").ends_with("-2\""), "{}", done.text());
    assert!(element(&done.text(), "Location").ends_with("/media/big"));
    sandbox.assert_stored("s3", key, &[one, two].concat());
}

#[test]
fn small_parts_and_unknown_uploads_are_refused() {
    let sandbox = common::start();
    let credentials = sandbox.credentials();
    let created = sandbox.request("POST", &sandbox.sign(&credentials, "POST", "k", &[("uploads", "")]), &[], b"");
    let id = element(&created.unwrap().text(), "UploadId");
    let mut etags = Vec::new();
    for number in ["1", "2"] {
        let query = [("partNumber", number), ("uploadId", id.as_str())];
        let put = sandbox.put(&sandbox.sign(&credentials, "PUT", "k", &query), b"small");
        etags.push(put.header("etag").unwrap().to_owned());
    }
    let query = [("uploadId", id.as_str())];
    let url = sandbox.sign(&credentials, "POST", "k", &query);
    let body = complete(&[(1, &etags[0]), (2, &etags[1])]);
    let refused = sandbox.request("POST", &url, &[], body.as_bytes()).unwrap();
    assert_eq!((refused.status, element(&refused.text(), "Code").as_str()), (400, "EntityTooSmall"));
    let abort = || sandbox.request("DELETE", &sandbox.sign(&credentials, "DELETE", "k", &query), &[], b"").unwrap();
    assert_eq!(abort().status, 204);
    let again = abort();
    assert_eq!((again.status, element(&again.text(), "Code").as_str()), (404, "NoSuchUpload"));
    let lost = sandbox.get(&sandbox.sign(&credentials, "GET", "k", &query));
    assert_eq!((lost.status, element(&lost.text(), "Code").as_str()), (404, "NoSuchUpload"));
}

#[test]
fn conditional_writes_and_digests_are_checked() {
    let sandbox = common::start();
    let credentials = sandbox.credentials();
    let put = |headers: &[(&str, &str)]| {
        let url = sandbox.sign(&credentials, "PUT", "once", &[]);
        sandbox.request("PUT", &url, headers, b"hello").unwrap()
    };
    let digest = "XUFAKrxLKna5cZ2REBfFkg==";
    assert_eq!(put(&[("if-none-match", "*"), ("content-md5", digest)]).status, 200);
    let exists = put(&[("if-none-match", "*")]);
    assert_eq!((exists.status, element(&exists.text(), "Code").as_str()), (412, "PreconditionFailed"));
    let damaged = put(&[("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==")]);
    assert_eq!((damaged.status, element(&damaged.text(), "Code").as_str()), (400, "BadDigest"));
    let garbled = put(&[("content-md5", "x")]);
    assert_eq!((garbled.status, element(&garbled.text(), "Code").as_str()), (400, "InvalidDigest"));
    let header = [("x-amz-checksum-sha256", "x")];
    let url = sandbox.sign_at(&credentials, "PUT", "once", &[], &header, now(), 300);
    let checksum = sandbox.request("PUT", &url, &header, b"hello").unwrap();
    assert_eq!((checksum.status, element(&checksum.text(), "Code").as_str()), (501, "NotImplemented"));
    let of_nothing = sandbox.sign(&credentials, "PUT", "once", &[("x-amz-checksum-crc32", "AAAAAA==")]);
    assert_eq!(element(&sandbox.put(&of_nothing, b"hello").text(), "Code"), "BadDigest");
    assert_eq!(sandbox.put(&of_nothing, b"").status, 200);
}

#[test]
fn a_refused_request_gets_the_reason() {
    let sandbox = common::start();
    let good = sandbox.credentials();
    let url = |credentials: &partway_models::sigv4::Credentials| sandbox.sign(credentials, "PUT", "k", &[]);
    let refusal = |url: &str, headers: &[(&str, &str)]| {
        let headers: Vec<_> = headers.iter().copied().chain([ORIGIN]).collect();
        let response = sandbox.request("PUT", url, &headers, &bytes(200_000, 3)).unwrap();
        (response.status, element(&response.text(), "Code"), response.header("access-control-allow-origin").is_some())
    };
    let is = |status: u16, code: &str| (status, code.to_owned(), true);

    let mut forged = good.clone();
    forged.secret_key = "guess".into();
    assert_eq!(refusal(&url(&forged), &[]), is(403, "SignatureDoesNotMatch"));
    let mut tokenless = good.clone();
    tokenless.session_token = None;
    assert_eq!(refusal(&url(&tokenless), &[]), is(403, "InvalidAccessKeyId"));
    let mut mixed = good.clone();
    mixed.session_token = sandbox.credentials().session_token;
    assert_eq!(refusal(&url(&mixed), &[]), is(400, "InvalidToken"));
    assert_eq!(refusal(&format!("{}/media/k", sandbox.origin("store")), &[]), is(403, "AccessDenied"));

    let tampered = url(&good).replace("/media/k?", "/media/other?");
    assert_eq!(refusal(&tampered, &[]), is(403, "SignatureDoesNotMatch"));
    assert_eq!(refusal(&url(&good), &[("x-amz-meta-a", "1")]), is(403, "AccessDenied"));
    assert_eq!(refusal(&url(&good), &[("x-om-auth-token", "t")]), is(400, "InvalidRequest"));
    let with_header = sandbox.sign_at(&good, "PUT", "k", &[], &[("x-amz-meta-a", "1")], now(), 300);
    assert_eq!(refusal(&with_header, &[("x-amz-meta-a", "2")]), is(403, "SignatureDoesNotMatch"));
    assert_eq!(refusal(&with_header, &[]), is(403, "SignatureDoesNotMatch"));
    let elsewhere = url(&good).replace("us-east-1", "eu-west-3");
    assert_eq!(refusal(&elsewhere, &[]), is(400, "AuthorizationQueryParametersError"));
    let too_long = sandbox.sign_at(&good, "PUT", "k", &[], &[], now(), 604_801);
    assert_eq!(refusal(&too_long, &[]), is(400, "AuthorizationQueryParametersError"));
    let early = sandbox.sign_at(&good, "PUT", "k", &[], &[], now() + 1_000_000, 300);
    assert_eq!(refusal(&early, &[]), is(403, "RequestTimeTooSkewed"));
    let late = sandbox.sign_at(&good, "PUT", "k", &[], &[], now() - 301_000, 300);
    assert_eq!(refusal(&late, &[]), (403, "AccessDenied".into(), false), "an expired URL has no CORS headers");
    let nowhere = url(&good).replace("/media/", "/elsewhere/");
    assert_eq!(refusal(&nowhere, &[]), is(403, "SignatureDoesNotMatch"));
    assert_eq!(sandbox.sha256("s3", "k").status, 404);
    let fine = sandbox.request("PUT", &with_header, &[("x-amz-meta-a", "1")], b"x").unwrap();
    assert_eq!(fine.status, 200, "{}", fine.text());
}

#[test]
fn credentials_expire_by_the_servers_clock() {
    let sandbox = common::start();
    sandbox.settings(&json!({ "credentials": { "lifetimeSeconds": 3_600 } }));
    let credentials = sandbox.credentials();
    let put = |skew_ms: u64| {
        sandbox.faults(&json!({ "skewMs": skew_ms }));
        sandbox.put(&sandbox.sign_at(&credentials, "PUT", "k", &[], &[], now() + skew_ms, 300), b"x")
    };
    assert_eq!(put(0).status, 200);
    let late = put(3_601_000);
    assert_eq!((late.status, element(&late.text(), "Code").as_str()), (400, "ExpiredToken"));
}

#[test]
fn preflights_allow_what_the_rule_of_the_bucket_allows() {
    let sandbox = common::start();
    let url = format!("{}/media/k?partNumber=1&uploadId=u", sandbox.origin("store"));
    let ask = |headers: &str| {
        let headers = [ORIGIN, ("access-control-request-method", "PUT"), ("access-control-request-headers", headers)];
        sandbox.request("OPTIONS", &url, &headers, b"").unwrap()
    };
    let fine = ask("content-type,x-amz-meta-name");
    assert_eq!((fine.status, fine.header("access-control-allow-origin")), (204, Some("*")));
    let stray = ask("content-type,x-api-key");
    assert_eq!((stray.status, stray.header("access-control-allow-origin")), (403, None));
    assert_eq!(sandbox.logged("store:preflight").len(), 2);
}

#[test]
fn concurrent_requests_are_counted() {
    let sandbox = common::start();
    sandbox.faults(&json!({ "faults": [{ "route": "store:*", "effect": { "kind": "stall", "when": "start" } }] }));
    let credentials = sandbox.credentials();
    std::thread::scope(|scope| {
        for n in 0..4 {
            let url = sandbox.sign(&credentials, "PUT", &format!("k{n}"), &[]);
            let sandbox = &sandbox;
            scope.spawn(move || assert_eq!(sandbox.put(&url, &bytes(50_000, n)).status, 200));
        }
        eventually("four requests", || (sandbox.logged("store:PutObject").len() == 4).then_some(()));
        sandbox.clear_faults();
    });
    let log = sandbox.get("/control/log").json();
    assert_eq!(log["maxInFlight"]["store:PutObject"], 4);
    let entry = &sandbox.logged("store:PutObject")[0];
    assert_eq!((&entry["bytes"], &entry["status"], &entry["method"]), (&json!(50_000), &json!(200), &json!("PUT")));
    assert!(entry["query"].as_str().unwrap().contains("X-Amz-Signature=***"));
    assert!(entry["startedMs"].is_u64() && entry["endedMs"].is_u64(), "{entry}");
}

/// As AWS since December 2024, with the ETags of SSE-KMS: each answer says the CRC64NVME of what the store has.
#[test]
fn checksums_are_said_checked_and_show_a_changed_byte() {
    let sandbox = common::start();
    let credentials = sandbox.credentials();
    sandbox.settings(&json!({ "store": { "checksums": "all", "encryption": "aws:kms" } }));
    let file = bytes(1 << 20, 7);
    let url = |key: &str| sandbox.sign(&credentials, "PUT", key, &[]);
    let crc = |key: &str| sandbox.put(&url(key), &file).header("x-amz-checksum-crc64nvme").unwrap().to_owned();
    let whole = crc("a");
    assert_eq!((whole.len(), crc("b")), (12, whole.clone()), "8 bytes in base64, the same for the same bytes");
    let head = sandbox.sign(&credentials, "HEAD", "a", &[("x-amz-checksum-mode", "ENABLED")]);
    let head = sandbox.request("HEAD", &head, &[ORIGIN], b"").unwrap();
    assert_eq!(head.header("x-amz-checksum-crc64nvme"), Some(whole.as_str()));
    assert!(head.header("access-control-expose-headers").unwrap().contains("x-amz-checksum-crc64nvme"));

    sandbox.fault("store:PutObject", json!({ "kind": "flip" }));
    assert_ne!(crc("c"), whole);
    let mut other = file.clone();
    other[(1 << 20) / 2] ^= 1;
    sandbox.assert_stored("s3", "c", &other);
}

#[test]
fn the_list_of_parts_has_their_checksums() {
    let sandbox = common::start();
    let credentials = sandbox.credentials();
    sandbox.settings(&json!({ "store": { "checksums": "all", "encryption": "aws:kms" } }));
    let value = |algorithm: Algorithm| algorithm.of_body(&Content::bytes(b"one".to_vec())).unwrap();
    let sha = value(Algorithm::Sha256);
    let composite = [("x-amz-checksum-algorithm", "SHA256"), ("x-amz-checksum-type", "COMPOSITE")];
    let call = |method: &str, query: &[(&str, &str)], headers: &[(&str, &str)], body: &[u8]| {
        let url = sandbox.sign_at(&credentials, method, "k", query, headers, now(), 300);
        let answer = sandbox.request(method, &url, headers, body).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.text()
    };
    for (create, part, algorithm, named) in [
        (&[][..], &[][..], Algorithm::Crc64Nvme, false),
        (&composite, &[("x-amz-checksum-sha256", sha.as_str())], Algorithm::Sha256, true),
    ] {
        let id = element(&call("POST", &[("uploads", "")], create, b""), "UploadId");
        call("PUT", &[("partNumber", "1"), ("uploadId", &id)], part, b"one");
        let listed = call("GET", &[("uploadId", &id)], &[], b"");
        assert_eq!(element(&listed, algorithm.element()), value(algorithm));
        assert_eq!(listed.contains("<ChecksumAlgorithm>SHA256</ChecksumAlgorithm>"), named, "{listed}");
    }
}
