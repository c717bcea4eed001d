//! How many tests passed and failed, read off what the runners print.

/// Tests that ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
}

impl Counts {
    /// One check that has no tests within, as a linter's run.
    pub(crate) fn one(passed: bool) -> Self {
        Self { passed: u32::from(passed), failed: u32::from(!passed) }
    }

    /// Whether anything ran at all.
    pub(crate) fn any(self) -> bool {
        self.passed + self.failed > 0
    }
}

impl std::ops::Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { passed: self.passed + other.passed, failed: self.failed + other.failed }
    }
}

impl std::iter::Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |sum, one| sum + one)
    }
}

/// All lines such as `test result: ok. 3 passed; 0 failed; …`, added up.
pub(crate) fn of_cargo_test(output: &str) -> Counts {
    output
        .lines()
        .filter_map(|line| line.trim().strip_prefix("test result:"))
        .map(|line| Counts { passed: number_before(line, "passed"), failed: number_before(line, "failed") })
        .sum()
}

/// The last line that is `N passed, N failed` and nothing else.
pub(crate) fn of_closing_line(output: &str) -> Counts {
    output
        .lines()
        .rev()
        .find_map(|line| {
            let (passed, failed) = line.trim().split_once(" passed, ")?;
            Some(Counts { passed: passed.parse().ok()?, failed: failed.strip_suffix(" failed")?.parse().ok()? })
        })
        .unwrap_or_default()
}

fn number_before(line: &str, word: &str) -> u32 {
    let mut before = "";
    for current in line.split([' ', ';', '.', ',']).filter(|w| !w.is_empty()) {
        if current == word {
            return before.parse().unwrap_or(0);
        }
        before = current;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_up_the_results_of_cargo_test() {
        let output = "\
running 3 tests
test a ... ok

test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s

test result: FAILED. 10 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1.20s
";
        assert_eq!(of_cargo_test(output), Counts { passed: 13, failed: 2 });
        assert_eq!(of_cargo_test("error: could not compile"), Counts::default());
    }

    #[test]
    fn takes_the_closing_line_of_a_suite() {
        let output = "1 passed, 0 failed\nok upload\n12 passed, 3 failed\nbye 1 passed, 1 failed\n";
        assert_eq!(of_closing_line(output), Counts { passed: 12, failed: 3 });
        assert_eq!(of_closing_line("12 passed, 3 failed, maybe"), Counts::default());
    }

    #[test]
    fn a_suite_without_a_result_ran_nothing() {
        assert!(!Counts::default().any());
        assert!(Counts::one(false).any());
    }
}
