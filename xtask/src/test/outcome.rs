//! Counting: what test runners print, and what it adds up to.

use std::fmt;
use std::ops::AddAssign;

/// How many tests passed, failed and were skipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Those that ran and were right.
    pub passed: u32,
    /// Those that ran and were wrong, and parts that could not run at all.
    pub failed: u32,
    /// Those that are marked as ignored.
    pub skipped: u32,
}

impl Outcome {
    /// One test, passed.
    pub const SUCCESS: Self = Self {
        passed: 1,
        failed: 0,
        skipped: 0,
    };
    /// One test, failed.
    pub const FAILURE: Self = Self {
        passed: 0,
        failed: 1,
        skipped: 0,
    };

    /// The outcome of a check that counts as one test.
    pub fn of(success: bool) -> Self {
        if success {
            Self::SUCCESS
        } else {
            Self::FAILURE
        }
    }

    /// Reads the line with which test runners end:
    /// `test result: ok. 5 passed; 0 failed; 1 ignored; …`
    pub fn parse(line: &str) -> Option<Self> {
        let (_, counts) = line
            .trim()
            .strip_prefix("test result: ")?
            .split_once(". ")?;
        let count = |name: &str| {
            let mut numbers = counts
                .split(';')
                .filter_map(|field| field.trim().strip_suffix(name));
            numbers.next()?.trim().parse().ok()
        };
        Some(Self {
            passed: count("passed")?,
            failed: count("failed")?,
            skipped: count("ignored")?,
        })
    }

    /// The whole run of a test runner: what its lines said, and whether it ended well. One that did
    /// not end well without a failed test could not be built or crashed; one without any test tested
    /// nothing: both count as one failure.
    pub fn of_run(counted: Self, success: bool) -> Self {
        let mut outcome = counted;
        if outcome.failed == 0 && (!success || outcome.passed + outcome.skipped == 0) {
            outcome.failed = 1;
        }
        outcome
    }
}

impl AddAssign for Outcome {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            passed,
            failed,
            skipped,
        } = self;
        write!(
            formatter,
            "{passed} passed, {failed} failed, {skipped} skipped"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(passed: u32, failed: u32, skipped: u32) -> Outcome {
        Outcome {
            passed,
            failed,
            skipped,
        }
    }

    #[test]
    fn the_last_line_of_every_runner_is_understood() {
        for (line, expected) in [
            (
                "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.0s",
                outcome(5, 0, 1),
            ),
            (
                "test result: FAILED. 15 passed; 2 failed; 0 ignored; 0 measured",
                outcome(15, 2, 0),
            ),
            (
                "test result: ok. 3 passed; 0 failed; 0 ignored; 0 filtered out",
                outcome(3, 0, 0),
            ),
        ] {
            assert_eq!(Outcome::parse(line), Some(expected), "{line}");
        }
        assert_eq!(Outcome::parse("test a::test ... ok"), None);
        assert_eq!(Outcome::parse("test result: what?"), None);
    }

    #[test]
    fn a_run_that_crashed_or_tested_nothing_is_a_failure() {
        assert_eq!(Outcome::of_run(outcome(5, 0, 1), true), outcome(5, 0, 1));
        assert_eq!(Outcome::of_run(outcome(5, 0, 0), false), outcome(5, 1, 0));
        assert_eq!(Outcome::of_run(outcome(5, 2, 0), false), outcome(5, 2, 0));
        assert_eq!(Outcome::of_run(outcome(0, 0, 0), true), outcome(0, 1, 0));
    }

    #[test]
    fn the_sum_is_one_line() {
        let mut sum = outcome(1, 2, 3);
        sum += outcome(10, 20, 30);
        assert_eq!(sum.to_string(), "11 passed, 22 failed, 33 skipped");
    }
}
