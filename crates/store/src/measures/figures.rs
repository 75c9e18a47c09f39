//! Sums of a cut, under the names of the live store's figures.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use instashop_core::config::Meaning;
use instashop_core::live::Figure;
use instashop_core::table::Table;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use tokio_postgres::types::ToSql;

use super::{Cut, Gone, rows};
use crate::StoreError;
use crate::postgres::{broken, failed};

/// Names the texts give; [`Figure`] says what each is.
const NAMES: [&str; 23] = [
    "revenue_cents",
    "orders",
    "open",
    "failed",
    "cancelled",
    "reversed",
    "unmapped",
    "buyers",
    "orders_without_lines",
    "payment.paid",
    "payment.failed",
    "payment.open",
    "payment.revenue_cents",
    "category.revenue_cents",
    "category.units",
    "category.lines",
    "product.revenue_cents",
    "product.units",
    "product.lines",
    "behaviour.events",
    "behaviour.sessions",
    "behaviour.actors",
    "undated",
];

type Figures = BTreeMap<Figure, i64>;

/// Every figure; with a boundary those that a live store with that boundary holds.
pub(super) async fn read(
    cut: &Cut<'_>,
    meaning: &Meaning,
    gone: &Gone,
    boundary: Option<NaiveDate>,
) -> Result<Figures, StoreError> {
    let (statuses, classes): (Vec<&str>, Vec<&str>) = meaning
        .order_status
        .iter()
        .map(|(status, class)| (status.as_str(), class.name()))
        .unzip();
    let (aliases, methods): (Vec<&str>, Vec<&str>) = meaning
        .payment_alias
        .iter()
        .map(|(alias, method)| (alias.as_str(), method.as_str()))
        .unzip();
    let zone = &meaning.zone;
    let mut figures = Figures::new();
    let rates = meaning.fx_rates.iter().flat_map(|(code, rates)| {
        let rates = rates.iter();
        rates.map(move |(since, rate)| (code.as_str(), (*since, rate.0)))
    });
    let (codes, spans): (Vec<&str>, Vec<(NaiveDate, Decimal)>) = rates.unzip();
    let (since, rates): (Vec<NaiveDate>, Vec<Decimal>) = spans.into_iter().unzip();
    let money: [&(dyn ToSql + Sync); 9] = [
        &meaning.currency,
        &codes,
        &since,
        &rates,
        &gone.products,
        &gone.currencies,
        zone,
        &statuses,
        &classes,
    ];
    let orders = [&money[..], &[&aliases, &methods]].concat();
    let lines = [&money[..], &[&gone.categories]].concat();
    let behaviour: [&(dyn ToSql + Sync); 1] = [zone];
    for (text, tables, parameters) in [
        (
            concat!(
                include_str!("../../sql/measures/currency.sql"),
                include_str!("../../sql/measures/orders.sql")
            ),
            &[Table::Transaction, Table::TransactionDetail, Table::Product][..],
            &orders[..],
        ),
        (
            concat!(
                include_str!("../../sql/measures/currency.sql"),
                include_str!("../../sql/measures/lines.sql")
            ),
            &[Table::Transaction, Table::TransactionDetail, Table::Product],
            &lines[..],
        ),
        (
            include_str!("../../sql/measures/behaviour.sql"),
            &[Table::UserBehavior],
            &behaviour[..],
        ),
    ] {
        if cut.prelude.has(tables) {
            add(cut, &cut.prelude.before(tables, text), parameters, &mut figures).await?;
        }
    }
    for table in cut.prelude.tables() {
        let live = match boundary {
            Some(boundary) => rows::live_count(cut, table, &meaning.zone, boundary).await?,
            None => None,
        };
        let rows = match live {
            Some(rows) => rows,
            None => rows::count(cut, table).await?,
        };
        let figure = Figure {
            day: None,
            name: "rows",
            dimension: table.name().to_owned(),
        };
        figures.insert(figure, rows);
    }
    figures.retain(|figure, value| *value != 0 && figure.is_held(boundary));
    Ok(figures)
}

async fn add(
    cut: &Cut<'_>,
    statement: &str,
    parameters: &[&(dyn ToSql + Sync)],
    figures: &mut Figures,
) -> Result<(), StoreError> {
    let rows = cut
        .transaction
        .query(statement, parameters)
        .await
        .map_err(|error| failed(&format!("cannot sum up {}", cut.what), error))?;
    for row in &rows {
        let (day, name): (Option<NaiveDate>, &str) = (row.get(0), row.get(1));
        let name = NAMES
            .into_iter()
            .find(|known| *known == name)
            .ok_or_else(|| broken(format!("a measure gives the unknown figure {name}")))?;
        let figure = Figure {
            day,
            name,
            dimension: row.get(2),
        };
        // What does not fit is as far off as can be, and shows as drift against anything that fits.
        let value: Decimal = row.try_get(3).unwrap_or(Decimal::MAX);
        *figures.entry(figure).or_default() += value.to_i64().unwrap_or(i64::MAX);
    }
    Ok(())
}
