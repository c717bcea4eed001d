//! What it was measured on, and with.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::Value;

/// The machine and the versions.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    /// Seconds since 1970 and the day, as the system has it.
    pub(crate) date: String,
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) browser: String,
    /// Each rival's name and version.
    pub(crate) rivals: Vec<(String, String)>,
}

impl Machine {
    pub(crate) fn new(browser: String, page: &Path) -> Result<Self> {
        let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        Ok(Self {
            date: today(),
            processor: processor(&info).unwrap_or("an unknown processor").to_owned(),
            cores: std::thread::available_parallelism()?.get(),
            browser,
            rivals: rivals(page)?,
        })
    }
}

fn processor(info: &str) -> Option<&str> {
    let line = info.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim())
}

/// The versions that `package.json` and those of its folders pin.
fn rivals(page: &Path) -> Result<Vec<(String, String)>> {
    let mut rivals = Vec::new();
    for manifest in ["package.json", "uppy-5/package.json", "uppy-6/package.json"] {
        let path = page.join(manifest);
        let text = fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
        let manifest: Value = serde_json::from_str(&text)?;
        let pinned = manifest["dependencies"].as_object().context("no dependencies")?;
        rivals.extend(pinned.iter().map(|(name, version)| (name.clone(), version.as_str().unwrap_or("").to_owned())));
    }
    Ok(rivals)
}

/// The day in UTC, as ISO 8601.
fn today() -> String {
    let seconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    day(seconds / 86_400)
}

/// Days since 1970 as a date, by the algorithm "civil_from_days" (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn day(days: u64) -> String {
    let z = days + 719_468;
    let era = z / 146_097;
    let day_of_era = z % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{day:02}", year_of_era + era * 400 + year)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        assert_eq!(day(0), "1970-01-01");
        assert_eq!(day(11_016), "2000-02-29");
        assert_eq!(day(20_785), "2026-11-28");
    }

    #[test]
    fn reads_the_processor() {
        assert_eq!(processor("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n"), Some("Some CPU @ 2 GHz"));
        assert_eq!(processor(""), None);
    }

    #[test]
    fn every_rival_is_pinned() {
        let rivals = rivals(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/page"))).expect("read");
        assert!(rivals.iter().any(|(name, _)| name == "tus-js-client"));
        for (name, version) in rivals {
            assert!(version.starts_with(|first: char| first.is_ascii_digit()), "{name} {version}");
        }
    }
}
