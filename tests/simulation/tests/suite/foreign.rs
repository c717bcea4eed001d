//! Answers of a server between the page and the destination: a proxy's sign-in page, a captive portal. None is taken for the
//! destination's, at any step of any provider.

use partway::error::Code;
use partway_simulation::{Fault, World};
use serde_json::json;

use crate::dialects::{MIB, each};
use crate::faults::{is_hook, routes};

/// What a portal answers: a redirect that a transport follows, its page with CORS headers or on the page's own origin, and without them.
fn portals() -> [(&'static str, Fault); 3] {
    [("a redirect", Fault::Redirect), ("a page", Fault::portal(true)), ("a page without CORS", Fault::portal(false))]
}

#[test]
fn a_portal_that_passes_costs_a_repetition() {
    each(|dialect| {
        for (what, portal) in portals() {
            for size in [MIB, dialect.large] {
                for route in routes(dialect, size).into_iter().filter(|route| !is_hook(route)) {
                    let world = World::new(4);
                    world.fault(route, 0, 1, portal.clone());
                    let upload = world.upload(dialect.provider(), json!({}), &world.file("clip.mp4", size));
                    world.run();
                    if dialect.is_form && route == dialect.part {
                        let error = upload.error();
                        assert_eq!(error.code, Code::OutcomeUnknown, "{what} at {route}: {upload:?}");
                        assert!(error.message.contains("Something other than the destination answered"), "{error}");
                        continue;
                    }
                    world.stored(&upload);
                    // Whether the file is there already is asked once: without an answer it is uploaded.
                    assert_eq!(world.count(route) >= 2, route != "ofauth:check", "{what} at {route}: {upload:?}");
                }
            }
        }
    });
}

#[test]
fn behind_a_portal_that_stays_nothing_is_done_and_the_error_says_what_answered() {
    each(|dialect| {
        for (what, portal) in portals().into_iter().take(2) {
            for size in [MIB, dialect.large] {
                for route in
                    routes(dialect, size).into_iter().filter(|route| !is_hook(route) && *route != "ofauth:check")
                {
                    let world = World::new(5);
                    world.fault(route, 0, None, portal.clone());
                    let options = json!({ "retry": { "attempts": 3 } });
                    let upload = world.upload(dialect.provider(), options, &world.file("clip.mp4", size));
                    world.run();
                    let error = upload.error();
                    let (code, retryable) = match route {
                        call if dialect.repeatable.contains(&call) => (Code::Network, true),
                        store if store.starts_with("store:") => (Code::Network, true),
                        // The status is polled until the time limit.
                        status if dialect.status == Some(status) => (Code::ProcessingTimeout, true),
                        // Whether it took effect is open.
                        _ => (Code::OutcomeUnknown, false),
                    };
                    assert_eq!((error.code, error.retryable), (code, retryable), "{what} at {route}: {upload:?}");
                    let said = error.message.contains("answered: status 200, an HTML page");
                    assert_eq!(said, code != Code::ProcessingTimeout, "{what} at {route}: {error}");
                }
            }
        }
    });
}

#[test]
fn a_head_request_that_a_portal_answers_proves_nothing() {
    for length in [70 * MIB + 17, 5_000] {
        let world = World::new(6);
        world.fault("store:CompleteMultipartUpload", 0, None, Fault::ResetAfter);
        let page = Fault::answer(200, "").with("content-type", "text/html").with("content-length", &length.to_string());
        world.fault("store:HeadObject", 0, None, page);
        let dialect = crate::dialects::DIALECTS.iter().find(|dialect| dialect.name == "s3").unwrap();
        let options = json!({ "retry": { "attempts": 2 } });
        let upload = world.upload(dialect.provider(), options, &world.file("clip.mp4", dialect.large));
        world.run();
        assert_eq!(upload.code(), Some(Code::OutcomeUnknown), "{length}: {upload:?}");
    }
}
