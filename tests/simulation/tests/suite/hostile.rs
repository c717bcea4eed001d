//! Malformed replies to every call of every provider: a clear error and never a panic, and nothing sent that shouldn't be.

use partway::error::Code;
use partway_models::wire::Response;
use partway_simulation::{Fault, World};
use serde_json::{Value, json};

use crate::dialects::{Dialect, MIB, each};

/// Bodies that no server should send.
fn bodies() -> Vec<String> {
    let mut bodies: Vec<String> = [
        "",
        " ",
        "null",
        "true",
        "0",
        "-1",
        "1e999",
        "\"\"",
        "[]",
        "{}",
        "{",
        "]",
        "{\"a\":",
        "<html></html>",
        "\u{0}",
        "\u{feff}{}",
        "nan",
        "undefined",
        "{\"parts\":null}",
        "<?xml version=\"1.0\"?><Error/>",
        "<Error><Code></Code></Error>",
        "<a><a><a>",
        "<InitiateMultipartUploadResult></InitiateMultipartUploadResult>",
        "<!DOCTYPE x [<!ENTITY a \"b\">]><x>&a;</x>",
    ]
    .map(String::from)
    .to_vec();
    bodies.push("[".repeat(100_000));
    bodies.push("{\"a\":".repeat(50_000));
    bodies.push("<a>".repeat(50_000));
    bodies.push("x".repeat(1 << 20));
    bodies
}

/// Values of other types than expected.
fn values() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(1.5),
        json!(1e300),
        json!(u64::MAX),
        json!("\u{0}"),
        json!(""),
        json!("javascript:alert(1)"),
        json!("http://evil.example/"),
        json!("//evil.example/"),
        json!("https://evil.example:99999/"),
        json!([]),
        json!({}),
        json!([[[]]]),
        json!(vec![0; 1_000]),
    ]
}

