//! What proves that the destination has the file's bytes: ETags that are MD5s, the store's own CRC64NVME of each part or of the whole, and
//! checksums that the store checks.

use std::rc::Rc;

use partway::error::Code;
use partway::model::events::{Event, Proof, ProofBy, UploadResult};
use partway_models::checksum::Algorithm;
use partway_models::store::{Checksums, Config};
use partway_simulation::servers::BUCKET;
use partway_simulation::uploader::Beginning;
use partway_simulation::{Fault, File, Handle, World};
use serde_json::{Value, json};

use crate::dialects::{MIB, of};

/// A file of three parts by `s3`'s usual size.
const THREE: u64 = 17 * MIB;
const CRC64: &str = "x-amz-checksum-crc64nvme";

fn s3(members: Value) -> Value {
    crate::s3::with(members)
}

/// A world whose stores are set up.
fn with_stores(change: impl Fn(&mut Config)) -> World {
    let world = World::new(1);
    change(&mut world.servers().store.config);
    change(&mut world.servers().vault.config);
    world
}

/// A bucket with KMS, at a store that says these checksums.
fn kms(checksums: Checksums) -> World {
    with_stores(|config| (config.encryption, config.checksums) = (Some("aws:kms".into()), checksums))
}

/// The same where the CORS rule keeps the encryption from the page.
fn quiet_kms(checksums: Checksums) -> World {
    let world = kms(checksums);
    let hidden = "x-amz-server-side-encryption";
    world.servers().bucket_cors.exposes.as_mut().unwrap().retain(|name| name != hidden);
    world
}

fn begins(world: &World, provider: Value, integrity: &str, file: &File) -> Handle {
    world.upload(provider, json!({ "integrity": integrity, "concurrency": 2 }), file)
}

fn uploads(world: &World, provider: Value, integrity: &str, size: u64) -> Handle {
    let upload = begins(world, provider, integrity, &world.file("clip.mp4", size));
    world.run();
    upload
}

/// The proof of an upload whose file is stored.
#[track_caller]
fn proven(world: &World, upload: &Handle) -> Proof {
    let result: UploadResult<Value> = world.stored(upload);
    assert!(result.verified, "{upload:?}");
    result.outcome.proof.unwrap_or_else(|| panic!("no proof: {upload:?}"))
}

/// The CRC64NVME of a file, as the store would say it.
fn crc64(file: &File) -> String {
    let whole = partway::model::plan::ByteRange::new(0, file.size());
    Algorithm::Crc64Nvme.of_body(&file.content(whole)).unwrap()
}

fn puts(world: &World) -> usize {
    world.count("store:UploadPart") + world.count("store:PutObject")
}

fn warned(world: &World) -> usize {
    world.log().warnings.iter().filter(|warning| warning.contains("SSE-KMS")).count()
}

#[test]
fn etags_that_are_md5s_prove_it_with_the_objects_own_etag() {
    of(
        |dialect| ["s3", "plan", "onlymonster", "ofauth"].contains(&dialect.name),
        |dialect| {
            for size in [MIB, dialect.large] {
                if dialect.name == "ofauth" && size == MIB {
                    // The answer to a file in one request has no ETag.
                    continue;
                }
                let world = with_stores(|config| config.checksums = Checksums::All);
                let upload = world.upload(
                    dialect.provider(),
                    json!({ "integrity": "require", "concurrency": 2 }),
                    &world.file("clip.mp4", size),
                );
                world.run();
                let proof = proven(&world, &upload);
                assert_eq!((proof.by, proof.parts), (ProofBy::EtagMd5, upload.done().parts), "{upload:?}");
                let parts = world.pieces(&upload.done());
                let etag = match parts.as_slice() {
                    [one] if !proof.value.contains('-') => one.etag(),
                    parts => partway_models::content::multipart_etag(parts),
                };
                assert_eq!(proof.value, etag);
            }
        },
    );
}

