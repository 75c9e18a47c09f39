//! Reads the fields of hashes back into numbers with names.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use instashop_core::view::{BehaviourCount, CategorySales, PaymentMethod, Totals};

use super::keys;

/// A hash of numbers as Redis returned it.
pub(super) type Numbers = HashMap<String, i64>;

/// Adds one headline sum by its field name; false for other names.
pub(super) fn add_total(totals: &mut Totals, name: &str, value: i64) -> bool {
    let into = match name {
        "rev" => &mut totals.revenue_cents,
        "orders" => &mut totals.orders,
        "open" => &mut totals.open,
        "failed" => &mut totals.failed,
        "cancelled" => &mut totals.cancelled,
        "reversed" => &mut totals.reversed,
        "unmapped" => &mut totals.unmapped,
        _ => return false,
    };
    *into += value;
    true
}

/// Sums of every day, and distinct buyers of every day.
pub(super) fn days(daily: &Numbers) -> (BTreeMap<NaiveDate, Totals>, BTreeMap<NaiveDate, i64>) {
    let mut days: BTreeMap<NaiveDate, Totals> = BTreeMap::new();
    let mut buyers = BTreeMap::new();
    for (field, value) in daily {
        let Some((day, name)) = field.split_once('|') else {
            continue;
        };
        let Some(day) = keys::parse_day(day) else { continue };
        let mut totals = Totals::default();
        if name == keys::BUYERS {
            buyers.insert(day, *value);
        } else if add_total(&mut totals, name, *value) {
            let sum = days.entry(day).or_default();
            *sum = sum.plus(totals);
        }
    }
    (days, buyers)
}

/// Days with behaviour events.
pub(super) fn event_days(daily: &Numbers) -> BTreeSet<NaiveDate> {
    daily
        .keys()
        .filter_map(|field| field.split_once('|'))
        .filter(|(_, name)| *name == keys::EVENTS)
        .filter_map(|(day, _)| keys::parse_day(day))
        .collect()
}

/// Sums by the number in front of the field: hours, minutes or half minutes.
pub(super) fn slots(hash: &Numbers) -> BTreeMap<u32, Totals> {
    let mut slots: BTreeMap<u32, Totals> = BTreeMap::new();
    for (field, value) in hash {
        let Some((slot, name)) = field.split_once('|') else {
            continue;
        };
        if let Ok(slot) = slot.parse() {
            let mut totals = Totals::default();
            if add_total(&mut totals, name, *value) {
                let sum = slots.entry(slot).or_default();
                *sum = sum.plus(totals);
            }
        }
    }
    slots
}

/// Minutes of the hour and methods with a paid order.
pub(super) fn paid(hash: &Numbers) -> impl Iterator<Item = (i64, &str)> {
    hash.iter()
        .filter(|(_, orders)| **orders > 0)
        .filter_map(|(field, _)| {
            let mut parts = field.splitn(3, '|');
            let (Some(slot), Some(keys::PAID), Some(method)) = (parts.next(), parts.next(), parts.next())
            else {
                return None;
            };
            Some((slot.parse().ok()?, method))
        })
}

