//! How many calls a server says that it still accepts.

/// How often one call finds out how many are left, if no answer says. (A choice.)
pub(super) const PROBE_MS: u64 = 1_000;

/// A token bucket counts as full after a minute without news.
const MINUTE_MS: u64 = 60_000;

/// What a server said is left, minus the calls that were begun since.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quota {
    pub(super) left: u64,
    pub(super) resets_at: u64,
    /// Of a token bucket: the time for one more call.
    pub(super) token_ms: Option<u64>,
}

impl Quota {
    /// What is left now; None if it is unknown.
    pub(super) fn at(self, now: u64) -> Option<Self> {
        if self.resets_at > now {
            return Some(self);
        }
        let Some(token_ms) = self.token_ms else {
            // An exhausted limit may fill slowly: one call finds out what is left now.
            return (self.left == 0).then_some(Self { left: 1, resets_at: now + PROBE_MS, token_ms: None });
        };
        let tokens = 1 + (now - self.resets_at) / token_ms;
        (tokens * token_ms <= MINUTE_MS).then_some(Self {
            left: self.left.saturating_add(tokens),
            resets_at: self.resets_at + tokens * token_ms,
            token_ms: self.token_ms,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left at a time, and when that changes.
    fn at(quota: Quota, now: u64) -> Option<(u64, u64)> {
        quota.at(now).map(|quota| (quota.left, quota.resets_at))
    }

    #[test]
    fn a_bucket_gets_a_token_the_moment_that_it_is_due() {
        let empty = Quota { left: 0, resets_at: 10_000, token_ms: Some(1_000) };
        assert_eq!(at(empty, 9_999), Some((0, 10_000)));
        assert_eq!(at(empty, 10_000), Some((1, 11_000)));
        assert_eq!(at(empty, 12_500), Some((3, 13_000)));
        assert_eq!(at(empty, 69_999), Some((60, 70_000)), "a minute's tokens");
        assert_eq!(at(empty, 70_000), None, "it is full");
    }

    #[test]
    fn a_window_that_ended_is_probed_by_one_call_if_nothing_was_left() {
        let window = |left| Quota { left, resets_at: 10_000, token_ms: None };
        assert_eq!(at(window(0), 9_999), Some((0, 10_000)));
        assert_eq!(at(window(0), 10_000), Some((1, 10_000 + PROBE_MS)));
        assert_eq!(at(window(3), 10_000), None, "nothing is known of the next window");
    }
}
