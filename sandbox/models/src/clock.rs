//! Conversions between the dates of HTTP and milliseconds since the epoch.

const DAY: u64 = 86_400_000;
const DAY_NAMES: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTH_NAMES: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

struct Civil {
    year: u64,
    month: u64,
    day: u64,
    hour: u64,
    minute: u64,
    second: u64,
    millis: u64,
}

/// Howard Hinnant's `civil_from_days`, for days since 1970.
fn civil(now: u64) -> Civil {
    let shifted = now / DAY + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let in_day = now % DAY;
    Civil {
        year: year_of_era + era * 400 + u64::from(month <= 2),
        month,
        day: day_of_year - (153 * month_index + 2) / 5 + 1,
        hour: in_day / 3_600_000,
        minute: in_day / 60_000 % 60,
        second: in_day / 1_000 % 60,
        millis: in_day % 1_000,
    }
}

fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = year - u64::from(month <= 2);
    let (era, year_of_era) = (year / 400, year % 400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// `2026-04-29T10:18:48.831Z`
pub fn iso8601(now: u64) -> String {
    let c = civil(now);
    format!("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", c.year, c.month, c.day, c.hour, c.minute, c.second, c.millis)
}

/// `20130524T000000Z`, the form of `X-Amz-Date`.
pub fn amz_date(now: u64) -> String {
    let c = civil(now);
    format!("{:04}{:02}{:02}T{:02}{:02}{:02}Z", c.year, c.month, c.day, c.hour, c.minute, c.second)
}

/// `Fri, 24 May 2013 00:00:00 GMT`, the form of `Date` and `Last-Modified` (RFC 9110).
pub fn http_date(now: u64) -> String {
    let c = civil(now);
    format!(
        "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
        DAY_NAMES[(now / DAY % 7) as usize],
        c.day,
        MONTH_NAMES[c.month as usize - 1],
        c.year,
        c.hour,
        c.minute,
        c.second
    )
}

/// Parses `X-Amz-Date`. `None` if the text is no such date, or one before 1970.
pub fn parse_amz_date(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    if bytes.len() != 16 || bytes[8] != b'T' || bytes[15] != b'Z' {
        return None;
    }
    let digits = |range: std::ops::Range<usize>| -> Option<u64> {
        let part = text.get(range)?;
        part.bytes().all(|b| b.is_ascii_digit()).then_some(())?;
        part.parse().ok()
    };
    let (year, month, day) = (digits(0..4)?, digits(4..6)?, digits(6..8)?);
    let (hour, minute, second) = (digits(9..11)?, digits(11..13)?, digits(13..15)?);
    let in_range =
        year >= 1970 && (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 60;
    let moment = || days(year, month, day) * DAY + hour * 3_600_000 + minute * 60_000 + second * 1_000;
    in_range.then(moment)
}

/// Parses ISO 8601 in UTC, with or without milliseconds. `None` if the text is no such date.
pub fn parse_iso8601(text: &str) -> Option<u64> {
    let text = text.strip_suffix('Z')?;
    let (seconds, millis) = match text.split_once('.') {
        Some((seconds, millis)) if millis.len() == 3 => (seconds, millis.parse().ok()?),
        Some(_) => return None,
        None => (text, 0),
    };
    let dense: String = seconds.chars().filter(|character| !matches!(character, '-' | ':')).collect();
    let moment = parse_amz_date(&(dense + "Z"))? + millis;
    (iso8601(moment).get(..19) == Some(seconds)).then_some(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments() {
        // `date -u -d @1369353600`
        assert_eq!(amz_date(1_369_353_600_000), "20130524T000000Z");
        assert_eq!(http_date(1_369_353_600_000), "Fri, 24 May 2013 00:00:00 GMT");
        assert_eq!(iso8601(1_777_457_928_831), "2026-04-29T10:18:48.831Z");
        assert_eq!(iso8601(951_782_400_000), "2000-02-29T00:00:00.000Z");
        assert_eq!(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
    }

    #[test]
    fn parses_what_it_formats() {
        for day in 0..40_000u64 {
            let moment = day * DAY + 45_296_000;
            assert_eq!(parse_amz_date(&amz_date(moment)), Some(moment));
        }
    }

    #[test]
    fn parses_iso_dates() {
        for text in ["2015-12-30T12:00:00.000Z", "2026-04-29T10:18:48.831Z"] {
            assert_eq!(parse_iso8601(text).map(iso8601).as_deref(), Some(text));
        }
        assert_eq!(parse_iso8601("2015-12-30T12:00:00Z"), Some(1_451_476_800_000));
        for text in ["", "2015-12-30", "20151230T120000Z", "2015-12-30T12:00:00+01:00", "2015-12-30T12:00:00.1Z"] {
            assert_eq!(parse_iso8601(text), None, "{text}");
        }
    }

    #[test]
    fn refuses_invalid_dates() {
        for text in [
            "",
            "20130524",
            "20131324T000000Z",
            "20130524T250000Z",
            "2013-05-24T0000Z",
            "19690524T000000Z",
            "2013052éT000000Z",
        ] {
            assert_eq!(parse_amz_date(text), None, "{text}");
        }
    }
}
