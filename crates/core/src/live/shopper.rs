//! The days a buyer bought on, at each store.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use super::state::{BrokenState, StateId};
use crate::contribution::Scope;

/// A buyer's sales by store and business day, gathered from their orders: what is needed to know on which days they count
/// as new, as coming back and as active, also after an order is deleted or moved (docs: kpis 2.4).
///
/// Written as `[[store, [[days since the common era, sales], ..]], ..]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "ShopperBody", into = "ShopperBody")]
pub struct Shopper {
    /// Number of sales by store and day; none is zero, no store is empty.
    pub stores: BTreeMap<i64, BTreeMap<NaiveDate, u32>>,
}

type ShopperBody = Vec<(i64, Vec<(i32, u32)>)>;

impl From<ShopperBody> for Shopper {
    fn from(body: ShopperBody) -> Self {
        let days = |days: Vec<(i32, u32)>| {
            days.into_iter()
                .filter_map(|(day, sales)| Some((NaiveDate::from_num_days_from_ce_opt(day)?, sales)))
                .collect()
        };
        Self {
            stores: body.into_iter().map(|(store, of)| (store, days(of))).collect(),
        }
    }
}

impl From<Shopper> for ShopperBody {
    fn from(shopper: Shopper) -> Self {
        let days = |days: BTreeMap<NaiveDate, u32>| {
            days.into_iter()
                .map(|(day, sales)| (day.num_days_from_ce(), sales))
                .collect()
        };
        shopper
            .stores
            .into_iter()
            .map(|(store, of)| (store, days(of)))
            .collect()
    }
}

/// A sale as its buyer remembers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sale {
    pub(super) buyer: i64,
    pub(super) store: i64,
    pub(super) day: NaiveDate,
}

impl Shopper {
    /// True when no sale is left.
    pub fn is_empty(&self) -> bool {
        self.stores.is_empty()
    }

    /// Number of sales by day on the platform and at each store: what they contribute.
    pub(super) fn scopes(&self) -> BTreeMap<Scope, Cow<'_, BTreeMap<NaiveDate, u32>>> {
        let mut everywhere: BTreeMap<NaiveDate, u32> = BTreeMap::new();
        for (day, sales) in self.stores.values().flatten() {
            *everywhere.entry(*day).or_default() += sales;
        }
        let stores = self.stores.iter();
        let mut scopes: BTreeMap<_, _> = stores
            .map(|(store, days)| (Scope::Store(*store), Cow::Borrowed(days)))
            .collect();
        scopes.insert(Scope::Platform, Cow::Owned(everywhere));
        scopes
    }

    pub(super) fn add(&mut self, sale: Sale) {
        *self
            .stores
            .entry(sale.store)
            .or_default()
            .entry(sale.day)
            .or_default() += 1;
    }

    /// Forgets the days before `since` but for the first at each store, which says that the buyer is not new.
    pub(super) fn forget_before(&mut self, since: NaiveDate) {
        for days in self.stores.values_mut() {
            let first = days.keys().next().copied();
            days.retain(|day, _| *day >= since || Some(*day) == first);
        }
    }

    pub(super) fn remove(&mut self, sale: Sale) -> Result<(), BrokenState> {
        let lost = || BrokenState::LostPart {
            what: format!("a sale of {} at store {}", sale.day, sale.store),
            holder: StateId::Shopper(sale.buyer),
        };
        let days = self.stores.get_mut(&sale.store).ok_or_else(lost)?;
        let sales = days.get_mut(&sale.day).ok_or_else(lost)?;
        *sales -= 1;
        if *sales == 0 {
            days.remove(&sale.day);
        }
        if days.is_empty() {
            self.stores.remove(&sale.store);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shopper_forgets_old_days_but_for_the_first() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let sale = |of: &str| Sale {
            buyer: 1,
            store: 3,
            day: day(of),
        };
        let mut shopper = Shopper::default();
        for of in ["2026-08-01", "2026-08-03", "2026-08-20", "2026-08-20"] {
            shopper.add(sale(of));
        }
        shopper.forget_before(day("2026-08-10"));
        let held = |shopper: &Shopper| -> Vec<(String, u32)> {
            let days = shopper.stores[&3].iter();
            days.map(|(day, sales)| (day.to_string(), *sales)).collect()
        };
        let expected = [("2026-08-01", 1), ("2026-08-20", 2)].map(|(day, sales)| (day.to_owned(), sales));
        assert_eq!(held(&shopper), expected);
    }

    #[test]
    fn a_shopper_is_a_short_array_and_forgets_what_was_taken_back() {
        let sale = |store, day: &str| Sale {
            buyer: 1,
            store,
            day: day.parse().unwrap(),
        };
        let mut shopper = Shopper::default();
        for sale in [
            sale(3, "2026-08-21"),
            sale(3, "2026-08-21"),
            sale(4, "2026-08-20"),
        ] {
            shopper.add(sale);
        }
        let body = serde_json::to_string(&shopper).unwrap();
        assert_eq!(body, "[[3,[[739849,2]]],[4,[[739848,1]]]]");
        assert_eq!(serde_json::from_str::<Shopper>(&body).unwrap(), shopper);
        for sale in [
            sale(3, "2026-08-21"),
            sale(4, "2026-08-20"),
            sale(3, "2026-08-21"),
        ] {
            shopper.remove(sale).unwrap();
        }
        assert!(shopper.is_empty());
        assert!(
            shopper.remove(sale(3, "2026-08-21")).is_err(),
            "it is not there any more"
        );
    }
}
