//! What is sent, over what line, and by whom.

use crate::contestants::{Contestant, PLAIN};
use crate::target::Shape;

const MIB: u64 = 1 << 20;

/// A case.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) files: usize,
    /// Bytes of each file.
    pub(crate) size: u64,
    /// Bytes of each part but the last; files that aren't larger go in one request.
    pub(crate) part_size: u64,
    /// Parts, or files that go in one request, at once.
    pub(crate) concurrency: u32,
    pub(crate) hosts: usize,
    pub(crate) shape: Shape,
    /// Names of the contestants.
    pub(crate) contestants: &'static [&'static str],
    /// Of those only these and the plain pool, where there are any.
    pub(crate) only: Vec<String>,
}

const UNSHAPED: Shape = Shape { per_connection: None, in_all: None, latency_ms: 0, faults: false };
const SHAPED: Shape = Shape { per_connection: Some(20_000_000), latency_ms: 50, ..UNSHAPED };

/// Every contestant that takes a plan's parts. Cases that not all are worth the time of begin from the front.
const EVERYONE: [&str; 11] = [
    "plain",
    "plain-hashing",
    "partway",
    "partway-unchecked",
    "partway-unkept",
    "partway-bare",
    "uppy-5",
    "uppy-6",
    "tus",
    "lib-storage",
    "evaporate",
];

const PARTS: Case = Case {
    name: "unshaped",
    title: "1 GiB in 5 MiB parts, 4 at once",
    files: 1,
    size: 1024 * MIB,
    part_size: 5 * MIB,
    concurrency: 4,
    hosts: 1,
    shape: UNSHAPED,
    contestants: &EVERYONE,
    only: Vec::new(),
};

/// All of them; with `quick` only so large that it is seen whether all works.
pub(crate) fn all(quick: bool) -> Vec<Case> {
    let mut cases = vec![
        PARTS,
        Case {
            name: "large-parts",
            title: "1 GiB in 16 MiB parts, 4 at once",
            part_size: 16 * MIB,
            contestants: EVERYONE.split_at(7).0,
            ..PARTS
        },
        Case {
            name: "shaped",
            title: "256 MiB in 5 MiB parts, 50 ms, 20 MB/s a connection, 6 at once",
            size: 256 * MIB,
            concurrency: 6,
            shape: SHAPED,
            ..PARTS
        },
        Case {
            name: "small-files",
            title: "500 files of 64 KiB, 6 at once",
            files: 500,
            size: 64 * 1024,
            concurrency: 6,
            contestants: EVERYONE.split_at(10).0,
            ..PARTS
        },
        Case {
            name: "group",
            title: "1,000 files of 64 KiB, 6 at once",
            files: 1000,
            size: 64 * 1024,
            concurrency: 6,
            contestants: &["plain", "partway", "partway-group"],
            ..PARTS
        },
        Case {
            name: "faults",
            title: "1 GiB in 5 MiB parts, 4 at once, 5 % of 503 with `Retry-After: 1`, 2 % of resets",
            shape: Shape { faults: true, ..UNSHAPED },
            contestants: &["plain", "partway", "partway-bare", "uppy-5", "uppy-6", "tus", "lib-storage", "evaporate"],
            ..PARTS
        },
        Case {
            name: "gigabit",
            title: "1 GiB in 5 MiB parts, 4 at once, 120 MB/s in all",
            shape: Shape { in_all: Some(120_000_000), ..UNSHAPED },
            contestants: &["plain", "partway", "partway-bare", "uppy-5", "tus"],
            ..PARTS
        },
        Case {
            name: "far",
            title: "128 MiB in 5 MiB parts, 200 ms, 8 MB/s a connection, 6 at once",
            size: 128 * MIB,
            concurrency: 6,
            shape: Shape { per_connection: Some(8_000_000), latency_ms: 200, ..UNSHAPED },
            contestants: &["plain", "partway", "partway-bare", "uppy-5", "uppy-6", "tus", "lib-storage", "evaporate"],
            ..PARTS
        },
        Case {
            name: "two-hosts",
            title: "480 MiB in 5 MiB parts, 50 ms, 8 MB/s a connection, two hosts, 12 at once",
            // Whole waves over both: one that is half empty would hide what a second host brings.
            size: 480 * MIB,
            concurrency: 12,
            hosts: 2,
            shape: Shape { per_connection: Some(8_000_000), latency_ms: 50, ..UNSHAPED },
            contestants: &["plain", "plain-one", "partway", "partway-one", "partway-auto"],
            ..PARTS
        },
        Case {
            name: "many-parts",
            title: "625 MiB in 10,000 parts of 64 KiB, 6 at once",
            size: 625 * MIB,
            part_size: 64 * 1024,
            concurrency: 6,
            contestants: &["plain", "partway", "partway-unchecked", "partway-unkept", "partway-bare"],
            ..PARTS
        },
        Case {
            name: "huge",
            title: "5 GiB in 16 MiB parts, 6 at once",
            size: 5 * 1024 * MIB,
            part_size: 16 * MIB,
            concurrency: 6,
            contestants: &["plain", "partway", "partway-bare"],
            ..PARTS
        },
        Case {
            name: "s3",
            title: "1 GiB by `s3`, part size and slots by itself; plain: 5 MiB parts, 4 at once",
            contestants: &["plain", "partway-s3", "partway-s3-bare", "tus"],
            ..PARTS
        },
        Case {
            name: "s3-shaped",
            title: "256 MiB by `s3`, part size and slots by itself, 50 ms, 20 MB/s a connection; plain: 5 MiB parts, 6 at once",
            size: 256 * MIB,
            concurrency: 6,
            shape: SHAPED,
            contestants: &["plain", "partway-s3", "partway-s3-bare", "tus"],
            ..PARTS
        },
    ];
    if quick {
        for case in &mut cases {
            case.shrink();
        }
    }
    cases
}

impl Case {
    /// Whether each file goes in one request.
    pub(crate) fn single(&self) -> bool {
        self.size <= self.part_size
    }

    /// Bytes of all files.
    pub(crate) fn bytes(&self) -> u64 {
        self.size * self.files as u64
    }

    /// Who takes part.
    pub(crate) fn taking_part(&self) -> impl Iterator<Item = &'static Contestant> {
        let wanted = |name: &str| name == PLAIN || self.only.is_empty() || self.only.iter().any(|only| only == name);
        self.contestants.iter().filter(move |name| wanted(name)).filter_map(|name| Contestant::named(name))
    }

    /// A sixteenth, and still several parts.
    fn shrink(&mut self) {
        if self.files > 1 {
            self.files /= 16;
        } else {
            self.size /= 16;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_has_somebody_to_compare_with_and_knows_its_contestants() {
        for case in all(false) {
            assert_eq!(case.contestants[0], PLAIN, "{}", case.name);
            for name in case.contestants {
                assert!(Contestant::named(name).is_some(), "{name} of {}", case.name);
            }
        }
    }

    #[test]
    fn ten_thousand_parts_are_that_many() {
        let cases = all(false);
        let case = cases.iter().find(|case| case.name == "many-parts").expect("there");
        assert_eq!(case.size.div_ceil(case.part_size), 10_000);
    }
}