/// Payment outcomes, most paid orders first.
pub(super) fn payments(sums: &Numbers) -> Vec<PaymentMethod> {
    let mut methods: BTreeMap<&str, PaymentMethod> = BTreeMap::new();
    for (field, value) in sums {
        let mut parts = field.splitn(3, '|');
        let (Some(keys::PAY), Some(name), Some(method)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let entry = methods.entry(method).or_insert_with(|| PaymentMethod {
            method: method.to_owned(),
            paid: 0,
            failed: 0,
            open: 0,
            revenue_cents: 0,
        });
        match name {
            "paid" => entry.paid = *value,
            "failed" => entry.failed = *value,
            "open" => entry.open = *value,
            "rev" => entry.revenue_cents = *value,
            _ => {}
        }
    }
    let mut methods: Vec<_> = methods.into_values().collect();
    methods.sort_by(|a, b| b.paid.cmp(&a.paid).then_with(|| a.method.cmp(&b.method)));
    methods
}

/// Behaviour by type, most events first.
pub(super) fn behaviour(sums: &Numbers) -> Vec<BehaviourCount> {
    let mut kinds: BTreeMap<&str, BehaviourCount> = BTreeMap::new();
    for (field, value) in sums {
        let Some((name, kind)) = field.split_once('|') else {
            continue;
        };
        if ![keys::EVENTS, keys::SESSIONS, keys::ACTORS].contains(&name) {
            continue;
        }
        let entry = kinds.entry(kind).or_insert_with(|| BehaviourCount {
            event_type: kind.to_owned(),
            events: 0,
            sessions: 0,
            actors: 0,
        });
        match name {
            keys::EVENTS => entry.events = *value,
            keys::SESSIONS => entry.sessions = *value,
            _ => entry.actors = *value,
        }
    }
    let mut kinds: Vec<_> = kinds.into_values().collect();
    kinds.sort_by(|a, b| {
        b.events
            .cmp(&a.events)
            .then_with(|| a.event_type.cmp(&b.event_type))
    });
    kinds
}

/// Sums of a category on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct CategorySums {
    pub(super) revenue_cents: i64,
    pub(super) units: i64,
    pub(super) lines: i64,
    pub(super) products: i64,
}

/// Sums by category.
pub(super) fn categories(hash: &Numbers) -> BTreeMap<String, CategorySums> {
    let mut found: BTreeMap<String, CategorySums> = BTreeMap::new();
    for (field, value) in hash {
        let Some((name, category)) = field.split_once('|') else {
            continue;
        };
        let sums = found.entry(category.to_owned()).or_default();
        match name {
            keys::REVENUE => sums.revenue_cents = *value,
            keys::UNITS => sums.units = *value,
            keys::LINES => sums.lines = *value,
            keys::PRODUCTS => sums.products = *value,
            _ => {}
        }
    }
    found.retain(|_, sums| *sums != CategorySums::default());
    found
}

/// Categories as a screen lists them, largest revenue first.
pub(super) fn category_list(hash: &Numbers) -> Vec<CategorySales> {
    let mut list: Vec<_> = categories(hash)
        .into_iter()
        .map(|(category, sums)| CategorySales {
            category,
            revenue_cents: sums.revenue_cents,
            units: sums.units,
            orders: None,
        })
        .collect();
    list.sort_by(|a, b| {
        b.revenue_cents
            .cmp(&a.revenue_cents)
            .then_with(|| a.category.cmp(&b.category))
    });
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(pairs: &[(&str, i64)]) -> Numbers {
        pairs
            .iter()
            .map(|(field, value)| ((*field).to_owned(), *value))
            .collect()
    }

    #[test]
    fn free_text_may_hold_the_separator() {
        let sums = hash(&[
            ("pay|paid|a|b", 2),
            ("pay|rev|a|b", 500),
            ("events|x|y", 3),
            ("sessions|x|y", 1),
        ]);
        assert_eq!(payments(&sums)[0].method, "a|b");
        assert_eq!(payments(&sums)[0].revenue_cents, 500);
        assert_eq!(behaviour(&sums)[0].event_type, "x|y");
        let list = category_list(&hash(&[
            ("rev|A|B", 7),
            ("lines|A|B", 1),
            ("rev|C", 9),
            ("lines|C", 1),
        ]));
        let names: Vec<_> = list.iter().map(|entry| entry.category.as_str()).collect();
        assert_eq!(names, ["C", "A|B"]);
    }

    #[test]
    fn slots_and_days_ignore_what_they_do_not_know() {
        let minutes = slots(&hash(&[("07|rev", 5), ("07|orders", 1), ("07|events|search", 9)]));
        assert_eq!(minutes[&7].revenue_cents, 5);
        assert_eq!(minutes.len(), 1);
        let (sums, buyers) = days(&hash(&[("20260821|rev", 5), ("20260821|buyers", 2), ("x", 1)]));
        assert_eq!(sums.len(), 1);
        assert_eq!(buyers.values().copied().collect::<Vec<_>>(), [2]);
    }
}
