//! S3: errors that come with 200, lost completes, expired URLs, and what is left behind.

use partway::error::Code;
use partway_models::wire::Response;
use partway_simulation::{Fault, World};
use serde_json::json;

use crate::dialects::MIB;
use crate::s3::{uploads, with};

fn error_body(code: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>Said so</Message></Error>")
}

/// An answer in place of the model's own, readable by the page.
fn says(status: u16, code: &str) -> Fault {
    Fault::answer(status, &error_body(code)).with("content-type", "application/xml")
}

#[test]
fn a_complete_that_fails_with_200_is_no_success() {
    for white_space in ["", "   \n\n\n      "] {
        let world = World::new(1);
        world.fault(
            "store:CompleteMultipartUpload",
            0,
            1,
            Fault::answer(200, &format!("{white_space}{}", error_body("InternalError"))),
        );
        let upload = uploads(&world, with(json!({})), 24 * MIB);
        world.stored(&upload);
        assert_eq!(world.count("store:CompleteMultipartUpload"), 2, "{upload:?}");
    }
    let world = World::new(1);
    world.fault("store:CompleteMultipartUpload", 0, None, Fault::answer(200, &error_body("InternalError")));
    let upload = uploads(&world, with(json!({})), 24 * MIB);
    assert_eq!(upload.code(), Some(Code::Server), "{upload:?}");
    assert!(world.servers().store.keys("media").is_empty());
}

#[test]
fn a_200_that_is_no_answer_at_all_is_no_success_either() {
    for (body, code) in [
        ("", Code::Server),
        ("OK", Code::Server),
        ("<html></html>", Code::Network),
        ("<CompleteMultipartUploadResult", Code::Server),
        ("{}", Code::Server),
    ] {
        let world = World::new(1);
        let empty = Fault::answer(200, body);
        world.fault("store:CompleteMultipartUpload", 0, None, empty);
        let upload = uploads(&world, with(json!({})), 24 * MIB);
        assert_eq!(upload.code(), Some(code), "{body:?}: {upload:?}");
    }
}

#[test]
fn a_lost_complete_that_took_effect_is_found_by_a_head_request() {
    for (lost, completes) in [(Fault::ResetAfter, 1), (Fault::StallAnswer, 1)] {
        let world = World::new(1);
        world.fault("store:CompleteMultipartUpload", 0, 1, lost);
        let upload = uploads(&world, with(json!({})), 24 * MIB);
        world.stored(&upload);
        assert_eq!(world.count("store:CompleteMultipartUpload"), completes, "{upload:?}");
        assert!(world.count("store:HeadObject") >= 1, "NoSuchUpload isn't believed before a look: {upload:?}");
        assert_eq!(world.count("store:CreateMultipartUpload"), 1, "nothing is sent twice");
    }
}

#[test]
fn another_object_under_the_key_does_not_count_as_this_one() {
    let world = World::new(1);
    let other = uploads(&world, with(json!({})), 25 * MIB);
    world.stored(&other);
    // The upload vanishes before complete, and the key holds another file.
    world.fault("store:CompleteMultipartUpload", 0, None, says(404, "NoSuchUpload"));
    let upload = uploads(&world, with(json!({})), 24 * MIB);
    let error = upload.error();
    assert_eq!(error.code, Code::SessionExpired, "{upload:?}");
    partway_simulation::check::proves(other.file(), &world.pieces(&other.done()));
}

#[test]
fn a_lost_conditional_put_finds_its_own_object() {
    for size in [MIB, 24 * MIB] {
        let world = World::new(1);
        world.fault("store:PutObject", 0, 1, Fault::ResetAfter);
        world.fault("store:CompleteMultipartUpload", 0, 1, Fault::ResetAfter);
        let upload = uploads(&world, with(json!({ "ifNoneMatch": true })), size);
        world.stored(&upload);
    }
}

