//! The URLs of parts, and which ones to request next.

use crate::http::Url;
use crate::model::plan::Plan;
use crate::util::ordered::OrderedMap;

/// Parts in one call to `sign`. (A choice: few enough for a quick answer, enough that six parts in flight never wait.)
pub(super) const BATCH: usize = 16;
/// More URLs are requested when fewer than this are left for parts that weren't sent. (A choice: half a batch.)
const LOW: usize = 8;
/// A URL that expires sooner isn't used. (A choice: a store serves a request that began before the expiry.)
const MARGIN_MS: u64 = 15_000;

/// The URL of a part.
#[derive(Clone, Debug)]
pub(super) struct PartUrl {
    pub(super) url: Url,
    /// Headers that replace the plan's.
    pub(super) headers: Option<Vec<(String, String)>>,
    expires_at: Option<u64>,
}

/// What is known of a part.
#[derive(Debug, Default)]
struct KnownPart {
    url: Option<PartUrl>,
    /// Whether its request was made, or it was uploaded before.
    taken: bool,
    /// Whether `sign` was called for it and left it out.
    left_out: bool,
}

/// What is known of the parts of one plan.
#[derive(Debug, Default)]
pub(super) struct Urls {
    known: OrderedMap<KnownPart>,
    /// How many parts at the plan's beginning need no more URLs: they aren't visited again.
    taken: usize,
}

impl Urls {
    /// Stores a part's URL. `expires_at` counts if the URL itself doesn't say when it expires.
    pub(super) fn learn(
        &mut self,
        number: u32,
        url: Url,
        headers: Option<Vec<(String, String)>>,
        expires_at: Option<u64>,
        now: u64,
    ) {
        // If a new URL looks expired, a clock is wrong: the store decides.
        let expires_at = url.expires_at().or(expires_at).filter(|at| *at > now);
        let known = self.known.entry(number);
        known.url = Some(PartUrl { url, headers, expires_at });
        known.left_out = false;
    }

    /// Whether the URL of a part is known and doesn't expire soon.
    pub(super) fn is_good(&self, number: u32, now: u64) -> bool {
        self.known(number).is_some_and(|part| part.expires_at.is_none_or(|at| at > now.saturating_add(MARGIN_MS)))
    }

    /// The URL of a part, whenever it expires.
    pub(super) fn known(&self, number: u32) -> Option<&PartUrl> {
        self.known.get(number)?.url.as_ref()
    }

    /// Marks a part as one that needs no URL in advance: its request is being made, or it is uploaded.
    pub(super) fn take(&mut self, number: u32) {
        self.known.entry(number).taken = true;
    }

    /// Notes that `sign` left a part out. Returns whether it did so before, with no URL since.
    pub(super) fn leave_out(&mut self, number: u32) -> bool {
        std::mem::replace(&mut self.known.entry(number).left_out, true)
    }

    /// Drops the expired URL of a part.
    pub(super) fn forget(&mut self, number: u32) {
        self.known.entry(number).url = None;
    }

    /// How many hosts the next parts go to, as far as their URLs are known.
    pub(super) fn hosts(&self) -> usize {
        let mut origins: Vec<&str> = Vec::new();
        let rest = self.known.iter().skip(self.taken).filter(|(_, known)| !known.taken);
        for url in rest.take(BATCH).filter_map(|(_, known)| known.url.as_ref()) {
            let origin = url.url.origin.as_str();
            if !origins.contains(&origin) {
                origins.push(origin);
            }
        }
        origins.len()
    }

    fn is_waiting(&self, number: u32) -> bool {
        self.known.get(number).is_none_or(|known| !known.taken)
    }

    /// The parts to request URLs for now: `wanted`, and the next ones that have no valid URL and weren't sent; at most [`BATCH`].
    pub(super) fn batch(&mut self, plan: &Plan, wanted: Option<u32>, now: u64) -> Vec<u32> {
        let mut numbers: Vec<u32> = wanted.into_iter().collect();
        self.pass_taken(plan);
        for number in self.waiting(plan) {
            if numbers.len() == BATCH {
                break;
            }
            if Some(number) != wanted && !self.is_good(number, now) {
                numbers.push(number);
            }
        }
        numbers
    }

    /// The parts to request URLs for in advance; empty while enough URLs are left for the next parts.
    pub(super) fn ahead(&mut self, plan: &Plan, now: u64) -> Vec<u32> {
        let (mut left, mut numbers) = (0, Vec::new());
        self.pass_taken(plan);
        for number in self.waiting(plan) {
            if !self.is_good(number, now) {
                numbers.push(number);
            } else {
                left += 1;
            }
            if left == LOW {
                return Vec::new();
            }
            if numbers.len() == BATCH {
                break;
            }
        }
        numbers
    }

    /// Passes the parts at the plan's beginning that were taken, so that all calls together look at each of them once.
    pub(super) fn pass_taken(&mut self, plan: &Plan) {
        while plan.parts().get(self.taken).is_some_and(|part| !self.is_waiting(part.number)) {
            self.taken += 1;
        }
    }

