//! The maps that give meaning, written from the configuration into `ref.*`.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use instashop_core::config::Meaning;
use rust_decimal::Decimal;
use tokio_postgres::{Client, GenericClient, Transaction};

use crate::StoreError;
use crate::postgres::failed;

/// How the maps of a configuration differ from those in `ref`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MapsDiffer {
    /// Not at all.
    No,
    /// By exchange rates of days that have not begun: they change no number of the past. The first of these days.
    RatesToCome(NaiveDate),
    /// In a way that may change every number.
    Yes,
}

/// Rates by currency and first day.
type Rates = BTreeMap<(String, NaiveDate), Decimal>;

/// How the maps in the warehouse differ from these.
pub(super) async fn differs(
    client: &impl GenericClient,
    meaning: &Meaning,
) -> Result<MapsDiffer, StoreError> {
    let fail = |error| failed("cannot read which maps ref holds", error);
    let known = client
        .query_opt("SELECT meaning_digest FROM ref.setting", &[])
        .await
        .map_err(fail)?;
    if known.is_none_or(|row| row.get::<_, String>(0) != meaning.digest()) {
        return Ok(MapsDiffer::Yes);
    }
    let today: NaiveDate = client
        .query_one("SELECT c.today FROM core.clock c", &[])
        .await
        .map_err(fail)?
        .get(0);
    // The rates themselves are compared, not a digest of an earlier day: one may have begun since.
    let held: Rates = client
        .query("SELECT currency, rate_date, to_reporting FROM ref.fx_rate", &[])
        .await
        .map_err(fail)?
        .iter()
        .map(|row| ((row.get(0), row.get(1)), row.get::<_, Decimal>(2).normalize()))
        .collect();
    let wanted = rates(meaning);
    let is_other =
        |(key, rate): &(&(String, NaiveDate), &Decimal), there: &Rates| there.get(*key) != Some(*rate);
    let first = (wanted.iter().filter(|rate| is_other(rate, &held)))
        .chain(held.iter().filter(|rate| is_other(rate, &wanted)))
        .map(|((_, day), _)| *day)
        .min();
    Ok(match first {
        None => MapsDiffer::No,
        Some(day) if day > today => MapsDiffer::RatesToCome(day),
        Some(_) => MapsDiffer::Yes,
    })
}

fn rates(meaning: &Meaning) -> Rates {
    meaning
        .fx_rates
        .iter()
        .flat_map(|(currency, rates)| {
            rates
                .iter()
                .map(|(day, rate)| ((currency.clone(), *day), rate.0.normalize()))
        })
        .collect()
}

/// Replaces the maps when they differ. Gives how they did.
pub(super) async fn write(client: &mut Client, meaning: &Meaning) -> Result<MapsDiffer, StoreError> {
    let fail = |error| failed("cannot write the maps of the configuration to ref", error);
    let transaction = client.transaction().await.map_err(fail)?;
    // Two runs of setup at once: the second waits here and then finds nothing to do.
    transaction
        .batch_execute("LOCK TABLE ref.setting IN SHARE ROW EXCLUSIVE MODE")
        .await
        .map_err(fail)?;
    let differ = differs(&transaction, meaning).await?;
    match differ {
        MapsDiffer::No => return Ok(differ),
        MapsDiffer::RatesToCome(first) => {
            write_rates(&transaction, meaning).await.map_err(fail)?;
            // Only an order that is dated in the future can have such a rate.
            transaction
                .execute(
                    "INSERT INTO ops.dirty_keys SELECT 'transaction', t.transaction_id FROM staging.transaction t
                     WHERE t.transaction_date AT TIME ZONE 'UTC' >= ($1::date::timestamp AT TIME ZONE $2::text)",
                    &[&first, &meaning.zone],
                )
                .await
                .map_err(fail)?;
        }
        MapsDiffer::Yes => {
            write_setting(&transaction, meaning).await.map_err(fail)?;
            write_maps(&transaction, meaning).await.map_err(fail)?;
            write_rates(&transaction, meaning).await.map_err(fail)?;
            write_commission(&transaction, meaning).await.map_err(fail)?;
            write_regions(&transaction, meaning).await.map_err(fail)?;
            // Every number may mean something else now.
            transaction
                .execute("UPDATE ops.mart_refreshes SET complete = false", &[])
                .await
                .map_err(fail)?;
        }
    }
    transaction.commit().await.map_err(fail)?;
    Ok(differ)
}

