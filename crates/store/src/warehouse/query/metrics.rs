//! One metric of the catalogue from its semantic view: for the platform or one store, for a day or a range of days.
//!
//! * `shape` says of each view which of its columns are day, store, key and parts of a ratio.
//!
//! Values are added up by [`instashop_core::catalogue`] alone: where a sum would be a wrong number there is a [`Refusal`]
//! with what to ask instead, before anything is read.

mod shape;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use instashop_core::catalogue::{Metric, NotAdditive, Over, Unit, merged_ratio};
use rust_decimal::Decimal;

use self::shape::{Merge, Shape, Stores};
use super::{Snapshot, WarehouseReader};
use crate::StoreError;

/// Most rows of a semantic view that one answer is made of.
const MOST_ROWS: i64 = 1_000_000;

/// What is asked about a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// The store; `None` is the platform.
    pub store: Option<i64>,
    /// First and last business day, both included; `None` where the metric has no days, and for the running day.
    pub days: Option<(NaiveDate, NaiveDate)>,
    /// Each day on its own instead of one value for all of them.
    pub each_day: bool,
}

/// Why a question has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The warehouse has no view of it.
    #[error("{0} is not kept by the warehouse")]
    NotKept(&'static str),
    /// It has no value for one store.
    #[error("{0} is a number of the platform and has no value for one store")]
    NoStores(&'static str),
    /// It is a level or a window of fixed length.
    #[error("{0} has no days: it is as of now, or of a window that ends now")]
    NoDays(&'static str),
    /// The last day comes before the first.
    #[error("the range ends before it begins")]
    Backwards,
    /// A sum would be a wrong number.
    #[error(transparent)]
    NotAdditive(#[from] NotAdditive),
}

impl Refusal {
    /// What to ask instead, without the metric's id.
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::NotKept(_) => "the dashboard shows what the live flow alone keeps",
            Self::NoStores(_) => "ask without a store",
            Self::NoDays(_) => "ask without days",
            Self::Backwards => "give the first day first",
            Self::NotAdditive(error) => error.advice(),
        }
    }
}

/// A question that has an answer.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    metric: &'static Metric,
    shape: &'static Shape,
    question: Question,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A number in the unit of the metric; shares and rates are fractions of 1.
    Number(Decimal),
    /// A class or state.
    Word(String),
    /// A ratio without anything below the line.
    Nothing,
}

/// A row of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricRow {
    /// The day, when each stands on its own.
    pub day: Option<NaiveDate>,
    /// What it is about, in the order of [`MetricAnswer::keys`]; `None` where the source names nothing.
    pub keys: Vec<Option<String>>,
    /// Its value.
    pub value: Value,
    /// What is below the line of a ratio: the size of the sample.
    pub n: Option<Decimal>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricAnswer {
    /// First and last business day, where the metric has days.
    pub days: Option<(NaiveDate, NaiveDate)>,
    /// Names of what it is broken down by.
    pub keys: &'static [&'static str],
    /// The rows, by day and key.
    pub rows: Vec<MetricRow>,
    /// Newest commit at a source that the warehouse contains.
    pub as_of: Option<DateTime<Utc>>,
}

/// What tells rows of an answer apart.
type RowKey = (Option<NaiveDate>, Vec<Option<String>>);

/// A row of the view.
struct Cell {
    day: Option<NaiveDate>,
    keys: Vec<Option<String>>,
    number: Option<Decimal>,
    word: Option<String>,
    part: Option<Decimal>,
    whole: Option<Decimal>,
}

impl Plan {
    /// Works out whether a question can be answered; nothing is read.
    pub fn new(metric: &'static Metric, question: Question) -> Result<Self, Refusal> {
        let shape = shape::of(metric.id).ok_or(Refusal::NotKept(metric.id))?;
        if question.store.is_some() && shape.stores == Stores::None {
            return Err(Refusal::NoStores(metric.id));
        }
        if shape.day.is_none() && (question.days.is_some() || question.each_day) {
            return Err(Refusal::NoDays(metric.id));
        }
        if question.days.is_some_and(|(first, last)| last < first) {
            return Err(Refusal::Backwards);
        }
        let plan = Self {
            metric,
            shape,
            question,
        };
        if matches!(shape.merge, Merge::Value | Merge::Never) {
            for (is_merged, over) in [
                (plan.merges_days(), Over::Days),
                (plan.merges_stores(), Over::Stores),
            ] {
                if is_merged {
                    metric.may_add_up(over)?;
                }
            }
        }
        Ok(plan)
    }

