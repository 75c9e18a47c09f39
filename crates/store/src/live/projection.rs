//! Projections for readers that already exist: JSON under the keys and field names of the source documents
//! (docs: architecture 6, kpis D11).
//!
//! Counts and sums are of all time unless the name says `today`; what does not add up over days (`unique_*`,
//! `max_transaction`, `min_transaction`) is today's. Only sales count as transactions and revenue (docs: kpis 0.2).
//! `timestamp` is the as-of time. Nothing expires: a quiet shop must not go blank.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use instashop_core::contribution::{Calendar, Scope};
use instashop_core::money::{Cents, decimal_text};
use instashop_core::view::{BehaviourCount, Totals};
use redis::aio::MultiplexedConnection;
use serde::Serialize;
use serde_json::value::RawValue;

use super::answers::answers;
use super::commit::Generation;
use super::fields::{self, CategorySums, Numbers};
use super::keys::{self, Keys, META, meta};
use super::link::failure;
use crate::error::{Kind, StoreError};

/// An amount as a JSON number with two digits, without a detour over a float.
type Amount = Box<RawValue>;

/// `cdc_spark_metrics:transactions` and `metrics:transactions`.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "names of the source documents")]
struct Transactions {
    transaction_count: i64,
    total_transactions: i64,
    total_revenue: Amount,
    /// NULL without a transaction.
    avg_amount: Option<Amount>,
    max_transaction: Option<Amount>,
    min_transaction: Option<Amount>,
    unique_customers: i64,
    revenue_today: Amount,
    transactions_today: i64,
    timestamp: Option<String>,
}

/// An element of `cdc_spark_metrics:products`, and `metrics:products:<category>`.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "names of the source documents")]
struct Category {
    category: String,
    product_sales: i64,
    category_revenue: Amount,
    unique_products: i64,
    unique_customers: i64,
}

/// `metrics:behavior:<event_type>`.
#[derive(Debug, Serialize)]
struct Behaviour {
    event_count: i64,
    unique_customers: i64,
    unique_sessions: i64,
    timestamp: Option<String>,
}

/// `metrics:dashboard`: the others in one object.
#[derive(Debug, Serialize)]
struct Dashboard<'a> {
    transactions: &'a Transactions,
    products: &'a [Category],
    behavior: &'a BTreeMap<String, Behaviour>,
    timestamp: Option<String>,
}

/// Refreshes the projections, and remembers what it wrote.
#[derive(Debug)]
pub(super) struct Projections {
    calendar: Calendar,
    /// The content of `live:meta` and the day when they were last refreshed: nothing changed, nothing to do.
    last: Option<(BTreeMap<String, String>, NaiveDate)>,
    /// Keys by category and by event type that exist; `None` before the first look.
    written: Option<BTreeSet<String>>,
    /// What sealed days add to the sums, and the words of `live:meta` it was read with.
    sealed: Option<(Vec<Option<String>>, AllTime)>,
}

impl Projections {
    /// For a reporting zone.
    pub(super) const fn new(calendar: Calendar) -> Self {
        Self {
            calendar,
            last: None,
            written: None,
            sealed: None,
        }
    }

    /// Writes all projections, if anything changed since the last time. `timestamp` moves with every heartbeat, so a
    /// quiet shop is refreshed too.
    pub(super) async fn refresh(
        &mut self,
        connection: &mut MultiplexedConnection,
        generation: &Generation,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let day = self.calendar.day(now);
        let held: BTreeMap<String, String> = redis::cmd("HGETALL")
            .arg(META)
            .query_async(connection)
            .await
            .map_err(|error| failure("reading the live totals for the projections failed", error))?;
        let state = (held, day);
        if self.last.as_ref() == Some(&state) {
            return Ok(());
        }
        let texts = self.read(connection, generation, &state.0, day).await?;
        let mut stale = match self.written.take() {
            Some(written) => written,
            None => existing(connection).await?,
        };
        let mut pipeline = redis::pipe();
        for (key, text) in &texts {
            stale.remove(key);
            pipeline.cmd("SET").arg(key).arg(text);
        }
        if !stale.is_empty() {
            pipeline.cmd("UNLINK").arg(&stale);
        }
        pipeline
            .exec_async(connection)
            .await
            .map_err(|error| failure("writing the projections failed", error))?;
        self.written = Some(texts.into_keys().filter(|key| is_variable(key)).collect());
        self.last = Some(state);
        Ok(())
    }
}

fn is_variable(key: &str) -> bool {
    key.starts_with(&keys::metrics_category("")) || key.starts_with(&keys::metrics_behaviour(""))
}