#[test]
fn a_conflict_of_two_writers_is_tried_again() {
    for (size, puts, creates) in [(MIB, 3, 0), (24 * MIB, 0, 2)] {
        let world = World::new(1);
        world.servers().store.config.conflicts = if creates > 0 { 1 } else { 2 };
        let upload = uploads(&world, with(json!({ "ifNoneMatch": true })), size);
        world.stored(&upload);
        assert_eq!(world.count("store:PutObject"), puts, "the PUT is made again: {upload:?}");
        assert_eq!(world.count("store:CreateMultipartUpload"), creates, "a new upload: {upload:?}");
        assert_eq!(world.servers().store.open_uploads(), []);
    }
}

#[test]
fn a_presigned_put_that_meets_another_writer_is_made_again() {
    let world = World::new(1);
    world.fault("store:PutObject", 0, 2, says(409, "ConditionalRequestConflict"));
    let upload = uploads(&world, json!({ "name": "plan" }), MIB);
    world.stored(&upload);
    assert_eq!((world.count("store:PutObject"), world.count("plan:open")), (3, 1), "{upload:?}");
}

#[test]
fn a_conflict_of_two_writers_that_does_not_end_is_named() {
    for (size, creates) in [(MIB, 0), (24 * MIB, 2)] {
        let world = World::new(1);
        world.servers().store.config.conflicts = 100;
        let upload = uploads(&world, with(json!({ "ifNoneMatch": true })), size);
        let error = upload.error();
        assert_eq!(world.count("store:CreateMultipartUpload"), creates, "once, not for ever");
        assert_eq!((error.code, error.status), (Code::Conflict, Some(409)), "{upload:?}");
        assert_eq!(world.servers().store.open_uploads(), []);
    }
}

#[test]
fn an_upload_that_the_store_lost_restarts_once() {
    let world = World::new(1);
    world.fault("store:UploadPart", 2, 1, says(404, "NoSuchUpload"));
    let upload = uploads(&world, with(json!({})), 40 * MIB);
    world.stored(&upload);
    assert_eq!(world.count("store:CreateMultipartUpload"), 2);
    assert!(!world.log().warnings.is_empty());

    let world = World::new(1);
    world.fault("store:UploadPart", 0, None, says(404, "NoSuchUpload"));
    let upload = uploads(&world, with(json!({})), 40 * MIB);
    assert_eq!(upload.code(), Some(Code::SessionExpired));
    assert_eq!(world.count("store:CreateMultipartUpload"), 2, "once, not for ever");
}

#[test]
fn an_error_leaves_no_orphaned_parts() {
    for (route, skip, fault, code) in [
        ("store:UploadPart", 1, says(403, "AccessDenied"), Code::Forbidden),
        ("store:UploadPart", 1, says(400, "EntityTooLarge"), Code::TooLarge),
        ("store:CompleteMultipartUpload", 0, says(400, "EntityTooSmall"), Code::PlanMismatch),
        ("store:CompleteMultipartUpload", 0, says(403, "SignatureDoesNotMatch"), Code::Forbidden),
    ] {
        let world = World::new(1);
        world.fault(route, skip, None, fault.clone());
        let upload = uploads(&world, with(json!({})), 40 * MIB);
        assert_eq!(upload.code(), Some(code), "{fault:?}: {upload:?}");
        assert_eq!(world.servers().store.open_uploads(), [], "{fault:?}: {upload:?}");
        assert!(world.count("store:AbortMultipartUpload") >= 1);
    }
}

#[test]
fn each_code_of_the_store_means_what_it_says() {
    for (status, code, expected, sent) in [
        (403, "SignatureDoesNotMatch", Code::Forbidden, 1),
        (403, "AccessDenied", Code::Forbidden, 1),
        (403, "InvalidAccessKeyId", Code::Forbidden, 1),
        (404, "NoSuchBucket", Code::BadRequest, 1),
        (400, "EntityTooLarge", Code::TooLarge, 1),
        (301, "PermanentRedirect", Code::BadRequest, 1),
        (501, "NotImplemented", Code::BadRequest, 1),
        (400, "RequestTimeout", Code::Network, 8),
        (503, "SlowDown", Code::RateLimited, 8),
        (500, "InternalError", Code::Server, 8),
        (400, "BadDigest", Code::IntegrityMismatch, 8),
    ] {
        let world = World::new(1);
        world.fault("store:PutObject", 0, None, says(status, code));
        let upload = uploads(&world, with(json!({})), MIB);
        let error = upload.error();
        assert_eq!((error.code, error.status), (expected, Some(status)), "{code}: {upload:?}");
        assert_eq!(error.vendor.as_ref().unwrap().code.as_deref(), Some(code));
        assert_eq!(world.count("store:PutObject"), sent, "{code}");
        let told = format!("{:?}", *error);
        assert!(!told.contains("X-Amz-") && !told.contains("ASIA"), "no signature in an error: {told}");
    }
}

