//! Recorded answers of real stores in place of the model's answers (tests/stores).

use std::collections::BTreeMap;
use std::rc::Rc;

use partway::error::Code;
use partway_models::wire::Response;
use partway_simulation::uploader::Beginning;
use partway_simulation::{Fault, Handle, World};
use serde_json::{Value, json};

use crate::dialects::MIB;
use crate::s3::{uploads, with};

const STORES: [&str; 3] = [
    include_str!("../../../stores/garage.json"),
    include_str!("../../../stores/moto.json"),
    include_str!("../../../stores/s3rver.json"),
];

/// A recorded answer.
fn answer(recorded: &Value) -> Response {
    let status = recorded["status"].as_u64().expect("a status") as u16;
    let mut answer = Response::empty(status);
    for (name, value) in recorded["headers"].as_object().expect("headers") {
        answer.headers.insert(name, value.as_str().expect("a text"));
    }
    answer.body = recorded["body"].as_str().expect("a body").as_bytes().to_vec();
    answer
}

fn between<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text)
}

/// The values of the model's own answer, by the names in braces.
fn values(truth: &Response) -> BTreeMap<&'static str, String> {
    let body = truth.text();
    let child = |name: &str| between(&body, name).unwrap_or_default().replace("&quot;", "\"");
    let etag = truth.header("etag").map_or_else(|| child("ETag"), Into::into);
    BTreeMap::from([
        ("{uploadId}", child("UploadId")),
        ("{escapedEtag}", etag.replace('"', "&quot;")),
        ("{etag}", etag),
        ("{lastModified}", truth.header("last-modified").unwrap_or("Thu, 01 Jan 2026 00:00:00 GMT").into()),
        ("{location}", child("Location")),
        ("{bucket}", child("Bucket")),
        ("{key}", child("Key")),
    ])
}

fn rows(truth: &str, row: &str) -> (String, String) {
    let (mut rows, mut next) = (String::new(), String::from("0"));
    for part in truth.split("<Part>").skip(1) {
        let child = |name| between(part, name).expect("a part's member");
        next = child("PartNumber").into();
        let etag = child("ETag").replace("&quot;", "\"");
        let row = row.replace("{number}", &next).replace("{size}", child("Size"));
        rows += &row.replace("{escapedEtag}", &etag.replace('"', "&quot;")).replace("{etag}", &etag);
    }
    (rows, next)
}

/// The recorded answer with the values of the model's own.
fn render(recorded: &Value, truth: &Response) -> Response {
    let mut rendered = answer(recorded);
    let mut fill: Vec<(&str, String)> = values(truth).into_iter().collect();
    if let Some(row) = recorded["row"].as_str() {
        let (rows, next) = rows(&truth.text(), row);
        fill.extend([("{rows}", rows), ("{next}", next)]);
    }
    let filled = |text: &str| fill.iter().fold(text.to_string(), |text, (name, value)| text.replace(name, value));
    rendered.body = filled(&rendered.text()).into_bytes();
    let headers: Vec<(String, String)> = rendered.headers.iter().map(|(n, v)| (n.into(), filled(v))).collect();
    for (name, value) in headers {
        rendered.headers.insert(&name, &value);
    }
    // The object's size is the model's.
    if let Some(length) = truth.header("content-length") {
        rendered.headers.insert("content-length", length);
    }
    rendered
}

/// From now on the world's store answers as recorded; a refused request has no effect.
fn speaks_as(world: &World, store: &Value) {
    for (route, refusal) in store["refused"].as_object().expect("refusals") {
        world.fault(&format!("store:{route}"), 0, None, Fault::Answer { response: answer(refusal), readable: true });
    }
    for (route, recorded) in store["answers"].as_object().expect("answers") {
        let (recorded, errors) = (recorded.clone(), store["errors"].clone());
        let speak = move |response: &mut Response| {
            let code = match response.status {
                200..300 => None,
                // A HEAD's refusal has no body.
                404 if response.body.is_empty() => Some("NoSuchKey".into()),
                _ => Some(between(&response.text(), "Code").unwrap_or_default().to_string()),
            };
            let own = match &code {
                None => &recorded,
                Some(code) => &errors[code.as_str()],
            };
            if !own.is_null() {
                *response = render(own, response);
            }
        };
        world.fault(&format!("store:{route}"), 0, None, Fault::Edit(Rc::new(speak)));
    }
}

/// Runs a test for each store, with the store's name.
fn each(mut test: impl FnMut(&str, &Value, World)) {
    for store in STORES {
        let store: Value = serde_json::from_str(store).expect("JSON");
        let world = World::new(1);
        speaks_as(&world, &store);
        test(store["store"].as_str().expect("a name"), &store, world);
    }
}

