//! What is known of the source databases: it tells a restored or replaced server from the one seen before.

use chrono::{DateTime, Utc};
use instashop_core::table::SourceDb;
use tokio_postgres::Client;
use tokio_postgres::types::PgLsn;

use crate::StoreError;
use crate::postgres::failed;

/// A source as setup saw it last. Another `system_identifier`, or a log position below `log_position`, means that the
/// server's data are others than before: a new generation and a new snapshot (docs: cdc section 2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownSource {
    /// Which source.
    pub source: SourceDb,
    /// Generation its connector stamps on every record.
    pub generation: u32,
    /// Identity of the server's data.
    pub system_identifier: i64,
    /// Position of its log.
    pub log_position: u64,
}

/// All sources seen so far.
pub(super) async fn load(client: &Client) -> Result<Vec<KnownSource>, StoreError> {
    let rows = client
        .query(
            "SELECT source, generation, system_identifier, last_lsn FROM ops.sources ORDER BY source",
            &[],
        )
        .await
        .map_err(|error| failed("cannot read ops.sources", error))?;
    let known = rows.iter().filter_map(|row| {
        Some(KnownSource {
            source: SourceDb::from_name(row.get(0))?,
            generation: u32::try_from(row.get::<_, i32>(1)).unwrap_or_default(),
            system_identifier: row.get(2),
            log_position: row.get::<_, PgLsn>(3).into(),
        })
    });
    Ok(known.collect())
}

/// Remembers a source.
pub(super) async fn save(client: &Client, known: &KnownSource, now: DateTime<Utc>) -> Result<(), StoreError> {
    client
        .execute(
            "INSERT INTO ops.sources (source, generation, system_identifier, last_lsn, updated_at)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (source) DO UPDATE SET generation = excluded.generation,
               system_identifier = excluded.system_identifier, last_lsn = excluded.last_lsn, updated_at = excluded.updated_at",
            &[
                &known.source.name(),
                &i32::try_from(known.generation).unwrap_or(i32::MAX),
                &known.system_identifier,
                &PgLsn::from(known.log_position),
                &now,
            ],
        )
        .await
        .map_err(|error| failed("cannot write ops.sources", error))?;
    Ok(())
}
