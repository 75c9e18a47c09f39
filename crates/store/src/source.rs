//! The source databases: what setup checks and prepares, what the workers watch, and what verify sums up.
//!
//! * `inspect` looks and changes nothing; `prepare` puts in place what capture needs, step by step.
//! * `slot` watches the replication slot as the capture role; `snapshot` freezes the source for verify.
//!
//! Sources are found by table name in the schema `public`. Nothing here writes a row of a captured table.

mod inspect;
mod prepare;
mod slot;
mod snapshot;

use std::fmt;
use std::time::Duration;

use instashop_core::config;
use instashop_core::table::SourceDb;
use tokio_postgres::Client;

pub use inspect::{Fault, Inspection, TableState};
pub use slot::{SlotState, SlotWatch};
pub use snapshot::{Seen, SourceReader};

use crate::postgres::{Address, Limits, connect, failed};
use crate::{SetupStep, StoreError};

/// Publication that the connectors read (docs: cdc 3.2).
pub const PUBLICATION: &str = "instashop_cdc";

/// Table through which a connector is asked for an incremental snapshot.
pub const SIGNAL_TABLE: &str = "debezium_signal";

/// Name of the replication slot of a source; its connector makes it.
pub fn slot_name(source: SourceDb) -> String {
    format!("instashop_cdc_{}", source.prefix())
}

/// A connection as the owner of a source's tables; setup alone uses it.
pub struct SourceOwner {
    source: SourceDb,
    client: Client,
}

impl fmt::Debug for SourceOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceOwner")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl SourceOwner {
    /// Connects with the owner's name and password.
    pub async fn connect(source: SourceDb, config: &config::Source) -> Result<Self, StoreError> {
        let what = format!("source {}", source.name());
        let address = Address {
            what: &what,
            host: &config.host,
            port: config.port,
            database: &config.database,
            user: &config.owner_user,
            password: &config.owner_password,
            application: "instashop setup",
        };
        let limits = Limits {
            statement: Duration::from_mins(1),
            // ALTER TABLE waits for every open transaction on the table, and everybody else waits behind it.
            lock: Duration::from_secs(10),
            idle_in_transaction: Duration::from_mins(1),
            read_only: false,
        };
        Ok(Self {
            source,
            client: connect(&address, &limits).await?,
        })
    }

    /// What the source is like: settings, tables, publication, slot. Changes nothing.
    pub async fn inspect(&self) -> Result<Inspection, StoreError> {
        inspect::inspect(&self.client, self.source).await
    }

    /// Puts in place what capture needs: the capture role with its rights, the signal table, `REPLICA IDENTITY FULL`, the
    /// publication, and a trigger against TRUNCATE on every captured table that exists. One transaction; run again it
    /// changes nothing.
    pub async fn prepare(&mut self, config: &config::Source) -> Result<Vec<SetupStep>, StoreError> {
        prepare::prepare(&mut self.client, self.source, config, true).await
    }

    /// What [`Self::prepare`] would change; leaves everything as it is.
    pub async fn check(&mut self, config: &config::Source) -> Result<Vec<SetupStep>, StoreError> {
        prepare::prepare(&mut self.client, self.source, config, false).await
    }

    /// Drops the replication slot of this source when the server has removed log that it needs; such a slot is of no use
    /// to anybody. True when there was one.
    pub async fn drop_lost_slot(&self) -> Result<bool, StoreError> {
        let dropped = self
            .client
            .execute(
                "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
                 WHERE slot_name = $1 AND wal_status = 'lost'",
                &[&slot_name(self.source)],
            )
            .await
            .map_err(|error| {
                failed(
                    &format!("cannot drop the lost slot of {}", self.source.name()),
                    error,
                )
            })?;
        Ok(dropped > 0)
    }
}
