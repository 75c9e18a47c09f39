//! Which files there are, how they are called, and how long they are.

use std::path::Path;
use std::process::Command;

use color_eyre::eyre::{Result, WrapErr, bail};

use super::{Finding, Source};

/// Production lines above which a file is shown.
pub(crate) const SHOWN: usize = 400;

/// Production lines above which a file is refused: it holds more than one thing.
const REFUSED: usize = 750;

/// Names that do not say what is inside.
const EMPTY_NAMES: [&str; 7] = ["util", "utils", "helper", "helpers", "common", "misc", "types"];

/// Endings of the files that are read.
const TEXT: [&str; 12] = [
    "rs", "sql", "lua", "toml", "md", "json", "yml", "yaml", "sh", "xml", "service", "txt",
];

/// Reads the text files that git knows or would add; `target` and ignored files are left out.
pub(crate) fn read(root: &Path) -> Result<Vec<Source>> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(root)
        .output()
        .wrap_err("cannot run git; tidy lists the files of the repository with it")?;
    if !output.status.success() {
        bail!(
            "git ls-files failed in {}: {}",
            root.display(),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let mut sources = Vec::new();
    for name in String::from_utf8_lossy(&output.stdout)
        .split('\0')
        .filter(|name| !name.is_empty())
    {
        let wanted = name
            .rsplit_once('.')
            .is_some_and(|(_, ending)| TEXT.contains(&ending))
            || ["Makefile", "Dockerfile", "run"].contains(&name.rsplit('/').next().unwrap_or(""));
        let path = root.join(name);
        if wanted && path.is_file() {
            let bytes = std::fs::read(&path).wrap_err_with(|| format!("cannot read {name}"))?;
            sources.push(Source {
                path: name.into(),
                text: String::from_utf8_lossy(&bytes).into_owned(),
            });
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

/// Files named after nothing, and `mod.rs`.
pub(crate) fn names(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for Source { path, .. } in sources.iter().filter(|source| source.path.ends_with(".rs")) {
        for part in path.trim_end_matches(".rs").split('/') {
            if EMPTY_NAMES.contains(&part) {
                findings.push(Finding::new(
                    path,
                    0,
                    "names",
                    format!("`{part}` does not say what is inside"),
                ));
            }
        }
        if path.ends_with("/mod.rs") {
            findings.push(Finding::new(
                path,
                0,
                "names",
                "use `name.rs` beside the folder `name/`, not mod.rs",
            ));
        }
    }
    findings
}

/// Lines before the test module at the end of a file.
pub(crate) fn production_lines(text: &str) -> usize {
    text.lines()
        .take_while(|line| !line.starts_with("#[cfg(test)]"))
        .count()
}

/// Files that hold nothing but tests.
fn is_test(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs")
}

/// Long files, longest first, and the findings for those that are too long.
pub(crate) fn lengths(sources: &[Source]) -> (Vec<(String, usize)>, Vec<Finding>) {
    let mut long: Vec<(String, usize)> = sources
        .iter()
        .filter(|source| source.path.ends_with(".rs") && !is_test(&source.path))
        .map(|source| (source.path.clone(), production_lines(&source.text)))
        .filter(|(_, lines)| *lines > SHOWN)
        .collect();
    long.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let refused = long
        .iter()
        .filter(|(_, lines)| *lines > REFUSED)
        .map(|(path, lines)| {
            Finding::new(
                path,
                0,
                "length",
                format!("{lines} production lines; more than {REFUSED} hold more than one thing"),
            )
        })
        .collect();
    (long, refused)
}

#[cfg(test)]
mod tests {
    use super::super::source;
    use super::*;

    #[test]
    fn names_that_say_nothing_are_found_in_any_part_of_the_path() {
        let cases = [
            ("crates/core/src/utils.rs", 1),
            ("crates/core/src/common/order.rs", 1),
            ("crates/core/src/order/mod.rs", 1),
            ("crates/core/src/order.rs", 0),
            ("docs/types.md", 0),
        ];
        for (path, expected) in cases {
            assert_eq!(names(&[source(path, "")]).len(), expected, "{path}");
        }
    }

    #[test]
    fn tests_at_the_end_do_not_count_as_length() {
        let text = format!(
            "{}#[cfg(test)]\nmod tests {{\n{}}}\n",
            "line\n".repeat(500),
            "line\n".repeat(900)
        );
        let (long, refused) = lengths(&[source("a.rs", &text), source("b.rs", &"line\n".repeat(751))]);
        assert_eq!(long, [("b.rs".to_owned(), 751), ("a.rs".to_owned(), 500)]);
        assert_eq!(refused.len(), 1);
    }
}