#[test]
fn a_refusal_hidden_by_cors_looks_like_a_lost_connection_and_is_retried() {
    let world = World::new(1);
    world.fault("store:UploadPart", 0, 3, Fault::expired());
    let upload = uploads(&world, with(json!({})), 24 * MIB);
    world.stored(&upload);
    let urls: std::collections::BTreeSet<String> =
        world.sent("store:UploadPart").iter().filter(|r| r.range.unwrap().start == 0).map(|r| r.url.clone()).collect();
    assert!(urls.len() > 1, "signed again each time: {urls:?}");
}

#[test]
fn a_bucket_without_a_cors_rule_is_named_in_the_hint() {
    let world = World::new(1);
    world.servers().bucket_cors.allows = Some(Vec::new());
    world.servers().bucket_cors.exposes = Some(Vec::new());
    let upload = uploads(&world, with(json!({ "headers": { "x-amz-meta-a": "b" } })), 24 * MIB);
    let error = upload.error();
    assert_eq!(error.code, Code::Network, "{upload:?}");
    let hint = error.hint.clone().unwrap();
    assert!(hint.contains("AllowedOrigins") && hint.contains("https://app.example"), "{hint}");
}

#[test]
fn parts_that_land_after_an_abort_are_aborted_again() {
    let world = World::new(1);
    let upload = world.upload(with(json!({})), json!({}), &world.file("clip.mp4", 60 * MIB));
    upload.when(|event| matches!(event, partway::model::events::Event::Part(_)), partway_simulation::Handle::cancel);
    // ListParts still shows a part in flight once.
    let straggler = |response: &mut Response| {
        response.status = 200;
        response.body = b"<ListPartsResult><Part><PartNumber>1</PartNumber></Part></ListPartsResult>".to_vec();
    };
    world.fault("store:ListParts", 0, 1, Fault::Edit(std::rc::Rc::new(straggler)));
    world.run();
    assert_eq!(upload.code(), Some(Code::Cancelled));
    assert_eq!(world.count("store:AbortMultipartUpload"), 2, "{upload:?}");
    assert_eq!(world.servers().store.open_uploads(), []);
}

const HTML: &str = "<!DOCTYPE html><html><head><title>Sign in</title></head><body><p>Sign in<br>here</body></html>";
const XHTML: &str = "<html><head><title>Sign in</title></head><body><ETag>x</ETag></body></html>";

/// The model's own answer with another root element.
fn rooted(from: &'static str, to: &'static str) -> Fault {
    Fault::Edit(std::rc::Rc::new(move |response| response.body = response.text().replace(from, to).into_bytes()))
}

#[test]
fn roots_of_another_name_are_answers_all_the_same() {
    let world = World::new(1);
    world.fault("store:CreateMultipartUpload", 0, None, rooted("InitiateMultipartUploadResult", "CreateAnswer"));
    world.fault(
        "store:CompleteMultipartUpload",
        0,
        None,
        rooted("CompleteMultipartUploadResult", "CompleteMultipartUploadResponse"),
    );
    let upload = uploads(&world, with(json!({})), 24 * MIB);
    world.stored(&upload);
    assert_eq!((world.count("store:CompleteMultipartUpload"), world.count("store:HeadObject")), (1, 0), "{upload:?}");
    assert_eq!(world.count("store:CreateMultipartUpload"), 1);
}

