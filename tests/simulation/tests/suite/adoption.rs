//! Parts that an earlier page stored and whose answers it never got: a later page adopts them where the list of the store's parts proves
//! their bytes, by their ETags or by their checksums.

use std::rc::Rc;

use partway::model::events::ProofBy;
use partway::platform::Wanted;
use partway_models::store::Checksums;
use partway_models::wire::Response;
use partway_simulation::transform::{Output, Transform};
use partway_simulation::uploader::Beginning;
use partway_simulation::{Fault, File, Handle, World};
use serde_json::{Value, json};

use crate::dialects::MIB;

/// A file of four parts by `s3`'s usual size.
const FOUR: u64 = 25 * MIB;
/// So many of them are stored when the first page ends.
const HALF: usize = 2;

fn s3(members: Value) -> Value {
    crate::s3::with(members)
}

/// A world whose store says these checksums, and encrypts with KMS or doesn't.
fn stores(checksums: Checksums, kms: bool) -> World {
    let world = World::new(1);
    {
        let config = &mut world.servers().store.config;
        config.checksums = checksums;
        config.encryption = kms.then(|| "aws:kms".into());
    }
    world
}

fn options(integrity: &str) -> Value {
    json!({ "integrity": integrity, "concurrency": HALF })
}

/// Sends half of the parts without an answer, and ends the page.
fn crashed(world: &World, provider: &Value, integrity: &str) -> (File, u64) {
    let (session, file) = (world.session(), world.file("clip.mp4", FOUR));
    world.fault("store:UploadPart", 0, HALF as u32, Fault::StallAnswer);
    world.uploader(options(integrity)).begin(provider.clone(), &file, Some(session), Beginning::New);
    while world.effects("store:UploadPart") < HALF as u32 {
        world.run_for(50);
    }
    world.crash(true);
    assert!(world.kept(session).unwrap().parts.is_empty(), "no part was saved");
    (file, session)
}

fn goes_on(world: &World, provider: Value, integrity: &str, (file, session): (File, u64)) -> Handle {
    let kept = world.kept(session).unwrap();
    let upload = world.uploader(options(integrity)).begin(provider, &file, Some(session), Beginning::Kept(kept));
    world.run();
    upload
}

fn puts(world: &World) -> usize {
    world.count("store:UploadPart")
}

/// The proof of an upload whose file is stored.
#[track_caller]
fn proven(world: &World, upload: &Handle) -> ProofBy {
    let result = world.stored(upload);
    assert!(result.verified, "{upload:?}");
    result.outcome.proof.unwrap_or_else(|| panic!("no proof: {upload:?}")).by
}

/// Another value in place of the first checksum of the list.
fn another(element: &'static str, value: &'static str) -> Fault {
    Fault::Edit(Rc::new(move |response: &mut Response| {
        let text = response.text();
        let (before, rest) = text.split_once(&format!("<{element}>")).expect("the list has checksums");
        let (_, after) = rest.split_once('<').unwrap();
        response.body = format!("{before}<{element}>{value}<{after}").into_bytes();
    }))
}

#[test]
fn parts_at_a_store_with_opaque_etags_are_adopted_by_their_checksums() {
    for integrity in ["auto", "require"] {
        let world = stores(Checksums::All, true);
        let first = crashed(&world, &s3(json!({})), integrity);
        let second = goes_on(&world, s3(json!({})), integrity, first);
        assert_eq!(proven(&world, &second), ProofBy::Crc64Nvme);
        assert_eq!((puts(&world), second.done().attempts), (4, 2), "nothing is sent twice: {second:?}");
    }
}

#[test]
fn parts_that_the_store_checked_are_adopted_with_the_value_that_completing_names() {
    for (checksum, by) in [("sha256", ProofBy::Sha256), ("crc64nvme", ProofBy::Crc64Nvme)] {
        for kms in [false, true] {
            for integrity in ["auto", "require", "off"] {
                // The list has the checksums that the parts came with, whatever the store computes by itself.
                let world = stores(Checksums::Complete, kms);
                let provider = s3(json!({ "checksum": checksum }));
                let first = crashed(&world, &provider, integrity);
                let second = goes_on(&world, provider, integrity, first);
                if (integrity, checksum) == ("off", "crc64nvme") {
                    world.stored(&second);
                } else {
                    assert_eq!(proven(&world, &second), by);
                }
                assert_eq!((puts(&world), second.done().attempts), (4, 2), "nothing is sent twice: {second:?}");
                let completed = &world.some_sent("store:CompleteMultipartUpload")[0];
                assert_eq!(completed.header("x-amz-checksum-crc64nvme").is_some(), checksum == "crc64nvme");
            }
        }
    }
}

