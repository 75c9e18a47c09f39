//! The step of the daily run that forecasts demand (docs: kpis 6.1): reads the series, lets [`instashop_core::forecast`]
//! judge them, and writes `marts.demand_forecast` anew.
//!
//! Series come through a portal and rows go by COPY, a batch at a time: memory does not grow with the number of products.

use std::collections::HashMap;
use std::fmt::Write as _;

use bytes::Bytes;
use chrono::{Days, NaiveDate};
use futures::{SinkExt, pin_mut};
use instashop_core::forecast::{
    self, Accuracy, FORTNIGHT, Forecast, HISTORY, HORIZON, Interval, Method, Supply, Until,
};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use tokio_postgres::{Row, Transaction};

use super::daily::StepDone;
use crate::StoreError;
use crate::postgres::failed;

/// Series that are held at once.
const BATCH: i32 = 500;

/// The days out of stock of all products, once: what they follow from is one pass over levels and movements.
const OUT: &str = "
CREATE TEMP TABLE forecast_out ON COMMIT DROP AS SELECT o.product_id, o.day FROM core.stock_out_days o;
CREATE INDEX ON forecast_out (product_id, day);
ANALYZE forecast_out";

/// Days with sales of each product that is still there: `$1` is the last complete day, `$2` days of history.
const PRODUCTS: &str = "
SELECT p.product_id, p.category, coalesce(p.store_id, -1), m.days, m.units
FROM (
  SELECT m.product_id, array_agg(m.day ORDER BY m.day) AS days, array_agg(m.units ORDER BY m.day) AS units
  FROM marts.product_metrics m
  WHERE m.day > $1::date - $2::int AND m.day <= $1 AND m.units > 0
  GROUP BY m.product_id
) m
JOIN core.products p ON p.product_id = m.product_id
WHERE NOT p.deleted";

/// The same of each category, over all stores.
const CATEGORIES: &str = "
SELECT NULL::bigint, m.category, 0::bigint, array_agg(m.day ORDER BY m.day), array_agg(m.units ORDER BY m.day)
FROM (
  SELECT c.category, c.day, sum(c.units) AS units
  FROM marts.sales_by_category c
  WHERE c.day > $1::date - $2::int AND c.day <= $1 AND c.units > 0
  GROUP BY c.category, c.day
) m
GROUP BY m.category";

/// What is there of some products, and where their own rows say to order.
const STOCKS: &str = "
SELECT s.product_id, sum(greatest(s.available_quantity, 0))::bigint, sum(s.reorder_point)::bigint
FROM staging.stock s WHERE s.product_id = ANY($1) AND NOT s._deleted GROUP BY s.product_id";

/// Days out of stock of some products since a day.
const OUT_DAYS: &str = "SELECT o.product_id, o.day FROM forecast_out o WHERE o.product_id = ANY($1) AND o.day >= $2 AND o.day <= $3";

const COLUMNS: &str = "product_id, category, store_id, last_day, days, days_known, method,
  units_14, low_80_14, high_80_14, low_95_14, high_95_14, units_28, low_80_28, high_80_28, low_95_28, high_95_28,
  until, until_low_80, until_high_80, error, baseline_error, mase, baseline_mase, wape, baseline_wape, bias, pinball,
  coverage_80, coverage_95, tried, available, used_up_day, used_up_early_day, reorder_point, own_reorder_point";

/// A series with what it is of.
struct Series {
    product: Option<i64>,
    category: String,
    store: i64,
    first: NaiveDate,
    units: Vec<Option<f64>>,
}

/// Units available and the reorder point of the rows themselves.
type Stock = (Option<i64>, Option<i64>);