/// The path of a value in a reply.
fn paths(value: &Value, here: &str, found: &mut Vec<String>) {
    found.push(here.to_string());
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                paths(member, &format!("{here}/{}", name.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        // The first and the last item represent all others.
        Value::Array(items) => {
            for index in [0, items.len().saturating_sub(1)] {
                if let Some(item) = items.get(index) {
                    paths(item, &format!("{here}/{index}"), found);
                }
            }
        }
        _ => {}
    }
}

/// After such a reply an upload must end, with a code other than `internal`, and the world's invariants must hold.
#[track_caller]
fn survives(dialect: &Dialect, size: u64, route: &str, fault: Fault, what: &str) {
    let world = World::new(1);
    world.fault(route, 0, None, fault);
    let mut provider = dialect.provider();
    provider["pollTimeoutMs"] = json!(20_000);
    let options = json!({ "retry": { "attempts": 2, "baseMs": 1, "capMs": 1 } });
    let upload = world.upload(provider, options, &world.file("clip.mp4", size));
    world.run();
    let servers = world.servers();
    assert!(servers.ofauth.vault_entries() <= 1 && servers.onlymonster.exports() <= 1, "{route} {what}");
    assert!(servers.apifansly.uploads_accepted() <= 1, "{route} {what}");
    assert!(servers.form.forms_taken() <= 1, "{route} {what}");
    drop(servers);
    let evil = world
        .log()
        .records
        .iter()
        .find(|record| {
            record.url.starts_with("http:")
                || record.url.starts_with("javascript:")
                || record.header("apikey").is_some()
        })
        .cloned();
    assert!(evil.is_none(), "{route} {what}: {evil:?}");
    if let Some(code) = upload.code() {
        assert!(code != Code::Internal && code != Code::Cancelled, "{route} {what}: {code:?}");
    }
}

/// The calls of an upload, each with the model's own reply where that is JSON.
fn replies(dialect: &Dialect, size: u64) -> Vec<(&'static str, Option<Value>)> {
    let seen: std::rc::Rc<std::cell::RefCell<Vec<(usize, Value)>>> = std::rc::Rc::default();
    let world = World::new(1);
    let upload = world.upload(dialect.provider(), json!({}), &world.file("clip.mp4", size));
    world.run();
    world.stored(&upload);
    let mut routes: Vec<&'static str> = world.log().records.iter().map(|record| record.route).collect();
    routes.sort_unstable();
    routes.dedup();
    routes
        .into_iter()
        .map(|route| {
            let world = World::new(1);
            let spy = seen.clone();
            spy.borrow_mut().clear();
            let look = move |response: &mut Response| spy.borrow_mut().push((0, response.json_body()));
            world.fault(route, 0, None, Fault::Edit(std::rc::Rc::new(look)));
            let upload = world.upload(dialect.provider(), json!({}), &world.file("clip.mp4", size));
            world.run();
            world.stored(&upload);
            let last = seen.borrow().last().map(|(_, value)| value.clone()).filter(|value| !value.is_null());
            (route, last)
        })
        .collect()
}

#[test]
fn bodies_that_make_no_sense() {
    each(|dialect| {
        for size in [MIB, 24 * MIB] {
            for (route, _) in replies(dialect, size) {
                for body in bodies() {
                    survives(dialect, size, route, Fault::body(&body), &body.chars().take(60).collect::<String>());
                }
            }
        }
    });
}

#[test]
fn each_member_of_each_reply_with_something_else_in_it() {
    each(|dialect| {
        for size in [MIB, 24 * MIB] {
            for (route, reply) in replies(dialect, size) {
                let Some(reply) = reply else { continue };
                let mut places = Vec::new();
                paths(&reply, "", &mut places);
                for place in places {
                    for value in values() {
                        let what = format!("{place} = {value:.60}");
                        let at = place.clone();
                        let change = move |reply: &mut Value| {
                            if let Some(member) = reply.pointer_mut(&at) {
                                *member = value.clone();
                            }
                        };
                        survives(dialect, size, route, Fault::json(change), &what);
                    }
                }
            }
        }
    });
}

#[test]
fn statuses_that_make_no_sense() {
    each(|dialect| {
        for size in [MIB, 24 * MIB] {
            for (route, _) in replies(dialect, size) {
                for status in [
                    100, 199, 204, 206, 299, 300, 301, 302, 304, 307, 402, 404, 405, 406, 410, 418, 422, 451, 505, 599,
                    600, 999,
                ] {
                    survives(dialect, size, route, Fault::status(status), &status.to_string());
                }
            }
        }
    });
}

#[test]
fn headers_that_make_no_sense() {
    let values = ["", "-1", "0", "1e9", "99999999999999999999", "soon", "Thu, 99 Foo 2026", "NaN", "\u{fffd}", "1,2"];
    each(|dialect| {
        for (route, _) in replies(dialect, 24 * MIB) {
            for name in
                ["retry-after", "x-ratelimit-reset", "x-ratelimit-remaining", "x-ratelimit-retry-after", "etag", "date"]
            {
                for value in values {
                    let true_answer = move |response: &mut Response| response.headers.insert(name, value);
                    let faults = [
                        Fault::Edit(std::rc::Rc::new(true_answer)),
                        Fault::status(429).with(name, value),
                        Fault::status(503).with(name, value),
                    ];
                    for fault in faults {
                        let what = format!("{name}: {value} {fault:?}");
                        survives(dialect, 24 * MIB, route, fault, &what);
                    }
                }
            }
        }
    });
}

#[test]
fn an_address_that_is_relative_is_no_presigned_one() {
    for address in ["", "/", "x", "?a=b", "/api/ofauth/v2/access/uploads/init"] {
        for size in [MIB, 24 * MIB] {
            let world = World::new(1);
            let change = move |reply: &mut Value| match reply["parts"].as_array_mut() {
                Some(parts) => parts[0]["put_url"] = json!(address),
                None => reply["put_url"] = json!(address),
            };
            world.fault("onlymonster:start", 0, None, Fault::json(change));
            let upload = world.upload(crate::onlymonster::provider(), json!({}), &world.file("clip.mp4", size));
            world.run();
            assert_eq!(upload.code(), Some(Code::PlanMismatch), "{address:?}: {upload:?}");
            assert_eq!(world.log().records.len(), 1);
        }
    }
}

#[test]
fn a_billion_parts_are_no_plan() {
    for (total, size) in [("1000000000", "1"), ("18446744073709551615", "1"), ("1", "0"), ("0", "5242880"), ("-1", "x")]
    {
        let world = World::new(1);
        let change = move |response: &mut Response| {
            let id = response.json_body()["mediaUploadId"].clone();
            response.body = json!({ "mediaUploadId": id }).to_string().into_bytes();
            response.headers.insert("x-ofauth-upload-total-parts", total);
            response.headers.insert("x-ofauth-upload-part-size", size);
        };
        world.fault("ofauth:init", 0, None, Fault::Edit(std::rc::Rc::new(change)));
        let provider = json!({ "name": "ofauth", "baseUrl": "/api/ofauth" });
        let upload = world.upload(provider, json!({}), &world.file("clip.mp4", 5_000 * MIB));
        world.run();
        assert_eq!(upload.code(), Some(Code::PlanMismatch), "{total} of {size}: {upload:?}");
        assert_eq!(world.count("ofauth:part") + world.count("ofauth:single"), 0);
    }
    let world = World::new(1);
    let many = |reply: &mut Value| {
        let part = reply["parts"][0].clone();
        reply["parts"] = Value::Array(vec![part; 200_000]);
    };
    world.fault("onlymonster:start", 0, None, Fault::json(many));
    let provider = crate::onlymonster::provider();
    let upload = world.upload(provider, json!({}), &world.file("clip.mp4", 5_000 * MIB));
    world.run();
    assert_eq!(upload.code(), Some(Code::PlanMismatch), "{:?}", upload.code());
    assert_eq!(world.count("store:*"), 0);
}
