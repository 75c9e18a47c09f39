//! Every invariant of ARCHITECTURE.md names the check that holds it, and that check exists.
//!
//! An invariant is a list item that begins with `- **A<number>`; its text ends with `Check:` and names in backticks.
//! A name is a test function, a make target, a rule of tidy, a scenario of the fault matrix or a file.

use super::{Finding, Source};

const PAGE: &str = "ARCHITECTURE.md";

/// Checks the page.
pub(crate) fn check(sources: &[Source]) -> Vec<Finding> {
    let Some(page) = sources.iter().find(|source| source.path == PAGE) else {
        return vec![Finding::new(PAGE, 0, "invariants", "the page is missing")];
    };
    let mut findings = Vec::new();
    for (line, item) in items(&page.text) {
        let names = item
            .split_once("Check:")
            .map_or_else(Vec::new, |(_, checks)| backticked(checks));
        if names.is_empty() {
            findings.push(Finding::new(
                PAGE,
                line,
                "invariants",
                "names no check: end it with Check: `name`",
            ));
        }
        for name in names {
            if !exists(sources, &name) {
                findings.push(Finding::new(
                    PAGE,
                    line,
                    "invariants",
                    format!("the check `{name}` does not exist"),
                ));
            }
        }
    }
    findings
}

/// List items with the line they begin on; a continued item is joined.
fn items(text: &str) -> Vec<(usize, String)> {
    let mut items: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (index, line) in text.lines().enumerate() {
        if line.starts_with("- **A") {
            items.push((index + 1, line.to_owned()));
            open = true;
        } else if open && line.starts_with("  ") {
            if let Some((_, item)) = items.last_mut() {
                item.push(' ');
                item.push_str(line.trim());
            }
        } else {
            open = false;
        }
    }
    items
}

fn backticked(text: &str) -> Vec<String> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .map(ToOwned::to_owned)
        .collect()
}

fn exists(sources: &[Source], name: &str) -> bool {
    if let Some(target) = name.strip_prefix("make ") {
        return sources
            .iter()
            .filter(|source| source.path == "Makefile")
            .any(|makefile| {
                makefile
                    .text
                    .lines()
                    .any(|line| line.starts_with(&format!("{target}:")))
            });
    }
    if let Some(rule) = name.strip_prefix("tidy ") {
        let quoted = format!("\"{rule}\"");
        return sources
            .iter()
            .any(|source| source.path.starts_with("crates/dev/src/tidy") && source.text.contains(&quoted));
    }
    if let Some(fault) = name.strip_prefix("fault ") {
        let quoted = format!("\"{fault}\"");
        return sources
            .iter()
            .any(|source| source.path.ends_with("faults/matrix.rs") && source.text.contains(&quoted));
    }
    if name.contains('/') {
        return sources.iter().any(|source| source.path == name);
    }
    let function = format!("fn {name}(");
    sources
        .iter()
        .any(|source| source.path.ends_with(".rs") && source.text.contains(&function))
}

#[cfg(test)]
mod tests {
    use super::super::source;
    use super::*;

    #[test]
    fn each_invariant_needs_a_check_that_exists() {
        let page = "- **A1** Money is cents.\n  Check: `shares_add_up`.\n- **A2** No check here.\n- **A3** Check: `gone`.\n\
                    - **A4** Check: `make lint`, `tidy sql`, `fault fire`.\n- not an invariant\n";
        let sources = [
            source(PAGE, page),
            source("crates/core/src/money.rs", "fn shares_add_up() {}"),
            source("Makefile", "lint:\n\tcargo clippy\n"),
            source("crates/dev/src/faults/matrix.rs", "scenario(\"fire\", ..)"),
            source("crates/dev/src/tidy/text.rs", "find(\"sql\", ..)"),
        ];
        let found: Vec<_> = check(&sources)
            .into_iter()
            .map(|finding| (finding.line, finding.message))
            .collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[0].0, 3);
        assert!(found[1].1.contains("gone"));
    }
}
