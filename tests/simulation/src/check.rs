//! What must hold in any story, and what proves that a file arrived.

use partway::model::events::{Event, Status, UploadResult};
use partway::model::progress::Progress;
use partway_models::content::{Content, Tile, tile};

use crate::file::File;
use crate::handle::Handle;
use crate::servers::BUCKET;
use crate::world::World;
use serde_json::Value;

/// Ends the function with a sentence where something doesn't hold.
macro_rules! ensure {
    ($holds:expr, $($sentence:tt)+) => {
        let holds: bool = $holds;
        if !holds {
            return Err(format!($($sentence)+));
        }
    };
}
pub(crate) use ensure;

/// Checks a story that has come to its end.
pub(crate) fn story(world: &World, handles: &[Handle]) -> Result<(), String> {
    for handle in handles {
        upload(world, handle).map_err(|broken| format!("upload {}: {broken}", handle.number()))?;
        let (lane, slots) = handle.lane();
        let most = world.log().most(lane);
        ensure!(most <= *slots, "{most} requests with file bytes at once, {slots} are allowed");
    }
    let log = world.log();
    ensure!(log.violations.is_empty(), "{}", log.violations.join("; "));
    ensure!(log.running() == 0, "requests run on after the end");
    let left = world.core.executor.alive(world.core.page.get());
    ensure!(left == 0, "{left} tasks of the engine wait for ever");
    let taken: usize = world.engines.borrow().iter().map(|engine| engine.taken()).sum();
    ensure!(taken == 0, "{taken} slots or places were never given back");
    let running = world.shared.borrow().rate_limiters.running();
    ensure!(running == 0, "{running} calls still count as under way");
    Ok(())
}

/// Checks what an upload told.
fn upload(world: &World, handle: &Handle) -> Result<(), String> {
    let events = handle.events();
    let ends = events.iter().filter(|(_, event)| matches!(event, Event::Complete(_) | Event::Error(_))).count();
    let cut_off = handle.is_gone() && ends == 0;
    ensure!(ends == 1 || cut_off, "it ended {ends} times");
    let last = events.last().map(|(_, event)| event);
    ensure!(cut_off || matches!(last, Some(Event::Complete(_) | Event::Error(_))), "the end isn't its last word");
    statuses(handle, cut_off)?;
    progress(world, handle)
}

fn statuses(handle: &Handle, cut_off: bool) -> Result<(), String> {
    let statuses = handle.statuses();
    let terminal = |status: &Status| matches!(status, Status::Done | Status::Failed | Status::Cancelled);
    let ends = statuses.iter().filter(|status| terminal(status)).count();
    if !cut_off {
        let end = match handle.result() {
            Some(Ok(_)) => Status::Done,
            Some(Err(error)) if error.code == partway::error::Code::Cancelled => Status::Cancelled,
            _ => Status::Failed,
        };
        ensure!(statuses.last() == Some(&end), "the last status isn't {end:?}: {statuses:?}");
        ensure!(ends == 1, "{ends} terminal statuses: {statuses:?}");
    }
    ensure!(statuses.windows(2).all(|pair| pair[0] != pair[1]), "a status told twice: {statuses:?}");
    ensure!(statuses.iter().rev().skip(1).all(|status| !terminal(status)), "it went on after its end: {statuses:?}");
    Ok(())
}

fn progress(world: &World, handle: &Handle) -> Result<(), String> {
    let picked = handle.file();
    let sizes: Vec<u64> = world.sent_files(picked).iter().chain([picked]).map(File::size).collect();
    let mut before: Option<Progress> = None;
    for (_, event) in handle.events().iter() {
        let Event::Progress(progress) = event else { continue };
        ensure!(sizes.contains(&progress.total), "the total isn't the file's: {progress:?}");
        ensure!(
            progress.sent <= progress.total && (0.0..=1.0).contains(&progress.fraction),
            "out of bounds: {progress:?}"
        );
        ensure!(progress.parts_done <= progress.parts_total, "more done than there is: {progress:?}");
        ensure!(progress.parts_in_flight as usize <= handle.lane().1, "more in flight than slots: {progress:?}");
        ensure!(progress.rate.is_none_or(|rate| rate.is_finite() && rate >= 0.0), "no rate: {progress:?}");
        ensure!(progress.eta.is_none_or(|eta| eta.is_finite() && eta >= 0.0), "no time: {progress:?}");
        if let Some(before) = &before {
            ensure!(progress.sent >= before.sent, "progress fell from {} to {}", before.sent, progress.sent);
            ensure!(progress.processing >= before.processing, "processing fell: {before:?}, {progress:?}");
        }
        before = Some(progress.clone());
    }
    if let (Some(Ok(_)), Some(last)) = (handle.result(), before) {
        ensure!((last.sent, last.fraction) == (last.total, 1.0), "a finished upload hasn't sent all: {last:?}");
        ensure!((last.parts_done, last.parts_in_flight) == (last.parts_total, 0), "parts are missing: {last:?}");
    }
    Ok(())
}

