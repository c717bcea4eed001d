//! Responses, and how long a server asks to wait.

use crate::util::text;
use crate::util::time;

/// A server's response: the status, the headers that the page may read, and the body as text.
#[derive(Clone, Debug, Default)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Readable headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
    /// Who was asked (see [`Request::address`](super::Request::address)): the engine sets it.
    pub address: String,
}

impl Response {
    /// Whether the status is 200 to 299.
    pub fn ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Who answered with which status, as a sentence after another one; empty where the address isn't known.
    ///
    /// ```
    /// use partway::http::Response;
    /// let response = Response { status: 404, address: "https://store.example/key".into(), ..Response::default() };
    /// assert_eq!(response.attribution(), " https://store.example/key answered 404.");
    /// ```
    pub fn attribution(&self) -> String {
        if self.address.is_empty() {
            return String::new();
        }
        text!(" {} answered {}.", self.address, self.status)
    }

    /// A header's value, if the page may read it.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// How long the server asks to wait, in milliseconds from `now`.
    ///
    /// [`Self::retry_after_ms`], else `X-RateLimit-Reset` (see [`reset_in`]) as the end of the server's window: waiting for it is safe
    /// whatever the server counts. For servers where it means something else, see [`Self::token_ms`].
    pub fn wait_ms(&self, now: u64) -> Option<u64> {
        // A reset in the past, where nothing remains, only means that the clocks differ.
        self.retry_after_ms(now).or_else(|| self.reset_ms(now).filter(|ms| *ms > 0))
    }

    /// `Retry-After` in seconds or as a date (RFC 9110, 10.2.3), else `X-RateLimit-Retry-After` in seconds (apifansly, "Rate
    /// limits"), as milliseconds from `now`.
    pub fn retry_after_ms(&self, now: u64) -> Option<u64> {
        let seconds = |text: &str| {
            let seconds: u64 = text.trim_ascii().parse().ok()?;
            (seconds <= u64::from(u32::MAX)).then(|| seconds * 1000)
        };
        if let Some(value) = self.header("retry-after") {
            let date = || time::parse_http(value).map(|at| at.saturating_sub(self.clock(now)));
            return seconds(value).or_else(date);
        }
        self.header("x-ratelimit-retry-after").and_then(seconds)
    }

    /// How long a token bucket takes for one more token, in milliseconds: by `X-RateLimit-Limit`, in tokens a minute, else `usual`;
    /// never longer than until `X-RateLimit-Reset`, when the bucket is full.
    pub fn token_ms(&self, usual: u64, now: u64) -> u64 {
        let limit = self.header("x-ratelimit-limit").and_then(|value| value.trim_ascii().parse::<u64>().ok());
        let token = limit.filter(|limit| *limit > 0).map_or(usual, |limit| 60_000_u64.div_ceil(limit));
        self.reset_ms(now).filter(|ms| *ms > 0).map_or(token, |full| token.min(full))
    }

    /// `X-RateLimit-Reset` as milliseconds from this answer (see [`reset_in`]).
    pub fn reset_ms(&self, now: u64) -> Option<u64> {
        reset_in(self.header("x-ratelimit-reset")?, self.clock(now))
    }

    /// The time of the answer by the server's clock, if its `Date` is readable; else `now`, by this machine's.
    fn clock(&self, now: u64) -> u64 {
        self.header("date").and_then(time::parse_http).unwrap_or(now)
    }
}

/// `X-RateLimit-Reset` as milliseconds from `now`, a minute at most.
///
/// Its unit is published nowhere (assumed): above 10^12 an epoch in milliseconds, above 10^9 one in seconds, else seconds from
/// now.
///
/// ```
/// use partway::http::reset_in;
/// assert_eq!(reset_in("2", 1_700_000_000_000), Some(2_000));
/// assert_eq!(reset_in("1700000003", 1_700_000_000_000), Some(3_000));
/// assert_eq!(reset_in("soon", 0), None);
/// ```
pub fn reset_in(value: &str, now: u64) -> Option<u64> {
    let number: u64 = text::before(value.trim_ascii(), ".").parse().ok()?;
    let wait = if number > 1_000_000_000_000 {
        number.saturating_sub(now)
    } else if number > 1_000_000_000 {
        (number * 1000).saturating_sub(now)
    } else {
        number * 1000
    };
    Some(wait.min(60_000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn answer(headers: &[(&str, &str)]) -> Response {
        let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Response { headers, ..Response::default() }
    }

    #[test]
    fn a_wait_is_read_as_it_was_meant_or_not_at_all() {
        let now = 784_111_777_000;
        for (name, value, wait) in [
            ("retry-after", "7", Some(7_000)),
            ("Retry-After", " 7 ", Some(7_000)),
            ("retry-after", "Sun, 06 Nov 1994 08:49:40 GMT", Some(3_000)),
            ("retry-after", "Sun, 06 Nov 1994 08:49:30 GMT", Some(0)),
            ("retry-after", "4294967295", Some(4_294_967_295_000)),
            ("retry-after", "4294967296", None),
            ("retry-after", "-1", None),
            ("retry-after", "1.5", None),
            ("retry-after", "", None),
            ("x-ratelimit-retry-after", "2", Some(2_000)),
            ("x-ratelimit-reset", "2.7", Some(2_000)),
            ("x-ratelimit-reset", "18446744073709551615", Some(60_000)),
            ("x-ratelimit-reset", "18446744073709551616", None),
            ("x-ratelimit-reset", "784111779", Some(60_000)),
        ] {
            assert_eq!(answer(&[(name, value)]).wait_ms(now), wait, "{name}: {value}");
        }
    }

    #[test]
    fn points_in_time_are_held_against_the_servers_clock() {
        let date = ("date", "Fri, 01 Nov 2024 00:00:00 GMT");
        for (name, value) in [("retry-after", "Fri, 01 Nov 2024 00:00:03 GMT"), ("x-ratelimit-reset", "1730419203")] {
            for now in [0, 1_730_419_200_000, 1_784_111_777_000] {
                assert_eq!(answer(&[date, (name, value)]).wait_ms(now), Some(3_000), "{name} at {now}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_header_is_a_wait_or_none(
            name in "(retry-after|x-ratelimit-retry-after|x-ratelimit-reset)",
            value in "([0-9]{0,25}|[0-9.eE+-]{0,12}|[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT|\\PC{0,20})",
            now: u64,
        ) {
            let wait = answer(&[(&name, &value)]).wait_ms(now);
            prop_assert!(wait.is_none_or(|ms| ms <= 253_402_400_000_000), "{wait:?}");
            prop_assert!(reset_in(&value, now).is_none_or(|ms| ms <= 60_000));
        }
    }
}
