//! Digests of ranges of the file: by the platform's workers, or here where there are none.

use futures::FutureExt;
use futures::future::LocalBoxFuture;
use md5::{Digest, Md5};

use super::crc64;
use crate::context::Context;
use crate::error::Result;
use crate::model::plan::ByteRange;
use crate::platform::{Digests, Platform, Wanted};

/// Bytes hashed at a time on the page's own thread: it must not be busy for longer than 4 ms. (A choice, measured in V8: MD5 and
/// CRC64NVME, compiled for size, take less than 1 ms for them on a desktop machine; a phone is some times slower.)
const WINDOW: u64 = 1 << 18;

/// Digests of a range of the file; None if it can't be read.
///
/// # Errors
/// Those of [`Context::read`].
pub fn digests_of<P: Platform>(
    cx: &Context<P>,
    range: ByteRange,
    wanted: Wanted,
) -> LocalBoxFuture<'_, Result<Option<Digests>>> {
    // Woven into the futures of all its callers it is larger.
    digests(cx, range, wanted).boxed_local()
}

async fn digests<P: Platform>(cx: &Context<P>, range: ByteRange, wanted: Wanted) -> Result<Option<Digests>> {
    if !cx.source.is_at_hand() {
        return Ok(None);
    }
    let known = cx.digests.of(range);
    let missing = Wanted { md5: wanted.md5 && known.md5.is_none(), crc64: wanted.crc64 && known.crc64.is_none() };
    if missing == Wanted::default() {
        return Ok(Some(known));
    }
    let found = match in_worker(cx, range, missing).await {
        Some(digests) => Some(digests),
        None => on_page(cx, [range, ByteRange::new(range.end, range.end)], missing).await?,
    };
    let digests = found.map(|found| Digests { md5: found.md5.or(known.md5), crc64: found.crc64.or(known.crc64) });
    if let Some(digests) = digests {
        cx.digests.set(range, digests);
    }
    Ok(digests)
}

/// The MD5 of a range of the file; None if it can't be read.
///
/// # Errors
/// Those of [`Context::read`].
pub async fn md5_of<P: Platform>(cx: &Context<P>, range: ByteRange) -> Result<Option<[u8; 16]>> {
    Ok(digests_of(cx, range, Wanted::MD5).await?.and_then(|digests| digests.md5))
}

/// The digests, computed by a worker; None if there is none, or if it can't read the range, or makes no progress.
async fn in_worker<P: Platform>(cx: &Context<P>, range: ByteRange, wanted: Wanted) -> Option<Digests> {
    // A small file takes no longer here than on its way there.
    if cx.shared.workers_hang.get() || cx.is_small() {
        return None;
    }
    let mut digests = cx.platform.digest(&cx.file().blob, range, wanted);
    if broken!(EndlessDigest) {
        return digests.await;
    }
    let found = cx.until_stalled(digests.as_mut(), P::digest_progress).await;
    let first = ByteRange::new(range.start, range.end.min(range.start + 1));
    if found.is_none()
        && let Ok(Some(_)) = cx.read(first).await
        // The file can be read, so it is the worker that hangs, and would delay every part. Several parts find it out at once.
        && !cx.shared.workers_hang.replace(true)
    {
        cx.platform
            .warn("partway: the worker that hashes doesn't answer: files are hashed on the page itself from now on.");
    }
    found.flatten()
}

/// Bytes of the file's head and of its tail that are compared to notice a change. (A choice: a video that is cut or rewritten differs
/// there, and reading them takes no time.)
const SAMPLE: u64 = 64 << 10;

/// The MD5 of the file's head and tail; None if they can't be read.
///
/// # Errors
/// Those of [`Context::read`].
pub async fn sample<P: Platform>(cx: &Context<P>) -> Result<Option<[u8; 16]>> {
    let size = cx.file().size;
    let (head, tail) = (ByteRange::new(0, SAMPLE.min(size)), ByteRange::new(size.saturating_sub(SAMPLE), size));
    Ok(on_page(cx, [head, tail], Wanted::MD5).await?.and_then(|digests| digests.md5))
}

/// Reads a range of the file window by window, so that the page can do something else in between: `each` gets a window and its bytes.
/// Returns whether all could be read.
///
/// # Errors
/// Those of [`Context::read`].
pub(crate) async fn read_windows<P: Platform>(
    cx: &Context<P>,
    range: ByteRange,
    mut each: impl FnMut(ByteRange, &[u8]),
) -> Result<bool> {
    let mut at = range.start;
    while at < range.end {
        let window = ByteRange::new(at, (at + WINDOW).min(range.end));
        let Some(bytes) = cx.read(window).await? else { return Ok(false) };
        each(window, &bytes);
        at = window.end;
    }
    Ok(true)
}

/// The digests of two ranges, one after the other, computed here.
async fn on_page<P: Platform>(cx: &Context<P>, ranges: [ByteRange; 2], wanted: Wanted) -> Result<Option<Digests>> {
    let (mut md5, mut crc64) = (Md5::new(), 0);
    for range in ranges {
        let hash = |window: ByteRange, bytes: &[u8]| {
            if wanted.md5 {
                md5.update(bytes);
            }
            if wanted.crc64 {
                crc64 = crc64::combined(crc64, crc64::of(bytes), window.len());
            }
        };
        if !read_windows(cx, range, hash).await? {
            return Ok(None);
        }
    }
    Ok(Some(Digests { md5: wanted.md5.then(|| md5.finalize().into()), crc64: wanted.crc64.then_some(crc64) }))
}