impl World {
    /// Finds by an upload's result what the destination stored for it.
    ///
    /// # Panics
    /// Where the result names nothing that is there.
    #[track_caller]
    pub fn pieces(&self, result: &UploadResult<Value>) -> Vec<Content> {
        self.try_pieces(result).unwrap_or_else(|broken| panic!("{broken}"))
    }

    /// The same, with what is wrong as a sentence.
    ///
    /// # Errors
    /// The result names nothing that is there.
    pub fn try_pieces(&self, result: &UploadResult<Value>) -> Result<Vec<Content>, String> {
        let outcome = &result.outcome;
        let servers = self.servers();
        let id = |id: &Option<String>| id.clone().ok_or_else(|| format!("{} gave no id", result.provider));
        let found = match result.provider {
            // Found by its check, it has no reference of its own.
            "ofauth" => servers.ofauth.contents(&id(match &outcome.media_upload_id {
                None => &outcome.media_id,
                some => some,
            })?),
            "onlymonster" => {
                let key = servers.onlymonster.object_key(&id(&outcome.media_id)?).map(str::to_string);
                key.and_then(|key| servers.vault.contents(BUCKET, &key))
            }
            "apifansly" => servers.apifansly.contents(&id(&outcome.media_id)?),
            "form" if outcome.media_id.is_some() => servers.form.contents(&id(&outcome.media_id)?),
            "s3" | "plan" | "form" => servers.store.contents(BUCKET, &id(&outcome.key)?),
            other => return Err(format!("where {other} stores a file isn't said here")),
        };
        found.ok_or_else(|| format!("nothing is stored for {outcome:?}"))
    }

    /// Proves that the destination has exactly the upload's file, or what `transform` made of it once, and gives the result.
    ///
    /// # Panics
    /// Where it hasn't.
    #[track_caller]
    pub fn stored(&self, handle: &Handle) -> UploadResult<Value> {
        let result = handle.done();
        if let Err(broken) = self.has_arrived(handle.file(), &result) {
            panic!("{broken}");
        }
        result
    }
}

impl World {
    /// Checks that the destination has exactly the picked file, or what `transform` made of it once.
    ///
    /// # Errors
    /// What it has instead.
    pub fn has_arrived(&self, picked: &File, result: &UploadResult<Value>) -> Result<(), String> {
        let (pieces, sent) = (self.try_pieces(result)?, self.sent_files(picked));
        let outcomes = sent.iter().map(|file| (file, is_file(file, &pieces)));
        let mut broken = String::new();
        for (file, outcome) in outcomes {
            match outcome {
                Ok(()) => {
                    ensure!(result.bytes == file.size(), "the result's size isn't the file's");
                    return Ok(());
                }
                Err(other) => broken = other,
            }
        }
        Err(broken)
    }
}

/// Passes where the pieces are the file, from its first byte to its last.
///
/// # Panics
/// Where they aren't.
#[track_caller]
pub fn proves(file: &File, pieces: &[Content]) {
    if let Err(broken) = is_file(file, pieces) {
        panic!("{broken}");
    }
}

/// The same, with what is wrong as a sentence.
///
/// # Errors
/// The pieces aren't the file.
pub fn is_file(file: &File, pieces: &[Content]) -> Result<(), String> {
    match (file.id(), file.bytes()) {
        (_, Some(bytes)) => {
            let stored: Vec<u8> = pieces.iter().flat_map(|piece| piece.held().unwrap_or(&[]).to_vec()).collect();
            ensure!(stored == bytes, "{} bytes are stored, and not those of the file", stored.len());
        }
        (id, None) => {
            let whole = id.map(|id| Tile { file: id, start: 0, size: file.size() });
            ensure!(tile(pieces) == whole, "what is stored isn't the file: {pieces:?}");
        }
    }
    Ok(())
}
