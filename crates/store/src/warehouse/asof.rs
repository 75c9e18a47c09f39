//! The warehouse as of a cut, for `instashop verify`: every row as it was when the other side was read.
//!
//! Rows that have no event beyond the cut stand in `staging` as they were. A row that has one is taken from its last event
//! before the cut: the event log keeps the whole image with every change. Two kinds of cut:
//!
//! * **Checkpoints** ([`Auditor::as_of_checkpoints`]): an event is beyond the cut when its offset is not below the
//!   checkpoint of its partition. Compares with Redis.
//! * **A snapshot of a source** ([`Auditor::as_of_snapshot`]): an event is beyond the cut when the snapshot does not see its
//!   transaction. Compares with that source.
//!
//! What the event log cannot tell: while Debezium repeats old changes right after a snapshot, a row may for a moment stand
//! one step back in both sinks, and the log, which keeps a change once, shows the step forward. It passes by itself.

use std::fmt;
use std::time::Duration;

use instashop_core::checkpoint::Partition;
use instashop_core::config;
use instashop_core::table::{Column, ColumnKind, SourceDb, Table};
use instashop_core::view::DriftProof;
use tokio_postgres::types::{PgLsn, ToSql};
use tokio_postgres::{Client, IsolationLevel, Transaction};

use super::sources::{self, KnownSource};
use super::{FLOW, proof, worker_client};
use crate::StoreError;
use crate::measures::{Cut, Gone, Prelude, typed};
use crate::postgres::{Limits, failed};
use crate::source::Seen;

/// Next offsets, per partition.
pub type Checkpoints = [(Partition, i64)];

/// Condition on an event `e`: it is the first of its key, the one with the bare type.
const FIRST: &str = "e.event_type !~ '_(updated|deleted|snapshot)$'";

/// The checkpoints of a cut, each with the first event of the topic that is there now.
const CUT: &str = "unnest($1::text[], $2::int[], $3::bigint[]) AS c(topic, partition, at)
             JOIN ops.offsets o ON o.flow = 'warehouse' AND o.topic = c.topic AND o.partition = c.partition";

/// A connection of the worker role for verify. It writes temporary tables and proofs.
pub struct Auditor {
    pub(super) client: Client,
}

impl fmt::Debug for Auditor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auditor").finish_non_exhaustive()
    }
}

/// Keys with an event beyond the cut, and whether an event `e` lies before it; filled in per kind of cut.
struct Beyond<'a> {
    /// Query of `(source_table, source_key, is_new)`.
    changed: &'a str,
    /// Condition on an event `e`.
    before: &'a str,
    parameters: &'a [&'a (dyn ToSql + Sync)],
}

impl Auditor {
    /// Connects as the worker and checks the schema.
    pub async fn connect(config: &config::Warehouse) -> Result<Self, StoreError> {
        let limits = Limits {
            statement: Duration::from_mins(5),
            lock: Duration::from_secs(10),
            idle_in_transaction: Duration::from_mins(10),
            read_only: false,
        };
        let client = worker_client(config, "instashop verify", &limits).await?;
        Ok(Self { client })
    }

    /// The sources as setup saw them last, with the generation that holds now.
    pub async fn known_sources(&self) -> Result<Vec<KnownSource>, StoreError> {
        sources::load(&self.client).await
    }

    /// The checkpoints of the warehouse flow. Taken before a source's snapshot, they bound the events that may lie beyond
    /// it: what was in the warehouse earlier was committed earlier.
    pub async fn checkpoints(&self) -> Result<Vec<(Partition, i64)>, StoreError> {
        let rows = self
            .client
            .query(
                "SELECT topic, partition, next_offset FROM ops.offsets WHERE flow = $1 ORDER BY topic, partition",
                &[&FLOW],
            )
            .await
            .map_err(|error| failed("cannot read ops.offsets", error))?;
        let checkpoints = rows.iter().map(|row| {
            let partition = Partition {
                topic: row.get(0),
                number: row.get(1),
            };
            (partition, row.get(2))
        });
        Ok(checkpoints.collect())
    }

    /// Sets the checkpoints of the warehouse flow back to the beginning; gives the number of partitions. Workers find them
    /// behind what they believe and read again from there; what is known changes nothing. Events that are there of topics
    /// that were `made_anew` belong to the earlier ones: their offsets say nothing about the new ones.
    pub async fn read_again(&self, made_anew: &[String]) -> Result<u64, StoreError> {
        self.client
            .execute(
                "UPDATE ops.offsets SET next_offset = 0, last_delete_table = NULL, last_delete_key = NULL,
                   first_event = CASE WHEN topic = ANY ($2) THEN
                     (SELECT coalesce(max(e.id), 0) + 1 FROM raw.realtime_events e WHERE e.topic = ANY ($2))
                   ELSE first_event END
                 WHERE flow = $1",
                &[&FLOW, &made_anew],
            )
            .await
            .map_err(|error| failed("cannot set ops.offsets back", error))
    }