async fn write_setting(
    transaction: &Transaction<'_>,
    meaning: &Meaning,
) -> Result<(), tokio_postgres::Error> {
    transaction
        .execute(
            "INSERT INTO ref.setting (tz, currency, session_gap, buyer_identity, meaning_digest)
             VALUES ($1, $2, make_interval(mins => $3), $4, $5)
             ON CONFLICT (one) DO UPDATE SET tz = excluded.tz, currency = excluded.currency,
               session_gap = excluded.session_gap, buyer_identity = excluded.buyer_identity,
               meaning_digest = excluded.meaning_digest",
            &[
                &meaning.zone,
                &meaning.currency,
                &i32::try_from(meaning.session_gap_minutes).unwrap_or(i32::MAX),
                &meaning.buyer_identity,
                &meaning.digest(),
            ],
        )
        .await?;
    Ok(())
}

async fn write_rates(transaction: &Transaction<'_>, meaning: &Meaning) -> Result<(), tokio_postgres::Error> {
    let (keys, rates): (Vec<_>, Vec<Decimal>) = rates(meaning).into_iter().unzip();
    let (currencies, days): (Vec<String>, Vec<NaiveDate>) = keys.into_iter().unzip();
    transaction.execute("DELETE FROM ref.fx_rate", &[]).await?;
    transaction
        .execute(
            "INSERT INTO ref.fx_rate SELECT * FROM unnest($1::text[], $2::date[], $3::numeric[])",
            &[&currencies, &days, &rates],
        )
        .await?;
    Ok(())
}

async fn write_commission(
    transaction: &Transaction<'_>,
    meaning: &Meaning,
) -> Result<(), tokio_postgres::Error> {
    transaction.execute("DELETE FROM ref.commission", &[]).await?;
    for rule in &meaning.commission {
        transaction
            .execute(
                "INSERT INTO ref.commission (store_id, tier, percent, fixed, valid_from)
                 VALUES ($1, $2, $3, $4, coalesce($5::date, '-infinity'))",
                &[
                    &rule.store,
                    &rule.plan,
                    &rule.percent,
                    &Decimal::new(rule.fixed_cents, 2),
                    &rule.valid_from,
                ],
            )
            .await?;
    }
    Ok(())
}

async fn write_regions(
    transaction: &Transaction<'_>,
    meaning: &Meaning,
) -> Result<(), tokio_postgres::Error> {
    let alone = meaning
        .countries
        .iter()
        .filter(|country| !meaning.regions.contains_key(*country))
        .map(|country| (country.as_str(), None));
    let named = meaning
        .regions
        .iter()
        .map(|(alias, region)| (alias.as_str(), Some(region.as_str())));
    let (aliases, regions): (Vec<&str>, Vec<Option<&str>>) = named.chain(alone).unzip();
    let countries: Vec<bool> = aliases
        .iter()
        .map(|alias| meaning.countries.contains(*alias))
        .collect();
    transaction.execute("DELETE FROM ref.region_alias", &[]).await?;
    transaction
        .execute(
            "INSERT INTO ref.region_alias SELECT * FROM unnest($1::text[], $2::text[], $3::boolean[])",
            &[&aliases, &regions, &countries],
        )
        .await?;
    Ok(())
}

async fn write_maps(transaction: &Transaction<'_>, meaning: &Meaning) -> Result<(), tokio_postgres::Error> {
    let (status, class): (Vec<&str>, Vec<&str>) = meaning
        .order_status
        .iter()
        .map(|(status, class)| (status.as_str(), class.name()))
        .unzip();
    let (alias, method): (Vec<&str>, Vec<&str>) = meaning
        .payment_alias
        .iter()
        .map(|(alias, method)| (alias.as_str(), method.as_str()))
        .unzip();
    let (raw, tier): (Vec<&str>, Vec<&str>) = meaning
        .plans
        .iter()
        .map(|(raw, plan)| (raw.as_str(), plan.tier.as_str()))
        .unzip();
    let prices: Vec<Decimal> = meaning
        .plans
        .values()
        .map(|plan| Decimal::new(plan.monthly_cents, 2))
        .collect();
    transaction
        .batch_execute("DELETE FROM ref.order_status; DELETE FROM ref.payment_alias; DELETE FROM ref.plan")
        .await?;
    for (statement, first, second) in [
        (
            "INSERT INTO ref.order_status SELECT * FROM unnest($1::text[], $2::text[])",
            &status,
            &class,
        ),
        (
            "INSERT INTO ref.payment_alias SELECT * FROM unnest($1::text[], $2::text[])",
            &alias,
            &method,
        ),
    ] {
        transaction.execute(statement, &[first, second]).await?;
    }
    transaction
        .execute(
            "INSERT INTO ref.plan SELECT * FROM unnest($1::text[], $2::text[], $3::numeric[])",
            &[&raw, &tier, &prices],
        )
        .await?;
    Ok(())
}
