//! One batch, one transaction: fence, data, checkpoints (docs: reliability 4.1 and 4.2).

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use futures::future::{join, join_all};
use instashop_core::batch::{Batch, Outcome, Tally};
use instashop_core::checkpoint::{Answer, Owned, Partition, Step};
use instashop_core::fold::{self, Effects, History, LastDelete};
use instashop_core::table::Table;
use tokio_postgres::Statement;
use tokio_postgres::error::SqlState;

use super::session::Session;
use super::stage::array::Array;
use super::stage::{Images, parameters};
use super::{FLOW, WarehouseSink, dead_letters, dirty_keys, event_log, history, partitions, refused, stage};
use crate::fail_point::{self, FailPoint};
use crate::postgres::{broken, failed};
use crate::{Sink, StoreError};

const RECOVER: &str = "
INSERT INTO ops.offsets AS o (flow, topic, partition, epoch, owner, next_offset, assigned_at, updated_at)
SELECT $1, s.topic, s.partition, 1, $4, 0, $5, $5
FROM unnest($2::text[], $3::int[]) AS s(topic, partition) ORDER BY s.topic, s.partition
ON CONFLICT (flow, topic, partition)
DO UPDATE SET epoch = o.epoch + 1, owner = excluded.owner, assigned_at = excluded.assigned_at
RETURNING topic, partition, epoch, next_offset";

const LOOK: &str = "
SELECT o.topic, o.partition, o.epoch, o.next_offset
FROM ops.offsets o JOIN unnest($2::text[], $3::int[]) AS s(topic, partition) USING (topic, partition)
WHERE o.flow = $1 ORDER BY o.topic, o.partition";

const LOOK_AND_LOCK: &str = "
SELECT o.topic, o.partition, o.epoch, o.next_offset, o.last_delete_table, o.last_delete_key
FROM ops.offsets o JOIN unnest($2::text[], $3::int[]) AS s(topic, partition) USING (topic, partition)
WHERE o.flow = $1 ORDER BY o.topic, o.partition FOR UPDATE OF o";

const MOVE: &str = "
WITH moved AS (
  UPDATE ops.offsets o
  SET next_offset = s.next, source_hwm = greatest(o.source_hwm, s.hwm), updated_at = $6,
    last_delete_table = s.last_delete_table, last_delete_key = s.last_delete_key
  FROM unnest($2::text[], $3::int[], $4::bigint[], $5::timestamptz[], $7::text[], $8::bigint[])
    AS s(topic, partition, next, hwm, last_delete_table, last_delete_key)
  WHERE o.flow = $1 AND o.topic = s.topic AND o.partition = s.partition
  RETURNING 1
)
SELECT count(*), pg_current_xact_id()::text FROM moved";

/// What the locked checkpoints say.
struct Locked {
    /// Partitions that are not clean.
    unclean: Vec<(Partition, Answer)>,
    /// Per step: the row whose delete was the partition's last record.
    deletes: Vec<LastDelete>,
}

/// Why an attempt to write a batch failed.
pub(super) enum Failure {
    /// As the caller of the sink sees it.
    Store(StoreError),
    /// PostgreSQL refused a value; repeating the same batch cannot help.
    Value(StoreError),
}

