//! What the dashboard reads from the warehouse, as the reader role.
//!
//! * `sums` holds the pieces of SQL every view shares, so that a number is added up in one way only.
//! * `today`, `sales`, `live_base` and `system` each fill one view of [`instashop_core::view`].
//! * `metrics` answers a question about any metric of the catalogue from its semantic view.
//! * `board` reads what a tab shows of the marts; each tab has a file: `payments`, `buyers`, `products`, `inventory`,
//!   `behaviour`, `logistics`, `stores`, `alerts`; `orders` reads the rows behind their numbers.
//!
//! Every view is read in one read-only transaction of one snapshot: its numbers belong together.

mod alerts;
mod behaviour;
mod board;
mod buyers;
mod inventory;
mod live_base;
mod logistics;
mod metrics;
mod orders;
mod payments;
mod products;
mod sales;
mod stores;
mod sums;
mod system;
mod today;

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use instashop_core::config::{self, Meaning};
use instashop_core::contribution::Calendar;
use instashop_core::view::{
    Ask, Board, LiveBase, OrderList, OrdersOf, SalesView, Topic, WarehouseSystem, WarehouseToday,
};
use tokio_postgres::{Client, IsolationLevel, Transaction};

pub use metrics::{MetricAnswer, MetricRow, Plan, Question, Refusal, Value};

use super::migrate;
use crate::StoreError;
use crate::postgres::{Address, Limits, connect, failed};

/// The reading side of the warehouse.
pub struct WarehouseReader {
    config: config::Warehouse,
    calendar: Calendar,
    client: Option<Client>,
}

impl fmt::Debug for WarehouseReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WarehouseReader")
            .field("calendar", &self.calendar)
            .finish_non_exhaustive()
    }
}

impl WarehouseReader {
    /// Connects as the reader and checks the schema. The meaning gives the reporting zone; classes and methods come
    /// from `ref`, where setup wrote them from the same configuration.
    pub async fn connect(config: &config::Warehouse, meaning: &Meaning) -> Result<Self, StoreError> {
        let mut reader = Self {
            config: config.clone(),
            calendar: Calendar::new(meaning.tz()),
            client: None,
        };
        reader.client().await?;
        Ok(reader)
    }

    /// The same weekday of last week, to compare today with.
    pub async fn live_base(&mut self, now: DateTime<Utc>) -> Result<LiveBase, StoreError> {
        let calendar = self.calendar;
        let snapshot = Snapshot::of(self.client().await?, calendar).await?;
        live_base::read(&snapshot, now).await
    }

    /// Today's numbers.
    pub async fn today(&mut self, now: DateTime<Utc>) -> Result<WarehouseToday, StoreError> {
        let calendar = self.calendar;
        let snapshot = Snapshot::of(self.client().await?, calendar).await?;
        today::read(&snapshot, now).await
    }

    /// The sales of the last `days` complete days with today, and of as many days before them.
    pub async fn sales(&mut self, now: DateTime<Utc>, days: u32) -> Result<SalesView, StoreError> {
        let calendar = self.calendar;
        let snapshot = Snapshot::of(self.client().await?, calendar).await?;
        sales::read(&snapshot, now, days).await
    }

    /// What a tab shows of the marts.
    pub async fn board(&mut self, topic: Topic, ask: Ask, now: DateTime<Utc>) -> Result<Board, StoreError> {
        let calendar = self.calendar;
        let snapshot = Snapshot::of(self.client().await?, calendar).await?;
        board::read(&snapshot, topic, ask, now).await
    }

    /// The orders behind a number.
    pub async fn orders(
        &mut self,
        of: &OrdersOf,
        ask: Ask,
        now: DateTime<Utc>,
    ) -> Result<OrderList, StoreError> {
        let calendar = self.calendar;
        let snapshot = Snapshot::of(self.client().await?, calendar).await?;
        orders::read(&snapshot, of, ask, now).await
    }

    /// Health of the warehouse and of its flow.
    pub async fn system(&mut self, now: DateTime<Utc>) -> Result<WarehouseSystem, StoreError> {
        system::read(self.client().await?, now).await
    }

    /// The connection, made anew after it broke.
    async fn client(&mut self) -> Result<&mut Client, StoreError> {
        let client = match self.client.take().filter(|client| !client.is_closed()) {
            Some(client) => client,
            None => self.open().await?,
        };
        Ok(self.client.insert(client))
    }

    async fn open(&self) -> Result<Client, StoreError> {
        let address = Address {
            what: "the warehouse",
            host: &self.config.host,
            port: self.config.port,
            database: &self.config.database,
            user: &self.config.reader_user,
            password: &self.config.reader_password,
            application: "instashop dashboard",
        };
        let limits = Limits {
            statement: Duration::from_secs(15),
            lock: Duration::from_secs(3),
            idle_in_transaction: Duration::from_secs(30),
            read_only: true,
        };
        let client = connect(&address, &limits).await?;
        migrate::check(&client).await?;
        Ok(client)
    }
}

/// One snapshot of the warehouse.
struct Snapshot<'a> {
    transaction: Transaction<'a>,
    calendar: Calendar,
}

impl<'a> Snapshot<'a> {
    /// A transaction that was dropped half way is rolled back by its own drop.
    async fn of(client: &'a mut Client, calendar: Calendar) -> Result<Self, StoreError> {
        let transaction = client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()
            .await
            .map_err(|error| failed("cannot begin to read the warehouse", error))?;
        Ok(Self {
            transaction,
            calendar,
        })
    }

    async fn rows(
        &self,
        sql: &str,
        parameters: &[&(dyn tokio_postgres::types::ToSql + Sync)],
    ) -> Result<Vec<tokio_postgres::Row>, StoreError> {
        self.transaction
            .query(sql, parameters)
            .await
            .map_err(|error| failed("cannot read the warehouse", error))
    }

    /// Newest commit time at a source that the warehouse contains; heartbeats move it too.
    async fn as_of(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let rows = self
            .rows(
                "SELECT max(source_hwm) FROM ops.offsets WHERE flow = 'warehouse'",
                &[],
            )
            .await?;
        Ok(rows.first().and_then(|row| row.get(0)))
    }
}
