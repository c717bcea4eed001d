//! ETags that look like MD5s but aren't (SSE-KMS, SSE-C), ETags that a proxy changed, and ETags of damaged bytes.

use std::cell::Cell;
use std::rc::Rc;

use partway::error::Code;
use partway::model::events::{Event, Status};
use partway_models::store;
use partway_simulation::uploader::Beginning;
use partway_simulation::{Fault, Handle, World};
use serde_json::{Value, json};

use crate::dialects::{Dialect, MIB, of};

/// A file of three parts by `s3`'s usual size.
const THREE: u64 = 17 * MIB;

fn s3(key: &str) -> Value {
    crate::s3::with(json!({ "key": key }))
}

impl Dialect {
    /// The smallest size that is sent in parts, since hashing takes time.
    fn parts(&self) -> u64 {
        if self.name == "onlymonster" { 17 * MIB } else { 16 * MIB }
    }
}

fn begins(world: &World, provider: Value, options: Value, size: u64) -> Handle {
    world.upload(provider, options, &world.real_file("clip.mp4", size as usize))
}

fn uploads(world: &World, provider: Value, options: Value, size: u64) -> Handle {
    let upload = begins(world, provider, options, size);
    world.run();
    upload
}

fn auto() -> Value {
    json!({ "integrity": "auto" })
}

fn require() -> Value {
    json!({ "integrity": "require" })
}

/// A world whose stores are set up.
fn with_stores(change: impl Fn(&mut store::Config)) -> World {
    let world = World::new(1);
    change(&mut world.servers().store.config);
    change(&mut world.servers().vault.config);
    world
}

const ENCRYPTION: &str = "x-amz-server-side-encryption";

/// The bucket encrypts with KMS, and its CORS rule keeps that from the page.
fn encrypted() -> World {
    let world = with_stores(|config| config.encryption = Some("aws:kms".into()));
    world.servers().bucket_cors.exposes.as_mut().unwrap().retain(|name| name != ENCRYPTION);
    world
}

fn expose(world: &World) {
    world.servers().bucket_cors.exposes.as_mut().unwrap().push(ENCRYPTION.to_string());
}

fn warned(world: &World) -> usize {
    world.log().warnings.iter().filter(|warning| warning.contains("SSE-KMS")).count()
}

/// The number of PUTs beyond one for each part, over all uploads.
fn repetitions(world: &World, uploads: &[Handle]) -> i64 {
    let parts: u32 = uploads.iter().map(|upload| world.stored(upload).parts).sum();
    (world.count("store:UploadPart") + world.count("store:PutObject")) as i64 - i64::from(parts)
}

#[test]
fn a_bucket_with_kms_costs_one_repetition_in_a_page() {
    for name in ["s3", "plan", "onlymonster"] {
        of(
            |dialect| dialect.name == name,
            |dialect| {
                let world = encrypted();
                let first = uploads(&world, dialect.provider_for("a"), auto(), dialect.parts());
                assert!(!world.stored(&first).verified, "{first:?}");
                assert_eq!(repetitions(&world, std::slice::from_ref(&first)), 1, "{first:?}");
                // Another file, another uploader: the verdict is the store's.
                let second = uploads(&world, dialect.provider_for("b"), auto(), dialect.parts());
                let single = uploads(&world, dialect.provider_for("c"), auto(), MIB);
                assert_eq!(repetitions(&world, &[first, second, single]), 1);
                assert_eq!(warned(&world), 1, "once for a store: {:?}", world.log().warnings);
            },
        );
    }
}

#[test]
fn a_proxy_whose_etags_say_nothing_costs_one_repetition_in_a_page() {
    let world = World::new(1);
    let count = Cell::new(0_u32);
    let another = Fault::json(move |reply| {
        count.set(count.get() + 1);
        reply["etag"] = json!(format!("\"{:032x}\"", count.get()));
    });
    world.fault("ofauth:part", 0, None, another);
    let provider = || json!({ "name": "ofauth", "baseUrl": "/api/ofauth" });
    let all = [(); 2].map(|()| uploads(&world, provider(), auto(), 42 * MIB));
    let parts: u32 = all.iter().map(|upload| upload.done().parts).sum();
    assert_eq!(world.count("ofauth:part") as u32, parts + 1, "{all:?}");
}