#[test]
fn a_checksum_of_each_part_proves_it_where_etags_say_nothing() {
    of(
        |dialect| ["s3", "plan", "onlymonster"].contains(&dialect.name),
        |dialect| {
            for size in [MIB, 17 * MIB] {
                for integrity in ["auto", "require"] {
                    let world = quiet_kms(Checksums::All);
                    let file = world.file("clip.mp4", size);
                    let upload = begins(&world, dialect.provider(), integrity, &file);
                    world.run();
                    let expected = Proof { by: ProofBy::Crc64Nvme, value: crc64(&file), parts: upload.done().parts };
                    assert_eq!(proven(&world, &upload), expected, "{upload:?}");
                    assert_eq!((puts(&world), warned(&world)), (expected.parts as usize, 0), "nothing is sent twice");
                    let all =
                        upload.events().iter().all(|(_, event)| !matches!(event, Event::Part(part) if !part.verified));
                    assert!(all, "{upload:?}");
                }
            }
        },
    );
}

#[test]
fn a_checksum_of_the_whole_proves_it_where_parts_have_none() {
    for (quiet, repeated) in [(true, 1), (false, 0)] {
        for integrity in ["auto", "require"] {
            let world = if quiet { quiet_kms(Checksums::Complete) } else { kms(Checksums::Complete) };
            let file = world.file("clip.mp4", THREE);
            let upload = begins(&world, s3(json!({})), integrity, &file);
            world.run();
            assert_eq!(proven(&world, &upload), Proof { by: ProofBy::Crc64Nvme, value: crc64(&file), parts: 3 });
            assert_eq!((puts(&world), warned(&world)), (3 + repeated, 0), "{upload:?}");
            // The page knows the store: the next one costs no repetition.
            proven(&world, &uploads(&world, s3(json!({ "key": "b" })), integrity, THREE));
            assert_eq!(puts(&world), 6 + repeated);
        }
    }
}

#[test]
fn what_a_plans_complete_returns_is_compared_with_the_file_read_once_more() {
    let plan = || json!({ "name": "plan" });
    for size in [MIB, THREE] {
        let world = kms(Checksums::Complete);
        let file = world.file("clip.mp4", size);
        let upload = begins(&world, plan(), "auto", &file);
        world.run();
        let proof = proven(&world, &upload);
        assert_eq!((proof.by, proof.value), (ProofBy::Crc64Nvme, crc64(&file)));
    }
    for (says, value) in [(false, json!(null)), (true, json!("no checksum")), (true, json!(7))] {
        let world = kms(Checksums::Complete);
        world.servers().backend.says_checksum = says;
        world.fault("plan:complete", 0, None, Fault::json(move |answer| answer["checksumCRC64NVME"] = value.clone()));
        let upload = uploads(&world, plan(), "auto", THREE);
        let result = world.stored(&upload);
        assert_eq!((result.verified, result.outcome.proof, warned(&world)), (false, None, 1), "{upload:?}");
    }
}

/// Nothing that a page may read says anything any more but the ETags.
fn hide_checksums(world: &World) {
    world.servers().store.config.checksums = Checksums::Off;
    world.servers().bucket_cors.exposes.as_mut().unwrap().retain(|name| name != CRC64);
}

#[test]
fn what_a_checksum_tells_of_an_etag_spares_the_next_upload_the_repetition() {
    let world = quiet_kms(Checksums::All);
    proven(&world, &uploads(&world, s3(json!({})), "auto", THREE));
    hide_checksums(&world);
    let second = uploads(&world, s3(json!({ "key": "b" })), "auto", THREE);
    assert!(!world.stored(&second).verified);
    assert_eq!(puts(&world), 6, "{second:?}");
}

