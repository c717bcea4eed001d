//! Which part goes to which URL, and which URLs are to be asked for next.

use crate::http::Url;
use crate::model::plan::Plan;
use crate::util::ordered::OrderedMap;

/// Parts asked for at once. (A choice: few enough for a quick answer, enough that six parts in flight never wait.)
pub(super) const BATCH: usize = 16;
/// The next URLs are asked for when fewer than so many are left for parts that weren't requested. (A choice: half a batch.)
const LOW: usize = 8;
/// A URL that expires sooner isn't used any more. (A choice: a request that is on its way in time is served.)
const MARGIN_MS: u64 = 15_000;

/// Where a part goes.
#[derive(Clone, Debug)]
pub(super) struct PartUrl {
    pub(super) url: Url,
    /// In place of the plan's.
    pub(super) headers: Option<Vec<(String, String)>>,
    expires_at: Option<u64>,
}

/// What is known of a part.
#[derive(Debug, Default)]
struct KnownPart {
    url: Option<PartUrl>,
    /// Its request was made, or it was uploaded before.
    taken: bool,
    /// `sign` was asked for it and left it out.
    left_out: bool,
}

/// What is known of the parts of one plan.
#[derive(Debug, Default)]
pub(super) struct Urls(OrderedMap<KnownPart>);

impl Urls {
    /// Learns a part's URL. `expires_at` counts where the URL doesn't tell by itself.
    pub(super) fn learn(
        &mut self,
        number: u32,
        url: Url,
        headers: Option<Vec<(String, String)>>,
        expires_at: Option<u64>,
        now: u64,
    ) {
        // A new URL that has expired already tells that a clock is off, and the store knows better.
        let expires_at = url.expires_at().or(expires_at).filter(|at| *at > now);
        let known = self.0.entry(number);
        known.url = Some(PartUrl { url, headers, expires_at });
        known.left_out = false;
    }

    /// Whether the URL of a part is known and good for a while.
    pub(super) fn is_good(&self, number: u32, now: u64) -> bool {
        self.known(number).is_some_and(|part| part.expires_at.is_none_or(|at| at > now.saturating_add(MARGIN_MS)))
    }

    /// The URL of a part, however long it is good for.
    pub(super) fn known(&self, number: u32) -> Option<&PartUrl> {
        self.0.get(number)?.url.as_ref()
    }

    /// The part needs no URL ahead of need any more: its request is made now, or it is uploaded.
    pub(super) fn take(&mut self, number: u32) {
        self.0.entry(number).taken = true;
    }

    /// `sign` left a part out. Whether it did so before, without having given it since.
    pub(super) fn leave_out(&mut self, number: u32) -> bool {
        std::mem::replace(&mut self.0.entry(number).left_out, true)
    }

    /// Forgets the URL of a part, which has expired.
    pub(super) fn forget(&mut self, number: u32) {
        self.0.entry(number).url = None;
    }

    fn is_waiting(&self, number: u32) -> bool {
        self.0.get(number).is_none_or(|known| !known.taken)
    }

    /// The parts to ask for now: `wanted`, and the next in line that have no good URL and weren't requested; at most [`BATCH`].
    pub(super) fn batch(&self, plan: &Plan, wanted: Option<u32>, now: u64) -> Vec<u32> {
        let mut numbers: Vec<u32> = wanted.into_iter().collect();
        for part in plan.parts() {
            if numbers.len() == BATCH {
                break;
            }
            if Some(part.number) != wanted && self.is_waiting(part.number) && !self.is_good(part.number, now) {
                numbers.push(part.number);
            }
        }
        numbers
    }

    /// The parts to ask for ahead of need; empty while enough URLs are left.
    pub(super) fn ahead(&self, plan: &Plan, now: u64) -> Vec<u32> {
        let mut left = 0;
        for part in plan.parts() {
            if self.is_waiting(part.number) && self.is_good(part.number, now) {
                left += 1;
            }
            if left == LOW {
                return Vec::new();
            }
        }
        self.batch(plan, None, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
