//! The warehouse's part of the System tab.

use std::time::Instant;

use chrono::{DateTime, Utc};
use instashop_core::view::WarehouseSystem;
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
    })
}
