//! The table at the end.

use std::fmt::Write;
use std::time::Duration;

use super::counts::Counts;

/// How one suite ended.
pub(crate) struct Row {
    pub(crate) suite: &'static str,
    pub(crate) counts: Counts,
    pub(crate) took: Duration,
    /// Why it failed, where no single test can say so.
    pub(crate) why: Option<String>,
}

/// The table, and `N passed, N failed` as its last line.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut text = String::from("\nsuite         passed  failed     time\n");
    for row in rows {
        let _ = writeln!(
            text,
            "{:<12} {:>7} {:>7} {:>8}{}",
            row.suite,
            row.counts.passed,
            row.counts.failed,
            minutes(row.took),
            row.why.as_ref().map(|why| format!("  {}", why.replace('\n', " "))).unwrap_or_default()
        );
    }
    let total: Counts = rows.iter().map(|row| row.counts).sum();
    let took: Duration = rows.iter().map(|row| row.took).sum();
    let _ = writeln!(text, "{:<28} {:>8}\n", "in all", minutes(took));
    let _ = writeln!(text, "{} passed, {} failed", total.passed, total.failed);
    text
}

fn minutes(time: Duration) -> String {
    let tenths = time.as_millis() / 100;
    format!("{}:{:02}.{}", tenths / 600, tenths / 10 % 60, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_with_the_sum_alone_on_its_line() {
        let rows = [
            Row { suite: "fmt", counts: Counts::one(true), took: Duration::from_millis(1_250), why: None },
            Row {
                suite: "e2e",
                counts: Counts { passed: 40, failed: 2 },
                took: Duration::from_secs(75),
                why: Some("two\nlines".to_owned()),
            },
        ];
        let text = table(&rows);
        assert_eq!(text.lines().last(), Some("41 passed, 2 failed"));
        assert!(text.contains("fmt                1       0   0:01.2\n"));
        assert!(text.contains("e2e               40       2   1:15.0  two lines\n"));
        assert!(text.contains("1:16.2"));
    }
}
