//! Servers that refuse: a refusal destroys nothing that is stored or saved.

use partway::error::Code;
use partway_simulation::uploader::Beginning;
use partway_simulation::{Fault, File, Handle, World};
use serde_json::{Value, json};

use super::{begin, plan, refusal, resume, run_until, s3};
use crate::dialects::MIB;

/// Uploads 60 MiB until some parts are stored, and crashes.
fn half_sent(world: &World, provider: Value) -> (Handle, u64, File) {
    let (_page, upload, session, file) = begin(world, provider, 60 * MIB);
    run_until(world, "three saved parts", || world.kept(session).is_some_and(|kept| kept.parts.len() >= 3));
    world.crash(true);
    world.run_for(1_000);
    (upload, session, file)
}

#[test]
fn keys_without_list_permission_resume_from_the_saved_parts() {
    let unknown = Fault::answer(501, "<Error><Code>NotImplemented</Code><Message>No</Message></Error>");
    for fault in [refusal(), unknown, Fault::answer(405, "")] {
        let world = World::new(1);
        let (upload, session, file) = half_sent(&world, s3());
        world.fault("store:ListParts", 0, None, fault.clone());
        let sent = world.effects("store:UploadPart");
        let again = resume(&world, &upload, session, &file);
        world.run();
        world.stored(&again);
        assert_eq!((world.effects("store:CreateMultipartUpload"), world.effects("store:AbortMultipartUpload")), (1, 0));
        assert!(world.effects("store:UploadPart") < sent + 8, "{fault:?}: what was kept is not sent again: {again:?}");
    }
}

#[test]
fn keys_without_list_permission_restart_where_the_upload_is_gone() {
    let world = World::new(1);
    let (upload, session, file) = half_sent(&world, s3());
    world.fault("store:ListParts", 0, None, refusal());
    let gone = Fault::answer(404, "<Error><Code>NoSuchUpload</Code><Message>Gone</Message></Error>");
    world.fault("store:UploadPart", 0, 1, gone);
    let again = resume(&world, &upload, session, &file);
    world.run();
    world.stored(&again);
    assert_eq!(world.effects("store:CreateMultipartUpload"), 2, "{again:?}");
}

#[test]
fn a_list_call_that_fails_does_not_end_the_upload() {
    for fault in [Fault::status(403), Fault::body("{\"parts\":[]}")] {
        let world = World::new(1);
        let (upload, session, file) = half_sent(&world, plan());
        world.fault("plan:list", 0, None, fault.clone());
        let sent = world.effects("store:UploadPart");
        let again = resume(&world, &upload, session, &file);
        world.run();
        world.stored(&again);
        assert_eq!((world.effects("plan:open"), world.effects("plan:abort")), (1, 0), "{fault:?}: {again:?}");
        assert!(world.effects("store:UploadPart") < sent + 12, "{fault:?}: {again:?}");
        assert!(world.log().warnings.iter().any(|text| text.contains("`list`")), "it says so");
    }
}

#[test]
fn a_refusal_never_aborts_stored_parts() {
    for (provider, route, fault, code) in [
        (s3(), "store:*", refusal(), Code::Forbidden),
        (plan(), "store:*", refusal(), Code::Forbidden),
        (plan(), "plan:*", Fault::status(403), Code::Application),
        (s3(), "credentials", Fault::status(403), Code::Application),
    ] {
        let world = World::new(1);
        let (upload, session, file) = half_sent(&world, provider.clone());
        let stored = world.effects("store:UploadPart");
        world.fault(route, 0, None, fault.clone());
        for _ in 0..4 {
            if world.kept(session).is_none() {
                break;
            }
            let refused = resume(&world, &upload, session, &file);
            world.run();
            assert_eq!(refused.code(), Some(code), "{route}: {refused:?}");
        }
        let open = world.servers().store.open_uploads().len();
        assert!(open >= 1, "{provider} {route}: what was stored is still there");
        assert!(!world.log().records.iter().any(|record| record.route == "plan:abort" && record.effects > 0));
        assert!(stored >= 3);
    }
}

#[test]
fn a_saved_session_outlives_a_refusal_of_everything() {
    for (provider, route, fault, code) in [
        (s3(), "store:*", refusal(), Code::Forbidden),
        (plan(), "plan:*", Fault::status(403), Code::Application),
        (s3(), "credentials", Fault::status(403), Code::Application),
    ] {
        let world = World::new(1);
        let (upload, session, file) = half_sent(&world, provider.clone());
        world.fault(route, 0, None, fault.clone());
        for _ in 0..3 {
            let refused = resume(&world, &upload, session, &file);
            world.run();
            assert_eq!(refused.code(), Some(code), "{route}: {refused:?}");
        }
        world.mend();
        let (sent, opened) = (
            world.effects("store:UploadPart"),
            world.effects("store:CreateMultipartUpload") + world.effects("plan:open"),
        );
        let again = resume(&world, &upload, session, &file);
        world.run();
        world.stored(&again);
        let after = world.effects("store:CreateMultipartUpload") + world.effects("plan:open");
        assert_eq!(after, opened, "{route}: {again:?}");
        assert!(world.effects("store:UploadPart") < sent + 12, "{route}: {again:?}");
    }
}

