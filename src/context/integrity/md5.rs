//! MD5s of ranges of the file.

use md5::{Digest, Md5};

use crate::context::Context;
use crate::error::Result;
use crate::model::plan::ByteRange;
use crate::platform::Platform;

/// Bytes hashed at a time: few enough that the page drops no frame (about 2 ms), enough that reading them is worth the call. (A
/// choice.)
const WINDOW: u64 = 1 << 20;

/// The MD5 of a range of the file; None if it can't be read.
///
/// # Errors
/// Those of [`Context::read`].
pub async fn md5_of<P: Platform>(cx: &Context<P>, range: ByteRange) -> Result<Option<[u8; 16]>> {
    let whole = range == ByteRange::new(0, cx.file.size);
    if let Some(known) = cx.digests.whole().filter(|_| whole) {
        return Ok(Some(known));
    }
    let md5 = hashed(cx, [range, ByteRange::new(range.end, range.end)]).await?;
    if whole && let Some(md5) = md5 {
        cx.digests.set_whole(md5);
    }
    Ok(md5)
}

/// Bytes of the file's head and of its tail that are compared to notice a change. (A choice: a video that is cut or rewritten differs
/// there, and reading them takes no time.)
const SAMPLE: u64 = 64 << 10;

/// The MD5 of the file's head and tail; None if they can't be read.
///
/// # Errors
/// Those of [`Context::read`].
pub fn sample<P: Platform>(cx: &Context<P>) -> impl Future<Output = Result<Option<[u8; 16]>>> {
    let size = cx.file.size;
    let (head, tail) = (ByteRange::new(0, SAMPLE.min(size)), ByteRange::new(size.saturating_sub(SAMPLE), size));
    hashed(cx, [head, tail])
}

/// The MD5 of two ranges, one after the other.
async fn hashed<P: Platform>(cx: &Context<P>, ranges: [ByteRange; 2]) -> Result<Option<[u8; 16]>> {
    let mut hash = Md5::new();
    for range in ranges {
        let mut at = range.start;
        while at < range.end {
            let window = ByteRange::new(at, (at + WINDOW).min(range.end));
            let Some(bytes) = cx.read(window).await? else { return Ok(None) };
            hash.update(bytes);
            at = window.end;
        }
    }
    Ok(Some(hash.finalize().into()))
}