/// Keys by category and event type that an earlier worker may have left.
async fn existing(connection: &mut MultiplexedConnection) -> Result<BTreeSet<String>, StoreError> {
    let mut keys = BTreeSet::new();
    for pattern in [keys::metrics_category("*"), keys::metrics_behaviour("*")] {
        let mut cursor = 0_u64;
        loop {
            let (next, found): (u64, Vec<String>) = redis::cmd("SCAN")
                .arg(cursor)
                .arg("MATCH")
                .arg(&pattern)
                .arg("COUNT")
                .arg(1000)
                .query_async(connection)
                .await
                .map_err(|error| failure("looking for old projections failed", error))?;
            keys.extend(found);
            if next == 0 {
                break;
            }
            cursor = next;
        }
    }
    Ok(keys)
}

/// Sums over all days of one kind of hash.
#[derive(Debug, Clone, Default)]
struct AllTime {
    categories: BTreeMap<String, CategorySums>,
    events: BTreeMap<String, i64>,
}

impl AllTime {
    /// Adds up categories and events of days.
    async fn add(
        &mut self,
        connection: &mut MultiplexedConnection,
        keys: &Keys,
        days: &[NaiveDate],
        event_days: &[NaiveDate],
    ) -> Result<(), StoreError> {
        let mut pipeline = redis::pipe();
        for day in days {
            pipeline.cmd("HGETALL").arg(keys.category(*day));
        }
        for day in event_days {
            pipeline.cmd("HGETALL").arg(keys.sums(Scope::Platform, *day));
        }
        let mut taken = answers(connection, &pipeline, READING).await?;
        for _ in days {
            for (category, sums) in fields::categories(&taken.take()?) {
                let sum = self.categories.entry(category).or_default();
                sum.revenue_cents += sums.revenue_cents;
                sum.units += sums.units;
            }
        }
        for _ in event_days {
            for kind in fields::behaviour(&taken.take()?) {
                *self.events.entry(kind.event_type).or_default() += kind.events;
            }
        }
        Ok(())
    }
}

const READING: &str = "reading the live totals for the projections failed";

impl Projections {
    /// Sums over all time. Those of sealed days are read again only when they were written again.
    async fn all_time(
        &mut self,
        connection: &mut MultiplexedConnection,
        generation: &Generation,
        held: &BTreeMap<String, String>,
        daily: &Numbers,
    ) -> Result<AllTime, StoreError> {
        let (days, _) = fields::days(daily);
        let is_sealed = |day: &NaiveDate| generation.boundary.is_some_and(|boundary| *day < boundary);
        let (sealed, live): (Vec<_>, Vec<_>) = days.into_keys().partition(is_sealed);
        let (sealed_events, live_events): (Vec<_>, Vec<_>) =
            fields::event_days(daily).into_iter().partition(is_sealed);
        let words = [meta::GENERATION, meta::BOUNDARY, meta::SEALED];
        let words: Vec<Option<String>> = words.iter().map(|word| held.get(*word).cloned()).collect();
        let mut all = match self.sealed.take() {
            Some((with, sums)) if with == words => sums,
            _ => {
                let mut sums = AllTime::default();
                let keys = &generation.keys;
                sums.add(connection, keys, &sealed, &sealed_events).await?;
                sums
            }
        };
        self.sealed = Some((words, all.clone()));
        all.add(connection, &generation.keys, &live, &live_events).await?;
        Ok(all)
    }

    /// Reads the totals and makes the projections.
    async fn read(
        &mut self,
        connection: &mut MultiplexedConnection,
        generation: &Generation,
        held: &BTreeMap<String, String>,
        day: NaiveDate,
    ) -> Result<BTreeMap<String, String>, StoreError> {
        let keys = &generation.keys;
        let mut first = redis::pipe();
        first.cmd("HGETALL").arg(keys.daily());
        let daily: Numbers = answers(connection, &first, READING).await?.take()?;
        let all = self.all_time(connection, generation, held, &daily).await?;
        let mut pipeline = redis::pipe();
        for key in [
            keys.category(day),
            keys.unique(day),
            keys.sums(Scope::Platform, day),
        ] {
            pipeline.cmd("HGETALL").arg(key);
        }
        for place in [0, -1] {
            pipeline
                .cmd("ZRANGE")
                .arg(keys.extremes(Scope::Platform, day))
                .arg(place)
                .arg(place);
        }
        let mut taken = answers(connection, &pipeline, READING).await?;
        let today = Today {
            day,
            categories: fields::categories(&taken.take()?),
            unique: taken.take()?,
            behaviour: fields::behaviour(&taken.take()?),
            least: taken.take::<Vec<i64>>()?.first().copied(),
            most: taken.take::<Vec<i64>>()?.first().copied(),
        };
        texts(&daily, &all, &today, held)
    }
}