impl Failure {
    pub(super) fn store(self) -> StoreError {
        match self {
            Self::Store(error) | Self::Value(error) => error,
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Sink for WarehouseSink {
    async fn recover(&mut self, wanted: &[Partition], now: DateTime<Utc>) -> Result<Vec<Owned>, StoreError> {
        let mut unique = wanted.to_vec();
        unique.sort();
        unique.dedup();
        let (topics, numbers) = names(unique.iter());
        let owner = self.owner.clone();
        let session = self.session().await?;
        let statement = session.statement(RECOVER).await?;
        let rows = session
            .client
            .query(&statement, &[&FLOW, &topics, &numbers, &owner, &now])
            .await
            .map_err(|error| failed("cannot take over partitions in ops.offsets", error))?;
        let owned: HashMap<Partition, Owned> = rows.iter().map(owned).collect();
        wanted
            .iter()
            .map(|partition| owned.get(partition).copied())
            .collect::<Option<_>>()
            .ok_or_else(|| broken("ops.offsets did not give back a partition that was written"))
    }

    async fn apply(&mut self, batch: &Batch, now: DateTime<Utc>) -> Result<Outcome, StoreError> {
        if let Some(step) = batch.steps.iter().find(|step| step.next < step.base) {
            let (partition, base, next) = (&step.partition, step.base, step.next);
            return Err(broken(format!("{partition}: a step from {base} back to {next}")));
        }
        if batch.records.is_empty() && batch.steps.iter().all(|step| step.base == step.next) {
            return self.idle_check(batch).await;
        }
        self.ensure_partitions(partitions::days(batch), now).await?;
        let session = self.session().await?;
        let refusal = match session.attempt(batch, now).await {
            Ok(outcome) => return Ok(outcome),
            Err(Failure::Store(error)) => return Err(error),
            Err(Failure::Value(error)) => error,
        };
        tracing::warn!(%refusal, "PostgreSQL refuses a value; looking for its record");
        let without = refused::isolate(session, batch, now).await?;
        session.attempt(&without, now).await.map_err(Failure::store)
    }
}

impl WarehouseSink {
    async fn idle_check(&mut self, batch: &Batch) -> Result<Outcome, StoreError> {
        let session = self.session().await?;
        let statement = session.statement(LOOK).await?;
        let (topics, numbers) = names(batch.steps.iter().map(|step| &step.partition));
        let rows = session
            .client
            .query(&statement, &[&FLOW, &topics, &numbers])
            .await
            .map_err(|error| failed("cannot read ops.offsets", error))?;
        let unclean = answers(&batch.steps, &rows.iter().map(owned).collect());
        Ok(if unclean.is_empty() {
            Outcome::Applied(Tally::default())
        } else {
            Outcome::Refused(unclean)
        })
    }
}

impl Session {
    /// Writes a batch whole or not at all.
    async fn attempt(&mut self, batch: &Batch, now: DateTime<Utc>) -> Result<Outcome, Failure> {
        let result = self.transaction(batch, now).await;
        if !matches!(result, Ok(Outcome::Applied(_))) {
            self.roll_back().await;
        }
        result
    }

    async fn transaction(&mut self, batch: &Batch, now: DateTime<Utc>) -> Result<Outcome, Failure> {
        let locked = self.begin(batch).await?;
        if !locked.unclean.is_empty() {
            return Ok(Outcome::Refused(locked.unclean));
        }
        fail_point::reached(FailPoint::WarehouseBegun);
        let images = self.images(batch).await?;
        fail_point::reached(FailPoint::WarehouseRead);
        let effects = fold::fold(batch, images, &locked.deletes);
        self.write(batch, &effects, now).await?;
        let xid = self.move_checkpoints(batch, &effects, now).await?;
        fail_point::reached(FailPoint::WarehouseWritten);
        fail_point::reached(FailPoint::WarehouseCommitting);
        self.commit(&xid).await?;
        fail_point::reached(FailPoint::WarehouseCommitted);
        Ok(Outcome::Applied(effects.tally))
    }

    /// Begins and locks the checkpoints.
    async fn begin(&mut self, batch: &Batch) -> Result<Locked, StoreError> {
        let look = self.statement(LOOK_AND_LOCK).await?;
        let (topics, numbers) = names(batch.steps.iter().map(|step| &step.partition));
        self.begins();
        let client = &self.client;
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 3] = [&FLOW, &topics, &numbers];
        // Sent in this order without waiting for answers.
        let (begun, rows) = join(
            client.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED"),
            client.query(&look, &parameters),
        )
        .await;
        let fail = |error| failed("cannot lock the checkpoints of a batch", error);
        begun.map_err(fail)?;
        let rows = rows.map_err(fail)?;
        let deletes: HashMap<Partition, LastDelete> =
            rows.iter().map(|row| (owned(row).0, last_delete(row))).collect();
        let steps = batch.steps.iter();
        Ok(Locked {
            unclean: answers(&batch.steps, &rows.iter().map(owned).collect()),
            deletes: steps
                .map(|step| deletes.get(&step.partition).copied().flatten())
                .collect(),
        })
    }

    /// The stored images of the batch's keys.
    pub(super) async fn images(&mut self, batch: &Batch) -> Result<Images, StoreError> {
        let keys: Vec<_> = fold::keys(batch).into_iter().collect();
        let mut statements = Vec::with_capacity(keys.len());
        for (table, _) in &keys {
            statements.push(self.statement(&stage::select(*table)).await?);
        }
        let client = &self.client;
        let reads = keys
            .iter()
            .zip(&statements)
            .map(|((table, keys), statement)| async move {
                let rows = client.query(statement, &[keys]).await;
                (*table, rows)
            });
        let mut images = Images::new();
        for (table, rows) in join_all(reads).await {
            let what = || format!("cannot read staging.{}", table.name());
            for row in rows.map_err(|error| failed(&what(), error))? {
                let (key, stored) = stage::read(table, &row)?;
                images.insert((table, key), stored);
            }
        }
        Ok(images)
    }

    /// Writes everything but the checkpoints: current rows first, because the event log looks names up in them.
    pub(super) async fn write(
        &mut self,
        batch: &Batch,
        effects: &Effects,
        now: DateTime<Utc>,
    ) -> Result<(), Failure> {
        let mut writes: Vec<(String, Statement, Vec<Array<'_>>)> = Vec::new();
        for (table, rows) in &effects.rows {
            let statement = self.statement(&stage::upsert(*table)).await?;
            writes.push((
                format!("staging.{}", table.name()),
                statement,
                stage::arrays(*table, rows),
            ));
        }
        if !effects.events.is_empty() {
            let statement = self.statement(event_log::INSERT).await?;
            let arrays = event_log::arrays(batch, &effects.events, now);
            writes.push(("raw.realtime_events".into(), statement, arrays));
        }
        for kind in History::ALL {
            let transitions = history::of(kind, &effects.transitions);
            if !transitions.is_empty() {
                let statement = self.statement(history::statement(kind)).await?;
                writes.push((
                    format!("{kind:?}"),
                    statement,
                    history::arrays(kind, &transitions),
                ));
            }
        }
        if !effects.rejected.is_empty() {
            let statement = self.statement(dead_letters::INSERT).await?;
            let arrays = dead_letters::arrays(batch, &effects.rejected, now);
            writes.push(("ops.dead_letters".into(), statement, arrays));
        }
        if let Some(arrays) = dirty_keys::arrays(effects) {
            let statement = self.statement(dirty_keys::INSERT).await?;
            writes.push(("ops.dirty_keys".into(), statement, arrays));
        }
        let client = &self.client;
        let sent = writes.iter().map(|(what, statement, arrays)| async move {
            let result = client.execute(statement, &parameters(arrays)).await;
            result.map_err(|error| (what, error))
        });
        // Up to thirty futures are polled in order, so the statements go out in order, without waiting for answers.
        // After the first failure the others only say that the transaction is aborted.
        let failures = join_all(sent).await.into_iter().filter_map(Result::err);
        let first =
            failures.min_by_key(|(_, error)| error.code() == Some(&SqlState::IN_FAILED_SQL_TRANSACTION));
        match first {
            None => Ok(()),
            Some((what, error)) => Err(classify(&format!("cannot write {what}"), error)),
        }
    }

    /// Writes the new checkpoints; gives the transaction's id.
    async fn move_checkpoints(
        &mut self,
        batch: &Batch,
        effects: &Effects,
        now: DateTime<Utc>,
    ) -> Result<String, StoreError> {
        let statement = self.statement(MOVE).await?;
        let (topics, numbers) = names(batch.steps.iter().map(|step| &step.partition));
        let next: Vec<i64> = batch.steps.iter().map(|step| step.next).collect();
        let (tables, keys): (Vec<Option<&str>>, Vec<Option<i64>>) = effects
            .deletes
            .iter()
            .map(|delete| delete.map(|(table, key)| (table.name(), key)).unzip())
            .unzip();
        let row = self
            .client
            .query_one(
                &statement,
                &[
                    &FLOW,
                    &topics,
                    &numbers,
                    &next,
                    &effects.newest,
                    &now,
                    &tables,
                    &keys,
                ],
            )
            .await
            .map_err(|error| failed("cannot move checkpoints in ops.offsets", error))?;
        let moved: i64 = row.get(0);
        if usize::try_from(moved) != Ok(batch.steps.len()) {
            return Err(broken(format!(
                "{moved} checkpoints moved for {} steps; a partition stands twice in the batch",
                batch.steps.len()
            )));
        }
        Ok(row.get(1))
    }
}

/// A refused value (22 data exception, 23 constraint, 54 program limit) is a matter of one record; anything else of the
/// connection or the schema.
fn classify(what: &str, error: tokio_postgres::Error) -> Failure {
    let class = error
        .code()
        .map(|state| state.code().get(..2).unwrap_or("").to_owned());
    let refused = matches!(class.as_deref(), Some("22" | "23" | "54"));
    let failure = failed(what, error);
    if refused {
        Failure::Value(failure)
    } else {
        Failure::Store(failure)
    }
}

fn names<'a>(partitions: impl Iterator<Item = &'a Partition>) -> (Vec<&'a str>, Vec<i32>) {
    partitions
        .map(|partition| (partition.topic.as_str(), partition.number))
        .unzip()
}

fn owned(row: &tokio_postgres::Row) -> (Partition, Owned) {
    let partition = Partition {
        topic: row.get(0),
        number: row.get(1),
    };
    let owned = Owned {
        epoch: row.get::<_, i64>(2).unsigned_abs(),
        checkpoint: row.get(3),
    };
    (partition, owned)
}

fn last_delete(row: &tokio_postgres::Row) -> LastDelete {
    let table: Option<&str> = row.get(4);
    Some((Table::from_name(table?)?, row.get::<_, Option<i64>>(5)?))
}

/// The steps that are not clean, each with its answer.
fn answers(steps: &[Step], stored: &HashMap<Partition, Owned>) -> Vec<(Partition, Answer)> {
    steps
        .iter()
        .map(|step| (step, Answer::of(stored.get(&step.partition).copied(), step)))
        .filter(|(_, answer)| *answer != Answer::Clean)
        .map(|(step, answer)| (step.partition.clone(), answer))
        .collect()
}
