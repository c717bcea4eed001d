//! The plan as the application gives it, checked before anything is sent.

use crate::http::Method;
use crate::json::{Pairs, decoded};
use crate::model::plan::{ByteRange, Part, Plan};
use crate::util::text;
use crate::util::time::parse_iso;

decoded! {
    /// As the application gives it: `UploadPlan` of the public types.
    #[derive(Debug)]
    pub(super) struct Given {
        pub(super) upload_id: Option<String> = "uploadId",
        pub(super) key: Option<String> = "key",
        expires_at: Option<String> = "expiresAt",
        method: Option<String> = "method",
        headers: Option<Pairs> = "headers",
        etags: Option<String> = "etags",
        parts: Vec<GivenPart> = "parts",
    }

    #[derive(Debug)]
    struct GivenPart {
        part_number: u32 = "partNumber",
        upload_url: Option<String> = "uploadUrl",
        byte_range: GivenRange = "byteRange",
    }

    /// Inclusive, as on the wire.
    #[derive(Debug)]
    struct GivenRange {
        start: u64 = "start",
        end: u64 = "end",
    }

    /// What `list` gives for a part.
    #[derive(Debug)]
    pub(super) struct Have {
        pub(super) part_number: u32 = "partNumber",
        pub(super) size: u64 = "size",
        pub(super) etag: String = "etag",
    }

    /// What `sign` gives for a part.
    #[derive(Debug)]
    pub(super) struct Signed {
        pub(super) part_number: u32 = "partNumber",
        pub(super) upload_url: String = "uploadUrl",
        pub(super) headers: Option<Pairs> = "headers",
    }
}

/// How the parts of a plan are sent.
#[derive(Debug)]
pub(super) struct Manner {
    pub(super) method: Method,
    pub(super) headers: Vec<(String, String)>,
    pub(super) etags_required: bool,
    /// When the plan's URLs lapse, where they don't say so themselves.
    pub(super) expires_at: Option<u64>,
}

impl Default for Manner {
    fn default() -> Self {
        Self { method: Method::Put, headers: Vec::new(), etags_required: false, expires_at: None }
    }
}

impl Given {
    /// The plan for a file of `size` bytes, and how it is sent. `completes`: there is a `complete`.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub(super) fn checked(&self, size: u64, completes: bool) -> Result<(Plan, Manner), String> {
        let method = match self.method.as_deref() {
            None | Some("PUT") => Method::Put,
            Some("POST") => Method::Post,
            Some(other) => return Err(text::concat(&["The plan's `method` is ", other, "; it may be PUT or POST."])),
        };
        let etags_required = match self.etags.as_deref() {
            None => self.upload_id.is_some() && completes,
            Some("required") => true,
            Some("optional") => false,
            Some(_) => return Err("The plan's `etags` may be \"required\" or \"optional\".".into()),
        };
        let expires_at = self.expires_at.as_deref().and_then(parse_iso);
        if self.expires_at.is_some() && expires_at.is_none() {
            return Err("The plan's `expiresAt` is no ISO 8601 time.".into());
        }
        let mut parts = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            let Some(range) = ByteRange::from_inclusive(part.byte_range.start, part.byte_range.end) else {
                return Err(text::concat(&[
                    "Part ",
                    &text::number(part.part_number.into()),
                    " ends before it starts.",
                ]));
            };
            parts.push(Part { number: part.part_number, range, url: part.upload_url.clone() });
        }
        let plan = Plan::checked(size, parts)?;
        let headers = self.headers.clone().unwrap_or_default().0;
        Ok((plan, Manner { method, headers, etags_required, expires_at }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn given(parts: &[(u32, u64, u64)]) -> Given {
        let parts = parts.iter().map(|&(part_number, start, end)| GivenPart {
            part_number,
            upload_url: None,
            byte_range: GivenRange { start, end },
        });
        Given {
            upload_id: None,
            key: None,
            expires_at: None,
            method: None,
            headers: None,
            etags: None,
            parts: parts.collect(),
        }
    }

    #[test]
    fn a_plan_that_covers_the_file_is_taken() {
        let (plan, manner) = given(&[(1, 0, 4), (2, 5, 9)]).checked(10, true).unwrap();
        assert_eq!(plan.parts()[1].range, ByteRange::new(5, 10));
        assert_eq!((manner.method, manner.etags_required, manner.expires_at), (Method::Put, false, None));
    }

    #[test]
    fn etags_are_required_where_parts_are_put_together() {
        let with = |upload_id: Option<&str>, etags: Option<&str>, completes| {
            let plan =
                Given { upload_id: upload_id.map(Into::into), etags: etags.map(Into::into), ..given(&[(1, 0, 9)]) };
            plan.checked(10, completes).unwrap().1.etags_required
        };
        assert!(with(Some("id"), None, true));
        assert!(!with(Some("id"), None, false));
        assert!(!with(None, None, true));
        assert!(!with(Some("id"), Some("optional"), true));
        assert!(with(None, Some("required"), false));
    }

    proptest! {
        #[test]
        fn a_plan_of_any_numbers_is_taken_only_where_it_covers_the_file(
            size in 1u64..1 << 53,
            parts in proptest::collection::vec((any::<u32>(), any::<u64>(), any::<u64>()), 0..10),
            texts in proptest::collection::vec(proptest::option::of("(PUT|POST|required|optional|2026-01-01T00:00:00Z|\\PC{0,20})"), 3),
            whole: bool,
        ) {
            let mut given = given(&parts);
            if whole {
                given.parts = vec![GivenPart { part_number: 1, upload_url: None, byte_range: GivenRange { start: 0, end: size - 1 } }];
            }
            (given.method, given.etags, given.expires_at) = (texts[0].clone(), texts[1].clone(), texts[2].clone());
            if let Ok((plan, _)) = given.checked(size, true) {
                prop_assert_eq!(plan.parts().iter().map(|part| part.range.len()).sum::<u64>(), size);
            }
        }
    }

    #[test]
    fn what_cannot_be_sent_is_refused() {
        let plan = || given(&[(1, 0, 9)]);
        for (plan, why) in [
            (given(&[(1, 0, 8)]), "covers 9"),
            (given(&[(1, 9, 0)]), "ends before"),
            (given(&[(1, 0, u64::MAX)]), "ends before"),
            (Given { method: Some("PATCH".into()), ..plan() }, "`method`"),
            (Given { etags: Some("maybe".into()), ..plan() }, "`etags`"),
            (Given { expires_at: Some("soon".into()), ..plan() }, "`expiresAt`"),
        ] {
            let error = plan.checked(10, true).unwrap_err();
            assert!(error.contains(why), "{error} should say {why}");
        }
    }
}