#[test]
fn the_main_job_uses_one_attempt_a_part() {
    each(|name, store, _| {
        for provider in [with(json!({})), with(json!({ "ifNoneMatch": true })), json!({ "name": "plan" })] {
            for size in [MIB, 24 * MIB] {
                let world = World::new(1);
                speaks_as(&world, store);
                let upload = uploads(&world, provider.clone(), size);
                let result = world.stored(&upload);
                assert_eq!(result.attempts, result.parts, "{name} {size}: {upload:?}");
                let failed = world.sent("store:*").iter().filter(|record| record.status != Some(200)).count();
                // A key that must be new is requested, and isn't found.
                let looked = usize::from(provider["ifNoneMatch"] == true);
                assert_eq!((failed, world.count("store:HeadObject")), (looked, looked), "{name} {size}: {upload:?}");
                assert!(world.count("store:CompleteMultipartUpload") <= 1, "{name} {size}");
                assert!(result.outcome.etag.is_some() || provider["name"] == "plan", "{name}");
            }
        }
    });
}

/// Uploads until some parts are saved, and crashes.
fn half_sent(world: &World, provider: Value) -> Handle {
    let (session, file) = (world.session(), world.file("clip.mp4", 60 * MIB));
    let upload = world.uploader(json!({})).begin(provider.clone(), &file, Some(session), Beginning::New);
    while world.kept(session).is_none_or(|kept| kept.parts.len() < 3) {
        assert!(world.elapsed() < 3_600_000, "no part is kept: {upload:?}");
        world.run_for(1);
    }
    world.crash(true);
    world.run_for(1_000);
    let kept = world.kept(session).expect("a session was kept");
    world.uploader(json!({})).begin(provider, &file, Some(session), Beginning::Kept(kept))
}

#[test]
fn an_upload_is_resumed() {
    each(|name, _, world| {
        let again = half_sent(&world, with(json!({})));
        let before = world.effects("store:UploadPart");
        world.run();
        world.stored(&again);
        assert_eq!(world.count("store:CreateMultipartUpload"), 1, "{name}: {again:?}");
        assert!(world.effects("store:UploadPart") < before + 8, "{name}: what was kept is not sent again: {again:?}");
    });
}

#[test]
fn a_lost_complete_is_found() {
    each(|name, _, world| {
        world.fault("store:CompleteMultipartUpload", 0, 1, Fault::ResetAfter);
        let upload = uploads(&world, with(json!({})), 24 * MIB);
        world.stored(&upload);
        assert_eq!(world.count("store:CreateMultipartUpload"), 1, "{name}: {upload:?}");
    });
}

#[test]
fn a_cancelled_upload_ends_whatever_the_store_says() {
    each(|name, store, world| {
        let upload = world.upload(with(json!({})), json!({}), &world.file("clip.mp4", 60 * MIB));
        upload.when(|event| matches!(event, partway::model::events::Event::Part(_)), Handle::cancel);
        world.run();
        assert_eq!(upload.code(), Some(Code::Cancelled), "{name}: {upload:?}");
        let knows_abort = store["answers"]["AbortMultipartUpload"].is_object();
        assert_eq!(world.servers().store.open_uploads().is_empty(), knows_abort, "{name}");
        assert!(world.count("store:AbortMultipartUpload") <= 2, "{name}: {upload:?}");
    });
}

#[test]
fn a_key_that_exists_is_a_conflict() {
    each(|name, _, world| {
        for size in [MIB, 24 * MIB] {
            world.stored(&uploads(&world, with(json!({ "key": format!("{size}") })), size));
            world.run_for(60_000);
            let second = uploads(&world, with(json!({ "key": format!("{size}"), "ifNoneMatch": true })), size);
            assert_eq!(second.code(), Some(Code::Conflict), "{name}: {second:?}");
        }
    });
}

#[test]
fn each_recorded_error_is_what_it_says() {
    each(|name, store, _| {
        for (code, recorded) in store["errors"].as_object().expect("errors") {
            let expected = match code.as_str() {
                "NoSuchUpload" => Code::SessionExpired,
                "InvalidPart" => Code::IntegrityMismatch,
                "PreconditionFailed" => Code::Conflict,
                "NoSuchBucket" => Code::BadRequest,
                "Expired" => Code::UrlExpired,
                "Signature" => Code::Forbidden,
                // This answer is to HEAD requests only.
                "NoSuchKey" => continue,
                other => panic!("{name}: nobody says what {other} means"),
            };
            let world = World::new(1);
            world.hooks().absent.insert(partway::platform::Hook::SignParts);
            world.servers().backend.first_urls = usize::MAX;
            world.fault("store:UploadPart", 0, None, Fault::Answer { response: answer(recorded), readable: true });
            let upload = uploads(&world, json!({ "name": "plan" }), 12 * MIB);
            assert_eq!(upload.code(), Some(expected), "{name} {code}: {upload:?}");
        }
    });
}