    /// Partitions of a cut that the warehouse has not reached yet, with the number of offsets still to come.
    pub async fn behind(&self, cut: &Checkpoints) -> Result<Vec<(Partition, i64)>, StoreError> {
        let known = self.checkpoints().await?;
        let missing = cut.iter().filter_map(|(partition, wanted)| {
            let found = known.iter().find(|(known, _)| known == partition);
            let missing = wanted - found.map_or(0, |(_, at)| *at);
            (missing > 0).then(|| (partition.clone(), missing))
        });
        Ok(missing.collect())
    }

    /// Products that no longer exist at the source, with their last category.
    pub async fn gone_products(&self) -> Result<Gone, StoreError> {
        let rows = self
            .client
            .query(
                "SELECT product_id, nullif(btrim(category), ''), currency FROM staging.product WHERE _deleted ORDER BY product_id",
                &[],
            )
            .await
            .map_err(|error| failed("cannot read staging.product", error))?;
        Ok(Gone {
            products: rows.iter().map(|row| row.get(0)).collect(),
            categories: rows.iter().map(|row| row.get(1)).collect(),
            currencies: rows.iter().map(|row| row.get(2)).collect(),
        })
    }

    /// All tables as they were when exactly the records below these checkpoints had been applied. The warehouse must have
    /// reached them ([`Self::behind`]). A partition that is not listed counts as at its end.
    pub async fn as_of_checkpoints(&mut self, cut: &Checkpoints) -> Result<Cut<'_>, StoreError> {
        let (topics, numbers, offsets) = columns(cut);
        let changed = format!(
            "SELECT e.source_table, e.source_key, bool_or({FIRST})
             FROM {CUT}
             JOIN raw.realtime_events e ON e.topic = c.topic AND e.partition = c.partition AND e.\"offset\" >= c.at
               AND e.id >= o.first_event
             GROUP BY e.source_table, e.source_key"
        );
        let before = format!(
            "NOT EXISTS (SELECT FROM {CUT} WHERE e.topic = c.topic AND e.partition = c.partition
                           AND e.\"offset\" >= c.at AND e.id >= o.first_event)"
        );
        let beyond = Beyond {
            changed: &changed,
            before: &before,
            parameters: &[&topics, &numbers, &offsets],
        };
        self.cut(
            Table::ALL.into_iter(),
            &beyond,
            "the warehouse at the checkpoints".into(),
        )
        .await
    }

    /// The tables of a source as a snapshot of it saw them. The warehouse must hold every change the snapshot saw. `since`
    /// are [`Self::checkpoints`] from before the snapshot; without them the whole event log is searched.
    pub async fn as_of_snapshot(
        &mut self,
        source: SourceDb,
        seen: &Seen,
        since: &Checkpoints,
    ) -> Result<Cut<'_>, StoreError> {
        let (topics, numbers, offsets) = columns(since);
        let name = source.name();
        let log_position = PgLsn::from(seen.log_position);
        // A transaction id of the log has 32 bits; the whole one is the nearest to the snapshot's. Rows that a snapshot of
        // the connector read have no transaction of their own: for them the position of the log decides.
        let before = "
            CASE WHEN e.snapshot OR e.tx_id IS NULL THEN e.lsn <= $7
                 ELSE (e.tx_id + ((($5 - e.tx_id + 2147483648) >> 32) << 32)) < $4
                   OR ((e.tx_id + ((($5 - e.tx_id + 2147483648) >> 32) << 32)) < $5
                       AND (e.tx_id + ((($5 - e.tx_id + 2147483648) >> 32) << 32)) <> ALL ($6::bigint[])) END";
        let changed = format!(
            "SELECT e.source_table, e.source_key, bool_or({FIRST})
             FROM (SELECT topic, partition, coalesce(c.at, 0) AS at FROM ops.offsets o
                   LEFT JOIN unnest($1::text[], $2::int[], $3::bigint[]) AS c(topic, partition, at) USING (topic, partition)
                   WHERE o.flow = '{FLOW}') c
             JOIN raw.realtime_events e ON e.topic = c.topic AND e.partition = c.partition AND e.\"offset\" >= c.at
             WHERE e.source_db = $8 AND NOT ({before})
             GROUP BY e.source_table, e.source_key"
        );
        let beyond = Beyond {
            changed: &changed,
            before,
            parameters: &[
                &topics,
                &numbers,
                &offsets,
                &seen.xmin,
                &seen.xmax,
                &seen.running,
                &log_position,
                &name,
            ],
        };
        let what = format!("the warehouse as source {name} was");
        self.cut(source.tables(), &beyond, what).await
    }

    /// Keeps the result of a verify.
    pub async fn save(&self, proof: &DriftProof) -> Result<(), StoreError> {
        proof::save(&self.client, proof).await
    }

    async fn cut(
        &mut self,
        tables: impl Iterator<Item = Table>,
        beyond: &Beyond<'_>,
        what: String,
    ) -> Result<Cut<'_>, StoreError> {
        let fail = |error| failed(&format!("cannot recompute {what}"), error);
        let transaction = self
            .client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .start()
            .await
            .map_err(fail)?;
        collect(&transaction, beyond).await.map_err(fail)?;
        let mut prelude = Prelude::default();
        for table in tables {
            prelude.add(table, query(table));
        }
        Ok(Cut {
            transaction,
            prelude,
            what,
        })
    }
}

