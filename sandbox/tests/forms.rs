//! Forms: to the customer's own server, and to the store by a policy.

mod common;

use common::{Response, Sandbox, bytes, element};
use serde_json::{Value, json};

/// A form with those fields, and the file as its last one.
fn form(fields: &[(&str, &str)], file: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        let field = format!("--XyZ\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(field.as_bytes());
    }
    let head =
        "--XyZ\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.mp4\"\r\nContent-Type: video/mp4\r\n\r\n";
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(file);
    body.extend_from_slice(b"\r\n--XyZ--\r\n");
    body
}

fn send(sandbox: &Sandbox, method: &str, url: &str, fields: &[(&str, &str)], file: &[u8]) -> Response {
    let headers = [("content-type", "multipart/form-data; boundary=XyZ"), ("origin", "https://a.example")];
    sandbox.request(method, url, &headers, &form(fields, file)).unwrap()
}

/// The fields of the policy that the backend signs, and the bucket's address.
fn policy(sandbox: &Sandbox, size: usize) -> (String, Vec<(String, String)>) {
    let wish = json!({ "name": "a b.mp4", "size": size, "type": "video/mp4" });
    let answer = sandbox.post("/api/policy", &wish);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let json = answer.json();
    let pairs = json["fields"].as_object().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&json["url"]), pairs.map(|(name, value)| (name.clone(), text(value))).collect())
}

fn borrowed(fields: &[(String, String)]) -> Vec<(&str, &str)> {
    fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[test]
fn the_customers_server_takes_a_form_and_processes_it() {
    let sandbox = common::start();
    let file = bytes(1_000_000, 1);
    let answer = send(&sandbox, "POST", "/api/form/upload", &[("album", "7")], &file);
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert!(!answer.everything().contains("form-key"));
    sandbox.assert_stored("form", answer.json()["mediaId"].as_str().unwrap(), &file);
    sandbox.settings(&json!({ "form": { "reply": "job", "processingMs": 0 } }));
    let answer = send(&sandbox, "PUT", "/api/form/upload", &[], &file).json();
    let job = sandbox.get(answer["job"].as_str().unwrap()).json();
    assert_eq!(job["state"], "completed", "{answer}");
    sandbox.assert_stored("form", job["result"]["mediaId"].as_str().unwrap(), &file);
    assert_eq!(sandbox.logged("form:upload").len(), 2);
    assert_eq!(sandbox.logged("form:status").len(), 1);
}

#[test]
fn a_form_that_is_refused_leaves_nothing() {
    let sandbox = common::start();
    sandbox.settings(&json!({ "form": { "maxBytes": 10 } }));
    let refused = send(&sandbox, "POST", "/api/form/upload", &[], &bytes(11, 1));
    assert_eq!((refused.status, &refused.json()["detail"]), (413, &json!("Payload Too Large")));
}

#[test]
fn the_store_takes_what_a_policy_allows() {
    let sandbox = common::start();
    let file = bytes(1_000_000, 2);
    let (url, fields) = policy(&sandbox, file.len());
    let answer = send(&sandbox, "POST", &url, &borrowed(&fields), &file);
    assert_eq!(answer.status, 201, "{}", answer.text());
    let key = element(&answer.text(), "Key");
    assert!(key.starts_with("forms/") && key.ends_with("/a b.mp4"), "{key}");
    sandbox.assert_stored("s3", &key, &file);
    sandbox.assert_stored("form", &key, &file);
    assert!(answer.header("access-control-expose-headers").unwrap().contains("ETag"));
    assert_eq!(sandbox.logged("store:PostObject").len(), 1);
}

#[test]
fn the_store_refuses_what_a_policy_does_not_allow() {
    let sandbox = common::start();
    let file = bytes(1_000, 3);
    let (url, mut fields) = policy(&sandbox, file.len() - 1);
    let larger = send(&sandbox, "POST", &url, &borrowed(&fields), &file);
    assert_eq!((larger.status, element(&larger.text(), "Code").as_str()), (400, "EntityTooLarge"));
    fields.push(("acl".into(), "public-read".into()));
    let extra = send(&sandbox, "POST", &url, &borrowed(&fields), &file[..10]);
    assert_eq!((extra.status, element(&extra.text(), "Code").as_str()), (403, "AccessDenied"));
    assert_eq!(send(&sandbox, "POST", &url, &[], &file).status, 403);
}

#[test]
fn faults_hit_forms() {
    let sandbox = common::start();
    sandbox.fault("store:PostObject", json!({ "kind": "status", "status": 503, "body": "busy" }));
    let (url, fields) = policy(&sandbox, 10);
    assert_eq!(send(&sandbox, "POST", &url, &borrowed(&fields), &bytes(10, 4)).status, 503);
    sandbox.clear_faults();
    assert_eq!(send(&sandbox, "POST", &url, &borrowed(&fields), &bytes(10, 4)).status, 201);
}
