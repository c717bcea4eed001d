//! What must hold in any story, and what proves that a file arrived.

use partway::engine::events::{Event, Status, UploadResult};
use partway_models::content::{Content, Tile, tile};

use crate::file::File;
use crate::handle::Handle;
use crate::platform::SimPlatform;
use crate::servers::BUCKET;
use crate::world::World;

/// Checks a story that has come to its end.
#[track_caller]
pub(crate) fn story(world: &World, handles: &[Handle]) {
    for handle in handles {
        upload(handle);
        let (lane, slots) = handle.lane();
        let most = world.log().most(lane);
        assert!(most <= *slots, "{most} requests with file bytes at once, {slots} are allowed\n{handle:?}");
    }
    let log = world.log();
    assert!(log.violations.is_empty(), "violations: {:#?}", log.violations);
    assert_eq!(log.running(), 0, "requests run on after the end");
}

/// Checks what an upload told.
#[track_caller]
fn upload(handle: &Handle) {
    let events = handle.events();
    let ends = events.iter().filter(|(_, event)| matches!(event, Event::Complete(_) | Event::Error(_))).count();
    assert_eq!(ends, 1, "an upload ends once\n{}", handle.story());
    let last = events.last().map(|(_, event)| event);
    assert!(matches!(last, Some(Event::Complete(_) | Event::Error(_))), "the end comes last\n{}", handle.story());
    statuses(handle);
    progress(handle);
}

#[track_caller]
fn statuses(handle: &Handle) {
    let statuses = handle.statuses();
    let end = match handle.result() {
        Some(Ok(_)) => Status::Done,
        Some(Err(error)) if error.code == partway::error::Code::Cancelled => Status::Cancelled,
        _ => Status::Failed,
    };
    assert_eq!(statuses.last(), Some(&end), "{}", handle.story());
    let terminal = |status: &Status| matches!(status, Status::Done | Status::Failed | Status::Cancelled);
    assert_eq!(statuses.iter().filter(|status| terminal(status)).count(), 1, "{}", handle.story());
    assert!(statuses.windows(2).all(|pair| pair[0] != pair[1]), "a status told twice: {statuses:?}");
}

#[track_caller]
fn progress(handle: &Handle) {
    let size = handle.file().size();
    let told = handle.progress();
    for progress in &told {
        assert_eq!(progress.total, size);
        assert!(progress.sent <= size && (0.0..=1.0).contains(&progress.fraction), "{progress:?}");
        assert!(progress.parts_done <= progress.parts_total, "{progress:?}");
        assert!(progress.parts_in_flight as usize <= handle.lane().1, "{progress:?}");
        assert!(progress.rate.is_none_or(|rate| rate.is_finite() && rate >= 0.0), "{progress:?}");
        assert!(progress.eta.is_none_or(|eta| eta.is_finite() && eta >= 0.0), "{progress:?}");
    }
    for pair in told.windows(2) {
        assert!(pair[1].sent >= pair[0].sent, "progress fell from {:?} to {:?}\n{}", pair[0], pair[1], handle.story());
        assert!(pair[1].processing >= pair[0].processing, "processing fell: {pair:?}");
    }
    if let (Some(Ok(_)), Some(last)) = (handle.result(), told.last()) {
        assert_eq!((last.sent, last.fraction), (size, 1.0), "a finished upload has sent all: {last:?}");
        assert_eq!((last.parts_done, last.parts_in_flight), (last.parts_total, 0), "{last:?}");
    }
}

impl World {
    /// Finds by an upload's result what the destination stored for it.
    ///
    /// # Panics
    /// Where the result names nothing that is there.
    #[track_caller]
    pub fn pieces(&self, result: &UploadResult<SimPlatform>) -> Vec<Content> {
        let outcome = &result.outcome;
        let servers = self.servers();
        let id = |id: &Option<String>| id.clone().unwrap_or_else(|| panic!("{} gave no id", result.provider));
        let found = match result.provider {
            "ofauth" => servers.ofauth.contents(&id(&outcome.media_upload_id)),
            "onlymonster" => {
                let key = servers.onlymonster.object_key(&id(&outcome.media_id)).map(str::to_string);
                key.and_then(|key| servers.vault.contents(BUCKET, &key))
            }
            "apifansly" => servers.apifansly.contents(&id(&outcome.media_id)),
            _ => servers.store.contents(BUCKET, &id(&outcome.key)),
        };
        found.unwrap_or_else(|| panic!("nothing is stored for {outcome:?}"))
    }

    /// Proves that the destination has exactly the upload's file, and gives the result.
    ///
    /// # Panics
    /// Where it hasn't.
    #[track_caller]
    pub fn stored(&self, handle: &Handle) -> UploadResult<SimPlatform> {
        let result = handle.done();
        proves(handle.file(), &self.pieces(&result));
        assert_eq!(result.bytes, handle.file().size());
        result
    }
}

/// Passes where the pieces are the file, from its first byte to its last.
///
/// # Panics
/// Where they aren't.
#[track_caller]
pub fn proves(file: &File, pieces: &[Content]) {
    match (file.id(), file.bytes()) {
        (_, Some(bytes)) => {
            let stored: Vec<u8> = pieces.iter().flat_map(|piece| piece.held().unwrap_or(&[]).to_vec()).collect();
            assert!(stored == bytes, "{} bytes are stored, and not those of the file", stored.len());
        }
        (Some(id), None) => {
            assert_eq!(tile(pieces), Some(Tile { file: id, start: 0, size: file.size() }), "{pieces:?}");
        }
        (None, None) => unreachable!("a file is symbolic or has bytes"),
    }
}