#[test]
fn a_checksum_beside_a_hidden_etag_tells_nothing_of_the_next_etag() {
    let world = with_stores(|config| config.checksums = Checksums::All);
    world.fault("store:PutObject", 0, 1, Fault::HideEtag);
    assert_eq!(proven(&world, &uploads(&world, s3(json!({})), "auto", MIB)).by, ProofBy::Crc64Nvme);
    hide_checksums(&world);
    let second = uploads(&world, s3(json!({ "key": "b" })), "auto", MIB);
    assert_eq!((proven(&world, &second).by, warned(&world)), (ProofBy::EtagMd5, 0));
}

#[test]
fn a_bucket_key_that_is_named_leaves_the_checksum_as_proof() {
    let world = with_stores(|config| config.checksums = Checksums::All);
    let provider = s3(json!({ "headers": { "x-amz-server-side-encryption": "aws:kms" } }));
    for size in [MIB, THREE] {
        let upload = uploads(&world, provider.clone(), "require", size);
        assert_eq!(proven(&world, &upload).by, ProofBy::Crc64Nvme);
    }
}

#[test]
fn integrity_off_compares_nothing() {
    let world = kms(Checksums::All);
    world.fault("store:UploadPart", 0, 1, Fault::Flip);
    let upload = uploads(&world, s3(json!({})), "off", THREE);
    let result = upload.done();
    assert_eq!((result.verified, result.outcome.proof, world.hashed_windows()), (false, None, 0));
}

#[test]
fn a_part_that_was_damaged_on_the_way_is_sent_again() {
    for world in [
        with_stores(|_| ()),
        with_stores(|config| config.checksums = Checksums::All),
        quiet_kms(Checksums::All),
        kms(Checksums::All),
    ] {
        for (key, skip) in [("a", 0), ("b", 2)] {
            world.fault("store:UploadPart", skip, 1, Fault::Flip);
            let before = puts(&world);
            let upload = uploads(&world, s3(json!({ "key": key })), "auto", THREE);
            proven(&world, &upload);
            assert!((4..=5).contains(&(puts(&world) - before)), "{upload:?}");
        }
    }
}

/// The parts' answers say nothing: the object is there before it is known that it is another one.
#[test]
fn an_object_that_was_damaged_is_told_and_left_alone() {
    for (provider, complete) in
        [(s3(json!({})), "store:CompleteMultipartUpload"), (json!({ "name": "plan" }), "plan:complete")]
    {
        for integrity in ["auto", "require"] {
            // Under `require` a plan's parts need a proof each.
            if integrity == "require" && provider["name"] == "plan" {
                continue;
            }
            let world = kms(Checksums::Complete);
            world.fault("store:UploadPart", 1, 1, Fault::Flip);
            let (session, file) = (world.session(), world.file("clip.mp4", THREE));
            let uploader = world.uploader(json!({ "integrity": integrity, "concurrency": 1 }));
            let upload = uploader.begin(provider.clone(), &file, Some(session), Beginning::New);
            world.run();
            let error = upload.error();
            assert_eq!(error.code, Code::IntegrityMismatch, "{upload:?}");
            assert_eq!(error.step.map(|step| step.as_str()), Some("complete"));
            let hint = error.hint.clone().unwrap();
            assert!(hint.contains("stands under its key") && hint.contains("your application's decision"), "{hint}");
            assert_eq!(world.servers().store.keys(BUCKET).len(), 1);
            assert_eq!((world.count(complete), world.count("plan:abort")), (1, 0));
            assert_eq!(world.count("store:AbortMultipartUpload") + world.count("store:DeleteObject"), 0);
            assert!(world.kept(session).is_none(), "another try is a new upload");
        }
    }
}

/// Begins an upload and crashes its page once two of its parts are kept. Gives the file, and what continues the upload.
fn crashed(world: &World, provider: Value, integrity: &str) -> (File, impl FnOnce(&World) -> Handle) {
    let (session, file) = (world.session(), world.file("clip.mp4", 25 * MIB));
    world.line(|line| line.bytes_per_ms = 500);
    let options = json!({ "integrity": integrity, "concurrency": 1 });
    let first = world.uploader(options.clone()).begin(provider, &file, Some(session), Beginning::New);
    while world.kept(session).is_none_or(|kept| kept.parts.len() < 2) {
        world.run_for(50);
    }
    world.crash(true);
    let kept = world.kept(session).unwrap();
    assert!(kept.parts.values().all(|part| part["checksum"].is_string()), "{kept:?}");
    let again = file.clone();
    let go_on = move |world: &World| {
        let provider = first.provider().clone();
        let second = world.uploader(options).begin(provider, &again, Some(session), Beginning::Kept(kept));
        world.run();
        second
    };
    (file, go_on)
}

