//! Compares the parts that a store lists for a saved upload with the record and with the file.

use crate::context::Context;
use crate::context::integrity::{self, Verdict};
use crate::error::{Result, Step};
use crate::model::plan::Plan;
use crate::model::session::UploadedPart;
use crate::model::settings::Integrity;
use crate::platform::Platform;
use crate::util::ordered;

/// A part that the store lists.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) number: u32,
    pub(crate) size: u64,
    pub(crate) etag: String,
}

/// The parts of the plan that are uploaded: the store has each in the right size, and it was saved with this ETag, or its bytes in the
/// file have this ETag as their MD5. Every other one is sent again. `md5s`: the store's ETags may be MD5s.
///
/// # Errors
/// `file-unreadable`, where the file can't be read in time.
pub(crate) async fn reconcile<P: Platform>(
    cx: &Context<P>,
    plan: &Plan,
    saved: Vec<UploadedPart<P::Json>>,
    listed: Vec<Listed>,
    md5s: bool,
) -> Result<Vec<UploadedPart<P::Json>>> {
    let mut listed = Ascending::new(listed, |part| part.number);
    let mut saved = Ascending::new(saved, |uploaded| uploaded.part.number);
    let mut uploaded = Vec::new();
    for part in plan.parts() {
        let stored = listed.take(part.number).filter(|stored| stored.size == part.range.len());
        let known = saved.take(part.number);
        let Some(stored) = stored else { continue };
        let same = |known: &UploadedPart<P::Json>| {
            known.part.etag.as_deref().is_some_and(|etag| integrity::same(etag, &stored.etag))
        };
        if let Some(known) = known.filter(same) {
            uploaded.push(known);
            continue;
        }
        let checkable = md5s && cx.settings.integrity != Integrity::Off && integrity::is_md5(&stored.etag);
        let md5 = if checkable { integrity::md5_of(cx, part.range).await } else { Ok(None) };
        let md5 = md5.map_err(|error| error.at(Step::Check))?;
        if integrity::verdict(Some(&stored.etag), md5) == Verdict::Same {
            uploaded.push(UploadedPart::from_saved(part, Some(stored.etag), true, None));
        }
    }
    Ok(uploaded)
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
