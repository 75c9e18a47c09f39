//! Health of the warehouse flow: every worker publishes its own into `ops.health`, readers collect it.

use chrono::{DateTime, TimeDelta, Utc};
use instashop_core::view::{FlowHealth, SourceHealth, WorkerHealth};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_postgres::Client;

use super::WarehouseSink;
use crate::StoreError;
use crate::postgres::failed;

/// A worker that published within this time counts as running. The newest is shown however old it is, so that a screen can
/// say since when nobody works.
const LATELY: TimeDelta = TimeDelta::minutes(2);

/// Rows of workers that have been gone for this long are removed.
const FORGET: TimeDelta = TimeDelta::days(1);

/// Brokers that answered, and brokers known.
#[derive(Serialize, serde::Deserialize)]
struct Brokers {
    up: u32,
    known: u32,
}

const PUBLISH: &str = "
INSERT INTO ops.health (kind, name, seen_at, body)
SELECT s.kind, s.name, $4, s.body::jsonb FROM unnest($1::text[], $2::text[], $3::text[]) AS s(kind, name, body)
ORDER BY s.kind, s.name
ON CONFLICT (kind, name) DO UPDATE SET seen_at = excluded.seen_at, body = excluded.body";

impl WarehouseSink {
    /// Publishes what this worker knows. `sources` and `brokers` are given by the one worker that watches them; the
    /// others leave them empty and what was published last stays.
    pub async fn publish(
        &mut self,
        worker: &WorkerHealth,
        sources: &[SourceHealth],
        brokers: Option<(u32, u32)>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut rows = vec![("worker", worker.worker.clone(), json(worker))];
        rows.extend(
            sources
                .iter()
                .map(|source| ("source", source.source.clone(), json(source))),
        );
        rows.extend(brokers.map(|(up, known)| ("brokers", "kafka".into(), json(&Brokers { up, known }))));
        let kinds: Vec<&str> = rows.iter().map(|row| row.0).collect();
        let names: Vec<&str> = rows.iter().map(|row| row.1.as_str()).collect();
        let bodies: Vec<&str> = rows.iter().map(|row| row.2.as_str()).collect();
        let session = self.session().await?;
        let fail = |error| failed("cannot publish to ops.health", error);
        let statement = session.statement(PUBLISH).await?;
        session
            .client
            .execute(&statement, &[&kinds, &names, &bodies, &now])
            .await
            .map_err(fail)?;
        let forget = session
            .statement("DELETE FROM ops.health WHERE kind = 'worker' AND seen_at < $1")
            .await?;
        session
            .client
            .execute(&forget, &[&(now - FORGET)])
            .await
            .map_err(fail)?;
        Ok(())
    }
}

/// Plain values; a failure to write them as JSON cannot happen, and an empty object would be noticed by every reader.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value)
        .unwrap_or_else(|_| "{}".into())
        .replace("\\u0000", "")
}

/// The flow as its workers last published it.
pub(super) async fn load(client: &Client, now: DateTime<Utc>) -> Result<FlowHealth, StoreError> {
    let rows = client
        .query(
            "SELECT kind, name, seen_at, body FROM ops.health ORDER BY kind, seen_at DESC, name",
            &[],
        )
        .await
        .map_err(|error| failed("cannot read ops.health", error))?;
    let mut health = FlowHealth::default();
    for row in &rows {
        let (kind, name): (&str, &str) = (row.get(0), row.get(1));
        let (seen_at, body): (DateTime<Utc>, serde_json::Value) = (row.get(2), row.get(3));
        match kind {
            "worker" if health.workers.is_empty() || now - seen_at <= LATELY => {
                health.workers.extend(parsed(name, body));
            }
            "source" => health.sources.extend(parsed(name, body)),
            "brokers" => health.brokers_up = parsed(name, body).map(|Brokers { up, known }| (up, known)),
            _ => {}
        }
    }
    health
        .workers
        .sort_by(|a: &WorkerHealth, b| a.worker.cmp(&b.worker));
    Ok(health)
}

/// A row of another version of this program is left out, not guessed at.
fn parsed<T: DeserializeOwned>(name: &str, body: serde_json::Value) -> Option<T> {
    serde_json::from_value(body)
        .inspect_err(|error| tracing::warn!(%error, name, "a row of ops.health cannot be read"))
        .ok()
}