#[test]
fn uploads_side_by_side_find_it_out_together() {
    for concurrency in [1, 2, 6] {
        let world = encrypted();
        let options = json!({ "integrity": "auto", "concurrency": concurrency });
        let uploader = world.uploader(options.clone());
        let mut all: Vec<Handle> = (0..3)
            .map(|number| uploader.upload(s3(&format!("{number}")), &world.real_file("clip.mp4", THREE as usize)))
            .collect();
        all.push(begins(&world, s3("other"), options, MIB));
        world.run();
        assert_eq!(repetitions(&world, &all), 1, "{concurrency}: {all:?}");
        assert_eq!(warned(&world), 1);
    }
}

/// The parts that wait for the repetition have all slots but its own.
#[test]
fn a_repetition_that_is_lost_keeps_its_slot() {
    for fault in [Fault::ResetBefore, Fault::ResetAfter, Fault::status(503)] {
        let world = encrypted();
        // With two slots the third request is the repetition.
        world.fault("store:UploadPart", 2, 1, fault.clone());
        let upload = uploads(&world, s3("a"), json!({ "integrity": "auto", "concurrency": 2 }), 33 * MIB);
        assert!(!world.stored(&upload).verified);
        assert_eq!(repetitions(&world, &[upload]), 2, "{fault:?}");
    }
}

#[test]
fn a_bucket_that_says_so_costs_nothing() {
    for (algorithm, verified, warnings) in [("aws:kms", false, 1), ("aws:kms:dsse", false, 1), ("AES256", true, 0)] {
        for size in [MIB, THREE] {
            let world = with_stores(|config| config.encryption = Some(algorithm.into()));
            expose(&world);
            let upload = uploads(&world, s3("a"), auto(), size);
            assert_eq!(world.stored(&upload).verified, verified, "{algorithm}");
            assert_eq!((repetitions(&world, &[upload]), warned(&world)), (0, warnings), "{algorithm}");
        }
    }
}

#[test]
fn what_require_cannot_have_ends_it_and_says_why() {
    for (exposed, most) in [(true, 1), (false, 2)] {
        let world = encrypted();
        if exposed {
            expose(&world);
        }
        let error = uploads(&world, s3("a"), require(), MIB).error();
        assert_eq!((error.code, error.retryable), (Code::IntegrityMismatch, false));
        assert!(error.message.contains("SSE-KMS") && error.message.contains("aren't MD5s"), "{error:?}");
        let hint = error.hint.clone().unwrap();
        assert!(hint.contains("\"auto\"") && hint.contains("x-amz-checksum-crc64nvme"), "{error:?}");
        let puts = world.count("store:PutObject");
        assert!(puts <= most, "{puts} of {most}, exposed {exposed}");
        // The page knows the store now: the next upload repeats nothing.
        assert_eq!(uploads(&world, s3("b"), require(), MIB).code(), Some(Code::IntegrityMismatch));
        assert_eq!(world.count("store:PutObject") - puts, 1);
    }
}

#[test]
fn what_require_may_have_at_the_end_ends_there_once_in_a_page() {
    for (exposed, most) in [(true, 3), (false, 4)] {
        let world = encrypted();
        if exposed {
            expose(&world);
        }
        // Completing may give a checksum, which this store doesn't.
        let error = uploads(&world, s3("a"), require(), THREE).error();
        assert_eq!((error.code, error.retryable), (Code::IntegrityMismatch, false));
        assert_eq!(error.step.map(|step| step.as_str()), Some("complete"));
        assert!(error.hint.as_ref().unwrap().contains("stands under its key"), "{error:?}");
        assert_eq!((world.servers().store.keys("media").len(), world.count("store:Abort*")), (1, 0));
        let puts = world.count("store:UploadPart");
        assert!(puts <= most, "{puts} of {most}, exposed {exposed}");
        let options = json!({ "integrity": "require", "concurrency": 1 });
        let error = uploads(&world, s3("b"), options, THREE).error();
        assert_eq!((error.code, error.step.map(|step| step.as_str())), (Code::IntegrityMismatch, Some("part")));
        assert_eq!(world.count("store:UploadPart") - puts, 1, "the page knows by now that no checksum comes");
    }
}

