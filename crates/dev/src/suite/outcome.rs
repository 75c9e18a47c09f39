//! Reads how many tests ran from the output of `cargo test`.

/// Tests counted so far.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Counter {
    /// Tests that passed.
    pub(super) passed: u64,
    /// Tests that were not run.
    pub(super) ignored: u64,
    /// Names of the tests that failed.
    pub(super) failures: Vec<String>,
}

impl Counter {
    /// Takes one line of output.
    pub(super) fn read(&mut self, line: &str) {
        if let Some(result) = line.strip_prefix("test result: ") {
            self.passed += number_before(result, " passed");
            self.ignored += number_before(result, " ignored");
        } else if let Some(name) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.strip_suffix(" ... FAILED"))
        {
            self.failures.push(name.to_owned());
        }
    }
}

fn number_before(text: &str, word: &str) -> u64 {
    text.split(word)
        .next()
        .and_then(|before| before.rsplit(' ').next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_over_several_binaries() {
        let mut counter = Counter::default();
        for line in [
            "running 2 tests",
            "test a::b ... ok",
            "test a::c ... FAILED",
            "test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test result: ok. 41 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.01s",
        ] {
            counter.read(line);
        }
        assert_eq!(
            counter,
            Counter {
                passed: 42,
                ignored: 2,
                failures: vec!["a::c".into()]
            }
        );
    }
}
