//! The ordered parts of a file, and the checks that a server's plan must pass.

use crate::util::ordered;

/// The most parts that a plan may have. S3 stops at 10,000 (AWS, "Amazon S3 multipart upload limits"); no vendor
/// publishes another figure. The limit keeps an absurd reply from filling the memory.
pub const MAX_PARTS: u64 = 100_000;

/// A half-open range of bytes: `start` is included, `end` isn't.
///
/// On the wire ranges are inclusive; [`ByteRange::from_inclusive`] and [`ByteRange::last`] are the only places that convert.
///
/// ```
/// use partway::model::plan::ByteRange;
/// let range = ByteRange::from_inclusive(0, 5_242_879).unwrap();
/// assert_eq!((range.len(), range.last()), (5_242_880, 5_242_879));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ByteRange {
    /// The first byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
}

impl ByteRange {
    /// The range from `start` to `end`, exclusive.
    pub const fn new(start: u64, end: u64) -> Self {
        Self { start, end }
    }

    /// The range of an inclusive wire range. None if it ends before it starts.
    pub const fn from_inclusive(start: u64, end: u64) -> Option<Self> {
        if end < start {
            return None;
        }
        match end.checked_add(1) {
            Some(end) => Some(Self { start, end }),
            None => None,
        }
    }

    /// The last byte, as the wire wants it.
    pub const fn last(self) -> u64 {
        self.end.saturating_sub(1)
    }

    /// How many bytes.
    pub const fn len(self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Whether it holds no byte.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// One part: its bytes and its URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its number as the destination counts, from 1.
    pub number: u32,
    /// Its bytes.
    pub range: ByteRange,
    /// Its URL, if that is known already.
    pub url: Option<String>,
}

/// The parts of one file, in order; they cover it exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    parts: Vec<Part>,
    size: u64,
}

impl Plan {
    /// Accepts a server's parts if they cover `size` bytes exactly: numbered upwards, none empty, from 0, without a gap or an
    /// overlap, to the last byte.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    ///
    /// ```
    /// use partway::model::plan::{ByteRange, Part, Plan};
    /// let part = |number, start, end| Part { number, range: ByteRange::new(start, end), url: None };
    /// assert!(Plan::checked(10, vec![part(1, 0, 6), part(2, 6, 10)]).is_ok());
    /// assert!(Plan::checked(10, vec![part(1, 0, 6), part(2, 7, 10)]).is_err());
    /// ```
    pub fn checked(size: u64, mut parts: Vec<Part>) -> Result<Self, String> {
        if parts.is_empty() {
            return Err("The plan has no parts; expected at least one.".into());
        }
        if parts.len() as u64 > MAX_PARTS {
            return Err(text!("The plan has {} parts, more than the limit of {}.", parts.len(), MAX_PARTS));
        }
        ordered::sort(&mut parts, |part| part.number);
        let (mut next, mut last_number) = (0, 0);
        for part in &parts {
            let number = part.number;
            if number == 0 {
                return Err("The plan has a part with the number 0; part numbers start at 1.".into());
            }
            if number == last_number {
                return Err(text!("The plan has part {} twice.", number));
            }
            if part.range.start != next {
                return Err(text!("Part {} starts at byte {}; expected byte {}.", number, part.range.start, next));
            }
            if part.range.is_empty() && size != 0 {
                return Err(text!("Part {} is empty; only an empty file may have an empty part.", number));
            }
            (next, last_number) = (part.range.end, number);
        }
        if next != size {
            return Err(text!("The plan covers {} bytes, but the file has {}.", next, size));
        }
        Ok(Self { parts, size })
    }

    /// Cuts `size` bytes into parts of `part_size` bytes, the last one taking the rest; an empty file is one empty part.
    ///
    /// # Errors
    /// A sentence, if that would be more than [`MAX_PARTS`] parts or `part_size` is 0.
    ///
    /// ```
    /// use partway::model::plan::Plan;
    /// let plan = Plan::equal(11, 5).unwrap();
    /// assert_eq!(plan.parts().iter().map(|part| part.range.len()).collect::<Vec<_>>(), [5, 5, 1]);
    /// ```
    pub fn equal(size: u64, part_size: u64) -> Result<Self, String> {
        if part_size == 0 {
            return Err("The part size is 0; expected at least 1 byte.".into());
        }
        let count = size.div_ceil(part_size).max(1);
        if count > MAX_PARTS {
            return Err(text!("The plan would have {} parts, more than the limit of {}.", count, MAX_PARTS));
        }
        let parts = (0..count)
            .map(|index| Part {
                number: index as u32 + 1,
                range: ByteRange::new(index * part_size, (index + 1).saturating_mul(part_size).min(size)),
                url: None,
            })
            .collect();
        Ok(Self { parts, size })
    }

    /// The parts, in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The part with that number.
    pub fn part(&self, number: u32) -> Option<&Part> {
        self.index_of(number).map(|at| &self.parts[at])
    }