#[test]
fn the_same_wrong_etag_twice_is_damage() {
    for (told, size) in [(false, MIB), (false, THREE), (true, MIB), (true, THREE)] {
        let world = with_stores(|config| {
            config.wrong_etags = true;
            config.encryption = told.then(|| "AES256".into());
        });
        expose(&world);
        let options = json!({ "integrity": "auto", "retry": { "attempts": 3 } });
        let upload = uploads(&world, s3("a"), options, size);
        let error = upload.error();
        assert_eq!((error.code, error.step.map(|step| step.as_str())), (Code::IntegrityMismatch, Some("part")));
        assert!(!error.message.contains("KMS") && error.hint.as_ref().unwrap().contains("\"off\""), "{error:?}");
        let first = |part: u32| u64::from(part - 1) * 8 * MIB;
        let of_part =
            |start| world.sent("store:*").iter().filter(|put| put.range.is_some_and(|r| r.start == start)).count();
        let tries = of_part(first(error.part_number.unwrap()));
        assert!((3..=4).contains(&tries), "{tries}: {upload:?}");
        assert_eq!(warned(&world), 0);
        assert_eq!(world.servers().store.open_uploads(), [], "it is given up");
    }
}

#[test]
fn a_part_that_was_damaged_once_is_sent_again() {
    for skip in [0, 2] {
        let world = World::new(1);
        world.fault("store:UploadPart", skip, 1, Fault::Edit(Rc::new(|answer| answer.headers.insert("etag", OTHER))));
        let upload = uploads(&world, s3("a"), require(), THREE);
        assert!(world.stored(&upload).verified);
        assert_eq!(repetitions(&world, &[upload]), 1, "{skip}");
    }
}

const OTHER: &str = "\"ffffffffffffffffffffffffffffffff\"";

/// One part gets another ETag each time, in an upload whose other parts match: that isn't encryption.
#[test]
fn a_part_that_matched_proves_what_the_others_are() {
    let world = World::new(1);
    for (skip, etag) in [(3, "\"00000000000000000000000000000001\""), (0, "\"00000000000000000000000000000002\"")] {
        let edit = Fault::Edit(Rc::new(move |answer| answer.headers.insert("etag", etag)));
        world.fault("store:UploadPart", skip, 1, edit);
    }
    let options = json!({ "integrity": "auto", "concurrency": 1 });
    let upload = uploads(&world, s3("a"), options, 25 * MIB);
    assert!(world.stored(&upload).verified, "{upload:?}");
    assert_eq!((repetitions(&world, &[upload]), warned(&world)), (2, 0));
}

#[test]
fn an_etag_that_a_proxy_changed_is_read_for_what_it_carries() {
    let changes: [fn(&str) -> String; 6] = [
        |etag| format!("W/{etag}"),
        |etag| etag.replacen("\"", "", 1).replace('"', "-gzip\"").replacen("", "\"", 1),
        |etag| format!("\"{}--gzip\"", etag.trim_matches('"')),
        |etag| format!("W/\"{};gzip\"", etag.trim_matches('"')),
        |etag| format!("{etag}-br"),
        |etag| etag.trim_matches('"').to_string(),
    ];
    for change in changes {
        of(
            |dialect| ["s3", "plan", "onlymonster"].contains(&dialect.name),
            |dialect: &Dialect| {
                for size in [MIB, dialect.parts()] {
                    let world = World::new(1);
                    world.fault("store:*", 0, None, changed(change));
                    let upload = uploads(&world, dialect.provider(), require(), size);
                    let result = world.stored(&upload);
                    assert!(result.verified, "{upload:?}");
                    assert_eq!(repetitions(&world, std::slice::from_ref(&upload)), 0);
                    let etag = result.outcome.etag.unwrap_or_default();
                    assert!(!etag.contains('W') && !etag.contains("gzip"), "{etag}");
                }
            },
        );
    }
}

fn changed(change: fn(&str) -> String) -> Fault {
    Fault::Edit(Rc::new(move |answer| {
        if let Some(etag) = answer.header("etag").map(change) {
            answer.headers.insert("etag", &etag);
        }
    }))
}

/// The page closes midway; the list has what was saved.
fn goes_on(world: &World, options: Value) -> Handle {
    let (session, file) = (world.session(), world.real_file("clip.mp4", 25 * MIB as usize));
    world.line(|line| line.bytes_per_ms = 500);
    let first = world.uploader(options.clone()).begin(s3("a"), &file, Some(session), Beginning::New);
    while world.kept(session).is_none_or(|kept| kept.parts.len() < 2) {
        world.run_for(50);
    }
    world.crash(true);
    let kept = world.kept(session).unwrap();
    let second = world.uploader(options).begin(first.provider().clone(), &file, Some(session), Beginning::Kept(kept));
    world.run();
    second
}