#[test]
fn a_part_whose_checksum_differs_is_sent_again() {
    for (members, element, value) in [
        (json!({}), "ChecksumCRC64NVME", "AAAAAAAAAAA="),
        (json!({ "checksum": "crc64nvme" }), "ChecksumCRC64NVME", "AAAAAAAAAAA="),
        (json!({ "checksum": "sha256" }), "ChecksumSHA256", "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="),
        (json!({}), "ChecksumCRC64NVME", "no checksum"),
    ] {
        let world = stores(Checksums::All, true);
        let first = crashed(&world, &s3(members.clone()), "auto");
        world.fault("store:ListParts", 0, None, another(element, value));
        let second = goes_on(&world, s3(members), "auto", first);
        proven(&world, &second);
        assert_eq!((puts(&world), second.done().attempts), (5, 3), "{element} {value}: {second:?}");
    }
}

/// The page can't read the answers' checksums, so that it takes the part for stored.
#[test]
fn a_part_that_was_damaged_on_its_way_is_found_by_the_list() {
    for saved in [true, false] {
        let world = stores(Checksums::All, true);
        let hidden = "x-amz-checksum-crc64nvme";
        world.servers().bucket_cors.exposes.as_mut().unwrap().retain(|name| name != hidden);
        world.line(|line| line.bytes_per_ms = 500);
        world.fault("store:UploadPart", 0, 1, Fault::Flip);
        let (session, file) = (world.session(), world.file("clip.mp4", FOUR));
        world.uploader(options("auto")).begin(s3(json!({})), &file, Some(session), Beginning::New);
        while world.kept(session).is_none_or(|kept| kept.parts.len() < HALF) {
            world.run_for(50);
        }
        world.crash(true);
        if !saved {
            world.change_kept(session, |kept| kept.parts.clear());
        }
        let stored = world.effects("store:UploadPart");
        let second = goes_on(&world, s3(json!({})), "auto", (file, session));
        assert_eq!(proven(&world, &second), ProofBy::Crc64Nvme);
        assert_eq!(second.done().attempts, 4 - stored + 1, "the damaged one is sent again: {second:?}");
    }
}

#[test]
fn what_the_list_tells_of_etags_spares_a_repetition() {
    let world = stores(Checksums::All, true);
    let hidden = ["x-amz-checksum-crc64nvme", "x-amz-server-side-encryption"];
    world.servers().bucket_cors.exposes.as_mut().unwrap().retain(|name| !hidden.contains(&name.as_str()));
    let first = crashed(&world, &s3(json!({})), "auto");
    let second = goes_on(&world, s3(json!({})), "auto", first);
    assert_eq!(proven(&world, &second), ProofBy::Crc64Nvme);
    assert_eq!(
        (puts(&world), second.done().attempts),
        (4, 2),
        "no part is sent to find out what ETags are: {second:?}"
    );
}

#[test]
fn what_the_list_proves_of_etags_spares_the_other_digest() {
    let world = stores(Checksums::All, false);
    let first = crashed(&world, &s3(json!({})), "auto");
    let before = world.digests_asked().len();
    let second = goes_on(&world, s3(json!({})), "auto", first);
    assert_eq!(proven(&world, &second), ProofBy::EtagMd5);
    let both = Wanted { md5: true, crc64: true };
    assert_eq!(world.digests_asked()[before..], [both, Wanted::MD5, Wanted::MD5, Wanted::MD5], "{second:?}");
}

/// The page that sent them could read no checksum, and completing says none.
#[test]
fn parts_that_were_saved_are_proven_by_the_list() {
    let world = stores(Checksums::All, true);
    let exposed = world.servers().bucket_cors.exposes.clone();
    world.servers().bucket_cors.exposes.as_mut().unwrap().retain(|name| name != "x-amz-checksum-crc64nvme");
    world.line(|line| line.bytes_per_ms = 500);
    let (session, file) = (world.session(), world.file("clip.mp4", FOUR));
    world.uploader(options("auto")).begin(s3(json!({})), &file, Some(session), Beginning::New);
    while world.kept(session).is_none_or(|kept| kept.parts.len() < HALF) {
        world.run_for(50);
    }
    world.crash(true);
    world.servers().bucket_cors.exposes = exposed;
    let silent =
        |response: &mut Response| response.body = response.text().replace("ChecksumCRC64NVME", "x").into_bytes();
    world.fault("store:CompleteMultipartUpload", 0, None, Fault::Edit(Rc::new(silent)));
    assert_eq!(proven(&world, &goes_on(&world, s3(json!({})), "auto", (file, session))), ProofBy::Crc64Nvme);
}

