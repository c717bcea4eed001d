//! A refusal names the address that answered, whatever the destination, and nothing of it that may be a secret.

use partway::error::UploadError;
use partway_simulation::log::Record;
use partway_simulation::servers::{STORE, STORE_TWO};
use partway_simulation::{Fault, World};
use serde_json::json;

use crate::dialects::{Dialect, MIB, each, of};

/// The error of an upload, one of whose calls is refused with a status.
fn refused(dialect: &Dialect, route: &str, status: u16) -> (World, UploadError) {
    let world = World::new(1);
    world.fault(route, 0, None, Fault::status(status));
    let upload = world.upload(dialect.provider(), json!({}), &world.file("clip.mp4", dialect.large));
    world.run();
    let error = upload.error();
    (world, error)
}

/// That an error names the address of one of those requests, without its query, and the status.
#[track_caller]
fn names(world: &World, route: &str, error: &UploadError) {
    let said = |asked: &Record| {
        let (address, status) = (asked.url.split('?').next().unwrap_or_default(), asked.status.unwrap_or_default());
        error.message.contains(&format!(" {address} answered {status}."))
    };
    let asked = world.some_sent(route);
    assert!(asked.iter().any(said), "{error} should name {}", asked[0].url);
    let texts = [Some(&error.message), error.hint.as_ref()];
    let secret = |text: &String| {
        let queries = asked.iter().filter_map(|asked| asked.url.split_once('?')).map(|(_, query)| query);
        text.contains("X-Amz-Signature") || queries.into_iter().any(|query| text.contains(query))
    };
    assert!(!texts.into_iter().flatten().any(secret), "{error:?}");
}

#[test]
fn a_part_that_is_refused_names_its_address() {
    each(|dialect| {
        for status in [404, 405] {
            let (world, error) = refused(dialect, dialect.part, status);
            names(&world, dialect.part, &error);
        }
    });
}

#[test]
fn a_call_that_is_refused_names_its_address() {
    // The plan's calls are the application's own.
    of(
        |dialect| dialect.name != "plan" && (dialect.init.is_some() || dialect.status.is_some()),
        |dialect| {
            let route = dialect.init.or(dialect.status).unwrap();
            for status in [403, 405] {
                let (world, error) = refused(dialect, route, status);
                names(&world, route, &error);
            }
        },
    );
    of(
        |dialect| ["ofauth", "onlymonster", "s3"].contains(&dialect.name),
        |dialect| {
            let (world, error) = refused(dialect, dialect.init.unwrap(), 404);
            names(&world, dialect.init.unwrap(), &error);
        },
    );
}

#[test]
fn a_form_that_is_refused_names_its_address_without_the_query() {
    for policy in [false, true] {
        let world = World::new(1);
        world.fault("form:*", 0, None, Fault::status(404));
        world.fault("store:*", 0, None, Fault::status(404));
        let mut provider = json!({ "name": "form", "url": "/api/form/upload?token=secret#secret" });
        if policy {
            provider["url"] = json!(format!("{STORE}/media?token=secret"));
            provider["fields"] = json!({ "key": "k", "policy": "secret-policy", "x-amz-signature": "secret" });
        }
        let upload = world.upload(provider, json!({}), &world.file("clip.mp4", MIB));
        world.run();
        let (error, address) = (
            upload.error(),
            if policy { format!("{STORE}/media") } else { "https://app.example/api/form/upload".into() },
        );
        assert!(error.message.contains(&format!(" {address} answered 404.")), "{error}");
        assert!(!format!("{:?}", *error).contains("secret"), "{error:?}");
    }
}

#[test]
fn an_answer_that_makes_no_sense_names_its_address() {
    for (name, route) in [
        ("s3", "store:CreateMultipartUpload"),
        ("ofauth", "ofauth:init"),
        ("onlymonster", "onlymonster:start"),
        ("apifansly", "apifansly:upload"),
    ] {
        of(
            |dialect| dialect.name == name,
            |dialect| {
                let world = World::new(1);
                world.fault(route, 0, None, Fault::body("nothing"));
                let upload = world.upload(dialect.provider(), json!({}), &world.file("clip.mp4", dialect.large));
                world.run();
                names(&world, route, &upload.error());
            },
        );
    }
}

#[test]
fn an_answer_of_something_between_names_the_address_that_was_asked() {
    each(|dialect| {
        for fault in [Fault::portal(true), Fault::Redirect] {
            let world = World::new(1);
            world.fault(dialect.single, 0, None, fault);
            let options = json!({ "retry": { "attempts": 1 } });
            let upload = world.upload(dialect.provider(), options, &world.file("clip.mp4", MIB));
            world.run();
            let (error, asked) = (upload.error(), world.some_sent(dialect.single));
            let address = asked[0].url.split('?').next().unwrap_or_default();
            assert!(error.message.contains(&format!(" The request went to {address}.")), "{error}");
            assert!(!error.message.contains("X-Amz"), "{error}");
        }
    });
}

#[test]
fn the_host_that_refused_a_late_copy_of_a_part_is_the_one_that_is_blamed() {
    let world = World::new(1);
    world.line(|line| line.bytes_per_ms = 2_500);
    let hosts = [STORE, STORE_TWO];
    let two = |key: &str| {
        crate::s3::with(json!({ "partSize": 5 * MIB, "multipartThreshold": 5 * MIB, "key": key, "endpoints": hosts }))
    };
    // The others take 2.1 s, so that the last is late after 6.4. It is refused while its copy is under way, for 2.1 s, to the other host.
    let denied = "<Error><Code>AccessDenied</Code><Message>Not from here</Message></Error>";
    world.fault("store:UploadPart", 19, 1, Fault::answer(403, denied));
    world.fault("store:UploadPart", 19, 1, Fault::Latency(5_200));
    let upload = world.upload(two("a"), json!({ "integrity": "auto" }), &world.file("clip.mp4", 100 * MIB));
    world.run();
    world.stored(&upload);
    let parts = world.sent("store:UploadPart");
    let host = |at: usize| hosts.into_iter().find(|host| parts[at].url.starts_with(&format!("{host}/"))).unwrap();
    assert_eq!(parts[20].range, parts[19].range, "{upload:?}");
    let (refuses, works) = (host(19), host(20));
    assert_ne!(refuses, works);
    assert!(parts[20].sent_at < parts[19].ended_at.unwrap(), "the copy was under way");
    world.upload(two("b"), json!({ "integrity": "auto" }), &world.file("clip.mp4", 100 * MIB));
    world.run();
    let second = world.sent("store:UploadPart");
    assert!(
        second.len() >= parts.len() + 20 && second[parts.len()..].iter().all(|part| part.url.starts_with(works)),
        "{refuses} is left out"
    );
}