#[test]
fn a_session_that_is_refused_is_replaced_by_a_new_one() {
    for code in [401, 403] {
        let world = World::new(1);
        let (upload, session, file) = half_sent(&world, s3());
        let denied = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
        // The saved upload's key belongs to another user.
        world.fault("store:UploadPart", 0, 1, Fault::answer(code, denied));
        let kept = world.kept(session).expect("a session was kept");
        let one_by_one = world.uploader(json!({ "concurrency": 1 }));
        let again = one_by_one.begin(upload.provider().clone(), &file, Some(session), Beginning::Kept(kept));
        world.run();
        world.stored(&again);
        assert_eq!(world.effects("store:CreateMultipartUpload"), 2, "{again:?}");
    }
}

#[test]
fn a_session_is_kept_for_what_may_pass_or_be_mended_and_else_aborted() {
    for (fault, code, stays) in [
        (Fault::ResetInBody, Code::Network, true),
        (Fault::StallInBody, Code::Stalled, true),
        (Fault::status(500), Code::Server, true),
        (Fault::status(429).with("retry-after", "3600"), Code::RateLimited, true),
        (refusal(), Code::Forbidden, true),
        (Fault::HideEtag, Code::EtagNotExposed, true),
        (Fault::status(400), Code::BadRequest, false),
    ] {
        let world = World::new(1);
        world.fault("store:UploadPart", 1, None, fault);
        let uploader = world.uploader(json!({ "concurrency": 1 }));
        let (session, file) = (world.session(), world.file("clip.mp4", 40 * MIB));
        let upload = uploader.begin(s3(), &file, Some(session), Beginning::New);
        world.run();
        assert_eq!(upload.code(), Some(code), "{upload:?}");
        assert_eq!(world.kept(session).is_some(), stays, "{upload:?}");
        assert_eq!(world.count("store:AbortMultipartUpload"), usize::from(!stays), "{upload:?}");
        if stays {
            world.mend();
            let again = resume(&world, &upload, session, &file);
            world.run();
            world.stored(&again);
            assert_eq!(world.count("store:CreateMultipartUpload"), 1, "{again:?}");
        }
    }
}

#[test]
fn a_saved_session_that_is_refused_stays_once_it_made_progress() {
    for progressed in [0, 1] {
        let world = World::new(1);
        let (upload, session, file) = half_sent(&world, s3());
        world.fault("store:UploadPart", progressed, None, refusal());
        let kept = world.kept(session).expect("a session was kept");
        let one_by_one = world.uploader(json!({ "concurrency": 1 }));
        let again = one_by_one.begin(upload.provider().clone(), &file, Some(session), Beginning::Kept(kept));
        world.run();
        assert_eq!(again.code(), Some(Code::Forbidden), "{again:?}");
        // Without progress a new session shows whether the refusal is about the saved one alone.
        assert_eq!(world.count("store:CreateMultipartUpload"), if progressed == 0 { 2 } else { 1 }, "{again:?}");
        assert_eq!(world.kept(session).is_some(), progressed > 0, "{again:?}");
        assert!(!world.servers().store.open_uploads().is_empty(), "what was stored is still there");
    }
}

#[test]
fn a_plan_that_neither_list_nor_sign_knows_is_replaced_by_a_new_one() {
    let world = World::new(1);
    let (upload, session, file) = half_sent(&world, plan());
    world.fault("plan:list", 0, None, Fault::status(404));
    // Its URLs have to be signed anew.
    world.run_for(24 * super::HOUR);
    world.fault("plan:sign", 0, 8, Fault::status(404));
    let again = resume(&world, &upload, session, &file);
    world.run();
    world.stored(&again);
    assert_eq!((world.count("plan:open"), world.count("plan:abort")), (2, 0), "refused, and not aborted: {again:?}");
}

#[test]
fn a_saved_session_that_is_cancelled_before_it_goes_on_is_aborted() {
    let world = World::new(1);
    let (upload, session, file) = half_sent(&world, s3());
    resume(&world, &upload, session, &file).cancel();
    world.run();
    assert_eq!((world.effects("store:AbortMultipartUpload"), world.kept(session).is_some()), (1, false));
}

#[test]
fn an_upload_that_is_restarted_leaves_no_parts_behind() {
    let world = World::new(1);
    // The store denies an upload that it has.
    let denial = Fault::answer(404, "").with("content-type", "application/xml");
    world.fault("store:UploadPart", 2, 1, denial);
    let upload = world.upload(s3(), json!({}), &world.file("clip.mp4", 40 * MIB));
    world.run();
    world.stored(&upload);
    assert_eq!(world.count("store:CreateMultipartUpload"), 2, "{upload:?}");
    assert_eq!(world.servers().store.open_uploads(), [], "{upload:?}");
}
