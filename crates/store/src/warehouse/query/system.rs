//! The warehouse's part of the System tab.

use std::time::Instant;

use chrono::{DateTime, Utc};
use instashop_core::view::{MartsHealth, WarehouseSystem};
use tokio_postgres::Client;

use crate::StoreError;
use crate::postgres::failed;
use crate::warehouse::{health, proof};

/// Reads the view.
pub(super) async fn read(client: &Client, now: DateTime<Utc>) -> Result<WarehouseSystem, StoreError> {
    let fail = |error| failed("cannot read the warehouse", error);
    let asked = Instant::now();
    client.simple_query("SELECT 1").await.map_err(fail)?;
    let ping = asked.elapsed();
    let mut flow = health::load(client, now).await?;
    let letters = client
        .query_one(
            "SELECT coalesce(sum(letters), 0)::bigint FROM ops.dead_letter_summary WHERE state = 'open'",
            &[],
        )
        .await
        .map_err(fail)?;
    flow.dead_letters = Some(letters.get(0));
    Ok(WarehouseSystem {
        ping_us: u64::try_from(ping.as_micros()).unwrap_or(u64::MAX),
        flow,
        proof: proof::load(client).await?,
        marts: marts(client).await?,
    })
}

async fn marts(client: &Client) -> Result<Option<MartsHealth>, StoreError> {
    let fail = |error| failed("cannot read how far the marts are", error);
    let Some(row) = client
        .query_opt(
            "SELECT k.refreshed_at, k.as_of, w.refreshed_at, k.complete,
               (SELECT count(*) FROM (SELECT 1 FROM ops.dirty_keys LIMIT 100000) marks)
             FROM ops.mart_refreshes k LEFT JOIN ops.mart_refreshes w ON w.name = 'as_a_whole' WHERE k.name = 'by_key'",
            &[],
        )
        .await
        .map_err(fail)?
    else {
        return Ok(None);
    };
    let run = client
        .query_opt(
            "SELECT r.day, r.state = 'done', r.ended_at FROM ops.etl_runs r WHERE r.ended_at IS NOT NULL ORDER BY r.id DESC LIMIT 1",
            &[],
        )
        .await
        .map_err(fail)?;
    Ok(Some(MartsHealth {
        refreshed_at: row.get(0),
        as_of: row.get(1),
        whole_at: row.get(2),
        complete: row.get(3),
        waiting: row.get(4),
        last_run: run.map(|run| (run.get(0), run.get(1), run.get(2))),
    }))
}