#[test]
fn what_was_kept_counts_with_kms_too() {
    for edit in [None, Some(changed(|etag| format!("W/{etag}")))] {
        let world = encrypted();
        if let Some(edit) = edit {
            world.fault("store:UploadPart", 0, None, edit);
        }
        let upload = goes_on(&world, json!({ "integrity": "auto", "concurrency": 1 }));
        let result = world.stored(&upload);
        assert!(!result.verified);
        // At least two were saved; one more is sent twice in each page.
        assert!(result.attempts <= 4, "{upload:?}");
    }
}

#[test]
fn if_none_match_works_with_kms() {
    for exposed in [false, true] {
        for fault in [None, Some(Fault::ResetAfter)] {
            let world = encrypted();
            if exposed {
                expose(&world);
            }
            let lost = fault.is_some();
            if let Some(fault) = fault {
                world.fault("store:PutObject", 0, 1, fault);
            }
            let provider = crate::s3::with(json!({ "ifNoneMatch": true }));
            let upload = uploads(&world, provider.clone(), auto(), MIB);
            if lost && !exposed {
                // The answer was lost, and the object's ETag isn't exposed: it doesn't count as another upload's.
                assert_eq!(upload.code(), Some(Code::OutcomeUnknown), "{upload:?}");
            } else {
                world.stored(&upload);
            }
            assert_eq!(world.servers().store.keys("media").len(), 1);
            world.run_for(60_000);
            assert_eq!(uploads(&world, provider, auto(), MIB).code(), Some(Code::Conflict), "what is there stays");
        }
    }
}

#[test]
fn an_object_that_its_own_lost_answer_made_is_proven_by_its_etag() {
    let provider = || crate::s3::with(json!({ "ifNoneMatch": true }));
    let world = World::new(1);
    world.fault("store:PutObject", 0, 1, Fault::ResetAfter);
    let upload = uploads(&world, provider(), require(), MIB);
    assert!(world.stored(&upload).verified, "the second answer, a 412, proves nothing by itself");
    world.run_for(60_000);
    assert_eq!(uploads(&world, provider(), require(), MIB).code(), Some(Code::Conflict));
}

#[test]
fn a_plans_own_condition_is_no_conflict_with_what_was_just_stored() {
    for (options, code) in [(auto(), None), (require(), Some(Code::IntegrityMismatch))] {
        let world = encrypted();
        world.servers().backend.headers = vec![("if-none-match".into(), "*".into())];
        let upload = uploads(&world, json!({ "name": "plan" }), options, MIB);
        assert_eq!(upload.code(), code, "{upload:?}");
        assert!(code.is_some() || !world.stored(&upload).verified);
    }
}

#[test]
fn a_plan_with_encryption_headers_is_not_verified() {
    for (name, value) in
        [("x-amz-server-side-encryption", "aws:kms"), ("x-amz-server-side-encryption-customer-algorithm", "AES256")]
    {
        let world = with_stores(|config| config.opaque_etags = true);
        world.servers().backend.headers = vec![(name.into(), value.into())];
        let upload = uploads(&world, json!({ "name": "plan" }), auto(), MIB);
        assert!(!world.stored(&upload).verified);
        assert_eq!((repetitions(&world, &[upload]), warned(&world)), (0, 0), "{name}");
    }
}

#[test]
fn a_pause_while_it_is_found_out_costs_no_more_than_itself() {
    let world = Rc::new(encrypted());
    world.line(|line| line.bytes_per_ms = 2_000);
    let upload = begins(&world, s3("a"), auto(), THREE);
    let later = world.clone();
    // The first part was answered and is being sent again.
    world.at_milestone(12, 500, move || {
        let upload = later.handles()[0].clone();
        upload.pause();
        let after = later.clone();
        after.after(5_000, move || upload.resume());
    });
    world.run();
    assert!(upload.statuses().contains(&Status::Paused), "{upload:?}");
    assert!(!world.stored(&upload).verified);
    assert!(upload.events().iter().all(|(_, event)| !matches!(event, Event::Part(part) if part.verified)));
}

#[test]
fn a_lost_complete_finds_its_own_object_whatever_the_encryption() {
    for exposed in [false, true] {
        let world = encrypted();
        if exposed {
            expose(&world);
        }
        world.fault("store:CompleteMultipartUpload", 0, 1, Fault::ResetAfter);
        let upload = uploads(&world, s3("a"), auto(), THREE);
        world.stored(&upload);
    }
}