/// Forecasts everything from the last complete day on. For a run of any other day there is nothing to do: what is known now
/// says more than what was known then, and one forecast is kept.
pub(super) async fn run(transaction: &Transaction<'_>, day: NaiveDate) -> Result<StepDone, StoreError> {
    let fail = |error| failed("cannot forecast the demand", error);
    let last: NaiveDate = transaction
        .query_one("SELECT c.today - 1 FROM core.clock c", &[])
        .await
        .map_err(fail)?
        .get(0);
    let mut done = StepDone { rows: 0, repaired: 0 };
    if day != last {
        return Ok(done);
    }
    transaction
        .batch_execute("SET LOCAL work_mem = '64MB'")
        .await
        .map_err(fail)?;
    transaction.batch_execute(OUT).await.map_err(fail)?;
    transaction
        .execute("DELETE FROM marts.demand_forecast", &[])
        .await
        .map_err(fail)?;
    let history = i32::try_from(HISTORY).unwrap_or(i32::MAX);
    for sql in [PRODUCTS, CATEGORIES] {
        let statement = transaction.prepare(sql).await.map_err(fail)?;
        let portal = transaction
            .bind(&statement, &[&day, &history])
            .await
            .map_err(fail)?;
        loop {
            let rows = transaction.query_portal(&portal, BATCH).await.map_err(fail)?;
            if rows.is_empty() {
                break;
            }
            let mut batch: Vec<Series> = rows.iter().filter_map(|row| series(row, day)).collect();
            let ids: Vec<i64> = batch.iter().filter_map(|series| series.product).collect();
            let mut stocks = HashMap::new();
            if !ids.is_empty() {
                leave_out(transaction, &mut batch, &ids, day).await?;
                stocks = stocks_of(transaction, &ids).await?;
            }
            done.rows += write(transaction, &batch, &stocks, day).await?;
        }
    }
    Ok(done)
}

/// The calendar from the first sale to the last complete day; a day without a sale is zero.
fn series(row: &Row, last: NaiveDate) -> Option<Series> {
    let (days, units): (Vec<NaiveDate>, Vec<Decimal>) = (row.get(3), row.get(4));
    let first = *days.first()?;
    let length = usize::try_from(last.signed_duration_since(first).num_days()).ok()? + 1;
    let mut calendar = vec![Some(0.0); length];
    for (day, units) in days.iter().zip(units) {
        let index = usize::try_from(day.signed_duration_since(first).num_days()).ok()?;
        if let Some(known) = calendar.get_mut(index) {
            *known = units.to_f64();
        }
    }
    Some(Series {
        product: row.get(0),
        category: row.get(1),
        store: row.get(2),
        first,
        units: calendar,
    })
}

/// Takes out the days without stock. Levels that say "nothing there" where most units were sold are not believed: nobody
/// keeps them.
async fn leave_out(
    transaction: &Transaction<'_>,
    batch: &mut [Series],
    ids: &[i64],
    last: NaiveDate,
) -> Result<(), StoreError> {
    let first = batch.iter().map(|series| series.first).min().unwrap_or(last);
    let rows = transaction
        .query(OUT_DAYS, &[&ids, &first, &last])
        .await
        .map_err(|error| failed("cannot read the days without stock", error))?;
    let mut out: HashMap<i64, Vec<NaiveDate>> = HashMap::new();
    for row in &rows {
        out.entry(row.get(0)).or_default().push(row.get(1));
    }
    for series in batch {
        let days = series
            .product
            .and_then(|product| out.remove(&product))
            .unwrap_or_default();
        let mut units = series.units.clone();
        for day in days {
            let index = usize::try_from(day.signed_duration_since(series.first).num_days());
            if let Some(day) = index.ok().and_then(|index| units.get_mut(index)) {
                *day = None;
            }
        }
        let sum = |units: &[Option<f64>]| units.iter().flatten().sum::<f64>();
        if sum(&units) * 2.0 >= sum(&series.units) {
            series.units = units;
        }
    }
    Ok(())
}

async fn stocks_of(transaction: &Transaction<'_>, ids: &[i64]) -> Result<HashMap<i64, Stock>, StoreError> {
    let rows = transaction
        .query(STOCKS, &[&ids])
        .await
        .map_err(|error| failed("cannot read what is in stock", error))?;
    Ok(rows
        .iter()
        .map(|row| (row.get(0), (row.get(1), row.get(2))))
        .collect())
}

