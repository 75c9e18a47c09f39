//! Comparing two sides key by key, and the lines of a proof (docs: reliability 6).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use crate::live::Figure;

/// Differing keys that are named; more are only counted.
pub const NAMED: usize = 10;

/// What differs between two sides.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// Keys with another value, or on one side only.
    pub count: i64,
    /// The first [`NAMED`] of them with both values, in the order of the keys.
    pub named: Vec<String>,
}

/// Compares every key, both ways. `sides` are the names of the two, for the texts.
pub fn compare<K, V>(sides: [&str; 2], left: &BTreeMap<K, V>, right: &BTreeMap<K, V>) -> Difference
where
    K: Ord + Display,
    V: PartialEq + Display,
{
    let mut difference = Difference::default();
    for key in left.keys().chain(right.keys()).collect::<BTreeSet<_>>() {
        let (one, other) = (left.get(key), right.get(key));
        if one == other {
            continue;
        }
        difference.count += 1;
        if difference.named.len() < NAMED {
            let text = |value: Option<&V>| value.map_or_else(|| "nothing".to_owned(), ToString::to_string);
            difference.named.push(format!(
                "{key}: {} {}, {} {}",
                sides[0],
                text(one),
                sides[1],
                text(other)
            ));
        }
    }
    difference
}

/// Figures that make one line of a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Revenue by day.
    Revenue,
    /// Orders by day and class, and sales without lines.
    Orders,
    /// Distinct buyers by day.
    Buyers,
    /// Payment methods by day.
    Payments,
    /// Categories by day, to the allocated cent.
    Categories,
    /// Products by day, to the allocated cent.
    Products,
    /// Behaviour by day and type.
    Behaviour,
    /// Rows that belong to no day.
    Undated,
}

impl Group {
    /// All groups, in the order of the lines.
    pub const ALL: [Self; 8] = [
        Self::Revenue,
        Self::Orders,
        Self::Buyers,
        Self::Payments,
        Self::Categories,
        Self::Products,
        Self::Behaviour,
        Self::Undated,
    ];

    /// The group of a figure; `None` for row counts, which stand in the lines of the tables.
    pub fn of(figure: &Figure) -> Option<Self> {
        Some(match figure.name {
            "revenue_cents" => Self::Revenue,
            "buyers" => Self::Buyers,
            "undated" => Self::Undated,
            "rows" => return None,
            name if name.starts_with("payment.") => Self::Payments,
            name if name.starts_with("category.") => Self::Categories,
            name if name.starts_with("product.") => Self::Products,
            name if name.starts_with("behaviour.") => Self::Behaviour,
            _ => Self::Orders,
        })
    }

    /// Name of the line.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Revenue => "revenue by day",
            Self::Orders => "orders by day",
            Self::Buyers => "buyers by day",
            Self::Payments => "payments by day",
            Self::Categories => "categories by day",
            Self::Products => "products by day",
            Self::Behaviour => "behaviour by day",
            Self::Undated => "rows without a day",
        }
    }

    /// True when the value of the line is an amount in cents.
    pub const fn is_money(self) -> bool {
        matches!(
            self,
            Self::Revenue | Self::Payments | Self::Categories | Self::Products
        )
    }

    /// The figures of this group.
    pub fn only(self, figures: &BTreeMap<Figure, i64>) -> BTreeMap<&Figure, i64> {
        figures
            .iter()
            .filter(|(figure, _)| Self::of(figure) == Some(self))
            .map(|(figure, value)| (figure, *value))
            .collect()
    }

    /// The value of the line: the sum over all days of the group's leading figure.
    pub fn sum(self, figures: &BTreeMap<Figure, i64>) -> i128 {
        let leading = match self {
            Self::Revenue => "revenue_cents",
            Self::Orders => "orders",
            Self::Buyers => "buyers",
            Self::Payments => "payment.revenue_cents",
            Self::Categories => "category.revenue_cents",
            Self::Products => "product.revenue_cents",
            Self::Behaviour => "behaviour.events",
            Self::Undated => "undated",
        };
        figures
            .iter()
            .filter(|(figure, _)| figure.name == leading)
            .map(|(_, value)| i128::from(*value))
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_and_only_what_differs() {
        let left = BTreeMap::from([("a", 1), ("b", 2), ("c", 3)]);
        let right = BTreeMap::from([("b", 2), ("c", 4), ("d", 5)]);
        let difference = compare(["source", "warehouse"], &left, &right);
        assert_eq!(difference.count, 3);
        assert_eq!(
            difference.named,
            [
                "a: source 1, warehouse nothing",
                "c: source 3, warehouse 4",
                "d: source nothing, warehouse 5"
            ]
        );
        assert_eq!(compare(["a", "b"], &left, &left), Difference::default());
    }

    #[test]
    fn many_differences_are_counted_and_some_named() {
        let left: BTreeMap<i32, i32> = (0..1000).map(|key| (key, key)).collect();
        let difference = compare(["a", "b"], &left, &BTreeMap::new());
        assert_eq!(difference.count, 1000);
        assert_eq!(difference.named.len(), NAMED);
    }

    #[test]
    fn every_figure_is_in_one_group_and_row_counts_in_none() {
        let figure = |name| Figure {
            day: None,
            name,
            dimension: String::new(),
        };
        let cases = [
            ("revenue_cents", Some(Group::Revenue)),
            ("orders", Some(Group::Orders)),
            ("cancelled", Some(Group::Orders)),
            ("orders_without_lines", Some(Group::Orders)),
            ("payment.failed", Some(Group::Payments)),
            ("category.units", Some(Group::Categories)),
            ("product.lines", Some(Group::Products)),
            ("behaviour.actors", Some(Group::Behaviour)),
            ("undated", Some(Group::Undated)),
            ("rows", None),
        ];
        for (name, group) in cases {
            assert_eq!(Group::of(&figure(name)), group, "{name}");
        }
        let figures = BTreeMap::from([
            (figure("category.revenue_cents"), 500),
            (figure("category.units"), 7),
            (figure("revenue_cents"), 500),
        ]);
        assert_eq!(Group::Categories.sum(&figures), 500);
        assert_eq!(Group::Categories.only(&figures).len(), 2);
    }
}
