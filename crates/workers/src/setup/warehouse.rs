//! The warehouse: schema, roles, and the maps of the configuration.

use instashop_core::config::Config;
use instashop_store::StoreError;
use instashop_store::warehouse::{MapsDiffer, Owner, Report};

use super::Part;
use super::journal::Journal;

/// Checks the warehouse and, if allowed, brings it to this version. Gives the connection when the schema is there.
pub(super) async fn run(config: &Config, journal: &Journal) -> Option<Owner> {
    prepare(config, journal).await.unwrap_or_else(|error| {
        journal.store_problem(Part::Warehouse, &config.warehouse.database, &error);
        None
    })
}

async fn prepare(config: &Config, journal: &Journal) -> Result<Option<Owner>, StoreError> {
    let mut owner = Owner::connect(&config.warehouse).await?;
    let report = if journal.may_change() {
        owner.migrate().await?
    } else {
        owner.pending().await?
    };
    schema(&report, journal);
    if !journal.may_change() && !report.is_empty() {
        journal.changed(Part::Warehouse, "roles and maps", "come after the schema");
        return Ok(None);
    }
    let roles = if journal.may_change() {
        owner.ensure_roles(&config.warehouse).await?
    } else {
        owner.check_roles(&config.warehouse).await?
    };
    journal.steps(Part::Warehouse, "roles", &roles);
    let differed = if journal.may_change() {
        owner.write_meaning(&config.meaning).await?
    } else {
        owner.meaning_differs(&config.meaning).await?
    };
    let digest = config.meaning.digest();
    match differed {
        MapsDiffer::No => journal.unchanged(
            Part::Warehouse,
            "ref",
            format!("holds the maps of the configuration, digest {digest}"),
        ),
        MapsDiffer::RatesToCome(day) => journal.changed(
            Part::Warehouse,
            "ref",
            format!("exchange rates that begin on {day} or later; no number of the past changes"),
        ),
        MapsDiffer::Yes => journal.changed(
            Part::Warehouse,
            "ref",
            format!("the maps of the configuration, digest {digest}; both stores then count anew"),
        ),
    }
    Ok(Some(owner))
}

fn schema(report: &Report, journal: &Journal) {
    if report.is_empty() {
        journal.unchanged(Part::Warehouse, "schema", "is this program's");
        return;
    }
    let mut words = Vec::new();
    if !report.applied.is_empty() {
        words.push(format!("migrations {}", report.applied.join(", ")));
    }
    if !report.refreshed.is_empty() {
        words.push(format!("{} views and functions replaced", report.refreshed.len()));
    }
    journal.changed(Part::Warehouse, "schema", words.join("; "));
}