/// What is told of today alone.
struct Today {
    day: NaiveDate,
    categories: BTreeMap<String, CategorySums>,
    unique: Numbers,
    behaviour: Vec<BehaviourCount>,
    least: Option<Cents>,
    most: Option<Cents>,
}

/// The projections by key.
fn texts(
    daily: &Numbers,
    all: &AllTime,
    of_today: &Today,
    held: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, StoreError> {
    let (days, buyers) = fields::days(daily);
    let day = of_today.day;
    let timestamp = held
        .get(meta::AS_OF)
        .and_then(|text| text.parse().ok())
        .and_then(DateTime::from_timestamp_millis)
        .map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true));
    let total = days.values().fold(Totals::default(), |sum, day| sum.plus(*day));
    let today = days.get(&day).copied().unwrap_or_default();
    let transactions = Transactions {
        transaction_count: total.orders,
        total_transactions: total.orders,
        total_revenue: amount(total.revenue_cents)?,
        avg_amount: average(total.revenue_cents, total.orders)
            .map(amount)
            .transpose()?,
        max_transaction: of_today.most.map(amount).transpose()?,
        min_transaction: of_today.least.map(amount).transpose()?,
        unique_customers: buyers.get(&day).copied().unwrap_or(0),
        revenue_today: amount(today.revenue_cents)?,
        transactions_today: today.orders,
        timestamp: timestamp.clone(),
    };
    let mut products = Vec::new();
    for (category, sums) in &all.categories {
        products.push(Category {
            category: category.clone(),
            product_sales: sums.units,
            category_revenue: amount(sums.revenue_cents)?,
            unique_products: of_today.categories.get(category).map_or(0, |sums| sums.products),
            unique_customers: of_today.unique.get(category).copied().unwrap_or(0),
        });
    }
    let behavior: BTreeMap<String, Behaviour> = all
        .events
        .iter()
        .map(|(kind, events)| {
            let today = of_today.behaviour.iter().find(|count| count.event_type == *kind);
            let shown = Behaviour {
                event_count: *events,
                unique_customers: today.map_or(0, |count| count.actors),
                unique_sessions: today.map_or(0, |count| count.sessions),
                timestamp: timestamp.clone(),
            };
            (kind.clone(), shown)
        })
        .collect();
    let mut texts = BTreeMap::new();
    texts.insert(keys::SPARK_TRANSACTIONS.to_owned(), json(&transactions)?);
    texts.insert(keys::METRICS_TRANSACTIONS.to_owned(), json(&transactions)?);
    texts.insert(keys::SPARK_PRODUCTS.to_owned(), json(&products)?);
    for category in &products {
        texts.insert(keys::metrics_category(&category.category), json(category)?);
    }
    for (kind, counts) in &behavior {
        texts.insert(keys::metrics_behaviour(kind), json(counts)?);
    }
    let dashboard = Dashboard {
        transactions: &transactions,
        products: &products,
        behavior: &behavior,
        timestamp,
    };
    texts.insert(keys::METRICS_DASHBOARD.to_owned(), json(&dashboard)?);
    Ok(texts)
}

/// Revenue by orders in cents, rounded half away from zero; `None` without orders (docs: kpis 0.5).
fn average(cents: Cents, orders: i64) -> Option<Cents> {
    if orders <= 0 {
        return None;
    }
    let (whole, rest) = (cents / orders, cents % orders);
    Some(if rest.abs() * 2 >= orders {
        whole + rest.signum()
    } else {
        whole
    })
}

fn amount(cents: Cents) -> Result<Amount, StoreError> {
    RawValue::from_string(decimal_text(cents)).map_err(unwritable)
}

fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(unwritable)
}

fn unwritable(error: serde_json::Error) -> StoreError {
    StoreError::new(Kind::Broken, "a projection cannot be written as JSON").caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_round_like_money() {
        for (cents, orders, expected) in [
            (0, 0, None),
            (100, 3, Some(33)),
            (200, 3, Some(67)),
            (5, 2, Some(3)),
            (-5, 2, Some(-3)),
            (-100, 3, Some(-33)),
        ] {
            assert_eq!(average(cents, orders), expected, "{cents} / {orders}");
        }
    }

    #[test]
    fn amounts_are_numbers_with_two_digits() {
        assert_eq!(json(&amount(123_450).unwrap()).unwrap(), "1234.50");
        assert_eq!(json(&amount(-5).unwrap()).unwrap(), "-0.05");
    }
}
