//! Parses and formats the three forms in which servers write a time, as milliseconds since 1970.

use crate::util::text;

/// Milliseconds of a day.
const DAY: u64 = 86_400_000;

/// Parses ISO 8601 as JSON APIs write it: `2026-04-29T10:18:48.831Z`, with or without fraction, `Z` or an offset.
///
/// ```
/// use partway::util::time::{format_iso, parse_iso};
/// assert_eq!(parse_iso("1970-01-02T00:00:01.5Z"), Some(86_401_500));
/// assert_eq!(parse_iso("1970-01-01T02:00:00+02:00"), Some(0));
/// assert_eq!(format_iso(86_401_500), "1970-01-02T00:00:01.500Z");
/// ```
pub fn parse_iso(text: &str) -> Option<u64> {
    let mut scan = Scan(text.trim_ascii());
    let (year, _) = (scan.number(4)?, scan.mark('-')?);
    let (month, _) = (scan.number(2)?, scan.mark('-')?);
    let day = scan.number(2)?;
    scan.mark('T').or_else(|| scan.mark(' '))?;
    let clock = scan.clock()?;
    let mut fraction = 0;
    if scan.mark('.').is_some() {
        let mut scale = 100;
        while let Some(digit) = scan.number(1) {
            fraction += digit * scale;
            scale /= 10;
        }
    }
    let at = date(year, month, day)? + clock + fraction;
    if scan.mark('Z').is_some() || scan.0.is_empty() {
        return scan.0.is_empty().then_some(at);
    }
    let east = scan.mark('+').is_some();
    if !east {
        scan.mark('-')?;
    }
    let (hours, _) = (scan.number(2)?, scan.mark(':'));
    let offset = (hours * 60 + scan.number(2)?) * 60_000;
    if east { at.checked_sub(offset) } else { Some(at + offset) }
}

/// Parses ISO 8601 whose seconds or time of day may be missing: `2026-04-29` and `2026-04-29T10:18Z` too (Azure,
/// "Create a service SAS", the forms that `se` may have).
pub(crate) fn parse_iso_short(text: &str) -> Option<u64> {
    match text.len() {
        10 => parse_iso(&text::concat(&[text, "T00:00:00Z"])),
        17 => parse_iso(&text::concat(&[text.get(..16)?, ":00Z"])),
        _ => parse_iso(text),
    }
}

/// Parses the form that SigV4 uses: `20130524T000000Z`.
pub fn parse_amz(text: &str) -> Option<u64> {
    let mut scan = Scan(text);
    let day = date(scan.number(4)?, scan.number(2)?, scan.number(2)?)?;
    scan.mark('T')?;
    let clock = (scan.number(2)? * 3600 + scan.number(2)? * 60 + scan.number(2)?) * 1000;
    scan.mark('Z')?;
    scan.0.is_empty().then_some(day + clock)
}

/// Parses an HTTP date (RFC 9110, 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
///
/// ```
/// assert_eq!(partway::util::time::parse_http("Thu, 01 Jan 1970 00:00:10 GMT"), Some(10_000));
/// ```
pub fn parse_http(text: &str) -> Option<u64> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let mut scan = Scan(text::split_once(text, ", ")?.1);
    let (day, _) = (scan.number(2)?, scan.mark(' ')?);
    let month = text::find(MONTHS, scan.0.get(..3)?)? as u64 / 3 + 1;
    scan.0 = scan.0.get(3..)?;
    scan.mark(' ')?;
    let (year, _) = (scan.number(4)?, scan.mark(' ')?);
    let clock = scan.clock()?;
    (scan.0 == " GMT").then_some(date(year, month, day)? + clock)
}

/// Writes ISO 8601 in UTC, with milliseconds.
pub fn format_iso(at: u64) -> String {
    write("Y-M-DTh:m:s.fZ", at)
}

/// Writes the form that SigV4 uses.
///
/// ```
/// assert_eq!(partway::util::time::format_amz(1_369_353_600_000), "20130524T000000Z");
/// ```
pub fn format_amz(at: u64) -> String {
    write("YMDThmsZ", at)
}