#[test]
fn checksums_of_parts_are_kept_for_a_later_page() {
    let world = kms(Checksums::Complete);
    let (file, go_on) = crashed(&world, s3(json!({})), "require");
    let before = world.hashed_windows();
    let second = go_on(&world);
    assert_eq!(proven(&world, &second).value, crc64(&file));
    assert!(world.hashed_windows() - before <= 3, "parts that were kept are hashed again");
}

#[test]
fn what_an_earlier_page_did_not_check_is_proven_by_the_objects_etag_where_the_caller_requires_it() {
    for (integrity, encryption, by) in
        [("require", None, Some(ProofBy::EtagMd5)), ("auto", None, None), ("auto", Some("aws:kms"), None)]
    {
        let world = with_stores(|config| config.encryption = encryption.map(String::from));
        let (session, file) = (world.session(), world.file("clip.mp4", 25 * MIB));
        let options = |integrity: &str| json!({ "integrity": integrity, "concurrency": 1 });
        let first = world.uploader(options("off")).begin(s3(json!({})), &file, Some(session), Beginning::New);
        while world.kept(session).is_none_or(|kept| kept.parts.len() < 2) {
            world.run_for(50);
        }
        world.crash(true);
        let kept = world.kept(session).unwrap();
        let second = world.uploader(options(integrity)).begin(
            first.provider().clone(),
            &file,
            Some(session),
            Beginning::Kept(kept),
        );
        world.run();
        let result = world.stored(&second);
        assert_eq!(result.outcome.proof.as_ref().map(|proof| proof.by), by, "{integrity}: {second:?}");
        assert_eq!(result.verified, by.is_some(), "{integrity}");
    }
}

#[test]
fn what_a_checksum_verified_says_nothing_of_etags_to_a_later_page() {
    let world = quiet_kms(Checksums::All);
    let (_, go_on) = crashed(&world, s3(json!({})), "auto");
    // From now on the page can read no checksum, and ETags that differ must not count as damage.
    world.servers().bucket_cors.exposes.as_mut().unwrap().retain(|name| name != CRC64);
    let second = go_on(&world);
    assert_eq!(proven(&world, &second).by, ProofBy::Crc64Nvme, "{second:?}");
}

#[test]
fn a_lost_complete_is_proven_by_the_stored_objects_checksum() {
    for refused in [false, true] {
        let world = kms(Checksums::Complete);
        world.fault("store:CompleteMultipartUpload", 0, 1, Fault::ResetAfter);
        if refused {
            // With KMS, asking for the checksum needs kms:Decrypt.
            world.fault("store:HeadObject", 0, 1, Fault::status(403));
        }
        let upload = uploads(&world, s3(json!({})), "auto", THREE);
        let result = world.stored(&upload);
        assert_eq!(result.outcome.proof.is_some(), !refused, "{upload:?}");
        let asked = |record: &partway_simulation::log::Record| record.url.contains("x-amz-checksum-mode=ENABLED");
        let heads = world.sent("store:HeadObject");
        assert_eq!(heads.iter().map(asked).collect::<Vec<_>>(), if refused { vec![true, false] } else { vec![true] });
    }
}

