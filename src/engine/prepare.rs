//! What comes before anything is sent: the checks, and the bytes that are sent.

use super::record::Resumed;
use super::run::Run;
use crate::context::integrity;
use crate::error::{Code, Result, Retry, Step, UploadError};
use crate::model::session::{Phase, Progressed};
use crate::model::settings::Integrity;
use crate::platform::Platform;
use crate::util::hex::hex;

/// Checks the picked file and the settings before anything is sent.
pub(super) fn check<P: Platform>(run: &Run<P>) -> Result<()> {
    let (cx, file) = (&run.cx, run.cx.source.picked());
    if !cx.source.is_untransformed() {
        check_size(run, file.size)?;
    }
    run.provider.accept().check(&cx.settings.accept, &file.name, file.known_type(), file.size)?;
    let can = &run.capabilities;
    let proves = can.etags_are_md5s || can.answers_checksums;
    if cx.settings.integrity == Integrity::Require && !proves {
        return Err(integrity::unprovable().at(Step::Check));
    }
    Ok(())
}

fn check_size<P: Platform>(run: &Run<P>, size: u64) -> Result<()> {
    if size > 0 || run.capabilities.takes_empty {
        return Ok(());
    }
    Err(UploadError::new(Code::FileRejected, "The file is empty; this destination needs at least 1 byte.")
        .at(Step::Check)
        .hint(text!("Pick another file: the `{}` destination can't send an empty one.", run.provider.name())))
}

/// Gets the bytes that are sent: those of the picked file, or what the application's `transform` makes of them.
pub(super) async fn prepare<P: Platform>(run: &Run<P>) -> Result<()> {
    let cx = &run.cx;
    if cx.source.is_prepared() {
        return Ok(());
    }
    cx.transform().await?;
    cx.wait_while_paused().await;
    check_size(run, cx.file().size)?;
    if cx.is_small() && run.repeats_small() {
        return Ok(());
    }
    let readable = if cx.is_small() {
        cx.copy().await
    } else {
        integrity::sample(cx).await.map(|sample| {
            cx.digests.set_sample(sample);
            sample.is_some()
        })
    };
    if readable.map_err(|error| error.at(Step::Check))? {
        return Ok(());
    }
    Err(UploadError::new(Code::FileUnreadable, "The browser can't read the file.")
        .at(Step::Check)
        .hint("It may have been moved, or the browser may have no access to its folder. Pick the file again."))
}

/// Goes on with those parts that are the same in what this page sends. Where every part is uploaded, nothing is sent.
///
/// # Errors
/// `file-changed` with a restart, if the application's `transform` makes other bytes than it made for an earlier page.
pub(super) async fn with_the_same_bytes<P: Platform>(run: &Run<P>, restored: Resumed<P>) -> Result<Resumed<P>> {
    let cx = &run.cx;
    let is_whole = restored.progressed.uploaded.len() == restored.session.plan().parts().len();
    if is_whole || restored.progressed.phase == Phase::Settling || cx.source.is_at_hand() {
        return Ok(restored);
    }
    prepare(run).await?;
    if cx.source.is_picked() {
        return Ok(restored);
    }
    let Resumed { session, progressed: Progressed { phase, uploaded } } = restored;
    let plan = session.plan();
    let mut same = cx.file().size == plan.size();
    let mut kept = Vec::new();
    for uploaded in uploaded {
        // One without an MD5 is sent again.
        let Some(saved) = uploaded.md5.as_ref().filter(|_| same) else { continue };
        cx.wait_while_paused().await;
        let md5 = integrity::md5_of(cx, uploaded.part.range).await.map_err(|error| error.at(Step::Check))?;
        same = md5.is_some_and(|md5| hex(&md5) == *saved) || broken!(MixedOutputs);
        kept.push(uploaded);
    }
    if !same {
        return Err(UploadError::new(
            Code::FileChanged,
            "`transform` made other bytes than it made for an earlier page.",
        )
        .at(Step::Check)
        .retry(Retry::Restart));
    }
    Ok(Resumed { session, progressed: Progressed { phase, uploaded: kept } })
}