/// Replaces the letters Y, M, D, h, m, s and f of a pattern by the numbers of a time.
fn write(pattern: &str, at: u64) -> String {
    let (year, month, day) = civil(at / DAY);
    let [hour, minute, second] = clock(at);
    let mut text = String::new();
    for letter in pattern.bytes() {
        let (number, first) = match letter {
            b'Y' => (year, 1000),
            b'M' => (month, 10),
            b'D' => (day, 10),
            b'h' => (hour, 10),
            b'm' => (minute, 10),
            b's' => (second, 10),
            b'f' => (at % 1000, 100),
            _ => {
                text.push(char::from(letter));
                continue;
            }
        };
        let mut divisor = first;
        while divisor > 0 {
            text.push(char::from(b'0' + (number / divisor % 10) as u8));
            divisor /= 10;
        }
    }
    text
}

fn clock(at: u64) -> [u64; 3] {
    let seconds = at % DAY / 1000;
    [seconds / 3600, seconds / 60 % 60, seconds % 60]
}

/// Days since 1970 to year, month and day (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let index = (5 * of_year + 2) / 153;
    let month = if index < 10 { index + 3 } else { index - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, of_year - (153 * index + 2) / 5 + 1)
}

/// Year, month and day to milliseconds since 1970 (the same source).
fn date(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let shifted = year - u64::from(month <= 2);
    let (era, year_of_era) = (shifted / 400, shifted % 400);
    let index = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * index + 2) / 5 + day - 1;
    let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
    Some((era * 146_097 + of_era - 719_468) * DAY)
}

struct Scan<'a>(&'a str);

impl Scan<'_> {
    fn number(&mut self, digits: usize) -> Option<u64> {
        let head = self.0.get(..digits)?;
        if !head.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        self.0 = &self.0[digits..];
        head.parse().ok()
    }

    fn mark(&mut self, mark: char) -> Option<()> {
        self.0 = self.0.strip_prefix(mark)?;
        Some(())
    }

    fn clock(&mut self) -> Option<u64> {
        let (hour, _) = (self.number(2)?, self.mark(':')?);
        let (minute, _) = (self.number(2)?, self.mark(':')?);
        Some((hour * 3600 + minute * 60 + self.number(2)?) * 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_vendors_send_and_refuses_the_rest() {
        assert_eq!(parse_iso("2026-04-29T10:18:48.831Z").map(format_iso).as_deref(), Some("2026-04-29T10:18:48.831Z"));
        assert_eq!(parse_http("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777_000));
        for bad in ["", "now", "2026-13-01T00:00:00Z", "2026-01-01", "2026-01-01T00:00:00Zx", "\u{1F600}2026"] {
            assert_eq!(parse_iso(bad), None, "{bad}");
            assert_eq!(parse_amz(bad), None, "{bad}");
            assert_eq!(parse_http(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn iso_and_amz_come_back(at in 0u64..253_402_300_799_999) {
            prop_assert_eq!(parse_iso(&format_iso(at)), Some(at));
            prop_assert_eq!(parse_amz(&format_amz(at)), Some(at - at % 1000));
        }

        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = (parse_iso(&text), parse_amz(&text), parse_http(&text));
        }

        #[test]
        fn an_edited_time_is_one_that_can_be_written_or_none(
            form in 0usize..3,
            at in 0usize..30,
            removed in 0usize..5,
            new in "[0-9TZ:,.+ GMTJanDec\\-\u{1F600}]{0,25}",
        ) {
            let valid = ["2026-04-29T10:18:48.831+02:00", "20260429T101848Z", "Wed, 29 Apr 2026 10:18:48 GMT"][form];
            let at = at.min(valid.len());
            let text = [&valid[..at], &new, &valid[(at + removed).min(valid.len())..]].concat();
            // A day of clock beyond the last one, and the widest offset.
            let end = 253_402_300_800_000 + 2 * 100 * 3_600_000;
            for read in [parse_iso(&text), parse_amz(&text), parse_http(&text)].into_iter().flatten() {
                prop_assert!(read < end, "{text}: {read}");
                let _ = (format_iso(read), format_amz(read));
            }
        }

        #[test]
        fn any_time_can_be_written(at: u64) {
            let _ = (format_iso(at), format_amz(at));
        }
    }
}