    /// The parts that weren't taken, in order.
    fn waiting<'a>(&'a self, plan: &'a Plan) -> impl Iterator<Item = u32> + 'a {
        let parts = plan.parts().iter().skip(self.taken);
        parts.map(|part| part.number).filter(|number| self.is_waiting(*number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn url(query: &str) -> Url {
        Url { href: String::new(), origin: "https://s3.example".into(), path: "/".into(), query: query.into() }
    }

    fn plan(parts: u64) -> Plan {
        Plan::equal(parts * 10, 10).unwrap()
    }

    #[test]
    fn the_wanted_part_and_the_next_in_line() {
        let (mut urls, plan) = (Urls::default(), plan(40));
        assert_eq!(urls.batch(&plan, Some(1), 0), (1..=16).collect::<Vec<_>>());
        assert_eq!(urls.batch(&plan, Some(39), 0)[..3], [39, 1, 2]);
        for number in 1..=16 {
            urls.learn(number, url(""), None, None, 0);
        }
        assert_eq!(
            urls.batch(&plan, Some(20), 0),
            [20].into_iter().chain((17..=32).filter(|n| *n != 20)).collect::<Vec<_>>()
        );
    }

    #[test]
    fn more_are_asked_for_when_few_wait() {
        let (mut urls, plan) = (Urls::default(), plan(20));
        for number in 1..=16 {
            urls.learn(number, url(""), None, None, 0);
        }
        for number in 1..=8 {
            urls.take(number);
            assert!(urls.ahead(&plan, 0).is_empty(), "after {number}");
        }
        urls.take(9);
        assert_eq!(urls.ahead(&plan, 0), [17, 18, 19, 20]);
        for number in 17..=20 {
            urls.learn(number, url(""), None, None, 0);
        }
        for number in 10..=20 {
            urls.take(number);
        }
        assert!(urls.ahead(&plan, 0).is_empty(), "nothing is left to ask for");
    }

    #[test]
    fn a_part_that_is_left_out_twice_is_told_apart() {
        let mut urls = Urls::default();
        assert!(!urls.leave_out(3));
        urls.learn(3, url(""), None, None, 0);
        assert!(!urls.leave_out(3));
        assert!(urls.leave_out(3));
    }

    #[test]
    fn what_expires_soon_is_asked_for_again() {
        let mut urls = Urls::default();
        // 1970-01-01T00:01:00Z and a minute.
        urls.learn(1, url("X-Amz-Date=19700101T000100Z&X-Amz-Expires=60"), None, Some(1), 0);
        urls.learn(2, url(""), None, Some(90_000), 0);
        urls.learn(3, url(""), None, None, 0);
        assert!(urls.is_good(1, 100_000));
        assert!(!urls.is_good(1, 105_000));
        assert!(!urls.is_good(2, 80_000));
        assert_eq!(urls.batch(&plan(3), None, 110_000), [1, 2]);
        assert!(urls.known(1).is_some());
        urls.forget(1);
        assert!(urls.known(1).is_none());
    }

    #[test]
    fn a_new_url_that_has_expired_tells_that_a_clock_is_off() {
        let mut urls = Urls::default();
        urls.learn(1, url("X-Amz-Date=19700101T000100Z&X-Amz-Expires=60"), None, None, 7_200_000);
        assert!(urls.is_good(1, 7_200_000));
    }

    #[test]
    fn the_hosts_of_the_next_parts_count() {
        let (mut urls, plan) = (Urls::default(), plan(60));
        assert_eq!(urls.hosts(), 0, "none is known");
        for number in 1..=60 {
            let origin = match number {
                41.. => "https://c.example",
                _ if number % 2 == 0 => "https://a.example",
                _ => "https://b.example",
            };
            urls.learn(number, Url { origin: origin.into(), ..url("") }, None, None, 0);
        }
        let mut counts = Vec::new();
        for number in 1..=60 {
            counts.push(urls.hosts());
            urls.take(number);
            urls.pass_taken(&plan);
        }
        counts.dedup();
        assert_eq!(counts, [2, 3, 2, 1]);
        assert_eq!(urls.hosts(), 0, "nothing is left to send");
    }

    #[test]
    fn what_was_taken_is_passed_once() {
        let (mut urls, plan) = (Urls::default(), plan(100));
        for number in (1..=50).chain([52]) {
            urls.learn(number, url(""), None, None, 0);
            urls.take(number);
        }
        assert_eq!(urls.ahead(&plan, 0), [51].into_iter().chain(53..=67).collect::<Vec<_>>());
        assert_eq!(urls.taken, 50);
        urls.take(51);
        assert_eq!(urls.batch(&plan, Some(53), 0), (53..=68).collect::<Vec<_>>());
        assert_eq!(urls.taken, 52);
    }

    proptest! {
        #[test]
        fn a_batch_is_the_next_in_line_whatever_came_before(
            moves in proptest::collection::vec((0u8..4, 1u32..40), 0..120),
            wanted in proptest::option::of(1u32..40),
        ) {
            let (mut urls, plan) = (Urls::default(), plan(40));
            let (mut taken, mut good) = ([false; 41], [false; 41]);
            for (step, number) in moves {
                match step {
                    0 => {
                        urls.learn(number, url(""), None, None, 0);
                        good[number as usize] = true;
                    }
                    1 => {
                        urls.take(number);
                        taken[number as usize] = true;
                    }
                    2 => {
                        urls.forget(number);
                        good[number as usize] = false;
                    }
                    _ => {
                        urls.ahead(&plan, 0);
                    }
                }
                let next = (1..=40).filter(|n| Some(*n) != wanted && !taken[*n as usize] && !good[*n as usize]);
                let batch: Vec<u32> = wanted.into_iter().chain(next).take(BATCH).collect();
                prop_assert_eq!(urls.batch(&plan, wanted, 0), batch);
            }
        }
    }
}
