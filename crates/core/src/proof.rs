//! Comparing two sides key by key, and the lines of a proof (docs: reliability 6).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

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
}
