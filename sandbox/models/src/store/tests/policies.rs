//! PostObject: forms that a signed policy allows.

use super::*;
use crate::wire::{Body, FormField, FormValue, Request, Response};
use serde_json::json;

/// The sample of AWS S3 API Reference, "Example: Browser-Based Upload using HTTP POST (Using AWS Signature Version 4)".
const SAMPLE: &str = "eyAiZXhwaXJhdGlvbiI6ICIyMDE1LTEyLTMwVDEyOjAwOjAwLjAwMFoiLA0KICAiY29uZGl0aW9ucyI6IFsNCiAgICB7ImJ1Y2tldCI6ICJzaWd2NGV4YW1wbGVidWNrZXQifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAidXNlci91c2VyMS8iXSwNCiAgICB7ImFjbCI6ICJwdWJsaWMtcmVhZCJ9LA0KICAgIHsic3VjY2Vzc19hY3Rpb25fcmVkaXJlY3QiOiAiaHR0cDovL3NpZ3Y0ZXhhbXBsZWJ1Y2tldC5zMy5hbWF6b25hd3MuY29tL3N1Y2Nlc3NmdWxfdXBsb2FkLmh0bWwifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRDb250ZW50LVR5cGUiLCAiaW1hZ2UvIl0sDQogICAgeyJ4LWFtei1tZXRhLXV1aWQiOiAiMTQzNjUxMjM2NTEyNzQifSwNCiAgICB7IngtYW16LXNlcnZlci1zaWRlLWVuY3J5cHRpb24iOiAiQUVTMjU2In0sDQogICAgWyJzdGFydHMtd2l0aCIsICIkeC1hbXotbWV0YS10YWciLCAiIl0sDQoNCiAgICB7IngtYW16LWNyZWRlbnRpYWwiOiAiQUtJQUlPU0ZPRE5ON0VYQU1QTEUvMjAxNTEyMjkvdXMtZWFzdC0xL3MzL2F3czRfcmVxdWVzdCJ9LA0KICAgIHsieC1hbXotYWxnb3JpdGhtIjogIkFXUzQtSE1BQy1TSEEyNTYifSwNCiAgICB7IngtYW16LWRhdGUiOiAiMjAxNTEyMjlUMDAwMDAwWiIgfQ0KICBdDQp9";

fn text(name: &str, value: &str) -> FormField {
    FormField { name: name.into(), filename: None, content_type: None, value: FormValue::Bytes(value.into()) }
}

fn post(state: &mut State, bucket: &str, fields: &[(String, String)], at: u64) -> Response {
    let mut form: Vec<_> = fields.iter().map(|(name, value)| text(name, value)).collect();
    form.push(FormField {
        name: "file".into(),
        filename: Some("a b.jpg".into()),
        content_type: Some("image/jpeg".into()),
        value: FormValue::Content(Content::bytes(*b"hello")),
    });
    let request = Request::new("POST", &format!("https://store.test/{bucket}"))
        .with_header("content-type", "multipart/form-data; boundary=x")
        .with_body(Body::Form(form));
    http_step(&request, state, at)
}

