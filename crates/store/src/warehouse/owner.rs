//! The owner's connection: what `instashop setup` does to the warehouse. No program uses it at run time.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use instashop_core::config::{self, Meaning};
use tokio_postgres::Client;

use super::{KnownSource, MapsDiffer, Report, meaning, migrate, roles, sources};
use crate::postgres::{Address, Limits, connect};
use crate::{SetupStep, StoreError};

/// A connection as the owner of the schemas.
pub struct Owner {
    client: Client,
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owner").finish_non_exhaustive()
    }
}

impl Owner {
    /// Connects with the owner's name and password.
    pub async fn connect(config: &config::Warehouse) -> Result<Self, StoreError> {
        let address = Address {
            what: "the warehouse",
            host: &config.host,
            port: config.port,
            database: &config.database,
            user: &config.owner_user,
            password: &config.owner_password,
            application: "instashop setup",
        };
        let limits = Limits {
            statement: Duration::ZERO,
            lock: Duration::from_mins(1),
            idle_in_transaction: Duration::from_mins(1),
            read_only: false,
        };
        Ok(Self {
            client: connect(&address, &limits).await?,
        })
    }

    /// Brings the schema to this program's version; tells what it did. Waits for another run to end.
    pub async fn migrate(&mut self) -> Result<Report, StoreError> {
        migrate::migrate(&self.client).await
    }

    /// What [`Self::migrate`] would do; writes nothing.
    pub async fn pending(&self) -> Result<Report, StoreError> {
        migrate::pending(&self.client).await
    }

    /// Makes the roles of worker and reader and gives them their rights. Needs the migrations first.
    pub async fn ensure_roles(&mut self, config: &config::Warehouse) -> Result<Vec<SetupStep>, StoreError> {
        roles::ensure(&mut self.client, config, true).await
    }

    /// What [`Self::ensure_roles`] would change; leaves everything as it is.
    pub async fn check_roles(&mut self, config: &config::Warehouse) -> Result<Vec<SetupStep>, StoreError> {
        roles::ensure(&mut self.client, config, false).await
    }

    /// The sources as setup saw them last.
    pub async fn sources(&self) -> Result<Vec<KnownSource>, StoreError> {
        sources::load(&self.client).await
    }

    /// Remembers a source as it is now.
    pub async fn remember_source(&self, known: &KnownSource, now: DateTime<Utc>) -> Result<(), StoreError> {
        sources::save(&self.client, known, now).await
    }

    /// What [`Self::write_meaning`] would find.
    pub async fn meaning_differs(&self, meaning: &Meaning) -> Result<MapsDiffer, StoreError> {
        meaning::differs(&self.client, meaning).await
    }

    /// Writes the maps of the configuration to `ref.*`; gives how they differed from what was there.
    pub async fn write_meaning(&mut self, meaning: &Meaning) -> Result<MapsDiffer, StoreError> {
        meaning::write(&mut self.client, meaning).await
    }
}
