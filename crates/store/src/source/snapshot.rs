//! A source at one moment: what verify compares the warehouse with.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use instashop_core::config;
use instashop_core::table::{SourceDb, Table};
use tokio_postgres::types::PgLsn;
use tokio_postgres::{Client, IsolationLevel};

use crate::StoreError;
use crate::measures::{Cut, Prelude, typed};
use crate::postgres::{Address, Limits, connect, failed};

/// A connection as the capture role, which may read the captured tables and nothing else.
pub struct SourceReader {
    source: SourceDb,
    client: Client,
}

impl fmt::Debug for SourceReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceReader")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

/// Which transactions of a source a snapshot sees, in the words of `pg_current_snapshot()`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Every transaction below is seen, or was rolled back.
    pub xmin: i64,
    /// No transaction from here on is seen.
    pub xmax: i64,
    /// Transactions between that are not seen: they were running.
    pub running: Vec<i64>,
    /// Position of the log when the snapshot was taken: everything that is seen lies before it.
    pub log_position: u64,
    /// Clock of the source.
    pub at: DateTime<Utc>,
}

impl SourceReader {
    /// Connects as the capture role.
    pub async fn connect(source: SourceDb, config: &config::Source) -> Result<Self, StoreError> {
        let what = format!("source {}", source.name());
        let address = Address {
            what: &what,
            host: &config.host,
            port: config.port,
            database: &config.database,
            user: &config.capture_user,
            password: &config.capture_password,
            application: "instashop verify",
        };
        let limits = Limits {
            statement: Duration::from_mins(5),
            lock: Duration::from_secs(10),
            // The snapshot is kept open while the flows catch up with it.
            idle_in_transaction: Duration::from_mins(10),
            read_only: true,
        };
        Ok(Self {
            source,
            client: connect(&address, &limits).await?,
        })
    }

    /// Freezes the source for this connection: a REPEATABLE READ transaction, with what it sees. A table or an optional
    /// column that does not exist counts as empty and as NULL. Keep it short: an open snapshot holds back VACUUM.
    pub async fn snapshot(&mut self) -> Result<(Cut<'_>, Seen), StoreError> {
        let what = format!("source {}", self.source.name());
        let fail = |error| failed(&format!("cannot take a snapshot of {what}"), error);
        let transaction = self
            .client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()
            .await
            .map_err(fail)?;
        let row = transaction
            .query_one(
                "SELECT pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint,
                   ARRAY(SELECT x::text::bigint FROM pg_snapshot_xip(s) AS x),
                   CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
                   clock_timestamp()
                 FROM pg_current_snapshot() AS s",
                &[],
            )
            .await
            .map_err(fail)?;
        let seen = Seen {
            xmin: row.get(0),
            xmax: row.get(1),
            running: row.get(2),
            log_position: row.get::<_, PgLsn>(3).into(),
            at: row.get(4),
        };
        let names: Vec<&str> = self.source.tables().map(Table::name).collect();
        let rows = transaction
            .query(
                "SELECT c.relname::text, array_agg(a.attname::text)
                 FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname = ANY ($1)
                 GROUP BY c.relname",
                &[&names],
            )
            .await
            .map_err(fail)?;
        let known: BTreeMap<String, Vec<String>> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        let mut prelude = Prelude::default();
        for table in self.source.tables() {
            let columns = known.get(table.name());
            let list: Vec<String> = table
                .columns()
                .iter()
                .map(|column| {
                    let there = columns.is_some_and(|columns| columns.iter().any(|name| name == column.name));
                    let expression = if there {
                        format!("\"{}\"", column.name)
                    } else {
                        "NULL".into()
                    };
                    typed(column, &expression)
                })
                .collect();
            let from = match columns {
                Some(_) => format!("FROM public.{}", table.name()),
                None => "WHERE false".into(),
            };
            prelude.add(table, format!("SELECT {} {from}", list.join(", ")));
        }
        let cut = Cut {
            transaction,
            prelude,
            what,
        };
        Ok((cut, seen))
    }
}