async fn write(
    transaction: &Transaction<'_>,
    batch: &[Series],
    stocks: &HashMap<i64, Stock>,
    day: NaiveDate,
) -> Result<i64, StoreError> {
    let fail = |error| failed("cannot write marts.demand_forecast", error);
    let (mut text, mut rows) = (String::new(), 0);
    for series in batch {
        let Some(made) = forecast::forecast(&series.units) else {
            continue;
        };
        let stock = series.product.and_then(|product| stocks.get(&product)).copied();
        line(&mut text, series, &made, stock.unwrap_or_default(), day);
        rows += 1;
    }
    let into = transaction
        .copy_in::<_, Bytes>(&format!("COPY marts.demand_forecast ({COLUMNS}) FROM STDIN"))
        .await
        .map_err(fail)?;
    pin_mut!(into);
    into.send(Bytes::from(text)).await.map_err(fail)?;
    into.finish().await.map_err(fail)?;
    Ok(rows)
}

/// One row as COPY reads it. Units have two decimals, errors and shares four.
fn line(text: &mut String, series: &Series, made: &Forecast, stock: Stock, day: NaiveDate) {
    let mut fields = vec![
        series.product.map_or_else(null, |id| id.to_string()),
        escaped(&series.category),
        series.store.to_string(),
        day.to_string(),
        made.days.0.to_string(),
        made.days.1.to_string(),
        made.method.name().to_owned(),
    ];
    for horizon in [FORTNIGHT, HORIZON] {
        let until = made.until.get(horizon - 1);
        fields.push(format!("{:.2}", made.units_until(horizon)));
        for interval in [
            until.and_then(|until| until.within_80),
            until.and_then(|until| until.within_95),
        ] {
            fields.push(number(interval.map(|interval| interval.low), 2));
            fields.push(number(interval.map(|interval| interval.high), 2));
        }
    }
    fields.push(array(made, |until| Some(until.units)));
    let within_80 = |end: fn(Interval) -> f64| move |until: &Until| until.within_80.map(end);
    fields.push(array(made, within_80(|interval| interval.low)));
    fields.push(array(made, within_80(|interval| interval.high)));
    let (chosen, base) = (made.accuracy(made.method), made.accuracy(Method::SeasonalNaive));
    fields.extend([chosen, base].map(|of| number(of.map(|of| of.error), 4)));
    let both = |pick: fn(&Accuracy) -> Option<f64>| [chosen, base].map(|of| number(of.and_then(pick), 4));
    fields.extend(both(|of| of.mase));
    fields.extend(both(|of| of.wape));
    let own: [fn(&Accuracy) -> Option<f64>; 4] = [
        |of| of.bias,
        |of| of.pinball,
        |of| of.coverage_80,
        |of| of.coverage_95,
    ];
    fields.extend(own.map(|pick| number(chosen.and_then(pick), 4)));
    let tried: Vec<String> = made
        .tried
        .iter()
        .map(|(method, accuracy)| format!("\"{}\": {:.4}", method.name(), accuracy.error))
        .collect();
    fields.push(format!("{{{}}}", tried.join(", ")));
    let (available, own) = stock;
    let supply = available.map(|available| Supply::new(made, available));
    let date = |ahead: Option<usize>| {
        let date = ahead.and_then(|ahead| day.checked_add_days(Days::new(ahead as u64)));
        date.map_or_else(null, |date| date.to_string())
    };
    let whole = |value: Option<i64>| value.map_or_else(null, |value| value.to_string());
    fields.push(whole(available));
    fields.push(date(supply.and_then(|supply| supply.used_up)));
    fields.push(date(supply.and_then(|supply| supply.used_up_early)));
    fields.push(whole(supply.and_then(|supply| supply.reorder_point)));
    fields.push(whole(own));
    let _ = writeln!(text, "{}", fields.join("\t"));
}

fn null() -> String {
    "\\N".to_owned()
}

fn number(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(null, |value| format!("{value:.decimals$}"))
}

fn array(made: &Forecast, of: impl Fn(&Until) -> Option<f64>) -> String {
    let values: Vec<String> = made
        .until
        .iter()
        .map(|until| of(until).map_or_else(|| "NULL".to_owned(), |value| format!("{value:.2}")))
        .collect();
    format!("{{{}}}", values.join(","))
}

/// A text as COPY reads it back.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('\t', "\\t")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
}