    /// The index of the part with that number.
    pub fn index_of(&self, number: u32) -> Option<usize> {
        self.parts.binary_search_by(|part| part.number.cmp(&number)).ok()
    }

    /// Whether the other plan has parts of the same numbers and ranges, whatever their URLs.
    pub fn has_same_parts(&self, other: &Self) -> bool {
        let cut = |plan: &Self, at: usize| (plan.parts[at].number, plan.parts[at].range);
        self.parts.len() == other.parts.len() && (0..self.parts.len()).all(|at| cut(self, at) == cut(other, at))
    }

    /// The parts, so that URLs can be filled in.
    pub fn parts_mut(&mut self) -> impl Iterator<Item = &mut Part> {
        self.parts.iter_mut()
    }

    /// The file's size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn part(number: u32, start: u64, end: u64) -> Part {
        Part { number, range: ByteRange::new(start, end), url: None }
    }

    #[test]
    fn refuses_what_does_not_tile() {
        for (parts, why) in [
            (vec![], "no parts"),
            (vec![part(1, 1, 10)], "starts at byte 1"),
            (vec![part(1, 0, 9)], "covers 9"),
            (vec![part(1, 0, 11)], "covers 11"),
            (vec![part(1, 0, 5), part(2, 4, 10)], "starts at byte 4"),
            (vec![part(1, 0, 5), part(2, 6, 10)], "starts at byte 6"),
            (vec![part(1, 0, 5), part(1, 5, 10)], "twice"),
            (vec![part(0, 0, 10)], "number 0"),
            (vec![part(1, 0, 0), part(2, 0, 10)], "empty"),
            (vec![part(1, 0, 10); MAX_PARTS as usize], "twice"),
            (vec![part(1, 0, 10); MAX_PARTS as usize + 1], "more than the limit"),
        ] {
            let error = Plan::checked(10, parts).unwrap_err();
            assert!(error.contains(why), "{error} should say {why}");
        }
    }

    #[test]
    fn the_vendor_sample_that_cannot_be_is_refused() {
        // OFAuth's guide: 1,024,000 bytes declared, two parts to byte 6,825,498.
        let parts = vec![part(1, 0, 5_242_880), part(2, 5_242_880, 6_825_499)];
        assert!(Plan::checked(1_024_000, parts).is_err());
    }

    #[test]
    fn parts_out_of_order_are_put_in_order() {
        let plan = Plan::checked(10, vec![part(2, 5, 10), part(1, 0, 5)]).unwrap();
        assert_eq!(plan.parts()[0].number, 1);
    }

    proptest! {
        #[test]
        fn whatever_is_taken_covers_the_file(
            size in 0u64..20,
            parts in proptest::collection::vec((0u32..6, 0u64..20, 0u64..20), 0..5),
        ) {
            let list = parts.iter().map(|&(number, start, end)| part(number, start, end)).collect();
            if let Ok(plan) = Plan::checked(size, list) {
                let mut bytes = vec![0; size as usize];
                for part in plan.parts() {
                    bytes[part.range.start as usize..part.range.end as usize].iter_mut().for_each(|byte| *byte += 1);
                }
                prop_assert!(bytes.iter().all(|byte| *byte == 1), "{plan:?}");
                prop_assert!(plan.parts().windows(2).all(|two| two[0].number < two[1].number));
            }
        }

        #[test]
        fn no_numbers_panic(
            size: u64,
            part_size: u64,
            parts in proptest::collection::vec((any::<u32>(), any::<u64>(), any::<u64>()), 0..20),
        ) {
            let list = parts.iter().map(|&(number, start, end)| part(number, start, end)).collect();
            let _ = Plan::checked(size, list);
            for &(_, start, end) in &parts {
                let _ = ByteRange::from_inclusive(start, end).map(|range| (range.len(), range.last()));
            }
            if size.div_ceil(part_size.max(1)) <= MAX_PARTS {
                let _ = Plan::equal(size, part_size);
            } else {
                prop_assert!(Plan::equal(size, part_size).is_err());
            }
        }

        #[test]
        fn equal_parts_pass_the_check(size in 1u64..1 << 43, parts in 1u64..10_000) {
            let plan = Plan::equal(size, size.div_ceil(parts)).unwrap();
            prop_assert!(plan.parts().len() as u64 <= parts);
            prop_assert_eq!(Plan::checked(size, plan.parts().to_vec()).unwrap(), plan);
        }

        #[test]
        fn a_moved_edge_is_found(size in 100u64..1 << 40, parts in 2u64..50, which in 0usize..49, by in 1u64..50) {
            let mut list = Plan::equal(size, size.div_ceil(parts)).unwrap().parts().to_vec();
            let which = which % list.len();
            list[which].range.end += by;
            prop_assert!(Plan::checked(size, list).is_err());
        }

        #[test]
        fn wire_ranges_convert_both_ways(start in 0u64..1 << 53, len in 1u64..1 << 40) {
            let range = ByteRange::new(start, start + len);
            prop_assert_eq!(ByteRange::from_inclusive(range.start, range.last()), Some(range));
        }
    }
}
