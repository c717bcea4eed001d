use super::*;
use crate::sigv4::{self, Credentials, Target};
use crate::wire::{Body, Headers, Request};

/// A PUT of `x` to a URL signed with the owner's key, after `change`.
fn outcome(now: u64, change: impl FnOnce(String) -> Request) -> (u16, String) {
    let mut state = state();
    let mut headers = Headers::new();
    headers.insert("x-amz-meta-a", "1");
    let url = state.presign("PUT", "media", "k", &[], &headers, 60, NOW);
    let request = change(url).with_body(Body::Text(b"x".to_vec()));
    let response = http_step(&request, &mut state, now);
    assert_eq!(response.status == 200, !state.keys("media").is_empty());
    let text = response.text();
    let code = text.split_once("<Code>").map_or("", |(_, rest)| rest);
    let code = code.split_once("</Code>").map_or("", |(code, _)| code);
    (response.status, code.to_string())
}

fn signed(url: String) -> Request {
    Request::new("PUT", &url).with_header("x-amz-meta-a", "1")
}

#[test]
fn the_request_must_be_the_signed_one() {
    let fine = (200, String::new());
    assert_eq!(outcome(NOW, signed), fine);
    assert_eq!(
        outcome(NOW, |url| {
            signed(url)
                .with_header("content-type", "video/mp4")
                .with_header("Origin", "https://app.example")
                .with_header("sec-fetch-mode", "cors")
        }),
        fine
    );
    let refused = |status, code: &str, change: fn(String) -> Request| {
        assert_eq!(outcome(NOW, change), (status, code.to_string()));
    };
    refused(403, "SignatureDoesNotMatch", |url| Request::new("PUT", &url));
    refused(403, "SignatureDoesNotMatch", |url| signed(url).with_header("x-amz-meta-a", "2"));
    refused(403, "SignatureDoesNotMatch", |url| signed(url).with_header("host", "other.test"));
    refused(403, "SignatureDoesNotMatch", |url| signed(url.replace("/media/k", "/media/l")));
    refused(403, "SignatureDoesNotMatch", |url| signed(format!("{url}&partNumber=1")));
    refused(403, "SignatureDoesNotMatch", |url| signed(url.replace("X-Amz-Expires=60", "X-Amz-Expires=600")));
    refused(403, "SignatureDoesNotMatch", |url| Request { method: "POST".to_string(), ..signed(url + "&uploads") });
    refused(403, "AccessDenied", |url| signed(url).with_header("x-amz-acl", "public-read"));
    refused(400, "InvalidArgument", |url| signed(url).with_header("authorization", "Bearer x"));
    for (name, value) in [
        ("apikey", "k"),
        ("x-connection-id", "c"),
        ("x-om-auth-token", "t"),
        ("x-api-key", "k"),
        ("idempotency-key", "i"),
        ("cookie", "c=1"),
    ] {
        let got = outcome(NOW, |url| signed(url).with_header(name, value));
        assert_eq!(got, (400, "InvalidRequest".to_string()), "{name}");
    }
}

#[test]
fn parameters_are_checked() {
    let refused = |status, code: &str, change: fn(String) -> String| {
        let got = outcome(NOW, |url| signed(change(url)));
        assert_eq!(got, (status, code.to_string()));
    };
    refused(403, "AccessDenied", |url| url.split('?').next().unwrap().to_string());
    let bad = "AuthorizationQueryParametersError";
    refused(400, bad, |url| url.replace("&X-Amz-Expires=60", ""));
    refused(400, bad, |url| url.replace("X-Amz-Expires=60", "X-Amz-Expires=604801"));
    refused(400, bad, |url| url.replace("X-Amz-Expires=60", "X-Amz-Expires=soon"));
    refused(400, bad, |url| url.replace("us-east-1", "eu-west-1"));
    refused(400, bad, |url| url.replace("%2Fs3%2F", "%2Fec2%2F"));
    refused(400, bad, |url| url.replace("HMAC-SHA256", "HMAC-SHA1"));
    refused(400, bad, |url| url.replace("host%3Bx-amz", "x-amz"));
    refused(400, bad, |url| url.replace("host%3Bx-amz-meta-a", "x-amz-meta-a%3Bhost"));
    refused(400, bad, |url| url + "&X-Amz-Date=20130524T000000Z");
    refused(403, "InvalidAccessKeyId", |url| url.replace("Credential=AKIA", "Credential=AKIB"));
}

