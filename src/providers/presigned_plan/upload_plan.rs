//! `UploadPlan` of the public types: the plan as the application gives it, checked before anything is sent.

use crate::http::Method;
use crate::json::{Decode, FirstMismatch, Items, Json, JsonBuilder, Kind, Mismatch, Object, StringMap, decoded};
use crate::model::plan::{ByteRange, Part, Plan};
use crate::util::time::parse_iso;

decoded! {
    /// The members of the plan that Partway reads: the application may have added others.
    #[derive(Debug)]
    pub(super) struct UploadPlan {
        pub(super) upload_id: Option<String> = "uploadId",
        pub(super) key: Option<String> = "key",
        expires_at: Option<String> = "expiresAt",
        method: Option<String> = "method",
        headers: Option<StringMap> = "headers",
        etags: Option<String> = "etags",
    }

    /// An item of the plan's `parts`.
    #[derive(Debug)]
    pub(super) struct PlanPart {
        part_number: PartNumber = "partNumber",
        upload_url: Option<String> = "uploadUrl",
        byte_range: InclusiveRange = "byteRange",
    }

    /// `end` is the last byte.
    #[derive(Clone, Copy, Debug)]
    struct InclusiveRange {
        start: u64 = "start",
        end: u64 = "end",
    }
}

/// A part's number, from 1.
#[derive(Debug)]
pub(super) struct PartNumber(u32);

impl<J: Json> Decode<J> for PartNumber {
    fn read(json: Option<&J>, mismatch: &mut FirstMismatch) -> Self {
        let number = u32::decode(json).unwrap_or_default();
        if number == 0 {
            let kind = Kind::of(json);
            let found = if matches!(kind, Kind::Number(_)) { "another number" } else { kind.name() };
            mismatch.note_found("a whole number from 1", found);
        }
        Self(number)
    }
}

/// The plan's `parts`, which may be thousands: they are decoded one by one.
pub(super) struct PartList<J>(pub(super) Vec<J>);

impl<J: Json> Decode<J> for PartList<J> {
    fn read(json: Option<&J>, mismatch: &mut FirstMismatch) -> Self {
        let Items(items) = Object::of(json, mismatch).field("parts");
        Self(items)
    }
}

impl PlanPart {
    /// One of the plan's `parts`.
    pub(super) fn of<J: Json>(item: &J) -> Result<Self, Mismatch> {
        Self::decode(Some(item)).map_err(|mismatch| mismatch.within("[]").within("parts"))
    }

    /// With only the members that define its range, so without a URL.
    pub(super) fn without_url(&self) -> JsonBuilder<'static> {
        let InclusiveRange { start, end } = self.byte_range;
        let range = JsonBuilder::Object(vec![("start", start.into()), ("end", end.into())]);
        JsonBuilder::Object(vec![("partNumber", self.part_number.0.into()), ("byteRange", range)])
    }
}

/// How the parts of a plan are sent.
#[derive(Debug)]
pub(super) struct SendOptions {
    pub(super) method: Method,
    pub(super) headers: Vec<(String, String)>,
    pub(super) etags_required: bool,
    /// When the plan's URLs expire, if they don't say so themselves.
    pub(super) expires_at: Option<u64>,
}

impl UploadPlan {
    /// The plan for a file of `size` bytes, and how it is sent. `completes`: whether the application has a `complete`.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub(super) fn checked(
        &self,
        size: u64,
        completes: bool,
        given: Vec<PlanPart>,
    ) -> Result<(Plan, SendOptions), String> {
        let method = match self.method.as_deref() {
            None | Some("PUT") => Method::Put,
            Some("POST") => Method::Post,
            Some(other) => return Err(text!("The plan's `method` must be \"PUT\" or \"POST\", but is \"{}\".", other)),
        };
        let etags_required = match self.etags.as_deref() {
            None => self.upload_id.is_some() && completes,
            Some("required") => true,
            Some("optional") => false,
            Some(other) => {
                return Err(text!("The plan's `etags` must be \"required\" or \"optional\", but is \"{}\".", other));
            }
        };
        let expires_at =
            match &self.expires_at {
                Some(text) => {
                    let expires_at = parse_iso(text);
                    Some(expires_at.ok_or_else(|| {
                        text!("The plan's `expiresAt` must be an ISO 8601 time, but is \"{}\".", text)
                    })?)
                }
                None => None,
            };
        let mut parts = Vec::with_capacity(given.len());
        for part in given {
            let InclusiveRange { start, end } = part.byte_range;
            let Some(range) = ByteRange::from_inclusive(start, end) else {
                return Err(text!(
                    "`byteRange` of part {} ends before it starts: {} to {}.",
                    part.part_number.0,
                    start,
                    end
                ));
            };
            parts.push(Part { number: part.part_number.0, range, url: part.upload_url });
        }
        let plan = Plan::checked(size, parts)?;
        let headers = self.headers.clone().unwrap_or_default().0;
        Ok((plan, SendOptions { method, headers, etags_required, expires_at }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn given() -> UploadPlan {
        UploadPlan { upload_id: None, key: None, expires_at: None, method: None, headers: None, etags: None }
    }

    fn list(parts: &[(u32, u64, u64)]) -> Vec<PlanPart> {
        let parts = parts.iter().map(|&(part_number, start, end)| PlanPart {
            part_number: PartNumber(part_number),
            upload_url: None,
            byte_range: InclusiveRange { start, end },
        });
        parts.collect()
    }

    #[test]
    fn a_plan_that_covers_the_file_is_taken() {
        let (plan, options) = given().checked(10, true, list(&[(1, 0, 4), (2, 5, 9)])).unwrap();
        assert_eq!(plan.parts()[1].range, ByteRange::new(5, 10));
        assert_eq!((options.method, options.etags_required, options.expires_at), (Method::Put, false, None));
    }

    #[test]
    fn etags_are_required_where_parts_are_put_together() {
        let with = |upload_id: Option<&str>, etags: Option<&str>, completes| {
            let plan = UploadPlan { upload_id: upload_id.map(Into::into), etags: etags.map(Into::into), ..given() };
            plan.checked(10, completes, list(&[(1, 0, 9)])).unwrap().1.etags_required
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
            let (mut given, mut parts) = (given(), list(&parts));
            if whole {
                parts = vec![PlanPart { part_number: PartNumber(1), upload_url: None, byte_range: InclusiveRange { start: 0, end: size - 1 } }];
            }
            (given.method, given.etags, given.expires_at) = (texts[0].clone(), texts[1].clone(), texts[2].clone());
            if let Ok((plan, _)) = given.checked(size, true, parts) {
                prop_assert_eq!(plan.parts().iter().map(|part| part.range.len()).sum::<u64>(), size);
            }
        }
    }

    #[test]
    fn what_cannot_be_sent_is_refused() {
        for (plan, part, why) in [
            (given(), (1, 0, 8), "covers 9"),
            (given(), (1, 9, 0), "ends before"),
            (given(), (1, 0, u64::MAX), "ends before"),
            (UploadPlan { method: Some("PATCH".into()), ..given() }, (1, 0, 9), "`method`"),
            (UploadPlan { etags: Some("maybe".into()), ..given() }, (1, 0, 9), "`etags`"),
            (UploadPlan { expires_at: Some("soon".into()), ..given() }, (1, 0, 9), "`expiresAt`"),
        ] {
            let error = plan.checked(10, true, list(&[part])).unwrap_err();
            assert!(error.contains(why), "{error} should say {why}");
        }
    }
}