#[test]
fn an_unusable_answer_to_complete_is_followed_by_a_head_request() {
    for body in [HTML, XHTML, "", "{}", "<CompleteMultipartUploadResult/>", "<A><ETag></ETag></A>", "<A><ETag>x"] {
        let world = World::new(1);
        world.fault("store:CompleteMultipartUpload", 0, None, Fault::body(body));
        let upload = uploads(&world, with(json!({})), 24 * MIB);
        let done = world.stored(&upload);
        assert_eq!((world.count("store:CompleteMultipartUpload"), world.count("store:HeadObject")), (1, 1), "{body}");
        assert!(done.outcome.etag.is_some_and(|etag| etag.ends_with("-3\"")), "the object's own");
    }
    // Complete did not take effect: a HEAD request shows that, and complete is called again.
    let world = World::new(1);
    world.fault("store:CompleteMultipartUpload", 0, 2, Fault::answer(200, HTML).with("content-type", "text/html"));
    let upload = uploads(&world, with(json!({})), 24 * MIB);
    world.stored(&upload);
    assert_eq!((world.count("store:CompleteMultipartUpload"), world.count("store:HeadObject")), (3, 2), "{upload:?}");
    // Credentials that may not read objects.
    let world = World::new(1);
    world.fault("store:CompleteMultipartUpload", 0, 1, Fault::body(HTML));
    world.fault("store:HeadObject", 0, None, Fault::answer(403, ""));
    let upload = uploads(&world, with(json!({})), 24 * MIB);
    assert_eq!(upload.code(), Some(Code::OutcomeUnknown), "{upload:?}");
}

#[test]
fn parts_that_cannot_be_given_up_do_not_prevent_a_new_upload() {
    let world = World::new(1);
    world.fault("store:UploadPart", 1, 1, Fault::ResetAfter);
    world.fault("store:UploadPart", 1, 1, says(404, "NoSuchUpload"));
    world.fault("store:AbortMultipartUpload", 0, None, Fault::status(500));
    let upload = world.upload(with(json!({})), json!({ "concurrency": 1 }), &world.file("clip.mp4", 24 * MIB));
    world.run();
    world.stored(&upload);
    assert_eq!(world.effects("store:CreateMultipartUpload"), 2, "{upload:?}");
    assert!(world.count("store:AbortMultipartUpload") > 0);
}

#[test]
fn a_web_page_is_no_upload_that_was_opened() {
    for body in [
        HTML,
        XHTML,
        "",
        "{}",
        "<InitiateMultipartUploadResult/>",
        "<A><UploadId/></A>",
        "<Error><UploadId>a</UploadId></Error>",
    ] {
        let world = World::new(1);
        world.fault("store:CreateMultipartUpload", 0, None, Fault::body(body));
        let upload = uploads(&world, with(json!({})), 24 * MIB);
        let error = upload.error();
        let page = body.contains("<html>");
        assert_eq!(error.code, if page { Code::Network } else { Code::Server }, "{body}: {error:?}");
        assert_eq!(world.count("store:UploadPart"), 0);
        if !page && !body.contains("Error") {
            assert!(error.message.contains("`UploadId`"), "{error:?}");
            assert!(error.hint.as_ref().is_some_and(|hint| hint.contains("`endpoint`")), "{error:?}");
        }
    }
}

#[test]
fn a_head_request_that_hangs_or_fails_is_repeated() {
    for fault in [Fault::StallInBody, Fault::StallAnswer, Fault::ResetBefore] {
        for (route, provider) in
            [("store:CompleteMultipartUpload", json!({})), ("store:PutObject", json!({ "ifNoneMatch": true }))]
        {
            let world = World::new(1);
            let size = if route == "store:PutObject" { MIB } else { 24 * MIB };
            world.fault(route, 0, 1, Fault::ResetAfter);
            // The HEAD before the first byte is another request.
            world.fault("store:HeadObject", u32::from(route == "store:PutObject"), 1, fault.clone());
            let upload = uploads(&world, with(provider), size);
            world.stored(&upload);
            assert!(world.elapsed() < 120_000, "{} ms for {fault:?}", world.elapsed());
        }
    }
}
