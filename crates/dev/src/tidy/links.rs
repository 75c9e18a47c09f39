//! Every relative link of a page leads to something that is there.

use std::path::Path;

use super::{Finding, Source};

/// Checks the links of all pages against the files below `root`.
pub(crate) fn check(root: &Path, sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for page in sources.iter().filter(|source| source.path.ends_with(".md")) {
        let folder = Path::new(&page.path).parent().unwrap_or(Path::new(""));
        for (index, line) in page.text.lines().enumerate() {
            for target in targets(line) {
                if !root.join(folder).join(target).exists() {
                    findings.push(Finding::new(
                        &page.path,
                        index + 1,
                        "links",
                        format!("there is no {target}"),
                    ));
                }
            }
        }
    }
    findings
}

/// Files that a line links to, without the place inside the page. Addresses of other sites are not followed.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target.split('#').next().unwrap_or(target))
        .filter(|target| !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:"))
}

#[cfg(test)]
mod tests {
    use super::super::source;
    use super::*;

    #[test]
    fn a_link_to_nothing_is_found_with_its_line() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let page =
            "[a](Cargo.toml) and [b](gone.md#here)\n[c](https://example.com/x) [d](#below)\n![e](src)\n";
        let sources = [
            source("page.md", page),
            source("src/deep.md", "[up](../Cargo.toml) [down](nothing)"),
        ];
        let found: Vec<_> = check(root, &sources)
            .into_iter()
            .map(|finding| (finding.path, finding.line, finding.message))
            .collect();
        assert_eq!(
            found,
            [
                ("page.md".into(), 1, "there is no gone.md".into()),
                ("src/deep.md".into(), 1, "there is no nothing".into()),
            ]
        );
    }
}