#[test]
fn a_checksum_that_was_not_saved_is_taken_from_the_list() {
    for checksum in ["sha256", "crc64nvme"] {
        let world = stores(Checksums::All, true);
        world.line(|line| line.bytes_per_ms = 500);
        let (session, file, provider) =
            (world.session(), world.file("clip.mp4", FOUR), s3(json!({ "checksum": checksum })));
        world.uploader(options("auto")).begin(provider.clone(), &file, Some(session), Beginning::New);
        while world.kept(session).is_none_or(|kept| kept.parts.len() < HALF) {
            world.run_for(50);
        }
        world.crash(true);
        world.change_kept(session, |kept| kept.parts.values_mut().for_each(|part| part["checksum"] = Value::Null));
        let stored = world.effects("store:UploadPart");
        let second = goes_on(&world, provider, "auto", (file, session));
        proven(&world, &second);
        assert_eq!(second.done().attempts, 4 - stored, "{second:?}");
        assert_eq!(world.count("store:CompleteMultipartUpload"), 1);
    }
}

#[test]
fn what_transform_made_for_an_earlier_page_is_not_compared_with_the_picked_file() {
    for members in [json!({}), json!({ "checksum": "sha256" }), json!({ "checksum": "crc64nvme" })] {
        let world = stores(Checksums::All, true);
        world.transform(Some(Transform { output: Output::Same, ms: 200 }));
        let first = crashed(&world, &s3(members.clone()), "auto");
        let second = goes_on(&world, s3(members), "auto", first);
        proven(&world, &second);
        assert_eq!(second.done().attempts, 4, "what wasn't saved is sent again: {second:?}");
    }
}

#[test]
fn an_upload_that_an_earlier_page_completed_needs_none_of_what_transform_made() {
    for members in [json!({}), json!({ "checksum": "sha256" }), json!({ "checksum": "crc64nvme" })] {
        let world = stores(Checksums::All, false);
        world.transform(Some(Transform { output: Output::Same, ms: 200 }));
        world.fault("store:CompleteMultipartUpload", 0, 1, Fault::StallAnswer);
        let (session, file) = (world.session(), world.file("clip.mp4", FOUR));
        world.uploader(options("auto")).begin(s3(members.clone()), &file, Some(session), Beginning::New);
        while world.effects("store:CompleteMultipartUpload") == 0 {
            world.run_for(50);
        }
        world.crash(true);
        world.change_kept(session, |kept| drop(kept.parts.remove(&2)));
        let second = goes_on(&world, s3(members.clone()), "auto", (file, session));
        world.stored(&second);
        assert_eq!((puts(&world), world.transforms()), (4, 1), "{members}");
    }
}

#[test]
fn what_a_list_without_checksums_says_counts_as_before() {
    for (checksums, kms, members, attempts) in [
        (Checksums::Off, false, json!({}), 2),
        (Checksums::All, false, json!({}), 2),
        (Checksums::Off, true, json!({}), 4),
        (Checksums::Complete, true, json!({}), 4),
    ] {
        let world = stores(checksums, kms);
        let first = crashed(&world, &s3(members.clone()), "auto");
        let second = goes_on(&world, s3(members), "auto", first);
        world.stored(&second);
        assert_eq!(second.done().attempts, attempts, "{checksums:?} {kms}: {second:?}");
    }
    // Where nothing is to be compared, nothing is hashed.
    let world = stores(Checksums::All, true);
    let first = crashed(&world, &s3(json!({})), "off");
    let second = goes_on(&world, s3(json!({})), "off", first);
    assert_eq!((second.done().attempts, world.hashed_windows()), (4, 0), "{second:?}");
}

#[test]
fn bytes_are_hashed_once_whatever_proves_them() {
    for (checksums, kms) in [(Checksums::Off, false), (Checksums::All, false), (Checksums::All, true)] {
        let world = stores(checksums, kms);
        let first = crashed(&world, &s3(json!({})), "auto");
        let before = world.hashed_windows();
        proven(&world, &goes_on(&world, s3(json!({})), "auto", first));
        let resumed = world.hashed_windows() - before;
        let fresh = stores(checksums, kms);
        let upload = fresh.upload(s3(json!({})), options("auto"), &fresh.file("clip.mp4", FOUR));
        fresh.run();
        proven(&fresh, &upload);
        assert_eq!(resumed, fresh.hashed_windows(), "{checksums:?} {kms}");
    }
}
