//! The maps that give meaning, written from the configuration into `ref.*`.

use instashop_core::config::Meaning;
use rust_decimal::Decimal;
use tokio_postgres::Client;

use crate::StoreError;
use crate::postgres::failed;

/// True when the maps in the warehouse are others than these, or none.
pub(super) async fn differs(client: &Client, meaning: &Meaning) -> Result<bool, StoreError> {
    let known = client
        .query_opt("SELECT meaning_digest FROM ref.setting", &[])
        .await
        .map_err(|error| failed("cannot read which maps ref holds", error))?;
    Ok(known.is_none_or(|row| row.get::<_, String>(0) != meaning.digest()))
}

/// Replaces the maps when they differ. Gives true when something was written.
pub(super) async fn write(client: &mut Client, meaning: &Meaning) -> Result<bool, StoreError> {
    let fail = |error| failed("cannot write the maps of the configuration to ref", error);
    let digest = meaning.digest();
    let transaction = client.transaction().await.map_err(fail)?;
    // Two runs of setup at once: the second waits here and then finds nothing to do.
    transaction
        .batch_execute("LOCK TABLE ref.setting IN SHARE ROW EXCLUSIVE MODE")
        .await
        .map_err(fail)?;
    let known = transaction
        .query_opt("SELECT meaning_digest FROM ref.setting", &[])
        .await
        .map_err(fail)?;
    if known.is_some_and(|row| row.get::<_, String>(0) == digest) {
        return Ok(false);
    }
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
                &digest,
            ],
        )
        .await
        .map_err(fail)?;
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
        .await
        .map_err(fail)?;
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
        transaction
            .execute(statement, &[first, second])
            .await
            .map_err(fail)?;
    }
    transaction
        .execute(
            "INSERT INTO ref.plan SELECT * FROM unnest($1::text[], $2::text[], $3::numeric[])",
            &[&raw, &tier, &prices],
        )
        .await
        .map_err(fail)?;
    // Every number may mean something else now.
    transaction
        .execute("UPDATE ops.mart_refreshes SET complete = false", &[])
        .await
        .map_err(fail)?;
    transaction.commit().await.map_err(fail)?;
    Ok(true)
}
