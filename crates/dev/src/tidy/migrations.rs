//! A migration that was committed is never edited: its hash stands in a list.

use std::collections::BTreeMap;
use std::path::Path;

use color_eyre::eyre::{Result, WrapErr};
use sha2::{Digest, Sha256};

use super::{Finding, Source};

const FOLDER: &str = "crates/store/sql/warehouse/";
const LIST: &str = "crates/store/sql/warehouse/V.sha256";

/// Compares the versioned files with the list. With `bless`, files that are not yet listed are added.
pub(crate) fn check(root: &Path, sources: &[Source], bless: bool) -> Result<Vec<Finding>> {
    let listed = read(&std::fs::read_to_string(root.join(LIST)).unwrap_or_default());
    let present: BTreeMap<String, String> = sources
        .iter()
        .filter(|source| is_versioned(&source.path))
        .map(|source| (source.path[FOLDER.len()..].to_owned(), hash(&source.text)))
        .collect();
    let (findings, new) = compare(&listed, &present);
    if bless && !new.is_empty() {
        let mut all = listed;
        all.extend(new.into_iter().map(|name| (name.clone(), present[&name].clone())));
        let text: String = all
            .iter()
            .map(|(name, hash)| format!("{hash}  {name}\n"))
            .collect();
        std::fs::write(root.join(LIST), text).wrap_err_with(|| format!("cannot write {LIST}"))?;
        return Ok(findings
            .into_iter()
            .filter(|finding| finding.rule != "migration-new")
            .collect());
    }
    Ok(findings)
}

fn is_versioned(path: &str) -> bool {
    path.strip_prefix(FOLDER)
        .and_then(|rest| rest.rsplit('/').next())
        .is_some_and(|name| name.starts_with('V') && name.ends_with(".sql"))
}

fn read(list: &str) -> BTreeMap<String, String> {
    list.lines()
        .filter_map(|line| line.split_once("  "))
        .map(|(hash, name)| (name.into(), hash.into()))
        .collect()
}

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn compare(
    listed: &BTreeMap<String, String>,
    present: &BTreeMap<String, String>,
) -> (Vec<Finding>, Vec<String>) {
    let mut findings = Vec::new();
    let mut new = Vec::new();
    for (name, hash) in listed {
        match present.get(name) {
            None => findings.push(Finding::new(
                LIST,
                0,
                "migration",
                format!("{name} is gone; a migration stays for ever"),
            )),
            Some(now) if now != hash => {
                let message = format!("{name} was edited; write a new numbered file instead");
                findings.push(Finding::new(LIST, 0, "migration", message));
            }
            Some(_) => {}
        }
    }
    for name in present.keys().filter(|name| !listed.contains_key(*name)) {
        new.push(name.clone());
        let message = format!("{name} is not in the list; add it with `instashop-dev tidy --bless`");
        findings.push(Finding::new(LIST, 0, "migration-new", message));
    }
    (findings, new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(name, hash)| ((*name).into(), (*hash).into()))
            .collect()
    }

    #[test]
    fn edited_missing_and_new_files_are_found() {
        let cases = [
            (
                "same",
                map(&[("raw/V1.sql", "a")]),
                map(&[("raw/V1.sql", "a")]),
                vec![],
            ),
            (
                "edited",
                map(&[("raw/V1.sql", "a")]),
                map(&[("raw/V1.sql", "b")]),
                vec!["migration"],
            ),
            ("gone", map(&[("raw/V1.sql", "a")]), map(&[]), vec!["migration"]),
            (
                "new",
                map(&[]),
                map(&[("raw/V1.sql", "a")]),
                vec!["migration-new"],
            ),
        ];
        for (name, listed, present, expected) in cases {
            let rules: Vec<_> = compare(&listed, &present)
                .0
                .into_iter()
                .map(|finding| finding.rule)
                .collect();
            assert_eq!(rules, expected, "{name}");
        }
    }

    #[test]
    fn only_versioned_files_of_the_warehouse_count() {
        assert!(is_versioned("crates/store/sql/warehouse/raw/V001__events.sql"));
        assert!(!is_versioned("crates/store/sql/warehouse/core/orders.sql"));
        assert!(!is_versioned("crates/dev/sql/source/V001.sql"));
    }
}
