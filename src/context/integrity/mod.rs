//! Proof that what arrived is what was picked: the file's MD5s against the store's ETags.
//!
//! Bodies never pass through here: the file is read a second time, in small windows, while the browser sends it.

mod etag;
mod proof;
mod stores;

pub use etag::{bare, is_md5};
pub(crate) use etag::{is_of_md5s, same, strong};
pub use proof::Known;
pub(crate) use proof::{Doubt, Proof, asked, judge, unproven};
pub use stores::{Etags, Store, Stores};

use md5::{Digest, Md5};

use crate::context::Context;
use crate::error::Result;
use crate::model::plan::ByteRange;
use crate::platform::Platform;
use crate::util::hex::hex;

/// Bytes hashed at a time: small enough that no frame of the page is lost to it (about 2 ms), large enough that reading it is
/// worth the call. (A choice.)
const WINDOW: u64 = 1 << 20;

/// The MD5 of a range of the file; None where it can't be read.
///
/// # Errors
/// Those of [`Context::read`].
pub async fn md5_of<P: Platform>(cx: &Context<P>, range: ByteRange) -> Result<Option<[u8; 16]>> {
    let whole = range == ByteRange::new(0, cx.file.size);
    if let Some(known) = cx.md5.get().filter(|_| whole) {
        return Ok(Some(known));
    }
    let md5 = hashed(cx, [range, ByteRange::new(range.end, range.end)]).await?;
    if whole && md5.is_some() {
        cx.md5.set(md5);
    }
    Ok(md5)
}

/// Bytes of the file's head and of its tail that tell whether it is still the same. (A choice: a film that is cut or rewritten
/// differs there, and reading them takes no time.)
const SAMPLE: u64 = 64 << 10;

/// The MD5 of the file's head and tail; None where they can't be read.
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

/// What an ETag says about bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They are the ones.
    Same,
    /// They are others.
    Differs,
    /// Nothing: it is no MD5, or there is none, or the bytes weren't hashed.
    Unknown,
}

/// Holds an ETag against an MD5.
///
/// ```
/// use partway::context::integrity::{Verdict, verdict};
/// let md5 = *b"\xd4\x1d\x8c\xd9\x8f\x00\xb2\x04\xe9\x80\x09\x98\xec\xf8\x42\x7e";
/// assert_eq!(verdict(Some("\"d41d8cd98f00b204e9800998ecf8427e\""), Some(md5)), Verdict::Same);
/// assert_eq!(verdict(Some("\"abc-2\""), Some(md5)), Verdict::Unknown);
/// ```
pub fn verdict(etag: Option<&str>, md5: Option<[u8; 16]>) -> Verdict {
    let (Some(etag), Some(md5)) = (etag.filter(|etag| is_md5(etag)), md5) else { return Verdict::Unknown };
    if same(etag, &hex(&md5)) { Verdict::Same } else { Verdict::Differs }
}
