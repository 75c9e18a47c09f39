//! Computes orders again whose products turned out to be in another currency, in the background, a little at a time.
//!
//! Which orders those are is found by looking at all of them: a product hardly ever changes its currency. Batches that come
//! meanwhile convert with the new one already, and every write compares the states it was computed from, so nothing is
//! done twice and nothing is missed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use instashop_core::batch::Batch;
use instashop_core::config::Meaning;
use instashop_core::contribution::{Calendar, Cell};
use instashop_core::live::{Progress, Run, StateId, Stored, Writes};
use instashop_core::order::Order;
use redis::aio::MultiplexedConnection;

use super::commit::{self, Generation};
use super::fields::Numbers;
use super::link::failure;
use super::scan::scan_on;
use super::scripts::Scripts;
use super::{broken, states};
use crate::error::StoreError;

/// Keys looked at in one step.
const SCAN: usize = 500;
/// Steps in one call.
const STEPS: usize = 10;

/// A walk over all order states, with the products it is for.
#[derive(Debug, Default)]
pub(super) struct Repricer {
    walk: Option<Walk>,
}

#[derive(Debug)]
struct Walk {
    /// Products and how often each was marked when the walk began.
    products: BTreeMap<i64, i64>,
    /// Cursor of SCAN.
    cursor: u64,
}

impl Repricer {
    /// Does a bounded piece of work; begins a walk when a product is marked.
    pub(super) async fn go_on(
        &mut self,
        connection: &mut MultiplexedConnection,
        scripts: &Scripts,
        generation: &Generation,
        meaning: &Meaning,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        if self.walk.is_none() {
            let products = marked(connection, generation).await?;
            if products.is_empty() {
                return Ok(());
            }
            tracing::info!(
                products = products.len(),
                "products are in another currency than their orders were converted from: converting them again"
            );
            self.walk = Some(Walk { products, cursor: 0 });
        }
        let desk = Desk {
            scripts,
            generation,
            meaning,
            now,
        };
        for _ in 0..STEPS {
            let Some(walk) = self.walk.as_mut() else {
                return Ok(());
            };
            let orders = format!("{}st:order:*", generation.keys.prefix());
            let (next, found) = scan_on(connection, walk.cursor, &orders, SCAN).await?;
            for key in found {
                if !desk.convert(connection, &key, &walk.products).await? {
                    // A batch came in between: the same keys again with the next call.
                    return Ok(());
                }
            }
            walk.cursor = next;
            if next == 0 {
                desk.finish(connection, &walk.products).await?;
                self.walk = None;
            }
        }
        Ok(())
    }
}

/// Products whose orders are to be computed again, and how often each was marked.
async fn marked(
    connection: &mut MultiplexedConnection,
    generation: &Generation,
) -> Result<BTreeMap<i64, i64>, StoreError> {
    let marks: Numbers = redis::cmd("HGETALL")
        .arg(generation.keys.repricing())
        .query_async(connection)
        .await
        .map_err(|error| failure("reading products in another currency failed", error))?;
    Ok(marks
        .into_iter()
        .filter_map(|(product, times)| Some((product.parse().ok()?, times)))
        .collect())
}

/// What every step of a walk needs.
struct Desk<'a> {
    scripts: &'a Scripts,
    generation: &'a Generation,
    meaning: &'a Meaning,
    now: DateTime<Utc>,
}

impl Desk<'_> {
    /// Computes the orders of one hash again that hold one of the products; false when a foreign write came in between.
    async fn convert(
        &self,
        connection: &mut MultiplexedConnection,
        key: &str,
        products: &BTreeMap<i64, i64>,
    ) -> Result<bool, StoreError> {
        let held: BTreeMap<i64, String> = redis::cmd("HGETALL")
            .arg(key)
            .query_async(connection)
            .await
            .map_err(|error| failure("reading order states failed", error))?;
        let mut orders = Vec::new();
        for (id, text) in held {
            let order: Option<Order> = Stored::new(Some(text))
                .read(StateId::Order(id))
                .map_err(|error| broken(&error))?;
            let holds = order.is_some_and(|order| {
                let mut lines = order.lines.values().filter_map(|line| line.product);
                lines.any(|product| products.contains_key(&product))
            });
            orders.extend(holds.then_some(id));
        }
        if orders.is_empty() {
            return Ok(true);
        }
        let batch = Batch::default();
        let mut run = Run::again(&batch, &orders, self.generation.window(self.now), self.meaning);
        let mut read = BTreeMap::new();
        loop {
            match run.go_on(&read) {
                Ok(Progress::Read(ids)) => states(connection, self.generation, ids, &mut read).await?,
                Ok(Progress::Done(done)) => return self.write(connection, &done.writes).await,
                Err(error) if error.may_be_torn() => return Ok(false),
                Err(error) => return Err(broken(&error)),
            }
        }
    }

    /// Takes the marks back that were there when the walk began; a product that was marked again meanwhile stays marked.
    async fn finish(
        &self,
        connection: &mut MultiplexedConnection,
        products: &BTreeMap<i64, i64>,
    ) -> Result<(), StoreError> {
        let deltas = products
            .iter()
            .map(|(product, times)| (Cell::Repricing { product: *product }, -times));
        let writes = Writes {
            deltas: deltas.collect(),
            ..Writes::default()
        };
        self.write(connection, &writes).await?;
        tracing::info!("all orders are converted with the currencies of their products");
        Ok(())
    }

    /// Writes without moving a checkpoint; false when a state is not what it was.
    async fn write(
        &self,
        connection: &mut MultiplexedConnection,
        writes: &Writes,
    ) -> Result<bool, StoreError> {
        let calendar = Calendar::new(self.meaning.tz());
        commit::write_alone(
            connection,
            self.scripts,
            self.generation,
            writes,
            calendar,
            self.now,
            "converting orders again failed",
        )
        .await
    }
}
