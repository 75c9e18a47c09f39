//! The currencies of products, and what an order is converted from.
//!
//! An order's currency is that of its products, whose rows come on another topic in any order. The order's state keeps the
//! currency and the rate it was converted with. When a product's currency turns out to be another, its orders have to be
//! computed again; which they are is found by looking at all of them in the background, since it hardly ever happens and
//! a list for each product would cost more than the orders themselves.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::state::{BrokenState, StateId, Stored};
use super::work::{Slots, Work, open};
use crate::config::Meaning;
use crate::contribution::{Bucket, Calendar};
use crate::order::{Foreign, Order};

/// What is known of a product's currency. Apart from the product's own state: orders are compared with it in every batch,
/// and stock changes with every sale.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Tender {
    /// Nobody asked and no product row came.
    #[default]
    Unheard,
    /// Orders hold the product, whose row has not come. Written `?`.
    Awaited,
    /// The same, and one of them holds a product in another currency. Written `?!`.
    AwaitedBesideForeign,
    /// The product's currency; empty when it names none. Written as it is, `-` for none.
    Known(String),
}

impl From<String> for Tender {
    fn from(text: String) -> Self {
        match text.as_str() {
            "" => Self::Unheard,
            "?" => Self::Awaited,
            "?!" => Self::AwaitedBesideForeign,
            "-" => Self::Known(String::new()),
            _ => Self::Known(text),
        }
    }
}

impl From<Tender> for String {
    fn from(tender: Tender) -> Self {
        match tender {
            Tender::Unheard => Self::new(),
            Tender::Awaited => "?".into(),
            Tender::AwaitedBesideForeign => "?!".into(),
            Tender::Known(code) if code.is_empty() => "-".into(),
            Tender::Known(code) => code,
        }
    }
}

impl Tender {
    /// True when there is nothing to remember.
    pub fn is_empty(&self) -> bool {
        *self == Self::Unheard
    }

    fn code(&self) -> Option<&str> {
        match self {
            Self::Known(code) if !code.is_empty() => Some(code),
            _ => None,
        }
    }
}

/// The tenders that the changed rows of a batch need: of products that changed, and of products in orders that did.
pub(super) fn wanted(work: &Work) -> impl Iterator<Item = StateId> {
    let products = work
        .products
        .iter()
        .filter(|(_, slot)| slot.old.row() != slot.new.row());
    let orders = work
        .orders
        .values()
        .filter(|slot| needs_rate(slot.touched, &slot.old, &slot.new));
    let lines = orders.flat_map(|slot| slot.new.lines.values().filter_map(|line| line.product));
    products.map(|(id, _)| *id).chain(lines).map(StateId::Tender)
}

fn needs_rate(touched: bool, old: &Order, new: &Order) -> bool {
    new.live_header().is_some() && (touched || old != new)
}

/// Notes the currencies of changed products; gives the products whose orders have to be computed again.
pub(super) fn of_products(
    work: &mut Work,
    read: &BTreeMap<StateId, Stored>,
    meaning: &Meaning,
) -> Result<Vec<i64>, BrokenState> {
    let mut again = Vec::new();
    for (id, slot) in &work.products {
        let Some(row) = slot.new.row().filter(|_| slot.old.row() != slot.new.row()) else {
            continue;
        };
        let tender = open(&mut work.tenders, read, StateId::Tender(*id))?;
        let new = Tender::Known(row.currency.clone());
        if tender.new == new {
            continue;
        }
        let is_foreign = !row.currency.is_empty() && row.currency != meaning.currency;
        let is_wrong = match &tender.new {
            Tender::Unheard => false,
            // They were taken to be in the reporting currency.
            Tender::Awaited => is_foreign,
            Tender::AwaitedBesideForeign | Tender::Known(_) => true,
        };
        if is_wrong {
            again.push(*id);
        }
        tender.new = new;
    }
    Ok(again)
}

/// Gives every changed order the currency of its products and the rate of its day. The tenders it took them from are
/// compared when the batch is written, like states that are replaced.
pub(super) fn of_orders(
    work: &mut Work,
    read: &BTreeMap<StateId, Stored>,
    calendar: Calendar,
    meaning: &Meaning,
) -> Result<(), BrokenState> {
    let Work { orders, tenders, .. } = work;
    for slot in orders.values_mut() {
        if needs_rate(slot.touched, &slot.old, &slot.new) {
            slot.new.foreign = foreign(&slot.new, tenders, read, calendar, meaning)?;
        }
    }
    Ok(())
}

fn foreign(
    order: &Order,
    tenders: &mut Slots<Tender>,
    read: &BTreeMap<StateId, Stored>,
    calendar: Calendar,
    meaning: &Meaning,
) -> Result<Option<Foreign>, BrokenState> {
    let mut lowest: Option<String> = None;
    let mut is_beside_foreign = false;
    let products = || order.lines.values().filter_map(|line| line.product);
    for product in products() {
        let slot = open(tenders, read, StateId::Tender(product))?;
        slot.touched = true;
        if let Some(code) = slot.new.code() {
            is_beside_foreign |= code != meaning.currency;
            if lowest.as_deref().is_none_or(|lowest| code < lowest) {
                lowest = Some(code.to_owned());
            }
        }
    }
    for product in products() {
        let tender = &mut open(tenders, read, StateId::Tender(product))?.new;
        *tender = match (&*tender, is_beside_foreign) {
            (Tender::Unheard, false) => Tender::Awaited,
            (Tender::Unheard | Tender::Awaited, true) => Tender::AwaitedBesideForeign,
            _ => continue,
        };
    }
    let Some(currency) = lowest.filter(|code| *code != meaning.currency) else {
        return Ok(None);
    };
    let at = order.live_header().and_then(|header| header.at);
    let day: Option<NaiveDate> = match at.and_then(|at| calendar.buckets(at)) {
        Some([Bucket::Day(day), ..]) => Some(day),
        _ => None,
    };
    Ok(Some(Foreign {
        rate: day.and_then(|day| meaning.rate(&currency, day)),
        currency,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tender_is_a_short_text_and_comes_back_the_same() {
        for (tender, body) in [
            (Tender::Awaited, "\"?\""),
            (Tender::AwaitedBesideForeign, "\"?!\""),
            (Tender::Known(String::new()), "\"-\""),
            (Tender::Known("ARS".into()), "\"ARS\""),
        ] {
            assert_eq!(serde_json::to_string(&tender).unwrap(), body);
            assert_eq!(serde_json::from_str::<Tender>(body).unwrap(), tender);
        }
        assert!(Tender::default().is_empty());
    }
}
