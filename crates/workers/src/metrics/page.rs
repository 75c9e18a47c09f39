use std::fmt::Write as _;

use instashop_core::catalogue::{Metric, Unit};
use instashop_store::warehouse::{MetricAnswer, MetricRow, Value};
use rust_decimal::Decimal;

use super::groups;
use crate::cli::output::clean;

/// What is written for nothing.
const NOTHING: &str = "—";

/// All metrics, group by group.
pub(super) fn list() -> String {
    let mut page = String::new();
    for (group, metrics) in groups() {
        let _ = writeln!(page, "{}", group.name().en);
        for metric in metrics {
            let adds = match (metric.adds.over_time(), metric.adds.over_stores()) {
                (true, true) => "days stores",
                (true, false) => "days",
                (false, true) => "stores",
                (false, false) => NOTHING,
            };
            let unit = metric.unit.name().en;
            let _ = writeln!(
                page,
                "  {:<20} {unit:<16} {adds:<12} {}",
                metric.id, metric.name.en
            );
        }
        page.push('\n');
    }
    page.push_str("Columns: id, unit, what its values may be added up over, name. `instashop metrics show ID` says what one means.\n");
    page
}

/// What a metric means.
pub(super) fn definition(metric: &Metric) -> String {
    let mut page = format!("{}  {} / {}\n", metric.id, metric.name.en, metric.name.es);
    let mut paragraph = |name: &str, en: &str, es: &str| {
        let _ = writeln!(page, "\n{name}\n  en  {en}\n  es  {es}");
    };
    paragraph("What it says", metric.what.en, metric.what.es);
    paragraph("Formula", &metric.formula.en(), &metric.formula.es());
    for note in metric.notes {
        paragraph("To know", note.en, note.es);
    }
    let (unit, adds) = (metric.unit.name(), metric.adds.sentence());
    paragraph("Unit", unit.en, unit.es);
    paragraph("Adding up", adds.en, adds.es);
    paragraph("Small samples", &metric.small.en(), &metric.small.es());
    for (name, text) in [
        ("Freshness", metric.fresh.sentence()),
        ("Kept by", metric.kept.sentence()),
        ("Computed for", metric.scope.sentence()),
        ("Exactness", metric.trust.sentence()),
    ] {
        paragraph(name, text.en, text.es);
    }
    page
}

/// The value of a metric.
pub(super) fn answer(metric: &Metric, store: Option<i64>, answer: &MetricAnswer, currency: &str) -> String {
    let whose = store.map_or_else(|| "platform".to_owned(), |store| format!("store {store}"));
    let days = answer.days.map_or_else(String::new, |(first, last)| {
        if first == last {
            format!(", {first}")
        } else {
            format!(", {first} to {last}")
        }
    });
    let unit = match metric.unit {
        Unit::Money => currency,
        other => other.name().en,
    };
    let as_of = answer.as_of.map_or_else(
        || "nothing yet".to_owned(),
        |at| at.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
    );
    let mut page = format!("{} in {unit}: {whose}{days}; {as_of}\n", metric.name.en);
    if answer.rows.is_empty() {
        page.push_str("no rows: nothing happened, or it was before the first captured day\n");
        return page;
    }
    let has_days = answer.rows.iter().any(|row| row.day.is_some());
    let has_n = answer.rows.iter().any(|row| row.n.is_some());
    let mut table: Vec<Vec<String>> = Vec::with_capacity(answer.rows.len() + 1);
    let mut heads: Vec<String> = has_days.then(|| "day".to_owned()).into_iter().collect();
    heads.extend(answer.keys.iter().map(|key| (*key).to_owned()));
    heads.push(metric.id.to_owned());
    heads.extend(has_n.then(|| "n".to_owned()));
    table.push(heads);
    for row in &answer.rows {
        let mut cells: Vec<String> = row.day.map(|day| day.to_string()).into_iter().collect();
        cells.extend(
            row.keys
                .iter()
                .map(|key| key.as_deref().map_or_else(|| NOTHING.to_owned(), clean)),
        );
        cells.push(shown(row, metric.unit));
        cells.extend(row.n.filter(|_| has_n).map(|n| n.normalize().to_string()));
        table.push(cells);
    }
    draw(&table, usize::from(has_days) + answer.keys.len(), &mut page);
    page
}

/// A value as people read it; shares in per cent.
fn shown(row: &MetricRow, unit: Unit) -> String {
    match &row.value {
        Value::Number(number) if unit == Unit::Percent => {
            let percent = number
                .saturating_mul(Decimal::ONE_HUNDRED)
                .round_dp_with_strategy(2, rust_decimal::RoundingStrategy::MidpointAwayFromZero);
            format!("{percent:.2}")
        }
        Value::Number(number) => number.to_string(),
        Value::Word(word) => clean(word),
        Value::Nothing => NOTHING.to_owned(),
    }
}

/// Columns of equal width: the first ones to the left, numbers to the right.
fn draw(table: &[Vec<String>], left: usize, page: &mut String) {
    let columns = table.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            let lengths = table
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count());
            lengths.max().unwrap_or(0)
        })
        .collect();
    for row in table {
        let cells = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, width))| {
                if column < left {
                    format!("{cell:<width$}")
                } else {
                    format!("{cell:>width$}")
                }
            });
        let line: Vec<String> = cells.collect();
        page.push_str(line.join("  ").trim_end());
        page.push('\n');
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn row(day: Option<&str>, key: Option<&str>, value: Value, n: Option<i64>) -> MetricRow {
        MetricRow {
            day: day.map(|day| day.parse().unwrap()),
            keys: vec![key.map(Into::into)],
            value,
            n: n.map(Into::into),
        }
    }

    pub(crate) fn answer() -> MetricAnswer {
        let share = |text: &str| Value::Number(text.parse().unwrap());
        MetricAnswer {
            days: Some(("2026-03-01".parse().unwrap(), "2026-03-02".parse().unwrap())),
            keys: &["payment_method"],
            rows: vec![
                row(
                    Some("2026-03-01"),
                    Some("credit_card"),
                    share("0.666667"),
                    Some(3),
                ),
                row(
                    Some("2026-03-01"),
                    Some("odd\u{1b}[31m"),
                    share("0.333333"),
                    Some(3),
                ),
                row(Some("2026-03-02"), None, Value::Nothing, Some(0)),
            ],
            as_of: Some("2026-03-02T10:11:12Z".parse().unwrap()),
        }
    }

    #[test]
    fn pages() {
        insta::assert_snapshot!("list", list());
        insta::assert_snapshot!("definition", definition(Metric::by_id("aov").unwrap()));
        let mix = Metric::by_id("payment_mix").unwrap();
        insta::assert_snapshot!("answer", super::answer(mix, Some(3), &answer(), "USD"));
        let revenue = Metric::by_id("revenue_total").unwrap();
        let one = MetricAnswer {
            days: None,
            keys: &[],
            rows: vec![MetricRow {
                day: None,
                keys: Vec::new(),
                value: Value::Number("1234.50".parse().unwrap()),
                n: None,
            }],
            as_of: None,
        };
        insta::assert_snapshot!("answer_one", super::answer(revenue, None, &one, "USD"));
        let none = MetricAnswer {
            rows: Vec::new(),
            ..one
        };
        insta::assert_snapshot!("answer_none", super::answer(revenue, None, &none, "USD"));
    }
}