fn pairs(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    fields.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

#[test]
fn the_published_sample_is_taken() {
    let mut state = State::new(Config {
        buckets: vec!["sigv4examplebucket".into()],
        access_key: "AKIAIOSFODNN7EXAMPLE".into(),
        secret_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
        ..Config::default()
    });
    let redirect = "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html";
    let mut fields = pairs(&[
        ("key", "user/user1/${filename}"),
        ("acl", "public-read"),
        ("success_action_redirect", redirect),
        ("Content-Type", "image/jpeg"),
        ("x-amz-meta-uuid", "14365123651274"),
        ("x-amz-server-side-encryption", "AES256"),
        ("X-Amz-Credential", "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"),
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
        ("X-Amz-Date", "20151229T000000Z"),
        ("x-amz-meta-tag", ""),
        ("Policy", SAMPLE),
        ("X-Amz-Signature", "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e"),
    ]);
    let december_30_2015 = 1_451_433_600_000;
    let answer = post(&mut state, "sigv4examplebucket", &fields, december_30_2015);
    assert_eq!((answer.status, answer.header("location")), (303, Some(redirect)), "{}", answer.text());
    assert_eq!(state.keys("sigv4examplebucket"), ["user/user1/a b.jpg"]);
    let later = post(&mut state, "sigv4examplebucket", &fields, december_30_2015 + 12 * 3_600_000);
    assert!(later.text().contains("Invalid according to Policy: Policy expired."), "{}", later.text());
    fields[0].1 = "user/user2/x".into();
    let other = post(&mut state, "sigv4examplebucket", &fields, december_30_2015);
    assert!(other.status == 403 && other.text().contains("Policy Condition failed"), "{}", other.text());
}

#[test]
fn a_policy_that_a_backend_signs_stores_one_object() {
    for (status, expected) in [("201", 201), ("200", 200), ("204", 204)] {
        let mut state = state();
        let fields = state.post_policy("media", &[("key", "k"), ("success_action_status", status)], 10, 60, NOW);
        let answer = post(&mut state, "media", &fields, NOW);
        assert_eq!(answer.status, expected, "{}", answer.text());
        let etag = format!("\"{}\"", Content::bytes(*b"hello").etag());
        assert_eq!(answer.header("etag"), Some(etag.as_str()));
        assert_eq!(answer.header("location"), Some("http://store.test/media/k"));
        let names_key = answer.text().contains("<Key>k</Key>");
        assert_eq!(names_key, expected == 201, "{}", answer.text());
        assert_eq!(state.contents("media", "k"), Some(vec![Content::bytes(*b"hello")]));
    }
}

#[test]
fn temporary_credentials_sign_with_their_token() {
    let mut state = state();
    let issued = state.issue_credentials(1_000, NOW);
    let conditions = [json!({ "bucket": "media" }), json!({ "key": "k" })];
    let mut fields = crate::sigv4::sign_policy(&issued.credentials, "us-east-1", &conditions, 60, NOW);
    fields.push(("key".into(), "k".into()));
    assert_eq!(post(&mut state, "media", &fields, NOW).status, 204);
    assert!(post(&mut state, "media", &fields, NOW + 1_000).text().contains("ExpiredToken"));
    fields.retain(|(name, _)| name != "x-amz-security-token");
    assert!(post(&mut state, "media", &fields, NOW).text().contains("InvalidAccessKeyId"));
}

#[test]
fn what_the_policy_does_not_say_is_refused() {
    type Fields = Vec<(String, String)>;
    let with = |change: &dyn Fn(&mut Fields)| {
        let mut state = state();
        let mut fields = state.post_policy("media", &[("key", "k")], 10, 60, NOW);
        change(&mut fields);
        let answer = post(&mut state, "media", &fields, NOW);
        assert!(answer.status >= 400 && state.keys("media").is_empty(), "{fields:?}");
        (answer.status, answer.text())
    };
    let set = |fields: &mut Fields, name: &str, value: &str| {
        fields.iter_mut().filter(|(known, _)| known == name).for_each(|(_, old)| *old = value.into());
    };
    let says = |(status, text): (u16, String), expected: u16, part: &str| {
        assert!(status == expected && text.contains(part), "{status} {text} should be {expected} {part}");
    };
    says(with(&|fields| fields.clear()), 403, "AccessDenied");
    says(with(&|fields| fields.push(("acl".into(), "public-read".into()))), 403, "Extra input fields: acl");
    says(with(&|fields| set(fields, "key", "other")), 403, "Policy Condition failed");
    says(with(&|fields| set(fields, "x-amz-signature", "00")), 403, "SignatureDoesNotMatch");
    says(with(&|fields| set(fields, "policy", "e30=")), 403, "SignatureDoesNotMatch");
    says(with(&|fields| set(fields, "x-amz-date", "20200101T000000Z")), 400, "InvalidArgument");
    says(with(&|fields| fields.retain(|(name, _)| name != "x-amz-algorithm")), 400, "x-amz-algorithm");
    let mut state = state();
    let fields = state.post_policy("media", &[("key", "k")], 4, 60, NOW);
    says(
        {
            let a = post(&mut state, "media", &fields, NOW);
            (a.status, a.text())
        },
        400,
        "EntityTooLarge",
    );
    let other = post(&mut state, "elsewhere", &fields, NOW);
    says((other.status, other.text()), 403, "Policy Condition failed");
    let ignored = {
        let mut fields = state.post_policy("media", &[("key", "k")], 5, 60, NOW);
        fields.push(("x-ignore-a".into(), "b".into()));
        fields
    };
    assert_eq!(post(&mut state, "media", &ignored, NOW).status, 204);
}

#[test]
fn what_follows_the_file_is_ignored_and_there_must_be_one() {
    let mut state = state();
    let fields = state.post_policy("media", &[("key", "k")], 10, 60, NOW);
    let mut form: Vec<_> = fields.iter().map(|(name, value)| text(name, value)).collect();
    let file = FormField { filename: Some("a".into()), ..text("file", "hello") };
    let request = |form: Vec<FormField>| {
        Request::new("POST", "https://store.test/media")
            .with_header("content-type", "multipart/form-data; boundary=x")
            .with_body(Body::Form(form))
    };
    form.insert(0, file);
    assert_eq!(http_step(&request(form.clone()), &mut state, NOW).status, 403, "the policy comes after the file");
    form.remove(0);
    let none = http_step(&request(form), &mut state, NOW);
    assert!(none.status == 400 && none.text().contains("exactly one file"), "{}", none.text());
}