#[test]
fn the_store_checks_each_part_by_the_header_that_is_signed_with_it() {
    for (checksum, name, by) in
        [("sha256", "x-amz-checksum-sha256", ProofBy::Sha256), ("crc64nvme", CRC64, ProofBy::Crc64Nvme)]
    {
        for encryption in [None, Some("aws:kms")] {
            for size in [MIB, THREE] {
                let world = with_stores(|config| {
                    (config.encryption, config.checksums) = (encryption.map(Into::into), Checksums::All);
                });
                let route = if size == MIB { "store:PutObject" } else { "store:UploadPart" };
                world.fault(route, 0, 1, Fault::Flip);
                let upload = uploads(&world, s3(json!({ "checksum": checksum })), "require", size);
                let proof = proven(&world, &upload);
                let contents = world.pieces(&upload.done());
                let algorithm = if by == ProofBy::Sha256 { Algorithm::Sha256 } else { Algorithm::Crc64Nvme };
                let expected = match contents.as_slice() {
                    [one] => algorithm.of_body(one),
                    parts => algorithm.of_parts(parts),
                };
                assert_eq!((proof.by, Some(proof.value)), (by, expected), "{upload:?}");
                let sent = world.some_sent(route);
                assert!(sent.iter().all(|put| put.header(name).is_some() && put.url.contains(name)), "it is signed");
                let refused = sent.iter().filter(|put| put.status == Some(400)).count();
                assert_eq!((refused, sent.len()), (1, upload.done().parts as usize + 1), "{upload:?}");
            }
        }
    }
}

#[test]
fn an_upload_with_checksums_names_algorithm_and_type() {
    for (checksum, algorithm, kind) in [("sha256", "SHA256", "COMPOSITE"), ("crc64nvme", "CRC64NVME", "FULL_OBJECT")] {
        let world = with_stores(|config| config.checksums = Checksums::All);
        proven(&world, &uploads(&world, s3(json!({ "checksum": checksum })), "auto", THREE));
        let created = &world.some_sent("store:CreateMultipartUpload")[0];
        assert_eq!(created.header("x-amz-checksum-algorithm"), Some(algorithm));
        assert_eq!(created.header("x-amz-checksum-type"), Some(kind));
        let completed = &world.some_sent("store:CompleteMultipartUpload")[0];
        assert_eq!(
            completed.header(CRC64).is_some(),
            checksum == "crc64nvme",
            "the whole is compared before it exists"
        );
    }
    let wrong = uploads(&World::new(1), s3(json!({ "checksum": "md5" })), "auto", MIB);
    assert_eq!(wrong.code(), Some(Code::InvalidOptions));
    assert!(wrong.error().message.contains("`checksum` must be \"sha256\" or \"crc64nvme\""), "{wrong:?}");
}

#[test]
fn checked_parts_go_on_in_a_later_page() {
    for checksum in ["sha256", "crc64nvme"] {
        let world = with_stores(|config| config.checksums = Checksums::All);
        let (_, go_on) = crashed(&world, s3(json!({ "checksum": checksum })), "auto");
        let second = go_on(&world);
        proven(&world, &second);
        assert!(second.done().attempts <= 2, "{second:?}");
    }
}

#[test]
fn a_store_that_knows_no_checksums_refuses_them_at_once() {
    let upload = uploads(&World::new(1), s3(json!({ "checksum": "crc64nvme" })), "auto", THREE);
    assert_eq!(upload.code(), Some(Code::BadRequest), "{upload:?}");
    assert!(upload.error().hint.as_ref().unwrap().contains("`checksum`"), "{upload:?}");
    let edited = with_stores(|config| config.checksums = Checksums::All);
    let wrong = |answer: &mut partway_models::wire::Response| answer.headers.insert(CRC64, "AAAAAAAAAAA=");
    edited.fault("store:UploadPart", 0, None, Fault::Edit(Rc::new(wrong)));
    let options = json!({ "integrity": "auto", "retry": { "attempts": 2 } });
    let upload = edited.upload(s3(json!({ "checksum": "crc64nvme" })), options, &edited.file("clip.mp4", THREE));
    edited.run();
    assert_eq!(upload.code(), Some(Code::IntegrityMismatch), "what the store says is compared all the same");
}
