//! The complete days of a range, and the days before it.

use chrono::{Days, NaiveDate};
use instashop_core::view::{CategorySales, OrderRow, SalesView, Totals};

use crate::app::Order;
use crate::text::clean;

/// Categories that stand for a hole in the data, kept out of the ranking and shown in the last line.
pub const HOLES: [&str; 2] = ["unclassified", "unattributed"];

/// Categories whose name holds a text, in an order; the holes are left out.
pub fn ranked<'c>(categories: &'c [CategorySales], find: &str, order: Order) -> Vec<&'c CategorySales> {
    let find = find.to_lowercase();
    let named = categories.iter().filter(|row| {
        !HOLES.contains(&row.category.as_str()) && clean(&row.category).to_lowercase().contains(&find)
    });
    let mut rows: Vec<&CategorySales> = named.collect();
    rows.sort_by(|a, b| {
        let by = match order.column {
            0 => b.revenue_cents.cmp(&a.revenue_cents),
            1 => b.units.cmp(&a.units),
            2 => a.category.cmp(&b.category),
            _ => b.orders.cmp(&a.orders),
        };
        by.then_with(|| b.revenue_cents.cmp(&a.revenue_cents))
            .then_with(|| a.category.cmp(&b.category))
    });
    if order.reversed {
        rows.reverse();
    }
    rows
}

/// The latest orders with a text in their number, store, method or class.
pub fn latest<'v>(view: &'v SalesView, find: &str) -> Vec<&'v OrderRow> {
    let find = find.to_lowercase();
    let holds = |text: &str| clean(text).to_lowercase().contains(&find);
    let rows = view.latest.iter().filter(|order| {
        let spoken = order.method.replace('_', " ");
        let number = order.order_id.to_string();
        [&number, &order.store, &spoken, &order.class]
            .into_iter()
            .any(|text| holds(text))
    });
    rows.collect()
}

/// A range of complete days with its sums.
#[derive(Debug, Clone, PartialEq)]
pub struct Span<'v> {
    /// Its days, oldest first; today is not one of them.
    pub days: &'v [(NaiveDate, Totals)],
    /// Its sums.
    pub totals: Totals,
    /// Its reversals by the day they happened, negative cents.
    pub reversals: i64,
    /// The days before it, as many, oldest first.
    pub days_before: &'v [(NaiveDate, Totals)],
    /// Sums and reversals of the period before; `None` when it began before the first day with an order.
    pub before: Option<(Totals, i64)>,
    /// Sums of today so far.
    pub today: Totals,
}

impl<'v> Span<'v> {
    /// The last `days` complete days of a view and the period before them.
    pub fn of(view: &'v SalesView, days: u32) -> Self {
        let length = u64::from(days);
        let start = view
            .today
            .checked_sub_days(Days::new(length))
            .unwrap_or(NaiveDate::MIN);
        let start_before = start
            .checked_sub_days(Days::new(length))
            .unwrap_or(NaiveDate::MIN);
        let at = |day: NaiveDate| view.days.partition_point(|(date, _)| *date < day);
        let (from_before, from, to) = (at(start_before), at(start), at(view.today));
        let sum = |days: &[(NaiveDate, Totals)]| {
            days.iter()
                .fold(Totals::default(), |sum, (_, day)| sum.plus(*day))
        };
        let reversed = |from: NaiveDate, to: NaiveDate| -> i64 {
            let inside = view.reversals.iter().filter(|(day, _)| *day >= from && *day < to);
            inside.map(|(_, cents)| *cents).sum()
        };
        let (days_before, days) = (&view.days[from_before..from], &view.days[from..to]);
        let honest = view.first_day.is_some_and(|first| first <= start_before) && !days_before.is_empty();
        Self {
            days,
            totals: sum(days),
            reversals: reversed(start, view.today),
            days_before,
            before: honest.then(|| (sum(days_before), reversed(start_before, start))),
            today: view.days[to..]
                .first()
                .map_or_else(Totals::default, |(_, totals)| *totals),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(number: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 8, number).unwrap()
    }

    fn view(first: u32) -> SalesView {
        let days = (1..=7).map(|number| {
            let totals = Totals {
                revenue_cents: i64::from(number),
                ..Totals::default()
            };
            (day(number), totals)
        });
        SalesView {
            today: day(7),
            first_day: Some(day(first)),
            days: days.collect(),
            reversals: vec![(day(3), -10), (day(6), -1), (day(7), -100)],
            ..SalesView::default()
        }
    }

    #[test]
    fn complete_days_and_the_period_before() {
        let view = view(1);
        let span = Span::of(&view, 3);
        assert_eq!(span.totals.revenue_cents, 4 + 5 + 6, "today is not complete");
        assert_eq!(span.reversals, -1);
        assert_eq!(span.today.revenue_cents, 7);
        let (before, reversals) = span.before.unwrap();
        assert_eq!((before.revenue_cents, reversals), (1 + 2 + 3, -10));
    }

    #[test]
    fn a_period_before_the_first_day_is_no_base() {
        let late = view(2);
        assert_eq!(Span::of(&late, 3).before, None);
        let empty = SalesView::default();
        let span = Span::of(&empty, 30);
        assert_eq!((span.totals, span.before), (Totals::default(), None));
    }
}
