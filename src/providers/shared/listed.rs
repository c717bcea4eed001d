//! Compares the parts that a store lists for a saved upload with the record and with the file.

use futures::future::LocalBoxFuture;

use crate::context::Context;
use crate::context::integrity::{self, Verdict, checksum};
use crate::error::{Result, Step};
use crate::model::plan::{Part, Plan};
use crate::model::session::UploadedPart;
use crate::model::settings::Integrity;
use crate::platform::{Platform, Wanted, yield_after};
use crate::util::ordered;

/// A part that the store lists.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) number: u32,
    pub(crate) size: u64,
    pub(crate) etag: String,
    /// Its checksum as S3 writes it, if the store says one.
    pub(crate) checksum: Option<String>,
}

/// What proves that a part that wasn't saved has the file's bytes.
#[derive(Clone, Copy)]
pub(crate) enum By<'a> {
    /// Its ETag, if the store's `md5s` may be that, or the CRC64NVME that the store computed by itself; nothing, if `integrity` is "off".
    Etags {
        /// Whether the store's ETags may be MD5s.
        md5s: bool,
    },
    /// The checksum that each part was sent with, and that completing names. The function gives that of a part's bytes in the file.
    Checksums(&'a dyn Fn(&'a Part) -> LocalBoxFuture<'a, Result<Option<String>>>),
}

/// A part of the plan that the store has in the right size.
#[derive(Debug)]
struct Stored<'a, J> {
    part: &'a Part,
    listed: Listed,
    /// The part as it was saved, if the store still has what was saved.
    saved: Option<UploadedPart<J>>,
}

impl<J> Stored<'_, J> {
    /// The part as one that is uploaded, since the store has its bytes. `checksum` is theirs, unless their MD5 proved it.
    fn adopted(self, checksum: Option<String>) -> UploadedPart<J> {
        let mut adopted = UploadedPart::from_saved(self.part, Some(self.listed.etag), true, None);
        adopted.receipt.checksum = checksum;
        adopted
    }
}

/// The parts of the plan that the store lists in the right size, in order.
fn stored<'a, J: 'a>(
    plan: &'a Plan,
    saved: Vec<UploadedPart<J>>,
    listed: Vec<Listed>,
) -> impl Iterator<Item = Stored<'a, J>> {
    let mut listed = Ascending::new(listed, |part| part.number);
    let mut saved = Ascending::new(saved, |uploaded| uploaded.part.number);
    plan.parts().iter().filter_map(move |part| {
        let listed = listed.take(part.number);
        let saved = saved.take(part.number);
        let listed = listed.filter(|listed| listed.size == part.range.len())?;
        Some(Stored { part, saved: saved.and_then(|saved| confirmed(saved, &listed)), listed })
    })
}

/// A part as it was saved, if the store lists its ETag, and no other checksum than its own.
fn confirmed<J>(mut saved: UploadedPart<J>, listed: &Listed) -> Option<UploadedPart<J>> {
    saved.part.etag.as_deref().filter(|etag| integrity::same(etag, &listed.etag))?;
    if let (Some(own), Some(said)) = (&saved.receipt.checksum, &listed.checksum)
        && checksum::is_crc64(own) == checksum::is_crc64(said)
    {
        if own != said {
            return None;
        }
        saved.part.verified = true;
    }
    Some(saved)
}

/// The parts of the plan that are uploaded: the store has each in the right size, and it was saved with this ETag, or its bytes in the
/// file have this ETag as their MD5, or the checksum that the store says. Every other one is sent again.
///
/// # Errors
/// `file-unreadable`, where the file can't be read in time.
pub(crate) async fn reconcile<'a, P: Platform>(
    cx: &'a Context<P>,
    plan: &'a Plan,
    saved: Vec<UploadedPart<P::Json>>,
    listed: Vec<Listed>,
    by: By<'a>,
) -> Result<Vec<UploadedPart<P::Json>>> {
    let mut uploaded = Vec::new();
    for (mut stored, done) in stored(plan, saved, listed).zip(1..) {
        yield_after(&cx.platform, done).await;
        match (stored.saved.take(), by) {
            (Some(saved), By::Etags { .. }) => uploaded.push(saved),
            (Some(saved), By::Checksums(_)) if saved.receipt.checksum.is_some() => uploaded.push(saved),
            (_, By::Checksums(own)) => {
                if stored.listed.checksum.is_some() && cx.source.is_at_hand() {
                    let own = own(stored.part).await?;
                    if own == stored.listed.checksum {
                        uploaded.push(stored.adopted(own));
                    }
                }
            }
            (None, By::Etags { .. }) if cx.settings.integrity == Integrity::Off => (),
            (None, By::Etags { md5s }) => uploaded.extend(adopt(cx, stored, md5s).await?),
        }
    }
    Ok(uploaded)
}

/// A part that wasn't saved, if its bytes in the file are those that the store has.
async fn adopt<P: Platform>(
    cx: &Context<P>,
    stored: Stored<'_, P::Json>,
    md5s: bool,
) -> Result<Option<UploadedPart<P::Json>>> {
    let Listed { etag, checksum: said, .. } = &stored.listed;
    let may_prove = cx.etags.wanted();
    let wanted = Wanted {
        md5: may_prove.md5 && md5s && integrity::is_md5(etag),
        crc64: may_prove.crc64 && said.as_deref().is_some_and(checksum::is_crc64),
    };
    if wanted == Wanted::default() {
        return Ok(None);
    }
    let digests = integrity::digests_of(cx, stored.part.range, wanted).await.map_err(|error| error.at(Step::Check))?;
    let digests = digests.unwrap_or_default();
    let verdict = integrity::verdict(Some(etag), digests.md5.filter(|_| wanted.md5));
    if verdict == Verdict::Same {
        cx.etags.set_md5s();
        return Ok(Some(stored.adopted(None)));
    }
    let own = digests.crc64.filter(|_| wanted.crc64).map(checksum::of_crc64);
    if own.is_none() || (own != *said && !broken!(UncheckedList)) {
        return Ok(None);
    }
    if verdict == Verdict::Differs {
        // The bytes are right, so the ETag isn't their MD5.
        cx.etags.set_meaningless();
    }
    Ok(Some(stored.adopted(own)))
}

/// Numbered things, taken in ascending order: each is looked at once, however many there are and in whatever order they came.
struct Ascending<T> {
    /// The lowest is last.
    rest: Vec<T>,
    number: fn(&T) -> u32,
}

impl<T> Ascending<T> {
    fn new(mut list: Vec<T>, number: fn(&T) -> u32) -> Self {
        ordered::sort(&mut list, number);
        list.reverse();
        Self { rest: list, number }
    }

    /// One of that number; those before it are passed over.
    fn take(&mut self, number: u32) -> Option<T> {
        let of = self.number;
        let mut found = None;
        while self.rest.last().is_some_and(|item| of(item) <= number) {
            found = self.rest.pop();
        }
        found.filter(|item| of(item) == number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_there_is_found(list in proptest::collection::vec(0u32..50, 0..60), step in 1u32..5) {
            let mut ascending = Ascending::new(list.clone(), |number| *number);
            for number in (0..60).step_by(step as usize) {
                prop_assert_eq!(ascending.take(number), list.contains(&number).then_some(number));
            }
        }
    }

    #[test]
    fn things_are_found_whatever_else_there_is() {
        let mut list = Ascending::new(vec![7, 3, 3, 1, 9], |number| *number);
        assert_eq!([2, 3, 4, 7, 8, 10].map(|number| list.take(number)), [None, Some(3), None, Some(7), None, None]);
    }
}
