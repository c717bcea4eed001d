//! A page that came by plain http, as on an intranet: it may send to its own origin, and by http to no other.

use partway::error::Code;
use partway_simulation::World;
use partway_simulation::servers::STORE;
use serde_json::json;

use crate::dialects::{MIB, each};

#[test]
fn every_provider_uploads_from_a_page_by_plain_http() {
    each(|dialect| {
        for size in [MIB, dialect.large] {
            let world = World::new(1);
            world.by_plain_http();
            let upload = world.upload(dialect.provider(), json!({}), &world.file("clip.mp4", size));
            world.run();
            world.stored(&upload);
        }
    });
}

#[test]
fn only_its_own_origin_may_be_plain() {
    for (plain, base, taken) in [
        (true, "/api/ofauth", true),
        (true, "http://app.example/api/ofauth", true),
        (true, "https://app.example/api/ofauth", true),
        (true, "http://other.example/api/ofauth", false),
        (true, "http://app.example:8080/api/ofauth", false),
        (false, "http://app.example/api/ofauth", false),
        (false, "/api/ofauth", true),
    ] {
        let world = World::new(1);
        if plain {
            world.by_plain_http();
        }
        let provider = json!({ "name": "ofauth", "baseUrl": base });
        let upload = world.upload(provider, json!({ "retry": { "attempts": 1 } }), &world.file("clip.mp4", MIB));
        world.run();
        assert_eq!(upload.code() != Some(Code::InvalidOptions), taken, "{plain} {base}: {upload:?}");
    }
}

#[test]
fn no_store_is_sent_to_by_plain_http() {
    for (name, code) in [("plan", Code::PlanMismatch), ("s3", Code::InvalidOptions)] {
        let world = World::new(1);
        world.by_plain_http();
        let plain = STORE.replace("https:", "http:");
        world.servers().store.config.endpoint = plain.clone();
        let provider = match name {
            "plan" => json!({ "name": "plan" }),
            _ => crate::s3::with(json!({ "endpoint": plain })),
        };
        let upload = world.upload(provider, json!({}), &world.file("clip.mp4", MIB));
        world.run();
        assert_eq!(upload.code(), Some(code), "{upload:?}");
        assert_eq!(world.count("store:*"), 0);
    }
}
