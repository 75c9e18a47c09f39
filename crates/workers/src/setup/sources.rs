//! The four source databases: what only a person can repair, and what setup puts in place.

use std::collections::BTreeMap;

use futures::future::join_all;
use instashop_core::config::Config;
use instashop_core::table::SourceDb;
use instashop_store::StoreError;
use instashop_store::source::{Inspection, SourceOwner};

use super::Part;
use super::journal::Journal;
use crate::cli::exit::Exit;

/// Checks the sources and, if allowed, prepares them. Gives what was found of those that can be captured.
pub(super) async fn run(config: &Config, journal: &Journal) -> BTreeMap<SourceDb, Inspection> {
    if let Some((first, second)) = same_database(config) {
        let what = format!("is the same database as {}", first.name());
        let hint =
            "give each source of the configuration a database of its own: slot and publication would collide";
        journal.problem(Part::Sources, second.name(), Exit::Configuration, what, hint);
        return BTreeMap::new();
    }
    let all = SourceDb::ALL.map(|source| async move {
        match prepare(source, config, journal).await {
            Ok(inspection) => Some((source, inspection?)),
            Err(error) => {
                journal.store_problem(Part::Sources, source.name(), &error);
                None
            }
        }
    });
    join_all(all).await.into_iter().flatten().collect()
}

/// Two sources that the configuration points at one database.
fn same_database(config: &Config) -> Option<(SourceDb, SourceDb)> {
    let place = |source: SourceDb| {
        let settings = config.sources.get(source);
        (settings.host.as_str(), settings.port, settings.database.as_str())
    };
    SourceDb::ALL.into_iter().enumerate().find_map(|(index, first)| {
        let mut rest = SourceDb::ALL.into_iter().skip(index + 1);
        Some((first, rest.find(|second| place(*second) == place(first))?))
    })
}

/// `None` when the source cannot be captured as it is; the journal says why.
async fn prepare(
    source: SourceDb,
    config: &Config,
    journal: &Journal,
) -> Result<Option<Inspection>, StoreError> {
    let settings = config.sources.get(source);
    let name = source.name();
    let mut owner = SourceOwner::connect(source, settings).await?;
    let inspection = owner.inspect().await?;
    let mut usable = true;
    for fault in inspection.faults() {
        if fault.fatal {
            usable = false;
            journal.problem(Part::Sources, name, Exit::No, fault.what, fault.hint);
        } else {
            journal.note(Part::Sources, name, fault.what, fault.hint);
        }
    }
    if !usable {
        return Ok(None);
    }
    let steps = if journal.may_change() {
        owner.prepare(settings).await?
    } else {
        owner.check(settings).await?
    };
    if steps.iter().any(|step| step.changed) {
        journal.steps(Part::Sources, name, &steps);
    } else {
        let tables = inspection.tables.iter().filter(|table| table.exists).count();
        let version = inspection.version.split(' ').next().unwrap_or_default();
        let what = format!(
            "PostgreSQL {version}, {tables} tables, all {} conditions of capture hold",
            steps.len()
        );
        journal.unchanged(Part::Sources, name, what);
    }
    Ok(Some(inspection))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_sources_at_one_database_are_found() {
        let mut config = Config::default();
        assert_eq!(same_database(&config), None);
        config.sources.erp_db = config.sources.crm_db.clone();
        assert_eq!(same_database(&config), Some((SourceDb::CrmDb, SourceDb::ErpDb)));
        config.sources.erp_db.database = "erp_db".into();
        assert_eq!(
            same_database(&config),
            None,
            "two databases of one server are fine"
        );
    }
}
