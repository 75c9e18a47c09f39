//! What each crate may depend on, read from its manifest.

use super::{Finding, Source};

/// Normal dependencies that a crate must not name. (What it reaches through others is checked with `cargo tree`.)
const FORBIDDEN: [(&str, &[&str]); 5] = [
    (
        "core",
        &[
            "tokio",
            "futures",
            "rdkafka",
            "tokio-postgres",
            "redis",
            "ratatui",
            "crossterm",
            "tracing",
            "rand",
            "config",
            "clap",
        ],
    ),
    (
        "store",
        &[
            "rdkafka",
            "ratatui",
            "crossterm",
            "clap",
            "color-eyre",
            "instashop-workers",
        ],
    ),
    (
        "workers",
        &[
            "ratatui",
            "crossterm",
            "tokio-postgres",
            "redis",
            "instashop-dev",
            "instashop-tui",
        ],
    ),
    (
        "tui",
        &[
            "rdkafka",
            "tokio-postgres",
            "redis",
            "reqwest",
            "instashop-workers",
            "instashop-dev",
        ],
    ),
    (
        "dev",
        &["instashop-workers", "instashop-tui", "instashop-store", "ratatui"],
    ),
];

/// Checks the manifests.
pub(crate) fn check(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, forbidden) in FORBIDDEN {
        let path = format!("crates/{name}/Cargo.toml");
        let Some(manifest) = sources.iter().find(|source| source.path == path) else {
            continue;
        };
        let parsed: toml::Table = match manifest.text.parse() {
            Ok(parsed) => parsed,
            Err(error) => {
                findings.push(Finding::new(
                    &path,
                    0,
                    "layers",
                    format!("cannot be read: {error}"),
                ));
                continue;
            }
        };
        for section in ["dependencies", "build-dependencies"] {
            for (dependency, value) in parsed
                .get(section)
                .and_then(toml::Value::as_table)
                .into_iter()
                .flatten()
            {
                if forbidden.contains(&dependency.as_str()) {
                    findings.push(Finding::new(
                        &path,
                        0,
                        "layers",
                        format!("{name} must not depend on {dependency}"),
                    ));
                }
                if value.get("workspace").and_then(toml::Value::as_bool) != Some(true) {
                    let message =
                        format!("{dependency}: versions stand in the table of the top manifest only");
                    findings.push(Finding::new(&path, 0, "versions", message));
                }
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::source;
    use super::*;

    #[test]
    fn forbidden_and_versioned_dependencies_are_found() {
        let text = "[dependencies]\nredis.workspace = true\nserde = \"1\"\n[dev-dependencies]\ntokio.workspace = true\n";
        let rules: Vec<_> = check(&[source("crates/core/Cargo.toml", text)])
            .into_iter()
            .map(|finding| finding.rule)
            .collect();
        assert_eq!(rules, ["layers", "versions"]);
    }
}
