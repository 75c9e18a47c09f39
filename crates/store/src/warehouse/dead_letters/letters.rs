//! Dead letters as people see them: counted, listed, looked at, discarded, replayed.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use instashop_core::checkpoint::Partition;
use instashop_core::config;
use tokio_postgres::{Client, Row};

use crate::StoreError;
use crate::postgres::{Limits, failed};
use crate::warehouse::worker_client;

/// What became of a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetterState {
    /// Waits for somebody.
    Open,
    /// Somebody decided that it does not matter.
    Discarded,
    /// It was written to its topic once more.
    Replayed,
}

impl LetterState {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Open, Self::Discarded, Self::Replayed];

    /// Name as in `ops.dead_letters`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Discarded => "discarded",
            Self::Replayed => "replayed",
        }
    }

    fn of(name: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|state| state.name() == name)
            .unwrap_or(Self::Open)
    }
}

/// Which dead letters; what is `None` does not restrict.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Reason, exactly.
    pub reason: Option<String>,
    /// Topic, exactly.
    pub topic: Option<String>,
    /// State.
    pub state: Option<LetterState>,
    /// Kept at or after this moment.
    pub since: Option<DateTime<Utc>>,
    /// Kept before this moment.
    pub until: Option<DateTime<Utc>>,
    /// These alone.
    pub ids: Option<Vec<i64>>,
}

/// A dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Number, for `show` and `discard`.
    pub id: i64,
    /// Where it stood in Kafka.
    pub partition: Partition,
    /// Offset there.
    pub offset: i64,
    /// Timestamp of the Kafka record.
    pub kafka_at: Option<DateTime<Utc>>,
    /// When it was kept.
    pub seen_at: DateTime<Utc>,
    /// Why it could not be used.
    pub reason: String,
    /// One sentence on it. Holds text from the record: strip control characters before it is shown on a terminal.
    pub detail: String,
    /// Bytes of its key.
    pub key: Option<Vec<u8>>,
    /// Bytes of its value; `None` in a list, where `size` tells how many there are.
    pub value: Option<Vec<u8>>,
    /// Length of the value in bytes.
    pub size: Option<i64>,
    /// What became of it.
    pub state: LetterState,
    /// When.
    pub state_at: Option<DateTime<Utc>>,
    /// By whom.
    pub state_by: Option<String>,
}

/// Dead letters of one reason and topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The reason.
    pub reason: String,
    /// The topic.
    pub topic: String,
    /// How many.
    pub letters: i64,
    /// The newest.
    pub newest: DateTime<Utc>,
}

/// Condition of a [`Filter`]; its parameters are `$1` to `$6`.
const MATCHES: &str = "
  ($1::text IS NULL OR reason = $1) AND ($2::text IS NULL OR topic = $2) AND ($3::text IS NULL OR state = $3)
  AND ($4::timestamptz IS NULL OR seen_at >= $4) AND ($5::timestamptz IS NULL OR seen_at < $5)
  AND ($6::bigint[] IS NULL OR id = ANY ($6))";

const COLUMNS: &str = "
  id, topic, partition, \"offset\", kafka_at, seen_at, reason, detail, key, octet_length(value)::bigint, state, state_at,
  state_by";

/// A connection of the worker role to the dead letters.
pub struct DeadLetters {
    client: Client,
}

impl fmt::Debug for DeadLetters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadLetters").finish_non_exhaustive()
    }
}

impl DeadLetters {
    /// Connects and checks the schema.
    pub async fn connect(config: &config::Warehouse) -> Result<Self, StoreError> {
        let limits = Limits {
            statement: Duration::from_mins(1),
            lock: Duration::from_secs(5),
            idle_in_transaction: Duration::from_secs(10),
            read_only: false,
        };
        let client = worker_client(config, "instashop dead-letters", &limits).await?;
        Ok(Self { client })
    }

    /// Counts by reason and topic, most first.
    pub async fn reasons(&self, filter: &Filter) -> Result<Vec<Reason>, StoreError> {
        let sql = format!(
            "SELECT reason, topic, count(*), max(seen_at) FROM ops.dead_letters WHERE {MATCHES}
             GROUP BY reason, topic ORDER BY 3 DESC, 1, 2"
        );
        let rows = self.query(&sql, filter, &[]).await?;
        let reasons = rows.iter().map(|row| Reason {
            reason: row.get(0),
            topic: row.get(1),
            letters: row.get(2),
            newest: row.get(3),
        });
        Ok(reasons.collect())
    }

