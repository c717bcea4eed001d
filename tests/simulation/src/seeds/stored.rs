//! What a story has stored, and which calls open an upload.

use partway_models::content::{Content, tile};

use super::destination::Destination;
use super::stage::{History, Stage};
use crate::check::is_file;
use crate::servers::BUCKET;

/// How often a file is at its destination.
pub(crate) fn stored(stage: &Stage, history: &History) -> usize {
    let servers = stage.world.servers();
    let sent = stage.world.sent_files(&history.file);
    let is_it = |pieces: &[Content]| {
        sent.iter().any(|file| match file.id() {
            Some(id) => tile(pieces).is_some_and(|tile| tile.file == id),
            None => is_file(file, pieces).is_ok(),
        })
    };
    match stage.scenario.destination {
        Destination::Ofauth => servers.ofauth.entries().into_iter().filter(|pieces| is_it(pieces)).count(),
        Destination::Apifansly => {
            servers.apifansly.entries().into_iter().filter(|content| is_it(std::slice::from_ref(*content))).count()
        }
        Destination::Onlymonster => {
            let keys = servers.onlymonster.exported_keys();
            keys.into_iter()
                .filter(|key| servers.vault.contents(BUCKET, key).is_some_and(|pieces| is_it(&pieces)))
                .count()
        }
        Destination::Form => {
            servers.form.entries().into_iter().filter(|content| is_it(std::slice::from_ref(*content))).count()
        }
        Destination::S3 | Destination::Plan | Destination::Policy => {
            servers.store.entries(BUCKET).into_iter().filter(|(_, pieces)| is_it(pieces)).count()
        }
    }
}

/// Whether bytes of a file were changed on the way.
pub(crate) fn was_damaged(stage: &Stage, history: &History) -> bool {
    let log = stage.world.log();
    let numbers: Vec<usize> = history.attempts.iter().map(|attempt| attempt.handle.number()).collect();
    log.records.iter().any(|record| record.damaged && numbers.contains(&record.upload))
}

/// Calls that open an upload.
pub(crate) const OPENS: [&str; 4] = ["ofauth:init", "onlymonster:start", "store:CreateMultipartUpload", "plan:open"];