    /// True when values of several days become one.
    fn merges_days(&self) -> bool {
        !self.question.each_day && self.question.days.is_some_and(|(first, last)| first < last)
    }

    /// True when values of all stores become one.
    fn merges_stores(&self) -> bool {
        self.shape.stores == Stores::Each && self.question.store.is_none()
    }

    /// The rows of the view as rows of the answer.
    fn rows(&self, cells: Vec<Cell>) -> Result<Vec<MetricRow>, NotAdditive> {
        let each_day = self.question.each_day;
        let mut groups: BTreeMap<RowKey, Vec<Cell>> = BTreeMap::new();
        for cell in cells {
            let day = cell.day.filter(|_| each_day);
            groups.entry((day, cell.keys.clone())).or_default().push(cell);
        }
        let mut wholes: BTreeMap<Option<NaiveDate>, Decimal> = BTreeMap::new();
        for ((day, _), cells) in &groups {
            let parts = cells.iter().filter_map(|cell| cell.part);
            let whole = wholes.entry(*day).or_default();
            *whole = parts.fold(*whole, Decimal::saturating_add);
        }
        groups
            .into_iter()
            .map(|((day, keys), cells)| {
                let whole = wholes.get(&day).copied().unwrap_or_default();
                let (value, n) = self.value(cells, whole)?;
                Ok(MetricRow { day, keys, value, n })
            })
            .collect()
    }

    /// One value of the rows with the same key; `whole` is the sum of the parts of all keys.
    fn value(&self, cells: Vec<Cell>, whole: Decimal) -> Result<(Value, Option<Decimal>), NotAdditive> {
        let number =
            |value: Option<Decimal>| value.map_or(Value::Nothing, |value| Value::Number(self.rounded(value)));
        let parts = || {
            cells
                .iter()
                .filter_map(|cell| cell.part.zip(cell.whole))
                .collect::<Vec<_>>()
        };
        Ok(match self.shape.merge {
            Merge::Value if self.merges_days() || self.merges_stores() => {
                let over = if self.merges_days() {
                    Over::Days
                } else {
                    Over::Stores
                };
                let sum = self
                    .metric
                    .add_up(over, cells.iter().filter_map(|cell| cell.number))?;
                (number(Some(sum)), None)
            }
            Merge::Value | Merge::Never => {
                let cell = cells.into_iter().next();
                let value = match cell {
                    Some(Cell { word: Some(word), .. }) => Value::Word(word),
                    other => number(other.and_then(|cell| cell.number)),
                };
                (value, None)
            }
            Merge::Ratio(..) => {
                let parts = parts();
                let n = parts.iter().map(|(_, whole)| *whole).sum();
                (number(merged_ratio(parts)), Some(n))
            }
            Merge::Share(_) => {
                let part = cells.iter().filter_map(|cell| cell.part).sum();
                (number(merged_ratio([(part, whole)])), Some(whole))
            }
        })
    }

    /// Money to the cent, everything else to six places.
    fn rounded(&self, value: Decimal) -> Decimal {
        use rust_decimal::RoundingStrategy::MidpointAwayFromZero;
        if self.metric.unit == Unit::Money {
            let mut value = value.round_dp_with_strategy(2, MidpointAwayFromZero);
            value.rescale(2);
            value
        } else {
            value.round_dp_with_strategy(6, MidpointAwayFromZero).normalize()
        }
    }
}

impl WarehouseReader {
    /// The running business day of the reporting zone.
    pub async fn business_day(&mut self) -> Result<NaiveDate, StoreError> {
        let calendar = self.calendar;
        let snapshot = Snapshot::of(self.client().await?, calendar, Utc::now().into()).await?;
        let rows = snapshot.rows("SELECT c.today FROM core.clock c", &[]).await?;
        rows.first().map(|row| row.get(0)).ok_or_else(|| {
            StoreError::new(
                crate::Kind::Permanent,
                "the warehouse does not know the reporting zone",
            )
            .hint("run `instashop setup`")
        })
    }