#[test]
fn the_servers_clock_counts() {
    let at = |now: u64| outcome(now, signed);
    assert_eq!(at(NOW + 59_999).0, 200);
    assert_eq!(at(NOW + 60_000), (403, "AccessDenied".to_string()));
    assert_eq!(at(NOW - 15 * 60_000).0, 200);
    assert_eq!(at(NOW - 15 * 60_000 - 1), (403, "RequestTimeTooSkewed".to_string()));
    let mut state = state();
    let url = state.presign("GET", "media", "k", &[], &Headers::new(), 60, NOW);
    let late = http_step(&Request::new("GET", &url), &mut state, NOW + 60_000);
    assert!(late.text().contains("<Message>Request has expired</Message>"));
}

#[test]
fn temporary_credentials_work_until_they_expire() {
    let mut state = state();
    let issued = state.issue_credentials(10_000, NOW);
    let put = |credentials: &Credentials, at: u64, state: &mut State| {
        let target = Target {
            method: "PUT",
            endpoint: "http://store.test",
            path: "/media/k",
            query: &[],
            headers: &Headers::new(),
        };
        let url = sigv4::presign(credentials, "us-east-1", &target, 3_600, at);
        let response = http_step(&Request::new("PUT", &url), state, at);
        let code = response.text();
        let code = code.split("Code>").nth(1).unwrap_or("").to_string();
        (response.status, code.trim_end_matches("</").to_string())
    };
    let fine = &issued.credentials;
    assert_eq!(put(fine, NOW, &mut state).0, 200);
    let expired = (400, "ExpiredToken".to_string());
    assert_eq!(put(fine, NOW + 10_000, &mut state), expired);
    let mut without = fine.clone();
    without.session_token = None;
    let unknown = (403, "InvalidAccessKeyId".to_string());
    assert_eq!(put(&without, NOW, &mut state), unknown);
    let mut forged = fine.clone();
    forged.session_token = Some("forged".to_string());
    let invalid = (400, "InvalidToken".to_string());
    assert_eq!(put(&forged, NOW, &mut state), invalid);
    let mut wrong = fine.clone();
    wrong.secret_key = "wrong".to_string();
    let mismatch = (403, "SignatureDoesNotMatch".to_string());
    assert_eq!(put(&wrong, NOW, &mut state), mismatch);
}

#[test]
fn path_style_and_virtual_host_style() {
    let mut state = state();
    let owner = Credentials {
        access_key: state.config.access_key.clone(),
        secret_key: state.config.secret_key.clone(),
        session_token: None,
    };
    for (endpoint, path) in
        [("http://media.store.test:9000", "/folder/k%20(1)"), ("http://127.0.0.1:9000/", "/media/folder/k%20%282%29")]
    {
        let target = Target { method: "PUT", endpoint, path, query: &[], headers: &Headers::new() };
        let url = sigv4::presign(&owner, "us-east-1", &target, 60, NOW);
        let response = http_step(&Request::new("PUT", &url), &mut state, NOW);
        assert_eq!(response.status, 200, "{}", response.text());
    }
    assert_eq!(state.keys("media"), ["folder/k (1)", "folder/k (2)"]);
}

#[test]
fn the_order_of_the_query_does_not_matter() {
    let backwards = |url: String| {
        let (place, query) = url.split_once('?').unwrap();
        let pairs: Vec<&str> = query.rsplit('&').collect();
        signed(format!("{place}?{}", pairs.join("&")))
    };
    assert_eq!(outcome(NOW, backwards).0, 200);
}