/// Fills `pg_temp.changed` with the keys that have an event beyond the cut, and `pg_temp.former` with the last event before it
/// of each, where there is one that is not a delete.
async fn collect(transaction: &Transaction<'_>, beyond: &Beyond<'_>) -> Result<(), tokio_postgres::Error> {
    transaction
        .batch_execute(
            "CREATE TEMP TABLE changed (source_table text NOT NULL, source_key bigint NOT NULL, is_new boolean NOT NULL,
               PRIMARY KEY (source_table, source_key)) ON COMMIT DROP;
             CREATE TEMP TABLE former (source_table text NOT NULL, raw_data jsonb NOT NULL) ON COMMIT DROP",
        )
        .await?;
    let changed = format!("INSERT INTO pg_temp.changed {}", beyond.changed);
    let parameters = beyond.parameters;
    transaction.execute(&changed, parameters).await?;
    transaction.batch_execute("ANALYZE pg_temp.changed").await?;
    // Identity numbers grow in the order in which changes of a key were applied. A key whose first event lies beyond the
    // cut has nothing before it, which spares the search for most keys of a busy shop. The statement need not use every
    // parameter; naming each once gives all of them their types.
    let former = format!(
        "INSERT INTO pg_temp.former
         SELECT l.source_table, l.raw_data
         FROM (SELECT DISTINCT ON (e.source_table, e.source_key) e.source_table, e.raw_data
               FROM pg_temp.changed c
               JOIN raw.realtime_events e ON e.source_table = c.source_table AND e.source_key = c.source_key
               WHERE NOT c.is_new AND ({}) AND {}
               ORDER BY e.source_table, e.source_key, e.id DESC) l
         WHERE l.raw_data IS NOT NULL",
        beyond.before,
        types(parameters.len())
    );
    transaction.execute(&former, parameters).await?;
    transaction.batch_execute("ANALYZE pg_temp.former").await?;
    Ok(())
}

/// A condition that is always true and uses every parameter.
fn types(count: usize) -> String {
    let kinds = [
        "text[]", "int[]", "bigint[]", "bigint", "bigint", "bigint[]", "pg_lsn", "text",
    ];
    let used: Vec<String> = kinds
        .iter()
        .take(count)
        .zip(1..)
        .map(|(kind, number)| format!("${number}::{kind} IS NOT NULL"))
        .collect();
    used.join(" AND ")
}

/// The rows of a table as of the cut.
fn query(table: Table) -> String {
    let name = table.name();
    let stored: Vec<String> = table
        .columns()
        .iter()
        .map(|column| typed(column, &format!("s.\"{}\"", column.name)))
        .collect();
    let former: Vec<String> = table
        .columns()
        .iter()
        .map(|column| typed(column, &from_json(column)))
        .collect();
    format!(
        "SELECT {} FROM staging.{name} s WHERE NOT s._deleted AND NOT EXISTS (
           SELECT FROM pg_temp.changed c WHERE c.source_table = '{name}' AND c.source_key = s.{})
         UNION ALL SELECT {} FROM pg_temp.former f WHERE f.source_table = '{name}'",
        stored.join(", "),
        table.key(),
        former.join(", "),
    )
}

/// A column of an image of the event log, `f.raw_data`.
fn from_json(column: &Column) -> String {
    let name = column.name;
    match column.kind {
        ColumnKind::Json => format!("nullif(f.raw_data -> '{name}', 'null')"),
        // ISO text writes years beyond 9999 with a plus sign, which PostgreSQL does not read, and years before 1 as it
        // does not read them either; no shop means those.
        ColumnKind::Timestamp => format!(
            "(CASE WHEN f.raw_data ->> '{name}' ~ '^(-[0-9]|0000)' THEN '-infinity'
                   ELSE ltrim(f.raw_data ->> '{name}', '+') END)"
        ),
        _ => format!("(f.raw_data ->> '{name}')"),
    }
}

fn columns(checkpoints: &Checkpoints) -> (Vec<&str>, Vec<i32>, Vec<i64>) {
    let topics = checkpoints.iter().map(|(partition, _)| partition.topic.as_str());
    let numbers = checkpoints.iter().map(|(partition, _)| partition.number);
    let offsets = checkpoints.iter().map(|(_, at)| *at);
    (topics.collect(), numbers.collect(), offsets.collect())
}