    /// Answers a question from the metric's semantic view.
    pub async fn metric(&mut self, plan: &Plan) -> Result<MetricAnswer, StoreError> {
        let today = self.business_day().await?;
        let calendar = self.calendar;
        let snapshot = Snapshot::of(self.client().await?, calendar, Utc::now().into()).await?;
        let Plan {
            metric,
            shape,
            question,
        } = plan;
        let days = shape.day.map(|_| question.days.unwrap_or((today, today)));
        let (first, last) = days.unzip();
        let rows = snapshot
            .rows(
                &shape.sql(metric.id),
                &[&first, &last, &question.store, &MOST_ROWS],
            )
            .await?;
        let cells = rows
            .iter()
            .map(|row| Cell {
                day: row.get(0),
                keys: row.get(1),
                number: row.get(2),
                word: row.get(3),
                part: row.get(4),
                whole: row.get(5),
            })
            .collect();
        let rows = plan.rows(cells).map_err(|refusal| {
            StoreError::new(crate::Kind::Permanent, refusal.to_string()).hint(refusal.advice())
        })?;
        Ok(MetricAnswer {
            days,
            keys: shape.keys,
            rows,
            as_of: snapshot.as_of().await?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn question(store: Option<i64>, days: Option<(&str, &str)>, each_day: bool) -> Question {
        Question {
            store,
            days: days.map(|(first, last)| (day(first), day(last))),
            each_day,
        }
    }

    #[test]
    fn what_is_refused() {
        let range = Some(("2026-03-01", "2026-03-02"));
        let one = Some(("2026-03-01", "2026-03-01"));
        for (id, asked, expected) in [
            ("orders", question(None, range, false), ""),
            ("orders", question(Some(3), range, false), ""),
            ("visitors", question(Some(3), one, false), ""),
            ("visitors", question(None, range, true), ""),
            ("visitors", question(None, range, false), "over days"),
            ("new_buyers", question(None, range, false), ""),
            ("max_order", question(None, range, false), "over days"),
            ("aov", question(None, range, false), ""),
            ("sales_by_category", question(None, range, false), ""),
            ("temporal_pattern", question(Some(3), None, false), ""),
            ("temporal_pattern", question(None, None, false), "ratio"),
            ("critical_products", question(None, None, false), ""),
            ("revenue_total", question(None, range, false), "no days"),
            ("revenue_total", question(None, None, true), "no days"),
            (
                "cohorts",
                question(Some(3), None, false),
                "no value for one store",
            ),
            ("demand_forecast", question(Some(3), None, false), ""),
            ("demand_forecast", question(None, range, false), "no days"),
            ("last_paid_age", question(None, None, false), "not kept"),
            (
                "orders",
                question(None, Some(("2026-03-02", "2026-03-01")), false),
                "before it begins",
            ),
        ] {
            let refusal = Plan::new(Metric::by_id(id).unwrap(), asked).err();
            let said = refusal.map(|refusal| refusal.to_string()).unwrap_or_default();
            assert!(
                said.contains(expected) && said.is_empty() == expected.is_empty(),
                "{id} {asked:?}: {said:?}"
            );
            assert!(refusal.is_none_or(|refusal| !refusal.advice().is_empty()));
        }
    }

    #[test]
    fn shares_and_ratios_of_several_rows() {
        let cell = |day: &str, key: &str, part: i64, whole: i64| Cell {
            day: Some(self::day(day)),
            keys: vec![Some(key.into())],
            number: None,
            word: None,
            part: Some(part.into()),
            whole: Some(whole.into()),
        };
        let cells = || {
            vec![
                cell("2026-03-01", "a", 3, 4),
                cell("2026-03-02", "a", 1, 4),
                cell("2026-03-01", "b", 1, 2),
            ]
        };
        let values = |id: &str, each_day: bool| -> Vec<String> {
            let asked = question(None, Some(("2026-03-01", "2026-03-02")), each_day);
            let plan = Plan::new(Metric::by_id(id).unwrap(), asked).unwrap();
            let rows = plan.rows(cells()).unwrap();
            rows.into_iter()
                .map(|row| match row.value {
                    Value::Number(value) => format!("{value} of {}", row.n.unwrap()),
                    other => format!("{other:?}"),
                })
                .collect()
        };
        assert_eq!(values("payment_mix", false), ["0.8 of 5", "0.2 of 5"]);
        assert_eq!(values("payment_mix", true), ["0.75 of 4", "0.25 of 4", "1 of 1"]);
        assert_eq!(values("payment_success", false), ["0.5 of 8", "0.5 of 2"]);
    }
}
