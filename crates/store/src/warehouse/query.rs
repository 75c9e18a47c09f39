//! What the dashboard reads from the warehouse, as the reader role.
//!
//! * `sums` holds the pieces of SQL every view shares, so that a number is added up in one way only.
//! * `today`, `sales`, `live_base` and `system` each fill one view of [`instashop_core::view`].
//! * `metrics` answers a question about any metric of the catalogue from its semantic view.
//! * `board` reads what a tab shows of the marts; each tab has a file: `payments`, `buyers`, `products`, `inventory`,
//!   `behaviour`, `logistics`, `stores`, `alerts`; `orders` reads the rows behind their numbers, `difference` what lies
//!   between two spans of time.
//!
//! Every view is read in one read-only transaction of one snapshot: its numbers belong together.

mod alerts;
mod behaviour;
mod board;
mod buyers;
mod difference;
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
    Ask, Board, DifferenceView, LiveBase, OrderList, OrdersOf, SalesView, Topic, WarehouseSystem,
    WarehouseToday, When,
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
    pub async fn live_base(&mut self, moment: impl Into<When>) -> Result<LiveBase, StoreError> {
        let calendar = self.calendar;
        let snapshot = Snapshot::of(self.client().await?, calendar, moment.into()).await?;
        live_base::read(&snapshot).await
    }

    /// Today's numbers; as of an earlier moment those of its day up to then, each order in the state it had.
    pub async fn today(&mut self, moment: impl Into<When>) -> Result<WarehouseToday, StoreError> {
        let calendar = self.calendar;
        let snapshot = Snapshot::of(self.client().await?, calendar, moment.into()).await?;
        today::read(&snapshot).await
    }

    /// The sales of the last `days` complete days with today, and of as many days before them.
    pub async fn sales(&mut self, moment: impl Into<When>, days: u32) -> Result<SalesView, StoreError> {
        let calendar = self.calendar;
        let snapshot = Snapshot::of(self.client().await?, calendar, moment.into()).await?;
        sales::read(&snapshot, days).await
    }

    /// What a tab shows of the marts.
    pub async fn board(
        &mut self,
        topic: Topic,
        ask: Ask,
        moment: impl Into<When>,
    ) -> Result<Board, StoreError> {
        let calendar = self.calendar;
        let snapshot = Snapshot::of(self.client().await?, calendar, moment.into()).await?;
        board::read(&snapshot, topic, ask).await
    }

    /// The orders behind a number.
    pub async fn orders(
        &mut self,
        of: &OrdersOf,
        ask: Ask,
        moment: impl Into<When>,
    ) -> Result<OrderList, StoreError> {
        let calendar = self.calendar;
        let snapshot = Snapshot::of(self.client().await?, calendar, moment.into()).await?;
        orders::read(&snapshot, of, ask).await
    }

    /// What lies between the revenue of a range and of its base.
    pub async fn difference(
        &mut self,
        ask: Ask,
        moment: impl Into<When>,
    ) -> Result<DifferenceView, StoreError> {
        let calendar = self.calendar;
        let snapshot = Snapshot::of(self.client().await?, calendar, moment.into()).await?;
        difference::read(&snapshot, ask).await
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
    moment: When,
}

impl<'a> Snapshot<'a> {
    /// A transaction that was dropped half way is rolled back by its own drop.
    async fn of(client: &'a mut Client, calendar: Calendar, moment: When) -> Result<Self, StoreError> {
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
            moment,
        })
    }

    /// What stands for `core.orders`: as of an earlier moment the orders that were known by then, each in the state it had. One
    /// that a snapshot of the connector read later is known since it was placed, in the state the snapshot saw.
    fn orders(&self) -> String {
        let When::AsOf(at) = self.moment else {
            return "core.orders".to_owned();
        };
        let at = at.format("'%Y-%m-%d %H:%M:%S%.6f+00'::timestamptz");
        format!(
            "(SELECT o.order_id, o.buyer_id, o.store_id, o.payment_method, o.ordered_at, o.order_day, o.amount_rc,
                coalesce(s.class, 'unmapped') AS class, coalesce(s.class IN ('recognised', 'reversed'), false) AS is_sale
              FROM core.orders o
              CROSS JOIN LATERAL (
                SELECT h.status FROM history.order_status h
                WHERE h.transaction_id = o.order_id AND (h.valid_from <= {at} OR h.from_snapshot)
                ORDER BY h.valid_from <= {at} DESC, CASE WHEN h.valid_from <= {at} THEN h.valid_from END DESC,
                  CASE WHEN h.valid_from <= {at} THEN h._lsn END DESC, h.valid_from LIMIT 1) h
              LEFT JOIN ref.order_status s ON s.status = lower(btrim(h.status))
              WHERE o.ordered_at < {at})"
        )
    }

    /// Joins the lines `l` of orders to [`Self::orders`], so that they are sales when those are.
    fn sale_lines(&self) -> String {
        match self.moment {
            When::Present(_) => "core.order_lines_between($1, $2) l".to_owned(),
            When::AsOf(_) => format!(
                "(SELECT l.order_id, l.store_id, l.product_id, l.category, l.quantity, l.net_rc, l.ordered_at, o.is_sale
                  FROM core.order_lines_between($1, $2) l JOIN {} o ON o.order_id = l.order_id) l",
                self.orders()
            ),
        }
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
