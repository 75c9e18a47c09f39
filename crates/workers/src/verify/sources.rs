//! Each source against the warehouse as a snapshot of that source saw it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use color_eyre::eyre::Result;
use futures::future::try_join_all;
use instashop_core::config::Config;
use instashop_core::live::Figure;
use instashop_core::proof::NAMED;
use instashop_core::table::{SourceDb, Table};
use instashop_store::StoreError;
use instashop_store::measures::{Cut, Difference, DifferenceKind};
use instashop_store::source::SourceReader;
use instashop_store::warehouse::Auditor;

use super::cut;
use super::progress::Progress;

/// One table on both sides.
#[derive(Debug)]
pub(crate) struct TableResult {
    pub(crate) table: Table,
    /// Rows of the source and of the warehouse.
    pub(crate) rows: [i64; 2],
    /// Rows that differ.
    pub(crate) drift: i64,
    pub(crate) named: Vec<String>,
    /// Keys of rows that the warehouse alone has: they vanished from the source and no delete came.
    pub(crate) vanished: Vec<i64>,
}

/// One source compared.
#[derive(Debug)]
pub(crate) struct SourceResult {
    pub(crate) source: SourceDb,
    /// Position of the source's log when it was read: everything that was compared lies before it.
    pub(crate) position: u64,
    pub(crate) tables: Vec<TableResult>,
    /// All figures of the source and of the warehouse, row counts left out.
    pub(crate) figures: [BTreeMap<Figure, i64>; 2],
}

impl SourceResult {
    pub(super) fn is_clean(&self) -> bool {
        self.figures[0] == self.figures[1] && self.tables.iter().all(|table| table.drift == 0)
    }
}

/// Compares the given sources, all at nearly the same moment.
pub(crate) async fn compare(
    config: &Config,
    auditor: &mut Auditor,
    sources: &[SourceDb],
    wait: Duration,
    progress: &Progress,
) -> Result<Vec<SourceResult>> {
    progress.say("taking snapshots of the sources");
    // What was in the warehouse before the snapshots was committed before them: only later events can lie beyond.
    let since = auditor.checkpoints().await?;
    let mut readers = try_join_all(
        sources
            .iter()
            .map(|source| SourceReader::connect(*source, config.sources.get(*source))),
    )
    .await?;
    let snapshots = try_join_all(readers.iter_mut().map(SourceReader::snapshot)).await?;
    for (source, (_, seen)) in sources.iter().zip(&snapshots) {
        cut::slot(config, *source, seen.log_position, wait, progress).await?;
    }
    let ends: Vec<_> = cut::ends(config).await?.into_iter().collect();
    cut::warehouse(auditor, &ends, wait, progress).await?;
    let gone = auditor.gone_products().await?;
    let mut results = Vec::new();
    for (source, (there, seen)) in sources.iter().zip(snapshots) {
        progress.say(&format!("comparing {}", source.name()));
        let here = auditor.as_of_snapshot(*source, &seen, &since).await?;
        let (one, other) = tokio::try_join!(there.tables(), here.tables())?;
        let mut tables = Vec::new();
        for one in one {
            let other = other.iter().find(|other| other.table == one.table);
            let same = other.is_some_and(|other| other.rows == one.rows && other.checksum == one.checksum);
            let (drift, named, vanished) = if same {
                (0, Vec::new(), Vec::new())
            } else {
                differences(&there, &here, one.table).await?
            };
            tables.push(TableResult {
                table: one.table,
                rows: [one.rows, other.map_or(0, |other| other.rows)],
                drift,
                named,
                vanished,
            });
        }
        let meaning = &config.meaning;
        let (mut one, mut other) =
            tokio::try_join!(there.figures(meaning, &gone), here.figures(meaning, &gone))?;
        for side in [&mut one, &mut other] {
            side.retain(|figure, _| figure.name != "rows");
        }
        results.push(SourceResult {
            source: *source,
            position: seen.log_position,
            tables,
            figures: [one, other],
        });
    }
    Ok(results)
}

/// Rows of a table that differ: how many, the first of them, and the keys that the second side alone has. Values are not
/// shown, they may be personal.
async fn differences(
    there: &Cut<'_>,
    here: &Cut<'_>,
    table: Table,
) -> Result<(i64, Vec<String>, Vec<i64>), StoreError> {
    let (one, other) = tokio::try_join!(there.row_hashes(table), here.row_hashes(table))?;
    let all = Difference::between(&one, &other);
    let mut named = Vec::new();
    for difference in all.iter().take(NAMED) {
        let how = match difference.kind {
            DifferenceKind::OnlyFirst => "missing in the warehouse".to_owned(),
            DifferenceKind::OnlySecond => "in the warehouse only".to_owned(),
            DifferenceKind::Other => {
                let (one, other) =
                    tokio::try_join!(there.row(table, difference.key), here.row(table, difference.key))?;
                format!("differs in {}", columns(one.as_deref(), other.as_deref()))
            }
        };
        named.push(format!("{} {}: {how}", table.key(), difference.key));
    }
    let only_second = all
        .iter()
        .filter(|difference| difference.kind == DifferenceKind::OnlySecond);
    let vanished = only_second.map(|difference| difference.key).collect();
    Ok((all.len() as i64, named, vanished))
}

/// Names of the columns in which two rows, as JSON objects, differ.
fn columns(one: Option<&str>, other: Option<&str>) -> String {
    let read = |text: Option<&str>| -> BTreeMap<String, serde_json::Value> {
        text.and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default()
    };
    let (one, other) = (read(one), read(other));
    let names: Vec<&str> = one
        .keys()
        .chain(other.keys())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .filter(|name| one.get(*name) != other.get(*name))
        .map(String::as_str)
        .collect();
    if names.is_empty() {
        "nothing any more".into()
    } else {
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differing_columns_are_named_without_their_values() {
        let one = r#"{"buyer_id": 1, "email": "a@b", "phone": null}"#;
        let other = r#"{"buyer_id": 1, "email": "c@d", "phone": "5"}"#;
        assert_eq!(columns(Some(one), Some(other)), "email, phone");
        assert_eq!(columns(Some(one), Some(one)), "nothing any more");
        assert_eq!(columns(Some(r#"{"a": 1}"#), None), "a");
    }
}
