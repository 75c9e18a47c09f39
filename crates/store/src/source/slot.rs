//! The replication slot of a source, watched as the capture role: any login may read `pg_replication_slots`.

use std::fmt;
use std::time::Duration;

use instashop_core::config;
use instashop_core::table::SourceDb;
use tokio_postgres::Client;
use tokio_postgres::types::PgLsn;

use super::slot_name;
use crate::StoreError;
use crate::postgres::{Address, Limits, connect, failed};

/// A replication slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotState {
    /// True while a connector reads it.
    pub active: bool,
    /// Bytes of log the server keeps for it.
    pub retained_bytes: i64,
    /// Position its reader has confirmed, if any.
    pub confirmed: Option<u64>,
    /// `reserved`, `extended`, `unreserved` or `lost`; a lost slot needs a new snapshot.
    pub wal_status: String,
}

/// Asks one source for its slot, over and over; connects again by itself.
pub struct SlotWatch {
    source: SourceDb,
    config: config::Source,
    client: Option<Client>,
}

impl fmt::Debug for SlotWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlotWatch")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl SlotWatch {
    /// Nothing is connected yet.
    pub fn new(source: SourceDb, config: &config::Source) -> Self {
        Self {
            source,
            config: config.clone(),
            client: None,
        }
    }

    /// The slot now; `None` when the server answers and has no such slot (its connector makes it when it first starts).
    /// An error means that the source did not answer.
    pub async fn ask(&mut self) -> Result<Option<SlotState>, StoreError> {
        let what = format!("source {}", self.source.name());
        let known = self.client.take().filter(|client| !client.is_closed());
        let client = match known {
            Some(client) => client,
            None => self.connect(&what).await?,
        };
        let row = client
            .query_opt(
                "SELECT active, coalesce(pg_wal_lsn_diff(
                   CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
                   restart_lsn), 0)::bigint, confirmed_flush_lsn, coalesce(wal_status, 'lost')
                 FROM pg_replication_slots WHERE slot_name = $1",
                &[&slot_name(self.source)],
            )
            .await
            .map_err(|error| failed(&format!("cannot read the slot of {what}"), error))?;
        self.client = Some(client);
        Ok(row.map(|row| SlotState {
            active: row.get(0),
            retained_bytes: row.get(1),
            confirmed: row.get::<_, Option<PgLsn>>(2).map(Into::into),
            wal_status: row.get(3),
        }))
    }

    async fn connect(&self, what: &str) -> Result<Client, StoreError> {
        let address = Address {
            what,
            host: &self.config.host,
            port: self.config.port,
            database: &self.config.database,
            user: &self.config.capture_user,
            password: &self.config.capture_password,
            application: "instashop watch",
        };
        let limits = Limits {
            statement: Duration::from_secs(3),
            lock: Duration::from_secs(3),
            idle_in_transaction: Duration::from_secs(10),
            read_only: true,
        };
        connect(&address, &limits).await
    }
}