    /// How many there are.
    pub async fn count(&self, filter: &Filter) -> Result<i64, StoreError> {
        let sql = format!("SELECT count(*) FROM ops.dead_letters WHERE {MATCHES}");
        let rows = self.query(&sql, filter, &[]).await?;
        Ok(rows.first().map_or(0, |row| row.get(0)))
    }

    /// At most `limit`, newest first, without the bytes of their values.
    pub async fn list(&self, filter: &Filter, limit: i64) -> Result<Vec<DeadLetter>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}, NULL::bytea FROM ops.dead_letters WHERE {MATCHES} ORDER BY seen_at DESC, id DESC LIMIT $7"
        );
        let rows = self.query(&sql, filter, &[&limit]).await?;
        Ok(rows.iter().map(letter).collect())
    }

    /// One with its bytes.
    pub async fn show(&self, id: i64) -> Result<Option<DeadLetter>, StoreError> {
        let sql = format!("SELECT {COLUMNS}, value FROM ops.dead_letters WHERE id = $1");
        let row = self
            .client
            .query_opt(&sql, &[&id])
            .await
            .map_err(|error| failed("cannot read ops.dead_letters", error))?;
        Ok(row.as_ref().map(letter))
    }

    /// Marks open ones as discarded; gives how many. They stay, with who decided and when.
    pub async fn discard(&self, filter: &Filter, by: &str, now: DateTime<Utc>) -> Result<i64, StoreError> {
        self.mark(LetterState::Discarded, filter, by, now).await
    }

    async fn mark(
        &self,
        state: LetterState,
        filter: &Filter,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<i64, StoreError> {
        let sql = format!(
            "WITH marked AS (UPDATE ops.dead_letters SET state = $9, state_at = $7, state_by = $8
             WHERE state = 'open' AND {MATCHES} RETURNING 1) SELECT count(*) FROM marked"
        );
        let rows = self.query(&sql, filter, &[&now, &by, &state.name()]).await?;
        Ok(rows.first().map_or(0, |row| row.get(0)))
    }

    /// Open ones with their bytes, oldest first, after the letter `after`; at most `limit`.
    pub async fn to_replay(
        &self,
        filter: &Filter,
        after: i64,
        limit: i64,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}, value FROM ops.dead_letters WHERE state = 'open' AND {MATCHES} AND id > $7
             ORDER BY id LIMIT $8"
        );
        let rows = self.query(&sql, filter, &[&after, &limit]).await?;
        Ok(rows.iter().map(letter).collect())
    }

    /// Marks open ones as replayed, after their records are in Kafka once more; gives how many.
    pub async fn replayed(&self, ids: &[i64], by: &str, now: DateTime<Utc>) -> Result<i64, StoreError> {
        self.mark(LetterState::Replayed, &these(ids), by, now).await
    }

    /// Marks open ones as discarded, because later records of their rows say more; gives how many.
    pub async fn superseded(&self, ids: &[i64], now: DateTime<Utc>) -> Result<i64, StoreError> {
        let by = "replay: a later record of the row is there";
        self.mark(LetterState::Discarded, &these(ids), by, now).await
    }

    async fn query(
        &self,
        sql: &str,
        filter: &Filter,
        more: &[&(dyn tokio_postgres::types::ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        let state = filter.state.map(LetterState::name);
        let mut parameters: Vec<&(dyn tokio_postgres::types::ToSql + Sync)> = vec![
            &filter.reason,
            &filter.topic,
            &state,
            &filter.since,
            &filter.until,
            &filter.ids,
        ];
        parameters.extend(more);
        self.client
            .query(sql, &parameters)
            .await
            .map_err(|error| failed("cannot use ops.dead_letters", error))
    }
}

fn these(ids: &[i64]) -> Filter {
    Filter {
        ids: Some(ids.to_vec()),
        ..Filter::default()
    }
}

fn letter(row: &Row) -> DeadLetter {
    DeadLetter {
        id: row.get(0),
        partition: Partition {
            topic: row.get(1),
            number: row.get(2),
        },
        offset: row.get(3),
        kafka_at: row.get(4),
        seen_at: row.get(5),
        reason: row.get(6),
        detail: row.get(7),
        key: row.get(8),
        size: row.get(9),
        state: LetterState::of(row.get(10)),
        state_at: row.get(11),
        state_by: row.get(12),
        value: row.get(13),
    }
}
