//! The record of an upload of many parts is read in turns, so that the page isn't busy with it for long.

use partway::error::Code;
use partway_models::store::Checksums;
use partway_simulation::storage::SavedSession;
use partway_simulation::uploader::Beginning;
use partway_simulation::{File, World};
use serde_json::{Value, json};

use crate::dialects::MIB;

/// The most that S3 takes.
const MOST: u64 = 10_000;
/// After so many items the page has its turn.
const AT_ONCE: u64 = 256;

fn s3(checksum: Option<&str>) -> Value {
    let mut provider = crate::s3::with(json!({ "partSize": 5 * MIB }));
    if let Some(checksum) = checksum {
        provider["checksum"] = json!(checksum);
    }
    provider
}

/// What a page keeps of an upload of so many parts, all of which were uploaded.
fn kept(world: &World, parts: u64, checksum: Option<&str>) -> (File, u64, SavedSession) {
    world.servers().store.config.checksums = Checksums::Complete;
    let (session, file) = (world.session(), world.file("clip.mp4", parts * 5 * MIB));
    world.uploader(json!({})).begin(s3(checksum), &file, Some(session), Beginning::New);
    while world.kept(session).is_none() {
        world.run_for(10);
    }
    world.crash(true);
    let mut kept = world.kept(session).unwrap();
    kept.parts = (1..=parts as u32).map(|number| (number, row(number))).collect();
    assert_eq!(kept.record.as_ref().unwrap()["parts"].as_array().unwrap().len() as u64, parts);
    (file, session, kept)
}

/// An uploaded part as it is kept.
fn row(number: u32) -> Value {
    let start = (u64::from(number) - 1) * 5 * MIB;
    json!({ "partNumber": number, "start": start, "end": start + 5 * MIB - 1, "etag": "\"e\"", "verified": false, "checksum": "x" })
}

#[test]
fn the_page_has_its_turn_while_a_long_record_is_read() {
    for parts in [AT_ONCE - 1, AT_ONCE, 3 * AT_ONCE + 1, MOST] {
        let world = World::new(1);
        let (file, session, kept) = kept(&world, parts, None);
        let before = world.yields();
        let upload = world.uploader(json!({})).begin(s3(None), &file, Some(session), Beginning::Discard(kept));
        world.run();
        assert_eq!(upload.code(), Some(Code::Cancelled));
        // The record's own parts, and those beside it.
        assert_eq!(u64::from(world.yields() - before), 2 * (parts / AT_ONCE), "{parts} parts");
        assert_eq!(world.count("store:AbortMultipartUpload"), 1);
        assert_eq!(world.servers().store.open_uploads(), []);
    }
}

#[test]
fn the_page_has_its_turn_while_a_long_list_is_compared() {
    for checksum in [None, Some("sha256")] {
        let world = World::new(1);
        let (file, session, kept) = kept(&world, MOST, checksum);
        world.fault("store:ListParts", 0, None, listed_whole());
        let before = (world.yields(), world.count("store:UploadPart"));
        let upload = world.uploader(json!({})).begin(s3(checksum), &file, Some(session), Beginning::Kept(kept));
        while world.count("store:CompleteMultipartUpload") == 0 {
            world.run_for(1);
        }
        assert_eq!(u64::from(world.yields() - before.0), 3 * (MOST / AT_ONCE), "{upload:?}");
        assert_eq!(world.count("store:UploadPart"), before.1, "all parts are uploaded");
        world.crash(true);
    }
}

/// The list of all parts on one page.
fn listed_whole() -> partway_simulation::Fault {
    let rows: String = (1..=MOST)
        .map(|n| format!("<Part><PartNumber>{n}</PartNumber><ETag>\"e\"</ETag><Size>{}</Size></Part>", 5 * MIB))
        .collect();
    partway_simulation::Fault::answer(200, &format!("<ListPartsResult>{rows}</ListPartsResult>"))
}

#[test]
fn an_upload_that_is_cancelled_while_its_record_is_read_is_aborted() {
    let world = World::new(1);
    let (file, session, kept) = kept(&world, MOST, None);
    let upload = world.uploader(json!({})).begin(s3(None), &file, Some(session), Beginning::Kept(kept));
    world.run_for(10);
    upload.cancel();
    world.run();
    assert_eq!(upload.code(), Some(Code::Cancelled));
    assert_eq!((world.count("store:ListParts"), world.count("store:AbortMultipartUpload")), (1, 1), "{upload:?}");
    assert_eq!((world.servers().store.open_uploads(), world.kept(session)), (vec![], None));
}

#[test]
fn an_uploader_that_is_closed_meanwhile_keeps_the_record() {
    let world = World::new(1);
    let (file, session, kept) = kept(&world, MOST, None);
    let uploader = world.uploader(json!({}));
    let upload = uploader.begin(s3(None), &file, Some(session), Beginning::Kept(kept));
    world.run_for(10);
    let before = world.count("store:*");
    uploader.close();
    world.run();
    assert_eq!((upload.code(), world.count("store:*")), (Some(Code::Cancelled), before));
    assert!(world.kept(session).is_some());
}
