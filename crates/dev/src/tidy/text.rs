//! Rules on the text of Rust files: SQL and Redis keys only in `store`, core without I/O and clock.

use super::{Finding, Source};

/// SQL, as a string literal would begin or hold it.
const SQL: [&str; 9] = [
    "SELECT ",
    "INSERT INTO ",
    "UPDATE ",
    "DELETE FROM ",
    "CREATE TABLE",
    "ALTER TABLE",
    "DROP TABLE",
    "TRUNCATE ",
    "COPY ",
];

/// Beginnings of Redis keys.
const REDIS_KEYS: [&str; 4] = ["live:", "sealed:", "cdc_spark_metrics:", "metrics:"];

/// What core must not name.
const IMPURE: [&str; 12] = [
    "std::fs",
    "std::net",
    "std::env",
    "std::thread",
    "std::process",
    "tokio",
    "rdkafka",
    "tokio_postgres",
    "redis::",
    "async fn",
    "::now()",
    "rand::",
];

/// Checks every Rust file outside tests.
pub(crate) fn check(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| is_production(&source.path)) {
        let production: Vec<(usize, &str)> = source
            .text
            .lines()
            .take_while(|line| !line.starts_with("#[cfg(test)]"))
            .enumerate()
            .collect();
        for (index, line) in production {
            let code = without_comment(line);
            let mut find =
                |rule, message: String| findings.push(Finding::new(&source.path, index + 1, rule, message));
            let crate_name = source.path.split('/').nth(1).unwrap_or("");
            if ["core", "workers", "tui"].contains(&crate_name)
                && let Some(word) =
                    literals(code).find_map(|text| SQL.iter().find(|sql| looks_like_sql(text, sql)))
            {
                find(
                    "sql",
                    format!("SQL text ({}) belongs in crates/store", word.trim()),
                );
            }
            let exempt = source.path.starts_with("crates/store/src/live/keys") || crate_name == "dev";
            if !exempt && let Some(key) = literals(code).find_map(redis_key) {
                let place = "crates/store/src/live/keys.rs";
                find(
                    "redis-key",
                    format!("a Redis key ({key}...) is built in {place} alone"),
                );
            }
            if crate_name == "core"
                && let Some(word) = IMPURE.iter().find(|word| code.contains(**word))
            {
                find(
                    "core-pure",
                    format!("`{word}` in core: it has no I/O, no async and no clock"),
                );
            }
        }
    }
    findings
}

/// Rust files that are more than tests.
fn is_production(path: &str) -> bool {
    path.ends_with(".rs") && path.contains("/src/") && !path.ends_with("/tests.rs")
}

/// A literal that starts like a statement, or holds one after a blank or a bracket.
fn looks_like_sql(literal: &str, statement: &str) -> bool {
    let upper = literal.trim_start();
    let known = |text: &str| {
        text.starts_with(statement)
            && match statement {
                "SELECT " => true,
                "UPDATE " => text.contains(" SET "),
                "COPY " => text.contains(" FROM ") || text.contains(" TO "),
                _ => text.len() > statement.len(),
            }
    };
    known(upper)
        || upper
            .match_indices(['(', ' '])
            .any(|(at, _)| statement == "SELECT " && known(&upper[at + 1..]))
}

/// The beginning of a Redis key that a literal holds.
fn redis_key(literal: &str) -> Option<&'static str> {
    REDIS_KEYS
        .into_iter()
        .find(|key| literal.starts_with(key) && literal != *key)
}

/// The string literals that begin on a line; a literal over several lines counts with its first line.
fn literals(code: &str) -> impl Iterator<Item = &str> {
    code.split('"').skip(1).step_by(2)
}

fn without_comment(line: &str) -> &str {
    let trimmed = line.trim_start();
    if trimmed.starts_with("//") {
        ""
    } else {
        line.split(" // ").next().unwrap_or(line)
    }
}

#[cfg(test)]
mod tests {
    use super::super::source;
    use super::*;

    #[test]
    fn cases() {
        let cases = [
            ("crates/workers/src/a.rs", "let s = \"SELECT 1\";", Some("sql")),
            (
                "crates/workers/src/a.rs",
                "let s = \"UPDATE your configuration\";",
                None,
            ),
            ("crates/workers/src/a.rs", "// SELECT 1 in a comment", None),
            ("crates/tui/src/a.rs", "let s = \"insert the card\";", None),
            ("crates/store/src/warehouse/a.rs", "let s = \"SELECT 1\";", None),
            (
                "crates/store/src/live/query.rs",
                "let k = \"live:meta\";",
                Some("redis-key"),
            ),
            ("crates/store/src/live/keys.rs", "let k = \"live:meta\";", None),
            (
                "crates/tui/src/a.rs",
                "let k = format!(\"metrics:{name}\");",
                Some("redis-key"),
            ),
            ("crates/core/src/a.rs", "use std::fs;", Some("core-pure")),
            ("crates/core/src/a.rs", "let now = Utc::now();", Some("core-pure")),
            ("crates/core/src/a.rs", "/// never `Utc::now()`", None),
            ("crates/workers/src/a.rs", "let now = Utc::now();", None),
        ];
        for (path, line, expected) in cases {
            let findings = check(&[source(path, line)]);
            assert_eq!(
                findings.first().map(|finding| finding.rule),
                expected,
                "{path}: {line}"
            );
        }
    }

    #[test]
    fn tests_may_hold_what_production_may_not() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    const S: &str = \"SELECT 1\";\n}\n";
        assert_eq!(check(&[source("crates/workers/src/a.rs", text)]), []);
    }
}
