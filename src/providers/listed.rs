//! What a store says it has of an upload that is gone on with, held against what was kept and against the file.

use crate::engine::events::SentPart;
use crate::engine::job::Job;
use crate::engine::record::Resumed;
use crate::engine::send::Arrived;
use crate::integrity::{self, Verdict};
use crate::numbered::Numbered;
use crate::platform::Platform;
use crate::providers::Receipt;
use crate::settings::Integrity;

/// A part that the store has.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) number: u32,
    pub(crate) size: u64,
    pub(crate) etag: String,
}

/// Puts right which parts have arrived. One counts that the store has in the right size and that was kept with this ETag, or
/// whose bytes in the file have this ETag as their MD5; every other one is sent (again).
pub(crate) async fn reconcile<P: Platform>(job: &Job<P>, resumed: &mut Resumed<P>, listed: Vec<Listed>, md5s: bool) {
    let mut store = Numbered::default();
    listed.into_iter().for_each(|part| store.insert(part.number, part));
    let mut known = Numbered::default();
    resumed.arrived.drain(..).for_each(|arrived| known.insert(arrived.part.number, arrived));
    for part in resumed.session.plan.parts() {
        let Some(there) = store.remove(part.number).filter(|there| there.size == part.range.len()) else { continue };
        let same = |arrived: &Arrived<P>| arrived.part.etag.as_deref().is_some_and(|etag| bare(etag) == bare(&there.etag));
        if let Some(arrived) = known.remove(part.number).filter(same) {
            resumed.arrived.push(arrived);
            continue;
        }
        let checkable = md5s && job.settings.integrity != Integrity::Off && integrity::is_md5(&there.etag);
        let md5 = if checkable { integrity::md5_of(job, part.range).await } else { None };
        if integrity::verdict(Some(&there.etag), md5) == Verdict::Same {
            let etag = Some(there.etag);
            resumed.arrived.push(Arrived {
                part: SentPart {
                    number: part.number,
                    range: part.range,
                    etag: etag.clone(),
                    attempts: 0,
                    verified: true,
                },
                receipt: Receipt { number: part.number, etag, reply: None },
            });
        }
    }
}

/// Stores list ETags with quotes or without.
fn bare(etag: &str) -> &str {
    etag.trim().trim_matches('"')
}
